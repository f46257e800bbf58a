"""One way of logging: a formatter, and a warning that repeats is held back."""

from __future__ import annotations

import logging

_FORMAT = "%(levelname).1s %(name)s: %(message)s"


class HeldBack:
    """Lets a warning through at most once per period of the cell's clock.

    A control loop that clamps clamps for many ticks; a person needs the first one and a count.
    """

    def __init__(self, logger: logging.Logger, period: float = 1.0) -> None:
        """Hold warnings of a logger back.

        Args:
            logger: Where warnings go.
            period: Shortest time between two warnings of one key, in s of the given times.
        """
        self._logger = logger
        self._period = period
        self._next: dict[str, float] = {}
        self._held: dict[str, int] = {}

    def warning(self, key: str, time: float, message: str, *args: object) -> None:
        """Log a warning unless one with this key was logged less than a period ago.

        Args:
            key: What is warned about, e.g. the name of a joint.
            time: Now, on the cell's clock, in s.
            message: Format string of the standard logging module.
            *args: Its arguments.
        """
        due = self._next.get(key)
        # A clock that was reset lies before the last warning: that is a new run, not a repetition.
        if due is not None and due - self._period <= time < due:
            self._held[key] = self._held.get(key, 0) + 1
            return
        held = self._held.pop(key, 0)
        suffix = f" ({held} more held back)" if held else ""
        self._logger.warning(message + suffix, *args)
        self._next[key] = time + self._period


def set_up(level: int = logging.WARNING) -> None:
    """Send log lines of every package to standard error. Called by the command line only."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
