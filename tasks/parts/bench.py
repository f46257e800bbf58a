"""The bench that carries feeders and fixture: something to stand before, and to be kept off."""

from __future__ import annotations

from collections.abc import Sequence

from robot.geometry import Box, Color, Shape
from robot.spatial import Pose
from tasks.parts.shapes import Part

_TOP: Color = (0.55, 0.56, 0.58, 1.0)
_LEG: Color = (0.38, 0.39, 0.42, 1.0)
_TOP_HALF_THICKNESS = 0.012
_LEG_HALF_WIDTH = 0.025
_POST_HALF_WIDTH = 0.010
# Of the top: from its front edge to its back, and from side to side, in m.
_HALF_DEPTH, _HALF_LENGTH = 0.16, 0.50
_FRONT = 0.50


def bench_part(
    name: str, height: float, posts: Sequence[tuple[float, float, float]], front: float = _FRONT
) -> Part:
    """Return a bench in front of the robot, in the world frame.

    Args:
        name: Unique in the scene.
        height: Of its upper face, in m.
        posts: Upper ends of posts that stand on it, world, in m.
        front: How far ahead its front edge is, in m.
    """
    middle = front + _HALF_DEPTH
    shapes: list[Shape] = [
        Box(
            (_HALF_DEPTH, _HALF_LENGTH, _TOP_HALF_THICKNESS),
            Pose.translation([middle, 0.0, height - _TOP_HALF_THICKNESS]),
            color=_TOP,
        )
    ]
    half_height = 0.5 * height - _TOP_HALF_THICKNESS
    for x in (-1.0, 1.0):
        for y in (-1.0, 1.0):
            foot = [
                middle + x * (_HALF_DEPTH - _LEG_HALF_WIDTH),
                y * (_HALF_LENGTH - _LEG_HALF_WIDTH),
                half_height,
            ]
            shapes.append(
                Box(
                    (_LEG_HALF_WIDTH, _LEG_HALF_WIDTH, half_height),
                    Pose.translation(foot),
                    color=_LEG,
                )
            )
    for x, y, z in posts:
        half = 0.5 * (z - height)
        shapes.append(
            Box(
                (_POST_HALF_WIDTH, _POST_HALF_WIDTH, half),
                Pose.translation([x, y, height + half]),
                color=_LEG,
            )
        )
    return Part(name=name, shapes=tuple(shapes), fixed=True)
