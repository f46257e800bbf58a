"""A run: some cycles of one task, their records in a folder of their own, and the figures."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from robot.errors import ConfigError
from workcell.catalog import Choice, resolve_choice
from workcell.crew import RunnerSpec, crew
from workcell.metrics import Summary, summarize
from workcell.provenance import commit, versions
from workcell.records import CycleRecord, RunFolder, plain_json, refuse_existing

# Seeds below belong to training and tuning; see `--seed`.
FIRST_EVALUATION_SEED = 1_000_000
# What builds the simulated cell and runs cycles on it.
FACTORY = "workcell.build:build_cycle"


@dataclass(frozen=True)
class RunSpec:
    """What to run.

    Attributes:
        choice: Task, level, robot and policy, by name.
        cycles: How many.
        seed: Of the first cycle; each of the others has the next one.
        workers: How many processes share the seeds.
        overrides: Of the form `task.time_limit=60`.
        gui: Whether to open a window.
        video: Where to write a video of all cycles, or None.
        run_dir: Folder of the results; a new one in `runs` if None.
        factory: Import path of what builds the runner of the cycles.
    """

    choice: Choice
    cycles: int = 5
    seed: int = FIRST_EVALUATION_SEED
    workers: int = 1
    overrides: tuple[str, ...] = ()
    gui: bool = False
    video: Path | None = None
    run_dir: Path | None = None
    factory: str = FACTORY

    def __post_init__(self) -> None:
        """Refuse what cannot be run, before anything starts."""
        for name, value, least in (
            ("--cycles", self.cycles, 1),
            ("--seed", self.seed, 0),
            ("--workers", self.workers, 1),
        ):
            if value < least:
                raise ConfigError(f"{name}: expected {least} or more, got {value}")
        if self.workers > 1 and (self.gui or self.video):
            shown = "--gui" if self.gui else "--video"
            raise ConfigError(f"--workers: expected 1 with {shown}, got {self.workers}")
        if self.video and (self.video.suffix != ".mp4" or self.video.exists()):
            raise ConfigError(f"--video: expected a new file ending in .mp4, got {self.video}")
        if self.run_dir:
            refuse_existing(self.run_dir)


@dataclass(frozen=True)
class RunResult:
    """What came of a run.

    Attributes:
        spec: What was asked.
        records: Of the cycles that ended, by seed.
        summary: Their figures.
        run_dir: Where they are written.
        interrupted: The run was stopped before its last cycle ended.
    """

    spec: RunSpec
    records: tuple[CycleRecord, ...]
    summary: Summary
    run_dir: Path
    interrupted: bool

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        figures = self.summary.as_json()
        choice = self.spec.choice
        return {
            "task": choice.task,
            "robot": choice.robot,
            "level": choice.level,
            "seed": self.spec.seed,
            **{
                name: figures[name]
                for name in (
                    *("n", "successes", "success_rate", "wilson_low", "wilson_high"),
                    *("cycle_time_median_s", "cycle_time_p90_s", "cycle_time_p99_s"),
                    *("retries", "falls", "guard_stops", "max_force_n", "failures"),
                    "real_time_factor",
                )
            },
            "run_dir": str(self.run_dir),
        }


def run_cycles(
    spec: RunSpec,
    on_record: Callable[[CycleRecord], None] = lambda record: None,
    on_start: Callable[[Path], None] = lambda run_dir: None,
) -> RunResult:
    """Run cycles and write each down as it ends.

    `KeyboardInterrupt` ends the run: the cycles that had ended are its result, those under way
    are forgotten.

    Args:
        spec: What to run.
        on_record: Called with each record, after it was written.
        on_start: Called with the folder of the run, before the first cycle.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range or a robot's package is not installed. Nothing has
            been written.
        CycleCrashed: If a cycle or its process died. What had ended is in the folder.
    """
    config = resolve_choice(spec.choice, spec.overrides)
    seeds = range(spec.seed, spec.seed + spec.cycles)
    runner = RunnerSpec(spec.factory, config, spec.gui, spec.video)
    records: list[CycleRecord] = []
    interrupted = False
    with (
        crew(runner, seeds, spec.workers) as cells,
        RunFolder(spec.run_dir or _new_folder(spec.choice)) as folder,
    ):
        origin = {"commit": commit(), "versions": versions()}
        resolved = {"run": _run_values(spec), **config.as_json(), **origin}
        folder.write("config.yaml", yaml.safe_dump(plain_json(resolved), sort_keys=False))
        on_start(folder.path)
        try:
            for record in cells.run():
                records.append(record)
                folder.add(record)
                on_record(record)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            # Also after a crash: what had ended is worth its figures.
            records.sort(key=lambda record: record.seed)
            result = RunResult(spec, tuple(records), summarize(records), folder.path, interrupted)
            asked = {"cycles": spec.cycles, "complete": len(records) == spec.cycles}
            summary = {**result.as_json(), **result.summary.as_json(), **asked, **origin}
            folder.write("summary.json", json.dumps(plain_json(summary), indent=2) + "\n")
    return result


def _run_values(spec: RunSpec) -> dict[str, Any]:
    """Return what a run was asked for besides the names of the sections."""
    names = ("cycles", "seed", "workers", "overrides", "gui", "video", "factory")
    values = dataclasses.asdict(spec)
    return {name: values[name] for name in names}


def _new_folder(choice: Choice) -> Path:
    """Return a folder in `runs` that does not exist yet, named after what is run and when."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    first = Path("runs") / f"{choice.task}-{choice.robot}-{choice.level}-{stamp}"
    path, number = first, 2
    while path.exists():
        path, number = first.with_name(f"{first.name}-{number}"), number + 1
    return path
