"""One physics step of the harness, and how it comes to rest before the first one.

The plug is carried along in the substeps under the rod's force and the lagged acceleration by
everything else (gravity, hand, socket): held still instead, it makes plugs of 0.2 kg unstable at
steps of 1 ms. Bullet then gets the mean of the rod's wrench over the substeps.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from robot.sim.harness_contact import contact_forces, find_near
from robot.sim.harness_rod import (
    BEND_LIMIT,
    FRICTION,
    INVERSE_INERTIA,
    INVERSE_MASS,
    PIECE,
    STILL_SPEED,
    TUG_LIMIT,
    TWIST,
    TWIST_LOSS,
    F,
    V,
    elastic_forces,
    move_nodes,
    plug_arms,
    plug_wrench,
    put_node,
    spin_up,
    twist_angle,
)

# Layout of what is remembered from step to step: twist angle, what to add to the measured one,
# how many steps plug and rod have been still; accelerations by all but the rod, the plug's last
# twist, and the rod's last wrench on it.
ANGLE, OFFSET, QUIET = range(3)
OTHER, LAST_TWIST, LAST_WRENCH = 3, 9, 15
# Where the plug was when it last counted as moved: position and quaternion.
ANCHOR = 21
# Pull along the cable, force across it, both in N; largest curvature, in 1/m.
ALONG, ACROSS, CURVATURE = 28, 29, 30
# Of bending, then of tug: whether over the limit, for how long the opposite, crossings, time over.
HARM = 31
MEMORY = 39

# Still for so many steps, rod and plug are left alone.
QUIET_STEPS = 100
# How much of what pushes on the plug unexpectedly is believed at each step.
_SHARE = 0.3
# A limit counts as crossed, or as kept again, after this long, in s.
_HARM_TIME = 0.02
# A plug that in one step is this far from where the rod has it, in pieces, was put elsewhere.
_JUMP = 0.5
# A plug that is less than this from where it was, in m and in rad, has not moved.
_STILL_DISTANCE, _STILL_ANGLE = 5e-5, 5e-4
# Relaxing ends when no node is faster, in m/s, and none is pushed more, in N.
_RELAXED_SPEED, _RELAXED_FORCE = 2e-4, 1e-3


@njit(cache=True, error_model="numpy")
def _measure(memory: Any, p: Any, wrench: Any, tangent: Any, bending: float, dt: float) -> None:
    """Note the measures of a step, and judge them.

    Args:
        memory: Shape (MEMORY,).
        p: Parameters.
        wrench: On the plug. Six numbers.
        tangent: Of the cable out of the plug, in the world. Three numbers.
        bending: The largest kappa^2.
        dt: Physics step, in s; zero where nothing is to be judged.
    """
    along = wrench[0] * tangent[0] + wrench[1] * tangent[1] + wrench[2] * tangent[2]
    squared = wrench[0] ** 2 + wrench[1] ** 2 + wrench[2] ** 2
    memory[ALONG], memory[ACROSS] = along, math.sqrt(max(squared - along * along, 0.0))
    memory[CURVATURE] = math.sqrt(bending) / p[PIECE]
    for which in range(2):
        at = HARM + 4 * which
        if which == 0:
            over = memory[CURVATURE] * p[BEND_LIMIT] > 1.0
        else:
            over = squared > p[TUG_LIMIT] * p[TUG_LIMIT]
        if over:
            memory[at + 3] += dt
        if over == (memory[at] > 0.0):
            memory[at + 1] = 0.0
            continue
        memory[at + 1] += dt
        # Half a step, so that rounding neither adds nor loses one.
        if memory[at + 1] > _HARM_TIME - 0.5 * dt:
            memory[at], memory[at + 1] = (1.0 if over else 0.0), 0.0
            memory[at + 2] += memory[at]


@njit(cache=True, error_model="numpy")
def has_moved(position: Any, quaternion: Any, memory: Any, share: float) -> bool:
    """Return whether the plug is not where it was when it last counted as moved.

    Args:
        position: Of its centre in the world, in m. Three numbers.
        quaternion: Its orientation (x, y, z, w). Four numbers.
        memory: Shape (MEMORY,).
        share: Factor of the distance and angle that count.
    """
    squared, cosine = 0.0, 0.0
    for c in range(3):
        squared += (position[c] - memory[ANCHOR + c]) ** 2
    for c in range(4):
        cosine += quaternion[c] * memory[ANCHOR + 3 + c]
    # Of half the angle; its square is 1 - angle^2 / 4.
    return (
        squared > (share * _STILL_DISTANCE) ** 2
        or 1.0 - cosine * cosine > 0.25 * (share * _STILL_ANGLE) ** 2
    )


@njit(cache=True, error_model="numpy")
def advance(
    position: Any,
    quaternion: Any,
    linear: Any,
    angular: Any,
    rod: Any,
    memory: Any,
    p: Any,
    boxes: Any,
    pairs: Any,
    dt: float,
    substeps: int,
) -> tuple[float, float, float, float, float, float, float]:
    """Make one physics step.

    Args:
        position: Of the plug's centre in the world, in m. Three numbers.
        quaternion: Its orientation (x, y, z, w). Four numbers.
        linear: Its velocity, in m/s. Three numbers.
        angular: Likewise, in rad/s. Three numbers.
        rod: Nodes; changed. Shape (n + 2, COLUMNS).
        memory: Changed. Shape (MEMORY,).
        p: Parameters. Shape (PARAMETERS,).
        boxes: Obstacles. Shape (b, BOX).
        pairs: Work space. Shape (most, 2).
        dt: Physics step, in s.
        substeps: How many the rod makes in it.

    Returns:
        Mean force and torque on the plug about its centre, and the largest squared speed of a node,
        or zeros and -1 if the plug was put elsewhere: then the rod has not moved.
    """
    n, h = rod.shape[0] - 2, dt / substeps
    inverse_mass, inverse_inertia = p[INVERSE_MASS], p[INVERSE_INERTIA]
    velocity = (linear[0], linear[1], linear[2], angular[0], angular[1], angular[2])
    last = memory[LAST_WRENCH : LAST_WRENCH + 6]
    spin = spin_up(quaternion, inverse_inertia, last[3:])
    for c in range(6):
        own = inverse_mass * last[c] if c < 3 else spin[c - 3]
        if memory[QUIET] > QUIET_STEPS:
            # It was still until now, so everything else was in balance with the rod.
            memory[OTHER + c] = -own
        else:
            seen = (velocity[c] - memory[LAST_TWIST + c]) / dt - own
            memory[OTHER + c] += _SHARE * (seen - memory[OTHER + c])
    outer, inner, tangent, axis = plug_arms(quaternion, p)
    jump = 0.0
    for c in range(3):
        jump += (position[c] + outer[c] - rod[n, c]) ** 2
    if jump > (_JUMP * p[PIECE]) ** 2:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0
    turn = (0.0, 0.0, 0.0)
    if memory[QUIET] > QUIET_STEPS:
        # Woken: the rod is drawn along evenly with what the plug has moved, without a jolt.
        for c in range(3):
            away = position[c] + outer[c] - rod[n, c]
            for i in range(2, n):
                share = (i - 1) / (n - 1)
                rod[i, c] += share * away
                rod[i, V + c] = share * linear[c]
    put_node(rod, n, position, outer, turn, linear, angular)
    put_node(rod, n + 1, position, inner, turn, linear, angular)

    change = twist_angle(rod, p, axis) + memory[OFFSET] - memory[ANGLE]
    change -= 2.0 * math.pi * round(change / (2.0 * math.pi))
    memory[ANGLE] += change
    moment = p[TWIST] * (memory[ANGLE] + p[TWIST_LOSS] * change / dt)
    found = find_near(rod, p, boxes, pairs)

    x, y, z = position[0], position[1], position[2]
    vx, vy, vz, wx, wy, wz = velocity
    ax, ay, az = memory[OTHER], memory[OTHER + 1], memory[OTHER + 2]
    bx, by, bz = memory[OTHER + 3], memory[OTHER + 4], memory[OTHER + 5]
    if inverse_mass == 0.0:
        ax = ay = az = bx = by = bz = 0.0
    s0 = s1 = s2 = s3 = s4 = s5 = 0.0
    bending = fastest = 0.0
    for step in range(substeps):
        bending = elastic_forces(rod, p, moment)
        if found > 0:
            contact_forces(rod, p, boxes, pairs, found, p[FRICTION], h)
        w = plug_wrench(rod, (x, y, z), tangent, moment)
        s0, s1, s2, s3, s4, s5 = s0 + w[0], s1 + w[1], s2 + w[2], s3 + w[3], s4 + w[4], s5 + w[5]
        fastest, _ = move_nodes(rod, p, h)
        spin = spin_up(quaternion, inverse_inertia, (w[3], w[4], w[5]))
        vx += h * (inverse_mass * w[0] + ax)
        vy += h * (inverse_mass * w[1] + ay)
        vz += h * (inverse_mass * w[2] + az)
        wx, wy, wz = wx + h * (spin[0] + bx), wy + h * (spin[1] + by), wz + h * (spin[2] + bz)
        # As Bullet will: from where it was, with the velocity at the end. Otherwise the nodes jump
        # at the next step, which makes short stiff rods unstable.
        s = h * (step + 1)
        x, y, z = position[0] + s * vx, position[1] + s * vy, position[2] + s * vz
        turn = (s * wx, s * wy, s * wz)
        put_node(rod, n, (x, y, z), outer, turn, (vx, vy, vz), (wx, wy, wz))
        put_node(rod, n + 1, (x, y, z), inner, turn, (vx, vy, vz), (wx, wy, wz))
    a = 1.0 / substeps
    mean = (a * s0, a * s1, a * s2, a * s3, a * s4, a * s5)
    for c in range(6):
        memory[LAST_TWIST + c], memory[LAST_WRENCH + c] = velocity[c], mean[c]
    _measure(memory, p, mean, tangent, bending, dt)
    if fastest > STILL_SPEED * STILL_SPEED or has_moved(position, quaternion, memory, 1.0):
        memory[QUIET] = 0.0
        for c in range(3):
            memory[ANCHOR + c] = position[c]
        for c in range(4):
            memory[ANCHOR + 3 + c] = quaternion[c]
    else:
        memory[QUIET] += 1.0
    return mean[0], mean[1], mean[2], mean[3], mean[4], mean[5], fastest


@njit(cache=True, error_model="numpy")
def relax(
    position: Any,
    quaternion: Any,
    rod: Any,
    memory: Any,
    p: Any,
    boxes: Any,
    pairs: Any,
    twist: float,
    h: float,
    most: int,
) -> tuple[float, float, float, float, float, float, int]:
    """Let the rod come to rest between the clip and a plug that is held still.

    Dynamic relaxation: whenever the kinetic energy has passed a peak, all motion is taken away.
    Obstacles are without friction, so that where it comes to rest does not depend on the way.

    Args:
        position: Of the plug's centre in the world, in m. Three numbers.
        quaternion: Its orientation (x, y, z, w). Four numbers.
        rod: Nodes, from a guess; changed. Shape (n + 2, COLUMNS).
        memory: Begun anew, but for the harm. Shape (MEMORY,).
        p: Parameters. Shape (PARAMETERS,).
        boxes: Obstacles. Shape (b, BOX).
        pairs: Work space. Shape (most, 2).
        twist: Angle of the plug's end against the clip's, in rad.
        h: Substep, in s.
        most: How many of them at most.

    Returns:
        Force and torque on the plug about its centre, and the substeps made.
    """
    n = rod.shape[0] - 2
    outer, inner, tangent, axis = plug_arms(quaternion, p)
    rest = (0.0, 0.0, 0.0)
    put_node(rod, n, position, outer, rest, rest, rest)
    put_node(rod, n + 1, position, inner, rest, rest, rest)
    rod[:, V : V + 3] = 0.0
    moment = p[TWIST] * twist
    before, bending, made = 0.0, 0.0, most
    found = 0
    for step in range(most):
        if step % 16 == 0:
            found = find_near(rod, p, boxes, pairs)
        bending = elastic_forces(rod, p, moment)
        if found > 0:
            contact_forces(rod, p, boxes, pairs, found, 0.0, h)
        fastest, energy = move_nodes(rod, p, h)
        if energy < before:
            worst = 0.0
            for i in range(2, n):
                worst = max(worst, abs(rod[i, F]), abs(rod[i, F + 1]), abs(rod[i, F + 2]))
            rod[:, V : V + 3] = 0.0
            energy = 0.0
            if worst < _RELAXED_FORCE and fastest < _RELAXED_SPEED * _RELAXED_SPEED:
                made = step + 1
                break
        before = energy
    rod[:, V : V + 3] = 0.0
    bending = elastic_forces(rod, p, moment)
    found = find_near(rod, p, boxes, pairs)
    contact_forces(rod, p, boxes, pairs, found, 0.0, h)
    w = plug_wrench(rod, position, tangent, moment)
    memory[:HARM] = 0.0
    memory[ANGLE], memory[QUIET] = twist, QUIET_STEPS + 1.0
    memory[OFFSET] = twist - twist_angle(rod, p, axis)
    for c in range(3):
        memory[ANCHOR + c] = position[c]
    for c in range(4):
        memory[ANCHOR + 3 + c] = quaternion[c]
    for c in range(6):
        memory[LAST_WRENCH + c] = w[c]
    _measure(memory, p, w, tangent, bending, 0.0)
    return w[0], w[1], w[2], w[3], w[4], w[5], made
