"""A run: some cycles of one task, their records in a folder of their own, and the figures."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from robot.errors import ConfigError, UnknownName
from workcell.catalog import Choice, resolve_choice
from workcell.claims import ClaimCheck, check_claim, least_cycles
from workcell.config import RunConfig
from workcell.crew import BACKENDS, RunnerSpec, crew
from workcell.files import new_folder, refuse_existing
from workcell.metrics import Summary, summarize
from workcell.provenance import commit, other_code, versions
from workcell.records import CycleRecord, RunFolder, plain_json, read_records
from workcell.stored_run import (
    StoredRun,
    config_hash,
    differing_keys,
    refuse_changes,
    seeds_hash,
)

logger = logging.getLogger(__name__)

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
        backend: Where they run, one of `crew.BACKENDS`.
        overrides: Of the form `task.time_limit=60`.
        claim: Success rate that the run is to show, or None.
        gui: Whether to open a window.
        video: Where to write a video of all cycles, or None.
        run_dir: Folder of the results; a new one in `runs` if None.
        resume: Whether to go on with what `run_dir` holds.
        factory: Import path of what builds the runner of the cycles.
    """

    choice: Choice
    cycles: int = 5
    seed: int = FIRST_EVALUATION_SEED
    workers: int = 1
    backend: str = BACKENDS[0]
    overrides: tuple[str, ...] = ()
    claim: float | None = None
    gui: bool = False
    video: Path | None = None
    run_dir: Path | None = None
    resume: bool = False
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
        if self.backend not in BACKENDS:
            raise UnknownName("backend", self.backend, BACKENDS)
        if self.claim is not None:
            # Raises for a claim that no run can show.
            least_cycles(self.claim)
        if (self.workers > 1 or self.backend != BACKENDS[0]) and (self.gui or self.video):
            shown = "--gui" if self.gui else "--video"
            raise ConfigError(f"--workers: expected 1 with {shown}, got {self.workers}")
        if self.video and (self.video.suffix != ".mp4" or self.video.exists()):
            raise ConfigError(f"--video: expected a new file ending in .mp4, got {self.video}")
        if self.run_dir and not self.resume:
            refuse_existing(self.run_dir)

    @property
    def seeds(self) -> range:
        """The seed of each cycle."""
        return range(self.seed, self.seed + self.cycles)


@dataclass(frozen=True)
class RunResult:
    """What came of a run.

    Attributes:
        spec: What was asked.
        config_hash: Of every value of the configuration.
        records: Of the cycles that ended, by seed.
        summary: Their figures.
        run_dir: Where they are written.
        interrupted: The run was stopped before its last cycle ended.
    """

    spec: RunSpec
    config_hash: str
    records: tuple[CycleRecord, ...]
    summary: Summary
    run_dir: Path
    interrupted: bool

    @property
    def complete(self) -> bool:
        """Whether every cycle that was asked for has ended."""
        return len(self.records) == self.spec.cycles

    @property
    def claim(self) -> ClaimCheck | None:
        """What the cycles say about the claim, or None without one."""
        claim, summary, cycles = self.spec.claim, self.summary, self.spec.cycles
        return None if claim is None else check_claim(claim, summary.successes, summary.n, cycles)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        figures = self.summary.as_json()
        return {
            **dataclasses.asdict(self.spec.choice),
            "seed": self.spec.seed,
            "seeds_hash": seeds_hash(self.spec.seeds),
            "config_hash": self.config_hash,
            "complete": self.complete,
            **{
                name: figures[name]
                for name in (
                    *("n", "successes", "success_rate", "wilson_low", "wilson_high"),
                    *("exact_low", "exact_high", "lower_bound"),
                    *("cycle_time_median_s", "cycle_time_p90_s", "cycle_time_p99_s"),
                    *("good_parts_per_hour", "retries", "falls", "guard_stops"),
                    *("max_force_n", "failures", "real_time_factor"),
                )
            },
            "claim": self.claim.as_json() if self.claim else None,
            "run_dir": str(self.run_dir),
        }


def run_cycles(
    spec: RunSpec,
    on_record: Callable[[CycleRecord], None] = lambda record: None,
    on_start: Callable[[Path, int], None] = lambda run_dir, ended: None,
) -> RunResult:
    """Run cycles and write each down as it ends.

    `KeyboardInterrupt` ends the run: the cycles that had ended are its result, those under way
    are forgotten.

    Args:
        spec: What to run.
        on_record: Called with each record, after it was written.
        on_start: Called with the folder of the run and how many of its cycles ended before it was
            resumed, before the first cycle.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range, a robot's package is not installed, or a run was
            begun with another configuration. Nothing has been written.
        CycleCrashed: If a cycle or its process died. What had ended is in the folder.
    """
    config = resolve_choice(spec.choice, spec.overrides)
    origin: dict[str, Any] = {"commit": commit(), "versions": versions()}
    fingerprint = config_hash(config.as_json())
    runner = RunnerSpec(spec.factory, config, spec.gui, spec.video)
    with ExitStack() as stack:
        records: list[CycleRecord] = []
        if spec.resume:
            folder = stack.enter_context(_reopened(spec, config, origin))
            records += read_records(folder.path / "records.jsonl")
        ended = {record.seed for record in records}
        left = [seed for seed in spec.seeds if seed not in ended]
        cells = None
        if left:
            cells = stack.enter_context(crew(runner, left, spec.workers, spec.backend))
        if not spec.resume:
            hashes = {"config_hash": fingerprint, "seeds_hash": seeds_hash(spec.seeds)}
            resolved = {"run": {**_run_values(spec), **hashes}, **config.as_json(), **origin}
            values = yaml.safe_dump(plain_json(resolved), sort_keys=False)
            folder = stack.enter_context(RunFolder(spec.run_dir or new_folder(_name(spec.choice))))
            folder.write("config.yaml", values)
        on_start(folder.path, len(records))
        interrupted = False
        try:
            for bare in cells.run() if cells else ():
                record = dataclasses.replace(bare, config_hash=fingerprint, **origin)
                # What is not on the disk counts for nothing.
                folder.add(record)
                records.append(record)
                on_record(record)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            # Also after a crash: what had ended is worth its figures. What that is, the disk says:
            # an interrupt may have come between writing and counting.
            counted = {record.seed for record in records}
            on_disk = read_records(folder.path / "records.jsonl")
            records += [record for record in on_disk if record.seed not in counted]
            records.sort(key=lambda record: record.seed)
            result = RunResult(
                spec, fingerprint, tuple(records), summarize(records), folder.path, interrupted
            )
            summary = {**result.as_json(), **result.summary.as_json(), "cycles": spec.cycles}
            summary |= _origin(records) or origin
            folder.write("summary.json", json.dumps(plain_json(summary), indent=2))
    return result


def _origin(records: Sequence[CycleRecord]) -> dict[str, Any]:
    """Return the code and the libraries that figures are of; empty without records."""
    if not records:
        return {}
    commits = "; ".join(sorted({record.commit or "unknown" for record in records}))
    found: dict[str, Any] = {"commit": commits}
    for library, _ in records[0].versions.items():
        told = sorted({str(record.versions.get(library)) for record in records})
        found.setdefault("versions", {})[library] = "; ".join(told)
    return found


def _reopened(spec: RunSpec, config: RunConfig, origin: Mapping[str, Any]) -> RunFolder:
    """Open the folder of a run that is gone on with, if everything is as it was."""
    assert spec.run_dir is not None  # nobody goes on with a run that has no folder
    stored = StoredRun.read(spec.run_dir)
    changes = differing_keys(stored.config, plain_json(config.as_json()))
    if stored.seeds != spec.seeds:
        changes["seeds"] = (stored.seeds, spec.seeds)
    refuse_changes("--resume", spec.run_dir, changes, "Set it back, or start a new run")
    changed = other_code(stored.config, origin)
    if changed and not stored.complete:
        logger.warning(
            "%s: was begun by other code: %s. Its figures will be of both", spec.run_dir, changed
        )
    return RunFolder(spec.run_dir, resume=True)


def _run_values(spec: RunSpec) -> dict[str, Any]:
    """Return what a run was asked for besides the names of the sections."""
    values = dataclasses.asdict(spec)
    return {name: values[name] for name in values if name not in ("choice", "run_dir", "resume")}


def _name(choice: Choice) -> str:
    return f"{choice.task}-{choice.robot}-{choice.level}"
