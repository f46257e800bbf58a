"""A free nut's flight to the pin, in steps so short that no tooth is passed over; compiled.

A magnet pulls a 7 g nut with a hundred times its weight: over the last millimetres it reaches
3 m/s, and a step of 1 ms would first see it with its teeth inside the pin's. While a free nut moves
further in a step than contact is looked for, its step is divided, and force and contact of each
part are as in `fit_kernel`. Bullet moves a body by the velocity it has at the end of a step, so it
is given the mean velocity of the flight, which leads it to the right place. What that lacks to the
velocity at the flight's end is handed over at the beginning of the next step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from robot.sim.fit_distance import LENGTH, NEAR, OUTER
from robot.sim.fit_kernel import (
    MASS,
    OTHER,
    STEP,
    TWIST,
    VALID,
    WRENCH,
    advance,
    rotation_matrix,
)

# How far any point of the nut may move in a part of a step, as a share of where contact is looked
# for; what the forces add within the part has to fit in as well.
_SHARE = 0.5
# A nut that touches and is slower than this, in m/s, rests on what it touches.
_RESTING = 0.02
# A nut that falls 1.3 m and is pulled by 20 N needs as many.
_MOST_PARTS = 64


@njit(cache=True)
def parts_of_step(
    linear: Any,
    angular: Any,
    known: Any,
    inertia: Any,
    memory: Any,
    pin_rotation: Any,
    touched: bool,
    p: Any,
    dt: float,
) -> int:
    """Return into how many parts the step of a free nut is to be divided.

    What moves it is known, or for one that touches was found in the last step. One that was let go
    in contact does not know yet what holds it; like one that is slow, it is taken to rest.

    Args:
        linear: Its velocity, in m/s. Three numbers.
        angular: Its angular velocity, in rad/s. Three numbers.
        known: Wrench of weight and magnet, world axes, in N and N·m. Shape (6,).
        inertia: Mass, and moments across and along the axis. Three numbers.
        memory: What the nut remembers. Shape (31,).
        pin_rotation: From the pin frame to the world. Shape (3, 3).
        touched: Whether it touched the fixture in the last step.
        p: Parameters, as numbered in `fit_distance`.
        dt: Physics step, in s.
    """
    radius = math.hypot(p[OUTER], 0.5 * p[LENGTH])
    speed = _length(linear) + radius * _length(angular)
    force, torque = known[:3].copy(), known[3:].copy()
    if touched:
        borne = memory[WRENCH] + memory[OTHER]
        force += pin_rotation @ borne[:3]
        torque += pin_rotation @ borne[3:]
    if not touched or (speed > _RESTING and memory[MASS] == inertia[0]):
        least = min(inertia[1], inertia[2])
        speed += dt * (_length(force) / inertia[0] + radius * _length(torque) / least)
    return int(max(1, min(_MOST_PARTS, math.ceil(speed * dt / (_SHARE * NEAR)))))


@njit(cache=True)
def _length(vector: Any) -> float:
    """Return the length of a vector of three numbers."""
    return math.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)


@njit(cache=True)
def fly(
    position: Any,
    quaternion: Any,
    linear: Any,
    angular: Any,
    pin_position: Any,
    pin_rotation: Any,
    inertia: Any,
    known: Any,
    p: Any,
    dt: float,
    parts: int,
    nut_points: Any,
    rim_points: Any,
    pin_points: Any,
    memory: Any,
    bristles: Any,
    report: Any,
) -> tuple[Any, Any]:
    """Return what to push a free nut with during a step, and what its velocity then lacks.

    Args:
        position: As in `fit_kernel.advance`, like all that is not described here.
        quaternion: Of the nut.
        linear: Of the nut.
        angular: Of the nut.
        pin_position: In the world.
        pin_rotation: In the world.
        inertia: The part's own.
        known: Taken as the same during the step.
        p: Parameters.
        dt: Physics step, in s.
        parts: Into how many the step is divided.
        nut_points: On the bore.
        rim_points: On the rim.
        pin_points: On the pin.
        memory: Changed.
        bristles: Changed.
        report: Filled, with that of the last part.

    Returns:
        Force and torque about the nut's centre on top of the known ones, and what is to be added to
        the twist that Bullet then has; along the world axes. Shapes (6,) and (6,).
    """
    short = dt / parts
    x, q = np.empty(3), np.empty(4)
    v, mean = np.empty(6), np.zeros(6)
    for a in range(3):
        x[a], v[a], v[3 + a] = position[a], linear[a], angular[a]
    for a in range(4):
        q[a] = quaternion[a]
    begin, axis = v.copy(), np.ascontiguousarray(rotation_matrix(q)[:, 2])
    total, other = np.empty(6), np.empty(6)
    first = np.empty(6)
    for part in range(parts):
        contact = advance(
            x, q, v[:3], v[3:], pin_position, pin_rotation, inertia, known, False, math.inf, p,
            short, nut_points, rim_points, pin_points, memory, bristles, report,
        )  # fmt: skip
        if part == 0:
            first[:] = memory[TWIST]
            other[:3] = pin_rotation @ memory[OTHER][:3]
            other[3:] = pin_rotation @ memory[OTHER][3:]
        # Nothing unexpected happens until Bullet has made its step.
        memory[VALID] = 0.0
        for a in range(6):
            total[a] = known[a] + other[a] + contact[a]
        v += short * _response(total, rotation_matrix(q)[:, 2], inertia)
        for a in range(3):
            x[a] += short * v[a]
        q = _turned(q, v[3], v[4], v[5], short)
        mean += v / parts
    push = _load(mean - begin, axis, inertia, dt) - known - other
    # Remember it as one step, from which the next one tells what else acted.
    whole = _load(v - begin, axis, inertia, dt) - known - other
    memory[TWIST] = first
    memory[WRENCH][:3] = whole[:3] @ pin_rotation
    memory[WRENCH][3:] = whole[3:] @ pin_rotation
    memory[VALID], memory[STEP] = 1.0, dt
    return push, v - mean


@njit(cache=True)
def _response(wrench: Any, axis: Any, inertia: Any) -> Any:
    """Return the acceleration, linear and angular, of a free nut. Shape (6,)."""
    mass, across, axial = inertia
    out = np.empty(6)
    along = wrench[3] * axis[0] + wrench[4] * axis[1] + wrench[5] * axis[2]
    along *= 1.0 / axial - 1.0 / across
    for a in range(3):
        out[a] = wrench[a] / mass
        out[3 + a] = wrench[3 + a] / across + along * axis[a]
    return out


@njit(cache=True)
def _load(change: Any, axis: Any, inertia: Any, dt: float) -> Any:
    """Return the wrench that changes a nut's twist so much within a time. Shape (6,)."""
    mass, across, axial = inertia
    out = np.empty(6)
    along = change[3] * axis[0] + change[4] * axis[1] + change[5] * axis[2]
    along *= axial - across
    for a in range(3):
        out[a] = mass * change[a] / dt
        out[3 + a] = (across * change[3 + a] + along * axis[a]) / dt
    return out


@njit(cache=True)
def _turned(q: Any, wx: float, wy: float, wz: float, dt: float) -> Any:
    """Return a unit quaternion (x, y, z, w) turned for a while about a world axis. Shape (4,)."""
    speed = math.sqrt(wx * wx + wy * wy + wz * wz)
    half = 0.5 * dt * speed
    s = 0.5 * dt if half < 1e-9 else math.sin(half) / speed
    c = math.cos(half)
    ax, ay, az = s * wx, s * wy, s * wz
    x, y, z, w = q
    out = np.empty(4)
    out[0] = c * x + ax * w + ay * z - az * y
    out[1] = c * y + ay * w + az * x - ax * z
    out[2] = c * z + az * w + ax * y - ay * x
    out[3] = c * w - ax * x - ay * y - az * z
    return out / math.sqrt((out * out).sum())
