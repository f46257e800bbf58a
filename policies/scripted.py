"""The scripted expert: walks each arm through its plan, and recovers when a step fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import override

from policies.contact import Align, Contact, Insert, Search, Verify
from policies.motions import STIFF, Await, Grasp, Move, Release, ScriptedMotion
from policies.policy import Action, Brief, Observation, Policy
from policies.sense import Sense, Status, Wish, encode, sense_of
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Motion, Phase

MOTIONS: dict[Motion, type[ScriptedMotion]] = {
    Motion.MOVE: Move,
    Motion.AWAIT: Await,
    Motion.GRASP: Grasp,
    Motion.CONTACT: Contact,
    Motion.SEARCH: Search,
    Motion.ALIGN: Align,
    Motion.INSERT: Insert,
    Motion.VERIFY: Verify,
    Motion.RELEASE: Release,
}

# How many policy steps of touch are averaged into where the part is held.
_TOUCH_SAMPLES = 5
_FEWEST_TOUCHES = 2
# A part thinner than this share of its width is no part: the hand is empty.
_LOST_SHARE = 0.85


@dataclass(frozen=True)
class ScriptedConfig:
    """How stubborn the script is.

    Attributes:
        regrasps: How often it tries again to take a part from the nest.
        retries: How often it tries again to insert the part it holds.
        fetches: How often it fetches another part after losing or giving up one.
        use_touch: Whether it corrects for how the pads feel the part.
        back_off_m: How far it draws back before trying again, in m.
    """

    regrasps: int = 3
    retries: int = 4
    fetches: int = 2
    use_touch: bool = True
    back_off_m: float = 0.015


class ArmWalker:
    """Walks one arm through its plan; one arm's trouble does not hold up the other."""

    def __init__(self, phases: tuple[Phase, ...], config: ScriptedConfig) -> None:
        """Begin at the first phase.

        Args:
            phases: One arm's plan.
            config: How stubborn to be.
        """
        self.phases = phases
        self.config = config
        self.index = 0
        self.retries: Counter[str] = Counter()
        self.reasons: list[str] = []
        self.phase_times: dict[str, float] = {}
        self.gave_up = False
        self._attempt: Counter[str] = Counter()
        self._motion: ScriptedMotion | None = None
        self._detour: ScriptedMotion | None = None
        self._then = 0
        self._touch: list[Array] = []
        self._correction = Pose.identity()
        self._lost_for = 0

    @property
    def finished(self) -> bool:
        """Whether the plan has been walked to its end, or given up."""
        return self.index >= len(self.phases)

    def step(self, sense: Sense) -> Wish:
        """Return what this arm wants next."""
        if self._detour is not None:
            return self._follow_detour(self._detour, sense)
        if self.finished:
            last = self.phases[-1]
            return Wish(last.pose_world_tool, last.gripper_opening, STIFF)
        phase = self.phases[self.index]
        self._spend(phase.name, sense.dt)
        if self._motion is None:
            self._motion = MOTIONS[phase.motion](phase, self._goal(phase), sense)
        if phase.pose_tool_part is not None and phase.motion is not Motion.GRASP:
            self._feel(sense)
            if self._lost(sense):
                return self._recover("part_lost", sense)
        wish = self._motion.step(sense)
        if wish.status is Status.DONE:
            self._done(phase)
        elif wish.status is Status.FAILED:
            return self._recover(wish.reason, sense)
        return wish

    def _spend(self, name: str, time: float) -> None:
        self.phase_times[name] = self.phase_times.get(name, 0.0) + time

    def _done(self, phase: Phase) -> None:
        if phase.motion is Motion.GRASP:
            self._touch.clear()
            self._correction = Pose.identity()
        self.index += 1
        self._motion = None

    def _goal(self, phase: Phase) -> Pose:
        """Return a phase's pose, moved so that the part, as felt, comes to where it should."""
        if phase.pose_tool_part is None or phase.motion is Motion.GRASP:
            return phase.pose_world_tool
        if self.config.use_touch and len(self._touch) >= _FEWEST_TOUCHES:
            shift_x, shift_z, angle = np.mean(self._touch[-_TOUCH_SAMPLES:], axis=0)
            nominal = phase.pose_tool_part
            turn = Pose.from_rotation_vector((0.0, angle, 0.0))
            felt = Pose(
                nominal.position + np.array([shift_x, 0.0, shift_z]),
                (turn @ nominal).quaternion,
            )
            self._correction = nominal @ felt.inverse()
        return phase.pose_world_tool @ self._correction

    def _feel(self, sense: Sense) -> None:
        """Collect touch while nothing but the hand touches the part."""
        if sense.in_hand[0] > 0.5 and self.phases[self.index].motion is Motion.MOVE:
            self._touch.append(sense.in_hand[1:])

    def _lost(self, sense: Sense) -> bool:
        width = next(p.limits["width_mm"] for p in self.phases if p.motion is Motion.GRASP)
        empty = sense.opening < _LOST_SHARE * 1e-3 * width
        self._lost_for = self._lost_for + 1 if empty else 0
        return self._lost_for >= 2

    def _recover(self, reason: str, sense: Sense) -> Wish:
        """Choose where to go on after a failure, and draw back first."""
        self.reasons.append(f"{self.phases[self.index].name}:{reason}")
        self._motion = None
        self._lost_for = 0
        # The part may have moved in the hand: what was felt before counts no more.
        self._touch.clear()
        if reason in ("empty_grasp", "blocked_grasp") and self._again("regrasp"):
            return self._draw_back(sense, 0.05, self._find("reach"), open_hand=True)
        in_hand = reason not in ("empty_grasp", "blocked_grasp", "part_lost")
        if in_hand and self._again("retry"):
            return self._draw_back(sense, self.config.back_off_m, self._find("approach"))
        if self._again("fetch"):
            self._attempt["retry"] = 0
            # A part that is given up is carried clear of the pin before it is let go.
            return self._draw_back(sense, 0.08, self._find("reach"), open_hand=not in_hand)
        self.gave_up = True
        return self._draw_back(sense, 0.08, len(self.phases), open_hand=not in_hand)

    def _again(self, kind: str) -> bool:
        bound = {
            "regrasp": self.config.regrasps,
            "retry": self.config.retries,
            "fetch": self.config.fetches,
        }[kind]
        if self._attempt[kind] >= bound:
            return False
        self._attempt[kind] += 1
        self.retries[kind] += 1
        return True

    def _find(self, name: str) -> int:
        return next(i for i, phase in enumerate(self.phases) if phase.name == name)

    def _draw_back(self, sense: Sense, distance: float, then: int, open_hand: bool = False) -> Wish:
        phase = self.phases[self.index]
        opening = self.phases[0].gripper_opening if open_hand else phase.gripper_opening
        behind = sense.pose_world_tool @ Pose.translation([0.0, 0.0, -distance])
        detour = Phase(
            phase.arm, "draw_back", Motion.MOVE, behind, opening, limits={"speed_m_s": 0.15}
        )
        self._detour = Move(detour, behind, sense)
        self._then = then
        return self._follow_detour(self._detour, sense)

    def _follow_detour(self, detour: ScriptedMotion, sense: Sense) -> Wish:
        self._spend("draw_back", sense.dt)
        wish = detour.step(sense)
        if wish.status is Status.DONE:
            self._detour = None
            self.index = self._then
        return wish


class ScriptedPolicy(Policy):
    """Walks the plan of every arm at once, from sensors and believed poses."""

    def __init__(self, config: ScriptedConfig | None = None) -> None:
        """Prepare.

        Args:
            config: How stubborn to be.
        """
        self.config = config or ScriptedConfig()

    @override
    def reset(self, brief: Brief) -> None:
        self._brief = brief
        self._walkers = {
            arm: ArmWalker(tuple(p for p in brief.phases if p.arm == arm), self.config)
            for arm in brief.arms
        }
        self._wrench_free: dict[str, Array] = {}
        self._steps = 0

    @override
    def act(self, observation: Observation) -> Action:
        time = self._steps * self._brief.dt
        self._steps += 1
        actions = []
        for arm, walker in self._walkers.items():
            raw = sense_of(arm, observation, self._brief, time, np.zeros(6))
            # The first step of an episode is in free air: what the wrist feels there is its offset.
            free = self._wrench_free.setdefault(arm, raw.wrench_tool)
            sense = sense_of(arm, observation, self._brief, time, free)
            actions.append(encode(walker.step(sense), sense, self._brief.action_scale))
        return np.concatenate(actions)

    @override
    def report(self) -> Mapping[str, Any]:
        """Return, by arm, retries by kind and why, how long each phase took, if it gave up."""
        return {
            arm: {
                "retries": dict(walker.retries),
                "reasons": list(walker.reasons),
                "phase_times_s": {k: round(v, 3) for k, v in walker.phase_times.items()},
                "gave_up": walker.gave_up,
                "finished": walker.finished,
                "phase": "end" if walker.finished else walker.phases[walker.index].name,
            }
            for arm, walker in self._walkers.items()
        }
