"""The folder of a training: what was asked, what there is to go on with, and the curves.

`config.yaml` holds every value, `checkpoint.safetensors` all that a learner is and has come to,
`progress.csv` a line for each segment, `policy` the best policy so far. Nothing in them can run
code when it is read.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from policies.learner import LearnerState
from robot.errors import ConfigError
from workcell.config import plain
from workcell.files import lock, refuse_existing, replace_file
from workcell.records import plain_json
from workcell.validation import Trial
from workcell.yaml_loader import read_back

CONFIG, CHECKPOINT, PROGRESS = "config.yaml", "checkpoint.safetensors", "progress.csv"
POLICY = "policy"
"""Folder of the best policy, inside that of the training."""

Row = Mapping[str, float | None]
"""A line of the curves by column; None where there is nothing to say."""


@dataclass(frozen=True)
class Best:
    """The best policy so far.

    Attributes:
        segment: After which it was found.
        trials: How it did on the validation seeds.
        fingerprint: Of its folder, see `policy_manifest.Manifest`; empty if it is not known.
    """

    segment: int
    trials: tuple[Trial, ...]
    fingerprint: str = ""


@dataclass(frozen=True)
class Standing:
    """How far a training has come, besides what the learner is.

    Attributes:
        segment: How many segments have ended.
        steps: Of all environments together.
        episodes: That ended while learning.
        wall_s: How long it took, in s, interruptions left out.
        place: How far episodes differ, see `workcell.training_config.CurriculumConfig`.
        tries: Success of each episode at this place.
        validated: After which segment what was learned was last held against the script.
        script: How the script alone did on the validation seeds.
        best: The best policy so far.
        confirm_script: How the script did on the seeds that nothing was chosen on.
        confirm: How the best policy did there.
        confirmed: After which segment that policy was found.
    """

    place: float
    segment: int = 0
    steps: int = 0
    episodes: int = 0
    wall_s: float = 0.0
    tries: tuple[bool, ...] = ()
    validated: int = 0
    script: tuple[Trial, ...] = ()
    best: Best | None = None
    confirm_script: tuple[Trial, ...] = ()
    confirm: tuple[Trial, ...] = ()
    confirmed: int = 0


class TrainingFolder:
    """The folder of one training; while it is open no other process can open it."""

    def __init__(self, path: Path, resume: bool) -> None:
        """Make the folder, or open it again.

        Args:
            path: Where; its parents are made too.
            resume: Whether to go on with one that exists.

        Raises:
            ConfigError: If it exists and was not to be gone on with, is not the folder of a
                training, cannot be made, or is being written by another process.
        """
        self.path = path
        if resume and not (path / CONFIG).is_file():
            raise ConfigError(
                f"--resume: {path}: expected the folder of a training, which holds a {CONFIG}; "
                "`workcell train` prints its name when it starts"
            )
        if resume:
            # Before anything is written into a folder that is none.
            self.config()
        else:
            refuse_existing(path, "--out")
        try:
            path.mkdir(parents=True, exist_ok=resume)
            self._progress = (path / PROGRESS).open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise ConfigError(f"--out: cannot make {path}: {error.strerror}") from None
        lock(self._progress, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.close()

    @property
    def policy(self) -> Path:
        """Where the best policy is."""
        return self.path / POLICY

    def write_config(self, values: Mapping[str, Any]) -> None:
        """Write what was asked, and every value."""
        text = yaml.safe_dump(plain_json(values), sort_keys=False)
        replace_file(self.path / CONFIG, text.encode())

    def config(self) -> dict[str, Any]:
        """Return what was asked, and every value.

        Raises:
            ConfigError: If that is not what the file holds, or it is damaged.
        """
        values = read_back(
            self.path / CONFIG, "put it right or copy it from where it is whole, or start anew"
        )
        if not isinstance(values, dict) or not isinstance(values.get("run"), dict):
            raise ConfigError(
                f"{self.path / CONFIG}: expected the section run of a training, found none; "
                "`workcell train` prints the folder's name when it starts"
            )
        return values

    def ask(self, values: Mapping[str, Any]) -> None:
        """Write down what the training is asked for from now on; all else stays as it was.

        Args:
            values: Of the section `run`, see `TrainSpec.asked`.

        Raises:
            ConfigError: If the file does not hold that section.
        """
        before = self.config()
        after = {**before, "run": {**before["run"], **plain_json(values)}}
        if after != before:
            self.write_config(after)

    def add_progress(self, row: Row) -> None:
        """Append a line to the curves; the first one names the columns."""
        table = csv.writer(self._progress)
        if self._progress.tell() == 0:
            table.writerow(row)
        table.writerow(row.values())
        self._progress.flush()

    def forget_progress(self, segments: int) -> None:
        """Drop the lines of segments that are done again.

        Args:
            segments: How many lines are kept.
        """
        lines = (self.path / PROGRESS).read_bytes().splitlines(keepends=True)
        self._progress.truncate(sum(len(line) for line in lines[: segments + 1]) if segments else 0)
        # Truncating leaves the stream where it was, which is how the next line finds out whether it
        # is the first.
        self._progress.seek(0, os.SEEK_END)

    def save(self, standing: Standing, learner: LearnerState) -> None:
        """Write all there is to go on with, whole or not at all."""
        # Zero-dimensional arrays stay so, unlike with np.ascontiguousarray.
        tensors = {name: np.asarray(value, order="C") for name, value in learner.tensors.items()}
        said = {"standing": json.dumps(plain(standing)), "counters": json.dumps(learner.counters)}
        replace_file(self.path / CHECKPOINT, save(tensors, metadata=said))

    def load(self) -> tuple[Standing, LearnerState] | None:
        """Return what there is to go on with, or None if no segment has ended.

        Raises:
            ConfigError: If it is damaged.
        """
        file = self.path / CHECKPOINT
        if not file.exists():
            return None
        try:
            with safe_open(file, framework="numpy") as content:
                said = content.metadata() or {}
                tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118  no mapping
            standing = TypeAdapter(Standing).validate_json(said["standing"])
            counters = TypeAdapter(dict[str, int]).validate_json(said["counters"])
        except (SafetensorError, ValidationError, KeyError, OSError) as error:
            raise ConfigError(
                f"{file}: expected the checkpoint of a training: {str(error).splitlines()[0]}. "
                "There is nothing to go on with; start anew with another --out"
            ) from None
        return standing, LearnerState(tensors, counters)
