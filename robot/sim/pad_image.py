"""What a soft, flat pad feels of a cylinder that is pressed against it.

The pad is a Winkler foundation, a bed of springs that do not know their neighbours: the pressure
under a point is the stiffness of the bed times how deep the part sinks in there. How far the pad
gives way altogether follows from the total force, so its position need not be known.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from robot.arrays import Array

# A ray that misses the part sees it this far away, in m.
_MISSED = -1.0
# Newton steps on a convex, piecewise linear function; each image needs fewer than ten.
_STEPS = 50


@njit(cache=True)
def cylinder_height(
    center: Any, axis: Any, radius: float, half_length: float, side: float, x: float, z: float
) -> float:
    """Return how far a solid cylinder reaches towards a pad at one point of it, in m.

    The ray through (x, z) along y is inside the mantle between the roots of a quadratic, and
    between the end faces in another interval; the part's surface ends their intersection.

    Args:
        center: Of the cylinder, tool frame, in m. Shape (3,).
        axis: Unit vector along it, tool frame. Shape (3,).
        radius: In m.
        half_length: In m.
        side: 1 for the pad on the tool's +y side, -1 for the other one.
        x: Along the tool's x axis, in m.
        z: Along the tool's z axis, in m.
    """
    dx, dz = x - center[0], z - center[2]
    along, slope = dx * axis[0] + dz * axis[2], axis[1]
    across = 1.0 - slope * slope
    inside = radius * radius + along * along - dx * dx - dz * dz
    if across > 1e-9:
        root = along * along * slope * slope + across * inside
        if root < 0.0:
            return _MISSED
        low = (along * slope - math.sqrt(root)) / across
        high = (along * slope + math.sqrt(root)) / across
    elif inside < 0.0:
        return _MISSED
    else:
        low, high = -math.inf, math.inf
    if abs(slope) > 1e-9:
        end, other = (half_length - along) / slope, (-half_length - along) / slope
        low, high = max(low, min(end, other)), min(high, max(end, other))
        if low > high:
            return _MISSED
    elif abs(along) > half_length:
        return _MISSED
    return float(center[1] + high) if side > 0.0 else float(-center[1] - low)


@njit(cache=True)
def pad_pressure(
    center: Any,
    axis: Any,
    radius: float,
    half_length: float,
    side: float,
    force: float,
    rows: int,
    columns: int,
    pitch: float,
    stiffness: float,
    rays: int,
) -> Any:
    """Return the pressure on each taxel, averaged over its area. Shape (rows, columns).

    Water filling: with heights h and the bed at level l, the force is sum k·max(0, h - l)·dA. It
    falls with l, convex and piecewise linear, so Newton's method from below finds l in a few steps.

    Args:
        center: Of the cylinder, tool frame, in m. Shape (3,).
        axis: Unit vector along it, tool frame. Shape (3,).
        radius: In m.
        half_length: In m.
        side: 1 for the pad on the tool's +y side, -1 for the other one.
        force: Total normal force, in N.
        rows: Taxels along the tool's z axis.
        columns: Taxels along the tool's x axis.
        pitch: Of the taxels both ways, in m.
        stiffness: Of the bed, pressure per depth, in Pa/m.
        rays: Rays per taxel each way.
    """
    fine = pitch / rays
    area = fine * fine
    heights = np.empty((rows * rays, columns * rays))
    level = 0.0
    seen = 0
    for i in range(rows * rays):
        z = (i + 0.5 - 0.5 * rows * rays) * fine
        for j in range(columns * rays):
            x = (j + 0.5 - 0.5 * columns * rays) * fine
            height = cylinder_height(center, axis, radius, half_length, side, x, z)
            heights[i, j] = height
            if height > _MISSED:
                level = min(level, height) if seen else height
                seen += 1
    pressure = np.zeros((rows, columns))
    if seen == 0 or force <= 0.0:
        return pressure
    # The lowest point of the part may be too high for the force; begin where all of it sinks in.
    level -= force / (stiffness * area * seen)
    for _ in range(_STEPS):
        depth = 0.0
        touching = 0
        for height in heights.flat:
            if height > level:
                depth += height - level
                touching += 1
        excess = depth - force / (stiffness * area)
        if excess <= 1e-12 or touching == 0:
            break
        level += excess / touching
    for i in range(rows * rays):
        for j in range(columns * rays):
            if heights[i, j] > level:
                pressure[i // rays, j // rays] += stiffness * (heights[i, j] - level)
    return pressure / (rays * rays)


def cylinder_image(
    position: Array,
    axis: Array,
    radius: float,
    length: float,
    force: tuple[float, float],
    *,
    shape: tuple[int, int] = (11, 9),
    pitch: float = 1.1e-3,
    stiffness: float = 1e9,
    rays: int = 3,
) -> Array:
    """Return what both pads of a gripper feel of a cylinder, without noise, in Pa.

    Args:
        position: Centre of the cylinder, tool frame, in m. Shape (3,).
        axis: Unit vector along it, tool frame. Shape (3,).
        radius: In m.
        length: In m.
        force: Normal force on the pad on the +y side and on the other one, in N.
        shape: Rows of taxels along the tool's z axis, columns along its x axis.
        pitch: Of the taxels both ways, in m.
        stiffness: Pressure per depth, in Pa/m.
        rays: Rays per taxel each way; edges are seen to a share of a taxel.

    Returns:
        Shape (2, rows, columns).
    """
    return np.stack(
        [
            pad_pressure(
                position, axis, radius, 0.5 * length, side, total, *shape, pitch, stiffness, rays
            )
            for side, total in zip((1.0, -1.0), force, strict=True)
        ]
    )
