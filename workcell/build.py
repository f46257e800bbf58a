"""The composition root: where task, cell, controller, environment and policy meet."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from envs.actions import ActionScale
from envs.assembly_env import AssemblyEnv
from policies.senses import SensesConfig
from robot.cell import Cell
from robot.control.reflex import Reflex
from robot.control.self_collision import pairs_of
from robot.control.whole_body import WholeBodyConfig, WholeBodyController
from robot.descriptions import derive
from robot.errors import ConfigError, UnknownName, WorkcellError
from robot.estimator import BaseEstimator
from robot.geometry import Box
from robot.guard import Guard, GuardConfig
from robot.loop import ControlLoop
from robot.model import RobotModel, load_model
from robot.robot_config import RobotConfig
from robot.sensor import Reading, Sensor
from robot.sim.camera import Camera, CameraConfig
from robot.sim.contacts import ContactMonitor
from robot.sim.driver import SimDriver, SimDriverConfig
from robot.sim.gripper import SimGripper, SimGripperConfig
from robot.sim.noise import NOISE_LEVELS
from robot.sim.robot_body import SimRobot
from robot.sim.shove import Shove
from robot.sim.tactile import TactilePad
from robot.sim.world import World
from robot.sim.wrench import WristWrench
from robot.spatial import Pose
from robot.station import Station
from robot.urdf import pose_from_rpy
from robot.zones import ZoneConfig, ZoneGuard, tools_of
from tasks import task_named
from tasks.sim_scene import SimFixture, SimHands, SimScene, load_parts
from tasks.task import Demands, Task
from tasks.variation import Variation
from workcell.briefing import policy_of, sensing
from workcell.config import RunConfig
from workcell.cycle import CycleRunner
from workcell.imports import imported
from workcell.traces import ForceWatch
from workcell.video import Film, take_picture

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
    """

    dt: float = 2e-3
    physics_dt: float = 1e-3
    ticks_per_step: int = 20
    controller: WholeBodyConfig = field(default_factory=WholeBodyConfig)
    guard: GuardConfig = field(default_factory=GuardConfig)
    action: ActionScale = field(default_factory=ActionScale)
    cameras: bool = False
    senses: SensesConfig = field(default_factory=SensesConfig)


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


@dataclass(frozen=True, eq=False)
class SimWorkcell:
    """A simulated workcell, ready for a policy.

    Attributes:
        env: The environment.
        parts: The robot and its world.
        controller: The whole-body controller.
        fixture: What the task adds to the world.
    """

    env: AssemblyEnv
    parts: SimRobotParts
    controller: WholeBodyController
    fixture: SimFixture

    def counters(self) -> dict[str, int]:
        """Return what went wrong below the policy since the last reset."""
        guard, zones = self.env.loop.cell.guard, self.env.loop.zones
        return {
            "guard_stops": guard.stops + (zones.stops if zones is not None else 0),
            "guard_clamps": guard.clamps,
            "unsolved_ticks": self.controller.unsolved,
        }

    def close(self) -> None:
        """End the simulation."""
        self.env.close()


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
    config: RobotConfig, model: RobotModel, cell: CellConfig, reflex: Reflex | None = None
) -> WholeBodyController:
    """Return the whole-body controller of a robot, and what moves its references in a shove."""
    shapes = derive(config.description).collision_shapes()
    pairs = pairs_of(config.collision_pairs, shapes, list(config.tool_frames.values()))
    feet = config.foot_half_sizes
    return WholeBodyController(model, config.torso_link, feet, cell.controller, pairs, reflex)


def build_cell(parts: SimRobotParts, station: Station, cell: CellConfig) -> Cell:
    """Return a simulated cell, its driver active."""
    parts.driver.configure()
    parts.driver.activate()
    return Cell(
        model=parts.model,
        driver=parts.driver,
        sensors=parts.sensors,
        station=station,
        clock=parts.world,
        guard=Guard(parts.model, cell.guard, parts.driver.spec.grippers),
    )


def build_sim(
    task_name: str,
    task_config: Any,
    variation: Variation,
    robot: RobotConfig,
    cell: CellConfig | None = None,
    *,
    gui: bool = False,
) -> SimWorkcell:
    """Build a simulated workcell from its parts' configurations.

    Args:
        task_name: As in `TASKS`.
        task_config: Of the task's configuration class.
        variation: The level.
        robot: The robot.
        cell: The rest; the defaults if omitted.
        gui: Whether to open PyBullet's window.

    Raises:
        UnknownName: If there is no such task.
        ConfigError: If something does not fit together.
    """
    cell = cell or CellConfig()
    entry = task_named(task_name)
    task = entry.make(task_config, variation)
    cell = _meeting(task.demands, cell)
    parts = build_robot(robot, cell, variation.noise, gui)
    load_parts(parts.world, task.parts)
    hands = SimHands(parts.world, parts.body, parts.driver, parts.grippers)
    fixture: SimFixture = imported(entry.fixture)(hands, task)
    parts.sensors.update(
        {
            f"tactile_{arm}": TactilePad(parts.world, parts.body, arm, shapes)
            for arm, shapes in fixture.held.items()
        }
    )
    parts.sensors.update(_sights(task, robot, parts))
    watched = [(part.name, robot.name) for part in task.parts if part.fixed]
    contacts = ContactMonitor(parts.world, watched)
    shove = Shove(parts.body, robot.torso_link)
    parts.world.add_element(shove)
    scene = SimScene(
        parts.world,
        parts.driver,
        task.parts,
        parts.start_posture,
        fixture,
        shove if robot.base.floating else None,
        contacts,
        on_reset=parts.world.restore,
    )
    controller = build_controller(robot, parts.model, cell)
    zones = (
        ZoneGuard(
            tools_of(parts.model),
            ZoneConfig(open_signals=task.zone_signals, heartbeat=task.zone_heartbeat),
        )
        if task.zone_signals
        else None
    )
    loop = ControlLoop(build_cell(parts, fixture.station, cell), controller, zones=zones)
    parts.world.save()
    env = AssemblyEnv(
        task,
        scene,
        loop,
        cell.ticks_per_step,
        cell.action,
        render=partial(take_picture, parts.world, fixture.view),
        on_close=parts.close,
    )
    return SimWorkcell(env, parts, controller, fixture)


def _sights(task: Task, robot: RobotConfig, parts: SimRobotParts) -> dict[str, Camera]:
    """Return the cameras a task cannot do without, by name of the sensor."""
    found = {}
    for name, sight in task.sights.items():
        if name not in robot.cameras:
            what = f"camera of {robot.name}, which {task.name} needs"
            raise UnknownName(what, name, robot.cameras)
        mount = robot.cameras[name]
        config = CameraConfig(
            mount.link,
            pose_from_rpy(mount.position, mount.rpy),
            sight.width,
            sight.height,
            rate_hz=sight.rate_hz,
            depth_noise=sight.depth_noise,
        )
        found[f"camera_{name}"] = Camera(parts.world, parts.body, config)
    return found


def _meeting(demands: Demands, cell: CellConfig) -> CellConfig:
    """Return a cell that lets a job push as hard as it must, and no harder than the cell allows."""
    guard = dataclasses.replace(
        cell.guard,
        force_limit=min(cell.guard.force_limit, demands.wrist_force),
        force_peak=min(cell.guard.force_peak, demands.wrist_peak),
    )
    action = dataclasses.replace(cell.action, push_n=demands.push_force)
    return dataclasses.replace(cell, action=action, guard=guard)


def build_cycle(config: RunConfig, *, gui: bool = False, video: Path | None = None) -> CycleRunner:
    """Build what runs the cycles of a resolved configuration.

    Args:
        config: With the sections `task`, `level`, `robot`, `cell` and `policy`.
        gui: Whether to open PyBullet's window.
        video: Where to write a video of every cycle, or None.
    """
    cell = config.get("cell", CellConfig)
    sim = build_sim(
        config.names["task"],
        config.values["task"],
        config.get("level", Variation),
        config.get("robot", RobotConfig),
        cell,
        gui=gui,
    )
    try:
        policy = sensing(policy_of(config, sim.env), cell.senses, sim.env.task)
    except WorkcellError:
        sim.close()
        raise
    # The guard's limit is the job's where that is lower than the cell's.
    watch = ForceWatch(sim.env.loop.cell.guard.config.force_limit, cell.dt)
    sim.env.loop.add_listener(watch)
    film = Film(video, sim.env.dt, sim.parts.world, sim.fixture.view) if video else None

    def close() -> None:
        if film is not None:
            film.close()
        sim.close()

    return CycleRunner(
        sim.env,
        policy,
        robot=config.names["robot"],
        level=config.names["level"],
        force_watch=watch,
        request_start=sim.fixture.station.request_start,
        counters=sim.counters,
        on_step=film.shoot if film is not None else lambda: None,
        on_close=close,
    )
