"""What a correction is worth: it and the script alone, on the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from policies.rollout import EpisodeEnd
from workcell.rates import outwards
from workcell.statistics import bootstrap_interval


@dataclass(frozen=True)
class Trial:
    """One episode.

    Attributes:
        seed: Which one.
        success: Whether the job was done.
        time_s: From its beginning to its end on the cell's clock, in s.
        force_n: Hardest wrist force after the first contact, mean over a policy step, in N; what
            runs report is the hardest of a control tick, which is more.
    """

    seed: int
    success: bool
    time_s: float
    force_n: float

    @classmethod
    def of(cls, seed: int, end: EpisodeEnd) -> Trial:
        """Return what is kept of an episode."""
        return cls(seed, end.success, end.time_s, end.force_n)


@dataclass(frozen=True)
class Margin:
    """A correction against the script alone.

    Attributes:
        n: How many seeds both were tried on.
        successes: Of the correction.
        script_successes: Of the script.
        time_median_s: Of the correction's successes, in s; None without one.
        script_time_median_s: Likewise.
        faster_s: By how much the correction was faster where both succeeded, mean, in s.
        interval_s: The 95 % interval of that, by bootstrap; None for fewer than two pairs.
        softer_n: By how much its hardest wrist force was smaller there, mean, in N.
    """

    n: int
    successes: int
    script_successes: int
    time_median_s: float | None
    script_time_median_s: float | None
    faster_s: float
    interval_s: tuple[float, float] | None
    softer_n: float

    @property
    def rank(self) -> tuple[int, float]:
        """The larger the better: success up to the script's, then time."""
        return min(self.successes, self.script_successes), self.faster_s

    @property
    def ahead(self) -> bool:
        """Whether it succeeds as often and is faster, be it by chance."""
        return self.successes >= self.script_successes and self.faster_s > 0.0

    @property
    def better(self) -> bool:
        """Whether it succeeds as often and is faster by more than chance."""
        sure = self.interval_s is not None and self.interval_s[0] > 0.0
        return self.successes >= self.script_successes and sure

    def sentence(self) -> str:
        """Return it for people, in one line."""
        bounds = "" if self.interval_s is None else f" ({outwards(*self.interval_s, sign='+')})"
        return (
            f"{self.successes} of {self.n} succeeded, the script alone {self.script_successes}; on "
            f"average, where both did, faster by {self.faster_s:+.2f} s{bounds} and with "
            f"{self.softer_n:+.1f} N less in the hardest step"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {**vars(self), "better": self.better}


def margin(script: Sequence[Trial], corrected: Sequence[Trial]) -> Margin:
    """Hold a correction against the script.

    Args:
        script: Its trials.
        corrected: Those of the correction, of the same seeds in the same order.
    """
    pairs = list(zip(script, corrected, strict=True))
    if any(one.seed != other.seed for one, other in pairs):
        raise ValueError("seeds: expected the same ones in the same order")
    both = [(one, other) for one, other in pairs if one.success and other.success]
    faster = np.array([one.time_s - other.time_s for one, other in both])
    softer = np.array([one.force_n - other.force_n for one, other in both])
    return Margin(
        n=len(pairs),
        successes=sum(trial.success for trial in corrected),
        script_successes=sum(trial.success for trial in script),
        time_median_s=median_time(corrected),
        script_time_median_s=median_time(script),
        faster_s=float(faster.mean()) if both else 0.0,
        interval_s=bootstrap_interval(faster, np.mean),
        softer_n=float(softer.mean()) if both else 0.0,
    )


def median_time(trials: Sequence[Trial]) -> float | None:
    """Return the median time of the successes, in s; None without one."""
    times = [trial.time_s for trial in trials if trial.success]
    return float(np.median(times)) if times else None
