"""What no sensor tells and a critic may know while it is trained: where the parts really are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from robot.arrays import Array, clipped
from robot.spatial import Pose
from tasks.parts.shapes import Part

PRIVILEGED_SIZE = 20
"""Numbers of one arm: two poses of nine, progress, share of the time that is left."""

# Further away, in mm, is as good as not there.
_FAR_MM = 100.0


def privileged(
    parts: Sequence[Part],
    pose_world_parts: Mapping[str, Pose],
    goal: Pose | None,
    pose_world_tool: Pose,
    progress: float,
    left: float,
) -> Array:
    """Return what a critic is told about one arm, the same numbers for every task.

    Args:
        parts: Of the task.
        pose_world_parts: Where each of them really is, by name.
        goal: Where the arm's tool should get to as the plan believes, or None.
        pose_world_tool: Where it is.
        progress: Of the job, from 0 to 1.
        left: Share of the time that is left.

    Returns:
        The fixed part that is nearest to the goal, seen from the goal: what is believed wrongly
        moves it; the free part that is nearest to the tool, seen from the tool: how it lies in the
        hand; progress and time. A pose is a position in mm and the first two columns of its
        rotation matrix, which unlike angles do not jump. Zeros without a goal. Shape (20,).
    """
    fixed = [part.name for part in parts if part.fixed]
    free = [part.name for part in parts if not part.fixed]
    if goal is None:
        places = [np.zeros(18)]
    else:
        places = [
            _seen(goal, _nearest(goal, fixed, pose_world_parts)),
            _seen(pose_world_tool, _nearest(pose_world_tool, free, pose_world_parts)),
        ]
    return np.concatenate([*places, [progress, left]])


def _nearest(pose: Pose, names: Sequence[str], pose_world_parts: Mapping[str, Pose]) -> Pose | None:
    # A part of which nobody knows where it is, is not in the scene.
    there = [pose_world_parts[name] for name in names if name in pose_world_parts]
    return min(
        there, key=lambda part: float(np.sum((part.position - pose.position) ** 2)), default=None
    )


def _seen(pose_world_from: Pose, pose_world_part: Pose | None) -> Array:
    if pose_world_part is None:
        return np.zeros(9)
    seen = pose_world_from.inverse() @ pose_world_part
    position = clipped(1e3 * seen.position, -_FAR_MM, _FAR_MM)
    return np.concatenate([position, seen.rotation[:, 0], seen.rotation[:, 1]])
