"""Whether draws fill the range they are said to be drawn from, and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

# So many draws fill nearly all of a range: less than 90 % of it has a chance of 1e-12.
DRAWS = 300


class Spread:
    """Collects draws by name."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self._values[name].append(float(value))

    def check(self, bounds: Mapping[str, tuple[float, float]]) -> None:
        """Fail unless each name was drawn often, within its bounds, and from nearly all of them."""
        assert set(self._values) == set(bounds)
        for name, (low, high) in bounds.items():
            drawn = np.array(self._values[name])
            slack = 1e-9 * max(1.0, abs(low), abs(high))
            assert len(drawn) >= DRAWS, name
            assert low - slack <= drawn.min(), name
            assert drawn.max() <= high + slack, name
            assert np.ptp(drawn) >= 0.9 * (high - low) - slack, name


def check_chance(count: int, n: int, chance: float) -> None:
    """Fail if an event came about more or less often than five standard deviations allow."""
    spread = np.sqrt(n * chance * (1.0 - chance))
    assert abs(count - n * chance) <= 5.0 * spread + 1e-9, (count, n, chance)
