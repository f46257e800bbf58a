"""How well a robot stands and holds its hands: trials on a simulated robot without a job.

Errors are of the true pose of a tool against where it was told to be at that instant; controller
and estimator see only what the devices report.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from robot.arrays import Array
from robot.errors import NoSolution, SafetyStop, UnknownName
from robot.geometry import Box
from robot.loop import ControlLoop, Tick
from robot.mock.devices import MockStation
from robot.robot_config import RobotConfig
from robot.sensor import WrenchReading
from robot.sim.shove import Shove
from robot.spatial import Pose
from robot.state import Target, ToolTarget
from workcell.robot_cell import CellConfig, build_cell, build_controller, build_robot

# How the tools are held: N/m and N·m/rad along the tool axes.
_STIFFNESS = np.array([1000.0] * 3 + [60.0] * 3)
# Opening of the grippers, in m.
_OPENING = 0.02
# A base that sank by more than this, in m, has fallen.
_FALL_HEIGHT = 0.2
_KINDS = ("hold", "circle", "shove", "push")
# Of the shoves, in the world.
_DIRECTIONS = {"forward": (1, 0), "backward": (-1, 0), "left": (0, 1), "right": (0, -1)}
# Where the wall stands: from the tool frame to the tips of the pads, and the gap before them, in m.
_PAD_TIP, _WALL_GAP = 0.007, 0.003


@dataclass(frozen=True)
class StandingConfig:
    """What is asked of the robot.

    Attributes:
        impulse: Of each shove at the torso, over 100 ms, in N·s.
        force: With which one hand pushes along its tool against a wall, in N.
        press_time: How long it pushes, in s.
        radii: Of the circles that both hands draw, in m.
        frequency: Of the circles, in Hz.
        hold_limit_mm: Largest error of a held hand.
        circle_limit_mm: Largest root mean square error on a circle.
    """

    impulse: float = 20.0
    force: float = 80.0
    press_time: float = 10.0
    radii: tuple[float, ...] = (0.05, 0.10)
    frequency: float = 0.5
    hold_limit_mm: float = 0.5
    circle_limit_mm: float = 1.0


@dataclass(frozen=True)
class TrialResult:
    """What one trial showed.

    Attributes:
        name: Of the trial.
        passed: It did what `StandingConfig` asks.
        survived: The robot still stands and every tick was fit to go on.
        error_rms_mm: Root mean square position error of the worse hand.
        error_max_mm: Largest position error of either hand.
        angle_max_deg: Largest orientation error of either hand.
        effort_share: Largest joint effort as a share of its limit.
        force_n: Mean force felt along the pushing tool over the last half; zero elsewhere.
        unsolved_ticks: Ticks without a solution of the whole-body program.
    """

    name: str
    passed: bool
    survived: bool
    error_rms_mm: float
    error_max_mm: float
    angle_max_deg: float
    effort_share: float
    force_n: float
    unsolved_ticks: int


def measure_standing(
    robot: RobotConfig,
    cell: CellConfig | None = None,
    noise: str = "B",
    config: StandingConfig | None = None,
    seed: int = 0,
    progress: Callable[[TrialResult], None] | None = None,
    only: str = "",
) -> tuple[TrialResult, ...]:
    """Run the trials, each on a freshly built robot.

    Args:
        robot: Who stands; shoves are left out for a robot that is bolted down.
        cell: Periods and controller; the defaults if omitted.
        noise: Name of the noise level.
        config: What is asked; the defaults if omitted.
        seed: Of the sensors' noise.
        progress: Called with each result as it comes.
        only: Kind of the trials to run: `hold`, `circle`, `shove` or `push`; all if empty.

    Raises:
        ConfigError: If the robot's package is not installed or the noise level does not exist.
        UnknownName: If there is no such kind of trial.
    """
    if only and only not in _KINDS:
        raise UnknownName("trial", only, _KINDS)
    config = config or StandingConfig()
    # The wall is pushed harder than any part may be.
    cell = cell or CellConfig()
    cell = dataclasses.replace(
        cell, guard=dataclasses.replace(cell.guard, force_limit=2.0 * config.force)
    )
    trials: list[tuple[str, Callable[[_Bench], TrialResult]]] = [("hold", partial(_hold, config))]
    trials += [("circle", partial(_circle, config, radius)) for radius in config.radii]
    if robot.base.floating:
        trials += [("shove", partial(_shove, config, *item)) for item in _DIRECTIONS.items()]
    trials.append(("push", partial(_press, config)))
    results = []
    for kind, trial in trials:
        if only not in ("", kind):
            continue
        bench = _Bench(robot, cell, noise, seed)
        try:
            results.append(trial(bench))
        finally:
            bench.close()
        if progress is not None:
            progress(results[-1])
    return tuple(results)


class _Bench:
    """A robot on an empty floor, and what was seen of it."""

    def __init__(self, robot: RobotConfig, cell: CellConfig, noise: str, seed: int) -> None:
        self.parts = build_robot(robot, cell, noise)
        self.controller = build_controller(robot, self.parts.model, cell, self.parts.driver.spec)
        self.shove = Shove(self.parts.body, robot.torso_link)
        self.parts.world.add_element(self.shove)
        self.parts.driver.place(*self.parts.start_posture, seed=seed)
        self.loop = ControlLoop(
            build_cell(self.parts, MockStation(), cell), self.controller, [self._look]
        )
        self.loop.reset(np.random.default_rng(seed))
        self._tool_frames = robot.tool_frames
        self._ticks_per_step = cell.ticks_per_step
        self._height = self.parts.body.pose_world_base().position[2]
        self.pose_world_start = {arm: self._pose(arm) for arm in robot.tool_frames}
        self._plan: Callable[[float], Target] = self.hold
        self._down = False
        self.forget()

    def close(self) -> None:
        self.parts.close()

    def forget(self) -> None:
        """Start a record, at time zero of the plan; that of a robot that fell stays."""
        if self._down:
            return
        self._began = self.parts.world.time
        self._errors: list[list[float]] = []
        self._angles: list[float] = []
        self._efforts: list[float] = []
        self.forces: list[Array] = []

    def hold(self, _: float) -> Target:
        """Return both hands held where they started."""
        return Target({arm: tool_target(pose) for arm, pose in self.pose_world_start.items()})

    def run(self, plan: Callable[[float], Target], seconds: float) -> bool:
        """Follow a plan for some time; return whether the robot still stands."""
        self._plan = plan
        step = self._ticks_per_step * self.parts.world.dt
        try:
            for _ in range(round(seconds / step)):
                # A target is where the tool should be at the end of the policy's period.
                elapsed = self.parts.world.time - self._began
                self.loop.run(plan(elapsed + step), self._ticks_per_step)
        except (NoSolution, SafetyStop):
            self._down = True
            return False
        height = self.parts.body.pose_world_base().position[2]
        self._down = not self._height - height < _FALL_HEIGHT
        return not self._down

    def result(self, name: str, survived: bool, passed: bool, force: float = 0.0) -> TrialResult:
        """Sum up the record."""
        # One that was stopped in its first tick has none.
        errors = 1e3 * np.array(self._errors or [[0.0]])
        return TrialResult(
            name=name,
            passed=bool(survived and passed),
            survived=survived,
            error_rms_mm=float(np.sqrt(np.mean(errors**2, axis=0)).max()),
            error_max_mm=float(errors.max()),
            angle_max_deg=math.degrees(max(self._angles, default=0.0)),
            effort_share=max(self._efforts, default=0.0),
            force_n=force,
            unsolved_ticks=self.controller.unsolved,
        )

    def error_rms_mm(self) -> float:
        """Return the root mean square error of the worse hand so far, in mm."""
        errors = self._errors or [[0.0]]
        return float(1e3 * np.sqrt(np.mean(np.square(errors), axis=0)).max())

    def error_max_mm(self) -> float:
        """Return the largest error of either hand so far, in mm."""
        return float(1e3 * np.max(self._errors or [[0.0]]))

    def _look(self, tick: Tick) -> None:
        wanted = self._plan(self.parts.world.time - self._began).tools
        poses = {arm: self._pose(arm) for arm in wanted}
        self._errors.append(
            [
                float(np.linalg.norm(poses[arm].position - tool.pose_world_tool.position))
                for arm, tool in wanted.items()
            ]
        )
        self._angles.append(
            max(poses[arm].angle_to(tool.pose_world_tool) for arm, tool in wanted.items())
        )
        share = np.abs(tick.sent.joint_effort) / self.parts.model.effort_limits
        self._efforts.append(float(share.max()))
        self.forces.append(
            np.array([_force_z(tick.state.readings.get(f"wrist_{arm}")) for arm in wanted])
        )

    def _pose(self, arm: str) -> Pose:
        return self.parts.body.pose_world_link(self._tool_frames[arm])


def tool_target(
    pose_world_tool: Pose, force: float = 0.0, stiffness: Array = _STIFFNESS
) -> ToolTarget:
    """Return a target at a pose, pushing with a force in N along the tool's z axis."""
    wrench = np.zeros(6)
    wrench[:3] = force * pose_world_tool.rotation[:, 2]
    return ToolTarget(pose_world_tool, wrench, stiffness, _OPENING)


def _force_z(reading: object) -> float:
    return -float(reading.wrench_tool[2]) if isinstance(reading, WrenchReading) else 0.0


def _hold(config: StandingConfig, bench: _Bench) -> TrialResult:
    survived = bench.run(bench.hold, 2.0)
    bench.forget()
    survived = survived and bench.run(bench.hold, 3.0)
    return bench.result("hold", survived, bench.error_max_mm() < config.hold_limit_mm)


def _circle(config: StandingConfig, radius: float, bench: _Bench) -> TrialResult:
    """Draw circles with both hands, mirrored, in the plane across the tools."""

    def plan(elapsed: float) -> Target:
        phase = 2.0 * math.pi * config.frequency * elapsed
        tools = {}
        for arm, pose in bench.pose_world_start.items():
            side = 1.0 if pose.position[1] > 0.0 else -1.0
            offset = radius * np.array([math.cos(phase) - 1.0, side * math.sin(phase), 0.0])
            tools[arm] = tool_target(Pose(pose.transform(offset), pose.quaternion))
        return Target(tools)

    period = 1.0 / config.frequency
    survived = bench.run(bench.hold, 1.0)
    bench.forget()
    survived = survived and bench.run(plan, period)
    bench.forget()
    survived = survived and bench.run(plan, 2.0 * period)
    return bench.result(
        f"circle, radius {1e3 * radius:.0f} mm at {config.frequency:g} Hz",
        survived,
        bench.error_rms_mm() < config.circle_limit_mm,
    )


def _shove(
    config: StandingConfig, direction: str, xy: tuple[int, int], bench: _Bench
) -> TrialResult:
    survived = bench.run(bench.hold, 0.6)
    bench.forget()
    impulse = config.impulse * np.array([*xy, 0.0])
    bench.shove.schedule(bench.parts.world.time + 0.1, impulse)
    survived = survived and bench.run(bench.hold, 3.0)
    return bench.result(f"shove {direction}, {config.impulse:g} N·s", survived, True)


def _press(config: StandingConfig, bench: _Bench) -> TrialResult:
    """Push with the first arm along its tool against a wall across it; the other hand holds."""
    arm, pose = next(iter(bench.pose_world_start.items()))
    half_depth = 0.02
    bench.parts.world.add_body(
        "wall",
        [Box((0.2, 0.2, half_depth))],
        mass=0.0,
        pose_world_body=pose @ Pose.translation([0.0, 0.0, _PAD_TIP + _WALL_GAP + half_depth]),
        friction=0.5,
    )
    # Along the tool nothing is held: the hand goes where the force takes it.
    stiffness = _STIFFNESS * np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])

    def plan(elapsed: float) -> Target:
        force = min(40.0 * elapsed, config.force)
        return Target({**bench.hold(elapsed).tools, arm: tool_target(pose, force, stiffness)})

    survived = bench.run(bench.hold, 1.0)
    bench.forget()
    survived = survived and bench.run(plan, config.force / 40.0 + config.press_time)
    felt = np.array([forces[0] for forces in bench.forces] or [0.0])
    force = float(felt[-len(felt) // 2 :].mean())
    return bench.result(
        f"push {config.force:g} N for {config.press_time:g} s",
        survived,
        abs(force - config.force) < 0.1 * config.force,
        force,
    )
