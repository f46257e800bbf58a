"""Filters over time; the period is always an argument, because ticks may be late."""

from __future__ import annotations

import math

from robot.arrays import Array


class LowPass:
    """A first-order low pass: y += (1 - exp(-2 pi f dt)) (x - y)."""

    def __init__(self, cutoff: float) -> None:
        """Prepare for the first value, which passes as it is.

        Args:
            cutoff: Frequency f at which half the power passes, in Hz.

        Raises:
            ValueError: If it is not positive.
        """
        if cutoff <= 0.0:
            raise ValueError(f"cutoff: expected a positive frequency in Hz, got {cutoff}")
        self._rate = 2.0 * math.pi * cutoff
        self._value: Array | None = None

    def reset(self) -> None:
        """Forget the past: the next value passes as it is."""
        self._value = None

    def update(self, value: Array, dt: float) -> Array:
        """Return the filtered value.

        Args:
            value: The new sample, of the same shape every time.
            dt: Time since the last sample, in s.
        """
        if self._value is None:
            self._value = value
        else:
            share = 1.0 - math.exp(-self._rate * dt)
            self._value = self._value + share * (value - self._value)
        return self._value
