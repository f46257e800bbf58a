"""Places in front of a two-armed robot: which way tools point, and what mirrors what."""

from __future__ import annotations

import math

import numpy as np

from robot.spatial import Pose

ARMS = ("left", "right")


def tool_orientation(tilt: float) -> Pose:
    """Return the tool frame's axes in the world: z ahead and down by a tilt, x down, y to the left.

    Args:
        tilt: Angle of the approach below the horizontal, in rad.
    """
    c, s = math.cos(tilt), math.sin(tilt)
    return Pose.from_rotation([[-s, 0.0, c], [0.0, 1.0, 0.0], [-c, 0.0, -s]])


def both_sides(position: tuple[float, float, float], orientation: Pose) -> dict[str, Pose]:
    """Return a place on the left and its mirror image on the right, by arm name.

    Args:
        position: Of the left one, world, in m.
        orientation: Of both; its position is not used.
    """
    x, y, z = position
    return {
        "left": Pose(np.array([x, y, z]), orientation.quaternion),
        "right": Pose(np.array([x, -y, z]), orientation.quaternion),
    }


def back(pose_world_tool: Pose, distance: float) -> Pose:
    """Return a tool pose drawn back along the tool's own z axis.

    Args:
        pose_world_tool: Where to start.
        distance: How far back, in m.
    """
    return pose_world_tool @ Pose.translation([0.0, 0.0, -distance])
