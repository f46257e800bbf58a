"""Pictures of a world, drawn on the processor, and what is painted into them afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from robot.spatial import Pose

# OpenGL's camera looks along -z with y up; an optical frame looks along +z with y down.
_POSE_OPTICAL_OPENGL = Pose.from_rotation_vector((math.pi, 0.0, 0.0))
# Where the light comes from, in the world, in m, and the shares of a colour that are there without
# it and that it adds: what a robot works on faces the robot, and people look at it from ahead.
_LIGHT = (2.0, 1.5, 4.0)
AMBIENT, DIFFUSE, SPECULAR = 0.55, 0.45, 0.05
# Unit vector towards the light, world. Shape (3,).
LIGHT: Array = np.array(_LIGHT) / np.linalg.norm(_LIGHT)
LIGHT.setflags(write=False)
# With every picture Bullet scales the normals of every mesh to unit length once more, in place and
# in single precision. From the third time on they stay, or go back and forth between two roundings.
# An odd number of pictures of one pixel before each makes sure that all are shaded alike.
_REHEARSALS = 3


@dataclass(frozen=True)
class Lens:
    """How a camera maps what is before it to pixels.

    Attributes:
        width: In pixels.
        height: In pixels.
        field_of_view: Vertical angle of view, in rad.
        near: Nothing nearer than this is seen, in m.
        far: Nothing further than this is seen, in m.
    """

    width: int
    height: int
    field_of_view: float
    near: float = 0.02
    far: float = 20.0

    @property
    def focal(self) -> float:
        """Pixels from the middle of something one metre ahead and one aside."""
        return 0.5 * self.height / math.tan(0.5 * self.field_of_view)


@dataclass(frozen=True)
class View:
    """From where a scene is looked at.

    Attributes:
        eye: Where the camera is, world, in m.
        target: What is in the middle of the picture, world, in m.
        field_of_view: Vertical angle of view, in rad.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view: float = 0.8

    @property
    def pose_world_camera(self) -> Pose:
        """The optical frame: +z ahead, +x right, +y down; the world's vertical stays upright."""
        ahead = np.subtract(self.target, self.eye)
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(ahead, right), ahead], axis=1)
        return Pose.from_rotation(rotation, np.array(self.eye))


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that may be painted on; the physics knows nothing of what is.

    Attributes:
        rgb: Shape (height, width, 3).
        depth: How far ahead the surface in each pixel is, along the camera's z axis, in m; `far`
            where there is none. Shape (height, width).
        pose_world_camera: Optical frame: +z ahead, +x right, +y down.
        focal: Pixels from the middle of something one metre ahead and one aside.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    pose_world_camera: Pose
    focal: float


# Paints what is not a body of the world, and no nearer thing hides, into a picture.
Painter = Callable[[Picture], None]


def take(client: Any, pose_world_camera: Pose, lens: Lens, painters: Iterable[Painter]) -> Picture:
    """Return what a camera sees now.

    Args:
        client: The physics server; drawing needs no display.
        pose_world_camera: Optical frame: +z ahead, +x right, +y down.
        lens: Of the camera.
        painters: Called in turn with the picture of the bodies.
    """
    width, height, near, far = lens.width, lens.height, lens.near, lens.far
    matrices = (
        _column_major((pose_world_camera @ _POSE_OPTICAL_OPENGL).inverse()),
        client.computeProjectionMatrixFOV(
            math.degrees(lens.field_of_view), width / height, near, far
        ),
    )
    for size in (*_REHEARSALS * ((1, 1),), (width, height)):
        _, _, pixels, buffer, _ = client.getCameraImage(
            *size,
            *matrices,
            lightDirection=_LIGHT,
            lightAmbientCoeff=AMBIENT,
            lightDiffuseCoeff=DIFFUSE,
            lightSpecularCoeff=SPECULAR,
            renderer=client.ER_TINY_RENDERER,
        )
    rgb = np.reshape(np.asarray(pixels, dtype=np.uint8), (height, width, 4))[:, :, :3].copy()
    # OpenGL's depth buffer: 0 at the near plane, 1 at the far one, and even in 1 / depth.
    shares = np.reshape(np.asarray(buffer, dtype=np.float64), (height, width))
    depth = (near * far / (far - (far - near) * shares)).astype(np.float32)
    picture = Picture(rgb, depth, pose_world_camera, lens.focal)
    for paint in painters:
        paint(picture)
    return picture


def _column_major(pose: Pose) -> list[float]:
    matrix: Array = np.eye(4)
    matrix[:3, :3] = pose.rotation
    matrix[:3, 3] = pose.position
    return [float(value) for value in matrix.T.ravel()]
