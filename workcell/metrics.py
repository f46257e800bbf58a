"""Records to figures: success rates with intervals, cycle times, and why the failed ones failed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tasks.task import Operation
from workcell.records import CycleRecord

# Two-sided 95 % quantile of the standard normal distribution.
_Z95 = 1.959963984540054


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a success rate.

    Unlike the normal approximation it stays inside 0 to 1 and is not empty at 0 or n successes:

        (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)

    Source: E. B. Wilson, Probable Inference, JASA 22 (1927). Without a trial it is 0 to 1.

    Args:
        successes: How many succeeded.
        n: How many were tried.

    Raises:
        ValueError: If there are more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes: expected 0 to {n}, got {successes}")
    if n == 0:
        return 0.0, 1.0
    p, z2 = successes / n, _Z95 * _Z95
    middle = p + z2 / (2 * n)
    reach = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    # Rounding must not turn the exact bounds at none and at all into -1e-17 or 1 - 1e-16.
    low = 0.0 if successes == 0 else (middle - reach) / scale
    high = 1.0 if successes == n else (middle + reach) / scale
    return low, high


@dataclass(frozen=True)
class OperationSummary:
    """One kind of operation over many cycles: every nut on the left, every plug.

    Attributes:
        n: How many there were.
        successes: How many of them were done.
        success_rate: Their share.
        wilson_low: Lower bound of its 95 % interval.
        wilson_high: Upper bound of its 95 % interval.
        time_median_s: Over those whose time was taken, in s, or None.
        failures: How many failed for which reason, the most frequent first.
    """

    n: int
    successes: int
    success_rate: float
    wilson_low: float
    wilson_high: float
    time_median_s: float | None
    failures: Mapping[str, int]


@dataclass(frozen=True)
class Summary:
    """Many cycles in figures; a time is None if there is no cycle to take it from.

    Attributes:
        n: How many cycles ended.
        successes: With the job done.
        success_rate: Their share, or None.
        wilson_low: Lower bound of its 95 % interval.
        wilson_high: Upper bound of its 95 % interval.
        first_attempts: Successes without any retry.
        cycle_time_median_s: Over successes, in s.
        cycle_time_p90_s: Over successes, in s.
        cycle_time_p99_s: Over successes, in s.
        retries: Of all arms and kinds together.
        falls: In how many cycles the robot fell.
        guard_stops: Over all cycles.
        guard_clamps: Commands that the guard bent, over all cycles.
        unsolved_ticks: Control ticks without a solution, over all cycles.
        max_force_n: Hardest wrist force of all cycles, in N.
        force_limit_n: Wrist force that the guard let pass for a moment only, in N.
        time_above_limit_s: Longest time with more than that, in s.
        failures: How many cycles failed for which reason, the most frequent first.
        operations: Pieces of work of one kind together, by kind.
        side_retries: How often what was tried again, by arm name and kind.
        disagreements: In how many cycles a process signal contradicted the truth, by signal.
        real_time_factor: Simulated over real time of one process, or None.
    """

    n: int
    successes: int
    success_rate: float | None
    wilson_low: float
    wilson_high: float
    first_attempts: int
    cycle_time_median_s: float | None
    cycle_time_p90_s: float | None
    cycle_time_p99_s: float | None
    retries: int
    falls: int
    guard_stops: int
    guard_clamps: int
    unsolved_ticks: int
    max_force_n: float
    force_limit_n: float
    time_above_limit_s: float
    failures: Mapping[str, int]
    operations: Mapping[str, OperationSummary]
    side_retries: Mapping[str, Mapping[str, int]]
    disagreements: Mapping[str, int]
    real_time_factor: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return asdict(self)


def summarize(records: Sequence[CycleRecord]) -> Summary:
    """Return the figures of some cycles.

    Failures are counted by the part of their reason before a colon; what follows it are numbers.

    Args:
        records: In any order.
    """
    n = len(records)
    passed = [record for record in records if record.success]
    low, high = wilson(len(passed), n)
    times = [record.cycle_time_s for record in passed]
    reasons = Counter(
        (record.failure or "unknown").partition(":")[0] for record in records if not record.success
    )
    wall_s = sum(record.wall_s for record in records)
    return Summary(
        n=n,
        successes=len(passed),
        success_rate=len(passed) / n if n else None,
        wilson_low=low,
        wilson_high=high,
        first_attempts=sum(record.first_attempt for record in passed),
        cycle_time_median_s=_quantile(times, 0.5),
        cycle_time_p90_s=_quantile(times, 0.9),
        cycle_time_p99_s=_quantile(times, 0.99),
        retries=sum(record.retries for record in records),
        falls=sum(record.fell for record in records),
        guard_stops=sum(record.guard_stops for record in records),
        guard_clamps=sum(record.guard_clamps for record in records),
        unsolved_ticks=sum(record.unsolved_ticks for record in records),
        max_force_n=max((record.max_force_n for record in records), default=0.0),
        force_limit_n=max((record.force_limit_n for record in records), default=0.0),
        time_above_limit_s=max((record.time_above_limit_s for record in records), default=0.0),
        failures=dict(reasons.most_common()),
        operations=_operations(records),
        side_retries=_side_retries(records),
        disagreements=dict(Counter(name for record in records for name in record.disagreements)),
        real_time_factor=sum(record.sim_s for record in records) / wall_s if wall_s else None,
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None


def _operations(records: Sequence[CycleRecord]) -> dict[str, OperationSummary]:
    by_kind: dict[str, list[Operation]] = {}
    for record in records:
        for operation in record.operations.values():
            by_kind.setdefault(operation.kind, []).append(operation)
    summaries = {}
    for kind, operations in by_kind.items():
        n, passed = len(operations), sum(operation.success for operation in operations)
        low, high = wilson(passed, n)
        times = [item.time_s for item in operations if item.success and item.time_s is not None]
        reasons = Counter(item.failure or "unfinished" for item in operations if not item.success)
        summaries[kind] = OperationSummary(
            n, passed, passed / n, low, high, _quantile(times, 0.5), dict(reasons.most_common())
        )
    return summaries


def _side_retries(records: Sequence[CycleRecord]) -> dict[str, dict[str, int]]:
    retries: dict[str, Counter[str]] = {}
    for record in records:
        for name, side in record.sides.items():
            retries.setdefault(name, Counter()).update(side.retries)
    return {name: dict(counter.most_common()) for name, counter in retries.items()}
