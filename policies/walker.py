"""Walks one arm through its plan, learns places on the way, and recovers when a step fails."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from policies.contact import Contact
from policies.contact_estimator import contact_estimators
from policies.contact_state import ContactState
from policies.memory import IN_SOCKET, Memory
from policies.motions import MIDDLE, STIFF, Move, Release, ScriptedMotion, Zero
from policies.plugging import Extract
from policies.recovery import ScriptedConfig, following, is_empty, named, put_back
from policies.repertoire import MOTIONS
from policies.search import Search
from policies.sense import Sense, Status, Wish
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Motion, Phase

# A part that is drawn back is pulled no harder than this, in N.
_PULL_BACK = 60.0
# What failures that seldom get better are retried as.
_KINDS = {"not_locked": "relock", "refused": "reseat"}
_ANY = "any"
# Failures of grasps; those after which the hand holds nothing.
_GRASPS = ("empty_grasp", "blocked_grasp", "askew_grasp")
_EMPTY = ("empty_grasp", "blocked_grasp", "part_lost")


class ArmWalker:
    """Walks one arm through its plan; one arm's trouble does not hold up the other.

    Attributes:
        phases: The plan.
        index: Which phase is being walked.
        retries: How often what was tried again, by kind.
        reasons: Why, in order.
        phase_times: Time spent in each phase, by name, in s.
        gave_up: Whether a piece of work was given up.
        contact: How the held part meets what it belongs on, as is felt; None where nothing tells.
    """

    def __init__(
        self,
        phases: tuple[Phase, ...],
        config: ScriptedConfig,
        stiffness: Callable[[float], Array],
    ) -> None:
        """Begin at the first phase.

        Args:
            phases: One arm's plan.
            config: How stubborn to be.
            stiffness: As `Brief.stiffness`.
        """
        self._stiffness = stiffness
        # Where the tool was wanted last; the target was ahead of it, because the load pulls back.
        self._wanted: Pose | None = None
        self.phases = phases
        self.config = config
        self.index = 0
        self.retries: Counter[str] = Counter()
        self.reasons: list[str] = []
        self.phase_times: dict[str, float] = {}
        self.gave_up = False
        self._given_up: set[str] = set()
        # How often the work in hand was tried again, by kind; `_ANY` but for grasping again.
        self._attempt: Counter[str] = Counter()
        self._motion: ScriptedMotion | None = None
        self._detour: ScriptedMotion | None = None
        self._then = 0
        # Where to go on after a part that was given up has been put back.
        self._resume: int | None = None
        self._memory = Memory(config.use_touch)
        self._wrench_zero = np.zeros(6)
        self._lost_for = 0
        self.contact: ContactState | None = None
        self._contacts = contact_estimators(phases) if config.use_contact else {}

    @property
    def finished(self) -> bool:
        """Whether the plan has been walked to its end, or given up."""
        return self.index >= len(self.phases)

    @property
    def attempt(self) -> int:
        """Which attempt at the work in hand this is, from 1; grasping again is none of its own."""
        return 1 + self._attempt[_ANY]

    @property
    def heavy(self) -> bool:
        """Whether the arm is pushing or pulling hard, so that no other arm should."""
        if self.finished or self._motion is None or self._detour is not None:
            return False
        return self.phases[self.index].heavy and self._motion.heavy

    def search_anew(self) -> None:
        """Go back to where the search under way began, if one is; it is no other attempt."""
        if isinstance(self._motion, Search):
            self._motion.begin_anew()

    def step(self, sense: Sense, may_push: bool = True) -> Wish:
        """Return what this arm wants next.

        A tool on springs sags under the weight it carries. What was weighed is therefore held up by
        a target that is ahead by as much; motions do not see it.

        Args:
            sense: What it senses; the wrench is zero in free air with an empty hand.
            may_push: Whether no other arm is pushing or pulling hard.
        """
        sense = dataclasses.replace(
            sense,
            wrench_tool=sense.wrench_tool - self._wrench_zero,
            pose_world_target=self._wanted or sense.pose_world_target,
        )
        self.contact = self._met(sense)
        sense = dataclasses.replace(sense, contact=self.contact)
        wish = self._step(sense, may_push)
        sag = self._held_up(sense) * self._wrench_zero / self._stiffness(wish.stiffness)
        self._wanted = wish.pose_world_target
        lead = Pose.from_rotation_vector(-sag[3:], -sag[:3])
        return dataclasses.replace(wish, pose_world_target=self._wanted @ lead)

    def _met(self, sense: Sense) -> ContactState | None:
        """Return how the part of the work in hand meets what it belongs on."""
        if self.finished:
            return None
        estimator = self._contacts.get(self.phases[self.index].operation)
        return None if estimator is None else estimator.update(sense)

    def _held_up(self, sense: Sense) -> float:
        """Return which share of what was weighed the hand holds up.

        A part that is let go is carried by its socket: held up longer, it would hold the pads. But
        one that is dropped at once jumps in its socket, so it is handed over while it settles.
        """
        if not isinstance(self._motion, Release):
            return 1.0
        return self._motion.still_held(sense)

    def _step(self, sense: Sense, may_push: bool) -> Wish:
        if self._detour is not None:
            return self._follow_detour(self._detour, sense)
        self._skip_idle()
        if self.finished:
            last = self.phases[-1]
            return Wish(last.pose_world_tool, last.gripper_opening, STIFF)
        phase = self.phases[self.index]
        self._spend(phase.name, sense.dt)
        if self._motion is None:
            waits = phase.heavy and not MOTIONS[phase.motion].patient
            if waits and not may_push:
                return Wish(sense.pose_world_target, phase.gripper_opening, MIDDLE)
            goal = self._memory.goal(phase, sense)
            self._motion = MOTIONS[phase.motion](self._memory.informed(phase), goal, sense)
        if phase.pose_tool_part is not None and phase.motion is not Motion.GRASP:
            if phase.motion is Motion.MOVE:
                self._memory.feel(sense)
            if self._lost(sense):
                return self._recover("part_lost", sense)
        sense = dataclasses.replace(sense, may_push=may_push or not phase.heavy)
        wish = self._motion.step(sense)
        if wish.status is Status.DONE and self._lies_askew(phase, sense):
            # Where it lies was felt: the next grasp goes there.
            self._memory.find(phase, sense)
            return self._recover("askew_grasp", sense)
        if wish.status is Status.DONE:
            self._done(phase, self._motion, sense)
        elif wish.status is Status.FAILED:
            return self._recover(wish.reason, sense)
        return wish

    def report(self) -> dict[str, Any]:
        """Return how it went, for the record."""
        return {
            "retries": dict(self.retries),
            "reasons": list(self.reasons),
            "phase_times_s": {k: round(v, 3) for k, v in self.phase_times.items()},
            "gave_up": self.gave_up,
            "finished": self.finished,
            "phase": "end" if self.finished else self.phases[self.index].name,
        }

    def _spend(self, name: str, time: float) -> None:
        self.phase_times[name] = self.phase_times.get(name, 0.0) + time

    def _skip_idle(self) -> None:
        """Pass over what needs work that was given up, and what only that would need."""
        while not self.finished:
            phase = self.phases[self.index]
            needless = phase.given_up and phase.given_up not in self._given_up
            impossible = self._resume is None and phase.requires in self._given_up
            if not needless and not impossible:
                return
            self.index += 1

    def _done(self, phase: Phase, motion: ScriptedMotion, sense: Sense) -> None:
        if phase.motion is Motion.GRASP:
            self._memory.take()
        if phase.place and phase.motion in (Motion.GRASP, Motion.RELEASE):
            # A part that sits draws the hand that closes on it to where it is; one that is let go
            # was there when the fingers began to open.
            there = sense if phase.motion is Motion.GRASP else motion.start
            self._memory.find(phase, there)
        if phase.motion is Motion.RELEASE:
            self._wrench_zero = np.zeros(6)
        if isinstance(motion, Contact):
            self._memory.touched(motion.depth(sense))
        if isinstance(motion, Search):
            self._memory.search_ended(motion.angle, motion.depth(sense))
        if isinstance(motion, Zero):
            self._wrench_zero = self._wrench_zero + motion.felt
        self._motion = None
        self.index += 1
        if self.finished or self.phases[self.index].operation != phase.operation:
            self._attempt.clear()
            if self._resume is not None:
                self.index, self._resume = self._resume, None

    def _lies_askew(self, phase: Phase, sense: Sense) -> bool:
        """Return whether a part was taken so far off that it is worth taking again."""
        if phase.motion is not Motion.GRASP or not phase.place:
            return False
        return self._attempt["regrasp"] < self.config.regrasps and self.config.askew(sense)

    def _lost(self, sense: Sense) -> bool:
        self._lost_for = self._lost_for + 1 if is_empty(self.phases, sense) else 0
        return self._lost_for >= 2

    def _recover(self, reason: str, sense: Sense) -> Wish:
        """Choose where to go on after a failure, and draw back first."""
        phase = self.phases[self.index]
        work = f"{phase.operation}:" if phase.operation else ""
        self.reasons.append(f"{work}{phase.name}:{reason}")
        self._motion = None
        self._lost_for = 0
        # The part may have moved in the hand: what was felt before counts no more.
        self._memory.forget_touch()
        self._memory.search_again(further=reason == "blocked")
        if reason == "blocked_grasp":
            self._memory.shift_grip(phase, sense.opening)
        if reason in _GRASPS and self._again("regrasp"):
            return self._draw_back(sense, 0.05, self._find("reach"), open_hand=True)
        in_hand = reason not in _EMPTY
        again = self._find("approach")
        if in_hand and self._again(_KINDS.get(reason, "retry")):
            if again is not None and again < self.index:
                return self._draw_back(sense, self.config.back_off_m, again)
            return self._draw_back(sense, 0.05, self._find("reach"), open_hand=True)
        if self._resume is not None and not in_hand:
            # Lost on its way back to its place: there is nothing left to do for it.
            return self._give_up(sense, in_hand)
        if put_back(self.phases, phase.operation) is None and self._again("fetch"):
            self._attempt["retry"] = 0
            # A part that is given up is carried clear of its place before it is let go.
            return self._draw_back(sense, 0.08, self._find("reach"), open_hand=not in_hand)
        return self._give_up(sense, in_hand)

    def _again(self, kind: str) -> bool:
        if self._attempt[kind] >= self.config.bounds[kind]:
            return False
        self._attempt[kind] += 1
        self._attempt[_ANY] += kind != "regrasp"
        self.retries[kind] += 1
        return True

    def _find(self, name: str) -> int | None:
        """Return the phase of this name in the same piece of work, or None."""
        return named(self.phases, name, self.phases[self.index].operation)

    def _abandon(self) -> int:
        """Leave the work in hand undone, and return where to go on."""
        operation = self.phases[self.index].operation
        self.gave_up = True
        self._given_up.add(operation)
        self._attempt.clear()
        # Its part may be put back now: what searches learned here says nothing of its dock.
        self._memory.go_elsewhere()
        return following(self.phases, operation) if self._resume is None else self._resume

    def _give_up(self, sense: Sense, in_hand: bool) -> Wish:
        """Leave a piece of work undone, put its part back, and go on with the next."""
        rest = self._abandon()
        carried = put_back(self.phases, self.phases[self.index].operation)
        if in_hand and carried is not None and self._resume is None:
            self._resume = rest
            return self._draw_back(sense, 0.08, carried)
        self._resume = None
        return self._draw_back(sense, 0.08, rest, open_hand=not in_hand)

    def _draw_back(
        self, sense: Sense, distance: float, then: int | None, open_hand: bool = False
    ) -> Wish:
        phase = self.phases[self.index]
        opening = self.phases[0].gripper_opening if open_hand else phase.gripper_opening
        behind = sense.pose_world_tool @ Pose.translation([0.0, 0.0, -distance])
        detour = Phase(
            phase.arm,
            "draw_back",
            Motion.MOVE,
            behind,
            opening,
            limits={"speed_m_s": 0.15, "depth_mm": 1e3 * distance, "force_n": _PULL_BACK},
        )
        # A plan without such a phase cannot be taken up again.
        self._then = len(self.phases) if then is None else then
        # Fingers that still hold something let go before they leave; a part that sticks in its
        # socket is pulled out straight.
        kind: type[ScriptedMotion] = Move
        if open_hand:
            # What was weighed is not held up any longer.
            self._wrench_zero = np.zeros(6)
        if open_hand and sense.opening < opening - 5e-3:
            kind = Release
        elif phase.motion in IN_SOCKET and not open_hand:
            kind = Extract
        self._detour = kind(detour, behind, sense)
        return self._follow_detour(self._detour, sense)

    def _follow_detour(self, detour: ScriptedMotion, sense: Sense) -> Wish:
        self._spend("draw_back", sense.dt)
        self._memory.feel(sense)
        wish = detour.step(sense)
        if wish.status is Status.FAILED:
            return self._leave(detour, sense)
        if wish.status is Status.DONE:
            if not isinstance(detour, Move):
                self._detour = Move(detour.phase, detour.goal, sense)
                return wish
            self._detour = None
            self.index = self._then
        return wish

    def _leave(self, detour: ScriptedMotion, sense: Sense) -> Wish:
        """Let go of a part that sticks where it is, and go on without it."""
        self.reasons.append(f"{self.phases[self.index].operation}:{detour.phase.name}:stuck")
        self._then, self._resume = self._abandon(), None
        self._wrench_zero = np.zeros(6)
        phase = dataclasses.replace(detour.phase, gripper_opening=self.phases[0].gripper_opening)
        self._detour = Release(phase, detour.goal, sense)
        return self._detour.step(sense)
