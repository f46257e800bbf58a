"""How long a harness must be, and how it might hang before it is let fall."""

from __future__ import annotations

import math

import numpy as np

from robot.arrays import Array
from robot.errors import ConfigError
from robot.sim.harness_config import HarnessConfig
from robot.spatial import Pose

# How far the handles of the first guess are bent down, in their lengths, in the order of trying.
# Without any bend a cable between ends that look at each other would be folded back on its line.
_SAGS = (0.3, -0.3, -0.8, -1.5)
_SAMPLES = 100
_HALVINGS = 25


def span(pose_clip: Pose, pose_end: Pose, bend_radius: float) -> float:
    """Return the length of a short way between two ends that bends no more than allowed, in m.

    An arc at each end and a straight piece between, found by turning both arcs towards the straight
    piece until nothing changes (the curve-straight-curve path of Dubins, in space). Never less than
    the straight distance.

    Args:
        pose_clip: Where the cable leaves the clip; its z axis is the outward tangent.
        pose_end: Where it leaves the plug, in the same frame; z likewise.
        bend_radius: Of the arcs, in m.
    """
    starts = (pose_clip.position, pose_end.position)
    tangents = (pose_clip.rotation[:, 2], pose_end.rotation[:, 2])
    joint, arcs = [*starts], [0.0, 0.0]
    for _ in range(60):
        straight = joint[1] - joint[0]
        norm = float(np.linalg.norm(straight))
        if norm < 1e-9:
            break
        for i, sign in ((0, 1.0), (1, -1.0)):
            ahead = sign * straight / norm
            cosine = float(np.clip(tangents[i] @ ahead, -1.0, 1.0))
            side = ahead - cosine * tangents[i]
            sine = float(np.linalg.norm(side))
            side = side / sine if sine > 1e-9 else np.zeros(3)
            arcs[i] = math.acos(cosine) * bend_radius
            turn = sine * tangents[i] + (1.0 - cosine) * side
            # Half of the way only: near ends that look away from each other it would swing.
            joint[i] = 0.5 * (joint[i] + starts[i] + bend_radius * turn)
    distance = float(np.linalg.norm(starts[1] - starts[0]))
    return max(distance, sum(arcs) + float(np.linalg.norm(joint[1] - joint[0])))


def require_length(
    config: HarnessConfig, pose_clip: Pose, pose_end: Pose, what: str = "harness"
) -> None:
    """Refuse a harness that is shorter than the way it must span.

    Args:
        config: Length and allowed bend radius.
        pose_clip: Where the cable leaves the clip; its z axis is the outward tangent.
        pose_end: Where it leaves the plug at the far end of its way, in the same frame.
        what: Name of the harness and of the way, for the message.

    Raises:
        ConfigError: With both lengths.
    """
    needed = span(pose_clip, pose_end, config.bend_limit)
    if config.length < needed:
        ends = [np.array2string(p.position, precision=3) for p in (pose_clip, pose_end)]
        raise ConfigError(
            f"{what}: length {config.length:.3f} m is less than the {needed:.3f} m it must span "
            f"from the clip at {ends[0]} to the plug at {ends[1]} with bends of "
            f"{config.bend_limit * 1e3:.0f} mm; give at least {needed:.3f} m or move the clip"
        )


def first_guess(
    config: HarnessConfig,
    pose_clip: Pose,
    pose_end: Pose,
    down: Array,
    boxes: Array | None = None,
    floor: float = -math.inf,
) -> Array:
    """Return points along a cubic curve of the cable's length between two clamped ends.

    A Bezier curve whose handles lie along the tangents, bent down and to the side a little; the
    length of the handles is found by bisection. If it runs through obstacles it is bent upwards
    instead, more and more, so that the cable falls on them. A cable that is too short is laid along
    the straight line.

    Args:
        config: Length, lean and number of segments.
        pose_clip: Where the cable leaves the clip; its z axis is the outward tangent.
        pose_end: Where it leaves the plug, in the same frame; z likewise.
        down: Direction of gravity, or zero. Shape (3,).
        boxes: Obstacles, in the layout of `harness_contact`. Shape (b, BOX).
        floor: Height of a plane nothing is below, in m.

    Returns:
        The middle of each segment, in m. Shape (segments, 3).
    """
    side = np.cross(pose_end.position - pose_clip.position, down)
    norm = float(np.linalg.norm(side))
    # Of ends above each other: the clip's own side.
    side = side / norm if norm > 1e-6 else pose_clip.rotation[:, 0]
    best, least = np.zeros((_SAMPLES, 3)), math.inf
    for sag in _SAGS:
        curve = _curve(config.length, pose_clip, pose_end, sag * down + config.lean * side)
        hits = _hits(curve, boxes, floor + 0.5 * config.outer_diameter)
        if hits < least:
            best, least = curve, hits
        if hits == 0:
            break
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(best, axis=0), axis=1))])
    wanted = (np.arange(config.segments) + 0.5) / config.segments * along[-1]
    return np.stack([np.interp(wanted, along, best[:, axis]) for axis in range(3)], axis=1)


def _curve(length: float, pose_clip: Pose, pose_end: Pose, bend: Array) -> Array:
    """Return a Bezier curve of a length whose handles are the tangents plus `bend`.

    Shape (samples, 3).
    """
    start, end = pose_clip.position, pose_end.position
    t = np.linspace(0.0, 1.0, _SAMPLES)[:, None]
    straight = start + (3.0 * t**2 - 2.0 * t**3) * (end - start)
    first, last = pose_clip.rotation[:, 2] + bend, pose_end.rotation[:, 2] + bend
    swing = 3.0 * t * (1.0 - t) * ((1.0 - t) * first + t * last)
    low, high = 0.0, 4.0 * length
    for _ in range(_HALVINGS):
        reach = 0.5 * (low + high)
        steps = np.diff(straight + reach * swing, axis=0)
        if np.sqrt(np.einsum("ij,ij->i", steps, steps)).sum() < length:
            low = reach
        else:
            high = reach
    curve: Array = straight + low * swing
    return curve


def _hits(points: Array, boxes: Array | None, floor: float) -> int:
    """Return how many points are inside boxes or below a height."""
    hits = int(np.count_nonzero(points[:, 2] < floor))
    for box in boxes if boxes is not None else ():
        local = (points - box[:3]) @ box[3:12].reshape(3, 3)
        hits += int(np.count_nonzero((np.abs(local) < box[12:15]).all(axis=1)))
    return hits
