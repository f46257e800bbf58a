"""What a hand's own mass adds to the reading of the force-torque sensor that carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
from numba import njit

from robot.arrays import Array, frozen

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


def compiled(function: FunctionT) -> FunctionT:
    """Compile with numba and keep the signature, which numba forgets."""
    return cast(FunctionT, njit(cache=True)(function))


@dataclass(frozen=True, eq=False)
class Payload:
    """The rigid body beyond a force-torque sensor.

    Attributes:
        mass: In kg.
        center_tool: Centre of mass, seen from the tool frame, in m. Shape (3,).
        inertia_tool: About the centre of mass, along the tool axes, in kg·m^2. Shape (3, 3).
    """

    mass: float
    center_tool: Array
    inertia_tool: Array

    def __post_init__(self) -> None:
        """Check shapes and make the arrays read-only."""
        object.__setattr__(self, "center_tool", frozen("center_tool", self.center_tool, (3,)))
        object.__setattr__(self, "inertia_tool", frozen("inertia_tool", self.inertia_tool, (3, 3)))

    def load(
        self, proper_acceleration: Array, angular_velocity: Array, angular_acceleration: Array
    ) -> Array:
        """Return the wrench that carries and moves the payload, at the tool origin. Shape (6,).

        What the environment exerts on the tool is this minus what the sensor exerts on the payload.

        Args:
            proper_acceleration: a - g of the centre of mass, along the tool axes, in m/s^2: what an
                accelerometer there feels. Shape (3,).
            angular_velocity: Along the tool axes, in rad/s. Shape (3,).
            angular_acceleration: Along the tool axes, in rad/s^2. Shape (3,).
        """
        return payload_load(
            self.mass,
            self.center_tool,
            self.inertia_tool,
            proper_acceleration,
            angular_velocity,
            angular_acceleration,
        )


@compiled
def payload_load(
    mass: float,
    center_tool: Array,
    inertia_tool: Array,
    proper_acceleration: Array,
    angular_velocity: Array,
    angular_acceleration: Array,
) -> Array:
    """Compute `Payload.load`, by Newton and Euler: f = m (a - g), n = I alpha + w x (I w)."""
    force = mass * proper_acceleration
    w = angular_velocity
    spin = inertia_tool @ w
    torque = inertia_tool @ angular_acceleration
    c = center_tool
    wrench = np.empty(6)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        wrench[i] = force[i]
        wrench[3 + i] = (
            torque[i] + w[j] * spin[k] - w[k] * spin[j] + c[j] * force[k] - c[k] * force[j]
        )
    return wrench
