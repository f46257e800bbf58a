"""What a number of a configuration may be, and one message for what it may not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Bounds(NamedTuple):
    """From where to where a number may lie.

    Attributes:
        low: Least number.
        high: Largest number.
        unit: Of both, for the message; empty for a share.
        above: Whether the number must lie above `low`, rather than on it or above.
    """

    low: float
    high: float
    unit: str = ""
    above: bool = False


def check_bounds(owner: object, bounds: Mapping[str, Bounds]) -> None:
    """Refuse a configuration with a number that makes no sense.

    Args:
        owner: What has the numbers as attributes.
        bounds: By attribute.

    Raises:
        ValueError: If a number is out of its bounds or not a number; names attribute, bounds and
            value.
    """
    for name, (low, high, unit, above) in bounds.items():
        value = getattr(owner, name)
        # Asked this way round, so that what is no number does not pass.
        if low <= value <= high and not (above and value == low):
            continue
        least = f"more than {low:g} and at most {high:g}" if above else f"{low:g} to {high:g}"
        raise ValueError(f"{name}: expected {least}{unit and ' '}{unit}, got {value}")
