"""Scripted motions of plugging: pushing to the click, pulling, locking, unlocking, drawing out.

They push and pull with a force that rises until the part moves at a wanted speed. While the force
is small they follow the part sideways and in all three turns, for the socket knows better than the
plan how a plug must lie. Under a large one a hand that followed would buckle.
"""

from __future__ import annotations

import math

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
# The target runs this far ahead of the tool, in m.
_LEAD = 0.0004
# Share by which the target goes to where the tool is, across and in its turns, per step, while
# less than this force is felt, in N. Slowly: a hand that follows at once follows its own load, too.
_FOLLOW = 0.08
_FOLLOW_BELOW = 60.0
# How fast a part is turned straight, in rad/s, and what counts as straight, in rad; it has so long,
# in s, and is pushed no harder meanwhile, in N.
_STRAIGHTEN_SPEED = 0.9
_STRAIGHT = 0.005
_STRAIGHTEN_TIME = 0.6
_STRAIGHTEN_PUSH = 20.0
# A spring is stretched by so much at most, in m.
_LONGEST_SPRING = 0.04
# Soft enough to be led by a socket, stiff enough not to buckle under the largest push.
_LED = 0.0
# A part that moved less than this, in m, while the force rose by that many newtons, has stopped.
_STOPPED = 0.0003
_STOPPED_RISE = 14.0


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
            self.force += _RISE * sense.dt * (1.0 - max(0.0, speed) / self.speed)
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

    def straighten(self, sense: Sense) -> bool:
        """Turn the part to how it should lie, about the tip that is held by the mouth.

        Returns:
            Whether it lies so.
        """
        self.feel(sense)
        reach = _STRAIGHTEN_SPEED * sense.dt
        step = np.clip(-self._turn, -reach, reach)
        self._turn = self._turn + step
        tip = 1e-3 * self.limit("tip_mm", 0.0)
        self.side_target += tip * np.array([-step[1], step[0]])
        return bool(np.abs(self._turn).max() < _STRAIGHT)

    def has_stopped(self, sense: Sense) -> bool:
        """Return whether the part has stopped although it is driven harder and harder."""
        depth, felt = self.depth(sense), self.felt(sense)
        if self.direction * (depth - self._mark) > _STOPPED or felt < self._mark_force - 3.0:
            self._mark, self._mark_force = depth, max(0.0, felt)
        return felt > self._mark_force + _STOPPED_RISE

    @override
    def target(self) -> Pose:
        offset = [*self.side_target, self.ahead]
        turned = Pose.from_rotation_vector(self._turn + self.swing, offset)
        return self.goal @ turned @ self._slip.inverse()


class Mate(Drive):
    """Pushes along the mating-force profile until the part is home, or stops short of it.

    Another key, or something in the way, is as hard as a wall: the push rises and nothing moves.
    So more than a wall may be pushed with is used only once the part is past any key. A part that
    stops in the mouth is wriggled first: it may be turned a little against it. One that leans
    against walls before its contacts mate is turned away from them, since pins would bend.
    """

    # With less push than this, in N, it is on its way to the contacts, at this speed, in m/s.
    _FREE = 15.0
    _FREE_SPEED = 0.05
    # A part that got on by less than this in the mouth, in m, for so long, in s, is wriggled, by
    # this angle about its axis and half as much about the others, in rad, at this rate, in Hz, for
    # so long, in s, under this push, in N.
    _STALLED = 0.0003
    _STALLED_TIME = 0.08
    _WRIGGLE = math.radians(3.5)
    _WRIGGLE_HZ = 2.5
    _WRIGGLE_TIME = 1.0
    _WRIGGLE_PUSH = 45.0
    # Walls turn a part with a couple about a point so far behind its tip, in m; it goes along at
    # this rate, in rad/s per N·m, for what is more than a cable's, in N·m. While the couple is
    # larger than this, in N·m, it is pushed no harder than so, in N; but so long at most, in s.
    _WALLS = 0.006
    _TURNS = 0.5
    _DEAD = 0.03
    _COUPLE = 0.15
    _LEANING_PUSH = 42.0
    _LEAN_TIME = 1.0
    # Further in than this, in m, no key is in the way any more.
    _PAST_KEY = 0.006
    # Past this share of its stroke, a push that falls by so much, in N, while the part goes on by
    # more than this, in m, is the click: a part that stops after it is home. Without a click it is
    # under this share of the largest push.
    _FAR = 0.6
    _CLICK = 10.0
    _CLICK_TRAVEL = 0.0008
    _STUCK = 0.75

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._stalled_at = (sense.time, self.depth_start)
        self._wriggled = 0.0
        self._leant = 0.0
        # The hardest push far in and how deep that was; whether the part gave way after it.
        self._peak = (0.0, 0.0)
        self._click = False
        self.led = False

    @override
    def step(self, sense: Sense) -> Wish:
        depth = self.depth(sense)
        self.speed = self._FREE_SPEED if self.felt(sense) < self._FREE else Drive.speed
        # Where home is known as well as this, being there is enough.
        home = depth > -1e-3 * self.limit("home_mm", -math.inf)
        going = home or self.advanced(sense) > self._PAST_KEY
        strongest = self.limit("force_n", 110.0) if going else self.limit("entry_n", 70.0)
        if not self.led:
            # A plug askew would be wedged, and bend pins, before the walls could lead it.
            late = self.elapsed(sense) > _STRAIGHTEN_TIME
            self.led = self.straighten(sense) or late
            self.drive(sense, _STRAIGHTEN_PUSH)
            return self.wish(self.target(), _LED)
        leans = self._leans(sense, going)
        if not going and self._stalls(sense):
            self.drive(sense, min(strongest, self._WRIGGLE_PUSH))
            return self.wish(self.target(), _LED)
        if leans:
            self.drive(sense, min(strongest, self._LEANING_PUSH))
            return self.wish(self.target(), _LED)
        self.drive(sense, strongest)
        stopped = self.has_stopped(sense)
        at_most = self.felt(sense) > 0.9 * strongest
        # What stops early may be stuck: it is home only if a hard push does not help it on.
        sure = home or self._clicked(sense)
        enough = self.limit("home_n", 40.0) if sure else self._STUCK * strongest
        # A part that never got going is wriggled before it is given up.
        tried = going or self._wriggled >= self._WRIGGLE_TIME
        if stopped and tried and (going or at_most) and self.felt(sense) > enough:
            if going:
                return self.wish(self.target(), MIDDLE, Status.DONE)
            self.push = 0.0
            return self.wish(self.target(), SOFT, Status.FAILED, "blocked")
        if self.elapsed(sense) > self.limit("time_s", 4.0):
            self.push = 0.0
            return self.wish(self.target(), SOFT, Status.FAILED, "not_home")
        return self.wish(self.target(), _LED)

    def _stalls(self, sense: Sense) -> bool:
        """Return whether the part has stopped in the mouth, and wriggle it if so."""
        since, depth = self._stalled_at
        pressed = self.felt(sense) > 0.5 * min(50.0, self.limit("entry_n", 70.0))
        if not pressed or self.depth(sense) > depth + self._STALLED:
            self._stalled_at = (sense.time, self.depth(sense))
            self.swing = np.zeros(3)
            return False
        stalled = sense.time - since > self._STALLED_TIME
        if not stalled or self._wriggled >= self._WRIGGLE_TIME:
            self.swing = np.zeros(3)
            return False
        self._wriggled += sense.dt
        phase = 2.0 * math.pi * self._WRIGGLE_HZ * self._wriggled
        around = np.array([0.5 * math.sin(phase), 0.5 * math.sin(2.0 * phase), math.sin(phase)])
        self.swing = self._WRIGGLE * around
        return True

    def _clicked(self, sense: Sense) -> bool:
        """Return whether the part has gone on under less push than it took before, far in."""
        depth, felt = self.depth(sense), self.felt(sense)
        hardest, there = self._peak
        if self.advanced(sense) > self._FAR * 1e-3 * self.limit("stroke_mm", 10.0):
            if felt > hardest:
                self._peak = (felt, depth)
            self._click |= felt < hardest - self._CLICK and depth > there + self._CLICK_TRAVEL
        return self._click

    def _leans(self, sense: Sense, going: bool) -> bool:
        """Turn the part the way walls turn it; return whether they still do, hard.

        Under a push the walls of a mouth bear on both ends of a part that is askew: a couple. What
        bears on the tip alone is a force across, which the hand yields to anyway.
        """
        lever = 1e-3 * self.limit("tip_mm", 0.0) - self._WALLS
        force, torque = sense.wrench_tool[:3], sense.wrench_tool[3:]
        couple = torque + lever * np.array([force[1], -force[0], 0.0])
        if not going:
            # On a rim, before walls can lead it, a part is tipped the wrong way.
            couple[:2] = 0.0
        beyond = np.sign(couple) * np.maximum(0.0, np.abs(couple) - self._DEAD)
        step = np.clip(self._TURNS * beyond, -_STRAIGHTEN_SPEED, _STRAIGHTEN_SPEED) * sense.dt
        self._turn = self._turn + step
        self.side_target += lever * np.array([-step[1], step[0]])
        leans = bool(np.abs(couple[:2]).max() > self._COUPLE) and self._leant < self._LEAN_TIME
        self._leant += sense.dt if leans else 0.0
        return leans


class Pull(Drive):
    """Pulls with a given force and checks that the part does not follow."""

    direction = -1.0

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._pulled_at: float | None = None
        self._before = self.depth_start

    @override
    def step(self, sense: Sense) -> Wish:
        force = self.limit("force_n", 15.0)
        depth = self.depth(sense)
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
    """Pulls until the part comes free and has left its socket."""

    direction = -1.0
    by_spring = True

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self.speed = self.limit("pull_m_s", 0.06)

    @override
    def step(self, sense: Sense) -> Wish:
        if self.advanced(sense) > 1e-3 * self.limit("depth_mm", 20.0):
            return self.wish(self.target(), STIFF, Status.DONE)
        self.drive(sense, self.limit("force_n", 100.0))
        if self.elapsed(sense) > self.limit("time_s", 3.0):
            return self.wish(self.target(), STIFF, Status.FAILED, "stuck")
        return self.wish(self.target(), STIFF)
