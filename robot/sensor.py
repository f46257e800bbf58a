"""Seam: sensors, and what they return."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array, frozen
from robot.spatial import Pose


@dataclass(frozen=True, eq=False)
class Reading:
    """What a sensor returned.

    Attributes:
        time: When the sample was taken, on the cell's clock, in s.
    """

    time: float


@dataclass(frozen=True, eq=False)
class WrenchReading(Reading):
    """What a force-torque sensor at an arm's wrist feels.

    Attributes:
        wrench_tool: Force and torque the environment exerts on the tool, along the tool axes,
            at the tool origin, payload weight removed, in N and N·m. Shape (6,).
    """

    wrench_tool: Array

    def __post_init__(self) -> None:
        """Check the shape and make the array read-only."""
        object.__setattr__(self, "wrench_tool", frozen("wrench_tool", self.wrench_tool, (6,)))


@dataclass(frozen=True, eq=False)
class TactileReading(Reading):
    """What the pads of one gripper feel.

    Attributes:
        pressure: Normal pressure per taxel, rows along the tool's z axis and columns along its x
            axis, both rising, in Pa. Shape (fingers, rows, columns).
        shear: Tangential force per pad, along the tool's x and z axes, in N. Shape (fingers, 2).
    """

    pressure: Array
    shear: Array

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in ("pressure", "shear"):
            value = np.asarray(getattr(self, name))
            object.__setattr__(self, name, frozen(name, value, value.shape))


@dataclass(frozen=True, eq=False)
class CameraFrame(Reading):
    """One image.

    Attributes:
        rgb: Shape (height, width, 3), uint8.
        depth: How far ahead what is seen in each pixel is, along the camera's z axis, in m; None
            if the camera does not measure it. Shape (height, width), float32.
        focal: Pixels from the middle of something one metre ahead and one aside; 0 if not known.
        link: Link that carries the camera; empty if not known.
        pose_link_camera: Its optical frame in that link: +z ahead, +x right, +y down.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32] | None = None
    focal: float = 0.0
    link: str = ""
    pose_link_camera: Pose = field(default_factory=Pose.identity)

    def __post_init__(self) -> None:
        """Make the images read-only."""
        rgb = np.array(self.rgb, dtype=np.uint8)
        if rgb.ndim != 3 or rgb.shape[2] != 3:
            raise ValueError(f"rgb: expected shape (height, width, 3), got {rgb.shape}")
        rgb.flags.writeable = False
        object.__setattr__(self, "rgb", rgb)
        if self.depth is None:
            return
        depth = np.array(self.depth, dtype=np.float32)
        if depth.shape != rgb.shape[:2]:
            raise ValueError(f"depth: expected shape {rgb.shape[:2]}, got {depth.shape}")
        depth.flags.writeable = False
        object.__setattr__(self, "depth", depth)


ReadingT_co = TypeVar("ReadingT_co", bound=Reading, covariant=True)


class Sensor(ABC, Generic[ReadingT_co]):
    """Something that is read once every control tick."""

    @abstractmethod
    def reset(self, rng: np.random.Generator) -> None:
        """Start an episode: take the zero, draw this episode's bias.

        It does not wait: a robot that holds its posture is without commands meanwhile.

        Args:
            rng: The episode's generator. Hardware sensors ignore it.
        """

    @abstractmethod
    def read(self) -> ReadingT_co:
        """Return the latest sample without waiting for a new one.

        Raises:
            DeviceFault: If the sample is older than the sensor's own period.
        """
