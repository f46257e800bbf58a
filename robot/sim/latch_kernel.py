"""One step of a plug in a socket: where its nose is, what slips, and the force on its axis.

Contact body and slide are two friction elements in series behind one elastic bristle:

    x = s + c + z,     F = k z + d dz/dt,     lo_s <= k z <= hi_s,     lo_c <= k z - F_cable <= hi_c

with the push F and limits that depend on s, c and what is latched. Whatever reaches its limit first
slips until the limit holds again, which makes peaks exact and holds still without creep. The cable
hangs on the contact body, so its pull does not load the slide. Compiled once and cached.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

# Layout of what a plug remembers from one step to the next.
SOCKET, S, C, Z, LATCHED, ARMED, RELAXED, PUSH, PEAK = range(9)
LATCH_BROKEN, PIN_BENT, OVER_FORCE, KEY_FORCED, LOCK_FORCED, LOCKED, INTERLOCK, POWER = range(9, 17)
DEPTH, OFFSET, TILT, FORCE = range(17, 21)
MEMORY = 21
# Layout of a socket: its profile, options and place.
STROKE, LATCHES, RETENTION = 0, 1, 2
RELEASE_STROKE, RELEASE_FORCE = 3, 4
LOCK_STROKE, LOCK_FORCE, UNLOCK_FORCE, BLOCKED_FORCE, ARM_FORCE = 5, 6, 7, 8, 9
INTERLOCK_SLIDE, POWER_DEPTH, LATCH_DEPTH, STOP, MATCHES = 10, 11, 12, 13, 14
PIN_DEPTH, PIN_TILT, PIN_OFFSET, PIN_FORCE, KEY_FORCE, MAX_FORCE = 15, 16, 17, 18, 19, 20
HALF_X, HALF_Y, CLICKS, STIFFNESS, DETENT, DRAG = 21, 22, 23, 24, 25, 26
ORIGIN = slice(27, 30)
ROTATION = slice(30, 39)
KNOTS = slice(39, 45)
PUSH_AT = slice(45, 51)
PULL_AT = slice(51, 57)
SEAL = 57
PARAMETERS = 58

_INFINITE = 1e9
# The bristle's damping, in N·s/m: rings of a plug of 0.3 kg on it die out in some 10 ms.
_DAMPING = 60.0
# Damping over stiffness of the seal, in s: more would ring on the plug's inertia at 1 kHz.
_SEAL_DAMPING = 1.2e-3
# What the sleeve's spring keeps of its force on the way back.
_RETURN = 0.3
# A push is averaged over this time before it counts as harm, in s: peaks of single steps are an
# artefact of stiff contact. The latch springs back when relaxed for as long as `_ARM_TIME`.
_PUSH_TIME = 0.01
_ARM_TIME = 0.03
# A nose this far out of the mouth has left, in m.
_LEFT = 5e-4
_TINY = 1e-9
_MOST_SLIPS = 64


@njit(cache=True)
def advance(
    position: Any,
    quaternion: Any,
    nose: float,
    cable: Any,
    contact_push: float,
    sockets: Any,
    memory: Any,
    dt: float,
) -> tuple[float, float, float, float, float, float]:
    """Return the force on the plug and the point it acts on, in the world, and move the state on.

    Args:
        position: Plug frame in the world, in m. Three numbers.
        quaternion: Its orientation (x, y, z, w). Four numbers.
        nose: From the plug frame to the nose's tip along z, in m.
        cable: Force of the cable on the plug, world axes, in N. Shape (3,).
        contact_push: What the walls bore of the push in the last step, in N.
        sockets: One row each, laid out as above. Shape (n, PARAMETERS).
        memory: Of the plug, laid out as above; changed. Shape (MEMORY,).
        dt: Of the step, in s.
    """
    qx, qy, qz, qw = quaternion
    ax, ay, az = 2 * (qx * qz + qw * qy), 2 * (qy * qz - qw * qx), 1 - 2 * (qx * qx + qy * qy)
    tx, ty, tz = position[0] + nose * ax, position[1] + nose * ay, position[2] + nose * az
    inside = _inside(int(memory[SOCKET]), tx, ty, tz, sockets)
    if inside != int(memory[SOCKET]):
        _enter(inside, memory)
    if inside < 0:
        return 0.0, 0.0, 0.0, tx, ty, tz
    p = sockets[inside]
    r = p[ROTATION]
    dx, dy, dz = tx - p[27], ty - p[28], tz - p[29]
    x = r[2] * dx + r[5] * dy + r[8] * dz
    across, up = r[0] * dx + r[3] * dy + r[6] * dz, r[1] * dx + r[4] * dy + r[7] * dz
    memory[DEPTH] = x
    memory[OFFSET] = math.sqrt(across * across + up * up)
    memory[TILT] = math.acos(min(1.0, max(-1.0, r[2] * ax + r[5] * ay + r[8] * az)))
    pull = r[2] * cable[0] + r[5] * cable[1] + r[8] * cable[2]
    before = memory[Z]
    _slip(x, pull, dt, p, memory)
    push = p[STIFFNESS] * memory[Z]
    memory[FORCE] = push + _DAMPING * (memory[Z] - before) / dt
    if memory[LATCHED] == 0.0:
        memory[PEAK] = max(memory[PEAK], push)
    memory[RELAXED] = memory[RELAXED] + dt if push < p[ARM_FORCE] else 0.0
    if memory[LATCHED] > 0.0 and memory[RELAXED] > _ARM_TIME:
        memory[ARMED] = 1.0
    memory[PUSH] += min(1.0, dt / _PUSH_TIME) * (push + contact_push - memory[PUSH])
    _contacts(p, memory)
    _harm(p, memory)
    f = -memory[FORCE]
    return f * r[2], f * r[5], f * r[8], tx, ty, tz


@njit(cache=True)
def straighten(quaternion: Any, angular: Any, p: Any, depth: float) -> tuple[float, float, float]:
    """Return the torque of seal and contact springs on a plug that lies askew, world axes, in N·m.

    For small angles the rotation between two frames is half the sum of the cross products of their
    axes.

    Args:
        quaternion: Of the plug in the world (x, y, z, w). Four numbers.
        angular: Its angular velocity, world axes, in rad/s. Three numbers.
        p: The socket. Shape (PARAMETERS,).
        depth: Of the contact body, in m.
    """
    x, y, z, w = quaternion
    a = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
    r = p[ROTATION]
    engaged = p[KNOTS][1]
    share = min(1.0, max(0.0, (depth - engaged) / max(p[STROKE] - engaged, _TINY)))
    k, d = 0.5 * share * p[SEAL], share * _SEAL_DAMPING * p[SEAL]
    ex, ey, ez = 0.0, 0.0, 0.0
    for i in range(3):
        bx, by, bz = r[i], r[3 + i], r[6 + i]
        ax, ay, az = a[i]
        ex += ay * bz - az * by
        ey += az * bx - ax * bz
        ez += ax * by - ay * bx
    return k * ex - d * angular[0], k * ey - d * angular[1], k * ez - d * angular[2]


@njit(cache=True)
def gap(position: Any, sockets: Any) -> float:
    """Return the distance of the nearest socket's mouth from a plug's origin, in m."""
    best = _INFINITE
    for i in range(sockets.shape[0]):
        dx, dy = position[0] - sockets[i, 27], position[1] - sockets[i, 28]
        dz = position[2] - sockets[i, 29]
        best = min(best, dx * dx + dy * dy + dz * dz)
    return math.sqrt(best)


@njit(cache=True)
def _inside(current: int, x: float, y: float, z: float, sockets: Any) -> int:
    """Return the number of the socket that a point lies in, -1 for none; it stays until it left."""
    for i in range(sockets.shape[0]):
        p = sockets[i]
        r = p[ROTATION]
        dx, dy, dz = x - p[27], y - p[28], z - p[29]
        depth = r[2] * dx + r[5] * dy + r[8] * dz
        if depth < (-_LEFT if i == current else 0.0) or depth > p[STROKE] + p[LOCK_STROKE] + 0.01:
            continue
        if (
            abs(r[0] * dx + r[3] * dy + r[6] * dz) < p[HALF_X]
            and abs(r[1] * dx + r[4] * dy + r[7] * dz) < p[HALF_Y]
        ):
            return i
    return -1


@njit(cache=True)
def _enter(socket: int, memory: Any) -> None:
    """Start at a socket's mouth, or nowhere; what was broken stays broken."""
    memory[SOCKET] = socket
    for entry in (S, C, Z, LATCHED, ARMED, RELAXED, PUSH, LOCKED, INTERLOCK, POWER):
        memory[entry] = 0.0
    for entry in (DEPTH, OFFSET, TILT, FORCE):
        memory[entry] = 0.0


@njit(cache=True)
def _slip(x: float, pull: float, dt: float, p: Any, m: Any) -> None:
    """Let contacts and slide slip until the bristle is within every limit.

    Args:
        x: Depth of the nose, in m.
        pull: Force of the cable along the socket's axis, in N; negative pulls out.
        dt: Of the step, in s.
        p: The socket. Shape (PARAMETERS,).
        m: Memory of the plug; changed. Shape (MEMORY,).
    """
    k, drag, start = p[STIFFNESS], p[DRAG] / dt, m[S]
    for _ in range(_MOST_SLIPS):
        _latch(p, m)
        f = k * (x - m[S] - m[C])
        high_s, slope_s, end_s = _push_limit(p, m)
        high_c, end_c = _slide_in(p, m)
        low_s, fall_s, out_s = _pull_limit(p, m)
        low_c, out_c = _slide_out(p, m)
        high_c, low_c = high_c + pull, low_c + pull
        slowed = drag * (m[S] - start)
        high_s, low_s = high_s + slowed, low_s + slowed
        # A tenth of a micrometre of force, so that rounding ends the loop.
        if f > min(high_s, high_c) + k * 1e-10:
            if high_s <= high_c:
                # F falls along the bristle and rises along the profile: they meet here.
                m[S] = min(end_s, m[S] + (f - high_s) / max(k + slope_s + drag, 0.05 * k))
            else:
                if m[C] >= -_TINY and m[ARMED] == 0.0:
                    m[LOCK_FORCED] = 1.0
                m[C] = min(end_c, m[C] + (f - high_c) / k)
        elif f < max(low_s, low_c) - k * 1e-10:
            if low_s >= low_c:
                if m[LATCHED] > 0.0 and m[S] <= p[LATCH_DEPTH] + _TINY:
                    m[LATCH_BROKEN], m[LATCHED], m[ARMED] = 1.0, 0.0, 0.0
                    continue
                m[S] = max(out_s, m[S] + (f - low_s) / max(k + fall_s + drag, 0.05 * k))
            else:
                m[C] = max(out_c, m[C] + (f - low_c) / k)
        else:
            break
    _latch(p, m)
    m[Z] = x - m[S] - m[C]


@njit(cache=True)
def _latch(p: Any, m: Any) -> None:
    """Let the latch click or be held open, as contacts and slide are."""
    if m[C] <= -0.9 * p[RELEASE_STROKE] and p[LATCHES] > 0.0:
        m[LATCHED], m[ARMED] = 0.0, 0.0
    elif (
        m[S] >= p[LATCH_DEPTH] - _TINY
        and m[C] > -0.5 * p[RELEASE_STROKE]
        and m[LATCHED] == 0.0
        and _can_latch(p, m)
    ):
        m[LATCHED], m[ARMED], m[RELAXED] = 1.0, 0.0, 0.0


@njit(cache=True)
def _can_latch(p: Any, m: Any) -> Any:
    return p[CLICKS] > 0.0 and m[LATCH_BROKEN] == 0.0


@njit(cache=True)
def _push_limit(p: Any, m: Any) -> tuple[float, float, float]:
    """Return what going in takes, its slope, and how far that holds."""
    s = m[S]
    if s >= p[STOP] - _TINY:
        return _INFINITE, 0.0, s
    knots, force = p[KNOTS], p[PUSH_AT]
    i = 0
    while i < knots.size - 2 and knots[i + 1] <= s + _TINY:
        i += 1
    start, end = force[i], force[i + 1]
    # Entry 4 is the force at which the latch clicks, without which friction just goes on.
    if i == 3 and not _can_latch(p, m):
        end = start
    if i == 4:
        start = end
    slope = (end - start) / max(knots[i + 1] - knots[i], _TINY)
    return start + slope * (s - knots[i]), slope, min(knots[i + 1], p[STOP])


@njit(cache=True)
def _pull_limit(p: Any, m: Any) -> tuple[float, float, float]:
    """Return what coming out takes (negative), its slope over s, and how far that holds."""
    s = m[S]
    if m[LATCHED] > 0.0 and s <= p[LATCH_DEPTH] + _TINY:
        return -p[RETENTION], 0.0, s
    knots, force = p[KNOTS], p[PULL_AT]
    i = knots.size - 2
    while i > 0 and knots[i] >= s - _TINY:
        i -= 1
    if s <= _TINY:
        # Outside there is nothing to hold it.
        return 0.0, 0.0, -_INFINITE
    slope = (force[i + 1] - force[i]) / max(knots[i + 1] - knots[i], _TINY)
    return -(force[i] + slope * (s - knots[i])), -slope, knots[i]


@njit(cache=True)
def _slide_in(p: Any, m: Any) -> tuple[float, float]:
    """Return what moving the slide in takes, and how far that holds."""
    c = m[C]
    if p[LATCHES] == 0.0 or c >= p[LOCK_STROKE] - _TINY:
        return _INFINITE, c
    if c < -_TINY:
        return -_RETURN * p[RELEASE_FORCE], 0.0
    if m[ARMED] == 0.0:
        # A knock does not break what blocks it, a push that lasts does.
        return (p[BLOCKED_FORCE] if m[PUSH] > p[BLOCKED_FORCE] else _INFINITE), p[LOCK_STROKE]
    if c < p[LOCK_STROKE] - p[DETENT] - _TINY:
        return p[LOCK_FORCE], p[LOCK_STROKE] - p[DETENT]
    return 0.1 * p[LOCK_FORCE], p[LOCK_STROKE]


@njit(cache=True)
def _slide_out(p: Any, m: Any) -> tuple[float, float]:
    """Return what drawing the slide back takes (negative), and how far that holds."""
    c = m[C]
    if p[LATCHES] == 0.0 or c <= -p[RELEASE_STROKE] + _TINY:
        return -_INFINITE, c
    if c <= _TINY:
        return -p[RELEASE_FORCE], -p[RELEASE_STROKE]
    if c > p[LOCK_STROKE] - p[DETENT] + _TINY:
        return -p[UNLOCK_FORCE], p[LOCK_STROKE] - p[DETENT]
    return -0.5 * p[UNLOCK_FORCE], 0.0


@njit(cache=True)
def _contacts(p: Any, m: Any) -> None:
    """Say which electric contacts are closed."""
    matches = p[MATCHES] > 0.0
    m[POWER] = 1.0 if matches and m[S] > p[POWER_DEPTH] else 0.0
    in_use = p[LOCK_STROKE] > 0.0 and m[LATCHED] > 0.0
    m[LOCKED] = 1.0 if in_use and m[C] > p[LOCK_STROKE] - 0.5 * p[DETENT] else 0.0
    closed = in_use and m[C] > p[INTERLOCK_SLIDE]
    m[INTERLOCK] = 1.0 if matches and closed else 0.0


@njit(cache=True)
def _harm(p: Any, m: Any) -> None:
    """Set the flags of what was done to the connector."""
    if m[PUSH] > p[MAX_FORCE]:
        m[OVER_FORCE] = 1.0
    if p[MATCHES] == 0.0:
        if m[PUSH] > p[KEY_FORCE]:
            m[KEY_FORCED] = 1.0
        return
    askew = m[TILT] > p[PIN_TILT] or m[OFFSET] > p[PIN_OFFSET]
    if askew and m[DEPTH] > p[PIN_DEPTH] and m[PUSH] > p[PIN_FORCE]:
        m[PIN_BENT] = 1.0
