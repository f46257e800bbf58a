"""Scripted motions in contact: feeling, turning, pushing, checking; `policies.search` searches.

They work in the goal frame, which is the tool pose in which the part is home: along its z axis the
part goes in, and z = 0 is home.
"""

from __future__ import annotations

import math

import numpy as np
from typing_extensions import override

from policies.contact_state import ContactState
from policies.motions import MIDDLE, PUSH_RATE, SOFT, ScriptedMotion
from policies.sense import Sense, Status, Wish
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Phase

# How much of a push's error is made up per step.
_PUSH_GAIN = 0.15
# The target runs this far ahead of the tool while it pushes, in m.
_LEAD = 0.0003
# It follows no faster than this, in m/s: a hand that slips along a part that is home is held back.
_FOLLOW_SPEED = 0.03
# With less than this share of the push for some steps there is no contact: the tool goes ahead at
# this speed, in m/s, with the target at most this far ahead, in m, and this push, in N.
_TOUCH_SHARE = 0.25
_UNTOUCHED_STEPS = 4
_FREE_SPEED = 0.02
_FREE_LEAD = 0.0015
_FREE_PUSH = 1.0
# By how much a push is lessened per speed ahead, in N·s/m.
_BRAKE = 200.0
# A part that has met nothing it rests on for so long will not, in s: something else holds the hand.
_NOTHING_TIME = 5.0
# Harder than this the contact is backed away from, in N.
_TOO_HARD = 30.0


class ContactMotion(ScriptedMotion):
    """A motion that pushes along the goal's z axis with a force."""

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        target = self.in_goal(sense.pose_world_target)
        self.ahead = float(target.position[2])
        self.side_target = np.array(target.position[:2])
        self.yaw = float(target.rotation_vector()[2])
        self.depth_start = self.depth(sense)
        self._last_depth = self.depth_start
        self._made_up = 0.0
        self.touching = True
        self._untouched = 0
        # Where the part came to rest under the push, once it did.
        self.rest: float | None = None
        self.push = max(0.0, sense.push)

    def depth(self, sense: Sense) -> float:
        """Return how far in the tool is, along the goal's z axis, in m; 0 is home."""
        return float(self.in_goal(sense.pose_world_tool).position[2])

    def side_measured(self, sense: Sense) -> Array:
        """Return where the tool is across the goal's z axis, in m. Shape (2,)."""
        return self.in_goal(sense.pose_world_tool).position[:2]

    def yaw_measured(self, sense: Sense) -> float:
        """Return how far the tool is turned about the goal's z axis, in rad."""
        return float(self.in_goal(sense.pose_world_tool).rotation_vector()[2])

    def push_towards(self, force: float, sense: Sense) -> None:
        """Push with a force, in N; without contact, feel the way ahead slowly."""
        touched = sense.push > _TOUCH_SHARE * force
        self._untouched = 0 if touched else self._untouched + 1
        self.touching = self._untouched < _UNTOUCHED_STEPS
        reach = PUSH_RATE * sense.dt
        depth = self.depth(sense)
        if self.touching:
            self._made_up += _PUSH_GAIN * float(np.clip(force - sense.push, -5.0, 5.0))
            self._made_up = float(np.clip(self._made_up, -3.0, 3.0))
            # Teeth that mesh let the part go ahead at once: brake, lest it hits the seat.
            speed = max(0.0, depth - self._last_depth) / sense.dt
            wanted = max(0.0, force + self._made_up - _BRAKE * speed)
            self.ahead = min(depth + _LEAD, self.ahead + _FOLLOW_SPEED * sense.dt)
        else:
            wanted = _FREE_PUSH
            ahead = self.ahead + _FREE_SPEED * sense.dt
            self.ahead = float(np.clip(ahead, depth, depth + _FREE_LEAD))
        self._last_depth = depth
        self.push += float(np.clip(wanted - self.push, -2.0 * reach, reach))
        if self.touching and self.rest is None and sense.push > 0.6 * force:
            self.rest = depth

    def target(self) -> Pose:
        """Return the target made of push, side and turn."""
        offset = [*self.side_target, self.ahead]
        return self.goal @ Pose.from_rotation_vector((0.0, 0.0, self.yaw), offset)

    def entered(self, sense: Sense) -> bool:
        """Return whether the part is in deeper than any error of belief can explain."""
        return self.depth(sense) > -1e-3 * self.limit("entered_mm", 3.0)

    def nothing_there(self, sense: Sense) -> bool:
        """Return whether nothing has pushed back for so long that nothing will."""
        return self.rest is None and self.elapsed(sense) > _NOTHING_TIME

    def too_hard(self, sense: Sense) -> bool:
        """Return whether the contact is harder than any phase wants."""
        return float(np.linalg.norm(sense.wrench_tool[:3])) > _TOO_HARD


class Contact(ContactMotion):
    """Feels its way ahead until something pushes back."""

    @override
    def step(self, sense: Sense) -> Wish:
        if sense.push > self.limit("force_n", 2.0):
            return self.wish(self.target(), MIDDLE, Status.DONE)
        if self.ahead > 1e-3 * self.limit("past_mm", 6.0):
            return self.wish(self.target(), MIDDLE, Status.FAILED, "no_contact")
        self.ahead += self.limit("speed_m_s", 0.03) * sense.dt
        return self.wish(self.target(), MIDDLE)


class Align(ContactMotion):
    """Turns to either side under a push, softly, until the teeth drop between each other."""

    _TURN_SPEED = math.radians(70.0)
    _MESHED = 0.0016
    _SETTLED = 0.0003

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        angle = math.radians(self.limit("angle_deg", 36.0))
        self._angle = angle
        self._stations = [angle, -angle, 0.0]
        self._next = 0
        self._meshed = 0

    @override
    def step(self, sense: Sense) -> Wish:
        self.push_towards(self.limit("force_n", 6.0), sense)
        if self.too_hard(sense):
            return self.wish(self.target(), SOFT, Status.FAILED, "too_hard")
        if self.nothing_there(sense):
            return self.wish(self.target(), MIDDLE, Status.FAILED, "no_contact")
        self._meshed = self._meshed + 1 if self._deeper(sense) else 0
        if self._meshed >= 2 or self.entered(sense):
            self.yaw = self.yaw_measured(sense)
            self.side_target = self.side_measured(sense).copy()
            return self.wish(self.target(), MIDDLE, Status.DONE)
        if self.rest is not None and self.depth(sense) > self.rest + self._SETTLED:
            # It found the axis only now: every angle it had been turned through has to come again.
            self.rest = self.depth(sense)
            self._stations = sorted((-self._angle, self._angle), key=lambda a: abs(a - self.yaw))
            self._next = 0
        if self.rest is not None:
            left = self._stations[self._next] - self.yaw
            reach = self._TURN_SPEED * sense.dt
            self.yaw += float(np.clip(left, -reach, reach))
            if abs(left) <= reach:
                self._next += 1
        # The hand follows the part, which the chamfer centres on the pin.
        self.side_target += 0.3 * (self.side_measured(sense) - self.side_target)
        if self._next >= len(self._stations):
            return self.wish(self.target(), MIDDLE, Status.FAILED, "not_meshed")
        return self.wish(self.target(), MIDDLE)

    def _deeper(self, sense: Sense) -> bool:
        return self.rest is not None and self.depth(sense) > self.rest + self._MESHED


class Insert(ContactMotion):
    """Pushes home with rising force, gives way sideways, and wriggles when it gets stuck.

    A part that is felt to be seated has nothing more to be wedged by: it is pushed with all the
    force at once, and one that then rests is home.
    """

    # A part that is felt to be seated rests if it does not get on for so long, in s.
    _RESTS_TIME = 0.1
    # Long enough for a wriggle to have shown that nothing gives any more, in s.
    _STALLED_TIME = 0.7
    # Further than any error of belief explains: the part is home and the hand slides along it.
    _SLIPPED = 0.0035
    _WRIGGLE = math.radians(4.0)

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._deepest = self.depth_start
        self._moved_at = sense.time
        self._force = 6.0
        self._centre_yaw = self.yaw

    @override
    def step(self, sense: Sense) -> Wish:
        strongest = self.limit("force_n", 14.0)
        seated = sense.contact is ContactState.SEATED
        self._force = strongest if seated else min(strongest, self._force + 15.0 * sense.dt)
        self.push_towards(self._force, sense)
        depth = self.depth(sense)
        if depth > self._deepest + 1e-4:
            self._deepest, self._moved_at = depth, sense.time
        stalled = sense.time - self._moved_at
        pressed = sense.push > 0.7 * strongest
        if depth > self._SLIPPED:
            return self.wish(self.target(), MIDDLE, Status.DONE)
        if pressed and stalled > (self._RESTS_TIME if seated else self._STALLED_TIME):
            return self.wish(self.target(), MIDDLE, Status.DONE)
        if self.elapsed(sense) > 4.0:
            return self.wish(self.target(), MIDDLE, Status.FAILED, "jammed")
        if stalled > 0.15 and not seated:
            phase = 2.0 * math.pi * 2.0 * (stalled - 0.15)
            self.yaw = self._centre_yaw + self._WRIGGLE * math.sin(phase)
        self.side_target += 0.3 * (self.side_measured(sense) - self.side_target)
        return self.wish(self.target(), MIDDLE)


class Verify(ContactMotion):
    """Holds the push and asks the station whether the part is home."""

    @override
    def step(self, sense: Sense) -> Wish:
        self.push_towards(0.6 * self.limit("force_n", 10.0), sense)
        assert self.phase.signal is not None  # a plan that verifies says by what
        if sense.signals[self.phase.signal] and self.elapsed(sense) > 0.1:
            return self.wish(self.target(), MIDDLE, Status.DONE)
        if self.elapsed(sense) > 0.6:
            return self.wish(self.target(), MIDDLE, Status.FAILED, "not_seated")
        return self.wish(self.target(), MIDDLE)
