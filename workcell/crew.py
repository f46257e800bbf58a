"""Who runs the cycles: this process, or several, each with its own cell and share of seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from typing_extensions import override

from robot.errors import WorkcellError
from workcell.config import RunConfig
from workcell.imports import imported
from workcell.processes import Helpers
from workcell.records import CycleRecord

# Where processes run: on this machine, or on those of a Ray cluster.
BACKENDS = ("local", "ray")


class CycleCrashed(WorkcellError):
    """A cycle ended in an error that nobody expected; says where."""


class Runner(Protocol):
    """What runs one cycle after the other on one cell."""

    def run(self, seed: int) -> CycleRecord:
        """Run one cycle."""

    def close(self) -> None:
        """Close the cell."""


@dataclass(frozen=True)
class RunnerSpec:
    """How to build a runner, in this process or in another.

    Attributes:
        factory: Import path `module:function` of `(config, *, gui, video) -> Runner`.
        config: The resolved configuration.
        gui: Whether to open a window.
        video: Where to write a video, or None.
    """

    factory: str
    config: RunConfig
    gui: bool = False
    video: Path | None = None

    def build(self) -> Runner:
        """Build the cell and what runs cycles on it."""
        build: Callable[..., Runner] = imported(self.factory)
        return build(self.config, gui=self.gui, video=self.video)


class Crew(ABC):
    """Runs cycles; as a context manager it is ready inside and has closed everything after."""

    @abstractmethod
    def __enter__(self) -> Self:
        """Build the cells, so that what cannot be built is known before the first cycle."""

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @abstractmethod
    def run(self) -> Iterator[CycleRecord]:
        """Yield the record of each cycle as it ends.

        Raises:
            CycleCrashed: If a cycle or its process died.
        """


def crew(spec: RunnerSpec, seeds: Sequence[int], workers: int, backend: str = "local") -> Crew:
    """Return who runs these seeds.

    Args:
        spec: How to build a runner.
        seeds: One cycle each.
        workers: How many processes; on this machine, one is this process itself.
        backend: One of `BACKENDS`.

    Raises:
        ConfigError: If the backend is not installed.
    """
    if backend == "ray":
        # Imported when it is asked for: few have it.
        from workcell.ray_crew import RayCrew

        return RayCrew(spec, shares(seeds, workers))
    if workers == 1:
        return _Here(spec, seeds)
    return _Processes(spec, shares(seeds, workers))


def shares(seeds: Sequence[int], workers: int) -> list[Sequence[int]]:
    """Return the seeds of each process, decided in advance.

    Were seeds handed out on demand, short cycles would be counted more often in a run that is
    interrupted.
    """
    return [seeds[i::workers] for i in range(min(workers, len(seeds)))]


class _Here(Crew):
    """One cell in this process."""

    def __init__(self, spec: RunnerSpec, seeds: Sequence[int]) -> None:
        self._spec = spec
        self._seeds = seeds

    @override
    def __enter__(self) -> Self:
        self._runner = self._spec.build()
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.close()

    @override
    def run(self) -> Iterator[CycleRecord]:
        for seed in self._seeds:
            try:
                record = self._runner.run(seed)
            except WorkcellError as error:
                raise CycleCrashed(f"seed {seed}: {type(error).__name__}: {error}") from error
            yield record


class _Processes(Crew):
    """One cell in each of several processes."""

    def __init__(self, spec: RunnerSpec, shares: Sequence[Sequence[int]]) -> None:
        self._spec = spec
        self._shares = shares
        self._helpers = Helpers()

    @override
    def __enter__(self) -> Self:
        self._helpers.start(_work, [(self._spec, share) for share in self._shares])
        try:
            for connection in self._helpers:
                self._receive(connection, "building the cell")
        except BaseException:
            self._helpers.end()
            raise
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._helpers.end()

    @override
    def run(self) -> Iterator[CycleRecord]:
        for connection in self._helpers:
            _go_on(connection)
        left = {c: list(share) for c, share in zip(self._helpers, self._shares, strict=True)}
        crash: CycleCrashed | None = None
        while left and crash is None:
            for ready in wait(list(left)):
                assert isinstance(ready, Connection)  # only connections are waited for
                try:
                    record = self._receive(ready, f"seed {left[ready].pop(0)}")
                except CycleCrashed as error:
                    # Raised below: cycles of others that have ended by now are not lost with it.
                    crash = error
                    continue
                if not left[ready]:
                    del left[ready]
                assert record is not None  # only the first message, taken on entry, is none
                yield record
                # It is written down by now: whoever asks for the next one has done so.
                if ready in left:
                    _go_on(ready)
        if crash is not None:
            raise crash

    def _receive(self, connection: Connection, what: str) -> CycleRecord | None:
        """Return the next message of a process about something; None: its cell is built."""
        try:
            message: CycleRecord | WorkcellError | None = connection.recv()
        except EOFError:
            # An unexpected error has left its traceback on standard error.
            raise CycleCrashed(f"{what}: {self._helpers.epitaph(connection)}") from None
        if isinstance(message, WorkcellError):
            raise message
        return message


def _go_on(connection: Connection) -> None:
    """Let a process begin its next cycle."""
    # One that has died is found where its record is waited for.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(True)


def _work(connection: Connection, spec: RunnerSpec, seeds: Sequence[int]) -> None:
    """Run a share of the seeds in this process and send each record up as it ends."""
    seed: int | None = None
    try:
        runner = spec.build()
        try:
            connection.send(None)
            for seed in seeds:
                # What has ended is on the disk before the next cycle begins.
                connection.recv()
                connection.send(runner.run(seed))
        finally:
            runner.close()
    except (EOFError, BrokenPipeError):
        # Whoever asked is gone: there is nobody left to tell.
        return
    except WorkcellError as error:
        connection.send(error if seed is None else CycleCrashed(f"seed {seed}: {error}"))
