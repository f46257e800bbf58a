"""Where the harness touches obstacles: boxes and a floor that do not move.

The cable is tested as balls of its radius at the nodes and half way between them. Compiled once and
cached; no Python object enters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from robot.sim.harness_rod import (
    FLOOR,
    MIDDLE_BRISTLE,
    NODE_BRISTLE,
    PUSH,
    PUSH_LOSS,
    RADIUS,
    SHEAR,
    F,
    V,
)

# Layout of an obstacle: centre, rotation row by row, half extents, half extents of the box along
# the world's axes that holds it.
BOX = 18
# Free space about a point within which an obstacle is looked at during the step, in m.
_NEAR = 0.01


@njit(cache=True, error_model="numpy")
def find_near(rod: Any, p: Any, boxes: Any, pairs: Any) -> int:
    """List which points of the rod are near which obstacle; the floor is number -1.

    Points are numbered 2 i for node i and 2 i + 1 for the middle between it and the next; those
    that are fixed to clip and plug touch nothing.

    Args:
        rod: Shape (n + 2, COLUMNS).
        p: Parameters.
        boxes: Obstacles. Shape (b, BOX).
        pairs: Receives point and obstacle. Shape (most, 2).

    Returns:
        How many pairs.
    """
    n, found = rod.shape[0] - 2, 0
    reach = p[RADIUS] + _NEAR
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for i in range(1, n + 1):
        for c in range(3):
            low[c], high[c] = min(low[c], rod[i, c] - reach), max(high[c], rod[i, c] + reach)
    for b in range(-1, boxes.shape[0]):
        if b < 0:
            if low[2] > p[FLOOR]:
                continue
        else:
            apart = False
            for c in range(3):
                centre, half = boxes[b, c], boxes[b, 15 + c]
                apart = apart or low[c] > centre + half or high[c] < centre - half
            if apart:
                continue
        for point in range(3, 2 * n):
            i, share = point // 2, 0.5 * (point % 2)
            x = rod[i, 0] + share * (rod[i + 1, 0] - rod[i, 0])
            y = rod[i, 1] + share * (rod[i + 1, 1] - rod[i, 1])
            z = rod[i, 2] + share * (rod[i + 1, 2] - rod[i, 2])
            near = False
            if b < 0:
                near = z - reach < p[FLOOR]
            else:
                near = (
                    abs(x - boxes[b, 0]) < boxes[b, 15] + reach
                    and abs(y - boxes[b, 1]) < boxes[b, 16] + reach
                    and abs(z - boxes[b, 2]) < boxes[b, 17] + reach
                )
            if near and found < pairs.shape[0]:
                pairs[found, 0], pairs[found, 1] = point, b
                found += 1
    return found


@njit(cache=True, error_model="numpy", inline="always")
def _depth(box: Any, radius: float, x: float, y: float, z: float) -> Any:
    """Return how deep a ball about a point is in a box, in m, and the normal out of it."""
    dx, dy, dz = x - box[0], y - box[1], z - box[2]
    # Along the box's axes.
    a = box[3] * dx + box[6] * dy + box[9] * dz
    b = box[4] * dx + box[7] * dy + box[10] * dz
    c = box[5] * dx + box[8] * dy + box[11] * dz
    oa, ob, oc = abs(a) - box[12], abs(b) - box[13], abs(c) - box[14]
    if oa <= 0.0 and ob <= 0.0 and oc <= 0.0:
        depth = radius - max(oa, ob, oc)
        na = math.copysign(1.0, a) if oa >= ob and oa >= oc else 0.0
        nb = math.copysign(1.0, b) if na == 0.0 and ob >= oc else 0.0
        nc = math.copysign(1.0, c) if na == 0.0 and nb == 0.0 else 0.0
    else:
        na, nb = math.copysign(max(oa, 0.0), a), math.copysign(max(ob, 0.0), b)
        nc = math.copysign(max(oc, 0.0), c)
        distance = math.sqrt(na * na + nb * nb + nc * nc)
        depth = radius - distance
        na, nb, nc = na / distance, nb / distance, nc / distance
    return (
        depth,
        box[3] * na + box[4] * nb + box[5] * nc,
        box[6] * na + box[7] * nb + box[8] * nc,
        box[9] * na + box[10] * nb + box[11] * nc,
    )


@njit(cache=True, error_model="numpy")
def contact_forces(
    rod: Any, p: Any, boxes: Any, pairs: Any, found: int, friction: float, h: float
) -> None:
    """Add the pushes of obstacles: a spring with losses, and a friction bristle, at each point.

    Args:
        rod: Shape (n + 2, COLUMNS).
        p: Parameters.
        boxes: Obstacles. Shape (b, BOX).
        pairs: Points and obstacles that are near. Shape (most, 2).
        found: How many of them count.
        friction: Coulomb's coefficient.
        h: Substep, in s.
    """
    for pair in range(found):
        point, b = pairs[pair, 0], pairs[pair, 1]
        i, half = point // 2, point % 2
        share = 0.5 * half
        bristle = MIDDLE_BRISTLE if half else NODE_BRISTLE
        x = rod[i, 0] + share * (rod[i + 1, 0] - rod[i, 0])
        y = rod[i, 1] + share * (rod[i + 1, 1] - rod[i, 1])
        z = rod[i, 2] + share * (rod[i + 1, 2] - rod[i, 2])
        if b < 0:
            depth, nx, ny, nz = p[RADIUS] + p[FLOOR] - z, 0.0, 0.0, 1.0
        else:
            depth, nx, ny, nz = _depth(boxes[b], p[RADIUS], x, y, z)
        if depth <= 0.0:
            continue
        vx = rod[i, V] + share * (rod[i + 1, V] - rod[i, V])
        vy = rod[i, V + 1] + share * (rod[i + 1, V + 1] - rod[i, V + 1])
        vz = rod[i, V + 2] + share * (rod[i + 1, V + 2] - rod[i, V + 2])
        across = vx * nx + vy * ny + vz * nz
        push = max(p[PUSH] * depth - p[PUSH_LOSS] * across, 0.0)
        # The bristle is carried along the surface and drops what the friction cannot hold.
        bx = rod[i, bristle] + h * (vx - across * nx)
        by = rod[i, bristle + 1] + h * (vy - across * ny)
        bz = rod[i, bristle + 2] + h * (vz - across * nz)
        out = bx * nx + by * ny + bz * nz
        bx, by, bz = bx - out * nx, by - out * ny, bz - out * nz
        strain = p[SHEAR] * math.sqrt(bx * bx + by * by + bz * bz)
        if strain > friction * push:
            keep = friction * push / strain
            bx, by, bz = keep * bx, keep * by, keep * bz
        rod[i, bristle], rod[i, bristle + 1], rod[i, bristle + 2] = bx, by, bz
        fx = push * nx - p[SHEAR] * bx
        fy = push * ny - p[SHEAR] * by
        fz = push * nz - p[SHEAR] * bz
        rod[i, F] += (1.0 - share) * fx
        rod[i, F + 1] += (1.0 - share) * fy
        rod[i, F + 2] += (1.0 - share) * fz
        rod[i + 1, F] += share * fx
        rod[i + 1, F + 1] += share * fy
        rod[i + 1, F + 2] += share * fz
