"""Seam: time passes by sleeping on hardware, by stepping the physics in simulation."""

from __future__ import annotations

import logging
import time as system_time
from abc import ABC, abstractmethod

from typing_extensions import override

from robot.log import HeldBack

logger = logging.getLogger(__name__)


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
    """Sleeps until the next multiple of the period since its start, so lateness does not add up.

    A period in which more was to be done than there was time for is counted and warned of, now and
    then: the controller takes every period for one of `dt`.

    Attributes:
        late: How many ticks came after their time.
    """

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
        self.late = 0
        self._warnings = HeldBack(logger)

    @property
    @override
    def time(self) -> float:
        return system_time.monotonic() - self._start

    @override
    def tick(self) -> None:
        # A missed deadline is not caught up by a burst of ticks: one comes at once, and the next
        # when the present period ends.
        now = self.time
        late = now - (self._ticks + 1) * self.dt
        self._ticks = max(self._ticks + 1, int(now / self.dt))
        pause = self._ticks * self.dt - now
        if pause > 0.0:
            system_time.sleep(pause)
        elif late > 0.0:
            self.late += 1
            # A little is jitter; a whole period is work that does not fit.
            if late >= self.dt:
                self._warnings.warning(
                    "late", now, "tick %.1f ms late, %d so far", 1e3 * late, self.late
                )
