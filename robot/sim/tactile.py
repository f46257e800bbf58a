"""Fingertip taxels of a simulated parallel gripper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import override

from robot.arrays import Array, clipped
from robot.sensor import Sensor, TactileReading
from robot.sim.pad_image import pad_pressure
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.spatial import rotate

FINGERS = ("a", "b")
# The largest value of a taxel: 8 bits.
_COUNTS = 255
_AXIS = np.array([0.0, 0.0, 1.0])
# Entries of a PyBullet contact point.
_BODY_A, _BODY_B, _LINK_A, _LINK_B = 1, 2, 3, 4
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


@dataclass(frozen=True)
class TactileConfig:
    """What the taxels are like.

    Attributes:
        rows: Taxels along the tool's z axis.
        columns: Taxels along the tool's x axis.
        pitch: Of the taxels both ways, in m.
        period: Time between two samples, in s.
        stiffness: Of the rubber, pressure per depth, in Pa/m.
        full_scale: Largest pressure of a taxel, in Pa.
        rays: Rays per taxel each way.
        gain_spread: Standard deviation of a taxel's gain, as a share, drawn per episode.
        drift: Standard deviation of a taxel's zero, as a share of full scale per minute.
        noise: Standard deviation of a sample, as a share of full scale.
        shear_noise: Standard deviation of a shear force, in N.
        dead_share: Share of taxels that feel nothing.
    """

    rows: int = 11
    columns: int = 9
    pitch: float = 1.1e-3
    period: float = 0.02
    stiffness: float = 1e9
    full_scale: float = 1e6
    rays: int = 3
    gain_spread: float = 0.05
    drift: float = 0.01
    noise: float = 0.004
    shear_noise: float = 0.02
    dead_share: float = 0.0


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
        self._size = (len(FINGERS), self._config.rows, self._config.columns)
        self.reset(np.random.default_rng(0))

    @override
    def reset(self, rng: np.random.Generator) -> None:
        config = self._config
        # A generator of its own: samples depend on when they are taken, the episode's draws do not.
        self._rng = np.random.default_rng(rng.integers(2**63))
        alive = self._rng.random(self._size) >= config.dead_share
        gain = self._rng.normal(1.0, config.gain_spread, self._size)
        self._gain = np.where(alive, np.maximum(gain, 0.0), 0.0) * (_COUNTS / config.full_scale)
        per_second = config.drift * _COUNTS / 60.0
        self._drift = np.where(alive, self._rng.normal(0.0, per_second, self._size), 0.0)
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

    def _sample(self, now: float) -> TactileReading:
        config = self._config
        pose_world_tool = self._robot.pose_world_link(self._tool)
        rotation_tool_world = pose_world_tool.rotation.T
        pressure = np.zeros(self._size)
        shear = np.zeros((len(FINGERS), 2))
        # Not filtered by body: a filter exchanges A and B but leaves the friction, which is the
        # force on A as the engine ordered them, so its sign would be lost.
        points = self._world.client.getContactPoints()
        cylinder: dict[int, tuple[Array, Array]] = {}
        for finger, link in enumerate(self._fingers):
            held, normal, force_world = self._contact(points, link)
            tangential = rotation_tool_world @ force_world
            shear[finger] = tangential[0], tangential[2]
            if held is None:
                continue
            if held not in cylinder:
                pose_world_body = self._world.pose_world_body(self._names[held])
                cylinder[held] = (
                    rotation_tool_world @ (pose_world_body.position - pose_world_tool.position),
                    rotation_tool_world @ rotate(pose_world_body.quaternion, _AXIS),
                )
            pressure[finger] = pad_pressure(
                *cylinder[held],
                self._shapes[held].radius,
                0.5 * self._shapes[held].length,
                1.0 if finger == 0 else -1.0,
                normal,
                config.rows,
                config.columns,
                config.pitch,
                config.stiffness,
                config.rays,
            )
        counts = (
            pressure * self._gain
            + self._drift * (now - self._start)
            + self._rng.normal(0.0, config.noise * _COUNTS, self._size) * (self._gain > 0.0)
        )
        return TactileReading(
            time=now,
            pressure=clipped(np.rint(counts), 0, _COUNTS) * (config.full_scale / _COUNTS),
            shear=shear + self._rng.normal(0.0, config.shear_noise, shear.shape),
        )

    def _contact(self, points: Sequence[Any], link: int) -> tuple[int | None, float, Array]:
        """Return which known body touches a finger hardest, how hard, and all friction on it."""
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
            normals[other] = normals.get(other, 0.0) + point[_NORMAL_FORCE]
            friction += sign * point[_FRICTION_1] * np.array(point[_DIRECTION_1])
            friction += sign * point[_FRICTION_2] * np.array(point[_DIRECTION_2])
        known = [body for body in normals if body in self._shapes]
        if not known:
            return None, 0.0, friction
        held = max(known, key=lambda body: normals[body])
        return held, normals[held], friction
