"""Cycles on the machines of a Ray cluster; if one is lost, the others take over its seeds."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from robot.errors import ConfigError, WorkcellError
from workcell.crew import Crew, CycleCrashed, Runner, RunnerSpec
from workcell.provenance import commit, versions
from workcell.records import CycleRecord

# A seed that takes this many workers down with it is not tried again.
_MOST_LOSSES = 2
# How long a worker may wait for a free core and build its cell, in s.
_BUILDING_TIME = 300.0


class _Worker:
    """One cell in a process somewhere in the cluster."""

    def __init__(self, spec: RunnerSpec, commit: str, versions: dict[str, str | None]) -> None:
        """Build the cell.

        Args:
            spec: How to build a runner.
            commit: Of the code that asks; another one here would give other figures.
            versions: Of the libraries, likewise.
        """
        self._spec = spec
        self._origin = (commit, versions)
        self._runner: Runner | None = None

    def build(self) -> WorkcellError | None:
        """Build the cell; return what is in the way, or None."""
        here = (commit(), versions())
        if here != self._origin:
            node = os.uname().nodename
            differing = _differing(self._origin, here)
            return ConfigError(f"--backend ray: {node} has other software: {differing}")
        try:
            self._runner = self._spec.build()
        except WorkcellError as error:
            return error
        return None

    def run(self, seed: int) -> CycleRecord | WorkcellError:
        """Run one cycle; return its record, or why there is none."""
        assert self._runner is not None  # build() was called and found nothing in the way
        try:
            return self._runner.run(seed)
        except WorkcellError as error:
            return CycleCrashed(f"seed {seed}: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Close the cell."""
        if self._runner is not None:
            self._runner.close()


class RayCrew(Crew):
    """One worker per share of the seeds, spread over the cluster.

    A cluster that is already running is used; otherwise one is started on this machine and ended
    afterwards.
    """

    def __init__(self, spec: RunnerSpec, shares: Sequence[Sequence[int]]) -> None:
        """Prepare; nothing is started yet.

        Args:
            spec: How to build a runner, on any of the machines.
            shares: The seeds of each worker.

        Raises:
            ConfigError: If Ray is not installed.
        """
        # Nobody is told who uses it and how.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError:
            raise ConfigError(
                "--backend ray: ray is not installed; pip install 'ray>=2.40,<3'"
            ) from None
        self._ray = ray
        self._spec = spec
        self._left = [deque(share) for share in shares]
        self._workers: list[Any] = []

    @override
    def __enter__(self) -> Self:
        ray = self._ray
        self._began = not ray.is_initialized()
        if self._began:
            before = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(log_to_driver=False, logging_level="ERROR", configure_logging=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise ConfigError(f"--backend ray: no cluster: {error}") from error
            finally:
                # Ray would end this process at once; whoever runs it has things to put in order.
                if threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGTERM, before)
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @override
    def run(self) -> Iterator[CycleRecord]:
        ray = self._ray
        losses: Counter[int] = Counter()
        # What is under way: who does which seed.
        running: dict[Any, tuple[int, int]] = {}
        alive = set(range(len(self._workers)))
        while True:
            busy = {number for number, _ in running.values()}
            for number in sorted(alive - busy):
                if self._left[number]:
                    seed = self._left[number].popleft()
                    running[self._workers[number].run.remote(seed)] = number, seed
            if not running:
                return
            (ready, *_), _ = ray.wait(list(running))
            number, seed = running.pop(ready)
            try:
                found = ray.get(ready)
            except ray.exceptions.RayActorError as error:
                alive.discard(number)
                losses[seed] += 1
                if losses[seed] >= _MOST_LOSSES or not alive:
                    yield from self._ended(list(running))
                if losses[seed] >= _MOST_LOSSES:
                    raise CycleCrashed(
                        f"seed {seed}: {_MOST_LOSSES} workers were lost at it"
                    ) from error
                if not alive:
                    raise CycleCrashed(f"seed {seed}: the last worker was lost") from error
                self._inherit(number, seed, sorted(alive))
                continue
            if isinstance(found, WorkcellError):
                yield from self._ended(list(running))
                raise found
            yield found

    def _ended(self, running: list[Any]) -> Iterator[CycleRecord]:
        """Yield what has ended meanwhile, before an error ends the run."""
        ray = self._ray
        ready, _ = ray.wait(running, num_returns=len(running), timeout=0.0) if running else ([], [])
        for one in ready:
            try:
                found = ray.get(one)
            except ray.exceptions.RayError:
                continue
            if isinstance(found, CycleRecord):
                yield found

    def _start(self) -> None:
        """Start a worker per share and wait until every cell is built."""
        ray = self._ray
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < len(self._left):
            raise ConfigError(
                f"--workers: expected at most the {cores} cores of the cluster, "
                f"got {len(self._left)}"
            )
        # The matrices are too small to share among threads.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        worker = ray.remote(
            num_cpus=1, scheduling_strategy="SPREAD", runtime_env={"env_vars": threads}
        )(_Worker)
        origin = commit(), versions()
        self._workers = [worker.remote(self._spec, *origin) for _ in self._left]
        building = [actor.build.remote() for actor in self._workers]
        try:
            obstacles = ray.get(building, timeout=_BUILDING_TIME)
        except ray.exceptions.GetTimeoutError:
            raise ConfigError(
                f"--backend ray: the cluster had no room for {len(self._left)} workers within "
                f"{_BUILDING_TIME:.0f} s"
            ) from None
        except ray.exceptions.RayError as error:
            raise CycleCrashed(f"building the cell: {error}") from error
        for obstacle in obstacles:
            if obstacle is not None:
                raise obstacle

    def _inherit(self, lost: int, seed: int, heirs: Sequence[int]) -> None:
        """Deal the seeds of a lost worker to the others."""
        for place, orphan in enumerate((seed, *self._left[lost])):
            self._left[heirs[place % len(heirs)]].append(orphan)
        self._left[lost].clear()

    def _end(self) -> None:
        for worker in self._workers:
            self._ray.kill(worker)
        if self._began:
            self._ray.shutdown()


def _differing(
    there: tuple[str, dict[str, str | None]], here: tuple[str, dict[str, str | None]]
) -> str:
    """Return which software differs, in words."""
    one, two = {"commit": there[0], **there[1]}, {"commit": here[0], **here[1]}
    return ", ".join(
        f"{name} {two.get(name)} instead of {one[name]}" for name in one if one[name] != two[name]
    )
