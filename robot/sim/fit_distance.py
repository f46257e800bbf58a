"""Signed distances of a splined pin and its nut, and their gradients; compiled.

With `d2` the distance to the pin's profile across the axis (negative inside), r the distance from
the axis, H the pin's height, e the chamfer and c the radial clearance,

    pin  = max(d2, z - H, (r - R_tip + e + z - H) / sqrt 2)
    nut  = max(c - d2, (R_root + c + e - z - r) / sqrt 2, -z, z - L, r - R_out)

each in its own part's frame, the nut's z counted from the face that looks at the pin. The bore is
the offset curve of the pin, so that one profile serves both. Away from the surface the maximum
bounds the distance from below; near it, where contact is decided, it is exact but at the edges.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

# Indices into the array of parameters.
TEETH, ROOT, TIP, HEIGHT, LENGTH, OUTER, PLATE = range(7)
CLEARANCE, CHAMFER, FRICTION, STIFFNESS, DAMPING, SHEAR = range(7, 13)
# The ends of a flank, and from `FOLD` on cosine and sine of each tooth's angle, derived from the
# above: trigonometry would be most of what a point costs.
FLANK_TIP_X, FLANK_TIP_Y, FLANK_ROOT_X, FLANK_ROOT_Y, FOLD = range(13, 18)

# A point further out than this, in m, cannot touch within a step: 0.3 m/s times 1 ms.
NEAR = 3e-4

_ROOT_HALF = math.sqrt(0.5)


@njit(cache=True)
def profile(x: float, y: float, p: Any) -> tuple[float, float, float]:
    """Return signed distance to the pin's profile, in m, and its gradient along x and y.

    The point is folded into half a pitch, where the profile is a tip arc, a flank and a root arc.
    """
    u, ct, st = -math.inf, 1.0, 0.0
    for at in range(FOLD, FOLD + 2 * int(p[TEETH]), 2):
        along = p[at] * x + p[at + 1] * y
        if along > u:
            u, ct, st = along, p[at], p[at + 1]
    v = ct * y - st * x
    mirror = 1.0
    if v < 0.0:
        v, mirror = -v, -1.0
    tip, root = p[TIP], p[ROOT]
    ax, ay = p[FLANK_TIP_X], p[FLANK_TIP_Y]
    bx, by = p[FLANK_ROOT_X], p[FLANK_ROOT_Y]
    on_tip, on_root = v * ax <= u * ay, v * bx >= u * by
    fx, fy = bx - ax, by - ay
    length2 = fx * fx + fy * fy
    r = math.sqrt(u * u + v * v) + 1e-15
    # Inside is below the arcs, or on the axis' side of the flank.
    across = fx * (v - ay) - fy * (u - ax)
    if on_tip:
        inside = r < tip
    elif on_root:
        inside = r < root
    else:
        inside = across > 0.0
    # The nearest of flank (with its ends) and the arc in whose span the point lies.
    s = ((u - ax) * fx + (v - ay) * fy) / length2
    s = min(1.0, max(0.0, s))
    du, dv = u - (ax + s * fx), v - (ay + s * fy)
    best = math.sqrt(du * du + dv * dv)
    if best > 1e-12:
        gu, gv = du / best, dv / best
        if inside:
            gu, gv = -gu, -gv
    else:
        norm = math.sqrt(length2)
        gu, gv = fy / norm, -fx / norm
        if gu * u + gv * v < 0.0:
            gu, gv = -gu, -gv
    if on_tip and abs(r - tip) < best:
        best, gu, gv = abs(r - tip), u / r, v / r
    elif on_root and abs(r - root) < best:
        best, gu, gv = abs(r - root), u / r, v / r
    if inside:
        best = -best
    gv *= mirror
    return best, ct * gu - st * gv, st * gu + ct * gv


@njit(cache=True)
def pin_distance(x: float, y: float, z: float, p: Any) -> tuple[float, float, float, float]:
    """Return signed distance to the pin, in m, and its gradient, in the pin frame."""
    d, gx, gy = profile(x, y, p)
    gz = 0.0
    r = math.sqrt(x * x + y * y) + 1e-15
    cone = (r - p[TIP] + p[CHAMFER] + z - p[HEIGHT]) * _ROOT_HALF
    if cone > d:
        d, gx, gy, gz = cone, _ROOT_HALF * x / r, _ROOT_HALF * y / r, _ROOT_HALF
    top = z - p[HEIGHT]
    if top > d:
        d, gx, gy, gz = top, 0.0, 0.0, 1.0
    return d, gx, gy, gz


@njit(cache=True)
def nut_distance(x: float, y: float, z: float, p: Any) -> tuple[float, float, float, float]:
    """Return signed distance to the nut, in m, and its gradient; z from its front face inwards."""
    r = math.sqrt(x * x + y * y) + 1e-15
    d, gx, gy, gz = r - p[OUTER], x / r, y / r, 0.0
    if -z > d:
        d, gx, gy, gz = -z, 0.0, 0.0, -1.0
    if z - p[LENGTH] > d:
        d, gx, gy, gz = z - p[LENGTH], 0.0, 0.0, 1.0
    cone = (p[ROOT] + p[CLEARANCE] + p[CHAMFER] - z - r) * _ROOT_HALF
    if cone > d:
        d, gx, gy, gz = cone, -_ROOT_HALF * x / r, -_ROOT_HALF * y / r, -_ROOT_HALF
    # The profile is the dear one: leave it out where the point is outside anyway.
    if d < NEAR:
        d2, px, py = profile(x, y, p)
        if p[CLEARANCE] - d2 > d:
            d, gx, gy, gz = p[CLEARANCE] - d2, -px, -py, 0.0
    return d, gx, gy, gz
