"""The harness as a discrete elastic rod: forces on its nodes from inside and from obstacles.

The rod of Bergou et al., Discrete Elastic Rods, SIGGRAPH 2008, with both ends clamped. It is cut
into n pieces of length d; nodes 1..n are the middles of the pieces, nodes 0 and n+1 lie half a
piece inside clip and plug. So each node 1..n bends over a length d, and the clamps are where clip
and plug end:

    E = sum_k EA/2 d (l_k/d - 1)^2 + sum_i EI/(2 d) kappa_i^2 + GJ/(2 L) Theta^2 - sum_i m g x_i,
    kappa_i = 2 tan(phi_i / 2),    phi_i: angle between the segments that meet at node i.

Twist waves run through in less than a physics step, so the twist is everywhere the same: Theta is
the angle between the plug's material axis and the clip's, carried along the rod without turning.

All is along the axes of the world. Compiled once and cached; no Python object enters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

# Columns of a node: position, velocity, force, friction bristle at it, and of the middle after it.
V, F, NODE_BRISTLE, MIDDLE_BRISTLE = 3, 6, 9, 12
COLUMNS = 15

# Layout of the parameters.
STRETCH, STRETCH_LOSS, BEND, BEND_LOSS, TWIST, TWIST_LOSS = range(6)
PIECE, NODE_MASS, DRAG, RADIUS, FLOOR = range(6, 11)
PUSH, PUSH_LOSS, SHEAR, FRICTION = range(11, 15)
BEND_LIMIT, TUG_LIMIT = 15, 16
INVERSE_MASS = 17
INVERSE_INERTIA = slice(18, 21)
GRAVITY = slice(21, 24)
CLIP_TANGENT, CLIP_AXIS = slice(24, 27), slice(27, 30)
# Of the cable's end in the body's frame: where, outward tangent, material axis.
END, END_TANGENT, END_AXIS = slice(30, 33), slice(33, 36), slice(36, 39)
PARAMETERS = 39

# Layout of an obstacle: centre, rotation row by row, half extents, half extents of the box along
# the world's axes that holds it.
BOX = 18
# Free space about a point within which an obstacle is looked at during the step, in m.
_NEAR = 0.01
# A node slower than this, in m/s, is at rest.
STILL_SPEED = 1e-3
# Squared sine below which the losses of bending fade out: its direction is not defined there.
_STRAIGHT = 1e-8


@njit(cache=True, error_model="numpy")
def twist_angle(rod: Any, p: Any, axis: Any) -> float:
    """Return by how much the plug's material axis is turned against the clip's, in rad.

    The clip's axis is carried from segment to segment by the smallest rotation: with tangents s, t
    of two segments, u - (u.t) (s + t) / (1 + s.t).

    Args:
        rod: Shape (n + 2, COLUMNS).
        p: Parameters.
        axis: The plug's material axis, in the world. Three numbers.

    Returns:
        Positive about the way from clip to plug, from -pi to pi.
    """
    ux, uy, uz = p[CLIP_AXIS][0], p[CLIP_AXIS][1], p[CLIP_AXIS][2]
    sx, sy, sz = p[CLIP_TANGENT][0], p[CLIP_TANGENT][1], p[CLIP_TANGENT][2]
    for k in range(1, rod.shape[0] - 1):
        tx, ty, tz = rod[k + 1, 0] - rod[k, 0], rod[k + 1, 1] - rod[k, 1], rod[k + 1, 2] - rod[k, 2]
        inverse = 1.0 / math.sqrt(tx * tx + ty * ty + tz * tz)
        tx, ty, tz = tx * inverse, ty * inverse, tz * inverse
        a = (ux * tx + uy * ty + uz * tz) / max(1.0 + sx * tx + sy * ty + sz * tz, 1e-6)
        ux, uy, uz = ux - a * (sx + tx), uy - a * (sy + ty), uz - a * (sz + tz)
        sx, sy, sz = tx, ty, tz
    ax, ay, az = axis
    sine = sx * (uy * az - uz * ay) + sy * (uz * ax - ux * az) + sz * (ux * ay - uy * ax)
    return math.atan2(sine, ux * ax + uy * ay + uz * az)


@njit(cache=True, error_model="numpy")
def elastic_forces(rod: Any, p: Any, moment: float) -> float:
    """Write weight, stretching, bending and twisting forces of all nodes, with their losses.

    Args:
        rod: Shape (n + 2, COLUMNS).
        p: Parameters.
        moment: Of torsion, in N·m.

    Returns:
        The largest kappa^2.
    """
    n = rod.shape[0] - 2
    wx, wy, wz = p[GRAVITY][0], p[GRAVITY][1], p[GRAVITY][2]
    mass, piece = p[NODE_MASS], p[PIECE]
    for i in range(1, n + 1):
        rod[i, F], rod[i, F + 1], rod[i, F + 2] = mass * wx, mass * wy, mass * wz
    rod[0, F] = rod[0, F + 1] = rod[0, F + 2] = 0.0
    rod[n + 1, F] = rod[n + 1, F + 1] = rod[n + 1, F + 2] = 0.0
    stretch, stretch_loss, bend, loss = p[STRETCH], p[STRETCH_LOSS], p[BEND], p[BEND_LOSS]
    # Of the segment before: tangent, velocity of its end against its start, inverse length.
    sx = sy = sz = ux = uy = uz = inverse_s = 0.0
    worst = 0.0
    for k in range(n + 1):
        tx, ty, tz = rod[k + 1, 0] - rod[k, 0], rod[k + 1, 1] - rod[k, 1], rod[k + 1, 2] - rod[k, 2]
        length = math.sqrt(tx * tx + ty * ty + tz * tz)
        inverse = 1.0 / length
        tx, ty, tz = tx * inverse, ty * inverse, tz * inverse
        vx = rod[k + 1, V] - rod[k, V]
        vy = rod[k + 1, V + 1] - rod[k, V + 1]
        vz = rod[k + 1, V + 2] - rod[k, V + 2]
        if 0 < k < n:
            pull = stretch * (length - piece) + stretch_loss * (tx * vx + ty * vy + tz * vz)
            fx, fy, fz = pull * tx, pull * ty, pull * tz
            rod[k, F] += fx
            rod[k, F + 1] += fy
            rod[k, F + 2] += fz
            rod[k + 1, F] -= fx
            rod[k + 1, F + 1] -= fy
            rod[k + 1, F + 2] -= fz
        if k > 0:
            cosine = sx * tx + sy * ty + sz * tz
            # Folded back on itself it is infinitely stiff; no step could follow that.
            more = max(1.0 + cosine, 0.1)
            # Gradients of the cosine with respect to both segments' vectors.
            ax = (tx - cosine * sx) * inverse_s
            ay = (ty - cosine * sy) * inverse_s
            az = (tz - cosine * sz) * inverse_s
            bx = (sx - cosine * tx) * inverse
            by = (sy - cosine * ty) * inverse
            bz = (sz - cosine * tz) * inverse
            rate = ax * ux + ay * uy + az * uz + bx * vx + by * vy + bz * vz
            g = bend / (more * more) * (1.0 - loss * rate / (more * (1.0 - cosine) + _STRAIGHT))
            # Twist: the gradient of the angle is the curvature binormal over twice the length.
            c = moment / more
            cx, cy, cz = c * (sy * tz - sz * ty), c * (sz * tx - sx * tz), c * (sx * ty - sy * tx)
            ax, ay, az = g * ax - cx * inverse_s, g * ay - cy * inverse_s, g * az - cz * inverse_s
            bx, by, bz = g * bx - cx * inverse, g * by - cy * inverse, g * bz - cz * inverse
            rod[k - 1, F] -= ax
            rod[k - 1, F + 1] -= ay
            rod[k - 1, F + 2] -= az
            rod[k, F] += ax - bx
            rod[k, F + 1] += ay - by
            rod[k, F + 2] += az - bz
            rod[k + 1, F] += bx
            rod[k + 1, F + 1] += by
            rod[k + 1, F + 2] += bz
            worst = max(worst, 4.0 * (1.0 - cosine) / more)
        sx, sy, sz, ux, uy, uz, inverse_s = tx, ty, tz, vx, vy, vz, inverse
    return worst


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
        bristle = NODE_BRISTLE + 3 * half
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


@njit(cache=True, error_model="numpy")
def move_nodes(rod: Any, p: Any, h: float) -> tuple[float, float]:
    """Carry the free nodes through a substep.

    Args:
        rod: Shape (n + 2, COLUMNS).
        p: Parameters.
        h: Substep, in s.

    Returns:
        The largest squared speed and the sum of all of them, in (m/s)^2.
    """
    keep, step = 1.0 / (1.0 + h * p[DRAG]), h / p[NODE_MASS]
    fastest = total = 0.0
    for i in range(2, rod.shape[0] - 2):
        vx = keep * (rod[i, V] + step * rod[i, F])
        vy = keep * (rod[i, V + 1] + step * rod[i, F + 1])
        vz = keep * (rod[i, V + 2] + step * rod[i, F + 2])
        rod[i, V], rod[i, V + 1], rod[i, V + 2] = vx, vy, vz
        rod[i, 0] += h * vx
        rod[i, 1] += h * vy
        rod[i, 2] += h * vz
        squared = vx * vx + vy * vy + vz * vz
        total += squared
        fastest = max(fastest, squared)
    return fastest, total
