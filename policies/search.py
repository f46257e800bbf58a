"""The scripted search: a spiral under a light push, until the part finds what it belongs on."""

from __future__ import annotations

import math

import numpy as np
from typing_extensions import override

from policies.contact import ContactMotion
from policies.motions import MIDDLE, SOFT, STIFF
from policies.sense import Sense, Status, Wish
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Phase


class Search(ContactMotion):
    """Spirals sideways under a light push until the part drops over the tip or is caught by it.

    A part that is held askew drops a little where only its lower edge is over the opening. Where
    the phase says so, by a limit `sunk_mm`, a part that dropped is let sink by so much in all
    before it counts as found; one that does not is searched on with.

    Without that limit, a part that climbs by as much as it should drop had dropped before the
    search could tell, mostly over the tip when it began, and was dragged out: it goes back to where
    it was deepest, once.
    """

    # For so long it may sink, in s.
    _SINK_TIME = 0.3

    # Unless the phase says otherwise: a nut with the smallest chamfer sinks by 0.5 mm
    # onto the teeth.
    _SPEED = 0.014
    _DROP_MM = 0.35
    # More than the friction of a light push and a strong magnet, in N.
    _CAUGHT = 8.0

    def __init__(self, phase: Phase, pose_world_goal: Pose, sense: Sense) -> None:
        super().__init__(phase, pose_world_goal, sense)
        # How far along the spiral, in rad; where another search left off, if the phase says so.
        self.angle = self.limit("from_rad", 0.0)
        # On its way to where the spiral has come, from the centre or from where a part sank.
        self._going_there = self.angle > 0.0
        self._centre = self.side_target.copy()
        self._shallowest = math.inf
        self._dropped = self._caught = 0
        self._drop = 1e-3 * self.limit("drop_mm", self._DROP_MM)
        self._speed = self.limit("speed_m_s", self._SPEED)
        # A part that is heavy or pulled by a cable is jolted by every change of stiffness.
        self._stiffness = self.limit("stiffness", STIFF)
        self._sunk = 1e-3 * self.limit("sunk_mm", 0.0)
        self._pitch = 1e-3 * self.limit("pitch_mm", 1.0)
        # Since when it sinks, in s, and how deep it was when that last came to nothing, in m.
        self._sinking_at: float | None = None
        self._in_vain = -math.inf
        # How deep it was at most, in m, and where; since how many steps it is out of there.
        self._deepest = (-math.inf, self._centre)
        self._climbed, self._went_back = 0, False

    @override
    def step(self, sense: Sense) -> Wish:
        self.push_towards(self.limit("force_n", 4.0), sense)
        depth = self.depth(sense)
        if self._going_there:
            self._going_there = not self._follow(sense)
            if self._going_there:
                # How deep it is there, is not known yet.
                return self.wish(self.target(), self._stiffness)
        if self.rest is not None and self.touching:
            self._shallowest = min(self._shallowest, depth)
            self._go_back_in(sense)
        self._dropped = self._dropped + 1 if depth > self._shallowest + self._drop else 0
        held = sense.side > self.limit("caught_n", self._CAUGHT) and sense.push > 1.0
        self._caught = self._caught + 1 if held else 0
        caught = self._caught >= self.limit("caught_steps", 1.0)
        if self._sunk > 0.0 and self._dropped >= 2 and not self._has_sunk(sense):
            return self.wish(self.target(), self._stiffness)
        dropped = self._dropped >= 2 and depth > self._in_vain + 0.5 * self._drop
        if dropped or caught or self.entered(sense):
            self.side_target = self.side_measured(sense).copy()
            return self.wish(self.target(), MIDDLE, Status.DONE)
        if self.too_hard(sense):
            return self.wish(self.target(), SOFT, Status.FAILED, "too_hard")
        if self.nothing_there(sense):
            return self.wish(self.target(), self._stiffness, Status.FAILED, "no_contact")
        radius = self._pitch * self.angle / (2.0 * math.pi)
        if radius > 1e-3 * self.limit("radius_mm", 4.0):
            return self.wish(self.target(), self._stiffness, Status.FAILED, "pin_not_found")
        if self.rest is not None:
            self.angle += self._speed * sense.dt / max(radius, 0.5 * self._pitch)
        # Where a part began to sink it is let be; if that comes to nothing, it is not jerked back.
        self._going_there = not self._follow(sense)
        return self.wish(self.target(), self._stiffness)

    def begin_anew(self) -> None:
        """Go back to where the spiral began, and search from there."""
        self.angle, self._going_there = self.limit("from_rad", 0.0), True

    def _go_back_in(self, sense: Sense) -> None:
        """Begin the spiral anew where a part was deepest, if it has climbed out of there."""
        depth = self.depth(sense)
        if depth > self._deepest[0]:
            self._deepest = (depth, self.side_measured(sense).copy())
        self._climbed = self._climbed + 1 if depth < self._deepest[0] - self._drop else 0
        if self._climbed == 2 and self._sunk <= 0.0 and not self._went_back:
            self._went_back = True
            self._centre, self.angle, self._going_there = self._deepest[1], 0.0, True

    def _follow(self, sense: Sense) -> bool:
        """Bring the target to where the spiral has come, or nearer; return whether it is there."""
        spiral, step = self._spiral(), self._speed * sense.dt
        ahead = spiral - self.side_target
        away = float(np.linalg.norm(ahead))
        there = away <= 2.0 * step
        self.side_target = spiral if there else self.side_target + step * ahead / away
        return there

    def _spiral(self) -> Array:
        """Return where the spiral has come, across the goal's z axis, in m. Shape (2,)."""
        radius = self._pitch * self.angle / (2.0 * math.pi)
        return self._centre + radius * np.array([math.cos(self.angle), math.sin(self.angle)])

    def _has_sunk(self, sense: Sense) -> bool:
        """Return whether a part that dropped has sunk far enough, or has had its time to."""
        depth = self.depth(sense)
        if depth > self._shallowest + self._sunk:
            return True
        if depth < self._in_vain + 0.5 * self._drop:
            return True
        if self._sinking_at is None:
            self._sinking_at = sense.time
            self.side_target = self.side_measured(sense).copy()
        if sense.time - self._sinking_at < self._SINK_TIME:
            return False
        self._sinking_at, self._in_vain = None, depth
        return True
