"""Seam: time passes by sleeping on hardware, by stepping the physics in simulation."""

from __future__ import annotations

import time as system_time
from abc import ABC, abstractmethod

from typing_extensions import override


def whole_multiple(longer: float, shorter: float, names: tuple[str, str]) -> int:
    """Return how many of the shorter periods make the longer one.

    Args:
        longer: In s.
        shorter: In s.
        names: What the two are called in the message.

    Raises:
        ValueError: If the ratio is not a whole number; says both.
    """
    ratio = longer / shorter
    count = round(ratio)
    if count < 1 or abs(ratio - count) > 1e-6:
        raise ValueError(
            f"{names[0]} = {longer} s must be a whole multiple of {names[1]} = {shorter} s"
        )
    return count


class Clock(ABC):
    """Lets time pass.

    Attributes:
        dt: The control period, in s.
    """

    dt: float

    @property
    @abstractmethod
    def time(self) -> float:
        """Seconds since the cell was started. Never goes backwards."""

    @abstractmethod
    def tick(self) -> None:
        """Return when the next control period begins."""


class WallClock(Clock):
    """Sleeps until the next multiple of the period since its start, so lateness does not add up."""

    def __init__(self, dt: float) -> None:
        """Start the clock.

        Args:
            dt: The control period, in s.
        """
        if dt <= 0.0:
            raise ValueError(f"dt: expected a positive period in s, got {dt}")
        self.dt = dt
        self._start = system_time.monotonic()
        self._ticks = 0

    @property
    @override
    def time(self) -> float:
        return system_time.monotonic() - self._start

    @override
    def tick(self) -> None:
        # A missed deadline is not caught up by a burst of ticks: the next one is in the future.
        self._ticks = max(self._ticks + 1, int(self.time / self.dt))
        pause = self._ticks * self.dt - self.time
        if pause > 0.0:
            system_time.sleep(pause)
