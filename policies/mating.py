"""Scripted motion of mating: pushing a part into its socket until it is home.

A socket knows better than the plan how a part must lie. In free air it is turned straight as far as
touch tells how it is held; in the mouth it is wriggled past the rim; between the walls the hand
gives way to their couple, as if it were hinged near the tip (a remote centre of compliance:
Whitney, Quasi-static assembly of compliantly supported rigid parts, 1982).
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from typing_extensions import override

from policies.motions import MIDDLE, SOFT
from policies.plugging import Drive
from policies.sense import Sense, Status, Wish
from robot.spatial import Pose
from tasks.phases import Phase

# How fast a part is turned, in rad/s; what counts as straight, in rad; how long it has until it
# does, in s, and how hard it is pushed meanwhile, in N.
_TURN_SPEED = 0.9
_STRAIGHT = 0.005
_STRAIGHTEN_TIME = 0.6
_STRAIGHTEN_PUSH = 20.0
# Soft enough to be led by a socket, stiff enough not to buckle under the largest push.
_LED = 0.0


class Mate(Drive):
    """Pushes along the mating-force profile until the part is home, or stops short of it.

    Another key, or something in the way, is as hard as a wall: the push rises and nothing moves.
    So more than a wall may be pushed with is used only once the part is past any key. A part that
    stops in the mouth is wriggled first: it may be turned a little against it. One that leans
    against walls before its contacts mate is turned away from them, since pins would bend.
    """

    patient = True
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
    _WRIGGLE_PUSH = 25.0
    # Walls turn a part with a couple about a point so far behind its tip, in m; it goes along at
    # this rate, in rad/s per N·m, for what is more than a cable's, in N·m. While the couple is
    # larger than this, in N·m, it is pushed no harder than so, in N; but so long at most, in s.
    _WALLS = 0.006
    _TURNS = 0.5
    _DEAD = 0.03
    _COUPLE = 0.15
    _LEANING_PUSH = 42.0
    _LEAN_TIME = 1.0
    # What stops further in than this, in m, stops in a mouth, not before it.
    _IN_MOUTH = 0.0033
    # Further than this, in rad, no belief is wrong: such a part has slipped off.
    _ASKEW = math.radians(10.0)
    # While another hand pushes hard, this one pushes no harder than so, in N.
    _LIGHT = 25.0
    # Past this share of its stroke, a push that falls to such a share and by so much, in N, while
    # the part goes on by more than this, in m, is the click; and so is a part that springs ahead by
    # so much within so many steps, under more than so, in N: that may be over before less is felt.
    # A part that then stops under so much of the push that moved it up to there is home: what is
    # left of its way takes less. Without a click it is under this share of the largest.
    _FAR = 0.6
    _CLICK = 0.75
    _CLICK_FORCE = 6.0
    _CLICK_TRAVEL = 0.0012
    _SPRING_TRAVEL = 0.0032
    _SPRING_STEPS = 2
    _SPRING_FORCE = 30.0
    _ENOUGH = 0.8
    _STUCK = 0.9

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        self._stalled_at = (sense.time, self.depth_start)
        self._wriggled = 0.0
        self._leant = 0.0
        # The hardest push far in and how deep that was; whether the part gave way after it.
        self._peak = (0.0, 0.0)
        self._click = False
        # The hardest push under which it got on until it clicked: at home walls yield a little.
        self._gave_way = 0.0
        # How deep it was and how hard it was pushed in the last steps.
        self._recent = deque([(self.depth_start, 0.0)], maxlen=self._SPRING_STEPS + 1)
        self._waited = 0.0
        self.led = self.heavy = False

    @override
    def step(self, sense: Sense) -> Wish:
        depth = self.depth(sense)
        self.speed = self._FREE_SPEED if self.felt(sense) < self._FREE else Drive.speed
        # Where home is known as well as this, being there is enough.
        home = depth > -1e-3 * self.limit("home_mm", -math.inf)
        going = home or self._is_past_key(sense)
        strongest = self.limit("force_n", 110.0) if going else self.limit("entry_n", 70.0)
        if not self.led:
            # A plug askew would be wedged, and bend pins, before the walls could lead it.
            late = self.elapsed(sense) > _STRAIGHTEN_TIME
            self.led = self._straighten(sense) or late
            self.drive(sense, _STRAIGHTEN_PUSH)
            return self.wish(self.target(), _LED)
        if self._is_locked(sense):
            # The lock followed in the same push.
            self.push = 0.0
            return self.wish(self.target(), MIDDLE, Status.DONE)
        # From here on it pushes hard, once it may.
        self.heavy |= sense.may_push
        if not self.heavy:
            strongest = min(strongest, self._LIGHT)
            self._waited += sense.dt
        if self._is_askew(sense):
            self.push = 0.0
            return self.wish(self.target(), SOFT, Status.FAILED, "blocked")
        leans = self._leans(sense, going)
        clicked = self._clicked(sense, leans)
        stopped = self.has_stopped(sense)
        if not clicked:
            self._gave_way = max(self.moved_under, *(push for _, push in self._recent))
        if not going and self._stalls(sense, strongest):
            self.drive(sense, min(strongest, self._WRIGGLE_PUSH))
            return self.wish(self.target(), _LED)
        if leans:
            self.drive(sense, min(strongest, self._LEANING_PUSH))
            return self.wish(self.target(), _LED)
        self.drive(sense, strongest)
        if not self.heavy:
            return self.wish(self.target(), _LED)
        at_most = self.felt(sense) > 0.9 * strongest
        # What stops early may be stuck: it is home only if a hard push does not help it on.
        enough = self._STUCK * strongest
        if home or clicked:
            # At home what moved it before does not move it any more.
            least = self.limit("home_n", 40.0)
            enough = least if home else min(enough, max(least, self._ENOUGH * self._gave_way))
        # A part that never got going is wriggled before it is given up.
        tried = going or self._wriggled >= self._WRIGGLE_TIME
        if stopped and tried and (going or at_most) and self.felt(sense) > enough:
            if going:
                return self.wish(self.target(), MIDDLE, Status.DONE)
            self.push = 0.0
            reason = "refused" if self._way_in(sense) > self._IN_MOUTH else "blocked"
            return self.wish(self.target(), SOFT, Status.FAILED, reason)
        if self.elapsed(sense) - self._waited > self.limit("time_s", 4.0):
            self.push = 0.0
            return self.wish(self.target(), SOFT, Status.FAILED, "not_home")
        return self.wish(self.target(), _LED)

    def _is_locked(self, sense: Sense) -> bool:
        """Return whether the station says that the part's lock is in."""
        return self.phase.signal is not None and bool(sense.signals[self.phase.signal])

    def _is_askew(self, sense: Sense) -> bool:
        """Return whether the part is turned further than a part in a mouth can be."""
        tilt = self.in_goal(sense.pose_world_tool).rotation_vector()[:2]
        return float(np.hypot(*tilt)) > self._ASKEW

    def _way_in(self, sense: Sense) -> float:
        """Return how far in the part is, as seen from the face that was touched, in m."""
        face = self.limit("face_mm", 1e3 * self.depth_start)
        return self.depth(sense) - 1e-3 * face

    def _is_past_key(self, sense: Sense) -> bool:
        """Return whether no key can be in the way any more.

        As seen from where the motion began, too: a part that was thought to be in the mouth, and
        was not, is less far in than it went.
        """
        way = min(self.advanced(sense), self._way_in(sense))
        return way > 1e-3 * self.limit("entry_mm", 6.0)

    def _stalls(self, sense: Sense, strongest: float) -> bool:
        """Return whether the part has stopped in the mouth, and wriggle it if so."""
        since, depth = self._stalled_at
        pressed = self.felt(sense) > 0.5 * min(50.0, strongest)
        if not pressed or self.depth(sense) > depth + self._STALLED:
            self._stalled_at = (sense.time, self.depth(sense))
            self.swing = np.zeros(3)
            return False
        stalled = sense.time - since > self._STALLED_TIME
        if not stalled or self._wriggled >= self._WRIGGLE_TIME:
            self.swing = np.zeros(3)
            return False
        self._wriggled += sense.dt if self.heavy else 0.0
        phase = 2.0 * math.pi * self._WRIGGLE_HZ * (sense.time - since - self._STALLED_TIME)
        around = np.array([0.15 * math.sin(phase), 0.15 * math.sin(2.0 * phase), math.sin(phase)])
        self.swing = self._WRIGGLE * around
        return True

    def _straighten(self, sense: Sense) -> bool:
        """Turn the part to how it should lie, about the tip that is held by the mouth.

        Returns:
            Whether it lies so.
        """
        self.feel(sense)
        reach = _TURN_SPEED * sense.dt
        step = np.clip(-self._turn, -reach, reach)
        self._turn = self._turn + step
        tip = 1e-3 * self.limit("tip_mm", 0.0)
        self.side_target += tip * np.array([-step[1], step[0]])
        return bool(np.abs(self._turn).max() < _STRAIGHT)

    def _clicked(self, sense: Sense, leans: bool) -> bool:
        """Return whether the part has sprung ahead, or gone on under less push, far in."""
        depth, felt = self.depth(sense), self.felt(sense)
        self._recent.append((depth, felt))
        far = self.advanced(sense) > self._FAR * 1e-3 * self.limit("stroke_mm", 10.0)
        sprang = depth - self._recent[0][0] > self._SPRING_TRAVEL
        pushed = max(push for _, push in self._recent) > self._SPRING_FORCE
        self._click |= far and sprang and pushed
        if leans:
            # The push is less because the hand holds it back.
            self._peak = (0.0, 0.0)
            return self._click
        hardest, there = self._peak
        if far:
            if felt > hardest:
                self._peak = (felt, depth)
            fell = felt < min(self._CLICK * hardest, hardest - self._CLICK_FORCE)
            self._click |= fell and depth > there + self._CLICK_TRAVEL
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
        step = np.clip(self._TURNS * beyond, -_TURN_SPEED, _TURN_SPEED) * sense.dt
        self._turn = self._turn + step
        self.side_target += lever * np.array([-step[1], step[0]])
        leans = bool(np.abs(couple[:2]).max() > self._COUPLE) and self._leant < self._LEAN_TIME
        self._leant += sense.dt if leans else 0.0
        return leans
