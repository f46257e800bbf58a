"""A camera on a link of a simulated robot."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from robot.sensor import CameraFrame, Sensor
from robot.sim.picture import Lens
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.spatial import Pose


@dataclass(frozen=True, eq=False)
class CameraConfig:
    """What a camera is like and where it is mounted.

    Attributes:
        link: Link that carries it.
        pose_link_camera: Its optical frame in that link: +z ahead, +x right, +y down.
        width: In pixels.
        height: In pixels.
        field_of_view: Vertical angle of view, in rad.
        rate_hz: Pictures per second.
        near: Nothing nearer than this is seen, in m.
        far: Nothing further than this is seen, in m.
        depth_noise: Standard deviation of a pixel's distance at one metre, in m; it grows with the
            square of the distance, as stereo's does. None for a camera that measures none.
    """

    link: str
    pose_link_camera: Pose = field(default_factory=Pose.identity)
    width: int = 128
    height: int = 96
    field_of_view: float = 1.0
    rate_hz: float = 30.0
    near: float = 0.01
    far: float = 5.0
    depth_noise: float | None = None


class Camera(Sensor[CameraFrame]):
    """Draws what a camera sees, on the processor and without a display, when it is asked to.

    Drawing takes milliseconds, mostly per vertex in sight. A picture is therefore drawn only by
    `read()`, and the last one is returned until the next is due.
    """

    def __init__(self, world: World, robot: SimRobot, config: CameraConfig) -> None:
        """Mount a camera.

        Args:
            world: What it sees.
            robot: What carries it.
            config: What it is like and where it is.

        Raises:
            UnknownName: If the robot has no such link.
        """
        robot.link(config.link)
        self._world = world
        self._robot = robot
        self._config = config
        self._lens = Lens(
            config.width, config.height, config.field_of_view, config.near, config.far
        )
        self._frame: CameraFrame | None = None
        self._rng = np.random.default_rng(0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of its pictures."""
        return (self._config.height, self._config.width, 3)

    @override
    def reset(self, rng: np.random.Generator) -> None:
        self._frame = None
        if self._config.depth_noise is not None:
            # A generator of its own: how many pictures are taken changes no other draw.
            self._rng = np.random.default_rng(rng.integers(2**63))

    @override
    def read(self) -> CameraFrame:
        now, frame = self._world.time, self._frame
        # Half a physics step of slack, so that rounding does not skip a picture.
        due = now + 0.5 * self._world.physics_dt - 1.0 / self._config.rate_hz
        if frame is None or not due < frame.time <= now:
            frame = self._frame = self._draw(now)
        return frame

    def _draw(self, now: float) -> CameraFrame:
        config = self._config
        pose_world_link = self._robot.pose_world_link(config.link)
        picture = self._world.picture(pose_world_link @ config.pose_link_camera, self._lens)
        depth: NDArray[np.float32] | None = None
        if config.depth_noise is not None:
            noise = self._rng.standard_normal(picture.depth.shape, dtype=np.float32)
            depth = picture.depth + np.float32(config.depth_noise) * picture.depth**2 * noise
        return CameraFrame(
            now, picture.rgb, depth, picture.focal, config.link, config.pose_link_camera
        )
