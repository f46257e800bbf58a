"""A training: segments of learning, validation against the script, and the best policy kept.

All that decides what is learned is the configuration, the seed and the number of processes. What a
segment begins with is on the disk before it begins, so that a run that was killed comes to the same
result, bit by bit, as one that was not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from envs.residual_env import TRAINING_SEEDS
from policies.curves import Curves
from policies.network import Mlp
from policies.rollout import EpisodeEnd
from robot.errors import ConfigError
from workcell.benches import FACTORY, Benches, TrainedFacts
from workcell.config import RunConfig
from workcell.policy_folder import add_evaluation, read_policy
from workcell.policy_manifest import EvaluationRecord
from workcell.provenance import commit, versions
from workcell.records import new_folder, refuse_existing
from workcell.stored_run import differing_keys, refuse_changes
from workcell.training import TrainingConfig, make_learner, refuse_algorithm, resolve_training
from workcell.training_folder import Best, Row, Standing, TrainingFolder
from workcell.validation import Margin, Trial, margin, median_time

if TYPE_CHECKING:
    from policies.learner import Learner

# What a training was asked for, as its folder keeps it.
_ASKED = ("task", "level", "algorithm", "seed", "workers", "overrides", "steps", "minutes")
# Sections of the configuration of a training; a checkpoint is of no use with other values.
_SECTIONS = ("task", "level", "robot", "cell", "policy", "residual", "reward", "training")


@dataclass(frozen=True)
class TrainSpec:
    """What to learn.

    Attributes:
        task: As `workcell list` names it.
        level: Also: what is trained for.
        algorithm: One of `workcell.training.ALGORITHMS`.
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


@dataclass(frozen=True)
class Progress:
    """Where a training is, for people who wait for it.

    Attributes:
        doing: What is being done.
        standing: At the end of the last segment.
        steps: Until now.
        share: Of the steps or the time that it may take.
        wall_s: Until now, in s.
        steps_per_s: Since the segment began, by wall time.
        recent: Episodes of the segment that have ended.
        best: What the best policy is worth, or None.
    """

    doing: str
    standing: Standing
    steps: int
    share: float
    wall_s: float
    steps_per_s: float
    recent: tuple[EpisodeEnd, ...]
    best: Margin | None


@dataclass(frozen=True)
class TrainResult:
    """What came of a training.

    Attributes:
        spec: What was asked.
        path: Folder of the training.
        policy: Folder of the best policy, or None if none was validated yet.
        standing: How far it has come.
        interrupted: It was stopped before its end.
    """

    spec: TrainSpec
    path: Path
    policy: Path | None
    standing: Standing
    interrupted: bool

    @property
    def validation(self) -> Margin | None:
        """What the best policy is worth on the seeds that it was chosen on."""
        return best_margin(self.standing)

    @property
    def confirmation(self) -> Margin | None:
        """What it is worth on seeds that nothing was chosen on."""
        standing = self.standing
        return margin(standing.confirm_script, standing.confirm) if standing.confirm else None

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        found, sure = self.validation, self.confirmation
        return {
            "task": self.spec.task,
            "level": self.spec.level,
            "algorithm": self.spec.algorithm,
            "seed": self.spec.seed,
            "command": self.spec.command,
            "folder": str(self.path),
            "policy": str(self.policy) if self.policy else None,
            "interrupted": self.interrupted,
            "segments": self.standing.segment,
            "steps": self.standing.steps,
            "wall_s": self.standing.wall_s,
            "validation": found.as_json() if found else None,
            "confirmation": sure.as_json() if sure else None,
        }


def best_margin(standing: Standing) -> Margin | None:
    """Return what the best policy so far is worth on the validation seeds."""
    return None if standing.best is None else margin(standing.script, standing.best.trials)


def train(
    spec: TrainSpec,
    out: Path | None = None,
    resume: Path | None = None,
    on_start: Callable[[Path, Standing], None] = lambda path, standing: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_segment: Callable[[Row, Margin | None], None] = lambda row, found: None,
) -> TrainResult:
    """Learn, validate, keep the best, and write all of it down.

    `KeyboardInterrupt` ends the training: what is on the disk is its result.

    Args:
        spec: What to learn; as `stored_spec` returns it for one that is gone on with.
        out: New folder; one in `runs` if omitted.
        resume: Folder of the training to go on with.
        on_start: Called with the folder and how far the training had come.
        on_progress: Called every few seconds.
        on_segment: Called after each segment with its line of the curves, and how what was learned
            did against the script if it was tried.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range, something is not installed, or the training was
            begun with another configuration. Nothing has been written.
        TrainingCrashed: If a simulation died.
    """
    config = resolve_training(spec.task, spec.level, spec.overrides)
    if resume is None and out is not None:
        refuse_existing(out, "--out")
    with ExitStack() as stack:
        if resume is not None:
            folder = stack.enter_context(TrainingFolder(resume, resume=True))
            changes = differing_keys(folder.config(), config.as_json(), _SECTIONS)
            refuse_changes("--resume", resume, changes, "Set it back, or start a new training")
        benches = stack.enter_context(Benches(config, spec.workers, spec.factory))
        learner = make_learner(spec.algorithm, config, benches.sizes(), spec.seed)
        if resume is None:
            name = f"{spec.task}-{spec.algorithm}-{spec.seed}"
            folder = stack.enter_context(TrainingFolder(out or new_folder(name), resume=False))
            origin = {"commit": commit(), "versions": versions()}
            asked = {name: getattr(spec, name) for name in _ASKED} | {"command": spec.command}
            folder.write_config({"run": asked, **config.as_json(), **origin})

        def tell(row: Row, found: Margin | None) -> None:
            curves.add(trainer.standing.steps, row)
            on_segment(row, found)

        trainer = Trainer(spec, config, folder, benches, learner, on_progress, tell)
        curves = Curves(folder.path / "tensorboard", trainer.standing.steps)
        stack.callback(curves.close)
        on_start(folder.path, trainer.standing)
        interrupted = False
        try:
            trainer.run()
        except KeyboardInterrupt:
            interrupted = True
        stored = folder.load()
        standing = stored[0] if stored else trainer.standing
        policy = folder.policy if standing.best else None
        return TrainResult(spec, folder.path, policy, standing, interrupted)


def stored_spec(
    path: Path, steps: int | None = None, minutes: float | None = None, factory: str = FACTORY
) -> TrainSpec:
    """Return what a training in a folder was asked for.

    Args:
        path: The folder.
        steps: Another end than it was asked for, or None.
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


class Trainer:
    """One training, in its folder."""

    def __init__(
        self,
        spec: TrainSpec,
        config: RunConfig,
        folder: TrainingFolder,
        benches: Benches,
        learner: Learner,
        on_progress: Callable[[Progress], None],
        on_segment: Callable[[Row, Margin | None], None],
    ) -> None:
        """Take up where the folder says.

        Args:
            spec: What to learn.
            config: Every value.
            folder: Open.
            benches: Ready.
            learner: New.
            on_progress: Called every few seconds.
            on_segment: Called after each segment.
        """
        self._spec = spec
        self._training = config.get("training", TrainingConfig)
        self._folder = folder
        self._benches = benches
        self._learner = learner
        self._on_progress = on_progress
        self._on_segment = on_segment
        self.standing = Standing(self._training.curriculum.bounds(spec.level)[0])
        stored = folder.load()
        if stored is not None:
            self.standing = stored[0]
            learner.restore(stored[1])
        folder.forget_progress(self.standing.segment)
        self._began = time.monotonic() - self.standing.wall_s

    def run(self) -> None:
        """Learn until it is over, then measure what was found on other seeds."""
        validation = self._training.validation
        if not self.standing.script:
            self._now(script=self._trials("the script alone", validation.seeds, None))
            self._save()
        while not self._over(self.standing.steps):
            self._segment()
        if self.standing.segment > 0:
            self._confirm()

    def _segment(self) -> None:
        """Learn for one segment, and write down what there is to go on with."""
        before, spec, learner = self.standing, self._spec, self._learner
        learner.begin(before.segment)
        drawn = np.random.SeedSequence((spec.seed, before.segment)).generate_state(spec.workers)
        seeds = [int(seed) % TRAINING_SEEDS for seed in drawn]
        self._benches.each("begin", [(seed, before.place) for seed in seeds])
        steps, began, ends = before.steps, time.monotonic(), list[EpisodeEnd]()
        said: Mapping[str, float] = {}
        for _ in range(-(-self._training.segment_steps // learner.steps)):
            work = [(learner.explorer, learner.steps)] * spec.workers
            chunks = self._benches.each("collect", work)
            ends += [end for chunk in chunks for end in chunk.episodes]
            said = learner.update(chunks)
            steps += learner.steps * spec.workers
            rate = (steps - before.steps) / (time.monotonic() - began)
            self._tell("learning", steps, rate, ends)
            if self._over(steps):
                break
        curriculum = self._training.curriculum
        tries = (*before.tries, *(end.success for end in ends))
        place = curriculum.moved(before.place, tries, spec.level)
        # What was tried at one place says nothing about another, nor does what is long past.
        tries = () if place != before.place else tries[-2 * curriculum.episodes :]
        self._now(
            segment=before.segment + 1,
            steps=steps,
            episodes=before.episodes + len(ends),
            place=place,
            tries=tries,
        )
        last = self._over(steps)
        due = last or self.standing.segment % self._training.validation.every == 0
        found = self._validate() if due else None
        row = _row(self.standing, before.place, ends, said, found)
        self._folder.add_progress(row)
        self._save()
        self._on_segment(row, found)

    def _validate(self) -> Margin:
        """Hold what was learned against the script; keep it if it is the best so far."""
        network = self._learner.network()
        seeds = self._training.validation.seeds
        trials = self._trials("validation", seeds, network)
        found, best = margin(self.standing.script, trials), best_margin(self.standing)
        if best is None or found.rank > best.rank:
            self._write_policy(network, trials, found)
            self._now(best=Best(self.standing.segment, trials))
        return found

    def _write_policy(self, network: Mlp, trials: Sequence[Trial], found: Margin) -> None:
        spec, standing = self._spec, self.standing
        facts = TrainedFacts(
            algorithm=spec.algorithm,
            steps=standing.steps,
            seed=spec.seed,
            wall_s=standing.wall_s,
            command=spec.command,
            robots=self._training.drives,
            evaluation=(self._evaluation(trials),),
            description=(
                f"Corrects the script of {spec.task}. When it was chosen, on {found.n} validation "
                f"seeds with {self._training.robot}: {found.sentence()}"
            ),
        )
        self._benches.one("save", self._folder.policy.absolute(), network, facts)

    def _evaluation(self, trials: Sequence[Trial]) -> EvaluationRecord:
        return EvaluationRecord(
            level=self._spec.level,
            robot=self._training.robot,
            first_seed=trials[0].seed,
            episodes=len(trials),
            successes=sum(trial.success for trial in trials),
            cycle_time_median_s=median_time(trials),
            commit=commit(),
        )

    def _confirm(self) -> None:
        """Measure the best on seeds that nothing was chosen on, and note it in its folder."""
        seeds, standing = self._training.validation.confirm_seeds, self.standing
        assert standing.best is not None  # the last segment was validated
        if not seeds or standing.confirmed == standing.best.segment:
            return
        script = standing.confirm_script
        if not script:
            script = self._trials("confirmation, the script alone", seeds, None)
        network = read_policy(self._folder.policy).network
        found = self._trials("confirmation", seeds, network)
        record = self._evaluation(found)
        if record not in read_policy(self._folder.policy).manifest.evaluation:
            add_evaluation(self._folder.policy, record)
        self._now(confirm_script=script, confirm=found, confirmed=standing.best.segment)
        self._save()

    def _trials(self, doing: str, seeds: range, network: Mlp | None) -> tuple[Trial, ...]:
        """Run whole episodes, of the script alone without a network."""
        found = []
        ends: Iterator[EpisodeEnd] = self._benches.shared("run", [(s, network) for s in seeds])
        for seed, end in zip(seeds, ends, strict=True):
            found.append(Trial.of(seed, end))
            self._tell(f"{doing}, {len(found)} of {len(seeds)} episodes", self.standing.steps)
        return tuple(found)

    def _now(self, **changes: Any) -> None:
        wall_s = time.monotonic() - self._began
        self.standing = dataclasses.replace(self.standing, wall_s=wall_s, **changes)

    def _save(self) -> None:
        self._folder.save(self.standing, self._learner.state())

    def _share(self, steps: int) -> float:
        """Return how much of what it may take it has taken."""
        spec = self._spec
        if spec.steps is not None:
            return steps / spec.steps
        minutes = spec.minutes if spec.minutes is not None else self._training.minutes
        return (time.monotonic() - self._began) / (60.0 * minutes)

    def _over(self, steps: int) -> bool:
        return self._share(steps) >= 1.0

    def _tell(
        self, doing: str, steps: int, rate: float = 0.0, ends: Sequence[EpisodeEnd] = ()
    ) -> None:
        self._on_progress(
            Progress(
                doing,
                self.standing,
                steps,
                min(1.0, self._share(steps)),
                time.monotonic() - self._began,
                rate,
                tuple(ends),
                best_margin(self.standing),
            )
        )


def _row(
    standing: Standing,
    place: float,
    ends: Sequence[EpisodeEnd],
    said: Mapping[str, float],
    found: Margin | None,
) -> Row:
    """Return the line of a segment; None where there is nothing to say."""

    def mean(values: Sequence[float]) -> float | None:
        return sum(values) / len(values) if values else None

    names = ("successes", "script_successes", "faster_s", "softer_n")
    return {
        "segment": standing.segment,
        "steps": standing.steps,
        "episodes": standing.episodes,
        "wall_s": round(standing.wall_s, 1),
        "place": place,
        "success_rate": mean([float(end.success) for end in ends]),
        "reward": mean([end.reward for end in ends]),
        "time_s": mean([end.time_s for end in ends if end.success]),
        "force_n": mean([end.force_n for end in ends]),
        **said,
        **{f"validation_{name}": getattr(found, name) if found else None for name in names},
    }
