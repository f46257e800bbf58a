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
    profile, normals = _profile(spline)
    depths = (0.0, 0.5 * chamfer, chamfer)
    mouth, tip = spline.root_radius + clearance + chamfer, spline.tip_radius - chamfer
    bore, pin = profile + clearance * normals, profile
    bore_points = [_ring(bore, z, smallest=mouth - z) for z in depths]
    pin_points = [_ring(pin, spline.pin_height - z, largest=tip + z) for z in depths]
    around = np.linspace(0.0, 2.0 * math.pi, _RIM_POINTS, endpoint=False)
    rim = spline.nut_radius * np.column_stack([np.cos(around), np.sin(around), 0.0 * around])
    return np.concatenate(bore_points), rim, np.concatenate(pin_points)


def _profile(spline: Spline) -> tuple[Array, Array]:
    """Return points around the pin across its axis, and the outward normal at each. Shapes (n, 2).

    Middle, quarter points and corners of tip and root, and the middle of each flank.
    """
    s = spline
    tip = s.tip_radius * np.array([math.cos(s.tip_half_angle), math.sin(s.tip_half_angle)])
    root = s.root_radius * np.array([math.cos(s.root_half_angle), math.sin(s.root_half_angle)])
    along = tip - root
    flank_normal = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    half_root = 0.5 * (s.root_half_angle + s.half_pitch)
    arcs = [
        (s.tip_radius, 0.0),
        (s.tip_radius, 0.5 * s.tip_half_angle),
        (s.tip_radius, s.tip_half_angle),
        (s.root_radius, s.root_half_angle),
        (s.root_radius, half_root),
        (s.root_radius, s.half_pitch),
    ]
    normals = [np.array([math.cos(angle), math.sin(angle)]) for _, angle in arcs]
    points = [radius * normal for (radius, _), normal in zip(arcs, normals, strict=True)]
    points.append(0.5 * (tip + root))
    normals.append(flank_normal)
    # The other half of the tooth; its middle and the gap's belong to both halves.
    mirror = np.array([1.0, -1.0])
    shared = (0, 5)
    others = [k for k in range(len(points)) if k not in shared]
    points += [mirror * points[k] for k in others]
    normals += [mirror * normals[k] for k in others]
    turns = 2.0 * s.half_pitch * np.arange(s.teeth)
    cos, sin = np.cos(turns), np.sin(turns)
    rotations = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    return (
        np.einsum("tij,pj->tpi", rotations, np.array(points)).reshape(-1, 2),
        np.einsum("tij,pj->tpi", rotations, np.array(normals)).reshape(-1, 2),
    )


def _ring(profile: Array, z: float, smallest: float = 0.0, largest: float = math.inf) -> Array:
    """Return a profile at a height, moved along its radii to within two radii. Shape (n, 3)."""
    size = np.linalg.norm(profile, axis=1)
    scale = np.clip(size, smallest, largest) / size
    return np.column_stack([profile * scale[:, None], np.full(len(profile), z)])
