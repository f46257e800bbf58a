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


@njit(cache=True, error_model="numpy", inline="always")
def turned(q: Any, v: Any) -> tuple[float, float, float]:
    """Return a vector turned by a unit quaternion (x, y, z, w)."""
    x, y, z = v[0], v[1], v[2]
    ux, uy, uz = 2 * (q[1] * z - q[2] * y), 2 * (q[2] * x - q[0] * z), 2 * (q[0] * y - q[1] * x)
    return (
        x + q[3] * ux + q[1] * uz - q[2] * uy,
        y + q[3] * uy + q[2] * ux - q[0] * uz,
        z + q[3] * uz + q[0] * uy - q[1] * ux,
    )


@njit(cache=True, error_model="numpy", inline="always")
def spin_up(q: Any, inverse: Any, t: Any) -> tuple[float, float, float]:
    """Return the angular acceleration a torque gives to the plug, along the world's axes."""
    back = (-q[0], -q[1], -q[2], q[3])
    x, y, z = turned(back, t)
    return turned(q, (inverse[0] * x, inverse[1] * y, inverse[2] * z))


@njit(cache=True, error_model="numpy", inline="always")
def put_node(rod: Any, i: int, centre: Any, arm: Any, turn: Any, linear: Any, angular: Any) -> None:
    """Place a node that is fixed to the plug: its arm turned to second order in the angle."""
    ax, ay, az = arm
    cx = turn[1] * az - turn[2] * ay
    cy = turn[2] * ax - turn[0] * az
    cz = turn[0] * ay - turn[1] * ax
    ax = arm[0] + cx + 0.5 * (turn[1] * cz - turn[2] * cy)
    ay = arm[1] + cy + 0.5 * (turn[2] * cx - turn[0] * cz)
    az = arm[2] + cz + 0.5 * (turn[0] * cy - turn[1] * cx)
    rod[i, 0], rod[i, 1], rod[i, 2] = centre[0] + ax, centre[1] + ay, centre[2] + az
    rod[i, V] = linear[0] + angular[1] * az - angular[2] * ay
    rod[i, V + 1] = linear[1] + angular[2] * ax - angular[0] * az
    rod[i, V + 2] = linear[2] + angular[0] * ay - angular[1] * ax


@njit(cache=True, error_model="numpy", inline="always")
def plug_arms(q: Any, p: Any) -> Any:
    """Return where the plug's two nodes are from its centre, and tangent and axis, in the world."""
    end, tangent = turned(q, p[END]), turned(q, p[END_TANGENT])
    a = 0.5 * p[PIECE]
    outer = (end[0] + a * tangent[0], end[1] + a * tangent[1], end[2] + a * tangent[2])
    inner = (end[0] - a * tangent[0], end[1] - a * tangent[1], end[2] - a * tangent[2])
    return outer, inner, tangent, turned(q, p[END_AXIS])


@njit(cache=True, error_model="numpy", inline="always")
def plug_wrench(rod: Any, centre: Any, tangent: Any, moment: float) -> Any:
    """Return force and torque of the rod on the plug, about its centre."""
    n = rod.shape[0] - 2
    fx = fy = fz = 0.0
    # The cable arrives against its outward tangent.
    tx, ty, tz = moment * tangent[0], moment * tangent[1], moment * tangent[2]
    for i in range(n, n + 2):
        ax, ay, az = rod[i, 0] - centre[0], rod[i, 1] - centre[1], rod[i, 2] - centre[2]
        gx, gy, gz = rod[i, F], rod[i, F + 1], rod[i, F + 2]
        fx, fy, fz = fx + gx, fy + gy, fz + gz
        tx, ty, tz = tx + ay * gz - az * gy, ty + az * gx - ax * gz, tz + ax * gy - ay * gx
    return fx, fy, fz, tx, ty, tz
