"""Segments of learning, validation against the script, and the best policy kept.

All that decides what is learned is the configuration, the seed, the number of processes, and where
it ends. What a segment begins with is on the disk before it begins, so that a run that was killed
comes to the same result, bit by bit, as one that was not, if its end is a number of steps; how many
fit into minutes is another matter.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from envs.residual_env import TRAINING_SEEDS
from policies.network import Mlp
from policies.rollout import EpisodeEnd
from robot.errors import ConfigError
from workcell.benches import Benches, TrainedFacts
from workcell.config import RunConfig
from workcell.policy_folder import add_evaluation, read_policy
from workcell.policy_manifest import EvaluationRecord
from workcell.provenance import commit
from workcell.train_spec import TrainSpec
from workcell.training_config import TrainingConfig, trials_config
from workcell.training_folder import CHECKPOINT, Best, Row, Standing, TrainingFolder
from workcell.validation import Margin, Trial, margin, median_time

if TYPE_CHECKING:
    from policies.learner import Learner, LearnerState


# Sections whose values decide what an episode is.
_OF_EPISODES = ("task", "level", "robot", "cell")

logger = logging.getLogger(__name__)


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
    """

    doing: str
    standing: Standing
    steps: int
    share: float
    wall_s: float
    steps_per_s: float


def best_margin(standing: Standing) -> Margin | None:
    """Return what the best policy so far is worth on the validation seeds."""
    return None if standing.best is None else margin(standing.script, standing.best.trials)


def _known(standing: Standing, folder: TrainingFolder) -> Standing:
    """Return a standing without its best policy if that is not what its folder holds.

    A training may be killed between writing a policy and writing down that it did.
    """
    best = standing.best
    if best is None or not best.fingerprint:
        return standing
    there = read_policy(folder.policy).manifest.fingerprint if folder.policy.exists() else "nothing"
    if there == best.fingerprint:
        return standing
    logger.warning(
        "%s: expected the best policy of segment %d, found another one: the training was killed "
        "while it wrote, or somebody changed it. What is learned is held against the script anew",
        folder.policy,
        best.segment,
    )
    return dataclasses.replace(standing, best=None, validated=0, confirm=(), confirmed=0)


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
        on_script: Callable[[Sequence[Trial]], None] = lambda trials: None,
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
            on_script: Called with the script's own trials, which come first and take minutes.
        """
        self._spec = spec
        self._training = config.get("training", TrainingConfig)
        self._tried_on = trials_config(config).names["robot"]
        self._folder = folder
        self._benches = benches
        self._learner = learner
        self._on_progress = on_progress
        self._on_segment = on_segment
        self._on_script = on_script
        self.standing = Standing(self._training.curriculum.bounds(spec.level)[0])
        stored = folder.load()
        if stored is not None:
            self.standing = _known(stored[0], folder)
            self._restore(stored[1])
        folder.forget_progress(self.standing.segment)
        self._began = time.monotonic() - self.standing.wall_s

    def run(self) -> None:
        """Learn until it is over, then measure what was found on other seeds."""
        validation = self._training.validation
        if not self.standing.script:
            self._now(script=self._trials("the script alone", validation.seeds, None))
            self._save()
            self._on_script(self.standing.script)
        over = self._over(self.standing.steps)
        while not over:
            over = self._segment()
        if self.standing.validated != self.standing.segment:
            # It was given an end where it is.
            self._validate()
            self._save()
        if self.standing.best is not None:
            self._confirm(self.standing.best)

    def _restore(self, state: LearnerState) -> None:
        try:
            self._learner.restore(state)
        except (ValueError, KeyError) as error:
            raise ConfigError(
                f"{self._folder.path / CHECKPOINT}: does not fit what would learn: {error}. It is "
                "of another algorithm or of other code: go on with that, or start a new training"
            ) from None

    def _segment(self) -> bool:
        """Learn for one segment, and write down what there is to go on with.

        Returns:
            Whether it was the last one, which is always validated.
        """
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
            self._tell("learning", steps, rate)
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
        every = self._training.validation.every
        due = self._over(steps) or self.standing.segment % every == 0
        found = self._validate() if due else None
        row = _row(self.standing, before.place, ends, said, found)
        self._folder.add_progress(row)
        self._save()
        self._on_segment(row, found)
        return due and self._over(steps)

    def _validate(self) -> Margin:
        """Hold what was learned against the script; keep it if it is the best so far."""
        network = self._learner.network()
        seeds = self._training.validation.seeds
        trials = self._trials("validation", seeds, network)
        found, best = margin(self.standing.script, trials), best_margin(self.standing)
        if best is None or found.rank > best.rank:
            written = self._write_policy(network, trials, found)
            self._now(best=Best(self.standing.segment, trials, written))
        self._now(validated=self.standing.segment)
        return found

    def _write_policy(self, network: Mlp, trials: Sequence[Trial], found: Margin) -> str:
        spec, standing = self._spec, self.standing
        facts = TrainedFacts(
            algorithm=spec.algorithm,
            steps=standing.steps,
            seed=spec.seed,
            wall_s=standing.wall_s,
            command=spec.command,
            robots=self._training.drives or (self._training.robot,),
            evaluation=(self._evaluation(trials),),
            description=(
                f"Corrects the script of {spec.task}. When it was chosen, on {found.n} validation "
                f"seeds with {self._tried_on}: {found.sentence()}"
            ),
        )
        written: str = self._benches.one("save", self._folder.policy.absolute(), network, facts)
        return written

    def _evaluation(self, trials: Sequence[Trial]) -> EvaluationRecord:
        return EvaluationRecord(
            level=self._spec.level,
            robot=self._tried_on,
            first_seed=trials[0].seed,
            episodes=len(trials),
            successes=sum(trial.success for trial in trials),
            cycle_time_median_s=median_time(trials),
            commit=commit(),
            overrides=tuple(
                told for told in self._spec.overrides if told.partition(".")[0] in _OF_EPISODES
            ),
        )

    def _confirm(self, best: Best) -> None:
        """Measure the best on seeds that nothing was chosen on, and note it in its folder."""
        seeds, standing = self._training.validation.confirm_seeds, self.standing
        if not seeds or standing.confirmed == best.segment:
            return
        script = standing.confirm_script
        if not script:
            script = self._trials("confirmation, the script alone", seeds, None)
        network = read_policy(self._folder.policy).network
        found = self._trials("confirmation", seeds, network)
        record = self._evaluation(found)
        if record not in read_policy(self._folder.policy).manifest.evaluation:
            add_evaluation(self._folder.policy, record)
        self._now(confirm_script=script, confirm=found, confirmed=best.segment)
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

    def _tell(self, doing: str, steps: int, rate: float = 0.0) -> None:
        share, wall_s = min(1.0, self._share(steps)), time.monotonic() - self._began
        self._on_progress(Progress(doing, self.standing, steps, share, wall_s, rate))


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
