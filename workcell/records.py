"""What is written down of each cycle: one JSON line per cycle, on the disk before the next ends."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from robot.errors import ConfigError
from tasks.task import Operation
from workcell.files import lock, refuse_existing, replace_file
from workcell.traces import ForceRecord, ForceTrace

# What a number or a word of a record may be, by how its type is written.
_TYPES: dict[str, Any] = {
    "int": int,
    "bool": bool,
    "str": str,
    "float": (int, float),
    "str | None": (str, type(None)),
}


@dataclass(frozen=True)
class SideRecord:
    """How one arm fared in one cycle.

    Attributes:
        retries: How often what was tried again, by kind, e.g. `regrasp`, `jam`.
        reasons: Why, in the order of the retries.
        phase_times_s: Time spent in each phase, by name, in s.
        ended_in: The phase it was in when the cycle ended.
    """

    retries: Mapping[str, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    phase_times_s: Mapping[str, float] = field(default_factory=dict)
    ended_in: str = ""


@dataclass(frozen=True)
class CycleRecord:
    """One cycle, from `start` to `done`.

    Attributes:
        seed: Of the episode; the same seed is the same cycle.
        task: Name of the task.
        robot: Name of the robot.
        level: Name of the level of variation.
        success: The job was done, judged by the true poses, and the station confirmed.
        first_attempt: Success without a retry of any arm.
        failure: Why not, or None. What could not be set up is `setup: ` and why.
        cycle_time_s: From `start` to `done` on the cell's clock, in s.
        sides: How each arm fared, by arm name.
        operations: How each piece of work went, by name, judged by the true poses; none in a
            cycle that did not begin.
        findings: What the policy says of what it looked at, by name: `verdict`, and the evidence.
        disagreements: Process signals that contradicted the true poses at the end.
        max_force_n: Hardest force at any wrist, in N.
        force_limit_n: Wrist force that the guard lets pass for a moment only, in N.
        time_above_limit_s: Longest uninterrupted time with more than that, in s.
        forces: What each wrist felt, by name of the sensor; none if it was not set up.
        fell: The robot fell.
        guard_stops: How often the guard halted the robot.
        guard_clamps: How many commands the guard bent.
        unsolved_ticks: Control ticks for which the controller found no solution.
        layout: The draw of this cycle, as `Layout.as_json` gives it.
        measures: The numbers the judgement rests on, named with their unit.
        wall_s: Real time that the whole cycle took, set-up included, in s.
        core_s: Time that the process worked for it, in s; less than `wall_s` on a busy machine.
        sim_s: Time that passed in the cell, set-up included, in s.
        time_limit_s: Longest time that the cycle might have taken, in s.
        config_hash: Of every value of the configuration, see `stored_run.config_hash`.
        commit: Of the code, see `provenance.commit`.
        versions: Of Python and the libraries.
        trace: What the wrists felt, or None; it is no part of the line, see `RunFolder.add`.
    """

    seed: int
    task: str
    robot: str
    level: str
    success: bool
    first_attempt: bool
    failure: str | None
    cycle_time_s: float
    sides: Mapping[str, SideRecord]
    operations: Mapping[str, Operation] = field(default_factory=dict)
    findings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)
    max_force_n: float = 0.0
    force_limit_n: float = 0.0
    time_above_limit_s: float = 0.0
    forces: Mapping[str, ForceRecord] = field(default_factory=dict)
    fell: bool = False
    guard_stops: int = 0
    guard_clamps: int = 0
    unsolved_ticks: int = 0
    layout: Mapping[str, Any] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    wall_s: float = 0.0
    core_s: float = 0.0
    sim_s: float = 0.0
    time_limit_s: float = 0.0
    config_hash: str = ""
    commit: str = ""
    versions: Mapping[str, str | None] = field(default_factory=dict)
    trace: ForceTrace | None = field(default=None, compare=False, repr=False)

    @property
    def retries(self) -> int:
        """How often anything was tried again, by all arms together."""
        return sum(sum(side.retries.values()) for side in self.sides.values())

    def as_json(self) -> dict[str, Any]:
        """Return the record as what JSON can hold; `from_json` undoes it."""
        plain: dict[str, Any] = plain_json(asdict(replace(self, trace=None)))
        del plain["trace"]
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CycleRecord:
        """Return the record that a JSON object holds.

        Raises:
            TypeError: If a field is missing, unknown, or of another type.
        """
        for item in fields(cls):
            kind = _TYPES.get(str(item.type)) if item.name in data else None
            value = data.get(item.name)
            # True is a whole number to Python.
            if kind and not (isinstance(value, kind) and isinstance(value, bool) is (kind is bool)):
                raise TypeError(f"{item.name}: expected {item.type}, got {value!r}")
        sides = {name: SideRecord(**side) for name, side in data["sides"].items()}
        operations = {name: Operation(**op) for name, op in data["operations"].items()}
        # Records of older versions have no forces by wrist.
        forces = {name: ForceRecord(**force) for name, force in data.get("forces", {}).items()}
        return cls(**{**data, "sides": sides, "operations": operations, "forces": forces})


def plain_json(value: Any) -> Any:
    """Return a value as what JSON can hold: arrays become lists, a number that is none null.

    Args:
        value: Nested mappings, sequences, arrays, numbers, strings and paths.
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain_json(value.tolist())
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


class RunFolder:
    """The folder of one run: `config.yaml`, `records.jsonl`, `traces`, at the end `summary.json`.

    Records are handed to the operating system's disk one by one, so that a run that dies leaves
    every cycle that had ended. While a folder is open no other process can open it.
    """

    def __init__(self, path: Path, resume: bool = False) -> None:
        """Make the folder, or open it again.

        Args:
            path: Where; its parents are made too.
            resume: Whether to go on with one that exists.

        Raises:
            ConfigError: If it exists and was not to be gone on with, cannot be made, or is being
                written by another process.
        """
        self.path = path
        file = path / "records.jsonl"
        if not resume:
            refuse_existing(path)
        try:
            path.mkdir(parents=True, exist_ok=resume)
            (path / "traces").mkdir(exist_ok=resume)
            self._records = file.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--run-dir: cannot make {path}: {error.strerror}") from None
        lock(self._records, path)
        if resume:
            # What was being written when the run died.
            text = file.read_bytes()
            self._records.truncate(text.rfind(b"\n") + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._records.close()

    def add(self, record: CycleRecord) -> None:
        """Append one record and keep its trace; when this returns the record is on the disk."""
        if record.trace is not None:
            record.trace.write(self.path / "traces" / f"{record.seed}.npz")
        self._records.write(json.dumps(record.as_json(), allow_nan=False) + "\n")
        self._records.flush()
        os.fsync(self._records.fileno())

    def write(self, name: str, text: str) -> None:
        """Write a small file whole or not at all."""
        replace_file(self.path / name, text.encode())


def read_records(path: Path) -> list[CycleRecord]:
    """Return the records of a run, in the order in which the cycles ended.

    A last line that was cut short by a crash is no record and is left out.

    Args:
        path: The file `records.jsonl`.

    Raises:
        ConfigError: If a line in the middle is not a record of this version, or of a cycle that
            there was before.
    """
    lines = path.read_bytes().split(b"\n")
    records: list[CycleRecord] = []
    found: dict[int, int] = {}
    # What follows the last line end is empty, or was being written when the run died.
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = CycleRecord.from_json(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            expected = ", ".join(item.name for item in fields(CycleRecord))
            raise ConfigError(
                f"{path}:{number}: expected a record with {expected}; {error}"
            ) from error
        first = found.setdefault(record.seed, number)
        if first != number:
            raise ConfigError(
                f"{path}:{number}: expected each seed once, got {record.seed} here and in line "
                f"{first}; take one of them out"
            )
        records.append(record)
    return records
