"""Poses, rotation vectors, and moving twists and wrenches between frames.

Six-vectors are (linear, angular) for twists and (force, torque) for wrenches. Quaternions are
(x, y, z, w). `pose_a_b` says where frame `b` is, seen from frame `a`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from robot.arrays import Array, frozen, read_only

# Below this angle, in rad, the sine is replaced by its series: sin(x)/x is 1 to double precision.
_SMALL_ANGLE = 1e-8
# Turns a quaternion into that of the opposite turn.
_CONJUGATE = read_only(np.array([-1.0, -1.0, -1.0, 1.0]))


@dataclass(frozen=True, eq=False)
class Pose:
    """Where a frame `b` is, seen from a frame `a`; the variable is named `pose_a_b`.

    Attributes:
        position: Origin of `b` in `a`, in m. Shape (3,).
        quaternion: Orientation of `b` in `a`, unit quaternion (x, y, z, w). Shape (4,).
    """

    position: Array
    quaternion: Array

    def __post_init__(self) -> None:
        """Check shapes, normalize the quaternion, and make both read-only."""
        position = frozen("position", self.position, (3,))
        quaternion = frozen("quaternion", self.quaternion, (4,))
        norm = math.sqrt(quaternion.dot(quaternion))
        if not 0.9 < norm < 1.1:
            raise ValueError(f"quaternion: expected norm 1, got {norm:.4g}")
        self._keep(position, quaternion, norm)

    def _keep(self, position: Array, quaternion: Array, norm: float) -> None:
        """Store two arrays that nobody else will change; `norm` is the quaternion's."""
        # A quaternion that is already of norm one to rounding is kept to the bit, so that a stored
        # pose comes back as the same pose.
        if abs(norm - 1.0) >= 1e-15:
            quaternion = quaternion / norm
        position.setflags(write=False)
        quaternion.setflags(write=False)
        # Frozen dataclasses are filled past their own guard.
        vars(self).update(position=position, quaternion=quaternion)

    @classmethod
    def _made(cls, position: Array, quaternion: Array) -> Pose:
        """Return a pose of two new arrays that follow from checked ones: no copy, no check."""
        pose = object.__new__(cls)
        pose._keep(position, quaternion, math.sqrt(quaternion.dot(quaternion)))
        return pose

    @classmethod
    def identity(cls) -> Pose:
        """Return the pose of a frame in itself."""
        return cls(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))

    @classmethod
    def translation(cls, position: ArrayLike) -> Pose:
        """Return a pose with axes aligned with the parent's.

        Args:
            position: In m. Shape (3,).
        """
        return cls(np.asarray(position, dtype=np.float64), np.array([0.0, 0.0, 0.0, 1.0]))

    @classmethod
    def from_rotation_vector(
        cls, rotation_vector: ArrayLike, position: ArrayLike = (0.0, 0.0, 0.0)
    ) -> Pose:
        """Return a pose turned about an axis.

        Args:
            rotation_vector: Axis times angle, in rad. Shape (3,).
            position: In m. Shape (3,).
        """
        return cls(
            np.asarray(position, dtype=np.float64), quaternion_from_rotation_vector(rotation_vector)
        )

    @classmethod
    def from_rotation(cls, rotation: ArrayLike, position: ArrayLike = (0.0, 0.0, 0.0)) -> Pose:
        """Return a pose from a rotation matrix.

        Args:
            rotation: Takes coordinates in `b` to coordinates in `a`. Shape (3, 3).
            position: In m. Shape (3,).
        """
        return cls(np.asarray(position, dtype=np.float64), quaternion_from_rotation(rotation))

    @property
    def rotation(self) -> Array:
        """Rotation matrix taking coordinates in `b` to coordinates in `a`. Shape (3, 3)."""
        return rotation_from_quaternion(self.quaternion)

    def inverse(self) -> Pose:
        """Return `pose_b_a`."""
        conjugate = self.quaternion * _CONJUGATE
        return Pose._made(-rotate(conjugate, self.position), conjugate)

    def __matmul__(self, other: Pose) -> Pose:
        """Return `pose_a_c` from `pose_a_b @ pose_b_c`."""
        return Pose._made(
            self.position + rotate(self.quaternion, other.position),
            multiply_quaternions(self.quaternion, other.quaternion),
        )

    def transform(self, point: ArrayLike) -> Array:
        """Return the coordinates in `a` of a point given in `b`, in m. Shape (3,)."""
        return self.position + rotate(self.quaternion, np.asarray(point, dtype=np.float64))

    def rotation_vector(self) -> Array:
        """Return the orientation as axis times angle, at most pi, in rad. Shape (3,)."""
        return rotation_vector_from_quaternion(self.quaternion)

    def angle_to(self, other: Pose) -> float:
        """Return the angle of the rotation between the two orientations, in rad."""
        conjugate = self.quaternion * _CONJUGATE
        relative = multiply_quaternions(conjugate, other.quaternion)
        sine = math.sqrt(float(relative[:3] @ relative[:3]))
        return 2.0 * math.atan2(sine, abs(float(relative[3])))


def multiply_quaternions(first: Array, second: Array) -> Array:
    """Return the Hamilton product of two quaternions (x, y, z, w). Shape (4,)."""
    ax, ay, az, aw = first.tolist()
    bx, by, bz, bw = second.tolist()
    return np.array(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ]
    )


def rotate(quaternion: Array, vector: Array) -> Array:
    """Return a vector turned by a unit quaternion: v + 2 w c + 2 u x c, c = u x v. Shape (3,)."""
    x, y, z, w = quaternion.tolist()
    a, b, c = vector.tolist()
    tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
    return np.array(
        [
            a + w * tx + y * tz - z * ty,
            b + w * ty + z * tx - x * tz,
            c + w * tz + x * ty - y * tx,
        ]
    )


def rotation_from_quaternion(quaternion: ArrayLike) -> Array:
    """Return the rotation matrix of a unit quaternion (x, y, z, w). Shape (3, 3)."""
    x, y, z, w = np.asarray(quaternion, dtype=np.float64).tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_from_rotation(rotation: ArrayLike) -> Array:
    """Return the unit quaternion (x, y, z, w), w not negative, of a rotation matrix. Shape (4,).

    Shepperd's method: the largest of the four squared components is found from the trace first, so
    that no small number is divided by.
    """
    # Plain numbers: numpy takes four times as long for so few.
    m = np.asarray(rotation, dtype=np.float64).tolist()
    trace = m[0][0] + m[1][1] + m[2][2]
    if trace >= max(m[0][0], m[1][1], m[2][2]):
        x, y, z, w = m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1], 1.0 + trace
    else:
        i = max(range(3), key=lambda axis: m[axis][axis])
        j, k = (i + 1) % 3, (i + 2) % 3
        vector = [0.0, 0.0, 0.0]
        vector[i] = 1.0 + 2.0 * m[i][i] - trace
        vector[j] = m[j][i] + m[i][j]
        vector[k] = m[k][i] + m[i][k]
        (x, y, z), w = vector, m[k][j] - m[j][k]
    scale = math.copysign(1.0 / math.sqrt(x * x + y * y + z * z + w * w), w)
    return np.array([scale * x, scale * y, scale * z, scale * w])


def quaternion_from_rotation_vector(rotation_vector: ArrayLike) -> Array:
    """Return the unit quaternion (x, y, z, w) of axis times angle, in rad. Shape (4,)."""
    vector = np.asarray(rotation_vector, dtype=np.float64)
    angle = math.sqrt(float(vector @ vector))
    scale = 0.5 if angle < _SMALL_ANGLE else math.sin(0.5 * angle) / angle
    return np.append(vector * scale, math.cos(0.5 * angle))


def rotation_vector_from_quaternion(quaternion: ArrayLike) -> Array:
    """Return axis times angle, at most pi, of a unit quaternion, in rad. Shape (3,)."""
    q = np.asarray(quaternion, dtype=np.float64)
    if q[3] < 0.0:
        q = -q
    sine = math.sqrt(float(q[:3] @ q[:3]))
    if sine < _SMALL_ANGLE:
        return np.asarray(2.0 * q[:3], dtype=np.float64)
    return np.asarray(q[:3] * (2.0 * math.atan2(sine, float(q[3])) / sine), dtype=np.float64)


def rotate_six(rotation_a_b: Array, vector_b: Array) -> Array:
    """Turn both halves of a twist or wrench from the axes of `b` to those of `a`. Shape (6,)."""
    return np.concatenate([rotation_a_b @ vector_b[:3], rotation_a_b @ vector_b[3:]])


def move_wrench(wrench: Array, offset: ArrayLike) -> Array:
    """Return a wrench about another point, along the same axes. Shape (6,).

    Args:
        wrench: Force and torque about the old point, in N and N·m. Shape (6,).
        offset: From the new point to the old one, in m. Shape (3,).
    """
    force = wrench[:3]
    return np.concatenate([force, wrench[3:] + np.cross(np.asarray(offset), force)])


def interpolate(start: Pose, end: Pose, share: float) -> Pose:
    """Return the pose a share of the way along the straight line and the shortest turn.

    Args:
        start: Pose at share 0.
        end: Pose at share 1.
        share: From 0 to 1.
    """
    turn = (start.inverse() @ end).rotation_vector()
    return Pose(
        (1.0 - share) * start.position + share * end.position,
        multiply_quaternions(start.quaternion, quaternion_from_rotation_vector(share * turn)),
    )
