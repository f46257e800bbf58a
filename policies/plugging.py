"""Scripted motions that drive a part: pulling at it, locking, unlocking, drawing it out.

They push and pull with a force that rises until the part moves at a wanted speed. While the force
is small they follow the part sideways and in all three turns, for the socket knows better than the
plan how a plug must lie. Under a large one a hand that followed would buckle.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from policies.contact import ContactMotion
from policies.motions import MIDDLE, SOFT, STIFF
from policies.sense import Sense, Status, Wish
from robot.spatial import Pose
from tasks.phases import Phase

# How fast a push or pull rises while the part is slower than wanted, in N/s, and how much it falls
# per speed above that, in N·s/m.
_RISE = 190.0
_BRAKE = 1200.0
# Where it pushes as hard as few parts need, above the first, in N, it rises by the second only, in
# N/s: what is noticed late then comes to little more.
_HARD, _SLOW_RISE = 85.0, 90.0
# The target runs this far ahead of the tool, in m.
_LEAD = 0.0004
# Share by which the target goes to where the tool is, across and in its turns, per step, while
# less than this force is felt, in N. Slowly: a hand that follows at once follows its own load, too.
_FOLLOW = 0.08
_FOLLOW_BELOW = 60.0
# How fast a push is taken back before a pull, in N/s.
_RELIEF = 900.0
# A body leans against pushes above this, in N, and stands upright again so long after them, in s.
_LEANT, _UPRIGHT_TIME = 20.0, 1.0
# A spring is stretched by so much at most, in m.
_LONGEST_SPRING = 0.04
# A part that moved less than this, in m, while the force rose by that many newtons, or for so long,
# in s, has stopped.
_STOPPED = 0.0003
_STOPPED_RISE = 14.0
_STOPPED_TIME = 0.2


class Drive(ContactMotion):
    """A motion that pushes or pulls the part along the goal's z axis at a wanted speed."""

    direction = 1.0
    speed = 0.03
    # A pull is made by a target that moves away, on a stiff spring: when the part comes free, the
    # spring is slack within millimetres, where a force would go on until somebody notices.
    by_spring = False
    # Whether the part is led by its socket, or still by the hand.
    led = True

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self.force = max(0.0, self.direction * sense.push)
        self.push = 0.0 if self.by_spring else self.direction * self.force
        # How the part is turned against the goal should be, and how far it has turned about tool y
        # in the hand since the goal was found: the pads feel that under load, too.
        self._turn = self.in_goal(sense.pose_world_target).rotation_vector()
        self._angle = sense.in_hand[3] if sense.in_hand[0] > 0.5 else None
        self._slip = Pose.identity()
        # By how much the target is turned beyond that, to and fro, as a rotation vector in rad.
        self.swing = np.zeros(3)
        self._last = self.depth_start
        # Where the part was, and how hard it was pushed, when it last got on.
        self._mark = self.depth_start
        self._mark_force = self.force
        self._mark_time = sense.time
        # The hardest push under which it got on.
        self.moved_under = 0.0
        self.hardest = 0.0

    def advanced(self, sense: Sense) -> float:
        """Return how far the part went along the direction since the motion began, in m."""
        return self.direction * (self.depth(sense) - self.depth_start)

    def felt(self, sense: Sense) -> float:
        """Return how hard the tool pushes or pulls, along the direction, in N."""
        return self.direction * sense.push

    def drive(self, sense: Sense, strongest: float) -> None:
        """Push or pull a little harder or less, so that the part moves at the wanted speed."""
        if self.by_spring:
            self._stretch(sense, strongest)
            return
        depth = self.depth(sense)
        speed = self.direction * (depth - self._last) / sense.dt
        self._last = depth
        if speed < self.speed:
            rise = _RISE if self.felt(sense) < _HARD else _SLOW_RISE
            self.force += rise * sense.dt * (1.0 - max(0.0, speed) / self.speed)
        else:
            self.force -= _BRAKE * (speed - self.speed)
        # What is asked for and not felt would come down on the part when it gives way.
        ceiling = min(strongest, max(0.0, self.felt(sense)) + 12.0)
        self.force = float(np.clip(self.force, 0.0, ceiling))
        self.push = self.direction * self.force
        self.hardest = max(self.hardest, self.felt(sense))
        self.follow(sense)

    def _stretch(self, sense: Sense, strongest: float) -> None:
        """Move the target away from the tool, unless the spring pulls as hard as it may."""
        self.push = 0.0
        depth, ahead = self.depth(sense), self.ahead
        if self.felt(sense) < strongest:
            ahead += self.direction * self.speed * sense.dt
        self.follow(sense)
        lag = self.direction * (ahead - depth)
        self.ahead = depth + self.direction * float(np.clip(lag, 0.0, _LONGEST_SPRING))
        self.hardest = max(self.hardest, self.felt(sense))

    def follow(self, sense: Sense) -> None:
        """Let the target go to where the part leads the tool."""
        self.feel(sense)
        here = self.in_goal(sense.pose_world_tool) @ self._slip
        self.ahead = self.depth(sense) + self.direction * _LEAD
        if self.felt(sense) > _FOLLOW_BELOW or not self.led:
            return
        self.side_target += _FOLLOW * (here.position[:2] - self.side_target)
        led = here.rotation_vector() - self.swing
        self._turn = self._turn + _FOLLOW * (led - self._turn)

    def feel(self, sense: Sense) -> None:
        """Feel how far the part has turned in the hand."""
        if self._angle is not None and sense.in_hand[0] > 0.5:
            turned = sense.in_hand[3] - self._angle
            self._slip = Pose.from_rotation_vector((0.0, turned, 0.0))

    def has_stopped(self, sense: Sense) -> bool:
        """Return whether the part has stopped although it is driven harder, or goes on being."""
        depth, felt = self.depth(sense), self.felt(sense)
        if self.direction * (depth - self._mark) > _STOPPED or felt < self._mark_force - 3.0:
            self._mark, self._mark_force, self._mark_time = depth, max(0.0, felt), sense.time
            self.moved_under = max(self.moved_under, felt)
        waited = sense.time - self._mark_time > _STOPPED_TIME
        return waited or felt > self._mark_force + _STOPPED_RISE

    @override
    def target(self) -> Pose:
        offset = [*self.side_target, self.ahead]
        turned = Pose.from_rotation_vector(self._turn + self.swing, offset)
        return self.goal @ turned @ self._slip.inverse()


class Pull(Drive):
    """Pulls with a given force and checks that the part does not follow."""

    direction = -1.0

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._pulled_at: float | None = None
        self._before = self.depth_start
        # The push it begins under, and is relieved of first: a part that springs back would open
        # its latch.
        self._relief = max(0.0, sense.push)

    @override
    def step(self, sense: Sense) -> Wish:
        force = self.limit("force_n", 15.0)
        depth = self.depth(sense)
        self._relief = max(0.0, self._relief - _RELIEF * sense.dt)
        if self._relief > 0.0:
            self.push = self._relief
            self.follow(sense)
            return self.wish(self.target(), MIDDLE)
        if self.felt(sense) < 0.3 * force:
            # The slack that a pull takes up first is not the part's.
            self._before = depth
        self.force = min(force, self.force + _RISE * sense.dt)
        self.push = -self.force
        self.follow(sense)
        play = 1e-3 * self.limit("play_mm", 1.5)
        # What gives way without resistance is felt as slack; slack has an end, too.
        if self._before - depth > play or self.depth_start - depth > 3.0 * play:
            self.push = 0.0
            return self.wish(self.target(), MIDDLE, Status.FAILED, "not_latched")
        if self._pulled_at is None and self.felt(sense) > 0.85 * force:
            self._pulled_at = sense.time
        held = self._pulled_at is not None and sense.time - self._pulled_at > 0.12
        if held or self.elapsed(sense) > 1.0:
            self.push = 0.0
            return self.wish(self.target(), MIDDLE, Status.DONE)
        return self.wish(self.target(), MIDDLE)


class Lock(Drive):
    """Pushes a part that is home until the station says that its lock is in."""

    speed = 0.02

    @override
    def step(self, sense: Sense) -> Wish:
        assert self.phase.signal is not None  # a plan that locks says how it is known
        if sense.signals[self.phase.signal]:
            self.push = 0.0
            return self.wish(self.target(), MIDDLE, Status.DONE)
        self.drive(sense, self.limit("force_n", 50.0))
        if self.elapsed(sense) > self.limit("time_s", 1.5):
            self.push = 0.0
            return self.wish(self.target(), SOFT, Status.FAILED, "not_locked")
        return self.wish(self.target(), MIDDLE)


class Unlock(Drive):
    """Pulls until the station says that the lock is out, and holds still for the dwell."""

    direction = -1.0
    speed = 0.02
    by_spring = True

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._out_at: float | None = None

    @override
    def step(self, sense: Sense) -> Wish:
        assert self.phase.signal is not None  # a plan that unlocks says how it is known
        if self._out_at is None and not sense.signals[self.phase.signal]:
            self._out_at = sense.time
        if self._out_at is not None:
            self.push = 0.0
            self.follow(sense)
            rested = sense.time - self._out_at >= self.limit("dwell_s", 0.2)
            return self.wish(self.target(), STIFF, Status.DONE if rested else Status.RUNNING)
        self.drive(sense, self.limit("force_n", 45.0))
        if self.elapsed(sense) > self.limit("time_s", 2.0):
            return self.wish(self.target(), STIFF, Status.FAILED, "not_unlocked")
        return self.wish(self.target(), STIFF)


class Extract(Drive):
    """Pulls until the part comes free and has left its socket.

    A body that leaned against a hard push first gets time to stand upright again: one that has to
    lean the other way within half a second lets its tools yield meanwhile, and a hand that yields
    turns about the mouth.
    """

    direction = -1.0
    by_spring = True

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self.speed = self.limit("pull_m_s", 0.06)
        self._upright_at = sense.time + (_UPRIGHT_TIME if sense.push > _LEANT else 0.0)

    @override
    def step(self, sense: Sense) -> Wish:
        if sense.time < self._upright_at:
            self.follow(sense)
            return self.wish(self.target(), STIFF)
        if self.advanced(sense) > 1e-3 * self.limit("depth_mm", 20.0):
            return self.wish(self.target(), STIFF, Status.DONE)
        self.drive(sense, self.limit("force_n", 100.0))
        if sense.time - self._upright_at > self.limit("time_s", 3.0):
            return self.wish(self.target(), STIFF, Status.FAILED, "stuck")
        return self.wish(self.target(), STIFF)
