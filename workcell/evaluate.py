"""An evaluation: a run with a fixed list of seeds that can be gone on with after it was killed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot.errors import ConfigError
from workcell.catalog import Choice
from workcell.claims import least_cycles
from workcell.crew import BACKENDS
from workcell.run import FACTORY, FIRST_EVALUATION_SEED, RunSpec
from workcell.stored_run import StoredRun

# Enough to tell 95 % from 99 %; a claim asks for more.
_EPISODES = 100


@dataclass(frozen=True)
class Question:
    """What an evaluation is asked for; what is None was left open.

    Attributes:
        task: As in `Choice`.
        level: Likewise.
        robot: Likewise.
        policy: Likewise.
        episodes: How many cycles.
        seed: Of the first.
        overrides: Of the form `task.time_limit=60`.
        claim: Success rate that is to be shown.
        workers: How many processes.
        backend: Where they run.
        run_dir: New folder of the results.
        resume: Folder of an evaluation that is gone on with.
        factory: Import path of what builds the runner of the cycles.
    """

    task: str | None = None
    level: str | None = None
    robot: str | None = None
    policy: str | None = None
    episodes: int | None = None
    seed: int | None = None
    overrides: tuple[str, ...] | None = None
    claim: float | None = None
    workers: int | None = None
    backend: str | None = None
    run_dir: Path | None = None
    resume: Path | None = None
    factory: str | None = None

    def spec(self) -> RunSpec:
        """Return what to run.

        Raises:
            ConfigError: If something is out of range or missing, or does not agree with the
                evaluation that is gone on with.
        """
        if self.episodes is not None and self.episodes < 1:
            raise ConfigError(f"--episodes: expected 1 or more, got {self.episodes}")
        if self.resume is not None:
            return self._resumed(self.resume)
        if self.task is None:
            raise ConfigError("TASK: expected the name of a task; see `workcell list`")
        return RunSpec(
            choice=Choice(
                self.task, self.level or "factory", self.robot or "talos", self.policy or "scripted"
            ),
            cycles=_EPISODES if self.episodes is None else self.episodes,
            seed=FIRST_EVALUATION_SEED if self.seed is None else self.seed,
            workers=1 if self.workers is None else self.workers,
            backend=self.backend or BACKENDS[0],
            overrides=self.overrides or (),
            claim=self.claim,
            run_dir=self.run_dir,
            factory=self.factory or FACTORY,
        )

    def _resumed(self, folder: Path) -> RunSpec:
        stored = StoredRun.read(folder)
        asked, choice = stored.asked, stored.choice
        if self.run_dir is not None:
            raise ConfigError(f"--run-dir: leave it out; --resume goes on in {folder}")
        before: dict[str, tuple[Any, Any]] = {
            "TASK": (choice.task, self.task),
            "--level": (choice.level, self.level),
            "--robot": (choice.robot, self.robot),
            "--policy": (choice.policy, self.policy),
            "--episodes": (stored.cycles, self.episodes),
            "--seed": (stored.seeds.start, self.seed),
            "--claim": (asked.get("claim"), self.claim),
        }
        for option, (was, now) in before.items():
            if now is not None and now != was:
                raise ConfigError(
                    f"{option}: {folder} was begun with {was}, got {now}; leave it out to go on "
                    "with that, or start a new evaluation"
                )
        return RunSpec(
            choice=choice,
            cycles=stored.cycles,
            seed=stored.seeds.start,
            workers=int(asked["workers"]) if self.workers is None else self.workers,
            backend=self.backend or str(asked.get("backend", BACKENDS[0])),
            # Other overrides make another configuration, and are told apart by it.
            overrides=tuple(asked["overrides"]) if self.overrides is None else self.overrides,
            claim=asked.get("claim"),
            run_dir=folder,
            resume=True,
            factory=self.factory or str(asked["factory"]),
        )


def remarks(spec: RunSpec) -> list[str]:
    """Return what is worth knowing before an evaluation starts."""
    found = []
    if spec.claim is not None and spec.cycles < least_cycles(spec.claim):
        found.append(
            f"{spec.cycles} cycles cannot show {spec.claim:g}: it takes "
            f"{least_cycles(spec.claim)} without a failure"
        )
    if spec.seed < FIRST_EVALUATION_SEED:
        found.append(f"seeds below {FIRST_EVALUATION_SEED} are for tuning and training")
    return found
