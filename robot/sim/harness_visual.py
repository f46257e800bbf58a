"""What a harness looks like: a tube along its nodes, painted into pictures of the world.

It is no body of the world. A hundred visual bodies would cost a tenth of the time of a physics
step, and none has a length or a thickness that could follow the cable's; a painted tube costs
nothing until a picture is taken and cannot change what happens.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from robot.arrays import Array
from robot.geometry import Color
from robot.sim.harness import Harness
from robot.sim.picture import AMBIENT, DIFFUSE, LIGHT, Picture
from robot.sim.world import World

# Pieces of the drawn tube between two nodes: at the tightest bend allowed their corners, seen from
# the side, are less than a tenth of a radius.
_PIECES = 4
# What is nearer to the camera than this, in m, is not drawn.
_NEAREST = 0.03


class HarnessVisual:
    """Draws one harness in every picture of its world, while the harness is active.

    Attributes:
        color: Red, green, blue and alpha, from 0 to 1; the last is not used.
    """

    color: Color

    def __init__(self, world: World, harness: Harness, color: Color) -> None:
        """Show a harness from now on.

        Args:
            world: Where the harness is.
            harness: What is drawn.
            color: Of the cable.
        """
        self.color = color
        self._harness = harness
        world.add_painter(self.paint)

    def paint(self, picture: Picture) -> None:
        """Paint the cable, where nothing hides it."""
        harness = self._harness
        if not harness.active:
            return
        pose_camera_world = picture.pose_world_camera.inverse()
        rotation = pose_camera_world.rotation
        points = smooth(harness.nodes()) @ rotation.T + pose_camera_world.position
        paint_tube(
            points,
            0.5 * harness.config.outer_diameter,
            255.0 * np.array(self.color[:3]),
            rotation @ LIGHT,
            picture.focal,
            picture.rgb,
            picture.depth,
        )


def smooth(nodes: Array) -> Array:
    """Return points of a smooth curve through nodes, the nodes among them.

    A Catmull-Rom spline: at each node it goes in the direction from the last node to the next.

    Args:
        nodes: Shape (n, 3).

    Returns:
        Shape (4 n - 3, 3).
    """
    padded = np.concatenate([2.0 * nodes[:1] - nodes[1:2], nodes, 2.0 * nodes[-1:] - nodes[-2:-1]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    curve = np.empty((_PIECES * (len(nodes) - 1) + 1, 3))
    for piece in range(_PIECES):
        t = piece / _PIECES
        curve[piece:-1:_PIECES] = 0.5 * (
            2.0 * start
            + t * (end - before)
            + t**2 * (2.0 * before - 5.0 * start + 4.0 * end - after)
            + t**3 * (3.0 * (start - end) + after - before)
        )
    curve[-1] = nodes[-1]
    return curve


@njit(cache=True, error_model="numpy", inline="always")
def _reach(along: float, ahead: float, radius: float) -> Any:
    """Return what a ball covers on one axis of a picture, at least, as slopes from the middle."""
    low, high = along - radius, along + radius
    return (
        min(low / (ahead - radius), low / (ahead + radius)),
        max(high / (ahead - radius), high / (ahead + radius)),
    )


@njit(cache=True, error_model="numpy")
def paint_tube(
    points: Any,
    radius: float,
    color: Any,
    light: Any,
    focal: float,
    rgb: Any,
    depth: Any,
) -> None:
    """Paint a chain of rods with round ends, by a ray through each pixel that may see one.

    A ray meets a rod where it meets the cylinder, between its ends, or else the ball at the end
    that it passes. Shaded like the bodies: ambient light, and diffuse light by the cosine between
    surface and light.

    Args:
        points: Corners of the chain, camera's frame, in m. Shape (n, 3).
        radius: In m.
        color: Red, green, blue from 0 to 255. Shape (3,).
        light: Unit vector towards the light, camera's frame. Shape (3,).
        focal: In pixels.
        rgb: Is painted on. Shape (height, width, 3).
        depth: Of the surface in each pixel, along the camera's z axis, in m; is brought up to
            date. Shape (height, width).
    """
    height, width = depth.shape
    for i in range(len(points) - 1):
        ax, ay, az = points[i]
        bx, by, bz = points[i + 1]
        if min(az, bz) - radius < _NEAREST:
            continue
        left_a, right_a = _reach(ax, az, radius)
        left_b, right_b = _reach(bx, bz, radius)
        top_a, bottom_a = _reach(ay, az, radius)
        top_b, bottom_b = _reach(by, bz, radius)
        first = max(0, math.floor(0.5 * width + focal * min(left_a, left_b)))
        last = min(width - 1, math.ceil(0.5 * width + focal * max(right_a, right_b)))
        top = max(0, math.floor(0.5 * height + focal * min(top_a, top_b)) - 1)
        bottom = min(height - 1, math.ceil(0.5 * height + focal * max(bottom_a, bottom_b)))
        sx, sy, sz = bx - ax, by - ay, bz - az
        ss = sx * sx + sy * sy + sz * sz
        sa = sx * ax + sy * ay + sz * az
        aa = ax * ax + ay * ay + az * az
        for row in range(top, bottom + 1):
            for column in range(first, last + 1):
                # The ray is where it is one metre ahead, so its parameter is the depth.
                x, y = (column - 0.5 * width) / focal, (row + 1.0 - 0.5 * height) / focal
                rr = x * x + y * y + 1.0
                sr, ra = sx * x + sy * y + sz, x * ax + y * ay + az
                # |r t - a|^2 - ((r t - a) . s)^2 / |s|^2 = radius^2, times |s|^2.
                square = ss * rr - sr * sr
                half = ss * ra - sa * sr
                rest = half * half - square * (ss * (aa - radius * radius) - sa * sa)
                if rest < 0.0:
                    continue
                t = (half - math.sqrt(rest)) / square
                along = (t * sr - sa) / ss
                if 0.0 <= along <= 1.0:
                    cx, cy, cz = ax + along * sx, ay + along * sy, az + along * sz
                else:
                    cx, cy, cz = (ax, ay, az) if along < 0.0 else (bx, by, bz)
                    rc = x * cx + y * cy + cz
                    rest = rc * rc - rr * (cx * cx + cy * cy + cz * cz - radius * radius)
                    if rest < 0.0:
                        continue
                    t = (rc - math.sqrt(rest)) / rr
                if not 0.0 < t < depth[row, column]:
                    continue
                depth[row, column] = t
                nx, ny, nz = (x * t - cx) / radius, (y * t - cy) / radius, (t - cz) / radius
                facing = max(0.0, nx * light[0] + ny * light[1] + nz * light[2])
                share = AMBIENT + DIFFUSE * facing
                for channel in range(3):
                    rgb[row, column, channel] = min(255.0, share * color[channel])
