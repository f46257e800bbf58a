"""Maps of what a robot survives: directions and sizes of pushes, with and without a policy.

Every trial is a line of a table as soon as it ends. A map that was interrupted goes on from there,
and one that is there can be given more directions and sizes.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from robot.errors import ConfigError
from robot.robot_config import RobotConfig
from workcell.balance import balance_reflex, read_balance, shipped_balance
from workcell.catalog import load_robot
from workcell.push_figures import Cell, Figure, figure_json, gain_of, lines_of, survived_size
from workcell.push_trial import Kind, PushBench, PushResult, PushTrial, trials

TRIALS, SUBJECT, CELLS = "trials.csv", "subject.json", "cells.csv"
_TRIAL_FIELDS = [item.name for item in dataclasses.fields(PushTrial)]
_FIELDS = [*_TRIAL_FIELDS, *(item.name for item in dataclasses.fields(PushResult))]


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
    """

    robot: str = "talos"
    policy: str = ""
    kind: Kind = "shove"
    directions_deg: tuple[float, ...] = (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0)
    sizes: tuple[float, ...] = tuple(float(size) for size in range(22, 50, 2))
    trials: int = 50
    seed: int = 1_000_000
    noise: str = "B"

    def all_trials(self) -> list[PushTrial]:
        """Return every trial, seed by seed."""
        seeds = range(self.seed, self.seed + self.trials)
        return trials(self.kind, self.directions_deg, self.sizes, seeds)

    def subject(self) -> dict[str, Any]:
        """Return what all trials of a map have in common, so that they can be held together."""
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
        ConfigError: If the folder holds a map of another robot, policy or kind of push.
    """
    _settle(plan, folder)
    pushes = PushMap(plan, read_trials(folder / TRIALS))
    left = [trial for trial in plan.all_trials() if trial not in pushes.results]
    with (folder / TRIALS).open("a", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        if file.tell() == 0:
            table.writerow(_FIELDS)
        for trial, result in _run(plan, left, workers):
            pushes.results[trial] = result
            table.writerow([*dataclasses.astuple(trial), *dataclasses.astuple(result)])
            file.flush()
            on_result(pushes, trial, result)
    write_cells(pushes, folder / CELLS)
    return pushes


def read_trials(file: Path) -> dict[PushTrial, PushResult]:
    """Return the trials of a table, without a line that was not finished.

    Raises:
        ConfigError: If it is not such a table.
    """
    if not file.exists():
        return {}
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = {}
    for number, row in enumerate(rows, 2):
        if None in row.values() and number == len(rows) + 1:
            break
        try:
            kind = row["kind"]
            if kind not in ("shove", "load"):
                raise ValueError(f"kind: expected shove or load, got {kind!r}")
            trial = PushTrial(
                "shove" if kind == "shove" else "load",
                float(row["direction_deg"]),
                float(row["size"]),
                int(row["seed"]),
                row["reflex"] == "True",
            )
            result = PushResult(
                row["survived"] == "True",
                float(row["hand_error_mm"]),
                int(row["asked"]),
                row["reason"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{file}: line {number}: not a trial of a map ({error}). Choose a new folder"
            ) from None
        found[trial] = result
    return found


def write_cells(pushes: PushMap, file: Path) -> None:
    """Write one line for each cell, with its interval."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["direction_deg", "size", "reflex", "survived", "n", "low", "high"])
        for cell in pushes.cells():
            table.writerow([*dataclasses.astuple(cell), *(f"{x:.4f}" for x in cell.interval)])


def _settle(plan: MapPlan, folder: Path) -> None:
    """Write down what a new map is of, or hold it against the one that is there."""
    file, subject = folder / SUBJECT, plan.subject()
    if not file.exists():
        if (folder / TRIALS).exists():
            raise ConfigError(
                f"{folder}: holds trials, but no {SUBJECT} that says of which policy. "
                "Choose a new folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(subject, indent=2) + "\n", encoding="utf-8")
        return
    try:
        there = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{file}: not of a map ({error}). Choose a new folder") from None
    other = [
        key for key in subject if not isinstance(there, dict) or there.get(key) != subject[key]
    ]
    if other:
        raise ConfigError(
            f"{folder}: holds a map of another {' and '.join(other)}. Choose a new folder"
        )


def _run(
    plan: MapPlan, left: Sequence[PushTrial], workers: int
) -> Iterable[tuple[PushTrial, PushResult]]:
    """Yield trials as they end."""
    robot = load_robot(plan.robot)
    if workers <= 1:
        bench = _bench(plan, robot)
        try:
            for trial in left:
                yield trial, bench.run(trial)
        finally:
            bench.close()
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start, initargs=(plan, robot)
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
    # A robot that is shoved is bent back at its limits again and again: nothing to look at.
    logging.getLogger("robot.guard").setLevel(logging.ERROR)
    reflex = balance_reflex(plan.robot, Path(plan.policy) if plan.policy else None)
    return PushBench(robot, reflex, plan.noise)


# The bench of a worker process.
_OWN: dict[str, PushBench] = {}


def _start(plan: MapPlan, robot: RobotConfig) -> None:
    _OWN["bench"] = _bench(plan, robot)


def _try(trial: PushTrial) -> PushResult:
    return _OWN["bench"].run(trial)


def summary(pushes: PushMap) -> Mapping[str, Any]:
    """Return the figures of a map."""
    sizes, gains = pushes.survived_sizes(), pushes.gains()
    return {
        "plan": dataclasses.asdict(pushes.plan),
        "trials": len(pushes.results),
        "directions": [
            {
                "direction_deg": direction,
                "alone": figure_json(sizes[direction, False]),
                "with_policy": figure_json(sizes[direction, True]),
                "gain": figure_json(gains[direction]),
            }
            for direction in pushes.directions_deg
        ],
    }
