"""How long what is called over and over takes, by name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Stopwatch:
    """Adds up times by name; a look at the clock costs a tenth of a microsecond.

    Attributes:
        seconds: What each name took so far, in s.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        """Start at zero.

        Args:
            now: What is looked at, in s; `time.process_time` leaves out what others do.
        """
        self.seconds: dict[str, float] = {}
        self._now = now

    def timed(self, name: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that does the same and is timed; a name may have several.

        Args:
            name: What to count it as.
            function: What to call.
        """
        seconds, now = self.seconds, self._now
        seconds.setdefault(name, 0.0)

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            began = now()
            result = function(*args, **kwargs)
            seconds[name] += now() - began
            return result

        return call

    def timed_method(self, method: Callable[P, R]) -> Callable[P, R]:
        """Return a timed method, counted as the class of its owner, or as itself if it has none."""
        owner = getattr(method, "__self__", None)
        name = getattr(method, "__name__", "other") if owner is None else type(owner).__name__
        return self.timed(name.strip("_"), method)
