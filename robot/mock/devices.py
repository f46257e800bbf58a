"""A clock that is ticked by hand, and sensors and a station that say what they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from typing_extensions import override

from robot.clock import Clock
from robot.errors import UnknownName
from robot.sensor import ReadingT_co, Sensor, WrenchReading
from robot.station import Direction, Signal, SignalSpec, Station, StationInputs, StationOutputs


class ManualClock(Clock):
    """Time that moves by one period per tick and tells who wants to know.

    The time is a count times a period, so it does not collect rounding errors.
    """

    def __init__(self, dt: float = 2e-3) -> None:
        """Start at zero.

        Args:
            dt: The control period, in s.
        """
        if dt <= 0.0:
            raise ValueError(f"dt: expected a positive period in s, got {dt}")
        self.dt = dt
        self._ticks = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    @override
    def time(self) -> float:
        return self._ticks * self.dt

    @override
    def tick(self) -> None:
        self._ticks += 1
        for listener in self._listeners:
            listener()

    def on_tick(self, listener: Callable[[], None]) -> None:
        """Call a function after every tick, in the order in which they were added."""
        self._listeners.append(listener)


class MockSensor(Sensor[ReadingT_co]):
    """Returns what a function makes of the present time."""

    def __init__(self, clock: Clock, source: Callable[[float], ReadingT_co]) -> None:
        """Tell a sensor what to say.

        Args:
            clock: Whose time readings carry.
            source: Time in s to reading; a test may replace it by setting `source`.
        """
        self._clock = clock
        self.source = source

    @override
    def reset(self, rng: np.random.Generator) -> None:
        pass

    @override
    def read(self) -> ReadingT_co:
        return self.source(self._clock.time)


def no_wrench(time: float) -> WrenchReading:
    """Return what a wrist that touches nothing feels."""
    return WrenchReading(time, np.zeros(6))


class MockStation(Station):
    """Inputs that are set by hand, outputs that are looked at.

    Attributes:
        inputs: What the next `read()` returns.
        outputs: What was last written.
    """

    def __init__(self, signals: Sequence[SignalSpec] = (), safe: bool = True) -> None:
        """Start with every signal off.

        Args:
            signals: The process signals it has.
            safe: Whether the safety chain is closed.
        """
        self.signals = tuple(signals)
        off = {s.name: s.kind(0) for s in self.signals if s.direction is Direction.INPUT}
        self.inputs = StationInputs(safe=safe, signals=off)
        self.outputs = StationOutputs()

    def set(self, *, safe: bool | None = None, start: bool | None = None, **values: Signal) -> None:
        """Change some inputs.

        Args:
            safe: Closes or opens the safety chain; None leaves it.
            start: Requests a cycle; None leaves it.
            **values: Process signals by name.

        Raises:
            UnknownName: If the station has no such input.
        """
        for name in values:
            if name not in self.inputs.signals:
                raise UnknownName("input signal", name, self.inputs.signals)
        self.inputs = StationInputs(
            safe=self.inputs.safe if safe is None else safe,
            start=self.inputs.start if start is None else start,
            signals={**self.inputs.signals, **values},
        )

    @override
    def read(self) -> StationInputs:
        return self.inputs

    @override
    def write(self, outputs: StationOutputs) -> None:
        self.outputs = outputs
