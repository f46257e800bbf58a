"""What is installed, what is missing, and whether this machine holds the control rate."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from robot.clock import Clock
from robot.control.controller import Controller
from robot.errors import ConfigError
from workcell.catalog import Choice, known_names, load_robot, resolve_choice
from workcell.doctor_evaluation import EvaluationFigures, measure_evaluation
from workcell.doctor_task import QUIET_SHARE, TaskFigures, measure_task
from workcell.provenance import commit, machine, versions

if TYPE_CHECKING:
    from robot.cell_state import CellState
    from robot.state import RobotCommand, Target

# How long a robot is measured, in s of its own clock, after a start that compiles and warms up.
_MEASURED_TIME = 8.0
# Steps of an environment are counted at the rate at which learned policies usually act, in s.
_ENV_PERIOD = 0.05
# What a quiet core should reach: the whole loop twice as fast as the clock, each controller tick
# in half its period.
_LEAST_REAL_TIME_FACTOR = 2.0
_LARGEST_TICK_MS = 1.0


@dataclass(frozen=True)
class DoctorFigures:
    """How fast one robot runs on this machine, in one process.

    Attributes:
        tick_median_ms: Time that the controller takes for one tick, median.
        tick_p99_ms: The same, exceeded by one tick in a hundred.
        physics_step_us: Mean time of one physics step with servos and force elements.
        real_time_factor: Simulated over real time of the whole loop.
        env_steps_per_s: Steps of the environment per real second.
        env_rate_hz: Rate of these steps on the cell's clock.
        core_share: How much of one core this process was given; well below 1 on a busy machine,
            whose figures say little about the same machine when it is quiet.
    """

    tick_median_ms: float
    tick_p99_ms: float
    physics_step_us: float
    real_time_factor: float
    env_steps_per_s: float
    env_rate_hz: float
    core_share: float

    @property
    def fast_enough(self) -> bool:
        """Whether the loop holds its rate with room for a policy."""
        return (
            self.real_time_factor >= _LEAST_REAL_TIME_FACTOR
            and self.tick_p99_ms <= _LARGEST_TICK_MS
        )


@dataclass(frozen=True)
class DoctorReport:
    """What the doctor found.

    Attributes:
        commit: Of the checkout.
        machine: What it runs on.
        versions: By library; None for one that is missing.
        missing: Remedy by what is missing.
        unusable_robots: Remedy by robot whose package is not installed; nothing else needs it.
        speed: Figures by robot.
        tasks: Figures of whole episodes, by task.
        evaluation: What evaluating costs, or None if that was not measured.
    """

    commit: str
    machine: str
    versions: Mapping[str, str | None]
    missing: Mapping[str, str]
    unusable_robots: Mapping[str, str]
    speed: Mapping[str, DoctorFigures]
    tasks: Mapping[str, TaskFigures] = field(default_factory=dict)
    evaluation: EvaluationFigures | None = None

    @property
    def healthy(self) -> bool:
        """Nothing that is always needed is missing."""
        return not self.missing

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        speed = {
            name: {**dataclasses.asdict(figures), "fast_enough": figures.fast_enough}
            for name, figures in self.speed.items()
        }
        return {**dataclasses.asdict(self), "speed": speed, "healthy": self.healthy}

    def rows(self) -> list[tuple[str, str]]:
        """Return the report as names and values."""
        rows = [("commit", self.commit), ("machine", self.machine)]
        rows += [(name, found or "MISSING") for name, found in self.versions.items()]
        rows += [(f"missing: {name}", remedy) for name, remedy in self.missing.items()]
        rows += [(f"robot {name}", remedy) for name, remedy in self.unusable_robots.items()]
        for name, speed in self.speed.items():
            verdict = "holds the control rate" if speed.fast_enough else "too slow for real time"
            if speed.core_share < QUIET_SHARE:
                verdict += f" (busy: it was given {100.0 * speed.core_share:.0f} % of a core)"
            rows += [
                (f"{name}: verdict", verdict),
                (f"{name}: controller tick, median", f"{speed.tick_median_ms:.3f} ms"),
                (f"{name}: controller tick, p99", f"{speed.tick_p99_ms:.3f} ms"),
                (f"{name}: physics step", f"{speed.physics_step_us:.0f} us"),
                (f"{name}: real-time factor", f"{speed.real_time_factor:.2f}"),
                (
                    f"{name}: environment steps at {speed.env_rate_hz:.0f} Hz",
                    f"{speed.env_steps_per_s:.0f} per s",
                ),
            ]
        for task, figures in self.tasks.items():
            rows += figures.rows(task)
        if self.evaluation is not None:
            rows += self.evaluation.rows()
        return rows


def examine(
    robots: Sequence[str], tasks: Sequence[str] = (), evaluation: bool = False
) -> DoctorReport:
    """Look at the installation, and at the speed of some robots and jobs.

    Args:
        robots: Whom to measure.
        tasks: Of which jobs to run an episode; takes a minute or two each.
        evaluation: Whether to measure what evaluating costs; takes a few minutes.

    Raises:
        UnknownName: If there is no such robot or task.
        ConfigError: If the package of a robot to measure is not installed.
    """
    configs = {name: load_robot(name) for name in robots}
    for task in tasks:
        resolve_choice(Choice(task))
    found = versions()
    unusable = {}
    for name in known_names()["robot"]:
        remedy = _package_remedy(load_robot(name).description.package)
        if remedy:
            unusable[name] = remedy
    for name in configs:
        if name in unusable:
            raise ConfigError(f"robot {name}: {unusable[name]}")
    return DoctorReport(
        commit=commit(),
        machine=machine(),
        versions=found,
        missing={n: f"pip install {n}" for n, version in found.items() if version is None},
        unusable_robots=unusable,
        speed={name: measure(name) for name in configs},
        tasks={task: measure_task(task) for task in tasks},
        evaluation=measure_evaluation() if evaluation else None,
    )


def measure(robot: str) -> DoctorFigures:
    """Let a robot hold its hands before the station, with everything but cameras, and time it.

    Args:
        robot: Name of the robot.
    """
    # Brings the physics and the controller with it, which an examination alone does not need.
    from robot.robot_config import RobotConfig
    from tasks.variation import Variation
    from workcell.build import build_sim
    from workcell.robot_cell import CellConfig

    config = resolve_choice(Choice("nut_insertion", "nominal", robot))
    cell = config.get("cell", CellConfig)
    cell = dataclasses.replace(cell, ticks_per_step=round(_ENV_PERIOD / cell.dt))
    sim = build_sim(
        config.names["task"],
        config.values["task"],
        config.get("level", Variation),
        config.get("robot", RobotConfig),
        cell,
    )
    env = sim.env
    controller = _TimedController(env.loop.controller)
    clock = _TimedClock(env.loop.cell.clock)
    env.loop.controller = controller
    env.loop.cell = dataclasses.replace(env.loop.cell, clock=clock)
    steps = max(1, round(_MEASURED_TIME / env.dt))
    still = np.zeros(env.action_space.shape or (), np.float32)
    try:
        # The first episode compiles what is compiled, and fills the caches.
        env.reset(seed=0)
        env.reset(seed=1)
        controller.seconds.clear()
        clock.seconds.clear()
        began, worked = time.perf_counter(), time.process_time()
        for _ in range(steps):
            env.step(still)
        wall_s, core_s = time.perf_counter() - began, time.process_time() - worked
    finally:
        sim.close()
    return DoctorFigures(
        tick_median_ms=1e3 * float(np.median(controller.seconds)),
        tick_p99_ms=1e3 * float(np.quantile(controller.seconds, 0.99)),
        physics_step_us=1e6 * float(np.mean(clock.seconds)) * cell.physics_dt / cell.dt,
        real_time_factor=steps * env.dt / wall_s,
        env_steps_per_s=steps / wall_s,
        env_rate_hz=1.0 / env.dt,
        core_share=core_s / wall_s,
    )


class _TimedController(Controller):
    """A controller that notes how long each tick takes."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.seconds: list[float] = []

    @override
    def reset(self, state: CellState) -> None:
        self._controller.reset(state)

    @override
    def update(self, state: CellState, target: Target, dt: float) -> RobotCommand:
        began = time.perf_counter()
        command = self._controller.update(state, target, dt)
        self.seconds.append(time.perf_counter() - began)
        return command


class _TimedClock(Clock):
    """A clock that notes how long each of its ticks takes; with physics, that is the physics."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.dt = clock.dt
        self.seconds: list[float] = []

    @property
    @override
    def time(self) -> float:
        return self._clock.time

    @override
    def tick(self) -> None:
        began = time.perf_counter()
        self._clock.tick()
        self.seconds.append(time.perf_counter() - began)


def _package_remedy(package: str) -> str | None:
    """Return the command that installs a robot's package, or None if it is installed."""
    from importlib import metadata

    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"{package} is not installed; pip install {package}"
    return None
