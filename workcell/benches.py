"""Where experience comes from: simulations here or in other processes, that do as they are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol, Self

from envs.residual_env import ResidualEnv
from policies.learner import Sizes
from policies.network import Mlp
from policies.residual_config import ResidualConfig
from policies.rollout import Chunk, Collector, EpisodeEnd, Explorer
from robot.errors import ConfigError, UnknownName, WorkcellError
from workcell.config import RunConfig
from workcell.environments import built_residual
from workcell.imports import imported
from workcell.policy_manifest import EvaluationRecord
from workcell.processes import Helpers
from workcell.residual import save_residual
from workcell.training_config import task_at, trials_config

FACTORY = "workcell.benches:ResidualBench"
"""What builds the simulation of a training: `(config) -> Bench`."""


class TrainingCrashed(WorkcellError):
    """A simulation of a training ended in an error that nobody expected."""


@dataclass(frozen=True)
class TrainedFacts:
    """What is written down of how a policy came about; as of `workcell.residual.save_residual`."""

    algorithm: str
    steps: int
    seed: int
    wall_s: float
    command: str
    robots: tuple[str, ...]
    evaluation: tuple[EvaluationRecord, ...]
    description: str


class Bench(Protocol):
    """One simulation in which a script is corrected."""

    def sizes(self) -> Sizes:
        """Return what there is to see and to do, for one environment."""

    def begin(self, seed: int, place: float) -> None:
        """Forget what is under way; episodes are drawn from now on.

        Args:
            seed: Of every draw.
            place: How far episodes differ, see `workcell.training_config.CurriculumConfig`.
        """

    def collect(self, explorer: Explorer, steps: int) -> Chunk:
        """Step the simulation; see `policies.rollout.Collector.collect`."""

    def run(self, seed: int, network: Mlp | None) -> EpisodeEnd:
        """Run one whole episode as the policy would, or the script alone without a network.

        It is on the robot that what was learned is tried on.
        """

    def save(self, path: Path, network: Mlp, facts: TrainedFacts) -> str:
        """Write a policy in place of what is there, and return its fingerprint."""

    def close(self) -> None:
        """End the simulation."""


class ResidualBench:
    """A task with the script inside, and once more if it is tried on another robot."""

    def __init__(self, config: RunConfig) -> None:
        """Build the simulation.

        Args:
            config: Of the training.
        """
        self._config = config
        with ExitStack() as stack:
            self._env: ResidualEnv = stack.enter_context(closing(built_residual(config)))
            self._collector = self._trials = Collector(self._env, len(self._env.guide.arms))
            trials = trials_config(config)
            if trials.names["robot"] != config.names["robot"]:
                other = stack.enter_context(closing(built_residual(trials)))
                self._trials = Collector(other, len(other.guide.arms))
            self._open = stack.pop_all()

    def sizes(self) -> Sizes:
        """Return what there is to see and to do."""
        arms = len(self._env.guide.arms)
        seen = {key: box.shape[0] // arms for key, box in self._env.observation_space.items()}  # type: ignore[attr-defined]
        return Sizes(seen, self._env.guide.correction_size, arms, 1)

    def begin(self, seed: int, place: float) -> None:
        """Draw episodes at a place on the ladder from now on."""
        self._env.layouts = task_at(self._config, place).sample_layout
        self._collector.begin(seed)

    def collect(self, explorer: Explorer, steps: int) -> Chunk:
        """Step the simulation."""
        return self._collector.collect(explorer, steps)

    def run(self, seed: int, network: Mlp | None) -> EpisodeEnd:
        """Run one whole episode; what is told and what is corrected is as it will be."""
        config = self._config.get("residual", ResidualConfig)
        told = {"force_limit_n": config.force_limit_n, "learning": False}
        return self._trials.run(seed, network, told)

    def save(self, path: Path, network: Mlp, facts: TrainedFacts) -> str:
        """Write a policy in place of what is there."""
        stored = save_residual(path, self._env, network, **vars(facts), overwrite=True)
        return stored.manifest.fingerprint

    def close(self) -> None:
        """End the simulation."""
        self._open.close()


class Benches:
    """Several simulations at work at once; a single one is in this process.

    As a context manager they are ready inside, and have ended after.
    """

    def __init__(self, config: RunConfig, workers: int, factory: str = FACTORY) -> None:
        """Prepare.

        Args:
            config: Of the training.
            workers: How many.
            factory: What builds one, see `FACTORY`.
        """
        self._config = config
        self._workers = workers
        self._factory = factory
        self._own: Bench | None = None
        self._others = Helpers()

    def __enter__(self) -> Self:
        if self._workers == 1:
            self._own = imported(self._factory)(self._config)
            return self
        self._others.start(_serve, [(self._factory, self._config)] * self._workers)
        try:
            for connection in self._others:
                self._answer(connection)
        except BaseException:
            self._others.end()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None
        self._others.end()

    def sizes(self) -> Sizes:
        """Return what there is to see and to do, of all of them together."""
        one: Sizes = self.one("sizes")
        return Sizes(one.observation, one.action, one.arms, self._workers)

    def one(self, method: str, *args: Any) -> Any:
        """Let one of them do something, and return what it returns."""
        return next(self.shared(method, [args]))

    def each(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Let every one do something with its own arguments, at once.

        Raises:
            TrainingCrashed: If one of them died.
        """
        if self._own is not None:
            return [getattr(self._own, method)(*arguments[0])]
        for connection, args in zip(self._others, arguments, strict=True):
            self._ask(connection, method, args)
        return [self._answer(connection) for connection in self._others]

    def shared(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """Let whoever is free do the next of a list, and yield the results in its order.

        Raises:
            TrainingCrashed: If one of them died.
        """
        if self._own is not None:
            for args in arguments:
                yield getattr(self._own, method)(*args)
            return
        waiting = list(enumerate(arguments))
        free = list(self._others)
        busy: dict[Connection, int] = {}
        done: dict[int, Any] = {}
        for number in range(len(arguments)):
            while number not in done:
                while free and waiting:
                    index, args = waiting.pop(0)
                    connection = free.pop(0)
                    self._ask(connection, method, args)
                    busy[connection] = index
                for ready in wait(list(busy)):
                    assert isinstance(ready, Connection)  # nothing else was waited for
                    done[busy.pop(ready)] = self._answer(ready)
                    free.append(ready)
            yield done.pop(number)

    def _ask(self, connection: Connection, method: str, args: tuple[Any, ...]) -> None:
        try:
            connection.send((method, args))
        except (BrokenPipeError, ConnectionResetError):
            raise self._crashed(connection) from None

    def _answer(self, connection: Connection) -> Any:
        try:
            fault, value = connection.recv()
        except (EOFError, ConnectionResetError):
            raise self._crashed(connection) from None
        if fault:
            raise ConfigError(fault)
        return value

    def _crashed(self, connection: Connection) -> TrainingCrashed:
        # An unexpected error has left its traceback on standard error.
        return TrainingCrashed(
            f"{self._others.epitaph(connection)}; `workcell train --resume` goes on where the last "
            "segment ended"
        )


def _serve(connection: Connection, factory: str, config: RunConfig) -> None:
    """Do what comes over a connection until it is closed."""
    try:
        bench: Bench = imported(factory)(config)
    except (ConfigError, UnknownName) as error:
        connection.send((str(error), None))
        return
    connection.send(("", None))
    try:
        while True:
            method, args = connection.recv()
            connection.send(("", getattr(bench, method)(*args)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # Whoever asked is gone, and what is under way with it.
        pass
    finally:
        bench.close()
