"""Benchmarks by name: evaluations of every combination of tasks, levels, policies and changes."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import yaml
from annotated_types import Ge, MinLen

from robot.errors import ConfigError
from workcell.catalog import Choice, resolve_choice
from workcell.config import file_names, load, load_named
from workcell.files import new_folder, refuse_existing, replace_file
from workcell.records import plain_json
from workcell.run import FACTORY, FIRST_EVALUATION_SEED, RunResult, RunSpec
from workcell.stored_run import StoredRun
from workcell.yaml_loader import read_back

_Names = Annotated[tuple[str, ...], MinLen(1)]
# What a suite is written down as beside its runs.
_SUITE_FILE = "suite.yaml"


@dataclass(frozen=True)
class Suite:
    """A benchmark: every combination is one evaluation, all on the same seeds.

    Attributes:
        description: What it is for, in one line.
        tasks: As in `Choice`.
        levels: Likewise.
        robots: Likewise.
        policies: Likewise.
        ablations: What is changed, as after `--set`, by name.
        episodes: Of each evaluation.
        seed: Of the first episode of each.
    """

    description: str
    tasks: _Names
    levels: _Names = ("factory",)
    robots: _Names = ("talos",)
    policies: _Names = ("scripted",)
    ablations: Annotated[Mapping[str, tuple[str, ...]], MinLen(1)] = field(
        default_factory=lambda: {"base": ()}
    )
    episodes: Annotated[int, Ge(1)] = 100
    seed: Annotated[int, Ge(0)] = FIRST_EVALUATION_SEED

    def of(self, episodes: int | None = None, seed: int | None = None) -> Suite:
        """Return the same benchmark on other seeds.

        Args:
            episodes: Of each evaluation; as many as before if omitted.
            seed: Of the first episode of each; as before if omitted.

        Raises:
            ConfigError: If there are too few, or the seed is negative.
        """
        asked = {"episodes": episodes, "seed": seed}
        for name, least in (("episodes", 1), ("seed", 0)):
            value = asked[name]
            if value is not None and value < least:
                raise ConfigError(f"--{name}: expected {least} or more, got {value}")
        return dataclasses.replace(
            self,
            episodes=self.episodes if episodes is None else episodes,
            seed=self.seed if seed is None else seed,
        )

    def arms(self) -> dict[str, RunSpec]:
        """Return what is run, by the name of its folder; the first of a task is its reference."""
        arms = {}
        for task, robot, level, policy, (name, overrides) in product(
            self.tasks, self.robots, self.levels, self.policies, self.ablations.items()
        ):
            folder = "-".join((task, robot, level, policy, name)).replace("/", "_")
            choice = Choice(task, level, robot, policy)
            arms[folder] = RunSpec(choice, self.episodes, self.seed, overrides=overrides)
        return arms


def suite_names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the name of every benchmark.

    Args:
        folder: Of the YAML files; the project's own if omitted.
    """
    return file_names("benchmark", folder)


def load_suite(name: str, folder: Path | None = None) -> Suite:
    """Return a benchmark by name.

    Args:
        name: Of its file in `configs/benchmark`.
        folder: Of the YAML files; the project's own if omitted.

    Raises:
        UnknownName: If there is none of that name.
        ConfigError: With one line for each mistake in its file.
    """
    return load_named("benchmark", name, Suite, folder)


def run_suite(
    name: str,
    suite: Suite,
    run: Callable[[RunSpec], RunResult],
    *,
    workers: int = 1,
    backend: str = "local",
    run_dir: Path | None = None,
    resume: bool = False,
    factory: str = FACTORY,
) -> tuple[Path, dict[str, RunResult]]:
    """Run a benchmark, one evaluation after the other.

    Args:
        name: Of the benchmark.
        suite: What it consists of.
        run: Runs one evaluation.
        workers: How many processes share the episodes of an evaluation.
        backend: Where they run.
        run_dir: Folder of the runs; a new one in `runs` if omitted.
        resume: Whether to go on with what that folder holds.
        factory: Import path of what builds the runner of the cycles.

    Returns:
        The folder, and the results by the names of their folders; those that an interrupt did not
        leave time for are missing.

    Raises:
        UnknownName: If a name in the suite does not exist.
        ConfigError: If a value is out of range, or the folder holds another benchmark. Nothing has
            been started.
    """
    folder = run_dir or new_folder(name)
    arms = {
        arm: dataclasses.replace(spec, workers=workers, backend=backend, factory=factory)
        for arm, spec in suite.arms().items()
    }
    for spec in arms.values():
        resolve_choice(spec.choice, spec.overrides)
    _claim_folder(folder, suite, resume)
    results: dict[str, RunResult] = {}
    for arm, spec in arms.items():
        begun = _begun(folder / arm)
        result = run(dataclasses.replace(spec, run_dir=folder / arm, resume=begun))
        results[arm] = result
        if result.interrupted:
            break
    return folder, results


def _begun(arm: Path) -> bool:
    """Return whether an evaluation was begun; what was broken off before that is taken away."""
    if (arm / "config.yaml").exists():
        return True
    # Only where nothing was written: whatever else is there is nobody's to take away.
    if arm.is_dir() and not any(file.is_file() and file.stat().st_size for file in arm.rglob("*")):
        shutil.rmtree(arm)
    return False


def arm_order(folder: Path) -> list[str]:
    """Return the names of the evaluations of a benchmark in their order; none if it is not one.

    Args:
        folder: Of the benchmark.

    Raises:
        ConfigError: If its file is damaged.
    """
    file = folder / _SUITE_FILE
    return list(load(file, Suite).arms()) if file.exists() else []


def _claim_folder(folder: Path, suite: Suite, resume: bool) -> None:
    """Make the folder of a benchmark, or see that it is the one that is gone on with."""
    file, plain = folder / _SUITE_FILE, _plain(suite)
    if not resume:
        refuse_existing(folder)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ConfigError(f"--run-dir: cannot make {folder}: {error.strerror}") from None
        replace_file(file, yaml.safe_dump(plain, sort_keys=False).encode())
        return
    before = _stored(folder)
    changes = [key for key in plain if before.get(key) != plain[key]]
    if changes:
        told = "; ".join(f"{key} was {before.get(key)}, is {plain[key]}" for key in changes)
        raise ConfigError(
            f"--resume: {folder} was begun with another benchmark: {told}. "
            "Set it back, or start a new one"
        )


def begun_with(folder: Path) -> tuple[int, int]:
    """Return the episodes of each evaluation and the first seed that a benchmark was begun with.

    Raises:
        ConfigError: If it is not the folder of a benchmark, or its file is damaged.
    """
    stored = _stored(folder)
    return int(stored["episodes"]), int(stored["seed"])


def stored_runs(folder: Path, results: Mapping[str, RunResult]) -> list[StoredRun]:
    """Return the runs of a benchmark in their order, as their folders tell them."""
    return [StoredRun.read(folder / arm) for arm in results]


def _stored(folder: Path) -> dict[str, Any]:
    file = folder / _SUITE_FILE
    if not file.is_file():
        raise ConfigError(f"--resume: {folder} is not the folder of a benchmark: no {_SUITE_FILE}")
    stored = read_back(file, "put it right, or start a new benchmark")
    wanted = ("episodes", "seed")
    if not isinstance(stored, dict) or not all(isinstance(stored.get(k), int) for k in wanted):
        raise ConfigError(
            f"{file}: expected whole numbers for {' and '.join(wanted)}, as a benchmark writes "
            "them; put it right, or start a new one"
        )
    return stored


def _plain(suite: Suite) -> dict[str, Any]:
    plain: dict[str, Any] = plain_json(dataclasses.asdict(suite))
    return plain
