"""A run as its folder tells it: what was asked, what every value was, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from robot.errors import ConfigError
from workcell.catalog import Choice
from workcell.metrics import Summary, summarize
from workcell.records import CycleRecord, plain_json, read_records
from workcell.traces import ForceTrace
from workcell.yaml_loader import read_back

# The parts of a configuration; everything else in `config.yaml` says how it was run.
SECTIONS = ("task", "level", "robot", "cell", "policy")
# How much of a hash is shown and stored: enough that no two configurations ever share it.
_HASH_LENGTH = 16


def config_hash(sections: Mapping[str, Any]) -> str:
    """Return a short hash of every value of a configuration.

    Args:
        sections: As `RunConfig.as_json` returns them, or as `config.yaml` holds them.
    """
    values = {name: plain_json(sections.get(name)) for name in SECTIONS}
    return _hash(json.dumps(values, sort_keys=True))


def seeds_hash(seeds: Sequence[int]) -> str:
    """Return a short hash of a list of seeds, in their order."""
    return _hash(",".join(str(seed) for seed in seeds))


def refuse_changes(
    option: str, path: Path, changes: Mapping[str, tuple[Any, Any]], remedy: str
) -> None:
    """Raise `ConfigError` if something is no longer what a run was made with.

    Args:
        option: What was asked for.
        path: Folder of the run.
        changes: What it was and what it is, by dotted key.
        remedy: What can be done.
    """
    if changes:
        told = "; ".join(f"{key} was {old}, is {new}" for key, (old, new) in changes.items())
        raise ConfigError(f"{option}: {path} was made with another configuration: {told}. {remedy}")


def differing_keys(
    before: Mapping[str, Any], after: Mapping[str, Any], sections: Sequence[str] = SECTIONS
) -> dict[str, tuple[Any, Any]]:
    """Return both values of every dotted key in which two configurations differ.

    Args:
        before: Sections, as in `config_hash`.
        after: Likewise.
        sections: Which of them are held against each other.
    """
    one = {key: value for name in sections for key, value in _flat(before.get(name), name)}
    two = {key: value for name in sections for key, value in _flat(after.get(name), name)}
    return {
        key: (one.get(key), two.get(key))
        for key in (*one, *(key for key in two if key not in one))
        if one.get(key) != two.get(key)
    }


@dataclass(frozen=True)
class StoredRun:
    """A run's folder; the run may still be going on.

    Attributes:
        path: The folder.
        config: What `config.yaml` holds.
        records: Of the cycles that have ended, by seed.
    """

    path: Path
    config: Mapping[str, Any]
    records: tuple[CycleRecord, ...]

    @classmethod
    def read(cls, path: Path) -> StoredRun:
        """Read a folder.

        Raises:
            ConfigError: If it is not the folder of a run, or a file in it is damaged.
        """
        for name in ("config.yaml", "records.jsonl"):
            if not (path / name).is_file():
                raise ConfigError(
                    f"{path}: expected the folder of a run, which holds a {name}; "
                    "`workcell run` and `workcell evaluate` print its name when they start"
                )
        file = path / "config.yaml"
        config = read_back(file, "put it right or copy it from where it is whole, or run it again")
        wanted = ("run", *SECTIONS)
        if not isinstance(config, dict) or not all(
            isinstance(config.get(name), dict) for name in wanted
        ):
            raise ConfigError(f"{file}: expected the sections {', '.join(wanted)}")
        for name, kind, told in (
            ("cycles", int, "a whole number"),
            ("seed", int, "a whole number"),
            ("workers", int, "a whole number"),
            ("factory", str, "a name"),
            ("overrides", list, "a list"),
        ):
            found = config["run"].get(name)
            if not isinstance(found, kind):
                raise ConfigError(f"{file}: run.{name}: expected {told}, got {found!r}")
        for name in SECTIONS:
            if "name" not in config[name] or not isinstance(config[name].get("values"), dict):
                raise ConfigError(
                    f"{file}: {name}: expected the name of what was chosen and its "
                    f"values, found {', '.join(config[name]) or 'nothing'}"
                )
        records = sorted(read_records(path / "records.jsonl"), key=lambda record: record.seed)
        return cls(path, config, tuple(records))

    @property
    def asked(self) -> Mapping[str, Any]:
        """What the run was asked for besides the names of the sections."""
        asked: Mapping[str, Any] = self.config["run"]
        return asked

    @property
    def choice(self) -> Choice:
        """What was chosen, by name."""
        names = {name: str(self.config[name]["name"]) for name in SECTIONS if name != "cell"}
        return Choice(names["task"], names["level"], names["robot"], names["policy"])

    @property
    def cycles(self) -> int:
        """How many cycles it was asked for."""
        return int(self.asked["cycles"])

    @property
    def seeds(self) -> range:
        """The seeds it was asked for."""
        first = int(self.asked["seed"])
        return range(first, first + self.cycles)

    @property
    def complete(self) -> bool:
        """Whether every cycle that was asked for has ended."""
        return set(self.seeds) <= {record.seed for record in self.records}

    @property
    def config_hash(self) -> str:
        """Of every value of its configuration."""
        return config_hash(self.config)

    @cached_property
    def summary(self) -> Summary:
        """The figures of the cycles that have ended."""
        return summarize(self.records)

    def trace(self, seed: int) -> ForceTrace | None:
        """Return what the wrists felt in a cycle, or None if that was not kept."""
        file = self.path / "traces" / f"{seed}.npz"
        return ForceTrace.read(file) if file.is_file() else None


def _flat(value: Any, dotted: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted key and value of everything inside; a list counts as one value."""
    plain = plain_json(value)
    if isinstance(plain, dict) and plain:
        for key, item in plain.items():
            inner = dotted if key == "values" and "." not in dotted else f"{dotted}.{key}"
            yield from _flat(item, inner)
    else:
        yield dotted, plain


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
