"""A simulated robot without a job: its body, devices and controller, and the cell around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from envs.actions import ActionScale
from policies.learned import PolicySource
from policies.senses import SensesConfig
from robot.cell import Cell
from robot.control.reflex import Reflex
from robot.control.self_collision import pairs_of
from robot.control.whole_body import WholeBodyController
from robot.control.whole_body_config import WholeBodyConfig
from robot.descriptions import derive
from robot.driver import DriverSpec
from robot.errors import ConfigError
from robot.estimator import BaseEstimator
from robot.geometry import Box
from robot.guard import Guard
from robot.guard_config import GuardConfig
from robot.model import RobotModel, load_model
from robot.robot_config import RobotConfig
from robot.sensor import Reading, Sensor
from robot.sim.camera import Camera, CameraConfig
from robot.sim.driver import SimDriver, SimDriverConfig
from robot.sim.gripper import SimGripper, SimGripperConfig
from robot.sim.noise import NOISE_LEVELS
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.sim.wrench import WristWrench
from robot.spatial import Pose
from robot.station import Station
from robot.urdf import pose_from_rpy

_FLOOR_FRICTION = 0.8
# Torque about the normal that a sole bears for each newton on it and unit of friction, in m.
# Without it the feet creep around when the weight shifts quickly, far below what friction at their
# corners could hold, and no leg or IMU tells the estimator.
_SOLE_TORSION = 0.03
_FLOOR_COLOR = (0.82, 0.82, 0.80, 1.0)


@dataclass(frozen=True)
class CellConfig:
    """What a simulated cell is made of, besides robot and task.

    Attributes:
        dt: Control period, in s.
        physics_dt: Physics period, in s.
        ticks_per_step: Control periods in one policy period.
        controller: Gains, weights and limits of the whole-body controller.
        guard: What no command gets around.
        action: What an action of one means.
        cameras: Whether the robot's cameras are switched on; a picture takes up to 10 ms.
        senses: What the policy is let feel.
        balance: Whether the balance policy that comes along for the robot moves references of its
            trunk in a hard shove; without one every effort is the same, bit for bit.
        networks: Which files the networks below the policy are, `touch` and `balance`, as found
            when the values were resolved: a run goes on with the same ones, and its hash is theirs.
    """

    dt: float = 2e-3
    physics_dt: float = 1e-3
    ticks_per_step: int = 20
    controller: WholeBodyConfig = field(default_factory=WholeBodyConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    action: ActionScale = field(default_factory=ActionScale)
    cameras: bool = False
    senses: SensesConfig = field(default_factory=SensesConfig)
    balance: bool = False
    networks: Mapping[str, PolicySource] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SimRobotParts:
    """A robot in a world, with everything that is bolted to it.

    Attributes:
        world: The physics.
        body: The robot in it.
        model: Its kinematics and limits.
        driver: Its joints.
        grippers: By arm name.
        sensors: By name.
        start_posture: Joint positions, shape (n,), and the base's pose in the world.
    """

    world: World
    body: SimRobot
    model: RobotModel
    driver: SimDriver
    grippers: Mapping[str, SimGripper]
    sensors: dict[str, Sensor[Reading]]
    start_posture: tuple[np.ndarray[Any, np.dtype[np.float64]], Pose]

    def close(self) -> None:
        """End the simulation."""
        self.driver.cleanup()
        self.world.close()


def build_robot(
    config: RobotConfig, cell: CellConfig, noise: str = "B", gui: bool = False
) -> SimRobotParts:
    """Put a robot on the floor of an empty world.

    Args:
        config: The robot.
        cell: Periods.
        noise: Name of the noise level of encoders, IMU and wrists.
        gui: Whether to open PyBullet's window.

    Raises:
        ConfigError: If the robot's package is not installed or the noise level does not exist.
    """
    if noise not in NOISE_LEVELS:
        raise ConfigError(f"noise: expected one of {sorted(NOISE_LEVELS)}, got {noise!r}")
    level = NOISE_LEVELS[noise]
    model = load_model(config)
    world = World(cell.dt, cell.physics_dt, gui)
    world.add_body(
        "floor",
        [Box((3.0, 3.0, 0.05), color=_FLOOR_COLOR)],
        mass=0.0,
        pose_world_body=Pose.translation([0.0, 0.0, -0.05]),
        friction=_FLOOR_FRICTION,
        spinning_friction=_SOLE_TORSION,
    )
    pose_world_base = Pose.translation(config.base.position)
    body = world.load_robot(
        config.name, derive(config.description).sim_urdf, pose_world_base, not config.base.floating
    )
    pads = config.description.pads
    gripper = SimGripperConfig(
        opening_max=pads.opening_max,
        speed=pads.speed_max,
        force_max=pads.force_max,
    )
    grippers = {
        arm: SimGripper(world, body, joints, gripper)
        for arm, joints in config.finger_joints.items()
    }
    estimator = (
        BaseEstimator(model, config.foot_half_sizes, config.base.imu_frame)
        if config.base.floating
        else None
    )
    driver = SimDriver(
        world,
        body,
        model,
        estimator=estimator,
        grippers=grippers,
        imu_frame=config.base.imu_frame,
        config=SimDriverConfig(noise=level),
    )
    sensors: dict[str, Sensor[Reading]] = {
        f"wrist_{arm}": WristWrench(world, body, joint, config.tool_frames[arm], level)
        for arm, joint in config.force_torque_joints.items()
    }
    if cell.cameras:
        for name, mount in config.cameras.items():
            pose = pose_from_rpy(mount.position, mount.rpy)
            sensors[f"camera_{name}"] = Camera(world, body, CameraConfig(mount.link, pose))
    start = (model.joint_position(config.posture), pose_world_base)
    driver.place(*start)
    return SimRobotParts(world, body, model, driver, grippers, sensors, start)


def build_controller(
    config: RobotConfig,
    model: RobotModel,
    cell: CellConfig,
    spec: DriverSpec,
    reflex: Reflex | None = None,
) -> WholeBodyController:
    """Return the whole-body controller of a robot.

    Args:
        config: The robot.
        model: Its model.
        cell: Gains and limits.
        spec: What its driver accepts.
        reflex: What moves its references in a shove.
    """
    shapes = derive(config.description).collision_shapes()
    pairs = pairs_of(config.collision_pairs, shapes, list(config.tool_frames.values()))
    feet = config.foot_half_sizes
    return WholeBodyController(
        model,
        config.torso_link,
        feet,
        cell.controller,
        pairs,
        reflex,
        spec.limits,
        spec.grippers,
    )


def build_cell(parts: SimRobotParts, station: Station, cell: CellConfig) -> Cell:
    """Return a simulated cell, its driver active."""
    parts.driver.configure()
    parts.driver.activate()
    spec = parts.driver.spec
    return Cell(
        model=parts.model,
        driver=parts.driver,
        sensors=parts.sensors,
        station=station,
        clock=parts.world,
        guard=Guard(parts.model, cell.guard, spec.grippers, spec.limits),
    )
