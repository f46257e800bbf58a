"""How sharply a cable is bent, from one picture with depth.

The cable is told from the rest by its colour. Its points are put in order by how far they are from
the plug along the cable, which is the shortest way from point to point; points that are about as
far make one point of its line, and circles are laid through stretches of that line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from robot.arrays import Array
from robot.sensor import CameraFrame
from robot.spatial import Pose

CableColor = Literal["orange", "blue"]

# What is further from the plug than this is not looked at, in m.
_REACH = 0.26
# The cable begins within this distance of where it is believed to leave the plug, in m.
_BEGINS = 0.030
# The plug, which has its cable's colour, and where it may be: seen from where its cable is believed
# to leave it, from there to there along x, to either side along y, and beyond it, in m.
_PLUG_ALONG, _PLUG_HALF, _PLUG_BEYOND = (-0.05, 0.03), 0.022, 0.010
# Neighbours on a cable are nearer to each other than this, in m.
_LINK = 0.010
# Length of a stretch that makes one point of the line, in m, how few pixels do, and how far from
# its middle those of one cable may be, in m.
_STRETCH, _FEWEST, _WIDEST = 0.008, 3, 0.024
# Parabolas are laid through so many points of the line, or through all of a short one.
_WINDOW, _FEWEST_POINTS = 7, 4


@dataclass(frozen=True)
class Bend:
    """What a picture tells of a cable.

    Attributes:
        seen: Length that is seen from the plug on, in m.
        radius: Of the sharpest bend of that length, in m; 0 if too little is seen to tell.
    """

    seen: float
    radius: float


NOTHING = Bend(0.0, 0.0)


def sharpest_bend(frame: CameraFrame, pose_camera_cable: Pose, color: CableColor) -> Bend:
    """Return how sharply a cable is bent near its plug.

    Args:
        frame: A picture with depth.
        pose_camera_cable: Where the cable is believed to leave the plug; +z along it, outwards, +y
            across the plug, +x to its rear.
        color: Of the cable.
    """
    points = _points(frame, pose_camera_cable, color)
    line = _line(points)
    window = min(_WINDOW, len(line))
    if window < _FEWEST_POINTS:
        return Bend(_STRETCH * len(line), 0.0)
    radii = [_radius(line[i : i + window]) for i in range(len(line) - window + 1)]
    return Bend(_STRETCH * len(line), min(radii))


def is_colored(rgb: NDArray[np.uint8], color: CableColor) -> NDArray[np.bool_]:
    """Return which pixels are of a colour, however bright. Shape (height, width).

    Args:
        rgb: Shape (height, width, 3).
        color: Which.
    """
    red, green, blue = (rgb[..., i].astype(np.int32) for i in range(3))
    if color == "orange":
        return (10 * red > 15 * green) & (10 * green > 15 * blue) & (red > 50)
    return (10 * blue > 14 * green) & (10 * green > 14 * red) & (blue > 25)


def _points(frame: CameraFrame, pose_camera_cable: Pose, color: CableColor) -> Array:
    """Return the cable's pixels near the plug, in the frame of its exit, in m. Shape (n, 3)."""
    if frame.depth is None or frame.focal <= 0.0:
        return np.zeros((0, 3))
    rows, columns = np.nonzero(is_colored(frame.rgb, color))
    height, width = frame.depth.shape
    ahead = frame.depth[rows, columns].astype(np.float64)
    right = (columns + 0.5 - 0.5 * width) / frame.focal * ahead
    down = (rows + 0.5 - 0.5 * height) / frame.focal * ahead
    into = pose_camera_cable.inverse()
    points: Array = np.stack([right, down, ahead], axis=1) @ into.rotation.T + into.position
    near = np.linalg.norm(points, axis=1) < _REACH
    x, y, z = points.T
    plug = (x > _PLUG_ALONG[0]) & (x < _PLUG_ALONG[1]) & (np.abs(y) < _PLUG_HALF)
    plug &= z < _PLUG_BEYOND
    kept: Array = points[near & ~plug]
    return kept


def _line(points: Array) -> Array:
    """Return points of the cable's line from the plug on, evenly spaced, in m. Shape (m, 3)."""
    nothing = np.zeros((0, 3))
    if len(points) < _FEWEST_POINTS * _FEWEST:
        return nothing
    tree = cKDTree(points)
    start = np.array(tree.query_ball_point((0.0, 0.0, _PLUG_BEYOND), _BEGINS))
    if not len(start):
        return nothing
    links = tree.sparse_distance_matrix(tree, _LINK, output_type="coo_matrix")
    along = points[start, 2]
    slice_ = start[along < along.min() + _STRETCH]
    far = dijkstra(links.tocsr(), indices=slice_, min_only=True)
    stretch = np.where(np.isfinite(far), far / _STRETCH, -1.0).astype(np.int64)
    line = []
    for number in range(int(stretch.max()) + 1):
        members = points[stretch == number]
        if len(members) < _FEWEST:
            break
        middle = members.mean(axis=0)
        # Where another cable is met there are two ways on, and none is known to be the right one.
        if np.linalg.norm(members - middle, axis=1).max() > _WIDEST:
            break
        line.append(middle)
    if len(line) > 2 * _WINDOW:
        # The last points of a cable that goes on are cut obliquely.
        line = line[:-2]
    return np.array(line) if line else nothing


def _radius(points: Array) -> float:
    """Return the radius of the bend of a line at the middle of some points, in m.

    Of a parabola through them: |p' x p''| / |p'|^3 is its curvature.

    Args:
        points: Evenly spaced along the line. Shape (n, 3).
    """
    n = len(points)
    at = np.arange(n) - 0.5 * (n - 1)
    _, slope, half = np.linalg.lstsq(np.stack([np.ones(n), at, at**2], axis=1), points)[0]
    speed = float(np.linalg.norm(slope))
    bend = float(np.linalg.norm(np.cross(slope, 2.0 * half)))
    return speed**3 / max(bend, 1e-9)
