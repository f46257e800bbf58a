"""How fast whole episodes of a task run on this machine, and what they spend their time on."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import override

from robot.cell import Cell
from robot.cell_state import CellState
from robot.control.controller import Controller
from robot.sim.stopwatch import Stopwatch
from robot.state import RobotCommand, Target
from workcell.catalog import Choice, resolve_choice

if TYPE_CHECKING:
    from envs.assembly_env import AssemblyEnv

# An episode of the range that is tuned on; what happens in it decides how long it takes.
_SEED = 41
# Simulated over real time that a job should reach on one quiet core; 2 for what is not named.
_WANTED = {"hv_plugging": 1.5, "hv_inspection": 1.5}
_WANTED_ELSE = 2.0
_REST = "environment, judge, policy"
# A process that is given less of a core than this was measured beside others.
QUIET_SHARE = 0.9
# What takes less than this share is added up.
_SMALL = 0.02


@dataclass(frozen=True)
class TaskFigures:
    """How fast one episode of a task ran with the scripted policy.

    Attributes:
        level: How much varied.
        seed: Of the episode.
        simulated_s: How long it was on the cell's clock, in s.
        real_time_factor: That over the time that this process worked for it, so that what others
            do on the machine disturbs it little.
        wanted: What the factor should be.
        core_share: How much of one core this process was given; if well below 1, others were at
            work, and even its own time is longer than on a quiet machine.
        parts_us: What each simulated millisecond spent on what, by name, in us. Of a second, timed
            run of the same episode.
    """

    level: str
    seed: int
    simulated_s: float
    real_time_factor: float
    wanted: float
    core_share: float
    parts_us: Mapping[str, float]

    def rows(self, task: str) -> list[tuple[str, str]]:
        """Return the figures as names and values, the largest part first."""
        verdict = "fast enough" if self.real_time_factor >= self.wanted else "too slow"
        if self.core_share < QUIET_SHARE:
            verdict += f", busy: given {100.0 * self.core_share:.0f} % of a core"
        what = f"{task}, {self.level}, seed {self.seed}"
        total = sum(self.parts_us.values())
        large = {n: v for n, v in self.parts_us.items() if v >= _SMALL * total}
        shown = sorted(large.items(), key=lambda item: -item[1])
        small = total - sum(large.values())
        return [
            (
                f"{what}: real-time factor",
                f"{self.real_time_factor:.2f} over {self.simulated_s:.0f} s, "
                f"{verdict} ({self.wanted} wanted)",
            ),
            *((f"{what}: {n}", f"{v:.0f} us of {total:.0f} per ms") for n, v in shown),
            *([(f"{what}: other parts", f"{small:.0f} us")] if small > 0.0 else []),
        ]


def measure_task(task: str, level: str = "factory", robot: str = "talos") -> TaskFigures:
    """Run one whole episode twice: as it is, and with a stopwatch on its parts.

    Args:
        task: Name of the task.
        level: How much varies.
        robot: Who does it.

    Raises:
        UnknownName: If there is no such task, level or robot.
    """
    config = resolve_choice(Choice(task, level=level, robot=robot))
    # Brings the physics with it, which an examination alone does not need.
    from workcell.build import build_cycle

    runner = build_cycle(config)
    try:
        # The first episode compiles what is compiled, and fills the caches.
        runner.env.reset(seed=_SEED + 1)
        began, worked = time.perf_counter(), time.process_time()
        record = runner.run(_SEED)
        core_s, wall_s = time.process_time() - worked, time.perf_counter() - began
        watch = Stopwatch()
        _time_parts(runner.env, watch)
        began = time.perf_counter()
        runner.run(_SEED)
        total = time.perf_counter() - began
    finally:
        runner.close()
    parts = {**watch.seconds, _REST: total - sum(watch.seconds.values())}
    return TaskFigures(
        level=level,
        seed=_SEED,
        simulated_s=record.sim_s,
        real_time_factor=record.sim_s / core_s,
        wanted=_WANTED.get(task, _WANTED_ELSE),
        core_share=core_s / wall_s,
        parts_us={name: 1e3 * seconds / record.sim_s for name, seconds in parts.items()},
    )


def _time_parts(env: AssemblyEnv, watch: Stopwatch) -> None:
    """Put a stopwatch on what the control loop calls; what is left is the environment's."""
    from robot.sim.world import World

    loop = env.loop
    clock = loop.cell.clock
    assert isinstance(clock, World)  # build_cycle builds simulated cells
    clock.time_parts(watch)
    loop.controller = _TimedController(loop.controller, watch)
    same = {f.name: getattr(loop.cell, f.name) for f in dataclasses.fields(Cell)}
    loop.cell = _TimedCell(**same, watch=watch)


class _TimedController(Controller):
    """A controller whose ticks are timed."""

    def __init__(self, controller: Controller, watch: Stopwatch) -> None:
        self._controller = controller
        self._update = watch.timed("controller", controller.update)

    @override
    def reset(self, state: CellState) -> None:
        self._controller.reset(state)

    @override
    def update(self, state: CellState, target: Target, dt: float) -> RobotCommand:
        return self._update(state, target, dt)


@dataclass(frozen=True)
class _TimedCell(Cell):
    """A cell whose reading and writing is timed."""

    watch: Stopwatch = field(kw_only=True)

    @override
    def read(self) -> CellState:
        return self.watch.timed("devices: read", super().read)()

    @override
    def write(self, command: RobotCommand, state: CellState) -> RobotCommand:
        return self.watch.timed("devices: write", super().write)(command, state)
