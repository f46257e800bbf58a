"""A cell on devices that are not simulated: the same task, policy, loop, guard and records.

Run `python examples/own_devices.py`, half a minute. Mocks stand in for a robot's devices, so it
runs anywhere, by the clock on the wall: joints without physics, wrists that feel nothing, a station
whose feeders are always ready. The hands find no nut there, so the script gives up in the end, as
the record says. For a robot of your own, replace what is marked `yours`; nothing else changes.
`docs/hardware.md` says what to write.
"""

import sys
from collections.abc import Mapping

from typing_extensions import override

from envs.assembly_env import AssemblyEnv
from robot.background import BackgroundLoop
from robot.cell import Cell
from robot.clock import WallClock
from robot.guard import Guard
from robot.mock import ManualClock, MockDriver, MockSensor, MockStation, no_wrench
from robot.model import load_model
from robot.robot_config import RobotConfig
from robot.spatial import Pose
from tasks import task_named
from tasks.scene import Scene
from tasks.task import Layout
from tasks.variation import Variation
from workcell.briefing import policy_of
from workcell.build import meeting, zones_of
from workcell.catalog import Choice, resolve_choice
from workcell.cycle import CycleRunner
from workcell.records import CycleRecord
from workcell.robot_cell import CellConfig, build_controller
from workcell.traces import ForceWatch


class RealTime(ManualClock):
    """Ticks the mocks by the clock on the wall. Yours: `WallClock(dt)` itself."""

    def __init__(self, dt: float) -> None:
        super().__init__(dt)
        self._wall = WallClock(dt)

    @override
    def tick(self) -> None:
        self._wall.tick()
        super().tick()


class Presented(Scene):
    """Parts that the station presents where the drawing has them. Yours: where a localizer does."""

    def __init__(self) -> None:
        self._poses: Mapping[str, Pose] = {}

    @override
    def apply(self, layout: Layout) -> Layout:
        # Level `nominal` draws what the drawing says. Where parts truly are, nobody knows here.
        self._poses = {**layout.pose_world_parts, **layout.pose_world_believed}
        return Layout(self._poses, layout.pose_world_believed, {}, layout.parameters)

    @override
    def begin(self) -> None:
        pass

    @override
    def pose_world_parts(self) -> Mapping[str, Pose]:
        return self._poses

    @override
    def events(self) -> Mapping[str, float]:
        return {}


def run(time_limit: float) -> CycleRecord:
    """Run one cycle and return its record.

    Args:
        time_limit: Of the cycle, in s.
    """
    choice = Choice("nut_insertion", "nominal", "talos_fixed", "scripted")
    config = resolve_choice(choice, [f"task.time_limit={time_limit}"])
    robot = config.get("robot", RobotConfig)
    task = task_named("nut_insertion").make(config.values["task"], config.get("level", Variation))
    # Guard and actions as the job needs them.
    settings = meeting(task.demands, config.get("cell", CellConfig))
    model = load_model(robot)
    clock = RealTime(settings.dt)  # yours: WallClock(settings.dt)
    driver = MockDriver(model, clock, model.joint_position(robot.posture))  # yours
    wrists = {f"wrist_{arm}": MockSensor(clock, no_wrench) for arm in task.arms}  # yours
    station = MockStation(task.signals)  # yours: the PLC
    station.set(feeder_left_ready=True, feeder_right_ready=True)
    with driver:
        driver.activate()
        guard = Guard(model, settings.guard, driver.spec.grippers, driver.spec.limits)
        cell = Cell(model, driver, wrists, station, clock, guard)
        controller = build_controller(robot, model, settings, driver.spec)
        zones = zones_of(task, model, driver.spec)
        with BackgroundLoop(cell, controller, zones=zones) as loop:
            env = AssemblyEnv(task, Presented(), loop, settings.ticks_per_step, settings.action)
            watch = ForceWatch(guard.config.force_limit, clock.dt)
            loop.add_listener(watch)
            runner = CycleRunner(
                env,
                policy_of(config, env),
                robot=robot.name,
                level="nominal",
                force_watch=watch,
                request_start=lambda wanted: station.set(start=wanted),  # yours: nothing, it asks
                counters=lambda: {"guard_stops": guard.stops, "guard_clamps": guard.clamps},
            )
            try:
                return runner.run(seed=1)
            finally:
                runner.close()


if __name__ == "__main__":
    record = run(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
    lines = [
        f"success: {record.success}, failure: {record.failure}",
        f"{record.cycle_time_s:.2f} s of work, {record.wall_s:.2f} s on the wall with set-up",
        f"guard: {record.guard_stops} stops, {record.guard_clamps} commands bent",
        *(f"{arm}: {side}" for arm, side in record.sides.items()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
