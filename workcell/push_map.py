"""Maps of what a robot survives: directions and sizes of pushes, with and without a policy.

Every trial is a line of a table as soon as it ends. A map that was interrupted goes on from there,
and one that is there can be given more directions and sizes.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import logging
import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from robot.errors import ConfigError
from robot.robot_config import RobotConfig
from robot.sim.noise import NOISE_LEVELS
from workcell.balance import balance_reflex, read_balance, shipped_balance
from workcell.catalog import load_robot
from workcell.config import plain
from workcell.files import replace_file
from workcell.processes import die_with
from workcell.provenance import commit, versions
from workcell.push_figures import (
    WANTED_GAIN,
    Cell,
    Figure,
    figure_json,
    gain_interval,
    gain_of,
    lines_of,
    reached,
    survived_size,
)
from workcell.push_folder import MapFolder, Origin
from workcell.push_trial import Kind, PushBench, PushResult, PushTrial, push_cell, trials
from workcell.records import plain_json

CELLS = "cells.csv"
# A robot that is shoved is bent back at its limits again and again: nothing to look at.
_GUARD = "robot.guard"
# Sections of a cell that no bench reads.
_NOT_READ = ("action", "balance", "senses")


@dataclass(frozen=True)
class MapPlan:
    """What is to be tried.

    Attributes:
        robot: Name of the robot.
        policy: Folder of the balance policy; empty for the one that comes along.
        kind: Shoves at the torso or loads at a hand.
        directions_deg: From the world's x axis to its y axis.
        sizes: In N·s for shoves, in N for loads.
        trials: Of each cell, with and without the policy.
        seed: Of the first trial of each cell; the others have the next ones.
        noise: Level of the sensors' noise.

    Raises:
        ConfigError: If the seed is negative, or there is no such level of noise.
    """

    robot: str = "talos"
    policy: str = ""
    kind: Kind = "shove"
    directions_deg: tuple[float, ...] = (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0)
    sizes: tuple[float, ...] = tuple(float(size) for size in range(22, 50, 2))
    trials: int = 50
    seed: int = 1_000_000
    noise: str = "B"

    def __post_init__(self) -> None:
        """Refuse what no bench could try, before anything is written."""
        if self.seed < 0:
            raise ConfigError(f"seed: expected 0 or more, got {self.seed}")
        if self.noise not in NOISE_LEVELS:
            known = ", ".join(sorted(NOISE_LEVELS))
            raise ConfigError(f"noise: expected one of {known}, got {self.noise!r}")

    def all_trials(self) -> list[PushTrial]:
        """Return every trial, seed by seed."""
        seeds = range(self.seed, self.seed + self.trials)
        return trials(self.kind, self.directions_deg, self.sizes, seeds)

    def subject(self) -> dict[str, Any]:
        """Return by name what all trials of a map have in common, besides `config_of` the robot."""
        folder = Path(self.policy) if self.policy else shipped_balance(self.robot)
        return {
            "robot": self.robot,
            "policy": read_balance(self.robot, folder).manifest.fingerprint,
            "kind": self.kind,
            "seed": self.seed,
            "noise": self.noise,
        }


@dataclass
class PushMap:
    """What has been tried so far.

    Attributes:
        plan: What is to be tried.
        results: Of each trial that ended, those of earlier plans in the same folder too.
    """

    plan: MapPlan
    results: dict[PushTrial, PushResult] = field(default_factory=dict)

    @property
    def directions_deg(self) -> tuple[float, ...]:
        """Directions that are to be or were tried."""
        tried = {trial.direction_deg for trial in self.results}
        return tuple(sorted(tried.union(self.plan.directions_deg)))

    def cells(self) -> list[Cell]:
        """Return the cells with at least one trial, by direction, size and policy."""
        found: dict[tuple[float, float, bool], list[bool]] = defaultdict(list)
        for trial, result in self.results.items():
            found[trial.direction_deg, trial.size, trial.reflex].append(result.survived)
        return [Cell(*key, sum(ended), len(ended)) for key, ended in sorted(found.items())]

    def survived_sizes(self) -> dict[tuple[float, bool], Figure | None]:
        """Return the size that 95 % survive, by direction and policy; see `survived_size`."""
        lines = lines_of(self.cells())
        return {
            (direction, reflex): survived_size(lines[direction, reflex])
            for direction in self.directions_deg
            for reflex in (False, True)
        }

    def gains(self) -> dict[float, Figure | None]:
        """Return by how much the policy moves the survived size, by direction; see `gain_of`."""
        sizes = self.survived_sizes()
        return {
            direction: gain_of(sizes[direction, False], sizes[direction, True])
            for direction in self.directions_deg
        }

    def gain_intervals(self) -> dict[float, tuple[float, float]]:
        """Return the 95 % interval of each gain, by direction; see `gain_interval`."""
        lines = lines_of(self.cells())
        return {
            direction: gain_interval(lines[direction, False], lines[direction, True])
            for direction in self.directions_deg
        }


def run_map(
    plan: MapPlan,
    folder: Path,
    workers: int = 1,
    on_result: Callable[[PushMap, PushTrial, PushResult], None] = lambda *_: None,
) -> PushMap:
    """Try what has not been tried yet, and write it all down.

    Args:
        plan: What to try.
        folder: Of the results; what is in it already is kept, and not tried again.
        workers: Processes that share the trials.
        on_result: Called with each result as it comes.

    Raises:
        UnknownName: If there is no such robot.
        ConfigError: If the robot has no policy, is not installed, or the folder holds a map of
            another robot, policy or kind of push, or is being written by another process.
    """
    robot = load_robot(plan.robot)
    with ExitStack() as stack:
        stack.enter_context(_quiet_guard())
        # Before anything is written: what cannot be tried leaves no folder behind.
        bench = _bench(plan, robot)
        if workers > 1:
            bench.close()
        else:
            stack.callback(bench.close)
        there = stack.enter_context(MapFolder(folder, plan.subject(), config_of(robot)))
        pushes = PushMap(plan, there.results)
        left = [trial for trial in plan.all_trials() if trial not in there.results]
        if left:
            there.begin(Origin(commit(), versions()))
        ended = _here(bench, left) if workers <= 1 else _shared(plan, robot, left, workers)
        for trial, result in ended:
            there.add(trial, result)
            on_result(pushes, trial, result)
        write_cells(pushes, folder / CELLS)
    return pushes


def config_of(robot: RobotConfig) -> dict[str, Any]:
    """Return every value that a trial depends on, by section; a bench reads no others."""
    cell = plain(push_cell())
    for name in _NOT_READ:
        del cell[name]
    sections: dict[str, Any] = plain_json({"robot": plain(robot), "cell": cell})
    return sections


def write_cells(pushes: PushMap, file: Path) -> None:
    """Write one line for each cell, with its interval."""
    lines = io.StringIO(newline="")
    table = csv.writer(lines)
    table.writerow(["direction_deg", "size", "reflex", "survived", "n", "low", "high"])
    for cell in pushes.cells():
        table.writerow([*dataclasses.astuple(cell), *(f"{x:.4f}" for x in cell.interval)])
    replace_file(file, lines.getvalue().encode())


def _here(bench: PushBench, left: Iterable[PushTrial]) -> Iterator[tuple[PushTrial, PushResult]]:
    for trial in left:
        yield trial, bench.run(trial)


def _shared(
    plan: MapPlan, robot: RobotConfig, left: Iterable[PushTrial], workers: int
) -> Iterator[tuple[PushTrial, PushResult]]:
    """Yield trials as they end in other processes."""
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start, initargs=(os.getpid(), plan, robot)
    ) as pool:
        waiting = iter(left)
        # Few at a time, so that an interruption has little to wait for.
        running: dict[Future[PushResult], PushTrial] = {
            pool.submit(_try, trial): trial for trial in islice(waiting, 2 * workers)
        }
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield running.pop(future), future.result()
                for trial in islice(waiting, 1):
                    running[pool.submit(_try, trial)] = trial


def _bench(plan: MapPlan, robot: RobotConfig) -> PushBench:
    reflex = balance_reflex(plan.robot, Path(plan.policy) if plan.policy else None)
    return PushBench(robot, reflex, plan.noise)


@contextmanager
def _quiet_guard() -> Iterator[None]:
    """Keep the guard's warnings out of the way, and let them through again after."""
    guard = logging.getLogger(_GUARD)
    before = guard.level
    guard.setLevel(logging.ERROR)
    try:
        yield
    finally:
        guard.setLevel(before)


# The bench of a worker process.
_OWN: dict[str, PushBench] = {}


def _start(parent: int, plan: MapPlan, robot: RobotConfig) -> None:
    die_with(parent)
    # For as long as the process lives: it does nothing else.
    logging.getLogger(_GUARD).setLevel(logging.ERROR)
    _OWN["bench"] = _bench(plan, robot)


def _try(trial: PushTrial) -> PushResult:
    return _OWN["bench"].run(trial)


def summary(pushes: PushMap) -> Mapping[str, Any]:
    """Return the figures of a map."""
    sizes, gains, bounds = pushes.survived_sizes(), pushes.gains(), pushes.gain_intervals()
    estimated, confident = reached(gains.values(), bounds.values(), WANTED_GAIN)
    return {
        "plan": dataclasses.asdict(pushes.plan),
        "trials": len(pushes.results),
        "harder": {"wanted": WANTED_GAIN, "estimated": estimated, "confident": confident},
        "directions": [
            {
                "direction_deg": direction,
                "alone": figure_json(sizes[direction, False]),
                "with_policy": figure_json(sizes[direction, True]),
                "gain": figure_json(gains[direction]),
                "gain_interval": [end if math.isfinite(end) else None for end in bounds[direction]],
            }
            for direction in pushes.directions_deg
        ],
    }
