"""Brings a layout about in simulation: parts into a world, and what acts on them set as drawn."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.sim.contacts import ContactMonitor
from robot.sim.driver import SimDriver
from robot.sim.gripper import SimGripper
from robot.sim.picture import View
from robot.sim.robot_body import SimRobot
from robot.sim.shove import Shove
from robot.sim.station import SimStation
from robot.sim.tactile import HeldShape
from robot.sim.world import World
from robot.spatial import Pose
from tasks.parts.shapes import Part
from tasks.scene import Scene
from tasks.task import Layout

# A robot whose base is lower or more tilted than this has fallen.
_FALLEN_DROP = 0.25
_FALLEN_TILT = math.radians(35.0)


@dataclass(frozen=True, eq=False)
class SimHands:
    """What a fixture may know and set of the simulated robot.

    Attributes:
        world: The physics.
        body: The robot in it.
        driver: Its joints.
        grippers: By arm name.
    """

    world: World
    body: SimRobot
    driver: SimDriver
    grippers: Mapping[str, SimGripper]

    def pose_world_tool(self, arm: str) -> Pose:
        """Return where an arm's tool truly is."""
        return self.body.pose_world_link(f"tool_{arm}")

    def set_grip(
        self, arm: str, force: float, pad_friction: float, pad_spinning: float | None = None
    ) -> None:
        """Set how hard an arm grips, in N for each finger, and the pads' factors of friction."""
        self.driver.set_grip_force(arm, force)
        self.grippers[arm].set_pad_friction(pad_friction, pad_spinning)


class SimFixture(ABC):
    """What one task puts into a world besides parts, and sets as an episode's layout says.

    The forces between a nut and its pin, say, or a feeder that presents parts one by one.

    Attributes:
        station: The simulated PLC.
        held: What the pads feel of each body, by arm and name of the body.
        view: From where people watch.
    """

    station: SimStation
    held: Mapping[str, Mapping[str, HeldShape]]
    # Over the robot's left shoulder, from ahead.
    view: View = View((1.75, 1.25, 1.60), (0.35, 0.0, 0.95), 0.72)

    @abstractmethod
    def apply(self, layout: Layout) -> None:
        """Set everything as drawn, and forget the past."""

    @abstractmethod
    def events(self) -> Mapping[str, float]:
        """Return what only the simulation can see since the last call."""


class SimScene(Scene):
    """The parts of a task in a world, with the robot that works on them."""

    def __init__(
        self,
        world: World,
        driver: SimDriver,
        parts: Sequence[Part],
        start_posture: tuple[Array, Pose],
        fixture: SimFixture,
        shove: Shove | None = None,
        contacts: ContactMonitor | None = None,
        on_reset: Callable[[], None] = lambda: None,
    ) -> None:
        """Load every part.

        Args:
            world: Where.
            driver: The simulated robot.
            parts: Of the task.
            start_posture: Joint positions, shape (n,), and base pose in the world.
            fixture: What the task adds.
            shove: What bumps into the robot; None for a robot that nothing can bump into.
            contacts: Watches how hard things are touched.
            on_reset: Called first in every `apply`, to bring back the state of the built world.
        """
        self._world = world
        self._driver = driver
        self._parts = tuple(parts)
        self._start_posture = start_posture
        self._fixture = fixture
        self._shove = shove
        self._contacts = contacts
        self._on_reset = on_reset
        self._parameters: Mapping[str, float] = {}
        # Where parts that never move within an episode are, once somebody has asked.
        self._fixed: dict[str, Pose] | None = None

    @override
    def apply(self, layout: Layout) -> Layout:
        self._on_reset()
        self._fixed = None
        joint_position, pose_world_base = self._start_posture
        seed = int(layout.parameters.get("noise_seed", 0))
        self._driver.place(joint_position, pose_world_base, seed)
        for part in self._parts:
            self._world.set_pose(part.name, layout.pose_world_parts[part.name])
        self._fixture.apply(layout)
        self._parameters = layout.parameters
        if self._shove is not None:
            self._shove.reset()
        if self._contacts is not None:
            self._contacts.reset()
        return layout

    @override
    def begin(self) -> None:
        # Who bumps into the robot does so while it works, not while it comes to rest or waits.
        if self._shove is not None and not self._shove.begun(self._world.time):
            p = self._parameters
            impulse = np.array([p.get("shove_x_ns", 0.0), p.get("shove_y_ns", 0.0), 0.0])
            self._shove.schedule(self._world.time + p.get("shove_time_s", 0.0), impulse)

    @override
    def pose_world_parts(self) -> Mapping[str, Pose]:
        find = self._world.pose_world_body
        if self._fixed is None:
            self._fixed = {part.name: find(part.name) for part in self._parts if part.fixed}
        return self._fixed | {part.name: find(part.name) for part in self._parts if not part.fixed}

    @override
    def events(self) -> Mapping[str, float]:
        events = dict(self._fixture.events())
        base = self._driver.pose_world_base_true()
        if base is not None:
            start = self._start_posture[1]
            drop = float(start.position[2] - base.position[2])
            tilt = math.acos(float(np.clip(base.rotation[2, 2], -1.0, 1.0)))
            events["fallen"] = float(drop > _FALLEN_DROP or tilt > _FALLEN_TILT)
        if self._contacts is not None:
            events["contact_force_n"] = self._contacts.take_peak()
        return events


def load_parts(world: World, parts: Sequence[Part]) -> None:
    """Put every part of a task into a world, at the origin until a layout places it."""
    for part in parts:
        world.add_body(
            part.name,
            part.shapes,
            mass=part.mass,
            inertia=None if part.fixed else np.asarray(part.inertia),
            pose_world_body=Pose.identity(),
            friction=part.friction,
            spinning_friction=part.spinning_friction,
        )


def dropped(world: World, names: Sequence[str], floor: float) -> int:
    """Return how many of the named bodies are below a height, in m."""
    return sum(float(world.pose_world_body(name).position[2]) < floor for name in names)
