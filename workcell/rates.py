"""Rates in percent and intervals of anything, rounded so that no more is said than was shown."""

from __future__ import annotations

import math

# What binary fractions are off by; a bound of exactly 99 % stays one.
_SLACK = 1e-9


def nearest(rate: float, digits: int = 1) -> str:
    """Return a rate in percent, without the sign; all and none are what they say they are.

    Args:
        rate: From 0 to 1.
        digits: After the point.
    """
    shown = f"{100.0 * rate:.{digits}f}"
    if rate < 1.0 and shown == f"{100.0:.{digits}f}":
        return at_least(rate, digits)
    if rate > 0.0 and shown == f"{0.0:.{digits}f}":
        return at_most(rate, digits)
    return shown


def at_least(bound: float, digits: int = 1) -> str:
    """Return a lower bound in percent, without the sign, rounded down."""
    return f"{rounded_down(100.0 * bound, digits):.{digits}f}"


def at_most(bound: float, digits: int = 1) -> str:
    """Return an upper bound in percent, without the sign, rounded up."""
    return f"{rounded_up(100.0 * bound, digits):.{digits}f}"


def reaches(share: float, wanted: float) -> bool:
    """Return whether a share is as large as is wanted, whatever binary fractions are off by."""
    return share >= wanted - _SLACK


def interval(low: float, high: float, digits: int = 1) -> str:
    """Return an interval in percent, without the sign, rounded outwards: `99.1-100.0`."""
    return f"{at_least(low, digits)}-{at_most(high, digits)}"


def outwards(low: float, high: float, digits: int = 2, sign: str = "") -> str:
    """Return an interval of a quantity with a unit, without that, rounded outwards: `0.35 to 0.58`.

    Args:
        low: Its lower end.
        high: Its upper end.
        digits: After the point.
        sign: `+` to tell that of a positive number, too.
    """
    ends = rounded_down(low, digits), rounded_up(high, digits)
    return " to ".join(f"{end:{sign}.{digits}f}" for end in ends)


def rounded_down(value: float, digits: int) -> float:
    """Return the largest number with so many digits after the point that is not larger."""
    scale = 10.0**digits
    return math.floor(value * scale + _SLACK) / scale


def rounded_up(value: float, digits: int) -> float:
    """Return the smallest number with so many digits after the point that is not smaller."""
    scale = 10.0**digits
    return math.ceil(value * scale - _SLACK) / scale
