"""Where the spline fit looks for contact: rings of points on the nut's bore, its rim and the pin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from robot.arrays import Array
from robot.spline import Spline


def contact_points(spline: Spline, clearance: float, chamfer: float) -> tuple[Array, Array, Array]:
    """Return the points of the bore (z from the front face), of the front rim, and of the pin.

    Rings at the ends and middle of the chamfers, where parts touch, and one in the straight part;
    around the axis at the middles, corners and flanks of the teeth.
    """
    s = spline
    flank = 0.5 * (s.tip_half_angle + s.root_half_angle)
    half = [0.0, s.tip_half_angle, flank, s.root_half_angle]
    angles = [-a for a in half[:0:-1]] + half + [s.half_pitch]
    radii = [s.tip_radius if abs(a) <= s.tip_half_angle else s.root_radius for a in angles]
    # The middle of the straight flank, and its normal.
    tip = s.tip_radius * np.array([math.cos(s.tip_half_angle), math.sin(s.tip_half_angle)])
    root = s.root_radius * np.array([math.cos(s.root_half_angle), math.sin(s.root_half_angle)])
    middle, along = 0.5 * (tip + root), tip - root
    outwards = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    pin_xy, bore_xy = [], []
    for angle, radius in zip(angles, radii, strict=True):
        normal = np.array([math.cos(angle), math.sin(angle)])
        point = radius * normal
        if math.isclose(abs(angle), flank):
            side = np.array([1.0, math.copysign(1.0, angle)])
            point, normal = middle * side, outwards * side
        pin_xy.append(point)
        bore_xy.append(point + clearance * normal)
    turns = 2.0 * s.half_pitch * np.arange(s.teeth)
    cos, sin = np.cos(turns), np.sin(turns)
    spin = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)  # (teeth, 2, 2)
    pin_ring = np.einsum("tij,pj->tpi", spin, np.array(pin_xy)).reshape(-1, 2)
    bore_ring = np.einsum("tij,pj->tpi", spin, np.array(bore_xy)).reshape(-1, 2)

    def rings(
        ring: Array, heights: Sequence[float], cone: Callable[[float], float], clip: np.ufunc
    ) -> Array:
        stack = []
        size = np.linalg.norm(ring, axis=1)
        for z in heights:
            scale = clip(size, cone(z)) / size
            stack.append(np.column_stack([ring * scale[:, None], np.full(len(ring), z)]))
        return np.concatenate(stack)

    bore = rings(
        bore_ring,
        (0.0, 0.5 * chamfer, chamfer, 0.5 * s.pin_height),
        lambda z: s.root_radius + clearance + chamfer - z,
        np.maximum,
    )
    top = s.pin_height
    pin = rings(
        pin_ring,
        (top, top - 0.5 * chamfer, top - chamfer, 0.5 * top),
        lambda z: s.tip_radius - chamfer + top - z,
        np.minimum,
    )
    around = np.linspace(0.0, 2.0 * math.pi, 24, endpoint=False)
    rim = s.nut_radius * np.column_stack([np.cos(around), np.sin(around), np.zeros(24)])
    return bore, rim, pin
