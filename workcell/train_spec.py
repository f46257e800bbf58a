"""What a training is asked for, and what its folder remembers of that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.residual_env import TRAINING_SEEDS
from robot.errors import ConfigError
from workcell.benches import FACTORY
from workcell.training_config import refuse_algorithm
from workcell.training_folder import TrainingFolder

# What a training was asked for, as its folder keeps it.
_ASKED = ("task", "level", "algorithm", "seed", "workers", "overrides", "steps", "minutes")


@dataclass(frozen=True)
class TrainSpec:
    """What to learn.

    Attributes:
        task: As `workcell list` names it.
        level: Also: what is trained for.
        algorithm: One of `workcell.training_config.ALGORITHMS`.
        seed: Of everything that is drawn.
        workers: How many simulations at once; it is part of what decides what is learned.
        overrides: Of the form `training.ppo.batch=64`.
        steps: Training ends after as many of all simulations together, or None.
        minutes: It ends after as much wall time, or None.
        factory: Import path of what builds a simulation.
    """

    task: str
    level: str = "factory"
    algorithm: str = "ppo"
    seed: int = 0
    workers: int = 1
    overrides: tuple[str, ...] = ()
    steps: int | None = None
    minutes: float | None = None
    factory: str = FACTORY

    def __post_init__(self) -> None:
        """Refuse what cannot be run, before anything starts."""
        refuse_algorithm(self.algorithm)
        if not 0 <= self.seed < TRAINING_SEEDS:
            raise ConfigError(
                f"--seed: expected 0 to {TRAINING_SEEDS - 1}, got {self.seed}: larger ones are for "
                "choosing and measuring"
            )
        if self.workers < 1:
            raise ConfigError(f"--workers: expected 1 or more, got {self.workers}")
        if self.steps is not None and self.minutes is not None:
            raise ConfigError("--minutes: leave it out, or --steps: one of them ends the training")
        if self.steps is not None and self.steps < 1:
            raise ConfigError(f"--steps: expected 1 or more, got {self.steps}")
        if self.minutes is not None and not self.minutes > 0.0:
            raise ConfigError(f"--minutes: expected more than 0, got {self.minutes:g}")

    @property
    def command(self) -> str:
        """What was typed, without where it was written to."""
        words = [f"workcell train {self.task} --level {self.level} --algorithm {self.algorithm}"]
        words.append(f"--seed {self.seed} --workers {self.workers}")
        if self.steps is not None:
            words.append(f"--steps {self.steps}")
        if self.minutes is not None:
            words.append(f"--minutes {self.minutes:g}")
        return " ".join([*words, *(f"--set {value}" for value in self.overrides)])

    def asked(self) -> dict[str, Any]:
        """Return what its folder keeps."""
        return {name: getattr(self, name) for name in _ASKED} | {"command": self.command}


def stored_spec(
    path: Path, steps: int | None = None, minutes: float | None = None, factory: str = FACTORY
) -> TrainSpec:
    """Return what a training in a folder was asked for.

    Args:
        path: The folder.
        steps: Another end than it was asked for last, or None.
        minutes: Likewise.
        factory: As of `TrainSpec`; it is code, which is not read from a folder.

    Raises:
        ConfigError: If it is not the folder of a training.
    """
    with TrainingFolder(path, resume=True) as folder:
        asked = folder.config()["run"]
    try:
        values = {name: asked[name] for name in _ASKED}
        values["overrides"] = tuple(values["overrides"])
        if steps is not None or minutes is not None:
            values |= {"steps": steps, "minutes": minutes}
        return TrainSpec(**values, factory=factory)
    except (KeyError, TypeError) as error:
        raise ConfigError(f"--resume: {path}: not the folder of a training: {error}") from None
