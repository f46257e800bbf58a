"""Small compiled functions on quaternions and six-vectors, for the code that runs every tick."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from robot.arrays import Array

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

# Below this sine of the half angle the logarithm is replaced by its first term.
_SMALL_SINE = 1e-9


def compiled(function: FunctionT) -> FunctionT:
    """Compile a function of arrays and floats once and keep the machine code beside its file."""
    return cast(FunctionT, njit(cache=True, fastmath=False)(function))


@compiled
def rotation_error(quaternion_to: Array, quaternion_from: Array, error: Array) -> None:
    """Write the rotation vector, along world axes, that turns one orientation into another.

    log(q_to * conj(q_from)), at most pi long.

    Args:
        quaternion_to: Unit quaternion (x, y, z, w). Shape (4,).
        quaternion_from: Unit quaternion (x, y, z, w). Shape (4,).
        error: Receives the rotation vector, in rad. Shape (3,).
    """
    ax, ay, az, aw = quaternion_to[0], quaternion_to[1], quaternion_to[2], quaternion_to[3]
    bx, by, bz, bw = (
        -quaternion_from[0],
        -quaternion_from[1],
        -quaternion_from[2],
        quaternion_from[3],
    )
    x = aw * bx + ax * bw + ay * bz - az * by
    y = aw * by - ax * bz + ay * bw + az * bx
    z = aw * bz + ax * by - ay * bx + az * bw
    w = aw * bw - ax * bx - ay * by - az * bz
    if w < 0.0:
        x, y, z, w = -x, -y, -z, -w
    sine = math.sqrt(x * x + y * y + z * z)
    scale = 2.0 if sine < _SMALL_SINE else 2.0 * math.atan2(sine, w) / sine
    error[0], error[1], error[2] = scale * x, scale * y, scale * z


@compiled
def turn(quaternion: Array, rotation_vector: Array, result: Array) -> None:
    """Write an orientation turned by a rotation vector along world axes, normalized.

    Args:
        quaternion: Unit quaternion (x, y, z, w). Shape (4,).
        rotation_vector: In rad. Shape (3,).
        result: Receives exp(rotation_vector) * quaternion; may be `quaternion`. Shape (4,).
    """
    angle = math.sqrt(rotation_vector[0] ** 2 + rotation_vector[1] ** 2 + rotation_vector[2] ** 2)
    scale = 0.5 if angle < _SMALL_SINE else math.sin(0.5 * angle) / angle
    ax, ay, az = scale * rotation_vector[0], scale * rotation_vector[1], scale * rotation_vector[2]
    aw = math.cos(0.5 * angle)
    bx, by, bz, bw = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    x = aw * bx + ax * bw + ay * bz - az * by
    y = aw * by - ax * bz + ay * bw + az * bx
    z = aw * bz + ax * by - ay * bx + az * bw
    w = aw * bw - ax * bx - ay * by - az * bz
    norm = math.sqrt(x * x + y * y + z * z + w * w)
    result[0], result[1], result[2], result[3] = x / norm, y / norm, z / norm, w / norm


@compiled
def to_quaternion(rotation: Array, quaternion: Array) -> None:
    """Write the unit quaternion (x, y, z, w) of a rotation matrix. Shapes (3, 3) and (4,).

    Shepperd's method: the largest component comes from the trace, so no small number divides.
    """
    trace = rotation[0, 0] + rotation[1, 1] + rotation[2, 2]
    largest = 3
    for i in range(3):
        if rotation[i, i] > (trace if largest == 3 else rotation[largest, largest]):
            largest = i
    if largest == 3:
        quaternion[0] = rotation[2, 1] - rotation[1, 2]
        quaternion[1] = rotation[0, 2] - rotation[2, 0]
        quaternion[2] = rotation[1, 0] - rotation[0, 1]
        quaternion[3] = 1.0 + trace
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        quaternion[i] = 1.0 + 2.0 * rotation[i, i] - trace
        quaternion[j] = rotation[j, i] + rotation[i, j]
        quaternion[k] = rotation[k, i] + rotation[i, k]
        quaternion[3] = rotation[k, j] - rotation[j, k]
    norm = 0.0
    for i in range(4):
        norm += quaternion[i] * quaternion[i]
    norm = math.sqrt(norm)
    for i in range(4):
        quaternion[i] /= norm


@compiled
def norm3(vector: Array) -> float:
    """Return the length of a vector. Shape (3,)."""
    return math.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])


def cross(a: Array, b: Array) -> Array:
    """Return the cross product; numpy takes ten times as long for one pair. Shape (3,)."""
    ax, ay, az = a.tolist()
    bx, by, bz = b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def rotated_rows(rotation_a_b: Array, rows_a: Array) -> Array:
    """Return a Jacobian whose twist is along `a`, with its twist along `b`. Shape (6, m)."""
    result: Array = np.matmul(rotation_a_b.T, rows_a.reshape(2, 3, -1)).reshape(6, -1)
    return result
