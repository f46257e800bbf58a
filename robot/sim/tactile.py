"""Fingertip taxels of a simulated parallel gripper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.sensor import Sensor, TactileReading
from robot.sim.pad_image import pad_pressure
from robot.sim.robot_body import SimRobot
from robot.sim.taxels import TactileConfig, Taxels
from robot.sim.world import World
from robot.spatial import rotate

FINGERS = ("a", "b")
_AXIS = np.array([0.0, 0.0, 1.0])
# A contact is on the pad if its normal is within 45 degrees of the pad's; otherwise it is on a wall
# beside it or on the finger's tip, where no taxel is.
_COS_ON_PAD = 0.7
# Entries of a PyBullet contact point.
_BODY_A, _BODY_B, _LINK_A, _LINK_B, _NORMAL = 1, 2, 3, 4, 7
_NORMAL_FORCE, _FRICTION_1, _DIRECTION_1, _FRICTION_2, _DIRECTION_2 = 9, 10, 11, 12, 13


@dataclass(frozen=True)
class HeldShape:
    """The cylinder that a pad feels of a body, along the body's z axis and centred on its frame.

    Attributes:
        radius: In m.
        length: In m.
    """

    radius: float
    length: float


@dataclass(frozen=True, eq=False)
class PadLoads:
    """What both pads truly bear, and of what; no device may report it.

    Attributes:
        held: Name of the known body that presses each pad hardest, or None.
        normal: How hard that body presses, in N; what bears on walls beside the pad or on the
            finger's tip is not part of it. Shape (2,).
        shear: Friction on each pad, along the tool's x and z axes, in N. Shape (2, 2).
    """

    held: tuple[str | None, ...]
    normal: Array
    shear: Array


class TactilePad(Sensor[TactileReading]):
    """Both pads of one gripper: pressures from the part's shape, forces from Bullet's contacts.

    Bullet has two to five contact points on a pad, too few for an image. They say how hard the pad
    is pressed and sheared; how that pressure is spread follows from the shape of the part and its
    pose in the hand. A part whose shape is not known is felt as shear only.
    """

    def __init__(
        self,
        world: World,
        robot: SimRobot,
        arm: str,
        shapes: Mapping[str, HeldShape],
        config: TactileConfig | None = None,
    ) -> None:
        """Put pads on a gripper.

        Args:
            world: Where everything is.
            robot: With links `tool_<arm>` and `gripper_<arm>_finger_a_link`, `..._b_link`.
            arm: Whose gripper.
            shapes: What may be held, by body name.
            config: What the taxels are like; the defaults if omitted.
        """
        self._world = world
        self._robot = robot
        self._config = config or TactileConfig()
        self._tool = f"tool_{arm}"
        self._fingers = [robot.link(f"gripper_{arm}_finger_{side}_link") for side in FINGERS]
        self._shapes = {world.body(name): shape for name, shape in shapes.items()}
        self._names = {world.body(name): name for name in shapes}
        self.reset(np.random.default_rng(0))

    @override
    def reset(self, rng: np.random.Generator) -> None:
        self._taxels = Taxels(self._config, rng)
        self._start = self._world.time
        self._reading: TactileReading | None = None

    @override
    def read(self) -> TactileReading:
        now, reading = self._world.time, self._reading
        # Half a physics step of slack, so that rounding does not skip a sample.
        due = now + 0.5 * self._world.physics_dt - self._config.period
        if reading is None or not due < reading.time <= now:
            reading = self._reading = self._sample(now)
        return reading

    def loads(self) -> PadLoads:
        """Return what the pads bear since the last physics step: the truth, for rigs and tests."""
        return self._loads(self._robot.pose_world_link(self._tool).rotation.T)

    def _loads(self, rotation_tool_world: Array) -> PadLoads:
        shear, normal = np.zeros((len(FINGERS), 2)), np.zeros(len(FINGERS))
        held: list[str | None] = []
        # Not filtered by body: a filter exchanges A and B but leaves the friction, which is the
        # force on A as the engine ordered them, so its sign would be lost.
        points = self._world.client.getContactPoints()
        for finger, link in enumerate(self._fingers):
            body, normal[finger], force_world = self._contact(points, link, rotation_tool_world[1])
            tangential = rotation_tool_world @ force_world
            shear[finger] = tangential[0], tangential[2]
            held.append(None if body is None else self._names[body])
        return PadLoads(tuple(held), normal, shear)

    def _sample(self, now: float) -> TactileReading:
        pose_world_tool = self._robot.pose_world_link(self._tool)
        rotation_tool_world = pose_world_tool.rotation.T
        config, loads = self._config, self._loads(rotation_tool_world)
        pressure = np.zeros(config.shape)
        for finger, name in enumerate(loads.held):
            if name is None:
                continue
            pose_world_body = self._world.pose_world_body(name)
            shape = self._shapes[self._world.body(name)]
            pressure[finger] = pad_pressure(
                rotation_tool_world @ (pose_world_body.position - pose_world_tool.position),
                rotation_tool_world @ rotate(pose_world_body.quaternion, _AXIS),
                shape.radius,
                0.5 * shape.length,
                1.0 if finger == 0 else -1.0,
                loads.normal[finger],
                config.rows,
                config.columns,
                config.pitch,
                config.stiffness,
                config.rays,
            )
        return TactileReading(
            time=now,
            pressure=self._taxels.feel(pressure, now - self._start),
            shear=self._taxels.feel_shear(loads.shear),
        )

    def _contact(
        self, points: Sequence[Any], link: int, closing: Array
    ) -> tuple[int | None, float, Array]:
        """Return which known body presses a pad hardest, how hard, and all friction on the pad.

        Args:
            points: All contact points.
            link: Of the finger.
            closing: The tool's y axis, along which the pads close, in the world. Shape (3,).
        """
        finger = (self._robot.body, link)
        normals: dict[int, float] = {}
        friction = np.zeros(3)
        for point in points:
            if (point[_BODY_A], point[_LINK_A]) == finger:
                other, sign = point[_BODY_B], 1.0
            elif (point[_BODY_B], point[_LINK_B]) == finger:
                other, sign = point[_BODY_A], -1.0
            else:
                continue
            normal = point[_NORMAL]
            towards = closing[0] * normal[0] + closing[1] * normal[1] + closing[2] * normal[2]
            if abs(towards) < _COS_ON_PAD:
                continue
            normals[other] = normals.get(other, 0.0) + point[_NORMAL_FORCE]
            friction += sign * point[_FRICTION_1] * np.array(point[_DIRECTION_1])
            friction += sign * point[_FRICTION_2] * np.array(point[_DIRECTION_2])
        known = [body for body in normals if body in self._shapes]
        if not known:
            return None, 0.0, friction
        held = max(known, key=lambda body: normals[body])
        return held, normals[held], friction
