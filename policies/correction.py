"""How far, how fast and during which motions a learned correction may move what a script wants."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from robot.arrays import Array, clipped
from robot.errors import UnknownName
from robot.spatial import Pose
from tasks.phases import Motion

CORRECTION_SIZE = 7
"""Numbers per arm: translation (3), rotation (3), stiffness."""

# Motions in which the part or the hand is in contact: what is done in free air needs no correcting.
_CONTACT = (
    *("contact", "search", "align", "insert"),
    *("mate", "lock", "unlock", "extract"),
)


@dataclass(frozen=True)
class Authority:
    """The largest correction, and how fast it comes about.

    Attributes:
        translation_m: Along each axis of the script's tool target, in m.
        rotation_rad: About each of them, in rad.
        stiffness: Of the action's stiffness number, which goes from -1, soft, to 1, stiff.
        rise_s: How long a correction takes from none to all, in s: a network that changes its mind
            every step does not jolt the arm.
        motions: The kinds of motion that are corrected, as `tasks.phases.Motion` names them.
    """

    translation_m: tuple[float, float, float] = (0.003, 0.003, 0.002)
    rotation_rad: tuple[float, float, float] = (0.05, 0.05, 0.15)
    stiffness: float = 0.5
    rise_s: float = 0.16
    motions: tuple[str, ...] = _CONTACT

    def __post_init__(self) -> None:
        """Refuse negative bounds, and motions that do not exist."""
        for item in fields(self):
            if item.name != "motions" and np.min(getattr(self, item.name)) < 0.0:
                raise ValueError(f"{item.name}: expected 0 or more, got {getattr(self, item.name)}")
        known = [motion.value for motion in Motion]
        for name in self.motions:
            if name not in known:
                raise UnknownName("motion", name, known)

    @property
    def bounds(self) -> Array:
        """The largest correction: m, rad, share of stiffness. Shape (7,)."""
        return np.array([*self.translation_m, *self.rotation_rad, self.stiffness])


class Offset:
    """By how much one arm's tool target is elsewhere than the script wants it.

    The correction is a place, not a step: what a script wants is absolute, so that an offset that
    is held does not add up, and one that is given up is gone.

    Attributes:
        value: Translation (m), rotation vector (rad) along the axes of the script's target, and
            stiffness. Shape (7,).
    """

    def __init__(self, authority: Authority) -> None:
        """Begin with no correction."""
        self._bounds = authority.bounds
        self._rise = authority.rise_s
        self.value: Array = np.zeros(CORRECTION_SIZE)

    @property
    def none(self) -> bool:
        """Whether there is nothing to correct, to the bit."""
        return not self.value.any()

    @property
    def share(self) -> Array:
        """Of the largest correction; 0 along an axis that has none. Shape (7,)."""
        return np.divide(self.value, self._bounds, out=np.zeros(7), where=self._bounds > 0.0)

    @property
    def pose_script_target(self) -> Pose:
        """Where the corrected target is, seen from the one the script wants."""
        return Pose.from_rotation_vector(self.value[3:6], self.value[:3])

    def move(self, wanted: Array, dt: float) -> None:
        """Go towards a correction, no faster than allowed.

        Args:
            wanted: Share of the largest correction, cut to [-1, 1]. Shape (7,).
            dt: The policy period, in s.
        """
        goal = clipped(wanted, -1.0, 1.0) * self._bounds
        reach = self._bounds * (1.0 if self._rise <= dt else dt / self._rise)
        step = goal - self.value
        # A goal within reach is reached to the bit, so that no correction is exactly none.
        self.value = np.where(
            np.abs(step) <= reach, goal, self.value + clipped(step, -reach, reach)
        )
