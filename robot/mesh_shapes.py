"""Capsules and boxes fitted to meshes: cheap to collide with, to draw and to measure from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robot.arrays import Array
from robot.errors import ConfigError
from robot.kinematic_tree import Geometry
from robot.spatial import Pose

# A binary STL is an 80 byte header, a count, and 50 bytes per triangle.
_HEADER_BYTES = 84
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("vertices", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(path: Path) -> Array:
    """Return the corners of all triangles of a binary STL file, in m. Shape (n, 3).

    Raises:
        ConfigError: If the file is missing or is not a binary STL.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: mesh not found; is the robot package completely installed?")
    data = path.read_bytes()
    count = int.from_bytes(data[_HEADER_BYTES - 4 : _HEADER_BYTES], "little")
    if len(data) != _HEADER_BYTES + count * _TRIANGLE.itemsize:
        raise ConfigError(f"{path}: expected a binary STL mesh; choose another URDF")
    triangles = np.frombuffer(data, dtype=_TRIANGLE, offset=_HEADER_BYTES)
    return np.asarray(triangles["vertices"].reshape(-1, 3), dtype=np.float64)


def fit_capsule(points: Array) -> Geometry:
    """Return a capsule about points, along the direction in which they spread most.

    Its radius is half the geometric mean of the two extents across the axis. Bolt heads and corners
    stick out of it: covering them would make a thigh with its motor twice as thick as it is.

    Args:
        points: In the link, in m. Shape (n, 3).
    """
    center = 0.5 * (points.min(axis=0) + points.max(axis=0))
    # Eigenvectors come by growing spread.
    axes = np.linalg.eigh(np.cov(points.T))[1].T[::-1]
    along = (points - center) @ axes[0]
    across = (points - center) @ axes[1:].T
    # The axis runs through the middle of what is seen looking along it.
    middle = 0.5 * (across.min(axis=0) + across.max(axis=0))
    center = center + middle @ axes[1:] + 0.5 * (along.min() + along.max()) * axes[0]
    radius = 0.5 * float(np.sqrt(np.ptp(across, axis=0).prod()))
    length = max(float(np.ptp(along)) - 2.0 * radius, 1e-3)
    return Geometry("capsule", (radius, length), Pose.from_rotation(_frame_with_z(axes[0]), center))


def fit_box(points: Array) -> Geometry:
    """Return the box about points with its edges along the link's axes.

    Args:
        points: In the link, in m. Shape (n, 3).
    """
    low, high = points.min(axis=0), points.max(axis=0)
    size = tuple(float(edge) for edge in high - low)
    return Geometry("box", size, Pose.translation(0.5 * (low + high)))


def _frame_with_z(axis: Array) -> Array:
    """Return a right-handed rotation matrix whose third column is a unit vector."""
    other = np.eye(3)[int(np.argmin(np.abs(axis)))]
    x = np.cross(other, axis)
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(axis, x), axis])
