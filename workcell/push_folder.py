"""The folder of a map of pushes: what the map is of, by which code, and a line for every trial.

`subject.json` holds what all trials have in common, every value of the robot and of its cell, and
the code that tried them; `trials.csv` the trials. While a folder is open no other process can open
it.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from robot.errors import ConfigError
from workcell.files import lock, replace_file
from workcell.provenance import other_code
from workcell.push_trial import PushResult, PushTrial
from workcell.stored_run import config_hash, differing_keys, refuse_changes

TRIALS, SUBJECT = "trials.csv", "subject.json"
_SECTIONS = ("robot", "cell")
_CONFIG, _HASH, _ORIGINS = "config", "config_hash", "origins"
_COMMIT, _VERSIONS = "commit", "versions"
_FIELDS = [
    *(item.name for kind in (PushTrial, PushResult) for item in dataclasses.fields(kind)),
    _COMMIT,
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """By which code trials are made.

    Attributes:
        commit: See `provenance.commit`.
        versions: Of Python and the libraries, see `provenance.versions`.
    """

    commit: str
    versions: Mapping[str, str | None]

    def as_json(self) -> dict[str, Any]:
        """Return what `subject.json` holds."""
        return {_COMMIT: self.commit, _VERSIONS: dict(self.versions)}


class MapFolder:
    """The folder of one map, open.

    Attributes:
        results: Of each trial that it holds.
    """

    def __init__(self, path: Path, subject: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        """Make the folder, or open the one that is there.

        Args:
            path: Where; its parents are made too.
            subject: What all trials have in common, by name.
            config: Every value of the sections `robot` and `cell`, as what JSON can hold.

        Raises:
            ConfigError: If it holds another map or cannot be made, or another process writes it.
        """
        self.path = path
        file = path / TRIALS
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._table = file.open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be made: {error.strerror}") from None
        lock(self._table, path)
        try:
            self._subject = self._settled(subject, config)
            # What was being written when an earlier command died.
            self._table.truncate(file.read_bytes().rfind(b"\n") + 1)
            self._table.seek(0, os.SEEK_END)
            self.results = read_trials(file)
        except BaseException:
            self._table.close()
            raise
        self._origin: Origin | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._table.close()

    def begin(self, origin: Origin) -> None:
        """Note by which code further trials are made; say so if others were made by other code.

        Args:
            origin: The code.

        Raises:
            ConfigError: If nobody knows with which values the trials that are there were made.
        """
        if _CONFIG not in self._subject:
            raise ConfigError(
                f"{self.path / SUBJECT}: expected every value of the robot and its cell, found "
                "names only, of an earlier version: it can be shown, by asking for no more than "
                "it holds, but not grow. Choose a new folder"
            )
        self._origin = origin
        there = self._subject[_ORIGINS]
        if origin.as_json() not in there:
            there.append(origin.as_json())
            self._write_subject(self._subject)
        others = [other for other in there if other != origin.as_json()]
        if others:
            logger.warning(
                "%s: holds trials of other code, too: %s. %s names the commit of each",
                self.path,
                other_code(others[-1], origin.as_json()),
                TRIALS,
            )

    def add(self, trial: PushTrial, result: PushResult) -> None:
        """Append one trial; `begin` was called before."""
        assert self._origin is not None
        table = csv.writer(self._table)
        if self._table.tell() == 0:
            table.writerow(_FIELDS)
        values = (*dataclasses.astuple(trial), *dataclasses.astuple(result), self._origin.commit)
        table.writerow(values)
        self._table.flush()
        self.results[trial] = result

    def _settled(self, subject: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
        """Write down what a new map is of, or hold it against the one that is there."""
        file = self.path / SUBJECT
        if not file.exists():
            if self._table.tell() > 0:
                raise ConfigError(
                    f"{self.path}: holds trials, but no {SUBJECT} that says of which policy. "
                    "Choose a new folder"
                )
            new = {**subject, _HASH: config_hash(config), _CONFIG: config, _ORIGINS: []}
            self._write_subject(new)
            return new
        there = _read_subject(file)
        other = [key for key in subject if there.get(key) != subject[key]]
        if other:
            raise ConfigError(
                f"{self.path}: holds a map of another {' and '.join(other)}. Choose a new folder"
            )
        if _CONFIG in there:
            changes = differing_keys(there[_CONFIG], config, _SECTIONS)
            refuse_changes("run_dir", self.path, changes, "Set it back, or choose a new folder")
        return there

    def _write_subject(self, subject: Mapping[str, Any]) -> None:
        replace_file(self.path / SUBJECT, (json.dumps(subject, indent=2) + "\n").encode())


def read_trials(file: Path) -> dict[PushTrial, PushResult]:
    """Return the trials of a table, without a line that was not finished.

    Raises:
        ConfigError: If it is not such a table.
    """
    if not file.exists():
        return {}
    text = file.read_bytes()
    finished = text[: text.rfind(b"\n") + 1].decode("utf-8", errors="replace")
    found = {}
    for number, row in enumerate(csv.DictReader(finished.splitlines(keepends=True)), 2):
        try:
            trial, result = _read_trial(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{file}: line {number}: not a trial of a map ({error}). Choose a new folder"
            ) from None
        found[trial] = result
    return found


def _read_trial(row: Mapping[Any, Any]) -> tuple[PushTrial, PushResult]:
    # The reader puts what is too much under None, and None where something is missing.
    if None in row or None in row.values():
        raise ValueError("expected a value in each column")
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
    return trial, result


def _read_subject(file: Path) -> dict[str, Any]:
    """Return what a map is of; one of an earlier version has no `config` and no `origins`."""
    try:
        there = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{file}: not of a map ({error}). Choose a new folder") from None
    sound = isinstance(there, dict) and isinstance(there.get(_CONFIG, {}), dict)
    if not sound or (_CONFIG in there and not _are_origins(there.get(_ORIGINS))):
        raise ConfigError(
            f"{file}: not of a map (expected names, values and origins). Choose a new folder"
        )
    return dict(there)


def _are_origins(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get(_VERSIONS), dict) and _COMMIT in item
        for item in value
    )
