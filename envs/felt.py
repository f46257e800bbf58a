"""What wrists feel over a whole policy period."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from robot.arrays import Array
from robot.loop import Tick
from robot.sensor import Reading, WrenchReading


class Felt:
    """Collects what the wrists feel, so that a policy sees the mean of its whole period.

    A single sample at the end of the period would alias: a contact that rings at 50 Hz looks to a
    policy at 25 Hz like anything between no force and all of it.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._wrenches: dict[str, list[Array]] = {}

    def forget(self) -> None:
        """Begin another period."""
        self._wrenches.clear()

    def feel(self, tick: Tick) -> None:
        """Take in one control tick."""
        for name, reading in tick.state.readings.items():
            if isinstance(reading, WrenchReading):
                self._wrenches.setdefault(name, []).append(reading.wrench_tool)

    def means(self, readings: Mapping[str, Reading], time: float) -> dict[str, Reading]:
        """Return readings with those of the wrists replaced by their means over the period.

        Args:
            readings: At its end, by name.
            time: Then, in s.
        """
        means = {
            name: WrenchReading(time, np.mean(wrenches, axis=0))
            for name, wrenches in self._wrenches.items()
        }
        return {**readings, **means}
