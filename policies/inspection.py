"""Finding out how plugs were left: walks the plan of an inspection, and says what it found.

A plan of inspection has no steps that fail: that nothing was felt, or that a plug followed a pull,
is a finding. What is concluded from findings is in `conclude`, apart from how they came about.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from policies.contact import Contact
from policies.motions import STIFF, Grasp, Move, Release, ScriptedMotion, Zero
from policies.plugging import Pull
from policies.sense import Sense, Status, Wish
from robot.spatial import Pose
from tasks.hv_inspection_layout import Connection
from tasks.phases import Motion, Phase

MOTIONS: dict[Motion, type[ScriptedMotion]] = {
    Motion.LOOK: Zero,
    Motion.MOVE: Move,
    Motion.CONTACT: Contact,
    Motion.GRASP: Grasp,
    Motion.PULL: Pull,
    Motion.RELEASE: Release,
}

# A plug is seated from this share of its stroke on. By touch, one that is seems up to 0.3 mm off,
# one that is not, and hangs askew, up to 1.2 mm too deep.
_SEATED_SHARE = 0.94
# Of a cable that hangs free at least so much is seen, in mm.
_HANGS_FREE_MM = 60.0
# A grip that was blocked by a collar is tried again so far from it, in m, and so often; an opening
# tells collars apart that differ by more than this, in mm.
_SHIFT, _REGRASPS, _COLLAR_SLACK_MM = 0.002, 3, 1.5


@dataclass
class Finding:
    """What was found out about one connection.

    Attributes:
        verdict: What is concluded, a value of `Connection`.
        anomaly: Whether that is not as it should be.
        place: Pack and port.
        felt: Whether anything was felt where a plug would be.
        lock_in: What the switch of its lock says.
        interlock: What the interlock loop through all plugs says.
        depth_mm: How far in the plug is, by touch; None if that was not measured.
        gripped: Whether the hand held its neck.
        followed: Whether it followed a pull; None if it was not pulled.
        pull_n: How hard it was pulled.
        seen_mm: Length of cable that the camera saw.
        bend_mm: Radius of the sharpest bend of that; None if too little was seen.
    """

    verdict: str = ""
    anomaly: bool = False
    place: str = ""
    felt: bool = False
    lock_in: bool = False
    interlock: bool = False
    depth_mm: float | None = None
    gripped: bool = False
    followed: bool | None = None
    pull_n: float = 0.0
    seen_mm: float = 0.0
    bend_mm: float | None = None


def conclude(finding: Finding, stroke_mm: float, key_mm: float, bend_mm: float) -> Connection:
    """Return how a connection was left, as far as findings tell.

    Args:
        finding: What was found out.
        stroke_mm: Depth of a plug that is home, its lock out, in mm.
        key_mm: Where a plug with another key stops at the latest, in mm.
        bend_mm: A cable that is bent more narrowly is taken for over-bent, in mm.
    """
    if not finding.felt:
        return Connection.MISSING
    if finding.followed:
        return Connection.HALF
    if finding.lock_in:
        free = finding.seen_mm > _HANGS_FREE_MM and finding.bend_mm is not None
        sound = free and (finding.bend_mm or 0.0) > bend_mm
        return Connection.LOCKED if sound else Connection.OVER_BENT
    if _seated(finding, stroke_mm):
        return Connection.NOT_LOCKED
    deeper = finding.depth_mm is not None and finding.depth_mm > key_mm
    return Connection.HALF if deeper else Connection.WRONG_PORT


def _seated(finding: Finding, stroke_mm: float) -> bool:
    """Return whether a plug is in as deep as one that is latched."""
    return finding.depth_mm is not None and finding.depth_mm > _SEATED_SHARE * stroke_mm


class InspectionWalker:
    """Walks one arm through its part of an inspection.

    Attributes:
        phases: The plan.
        index: Which phase is being walked.
        findings: What was found out, by slot.
        phase_times: Time spent in each phase, by name, in s.
        retries: How often what was tried again, by kind.
        reasons: Why, in order.
        heavy: Always false: no arm pushes or pulls hard.
    """

    heavy = False

    def __init__(self, phases: tuple[Phase, ...]) -> None:
        """Begin at the first phase.

        Args:
            phases: One arm's plan, which begins with a look.
        """
        self.phases = phases
        self.index = 0
        self.findings: dict[str, Finding] = {}
        self.phase_times: dict[str, float] = {}
        self.retries: dict[str, int] = {}
        self.reasons: list[str] = []
        self._motion: ScriptedMotion | None = None
        # By how much a place is elsewhere than believed, along the world axes.
        self._plug, self._header = Pose.identity(), Pose.identity()
        self._rear: Pose | None = None
        self._grasps = 0

    @property
    def finished(self) -> bool:
        """Whether the plan has been walked to its end."""
        return self.index >= len(self.phases)

    def step(self, sense: Sense, may_push: bool = True) -> Wish:
        """Return what this arm wants next.

        Args:
            sense: What it senses; the wrench is zero in free air with an empty hand.
            may_push: Not asked for here.
        """
        if self.finished:
            last = self.phases[-1]
            return Wish(last.pose_world_tool, last.gripper_opening, STIFF)
        phase = self.phases[self.index]
        self.phase_times[phase.name] = self.phase_times.get(phase.name, 0.0) + sense.dt
        if self._motion is None:
            self._begin(phase, sense)
            self._motion = MOTIONS[phase.motion](phase, self._goal(phase), sense)
        wish = self._motion.step(sense)
        if wish.status is not Status.RUNNING:
            motion, self._motion = self._motion, None
            self._end(phase, motion, wish, sense)
        return wish

    def report(self) -> dict[str, Any]:
        """Return what was found, and how it went, for the record."""
        return {
            "findings": {slot: asdict(f) for slot, f in self.findings.items() if f.verdict},
            "retries": dict(self.retries),
            "reasons": list(self.reasons),
            "phase_times_s": {k: round(v, 3) for k, v in self.phase_times.items()},
            "gave_up": False,
            "finished": self.finished,
            "phase": "end" if self.finished else self.phases[self.index].name,
        }

    def _begin(self, phase: Phase, sense: Sense) -> None:
        """Get ready for a phase: the first one at a connection knows nothing of it yet."""
        if phase.name == "look":
            # The hands are out of the way now, and will not be later.
            self._cables = {
                key.removesuffix("_cable"): value
                for key, value in sense.observation.items()
                if key.endswith("_cable")
            }
        if phase.name == "reach":
            self._plug = self._header = Pose.identity()
            self._rear, self._grasps = None, 0
            slot = _slot(phase)
            seen, radius = self._cables.get(slot, np.zeros(2))
            self.findings[slot] = Finding(
                place=phase.place,
                seen_mm=round(1e3 * float(seen), 1),
                bend_mm=round(1e3 * float(radius), 1) if radius > 0.0 else None,
            )

    def _goal(self, phase: Phase) -> Pose:
        if phase.name in ("enter", "grasp", "pull_test", "release"):
            return self._plug @ phase.pose_world_tool
        if phase.name in ("back_off", "open") and self._rear is not None:
            return self._rear @ Pose.translation((0.0, 0.0, -0.012))
        return self._header @ phase.pose_world_tool

    def _end(self, phase: Phase, motion: ScriptedMotion, wish: Wish, sense: Sense) -> None:
        """Take in what a phase found, and choose the next."""
        self.index += 1
        done = wish.status is Status.DONE
        if phase.name == "probe":
            self._probed(phase, done, sense)
        elif phase.name == "grasp":
            self._grasped(phase, done, sense, wish.reason)
        elif phase.name == "pull_test":
            finding = self.findings[_slot(phase)]
            finding.followed = not done
            finding.pull_n = round(max(0.0, -sense.push), 1)
        elif phase.name == "release":
            self._released(phase)
        elif phase.name == "gauge":
            self._gauged(phase, done, sense)

    def _probed(self, phase: Phase, felt: bool, sense: Sense) -> None:
        slot = _slot(phase)
        finding = self.findings[slot]
        finding.felt = felt
        finding.lock_in = sense.signals[phase.signal or ""]
        finding.interlock = sense.signals["interlock_closed"]
        if not felt:
            self._verdict(phase)
            self._go_to("leave", phase)
            return
        self._rear = sense.pose_world_tool
        # Along the way in, the plug is as far from where a locked one would be as its rear is.
        along = (phase.pose_world_tool.inverse() @ sense.pose_world_tool).position[2]
        axis = phase.pose_world_tool.rotation[:, 2]
        self._plug = Pose.translation(axis * along)

    def _grasped(self, phase: Phase, held: bool, sense: Sense, reason: str) -> None:
        finding = self.findings[_slot(phase)]
        finding.gripped = held
        if held:
            nominal = self._plug @ phase.pose_world_tool
            found = nominal.inverse() @ sense.pose_world_tool
            level = Pose(found.position * np.array([1.0, 1.0, 0.0]), found.quaternion)
            self._header = phase.pose_world_tool @ level @ phase.pose_world_tool.inverse()
            if not finding.lock_in and finding.depth_mm is None:
                self._go_to("release", phase)
            return
        self.reasons.append(f"{phase.operation}:{phase.name}:{reason}")
        if self._grasps < _REGRASPS:
            self._grasps += 1
            self.retries["regrasp"] = self.retries.get("regrasp", 0) + 1
            way = next(
                (
                    sign
                    for name, sign in (("front_mm", -1.0), ("rear_mm", 1.0))
                    if abs(1e3 * sense.opening - phase.limits[name]) < _COLLAR_SLACK_MM
                ),
                0.0,
            )
            axis = phase.pose_world_tool.rotation[:, 2]
            self._plug = Pose.translation(axis * way * _SHIFT) @ self._plug
            self._go_to("open", phase)
            return
        self._go_to("release", phase)

    def _gauged(self, phase: Phase, felt: bool, sense: Sense) -> None:
        if felt and self._rear is not None:
            way = sense.pose_world_tool.position - self._rear.position
            length = float(way @ sense.pose_world_tool.rotation[:, 2])
            depth = phase.limits["length_mm"] - 1e3 * length
            self.findings[_slot(phase)].depth_mm = round(depth, 2)
        if _seated(self.findings[_slot(phase)], phase.limits["stroke_mm"]):
            self._go_to("enter", phase)
        else:
            self._verdict(phase)

    def _released(self, phase: Phase) -> None:
        """Go on with the gauge, unless there is nothing left to find out."""
        finding = self.findings[_slot(phase)]
        if finding.lock_in or finding.depth_mm is not None:
            self._verdict(phase)
            self._go_to("leave", phase)

    def _verdict(self, phase: Phase) -> None:
        finding, limits = self.findings[_slot(phase)], phase.limits
        connection = conclude(finding, limits["stroke_mm"], limits["key_mm"], limits["bend_mm"])
        finding.verdict = connection.value
        finding.anomaly = connection is not Connection.LOCKED

    def _go_to(self, name: str, phase: Phase) -> None:
        """Go on with a phase of the same connection."""
        self.index = next(
            i
            for i, other in enumerate(self.phases)
            if other.name == name and other.operation == phase.operation
        )


def _slot(phase: Phase) -> str:
    """Return the slot that a phase of inspection looks at."""
    return phase.operation.removeprefix("inspect ")
