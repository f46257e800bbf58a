"""The backward Euler step of a body on many stiff points of contact with friction; compiled.

With M the body's inertia, v its twist now and u at the end of the step, each point i has

    normal    fn = max(0, k (depth - dt un) - d un)
    friction  ft = -kt (bristle + dt ut) - d ut,  scaled back to mu fn where it is longer

and u solves M (u - v) = dt (Fext + sum of fn n + ft). A 7 g nut on 1e5 N/m per point at 1 ms is far
beyond what an explicit step can do. Which points push, which slip and by how much their friction is
scaled is found by repeating the 6 x 6 solve until nothing changes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from robot.sim.fit_distance import DAMPING, FRICTION, SHEAR, STIFFNESS

# Indices into the report of one step.
POINTS, PENETRATION, NORMAL_SUM, HULL_DEPTH, ROUNDS = range(5)
REPORT = 5

# Columns of the list of touching points.
INDEX, DEPTH, NX, NY, NZ, RX, RY, RZ, BX, BY, BZ, PUSH, SCALE = range(13)
COLUMNS = 13
# Points that may touch at once: six teeth give 456, of which 24 may touch twice.
MOST = 512
_MOST_ROUNDS = 12
# The scale of friction has settled when it changes by less than this share.
_SETTLED = 0.02


@njit(cache=True)
def _assemble(found: Any, count: int, p: Any, dt: float, matrix: Any, right: Any) -> None:
    """Add the points that push to the matrix (lower triangle) and the right-hand side."""
    k, d, kt = p[STIFFNESS], p[DAMPING], p[SHEAR] * p[STIFFNESS]
    hold_n = dt * (dt * k + d)
    j = np.empty(6)
    for i in range(count):
        row = found[i]
        if row[PUSH] == 0.0:
            continue
        nx, ny, nz, rx, ry, rz = row[NX], row[NY], row[NZ], row[RX], row[RY], row[RZ]
        j[0], j[1], j[2] = nx, ny, nz
        j[3], j[4], j[5] = ry * nz - rz * ny, rz * nx - rx * nz, rx * ny - ry * nx
        s = row[SCALE]
        h = s * dt * (dt * kt + d)
        # h (1 - n n') + hold_n n n', with J = [1, -[r]x].
        rest = hold_n - h
        for a in range(6):
            ra = rest * j[a]
            for b in range(a + 1):
                matrix[a, b] += ra * j[b]
        matrix[0, 0] += h
        matrix[1, 1] += h
        matrix[2, 2] += h
        matrix[3, 1] -= h * rz
        matrix[3, 2] += h * ry
        matrix[4, 0] += h * rz
        matrix[4, 2] -= h * rx
        matrix[5, 0] -= h * ry
        matrix[5, 1] += h * rx
        matrix[3, 3] += h * (ry * ry + rz * rz)
        matrix[4, 4] += h * (rx * rx + rz * rz)
        matrix[5, 5] += h * (rx * rx + ry * ry)
        matrix[4, 3] -= h * rx * ry
        matrix[5, 3] -= h * rx * rz
        matrix[5, 4] -= h * ry * rz
        spring, bend = dt * k * row[DEPTH], -s * dt * kt
        fx = spring * nx + bend * row[BX]
        fy = spring * ny + bend * row[BY]
        fz = spring * nz + bend * row[BZ]
        right[0] += fx
        right[1] += fy
        right[2] += fz
        right[3] += ry * fz - rz * fy
        right[4] += rz * fx - rx * fz
        right[5] += rx * fy - ry * fx


@njit(cache=True)
def _revise(found: Any, count: int, u: Any, p: Any, dt: float, bristles: Any, report: Any) -> bool:
    """Decide from the end-of-step twist which points push and slip; return whether that is new.

    Also writes the bristles and the report that belong to this twist.
    """
    k, d, kt = p[STIFFNESS], p[DAMPING], p[SHEAR] * p[STIFFNESS]
    report[POINTS], report[PENETRATION], report[NORMAL_SUM] = 0.0, 0.0, 0.0
    changed = False
    for i in range(count):
        row = found[i]
        nx, ny, nz, rx, ry, rz = row[NX], row[NY], row[NZ], row[RX], row[RY], row[RZ]
        vx = u[0] + u[4] * rz - u[5] * ry
        vy = u[1] + u[5] * rx - u[3] * rz
        vz = u[2] + u[3] * ry - u[4] * rx
        vn = vx * nx + vy * ny + vz * nz
        depth = row[DEPTH] - dt * vn
        fn = k * depth - d * vn
        bristle = bristles[int(row[INDEX])]
        if fn <= 0.0:
            changed = changed or row[PUSH] != 0.0
            row[PUSH] = 0.0
            bristle[:] = 0.0
            continue
        tx, ty, tz = vx - vn * nx, vy - vn * ny, vz - vn * nz
        bx, by, bz = row[BX] + dt * tx, row[BY] + dt * ty, row[BZ] + dt * tz
        fx, fy, fz = kt * bx + d * tx, kt * by + d * ty, kt * bz + d * tz
        size = math.sqrt(fx * fx + fy * fy + fz * fz)
        limit = p[FRICTION] * fn
        scale = 1.0
        if size > limit:
            scale = limit / size
            # Keep the bristle at the bend that carries the limit, so that it turns back at once.
            bx, by, bz = scale * fx / kt, scale * fy / kt, scale * fz / kt
        bristle[0], bristle[1], bristle[2] = bx, by, bz
        old = row[SCALE]
        changed = changed or row[PUSH] == 0.0 or abs(scale - old) > _SETTLED * (scale + old)
        row[PUSH], row[SCALE] = 1.0, scale
        report[POINTS] += 1.0
        report[PENETRATION] = max(report[PENETRATION], depth)
        report[NORMAL_SUM] += fn
    return changed


@njit(cache=True)
def _solve(lower: Any, x: Any) -> None:
    """Solve a symmetric positive definite system of six in place by Cholesky's method."""
    for a in range(6):
        for b in range(a + 1):
            total = lower[a, b]
            for c in range(b):
                total -= lower[a, c] * lower[b, c]
            lower[a, b] = math.sqrt(total) if a == b else total / lower[b, b]
    for a in range(6):
        for c in range(a):
            x[a] -= lower[a, c] * x[c]
        x[a] /= lower[a, a]
    for a in range(5, -1, -1):
        for c in range(a + 1, 6):
            x[a] -= lower[c, a] * x[c]
        x[a] /= lower[a, a]


@njit(cache=True)
def end_of_step_wrench(
    mass: Any,
    external: Any,
    v: Any,
    p: Any,
    dt: float,
    found: Any,
    count: int,
    bristles: Any,
    report: Any,
    out: Any,
) -> None:
    """Fill `out` with the contact wrench of a backward Euler step.

    Args:
        mass: Generalized inertia of the nut. Shape (6, 6).
        external: Everything else that acts on the nut. Shape (6,).
        v: Twist relative to the pin, now. Shape (6,).
        p: Parameters, as numbered in `fit_distance`.
        dt: Physics step, in s.
        found: Points that may touch, of which `count` rows are used; changed.
        count: How many.
        bristles: Bend of each point's bristle; changed.
        report: Filled. Shape (5,).
        out: Filled. Shape (6,).
    """
    matrix = np.empty((6, 6))
    u = np.empty(6)
    for rounds in range(1, _MOST_ROUNDS + 1):
        matrix[:] = mass
        for a in range(6):
            u[a] = dt * external[a]
            for b in range(6):
                u[a] += mass[a, b] * v[b]
        _assemble(found, count, p, dt, matrix, u)
        _solve(matrix, u)
        report[ROUNDS] = rounds
        if not _revise(found, count, u, p, dt, bristles, report):
            break
    for a in range(6):
        total = 0.0
        for b in range(6):
            total += mass[a, b] * (u[b] - v[b])
        out[a] = total / dt - external[a]
