"""One step of the spline fit: which points of nut and pin touch, and the wrench they exert.

Everything is in the pin frame (origin at the centre of the seat, +z towards the tip), about the
nut's centre of mass; its frame is turned so that +z points into the nut from the end that faces the
pin. Compiled once and cached; no Python object enters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from robot.sim.fit_distance import (
    DAMPING,
    HEIGHT,
    LENGTH,
    NEAR,
    OUTER,
    PLATE,
    STIFFNESS,
    TIP,
    nut_distance,
    pin_distance,
)
from robot.sim.fit_solver import (
    BX,
    BY,
    BZ,
    COLUMNS,
    DEPTH,
    HULL_DEPTH,
    INDEX,
    MOST,
    NX,
    NY,
    NZ,
    POINTS,
    PUSH,
    RX,
    RY,
    RZ,
    SCALE,
    end_of_step_wrench,
)

# Layout of what a nut remembers from one step to the next.
VALID, FLIP, MASS, ACROSS, AXIAL, SOFTNESS, STEP = range(7)
TWIST = slice(7, 13)
WRENCH = slice(13, 19)
KNOWN = slice(19, 25)
OTHER = slice(25, 31)
MEMORY = 31
# How much of what pushes on a free nut unexpectedly is believed at each step.
_FREE_SHARE = 0.1
# Largest change of the softness in a step, as a share.
_SOFTENING = 0.05


@njit(cache=True)
def find_points(
    rotation: Any,
    centre: Any,
    v: Any,
    p: Any,
    dt: float,
    nut_points: Any,
    rim_points: Any,
    pin_points: Any,
    bristles: Any,
    found: Any,
) -> tuple[int, float]:
    """List the points that touch or may touch within the step.

    Args:
        rotation: From the front-facing nut frame to the pin frame. Shape (3, 3).
        centre: The nut's centre of mass, in m. Shape (3,).
        v: The nut's twist (linear, angular) relative to the pin, in m/s and rad/s. Shape (6,).
        p: Parameters, as numbered in `fit_distance`.
        dt: Physics step, in s.
        nut_points: On the bore, z from the front face, in m. Shape (a, 3).
        rim_points: On the front face's rim, which also meets the plate, in m. Shape (b, 3).
        pin_points: On the pin, in m. Shape (c, 3).
        bristles: Bend of each point's bristle, in m. Shape (a + 2 b + c, 3).
        found: Filled row by row. Shape (512, 13).

    Returns:
        How many rows, and how deep the pin is inside the nut's outer hull, in m.
    """
    half = 0.5 * p[LENGTH]
    r00, r01, r02 = rotation[0, 0], rotation[0, 1], rotation[0, 2]
    r10, r11, r12 = rotation[1, 0], rotation[1, 1], rotation[1, 2]
    r20, r21, r22 = rotation[2, 0], rotation[2, 1], rotation[2, 2]
    cx, cy, cz = centre[0], centre[1], centre[2]
    height, plate = p[HEIGHT] + NEAR, p[PLATE]
    reach2 = (p[TIP] + NEAR) ** 2
    n, m = nut_points.shape[0], rim_points.shape[0]
    count = 0
    hull = 0.0
    for i in range(n + m):
        rim = i >= n
        if rim:
            a, b, c = rim_points[i - n, 0], rim_points[i - n, 1], rim_points[i - n, 2] - half
        else:
            a, b, c = nut_points[i, 0], nut_points[i, 1], nut_points[i, 2] - half
        rz = r20 * a + r21 * b + r22 * c
        z = cz + rz
        if z > height:
            continue
        rx = r00 * a + r01 * b + r02 * c
        ry = r10 * a + r11 * b + r12 * c
        x, y = cx + rx, cy + ry
        if rim and z < NEAR and abs(x) < plate and abs(y) < plate:
            count = _keep(z, 0.0, 0.0, 1.0, rx, ry, rz, v, dt, bristles, i + m, found, count)
        if x * x + y * y < reach2 and z > 0.0:
            d, nx, ny, nz = pin_distance(x, y, z, p)
            count = _keep(d, nx, ny, nz, rx, ry, rz, v, dt, bristles, i, found, count)
    for i in range(pin_points.shape[0]):
        rx, ry, rz = pin_points[i, 0] - cx, pin_points[i, 1] - cy, pin_points[i, 2] - cz
        c = r02 * rx + r12 * ry + r22 * rz + half
        if c < -NEAR:
            continue
        a = r00 * rx + r10 * ry + r20 * rz
        b = r01 * rx + r11 * ry + r21 * rz
        inside = min(p[OUTER] - math.sqrt(a * a + b * b), c)
        hull = max(hull, min(inside, p[LENGTH] - c))
        if inside > -NEAR:
            d, ga, gb, gc = nut_distance(a, b, c, p)
            nx = -(r00 * ga + r01 * gb + r02 * gc)
            ny = -(r10 * ga + r11 * gb + r12 * gc)
            nz = -(r20 * ga + r21 * gb + r22 * gc)
            at = n + 2 * m + i
            count = _keep(d, nx, ny, nz, rx, ry, rz, v, dt, bristles, at, found, count)
    return count, hull


@njit(cache=True)
def _keep(
    distance: float,
    nx: float,
    ny: float,
    nz: float,
    rx: float,
    ry: float,
    rz: float,
    v: Any,
    dt: float,
    bristles: Any,
    index: int,
    found: Any,
    count: int,
) -> int:
    """Add a point to the list if it touches or may touch within the step; return the new length.

    (rx, ry, rz) leads from the nut's centre to the point, (nx, ny, nz) is where the pin pushes it.
    """
    if distance >= NEAR:
        return count
    vn = (
        nx * (v[0] + v[4] * rz - v[5] * ry)
        + ny * (v[1] + v[5] * rx - v[3] * rz)
        + nz * (v[2] + v[3] * ry - v[4] * rx)
    )
    # A micrometre of room for what the other forces do within the step.
    if distance > 1e-6 - min(0.0, dt * vn):
        return count
    row = found[count]
    bristle = bristles[index]
    # The bristle stays in the tangent plane as the normal turns.
    bn = bristle[0] * nx + bristle[1] * ny + bristle[2] * nz
    row[INDEX], row[DEPTH] = index, -distance
    row[NX], row[NY], row[NZ] = nx, ny, nz
    row[RX], row[RY], row[RZ] = rx, ry, rz
    row[BX], row[BY], row[BZ] = bristle[0] - bn * nx, bristle[1] - bn * ny, bristle[2] - bn * nz
    row[PUSH], row[SCALE] = 1.0, 1.0
    return count + 1


@njit(cache=True)
def rotation_matrix(q: Any) -> Any:
    """Return the rotation matrix of a unit quaternion (x, y, z, w). Shape (3, 3)."""
    x, y, z, w = q
    out = np.empty((3, 3))
    out[0, 0], out[1, 1], out[2, 2] = (
        1 - 2 * (y * y + z * z),
        1 - 2 * (x * x + z * z),
        1 - 2 * (x * x + y * y),
    )
    out[0, 1], out[1, 0] = 2 * (x * y - z * w), 2 * (x * y + z * w)
    out[0, 2], out[2, 0] = 2 * (x * z + y * w), 2 * (x * z - y * w)
    out[1, 2], out[2, 1] = 2 * (y * z - x * w), 2 * (y * z + x * w)
    return out


@njit(cache=True)
def cosine_to_pin(q: Any, pin_rotation: Any) -> float:
    """Return the cosine of the angle between the axes of nut and pin."""
    x, y, z, w = q
    a, b, c = 2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)
    return float(pin_rotation[0, 2] * a + pin_rotation[1, 2] * b + pin_rotation[2, 2] * c)


@njit(cache=True)
def advance(
    position: Any,
    quaternion: Any,
    linear: Any,
    angular: Any,
    pin_position: Any,
    pin_rotation: Any,
    inertia: Any,
    known: Any,
    held: bool,
    most_stiffness: float,
    p: Any,
    dt: float,
    nut_points: Any,
    rim_points: Any,
    pin_points: Any,
    memory: Any,
    bristles: Any,
    report: Any,
) -> tuple[float, float, float, float, float, float]:
    """Return the contact wrench (force, torque about the nut's centre) along the world axes.

    Weight and magnetic pull are known. What else acts, fingers above all, is taken from the last
    step: `Fext = M (v - v_last) / dt - F_last`. Without it the step would hold back no more than
    about `M / dt^2` times the penetration, and a strong hand would push teeth through teeth. A held
    nut believes all of it at once; a free one, which should feel nothing else, only slowly, since
    its tiny moment of inertia would swing with every error.

    Args:
        position: Nut's centre of mass in the world, in m. Three numbers.
        quaternion: Its orientation (x, y, z, w). Four numbers.
        linear: Its velocity, in m/s. Three numbers.
        angular: Its angular velocity along the world axes, in rad/s. Three numbers.
        pin_position: Pin frame in the world, in m. Shape (3,).
        pin_rotation: From the pin frame to the world. Shape (3, 3).
        inertia: The body's mass, and moments across and along the axis. Shape (3,).
        known: Wrench of all that acts on a nut nobody touches, world axes. Shape (6,).
        held: Whether something else presses on it.
        most_stiffness: Of all touching points together, in N/m.
        p: Parameters, as numbered in `fit_distance`.
        dt: Of this step, in s.
        nut_points: As in `find_points`.
        rim_points: As in `find_points`.
        pin_points: As in `find_points`.
        memory: What the nut remembers; changed. Shape (31,).
        bristles: As in `find_points`; changed.
        report: Filled. Shape (5,).
    """
    world = rotation_matrix(quaternion)
    rotation = pin_rotation.T @ world
    flip = 1.0 if rotation[2, 2] >= 0.0 else -1.0
    if flip < 0.0:
        # The other end faces the pin: turn the frame half round about its x axis.
        rotation[:, 1] *= -1.0
        rotation[:, 2] *= -1.0
    if flip != memory[FLIP]:
        bristles[:] = 0.0
        memory[FLIP] = flip
    away = np.empty(3)
    twist = np.empty((2, 3))
    for a in range(3):
        away[a] = position[a] - pin_position[a]
        twist[0, a], twist[1, a] = linear[a], angular[a]
    centre = away @ pin_rotation
    v = (twist @ pin_rotation).ravel()

    external = (known.reshape(2, 3) @ pin_rotation).ravel()
    last, wrench = memory[TWIST], memory[WRENCH]
    other, last_known = memory[OTHER], memory[KNOWN]
    if memory[VALID] > 0.0:
        along = 0.0
        for a in range(3):
            along += rotation[a, 2] * (v[3 + a] - last[3 + a]) / memory[STEP]
        along *= memory[AXIAL] - memory[ACROSS]
        share = 1.0 if held else _FREE_SHARE
        for a in range(6):
            felt = (memory[MASS] if a < 3 else memory[ACROSS]) * (v[a] - last[a]) / memory[STEP]
            if a >= 3:
                felt += along * rotation[a - 3, 2]
            other[a] += share * (felt - wrench[a] - last_known[a] - other[a])
    if not held and memory[MASS] != inertia[0]:
        # Just let go: the fingers of the last step are gone.
        other[:] = 0.0
    last_known[:] = external
    external += other
    memory[VALID], memory[STEP] = 1.0, dt
    memory[MASS], memory[ACROSS], memory[AXIAL] = inertia[0], inertia[1], inertia[2]
    last[:] = v

    found = np.empty((MOST, COLUMNS))
    count, hull = find_points(
        rotation, centre, v, p, dt, nut_points, rim_points, pin_points, bristles, found
    )
    pushing = max(1.0, report[POINTS])
    bristles[:] = 0.0
    report[:] = 0.0
    report[HULL_DEPTH] = hull
    if count == 0:
        wrench[:] = 0.0
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    # Change the stiffness slowly: a point that joins at no depth must not unload the others.
    softness = memory[SOFTNESS] if memory[SOFTNESS] > 0.0 else 1.0
    wanted = min(1.0, most_stiffness / (pushing * p[STIFFNESS]))
    softness = min(softness * (1.0 + _SOFTENING), max(softness / (1.0 + _SOFTENING), wanted))
    memory[SOFTNESS] = softness
    soft = p.copy()
    soft[STIFFNESS] *= softness
    soft[DAMPING] *= softness
    mass = np.zeros((6, 6))
    for a in range(3):
        mass[a, a] = inertia[0]
        mass[3 + a, 3 + a] = inertia[1]
        for b in range(3):
            mass[3 + a, 3 + b] += (inertia[2] - inertia[1]) * rotation[a, 2] * rotation[b, 2]
    end_of_step_wrench(mass, external, v, soft, dt, found, count, bristles, report, wrench)
    r, w = pin_rotation, wrench
    return (
        r[0, 0] * w[0] + r[0, 1] * w[1] + r[0, 2] * w[2],
        r[1, 0] * w[0] + r[1, 1] * w[1] + r[1, 2] * w[2],
        r[2, 0] * w[0] + r[2, 1] * w[1] + r[2, 2] * w[2],
        r[0, 0] * w[3] + r[0, 1] * w[4] + r[0, 2] * w[5],
        r[1, 0] * w[3] + r[1, 1] * w[4] + r[1, 2] * w[5],
        r[2, 0] * w[3] + r[2, 1] * w[4] + r[2, 2] * w[5],
    )
