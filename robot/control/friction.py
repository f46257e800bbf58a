"""What resists the arms' joints that no model knows: friction, found from how they moved."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array, clipped


@dataclass(frozen=True)
class FrictionConfig:
    """How unknown joint torques of the arms are found and taken away.

    Attributes:
        cutoff_hz: Up to which frequency they are followed, in Hz; 0 switches this off.
        share: Largest torque that is believed, as a share of the effort limit; bounds what a wrong
            force sensor can do.
    """

    cutoff_hz: float = 4.0
    share: float = 0.01


class FrictionObserver:
    """Estimates unknown torques on some joints from the velocities that were expected.

    The program expects v + qdd dt. With M the inertia, what came of it differs by the torque d that
    the program does not know,

        M (v_now - v_expected) = d dt,

    which is low-passed, bounded and handed to the next program as known. Forces that the wrists
    feel are in the program already and so not in `d`.

    Attributes:
        effort: Estimated torque on each joint, zero where none is estimated, in N·m. Shape (n,).
    """

    def __init__(
        self, joints: NDArray[np.bool_], effort_limits: Array, config: FrictionConfig
    ) -> None:
        """Start without friction.

        Args:
            joints: Which joints are observed. Shape (n,), boolean.
            effort_limits: Of all joints, in N·m. Shape (n,).
            config: Bandwidth and bound.
        """
        self._cutoff = 2.0 * math.pi * config.cutoff_hz
        # Numbers rather than a mask: rows are taken every tick.
        self._joints = np.flatnonzero(joints)
        self._bound = config.share * effort_limits[joints]
        self._inertia: Array | None = None
        self._expected = np.zeros(0)
        self.effort = np.zeros(len(joints))

    def reset(self) -> None:
        """Forget everything."""
        self._inertia = None
        self.effort[:] = 0.0

    def expect(self, inertia: Array, velocity: Array, acceleration: Array, dt: float) -> None:
        """Remember what the program expects of the coming period.

        Args:
            inertia: Of the robot. Shape (nv, nv).
            velocity: The generalized velocity now. Shape (nv,).
            acceleration: Of the program's solution. Shape (nv,).
            dt: In s.
        """
        self._inertia = inertia[-len(self.effort) :].take(self._joints, axis=0)
        self._expected = velocity + dt * acceleration

    def skip(self) -> None:
        """Learn nothing from the coming period: the program had no solution."""
        self._inertia = None

    def observe(self, velocity: Array, dt: float) -> None:
        """Learn from what came of the last period.

        Args:
            velocity: The generalized velocity now. Shape (nv,).
            dt: Of the last period, in s.
        """
        if self._inertia is None:
            return
        # `effort` is already in what was expected, so the surprise is what is missing from it.
        surprise = self._inertia @ (velocity - self._expected)
        known = self.effort[self._joints] + self._cutoff * surprise
        self.effort[self._joints] = clipped(known, -self._bound, self._bound)
