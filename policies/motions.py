"""Scripted motions in free air: how a hand goes somewhere, waits, closes and opens."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from typing_extensions import override

from policies.sense import Sense, Status, Wish
from robot.spatial import Pose
from tasks.phases import Phase

STIFF, MIDDLE, SOFT = 1.0, 0.0, -1.0

# Free motions: acceleration along the line, and the turn that goes with a metre of it.
_ACCELERATION = 2.5
_TURN_SPEED = 1.6
_ARRIVED = 0.002
_ARRIVED_ANGLE = 0.02
# The target is there but the tool is not: wait this long for it, in s.
_LAG_TIME = 0.5
# A grasp whose opening differs by more than this from the part's width holds something else, in m.
_WIDTH_ERROR = 1.2e-3
# Fingers that have not closed on a part after so long will not, in s.
_CLOSING_TIME = 1.5
# Nor do those that have come to its width by then rest there if they have not after so long, in s.
_RESTING_TIME = 0.3
# How fast a push is let go, in N/s.
PUSH_RATE = 60.0


class ScriptedMotion(ABC):
    """One motion of one arm, from its first to its last policy step.

    Attributes:
        patient: Whether it begins although another arm pushes hard, and holds itself back.
        heavy: Whether it pushes hard, or may, in a phase that does.
    """

    patient = False
    heavy = True

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        """Begin.

        Args:
            phase: What to do.
            pose_world_goal: Where the tool should be at its end, with the part as it is held.
            sense: What is felt now.
        """
        self.phase = phase
        self.goal = pose_world_goal
        self.start = sense
        self._goal_inverse = pose_world_goal.inverse()
        self.push = 0.0

    @abstractmethod
    def step(self, sense: Sense) -> Wish:
        """Return what to do next."""

    def limit(self, name: str, default: float) -> float:
        """Return a limit of the phase."""
        return self.phase.limits.get(name, default)

    def in_goal(self, pose_world: Pose) -> Pose:
        """Return a pose as seen from the goal."""
        return self._goal_inverse @ pose_world

    def wish(
        self, target: Pose, stiffness: float, status: Status = Status.RUNNING, reason: str = ""
    ) -> Wish:
        """Return a wish with the phase's opening."""
        return Wish(target, self.phase.gripper_opening, stiffness, self.push, status, reason)

    def elapsed(self, sense: Sense) -> float:
        """Return the time since the motion began, in s."""
        return sense.time - self.start.time


class Move(ScriptedMotion):
    """Goes to the goal on a straight line, accelerating and braking evenly.

    It has arrived when the tool has, or after a while; with a limit `still_m_s`, when the tool has
    come to rest, though its load may hold it off the goal; with a limit `via` above zero, as soon
    as its target is there.
    """

    # So many steps at rest are no turning point.
    _RESTING = 3

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._speed = 0.0
        self._there_at: float | None = None
        self._error = self.in_goal(sense.pose_world_tool).position
        self._resting = 0

    @override
    def step(self, sense: Sense) -> Wish:
        rest = sense.pose_world_target.inverse() @ self.goal
        turn = rest.rotation_vector()
        distance = float(np.linalg.norm(rest.position))
        angle = float(np.linalg.norm(turn))
        # The longer of the two leads; the other is scaled to arrive with it.
        leading = max(distance, angle * self.limit("speed_m_s", 0.3) / _TURN_SPEED)
        if leading < 1e-5:
            if self.limit("via", 0.0) > 0.0:
                return self.wish(self.goal, STIFF, Status.DONE)
            return self._wait(sense)
        allowed = math.sqrt(2.0 * _ACCELERATION * leading)
        self._speed = min(
            self.limit("speed_m_s", 0.3), allowed, self._speed + _ACCELERATION * sense.dt
        )
        share = min(1.0, self._speed * sense.dt / leading)
        step = Pose.from_rotation_vector(share * turn, share * rest.position)
        return self.wish(sense.pose_world_target @ step, STIFF)

    def _wait(self, sense: Sense) -> Wish:
        if self._there_at is None:
            self._there_at = sense.time
        error = self.in_goal(sense.pose_world_tool)
        moved = float(np.linalg.norm(error.position - self._error))
        self._error = error.position
        still = moved < self.limit("still_m_s", math.inf) * sense.dt
        self._resting = self._resting + 1 if still and "still_m_s" in self.phase.limits else 0
        arrived = self._resting >= self._RESTING or (
            still
            and float(np.linalg.norm(error.position)) < _ARRIVED
            and float(np.linalg.norm(error.rotation_vector())) < _ARRIVED_ANGLE
        )
        late = sense.time - self._there_at > _LAG_TIME
        return self.wish(self.goal, STIFF, Status.DONE if arrived or late else Status.RUNNING)


class Await(ScriptedMotion):
    """Holds still until a process signal comes."""

    @override
    def step(self, sense: Sense) -> Wish:
        assert self.phase.signal is not None  # a plan that waits says for what
        there = sense.signals[self.phase.signal]
        return self.wish(self.goal, STIFF, Status.DONE if there else Status.RUNNING)


class Zero(ScriptedMotion):
    """Holds still and averages what the wrist feels.

    Attributes:
        felt: The mean wrench so far. Shape (6,).
    """

    _STEPS = 4

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self.felt = np.zeros(6)
        self._samples = 0

    @override
    def step(self, sense: Sense) -> Wish:
        # The first step still feels how the hand came to rest.
        if self.elapsed(sense) > 0.5 * sense.dt:
            self._samples += 1
            self.felt = self.felt + (sense.wrench_tool - self.felt) / self._samples
        enough = self._samples >= self._STEPS
        return self.wish(self.goal, STIFF, Status.DONE if enough else Status.RUNNING)


class Grasp(ScriptedMotion):
    """Closes softly, so that the part stays where the pads find it, and checks what is held.

    A part that cannot give way draws the hand to where it is. Where the phase says so, by a limit
    `yield_s` above zero, the target goes there too, in so many seconds: a hand that turned stiff
    with its target elsewhere would jerk the part out of its socket, and the feet off their place;
    and a target that jumped there would take the hand along and further.
    """

    # Share of the way to where the tool is that the target goes per step.
    _YIELD = 0.25

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._still = 0
        self._last = sense.opening

    @override
    def step(self, sense: Sense) -> Wish:
        width = 1e-3 * self.phase.limits["width_mm"]
        still = abs(sense.opening - self._last) < 2e-4
        self._still = self._still + 1 if still and sense.opening < width + 4e-3 else 0
        self._last = sense.opening
        if self._still >= 3:
            wider = sense.opening - width
            yielded = self._still * sense.dt >= self.limit("yield_s", 0.0)
            # Pads that sit askew on a part turn the hand as it gives way, and slide down on it yet.
            late = self.elapsed(sense) > _CLOSING_TIME or self.limit("yield_s", 0.0) <= 0.0
            if wider < -_WIDTH_ERROR or (wider > _WIDTH_ERROR and yielded and late):
                return self.wish(self.goal, SOFT, Status.FAILED, "empty_grasp")
            holds = yielded and wider <= _WIDTH_ERROR
            return self.wish(self._target(sense), SOFT, Status.DONE if holds else Status.RUNNING)
        # One that came down on the part at the last moment has yet to rest there.
        there = abs(sense.opening - width) <= _WIDTH_ERROR
        rests_by = _CLOSING_TIME + _RESTING_TIME + self.limit("yield_s", 0.0)
        if self.elapsed(sense) > (rests_by if there else _CLOSING_TIME):
            return self.wish(self.goal, SOFT, Status.FAILED, "blocked_grasp")
        return self.wish(self._target(sense), SOFT)

    def _target(self, sense: Sense) -> Pose:
        """Return the goal, or where the target has come on its way to the tool."""
        if self._still == 0 or self.limit("yield_s", 0.0) <= 0.0:
            return self.goal
        apart = sense.pose_world_target.inverse() @ sense.pose_world_tool
        step = Pose.from_rotation_vector(
            self._YIELD * apart.rotation_vector(), self._YIELD * apart.position
        )
        return sense.pose_world_target @ step


class Release(ScriptedMotion):
    """Stops pushing, then opens where the hand is.

    Pads that hold a part askew are jammed between its collars. Where the phase says so, by a limit
    `settle_s` above zero, the hand first turns to how it feels the part lie.
    """

    # How fast, in rad/s.
    _SETTLE_SPEED = 0.5

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self.push = max(0.0, sense.push)
        self._angle = 0.0

    def still_held(self, sense: Sense) -> float:
        """Return which share of its load the socket has not taken over yet, from 1 to 0."""
        left = self.limit("settle_s", 0.0) - self.elapsed(sense) - sense.dt
        return max(0.0, left) / max(self.limit("settle_s", 0.0), sense.dt)

    @override
    def step(self, sense: Sense) -> Wish:
        # The target goes to where the tool is, so that the hand does not spring ahead or aside.
        settling = self.elapsed(sense) < self.limit("settle_s", 0.0)
        if settling and sense.in_hand[0] > 0.5:
            reach = self._SETTLE_SPEED * sense.dt
            self._angle += float(np.clip(sense.in_hand[3], -reach, reach))
        here = self.start.pose_world_tool @ Pose.from_rotation_vector((0.0, self._angle, 0.0))
        if self.push > 0.0 or settling:
            self.push = max(0.0, self.push - PUSH_RATE * sense.dt)
            return Wish(here, 0.0, MIDDLE, self.push)
        opened = sense.opening > self.phase.gripper_opening - 4e-3
        late = self.elapsed(sense) > 1.5
        return self.wish(here, MIDDLE, Status.DONE if opened or late else Status.RUNNING)
