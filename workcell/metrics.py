"""Records to figures: success rates with intervals, cycle times, and why the failed ones failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tasks.task import Operation
from workcell.records import CycleRecord
from workcell.statistics import clopper_pearson, lower_bound, wilson


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
        whole_median_s: The same with fetching and putting away, in s, or None.
        failures: How many failed for which reason, the most frequent first.
    """

    n: int
    successes: int
    success_rate: float
    wilson_low: float
    wilson_high: float
    time_median_s: float | None
    whole_median_s: float | None
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
        exact_low: Lower bound of the 95 % interval of Clopper and Pearson.
        exact_high: Upper bound of the 95 % interval of Clopper and Pearson.
        lower_bound: What the rate is at least, one-sided with 95 % confidence, exact.
        first_attempts: Successes without any retry.
        cycle_time_median_s: Over successes, in s.
        cycle_time_p90_s: Over successes, in s.
        cycle_time_p99_s: Over successes, in s.
        good_parts_per_hour: Successful cycles per hour of cycle time, failed ones counted as long
            as they might have taken; None if nothing took time. What a cycle makes is one part.
        retries: Of all arms and kinds together.
        falls: In how many cycles the robot fell.
        guard_stops: Over all cycles.
        guard_clamps: Commands that the guard bent, over all cycles.
        unsolved_ticks: Control ticks without a solution, over all cycles.
        max_force_n: Hardest wrist force of all cycles, in N.
        force_limit_n: Wrist force that the guard let pass for a moment only, in N.
        time_above_limit_s: Longest time with more than that, in s.
        cycles_above_limit: In how many cycles a wrist felt more than that, however shortly.
        peak_force_median_n: Hardest force of a cycle, median, in N, or None.
        peak_force_p95_n: Exceeded by the hardest force of one cycle in twenty, in N, or None.
        failures: How many cycles failed for which reason, the most frequent first.
        operations: Pieces of work of one kind together, by kind.
        never_begun: Failed cycles whose work is not among these: how much it would have been is not
            known.
        side_retries: How often what was tried again, by arm name and kind.
        phase_times_s: Time in each phase, median over successes, in s, by arm name and phase.
        disagreements: In how many cycles a process signal contradicted the truth, by signal.
        real_time_factor: Simulated over real time of one process, or None.
    """

    n: int
    successes: int
    success_rate: float | None
    wilson_low: float
    wilson_high: float
    exact_low: float
    exact_high: float
    lower_bound: float
    first_attempts: int
    cycle_time_median_s: float | None
    cycle_time_p90_s: float | None
    cycle_time_p99_s: float | None
    good_parts_per_hour: float | None
    retries: int
    falls: int
    guard_stops: int
    guard_clamps: int
    unsolved_ticks: int
    max_force_n: float
    force_limit_n: float
    time_above_limit_s: float
    cycles_above_limit: int
    peak_force_median_n: float | None
    peak_force_p95_n: float | None
    failures: Mapping[str, int]
    operations: Mapping[str, OperationSummary]
    never_begun: int
    side_retries: Mapping[str, Mapping[str, int]]
    phase_times_s: Mapping[str, Mapping[str, float]]
    disagreements: Mapping[str, int]
    real_time_factor: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return asdict(self)


def summarize(records: Sequence[CycleRecord]) -> Summary:
    """Return the figures of some cycles.

    Args:
        records: In any order.
    """
    n = len(records)
    passed = [record for record in records if record.success]
    low, high = wilson(len(passed), n)
    exact_low, exact_high = clopper_pearson(len(passed), n)
    times = [record.cycle_time_s for record in passed]
    peaks = [record.max_force_n for record in records]
    reasons = Counter(failure_reason(record) for record in records if not record.success)
    wall_s = sum(record.wall_s for record in records)
    any_work = any(record.operations for record in records)
    return Summary(
        n=n,
        successes=len(passed),
        success_rate=len(passed) / n if n else None,
        wilson_low=low,
        wilson_high=high,
        exact_low=exact_low,
        exact_high=exact_high,
        lower_bound=lower_bound(len(passed), n),
        first_attempts=sum(record.first_attempt for record in passed),
        cycle_time_median_s=_quantile(times, 0.5),
        cycle_time_p90_s=_quantile(times, 0.9),
        cycle_time_p99_s=_quantile(times, 0.99),
        good_parts_per_hour=_good_parts_per_hour(records),
        retries=sum(record.retries for record in records),
        falls=sum(record.fell for record in records),
        guard_stops=sum(record.guard_stops for record in records),
        guard_clamps=sum(record.guard_clamps for record in records),
        unsolved_ticks=sum(record.unsolved_ticks for record in records),
        max_force_n=max((record.max_force_n for record in records), default=0.0),
        force_limit_n=max((record.force_limit_n for record in records), default=0.0),
        time_above_limit_s=max((record.time_above_limit_s for record in records), default=0.0),
        cycles_above_limit=sum(r.max_force_n > r.force_limit_n > 0.0 for r in records),
        peak_force_median_n=_quantile(peaks, 0.5),
        peak_force_p95_n=_quantile(peaks, 0.95),
        failures=dict(reasons.most_common()),
        operations=_operations(records),
        never_begun=sum(not record.operations for record in records) if any_work else 0,
        side_retries=_side_retries(records),
        phase_times_s=_phase_times(passed),
        disagreements=dict(Counter(name for record in records for name in record.disagreements)),
        real_time_factor=sum(record.sim_s for record in records) / wall_s if wall_s else None,
    )


def failure_reason(record: CycleRecord) -> str:
    """Return why a cycle failed, without the numbers that follow a colon."""
    return (record.failure or "unknown").partition(":")[0]


def _quantile(values: Sequence[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None


def _good_parts_per_hour(records: Sequence[CycleRecord]) -> float | None:
    """Return successes per hour; a failed cycle blocks its station until the time is up."""
    hours = (
        sum(
            record.cycle_time_s if record.success else max(record.cycle_time_s, record.time_limit_s)
            for record in records
        )
        / 3600.0
    )
    return sum(record.success for record in records) / hours if hours else None


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
        whole = [item.whole_s for item in operations if item.success and item.whole_s is not None]
        reasons = Counter(item.failure or "unfinished" for item in operations if not item.success)
        summaries[kind] = OperationSummary(
            n,
            passed,
            passed / n,
            low,
            high,
            _quantile(times, 0.5),
            _quantile(whole, 0.5),
            dict(reasons.most_common()),
        )
    return summaries


def _side_retries(records: Sequence[CycleRecord]) -> dict[str, dict[str, int]]:
    retries: dict[str, Counter[str]] = {}
    for record in records:
        for name, side in record.sides.items():
            retries.setdefault(name, Counter()).update(side.retries)
    return {name: dict(counter.most_common()) for name, counter in retries.items()}


def _phase_times(records: Sequence[CycleRecord]) -> dict[str, dict[str, float]]:
    times: dict[str, dict[str, list[float]]] = {}
    for record in records:
        for name, side in record.sides.items():
            for phase, time in side.phase_times_s.items():
                times.setdefault(name, {}).setdefault(phase, []).append(time)
    return {
        name: {phase: float(np.median(values)) for phase, values in phases.items()}
        for name, phases in times.items()
    }
