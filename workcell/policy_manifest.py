"""What `policy.json` says: which policy a folder holds, what it is for, and where it came from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge, Gt, MinLen

from policies.contract import Contract
from policies.network import MlpSpec, Normalization
from robot.errors import ConfigError
from workcell.config import plain, validated

FORMAT, VERSION = "workcell-policy", 1
_Hash = Annotated[str, MinLen(64)]
# What a mistake may quote of a file: the rest of a line that is kilobytes long teaches nothing.
_LONGEST_LINE = 300


@dataclass(frozen=True)
class TrainingRecord:
    """How a policy came about.

    Attributes:
        command: What was typed.
        algorithm: What learned, e.g. `PPO`.
        seed: Of everything that was drawn.
        steps: Policy steps it was trained on.
        wall_s: How long that took, in s.
        level: How far its episodes differed.
        robot: The robot it was trained on.
        commit: Of the code.
        versions: Of Python and the libraries.
    """

    command: str
    algorithm: str
    seed: int
    steps: Annotated[int, Ge(0)]
    wall_s: Annotated[float, Ge(0)]
    level: str
    robot: str
    commit: str = "unknown"
    versions: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationRecord:
    """How a policy did on seeds that it was not trained on, and under which conditions.

    Files of older versions have neither changes nor a hash of the configuration.

    Attributes:
        level: How far the episodes differed.
        robot: Who did the job.
        first_seed: Of the first episode; each of the others had the next one.
        episodes: How many.
        successes: In how many of them the job was done.
        cycle_time_median_s: Over the successes, in s; None without one.
        commit: Of the code.
        overrides: What was changed from the values of task, level, robot and cell, of the form
            `level.shove_chance=0`.
        config_hash: Of every value, see `stored_run.config_hash`; empty if it is not known.
    """

    level: str
    robot: str
    first_seed: Annotated[int, Ge(0)]
    episodes: Annotated[int, Gt(0)]
    successes: Annotated[int, Ge(0)]
    cycle_time_median_s: float | None = None
    commit: str = "unknown"
    overrides: tuple[str, ...] = ()
    config_hash: str = ""

    @property
    def seeds(self) -> range:
        """Of its episodes."""
        return range(self.first_seed, self.first_seed + self.episodes)

    def __post_init__(self) -> None:
        """Refuse more successes than episodes."""
        if self.successes > self.episodes:
            raise ValueError(
                f"successes: expected at most {self.episodes} episodes, got {self.successes}"
            )


@dataclass(frozen=True)
class Probe:
    """One observation and what the network made of it when it was written.

    Whoever reads the file computes it again: a network that is run in another way than it was
    trained is found out before anything moves.

    Attributes:
        observation: What the network was given.
        action: What it returned.
    """

    observation: tuple[float, ...]
    action: tuple[float, ...]


@dataclass(frozen=True)
class Manifest:
    """All of `policy.json`.

    Attributes:
        kind: One of `policies.learned.KINDS`.
        project: Version of this project that wrote it.
        contract: What the policy was made for.
        network: What the network looks like.
        normalization: What is done to an observation first.
        config: Values of the kind's configuration.
        training: How it came about.
        probe: What the network does with one observation.
        files: SHA-256 of every other file of the folder, by name.
        description: For people, in one line.
        evaluation: How it did, best known last.
        format: What the file is.
        version: Of the format.
    """

    kind: str
    project: str
    contract: Contract
    network: MlpSpec
    normalization: Normalization
    config: Mapping[str, Any]
    training: TrainingRecord
    probe: Probe
    files: Mapping[str, _Hash]
    description: str = ""
    evaluation: tuple[EvaluationRecord, ...] = ()
    format: str = FORMAT
    version: int = VERSION

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides what the policy does, hashes of files included.

        How it was evaluated is left out, so that a policy stays what it is when it is.
        """
        data = plain(self)
        del data["evaluation"]
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def text(self) -> str:
        """Return what is written into the file."""
        text = json.dumps(plain(self), indent=2, allow_nan=False)
        # Lists of numbers or words on one line each: hundreds of lines of one number hide the rest.
        # No string holds a line end, so none is changed.
        one_line = re.sub(r"\[\n\s*([^\[\]{}]*?)\n\s*\]", _on_one_line, text)
        return one_line + "\n"


def parse_manifest(text: str, place: str) -> Manifest:
    """Return what a file says.

    Args:
        text: What is in the file.
        place: The file's name, for messages.

    Raises:
        ConfigError: In one line, if it is not a policy of this version or anything in it is wrong.
    """
    try:
        data = json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{place}: expected JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise ConfigError(f"{place}: format: expected '{FORMAT}', got {found!r}")
    if data.get("version") != VERSION:
        raise ConfigError(
            f"{place}: version: expected {VERSION}, got {data.get('version')!r}; "
            "it was written by another version of this project: update, or export it again"
        )
    try:
        manifest: Manifest = validated(data, Manifest, "policy", lambda dotted: place)
    except ConfigError as error:
        first, *more = str(error).splitlines()
        rest = f" (and {len(more)} more)" if more else ""
        raise ConfigError(first[:_LONGEST_LINE] + rest) from None
    return manifest


def _on_one_line(match: re.Match[str]) -> str:
    return "[" + re.sub(r"\s*\n\s*", " ", match.group(1)) + "]"


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
