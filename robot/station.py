"""Seam: the cell's signals, from a PLC or from a simulated one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from robot.errors import ConfigError

Signal = bool | float


class Direction(Enum):
    """Which way a signal goes, seen from the robot."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True)
class SignalSpec:
    """A process signal that a task needs.

    Attributes:
        name: As in `StationInputs.signals` or `StationOutputs.signals`.
        direction: Which way it goes, seen from the robot.
        kind: `bool` or `float`.
        meaning: One line for the person who wires it.
    """

    name: str
    direction: Direction
    kind: type[bool] | type[float]
    meaning: str


@dataclass(frozen=True)
class StationInputs:
    """What the PLC tells the robot.

    Attributes:
        safe: The safety chain is closed; the robot may move.
        start: A cycle is requested.
        signals: The process signals of this station, by the name its task declares, e.g.
            `feeder_left_ready`, `seated_left`.
    """

    safe: bool = False
    start: bool = False
    signals: Mapping[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True)
class StationOutputs:
    """What the robot tells the PLC.

    Attributes:
        ready: Waiting for `start`, clear of the fixture.
        busy: A cycle is running.
        done: The cycle has ended; `passed` is valid.
        passed: The part was assembled.
        signals: Requests of this station's task, e.g. `tighten`.
    """

    ready: bool = False
    busy: bool = False
    done: bool = False
    passed: bool = False
    signals: Mapping[str, Signal] = field(default_factory=dict)


class Station(ABC):
    """The cell's signals, from a PLC or from a simulated one.

    Attributes:
        signals: The process signals this station has.
    """

    signals: tuple[SignalSpec, ...]

    @abstractmethod
    def read(self) -> StationInputs:
        """Return the latest inputs.

        Raises:
            DeviceFault: If the PLC stopped answering.
        """

    @abstractmethod
    def write(self, outputs: StationOutputs) -> None:
        """Set all outputs at once.

        Raises:
            DeviceFault: If the PLC did not acknowledge.
        """


def require_signals(station: Station, needed: Iterable[SignalSpec]) -> None:
    """Refuse a station that lacks a signal its task needs.

    Raises:
        ConfigError: Names what is missing, what is needed and what there is.
    """
    wanted = tuple(needed)
    there = {(spec.name, spec.direction, spec.kind) for spec in station.signals}
    missing = [s.name for s in wanted if (s.name, s.direction, s.kind) not in there]
    if missing:
        raise ConfigError(
            f"station: missing signals {missing}. The task needs {[s.name for s in wanted]}, "
            f"the station has {[s.name for s in station.signals]}"
        )
