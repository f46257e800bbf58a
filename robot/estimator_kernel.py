"""The arithmetic of the base estimator, compiled: one sample in, the state moved on in place.

Arrays are (rows: feet) x ...; vectors are along the world axes unless named otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from robot.arrays import Array

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_GRAVITY = 9.81
# A flat foot's measured tilt stays below this: encoder noise and the give of the floor, in rad.
_FLAT_TILT = 0.004
# Tilt and lift at which a foot counts half: a heel that is up by 0.01 rad is 2 mm off the floor.
_DOUBTED_TILT = 0.01
_DOUBTED_LIFT = 0.002
# Rows of the array `motion`.
POSITION, VELOCITY, GYRO_BIAS, ACCELERATION_BIAS = range(4)


def _compiled(function: FunctionT) -> FunctionT:
    return cast(FunctionT, njit(cache=True)(function))


@_compiled
def observe(
    rotation: Array,
    motion: Array,
    anchors: Array,
    felt: Array,
    feet: Array,
    half_sizes: Array,
    rates: Array,
    dt: float,
) -> Array:
    """Predict with the inertial sample, then let the standing feet correct.

    Args:
        rotation: From base axes to world axes; changed in place. Shape (3, 3).
        motion: Position and velocity of the base origin, bias of gyroscope and of accelerometer,
            both along base axes; changed in place. Shape (4, 3).
        anchors: Where each sole is believed to stand, x, y, z in m and its yaw in rad; changed in
            place. Shape (feet, 4).
        felt: Angular velocity and proper acceleration, along base axes. Shape (2, 3).
        feet: Seen from the base along its axes, each sole's position, velocity, and the three rows
            of its rotation matrix. Shape (feet, 5, 3).
        half_sizes: Half length and half width of each sole, in m. Shape (feet, 2).
        rates: Of orientation, velocity, position, biases and anchors, in 1/s. Shape (5,).
        dt: Time since the last sample, in s.

    Returns:
        Angular velocity of the base, along the world axes, in rad/s. Shape (3,).
    """
    turning_base = felt[0] - motion[GYRO_BIAS]
    _turn(rotation, turning_base * dt)
    acceleration = _times(rotation, felt[1] - motion[ACCELERATION_BIAS])
    acceleration[2] -= _GRAVITY
    motion[POSITION] += dt * motion[VELOCITY] + 0.5 * dt * dt * acceleration
    motion[VELOCITY] += dt * acceleration

    weights, trust = _weigh(rotation, anchors, feet, half_sizes)
    turning = _times(rotation, turning_base)
    tilt, offset, slip = np.zeros(3), np.zeros(3), np.zeros(3)
    for i in range(len(feet)):
        lever = _times(rotation, feet[i, 0])
        sole = _product(rotation, feet[i, 2:])
        tilt += weights[i] * _turn_to_level(sole, anchors[i, 3])
        offset += weights[i] * (anchors[i, :3] - lever - motion[POSITION])
        offset[2] += weights[i] * _lift(sole, half_sizes[i])
        # A standing sole does not move: the base moves against what the legs do.
        slip -= weights[i] * (
            _times(rotation, feet[i, 1]) + _cross(turning, lever) + motion[VELOCITY]
        )
    tilt_base = _times(rotation.T, tilt)
    slip_base = _times(rotation.T, slip)
    _turn(rotation, trust * min(1.0, rates[0] * dt) * tilt_base)
    motion[VELOCITY] += min(1.0, rates[1] * dt) * slip
    motion[POSITION] += min(1.0, rates[2] * dt) * offset
    motion[GYRO_BIAS] -= trust * rates[3] * rates[0] * dt * tilt_base
    motion[ACCELERATION_BIAS] -= trust * rates[3] * rates[1] * dt * slip_base
    for i in range(len(feet)):
        # Doubted, against another foot that is not: it is off the floor, and will land elsewhere.
        doubt = 2.0 * (0.5 - weights[i])
        if doubt > 0.2:
            share = doubt * min(1.0, rates[4] * dt)
            believed = motion[POSITION] + _times(rotation, feet[i, 0])
            anchors[i, :2] += share * (believed[:2] - anchors[i, :2])
            sole = _product(rotation, feet[i, 2:])
            anchors[i, 3] -= share * _turn_to_level(sole, anchors[i, 3])[2]
    return turning


@_compiled
def _weigh(rotation: Array, anchors: Array, feet: Array, half_sizes: Array) -> tuple[Array, float]:
    """Share the trust among the feet, and say how much the best of them deserves, up to 1.

    The lowest foot is on the floor; one that is tilted or higher is doubted.
    """
    count = len(feet)
    height, weights = np.zeros(count), np.zeros(count)
    for i in range(count):
        sole = _product(rotation, feet[i, 2:])
        height[i] = _times(rotation, feet[i, 0])[2] - anchors[i, 2] - _lift(sole, half_sizes[i])
        weights[i] = math.hypot(sole[2, 0], sole[2, 1]) / _DOUBTED_TILT
    lowest = height.min()
    for i in range(count):
        doubt = weights[i] ** 2 + ((height[i] - lowest) / _DOUBTED_LIFT) ** 2
        weights[i] = 1.0 / (1.0 + doubt * doubt)
    trust = weights.max()
    return weights / weights.sum(), trust


@_compiled
def _lift(sole: Array, half_size: Array) -> float:
    """Return how high a sole's centre is above its lowest edge, in m; zero while it is flat."""
    along = max(0.0, abs(sole[2, 0]) - _FLAT_TILT)
    across = max(0.0, abs(sole[2, 1]) - _FLAT_TILT)
    return float(half_size[0] * along + half_size[1] * across)


@_compiled
def _turn_to_level(sole: Array, yaw: float) -> Array:
    """Return the small world rotation vector that lays a sole flat, at a yaw. Shape (3,)."""
    c, s = math.cos(yaw), math.sin(yaw)
    # The axial vector of anchor @ sole.T, with anchor the rotation by the yaw about the vertical.
    x = 0.5 * (sole[1, 2] - (s * sole[2, 0] + c * sole[2, 1]))
    y = 0.5 * ((c * sole[2, 0] - s * sole[2, 1]) - sole[0, 2])
    z = 0.5 * ((s * sole[0, 0] + c * sole[0, 1]) - (c * sole[1, 0] - s * sole[1, 1]))
    return np.array([x, y, z])


@_compiled
def _turn(rotation: Array, step: Array) -> None:
    """Turn a rotation matrix in place about its own axes, by Rodrigues' formula."""
    x, y, z = step[0], step[1], step[2]
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < 1e-12:
        return
    a = math.sin(angle) / angle
    b = 0.5 * (math.sin(0.5 * angle) / (0.5 * angle)) ** 2
    turn = np.array(
        [
            [1.0 - b * (y * y + z * z), b * x * y - a * z, b * x * z + a * y],
            [b * x * y + a * z, 1.0 - b * (x * x + z * z), b * y * z - a * x],
            [b * x * z - a * y, b * y * z + a * x, 1.0 - b * (x * x + y * y)],
        ]
    )
    rotation[:] = _product(rotation, turn)


@_compiled
def _times(matrix: Array, vector: Array) -> Array:
    result = np.empty(3)
    for i in range(3):
        result[i] = matrix[i, 0] * vector[0] + matrix[i, 1] * vector[1] + matrix[i, 2] * vector[2]
    return result


@_compiled
def _product(first: Array, second: Array) -> Array:
    result = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            result[i, j] = (
                first[i, 0] * second[0, j] + first[i, 1] * second[1, j] + first[i, 2] * second[2, j]
            )
    return result


@_compiled
def _cross(a: Array, b: Array) -> Array:
    return np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )
