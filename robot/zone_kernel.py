"""Compiled geometry of keep-out zones: points of a hand against boxes.

A hand is a set of points, row 0 its tool's origin. Boxes are rows of 15 numbers: the rows of the
rotation from the world's axes to the box's (9), the centre in the world (3), and half the edges
(3), in m. The depth of a point in a box is the distance to its nearest face along that face's
normal; outside it is negative, and at least minus the distance to the box.
"""

from __future__ import annotations

import math

import numpy as np

from robot.arrays import Array
from robot.control.kernels import compiled

# What `watch` and `reach` write, by position.
DEPTH, DEPTH_ZONE, ENTERS, ENTERS_ZONE, SPEED = range(5)
SHARE, SHARE_ZONE = range(2)
# A share beyond every way.
_NEVER = 2.0


@compiled
def place(position: Array, quaternion: Array, points: Array, placed: Array) -> None:
    """Write where points of a frame are in the world.

    Args:
        position: Of the frame, in m. Shape (3,).
        quaternion: Of the frame (x, y, z, w). Shape (4,).
        points: In the frame, in m. Shape (n, 3).
        placed: Filled. Shape (n, 3).
    """
    x, y, z, w = quaternion[0], quaternion[1], quaternion[2], quaternion[3]
    for k in range(points.shape[0]):
        a, b, c = points[k, 0], points[k, 1], points[k, 2]
        tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
        placed[k, 0] = position[0] + a + w * tx + y * tz - z * ty
        placed[k, 1] = position[1] + b + w * ty + z * tx - x * tz
        placed[k, 2] = position[2] + c + w * tz + x * ty - y * tx


@compiled
def _into(box: Array, point: Array, inside: Array) -> None:
    """Write a point of the world along the axes of a box. Shapes (15,), (3,), (3,)."""
    for i in range(3):
        inside[i] = 0.0
        for j in range(3):
            inside[i] += box[3 * i + j] * (point[j] - box[9 + j])


@compiled
def _depth(box: Array, grown: float, point: Array) -> float:
    """Return how deep a point is in a box grown on every side; see the module."""
    inside = np.empty(3)
    _into(box, point, inside)
    depth = math.inf
    for i in range(3):
        depth = min(depth, box[12 + i] + grown - abs(inside[i]))
    return depth


@compiled
def deepest(points: Array, boxes: Array) -> float:
    """Return how deep the deepest of some points of the world is in any box; see the module.

    Args:
        points: In the world, in m. Shape (n, 3).
        boxes: See the module. Shape (m, 15).
    """
    depth = -math.inf
    for k in range(points.shape[0]):
        for m in range(boxes.shape[0]):
            depth = max(depth, _depth(boxes[m], 0.0, points[k]))
    return depth


@compiled
def _entry(box: Array, grown: float, start: Array, end: Array) -> float:
    """Return at which share of a straight way it first touches a grown box; 2 if it does not.

    Slab method of Kay and Kajiya (1986).
    """
    a, b = np.empty(3), np.empty(3)
    _into(box, start, a)
    _into(box, end, b)
    first, last = 0.0, 1.0
    for i in range(3):
        half, way = box[12 + i] + grown, b[i] - a[i]
        if abs(way) < 1e-12:
            if abs(a[i]) > half:
                return _NEVER
            continue
        one, other = (-half - a[i]) / way, (half - a[i]) / way
        first, last = max(first, min(one, other)), min(last, max(one, other))
        if first > last:
            return _NEVER
    return first


@compiled
def watch(
    now: Array,
    before: Array,
    elapsed: float,
    boxes: Array,
    reaction: float,
    deceleration: float,
    unknown_speed: float,
    result: Array,
) -> None:
    """Write how deep a hand is, and whether it enters a box even if it brakes.

    A point at velocity v comes to rest after v (t + |v| / 2a), in a straight line.

    Args:
        now: Points of the hand in the world, in m. Shape (n, 3).
        before: The same, earlier. Shape (n, 3).
        elapsed: Since then, in s; 0 if nothing earlier is known.
        boxes: See the module. Shape (m, 15).
        reaction: Time `t` until it brakes, in s.
        deceleration: `a`, in m/s^2.
        unknown_speed: Taken, in any direction, where nothing earlier is known, in m/s.
        result: Filled: depth, its box, 1 if it enters, that box, largest speed. Shape (5,).
    """
    result[DEPTH], result[DEPTH_ZONE] = -math.inf, -1.0
    result[ENTERS], result[ENTERS_ZONE], result[SPEED] = 0.0, -1.0, 0.0
    stop = np.empty(3)
    for k in range(now.shape[0]):
        speed = unknown_speed
        if elapsed > 0.0:
            square = 0.0
            for i in range(3):
                stop[i] = (now[k, i] - before[k, i]) / elapsed
                square += stop[i] * stop[i]
            speed = math.sqrt(square)
        time = reaction + 0.5 * speed / deceleration
        for i in range(3):
            stop[i] = now[k, i] + stop[i] * time
        result[SPEED] = max(result[SPEED], speed)
        for m in range(boxes.shape[0]):
            depth = _depth(boxes[m], 0.0, now[k])
            if depth > result[DEPTH]:
                result[DEPTH], result[DEPTH_ZONE] = depth, m
            if elapsed > 0.0:
                enters = _entry(boxes[m], 0.0, now[k], stop) <= 1.0
            else:
                enters = depth > -speed * time
            if enters:
                result[ENTERS], result[ENTERS_ZONE] = 1.0, m


@compiled
def reach(now: Array, goal: Array, boxes: Array, buffer: float, result: Array) -> None:
    """Write how far a hand may go towards a goal, its points on straight ways.

    It may go to boxes grown by a buffer. A point in the buffer may go along and out of it, but not
    deeper, and not into the box itself.

    Args:
        now: Points of the hand in the world, in m. Shape (n, 3).
        goal: The same, at the goal. Shape (n, 3).
        boxes: See the module. Shape (m, 15).
        buffer: In m.
        result: Filled: share of the way, from 0 to 1, and the box that ends it. Shape (2,).
    """
    result[SHARE], result[SHARE_ZONE] = 1.0, -1.0
    for k in range(now.shape[0]):
        for m in range(boxes.shape[0]):
            share = _entry(boxes[m], buffer, now[k], goal[k])
            if share <= 0.0:
                there = _depth(boxes[m], buffer, goal[k])
                leaves = there <= max(_depth(boxes[m], buffer, now[k]), 0.0)
                if leaves and _entry(boxes[m], 0.0, now[k], goal[k]) > 1.0:
                    share = _NEVER
            if share < result[SHARE]:
                result[SHARE], result[SHARE_ZONE] = share, m
