"""What an inertial unit on a body feels, from two samples of the body's motion; compiled."""

from __future__ import annotations

import numpy as np

from robot.arrays import Array
from robot.signals.wrench import compiled
from robot.sim.client import GRAVITY

# A sample is: quaternion of the body's inertial frame, velocity of its origin, angular velocity,
# both along the world axes, and whatever else its owner keeps behind them.
_LINEAR, _ANGULAR = slice(4, 7), slice(7, 10)


@compiled
def rotation_world_inertial(sample: Array) -> Array:
    """Return the rotation matrix of a sample's quaternion. Shape (3, 3)."""
    x, y, z, w = sample[0], sample[1], sample[2], sample[3]
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@compiled
def proper_acceleration(now: Array, before: Array, lever: Array, period: float) -> Array:
    """Return a - g of a point of the body, mean over a period, along the world axes. Shape (3,).

    Args:
        now: A sample.
        before: The sample one period earlier.
        lever: From the inertial frame's origin to the point, along its axes, in m. Shape (3,).
        period: In s.
    """
    velocity = now[_LINEAR] - before[_LINEAR]
    velocity += np.cross(now[_ANGULAR], rotation_world_inertial(now) @ lever)
    velocity -= np.cross(before[_ANGULAR], rotation_world_inertial(before) @ lever)
    velocity /= period
    velocity[2] += GRAVITY
    return velocity
