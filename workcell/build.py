"""The composition root: where task, cell, controller, environment and policy meet."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from envs.actions import ActionScale
from envs.assembly_env import AssemblyEnv
from robot.control.whole_body import WholeBodyController
from robot.driver import DriverSpec
from robot.errors import ConfigError, UnknownName, WorkcellError
from robot.loop import ControlLoop
from robot.model import RobotModel
from robot.robot_config import RobotConfig
from robot.sim.camera import Camera, CameraConfig
from robot.sim.contacts import ContactMonitor
from robot.sim.shove import Shove
from robot.sim.tactile import TactilePad
from robot.urdf import pose_from_rpy
from robot.zones import ZoneConfig, ZoneGuard, tools_of
from tasks import task_named
from tasks.sim_scene import SimFixture, SimHands, SimScene, load_parts
from tasks.task import Demands, Task
from tasks.variation import Variation
from workcell.balance import balance_reflex
from workcell.briefing import policy_of, sensing
from workcell.config import RunConfig
from workcell.cycle import CycleRunner
from workcell.imports import imported
from workcell.robot_cell import CellConfig, SimRobotParts, build_cell, build_controller, build_robot
from workcell.traces import ForceWatch
from workcell.video import Film, take_picture


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
    cell = meeting(task.demands, cell)
    if cell.balance and not robot.base.floating:
        raise ConfigError(
            f"cell.balance: {robot.name} is bolted to the floor and has no balance to keep; choose "
            "a robot that stands, or leave it out"
        )
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
    reflex = (
        balance_reflex(robot.name, source=cell.networks.get("balance")) if cell.balance else None
    )
    controller = build_controller(robot, parts.model, cell, parts.driver.spec, reflex)
    zones = zones_of(task, parts.model, parts.driver.spec)
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


def meeting(demands: Demands, cell: CellConfig) -> CellConfig:
    """Return a cell in which an action pushes as hard as the job must, within what is guarded.

    Args:
        demands: Of the job.
        cell: As it is configured.

    Raises:
        ConfigError: If the cell says how hard an action pushes, which is the job's to say, or the
            job pushes harder than the guard lets pass.
    """
    if cell.action.push_n != ActionScale.push_n:
        raise ConfigError(
            f"cell.action.push_n: how hard a job pushes is its own to say, not {cell.action.push_n}"
            f" N by the cell; set task.demands.push_force, now {demands.push_force} N"
        )
    if demands.push_force > cell.guard.force_limit:
        raise ConfigError(
            f"cell.guard.force_limit: {cell.guard.force_limit} N would stop a push of "
            f"{demands.push_force} N; set task.demands.push_force to less"
        )
    guard = dataclasses.replace(
        cell.guard,
        force_limit=min(cell.guard.force_limit, demands.wrist_force),
        force_peak=min(cell.guard.force_peak, demands.wrist_peak),
    )
    action = dataclasses.replace(cell.action, push_n=demands.push_force)
    return dataclasses.replace(cell, action=action, guard=guard)


def zones_of(task: Task, model: RobotModel, spec: DriverSpec) -> ZoneGuard | None:
    """Return what keeps a robot's hands out of a job's zones, or None if the job has none.

    Args:
        task: The job.
        model: Of the robot.
        spec: Of its driver.
    """
    if not task.zone_signals:
        return None
    config = ZoneConfig(open_signals=task.zone_signals, heartbeat=task.zone_heartbeat)
    return ZoneGuard(tools_of(model), config, spec.grippers)


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
        policy = sensing(
            policy_of(config, sim.env),
            cell.senses,
            sim.env.task,
            config.names["robot"],
            cell.networks.get("touch"),
        )
    except WorkcellError:
        sim.close()
        raise
    # The guard's limit is the job's where that is lower than the cell's.
    watch = ForceWatch(sim.env.loop.cell.guard.config.force_limit, cell.dt)
    sim.env.loop.add_listener(watch)
    film = Film(video, sim.env.dt, sim.parts.world, sim.fixture.view) if video else None

    def close() -> None:
        try:
            if film is not None:
                film.close()
        finally:
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
