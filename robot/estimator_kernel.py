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
# A flat foot's measured tilt stays below the first: encoder noise and the give of the floor. From
# the sum of both on it stands on its edge. In rad.
_FLAT_TILT = 0.002
_EDGE_TILT = 0.003
# Tilt and turning, in rad and rad/s, at which a foot says half as much about the orientation, and
# lift, in m, at which it says half as much about the position. Encoder noise turns a foot by 0.01.
_DOUBTED_TILT = 0.006
_DOUBTED_TURNING = 0.04
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
        feet: Seen from the base along its axes, each sole's position, velocity, angular velocity,
            and the three rows of its rotation matrix. Shape (feet, 6, 3).
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

    levers, stances, slips, tilts = _read_feet(rotation, anchors, feet, half_sizes, turning_base)
    weights = _weigh(levers, stances)
    turning = _times(rotation, turning_base)
    tilt, offset, slip = np.zeros(3), np.zeros(3), np.zeros(3)
    trust = 0.0
    for i in range(len(feet)):
        # An edge holds the base in place as well as a sole does, but says nothing of its tilt.
        tilted = math.hypot(tilts[i, 0], tilts[i, 1]) / _DOUBTED_TILT
        rocking = np.abs(turning_base + feet[i, 2]).max() / _DOUBTED_TURNING
        flat = weights[i] / (1.0 + tilted**4 + rocking**4)
        trust += flat
        tilt += flat * tilts[i]
        offset += weights[i] * (stances[i] - levers[i] - motion[POSITION])
        slip -= weights[i] * (slips[i] + motion[VELOCITY])
    tilt_base = _times(rotation.T, tilt)
    slip_base = _times(rotation.T, slip)
    _turn(rotation, min(1.0, rates[0] * dt) * tilt_base)
    motion[VELOCITY] += min(1.0, rates[1] * dt) * slip
    motion[POSITION] += min(1.0, rates[2] * dt) * offset
    motion[GYRO_BIAS] -= rates[3] * rates[0] * dt * tilt_base
    motion[ACCELERATION_BIAS] -= trust * rates[3] * rates[1] * dt * slip_base
    for i in range(len(feet)):
        # Doubted, against another foot that is not: it is off the floor, and will land elsewhere.
        doubt = 2.0 * (0.5 - weights[i])
        if doubt > 0.2:
            share = doubt * min(1.0, rates[4] * dt)
            believed = motion[POSITION] + _times(rotation, feet[i, 0])
            anchors[i, :2] += share * (believed[:2] - anchors[i, :2])
            anchors[i, 3] -= share * tilts[i, 2]
    return turning


@_compiled
def _read_feet(
    rotation: Array, anchors: Array, feet: Array, half_sizes: Array, turning_base: Array
) -> tuple[Array, Array, Array, Array]:
    """Return what each foot says, at the point of its sole that is on the floor.

    Flat, that is the centre; tilted, the lowest edge or corner.

    Returns:
        From the base to that point, in m; where that point stands, in m; its velocity if the base
        did not translate, in m/s; and the rotation vector that would lay the sole flat and turn it
        to its anchor, in rad. Four arrays of shape (feet, 3).
    """
    count = len(feet)
    levers, stances = np.empty((count, 3)), np.empty((count, 3))
    slips, tilts = np.empty((count, 3)), np.empty((count, 3))
    for i in range(count):
        sole = _product(rotation, feet[i, 3:])
        point = np.array(
            [
                _edge(sole[2, 0], half_sizes[i, 0]),
                _edge(sole[2, 1], half_sizes[i, 1]),
                0.0,
            ]
        )
        arm = _times(feet[i, 3:], point)
        lever_base = feet[i, 0] + arm
        levers[i] = _times(rotation, lever_base)
        moving = feet[i, 1] + _cross(feet[i, 2], arm) + _cross(turning_base, lever_base)
        slips[i] = _times(rotation, moving)
        c, s = math.cos(anchors[i, 3]), math.sin(anchors[i, 3])
        stances[i, 0] = anchors[i, 0] + c * point[0] - s * point[1]
        stances[i, 1] = anchors[i, 1] + s * point[0] + c * point[1]
        stances[i, 2] = anchors[i, 2]
        tilts[i] = _turn_to_level(sole, anchors[i, 3])
    return levers, stances, slips, tilts


@_compiled
def _weigh(levers: Array, stances: Array) -> Array:
    """Share the trust among the feet: the lowest is on the floor, one above it is doubted."""
    height = levers[:, 2] - stances[:, 2]
    lift = (height - height.min()) / _DOUBTED_LIFT
    weights = 1.0 / (1.0 + lift**4)
    shares: Array = weights / weights.sum()
    return shares


@_compiled
def _edge(slope: float, half_size: float) -> float:
    """Return where along an axis of a sole its lowest point is, from its centre, in m.

    Args:
        slope: Vertical component of that axis; positive if it rises.
        half_size: Half of the sole along that axis, in m.
    """
    share = min(1.0, max(0.0, abs(slope) - _FLAT_TILT) / _EDGE_TILT)
    return -math.copysign(share, slope) * half_size


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
