"""What a training is: its values, how far its episodes differ as it goes on, and who learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from envs import CORRECTED
from envs.residual_env import TRAINING_SEEDS
from envs.residual_reward import ResidualReward
from policies.off_policy import OffPolicyConfig
from policies.ppo import PpoConfig
from robot.errors import ConfigError, UnknownName
from tasks import TASKS
from tasks.task import Task
from tasks.variation import LEVELS, Variation, mixed
from workcell.catalog import Choice, known_names, resolve_choice
from workcell.config import RunConfig, Section, config_folder
from workcell.environments import refuse_policy_overrides, residual_sections

if TYPE_CHECKING:
    from policies.learner import Learner, Sizes

ALGORITHMS = ("ppo", "sac", "crossq")
# Benchmark seeds begin here.
_MEASURING_SEEDS = 1_000_000
# Sections that are another robot's where what was learned is tried on another robot.
_OF_ROBOT = ("robot", "cell")
_TRIED = "validation_"


@dataclass(frozen=True)
class CurriculumConfig:
    """How far episodes differ: places on the ladder of levels, nominal 0, factory 1, hard 2.

    Attributes:
        start: Where training begins, if the level is not below it.
        beyond: How far beyond the level it goes, as far as there are levels.
        step: From one stage to the next.
        raise_above: Success rate above which episodes differ more from then on.
        lower_below: Success rate below which they differ less.
        episodes: Over how many episodes that rate is taken, at least; of those that ended before
            their segment did.
    """

    start: float = 0.5
    beyond: float = 0.25
    step: float = 0.25
    raise_above: float = 0.8
    lower_below: float = 0.5
    episodes: int = 40

    def __post_init__(self) -> None:
        """Refuse a ladder that leads nowhere."""
        top = len(LEVELS) - 1
        for name, low, high in (("start", 0.0, top), ("beyond", 0.0, top), ("step", 0.01, top)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}: expected {low} to {high}, got {getattr(self, name)}")
        if not 0.0 <= self.lower_below < self.raise_above <= 1.0:
            raise ValueError(
                f"raise_above: expected more than lower_below = {self.lower_below} and at most 1, "
                f"got {self.raise_above}"
            )
        if self.episodes < 1:
            raise ValueError(f"episodes: expected 1 or more, got {self.episodes}")

    def bounds(self, level: str) -> tuple[float, float]:
        """Return the first and the last place of a training for a level."""
        place = float(LEVELS.index(level))
        return min(self.start, place), min(place + self.beyond, float(len(LEVELS) - 1))

    def moved(self, place: float, successes: Sequence[bool], level: str) -> float:
        """Return the place after some episodes at one; the same one means that it stays.

        Args:
            place: Where they were.
            successes: Of each of them.
            level: That is trained for.
        """
        low, high = self.bounds(level)
        if len(successes) < self.episodes:
            return place
        rate = sum(successes) / len(successes)
        if rate > self.raise_above:
            return min(place + self.step, high)
        return max(place - self.step, low) if rate < self.lower_below else place


@dataclass(frozen=True)
class ValidationConfig:
    """On which episodes what was learned is held against the script alone.

    Attributes:
        robot: That they are on; the one that is trained on if None. What goes wrong only on the
            robot that is driven later is not seen on another one.
        first_seed: Of those on which the best is chosen.
        episodes: How many; the script and whatever is compared with it run the same.
        every: After how many segments.
        confirm_first_seed: Of those on which what was chosen is measured once, at the end.
        confirm_episodes: How many; none if 0.
    """

    robot: str | None = None
    first_seed: int = TRAINING_SEEDS
    episodes: int = 40
    every: int = 6
    confirm_first_seed: int = 950_000
    confirm_episodes: int = 40

    def __post_init__(self) -> None:
        """Refuse seeds that are trained on, or that are left for measuring."""
        for name, count in (
            ("first_seed", self.episodes),
            ("confirm_first_seed", self.confirm_episodes),
        ):
            first = getattr(self, name)
            if not TRAINING_SEEDS <= first <= first + count <= _MEASURING_SEEDS:
                raise ValueError(
                    f"{name}: expected {count} seeds from {TRAINING_SEEDS} and below "
                    f"{_MEASURING_SEEDS}, got them from {first}"
                )
        if set(self.seeds) & set(self.confirm_seeds):
            raise ValueError("confirm_first_seed: expected other seeds than the best is chosen on")
        for name, least in (("episodes", 1), ("every", 1), ("confirm_episodes", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected {least} or more, got {getattr(self, name)}")

    @property
    def seeds(self) -> range:
        """Of the episodes on which the best is chosen."""
        return range(self.first_seed, self.first_seed + self.episodes)

    @property
    def confirm_seeds(self) -> range:
        """Of the episodes on which it is measured at the end."""
        return range(self.confirm_first_seed, self.confirm_first_seed + self.confirm_episodes)


@dataclass(frozen=True)
class TrainingConfig:
    """How a task's correction is learned.

    Attributes:
        robot: That is trained on.
        drives: Robots that the result may drive; the one that is trained on if there are none.
        minutes: Of wall time, after which training ends unless something else is asked for.
        segment_steps: Steps of each environment between two checkpoints, at least.
        curriculum: How far episodes differ.
        validation: How the best is chosen.
        ppo: How PPO learns.
        sac: How SAC learns.
        crossq: How CrossQ learns.
    """

    robot: str = "talos_fixed"
    drives: tuple[str, ...] = ()
    minutes: float = 75.0
    segment_steps: int = 1536
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    ppo: PpoConfig = field(default_factory=PpoConfig)
    sac: OffPolicyConfig = field(default_factory=OffPolicyConfig)
    crossq: OffPolicyConfig = field(default_factory=OffPolicyConfig)

    def __post_init__(self) -> None:
        """Refuse a training without time or steps."""
        if not self.minutes > 0.0:
            raise ValueError(f"minutes: expected more than 0, got {self.minutes}")
        if self.segment_steps < 1:
            raise ValueError(f"segment_steps: expected 1 or more, got {self.segment_steps}")


def resolve_training(task: str, level: str, overrides: Sequence[str]) -> RunConfig:
    """Return every value of a training.

    The sections of `trials_config` are those of the robot that what was learned is tried on; what
    `--set` changes of a robot and of the cell it changes of both.

    Args:
        task: As `workcell list` names it.
        level: Also.
        overrides: As after `--set`; besides those of a run there are `training.ppo.batch`,
            `residual.authority.translation_m`, `reward.time_per_s` and their like.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range, or there is nothing to correct in the task.
    """
    if task not in TASKS:
        raise UnknownName("task", task, TASKS)
    if task not in CORRECTED:
        raise ConfigError(
            f"{task}: has no script that is corrected; `workcell train` can do "
            f"{' and '.join(CORRECTED)}"
        )
    refuse_policy_overrides(overrides)
    file = config_folder() / "training" / f"{task}.yaml"
    section = Section("training", TrainingConfig, file, TrainingConfig())
    more = {**residual_sections(task), "training": section}
    # The robot is a value of the training itself; it has to be known to look up its own values.
    draft = resolve_choice(Choice(task, level), overrides, more=more)
    training = draft.get("training", TrainingConfig)
    config = resolve_choice(Choice(task, level, training.robot), overrides, more=more)
    tried_on = training.validation.robot or training.robot
    known, drives = known_names()["robot"], training.drives or (training.robot,)
    for name in (*training.drives, tried_on):
        if name not in known:
            raise UnknownName("robot", name, known)
    if training.drives and training.robot not in training.drives:
        raise ConfigError(
            f"training.drives: expected {training.robot} among them, which is trained on, got "
            f"{', '.join(training.drives)}; say `--set 'training.drives=[{training.robot}]'`, too"
        )
    if tried_on not in drives:
        raise ConfigError(
            f"training.validation.robot: expected one that the result drives, which is "
            f"{' or '.join(drives)}, got {tried_on}; say `--set training.validation.robot="
            f"{training.robot}`, too"
        )
    tried = resolve_choice(Choice(task, level, tried_on), overrides, more=more)
    names = {_TRIED + name: tried.names[name] for name in _OF_ROBOT}
    values = {_TRIED + name: tried.values[name] for name in _OF_ROBOT}
    return RunConfig({**config.names, **names}, {**config.values, **values})


def trials_config(config: RunConfig) -> RunConfig:
    """Return the configuration of the episodes on which what was learned is tried.

    Args:
        config: Of the training.
    """
    names = {name: config.names[_TRIED + name] for name in _OF_ROBOT}
    values = {name: config.values[_TRIED + name] for name in _OF_ROBOT}
    return RunConfig({**config.names, **names}, {**config.values, **values})


def refuse_algorithm(name: str) -> None:
    """Raise `UnknownName` if there is no such algorithm."""
    if name not in ALGORITHMS:
        raise UnknownName("algorithm", name, ALGORITHMS)


def make_learner(algorithm: str, config: RunConfig, sizes: Sizes, seed: int) -> Learner:
    """Return who learns.

    Args:
        algorithm: One of `ALGORITHMS`.
        config: Of the training.
        sizes: What there is to see and to do.
        seed: Of the weights and of every draw.

    Raises:
        UnknownName: If there is no such algorithm.
        ConfigError: If a library that it needs is not installed.
    """
    from policies.off_policy import OffPolicyLearner
    from policies.ppo import PpoLearner

    refuse_algorithm(algorithm)
    training = config.get("training", TrainingConfig)
    # The potentials of the reward must be discounted as the learner does it.
    discount = config.get("reward", ResidualReward).discount
    if algorithm == "ppo":
        return PpoLearner(training.ppo, sizes, discount, seed)
    values: OffPolicyConfig = getattr(training, algorithm)
    return OffPolicyLearner(algorithm, values, sizes, discount, seed)


def task_at(config: RunConfig, place: float) -> Task:
    """Return a task whose layouts are those of a place on the ladder of levels.

    Ranges that were changed with `--set level.…` stay as they were asked for, wherever it is.

    Args:
        config: Of the training.
        place: From 0, nominal, to the last level; between two levels in between.
    """
    entry = TASKS[config.names["task"]]
    values: Any = config.values["task"]
    lower = min(int(place), len(LEVELS) - 2)
    levels: list[Variation] = [entry.levels[name] for name in LEVELS]
    variation = mixed(levels[lower], levels[lower + 1], place - lower)
    asked, usual = config.get("level", Variation), entry.levels[config.names["level"]]
    names = [item.name for item in fields(usual)]
    changed = {n: getattr(asked, n) for n in names if getattr(asked, n) != getattr(usual, n)}
    variation = replace(variation, **changed)
    return entry.make(values, variation)
