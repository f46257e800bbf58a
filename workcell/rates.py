"""Rates in percent, rounded so that no more is said than was shown."""

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
    scale = 10.0**digits
    return f"{math.floor(100.0 * bound * scale + _SLACK) / scale:.{digits}f}"


def at_most(bound: float, digits: int = 1) -> str:
    """Return an upper bound in percent, without the sign, rounded up."""
    scale = 10.0**digits
    return f"{math.ceil(100.0 * bound * scale - _SLACK) / scale:.{digits}f}"


def reaches(share: float, wanted: float) -> bool:
    """Return whether a share is as large as is wanted, whatever binary fractions are off by."""
    return share >= wanted - _SLACK


def interval(low: float, high: float, digits: int = 1) -> str:
    """Return an interval in percent, without the sign, rounded outwards: `99.1-100.0`."""
    return f"{at_least(low, digits)}-{at_most(high, digits)}"
