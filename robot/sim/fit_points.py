"""Where the spline fit looks for contact: rings of points on the nut and on the pin."""

from __future__ import annotations

import math

import numpy as np

from robot.arrays import Array
from robot.spline import Spline

# Points on the rim of the nut's face, which meets plate and tip.
_RIM_POINTS = 24


def contact_points(spline: Spline, clearance: float, chamfer: float) -> tuple[Array, Array, Array]:
    """Return the points of the bore (z from the front face), of the front rim, and of the pin.

    Both parts are straight behind their chamfers, so they first touch where a chamfer of one meets
    the other: each has a ring at the start, the middle and the end of its chamfer. A ring further
    down the straight part would add nothing but the moment it enters, when whatever overlap the
    others missed would appear at once and stop the nut.

    Args:
        spline: Dimensions.
        clearance: Radial, in m.
        chamfer: Of both parts, in m.

    Returns:
        Points in the nut frame moved to the front face, twice, and in the pin frame, in m. Shapes
        (216, 3), (24, 3) and (216, 3) for six teeth.
    """
    depths = (0.0, 0.5 * chamfer, chamfer)
    mouth, tip = spline.root_radius + clearance + chamfer, spline.tip_radius - chamfer
    bore, pin = _profile(spline, clearance), _profile(spline, 0.0)
    bore_points = [_ring(bore, z, smallest=mouth - z) for z in depths]
    pin_points = [_ring(pin, spline.pin_height - z, largest=tip + z) for z in depths]
    around = np.linspace(0.0, 2.0 * math.pi, _RIM_POINTS, endpoint=False)
    rim = spline.nut_radius * np.column_stack([np.cos(around), np.sin(around), 0.0 * around])
    return np.concatenate(bore_points), rim, np.concatenate(pin_points)


def _profile(spline: Spline, offset: float) -> Array:
    """Return points around the pin's profile or its offset curve. Shape (n, 2).

    Middle, quarter points and corners of tip and root, and the middle of each flank.

    Args:
        spline: Dimensions.
        offset: Distance of the curve from the pin, in m.
    """
    s = spline
    tip = s.tip_radius * np.array([math.cos(s.tip_half_angle), math.sin(s.tip_half_angle)])
    root = s.root_radius * np.array([math.cos(s.root_half_angle), math.sin(s.root_half_angle)])
    along = (tip - root) / np.linalg.norm(tip - root)
    flank = np.array([-along[1], along[0]])
    # The offset curve's corner at the root is where the shifted flank meets the wider root arc,
    # |root + offset flank + t along| = root radius + offset; at the tip it is round.
    start = root + offset * flank
    b = float(start @ along)
    t = -b + math.sqrt(b * b - float(start @ start) + (s.root_radius + offset) ** 2)
    corner = start + t * along
    corner_angle = math.atan2(corner[1], corner[0])
    half = [
        _at(s.tip_radius + offset, 0.5 * s.tip_half_angle),
        _at(s.tip_radius + offset, s.tip_half_angle),
        0.5 * (tip + root) + offset * flank,
        corner,
        _at(s.root_radius + offset, 0.5 * (corner_angle + s.half_pitch)),
    ]
    mirror = np.array([1.0, -1.0])
    # The middles of tooth and gap belong to both halves.
    tooth = [_at(s.tip_radius + offset, 0.0), _at(s.root_radius + offset, s.half_pitch)]
    tooth += half + [mirror * point for point in half]
    turns = 2.0 * s.half_pitch * np.arange(s.teeth)
    cos, sin = np.cos(turns), np.sin(turns)
    rotations = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    points: Array = np.einsum("tij,pj->tpi", rotations, np.array(tooth)).reshape(-1, 2)
    return points


def _at(radius: float, angle: float) -> Array:
    """Return a point by radius and angle. Shape (2,)."""
    return np.array([radius * math.cos(angle), radius * math.sin(angle)])


def _ring(profile: Array, z: float, smallest: float = 0.0, largest: float = math.inf) -> Array:
    """Return a profile at a height, moved along its radii to within two radii. Shape (n, 3)."""
    size = np.linalg.norm(profile, axis=1)
    scale = np.clip(size, smallest, largest) / size
    return np.column_stack([profile * scale[:, None], np.full(len(profile), z)])
