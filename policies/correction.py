"""How far, how fast and during which motions a learned correction may move what a script wants."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array, clipped
from robot.errors import UnknownName
from robot.spatial import Pose
from tasks.phases import Motion

CORRECTION_SIZE = 7
"""Numbers per arm: translation (3), rotation (3), stiffness."""

# Slower than this a target stands still.
_SLOWEST_M_S, _SLOWEST_RAD_S = 0.001, 0.02
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
        along_motion: Whether a correction is meant along the way of the script's target rather than
            along its axes: x is then ahead and y to the left, across its z axis, and a turn
            about z is positive the way the script turns. How far ahead a soft hand should be led is
            then one number, wherever it goes. The bounds along x and y are then the same, since
            they hold along the axes, whichever way it goes.
        motions: The kinds of motion that are corrected, as `tasks.phases.Motion` names them.
    """

    translation_m: tuple[float, float, float] = (0.003, 0.003, 0.002)
    rotation_rad: tuple[float, float, float] = (0.05, 0.05, 0.15)
    stiffness: float = 0.5
    rise_s: float = 0.16
    along_motion: bool = False
    motions: tuple[str, ...] = _CONTACT

    def __post_init__(self) -> None:
        """Refuse negative bounds, and motions that do not exist."""
        for name in ("translation_m", "rotation_rad", "stiffness", "rise_s"):
            if np.min(getattr(self, name)) < 0.0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        for name in ("translation_m", "rotation_rad") if self.along_motion else ():
            x, y, _ = getattr(self, name)
            if x != y:
                raise ValueError(
                    f"{name}: expected the same along x and y with along_motion, got {x} and {y}"
                )
        known = [motion.value for motion in Motion]
        for name in self.motions:
            if name not in known:
                raise UnknownName("motion", name, known)

    @property
    def bounds(self) -> Array:
        """The largest correction: m, rad, share of stiffness. Shape (7,)."""
        return np.array([*self.translation_m, *self.rotation_rad, self.stiffness])


class Heading:
    """Which way a script's tool target goes across its z axis, and which way it turns about it.

    A target that stands still keeps the way it went last.

    Attributes:
        way: Unit vector along the target's x and y axes; along x before it first moves. Shape (2,).
        turn: 1 or -1, as it turns about its z axis; 1 before it first turns.
    """

    def __init__(self) -> None:
        """Begin with a target that has not moved."""
        self.way: Array = np.array([1.0, 0.0])
        self.turn = 1.0

    def follow(self, twist_script: Array) -> None:
        """Take one step of the target into account.

        Args:
            twist_script: Its velocity along its own axes, in m/s and rad/s. Shape (6,).
        """
        speed = math.hypot(twist_script[0], twist_script[1])
        if speed > _SLOWEST_M_S:
            self.way = twist_script[:2] / speed
        if abs(twist_script[5]) > _SLOWEST_RAD_S:
            self.turn = math.copysign(1.0, twist_script[5])

    def along_axes(self, correction: Array) -> Array:
        """Return a correction along the axes of the target. Shape (7,).

        Args:
            correction: Along the way: ahead, to the left, z; about these; stiffness. Shape (7,).
        """
        x, y = self.way
        turned = np.array([[x, -y], [y, x]])
        result = correction.copy()
        result[:2] = turned @ correction[:2]
        result[3:5] = turned @ correction[3:5]
        result[5] = self.turn * correction[5]
        return result


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
