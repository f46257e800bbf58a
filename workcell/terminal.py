"""What a person reads: one line per cycle, and the figures at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from tasks.task import Operation
from workcell.compare import Comparison, RateDifference
from workcell.metrics import Summary
from workcell.rates import at_least, interval, nearest, outwards
from workcell.records import CycleRecord


def cycle_line(record: CycleRecord, number: int, total: int) -> Text:
    """Return one cycle as one line.

    Args:
        record: The cycle.
        number: Which one it is, counted from one in the order of their ends.
        total: How many there will be.
    """
    line = Text(f"{number:>{len(str(total))}}/{total}  seed {record.seed}  ")
    line.append("ok  " if record.success else "FAIL", "green" if record.success else "bold red")
    line.append(f"  {record.cycle_time_s:5.1f} s")
    for name, operation in record.operations.items():
        line.append(f"  {name} {_state(operation)}")
    for name, side in record.sides.items():
        if side.retries:
            line.append(f"  {name}: {counts(side.retries)}")
    line.append(f"  {record.max_force_n:.0f} N")
    if record.failure:
        line.append(f"  {record.failure}", "red")
    return line


def progress(ended: Sequence[CycleRecord], earlier: int, total: int, elapsed_s: float) -> str:
    """Return how far a run is, as words.

    Args:
        ended: The cycles of this process and its workers, in the order of their ends.
        earlier: How many had ended before the run was gone on with.
        total: How many there will be.
        elapsed_s: How long the ended ones took together, in s.
    """
    done = earlier + len(ended)
    good = sum(record.success for record in ended)
    left_s = elapsed_s / len(ended) * (total - done)
    left = f"{left_s:.0f} s" if left_s < 120.0 else f"{left_s / 60.0:.0f} min"
    number = min(done + 1, total)
    return f"cycle {number} of {total}, {good} of {len(ended)} ok, about {left} left"


def _state(operation: Operation) -> str:
    if operation.success:
        return "ok" if operation.time_s is None else f"{operation.time_s:.1f} s"
    return operation.failure or "unfinished"


def counts(numbers: Mapping[str, int]) -> str:
    """Return counts by name as words: `2 regrasp, 1 jam`."""
    return ", ".join(f"{number} {name}" for name, number in numbers.items())


def summary_table(summary: Summary) -> Text:
    """Return the figures of a run."""
    wilson = interval(summary.wilson_low, summary.wilson_high)
    rate = "none" if summary.success_rate is None else f"{nearest(summary.success_rate)} %"
    rows = [
        ("successful cycles", f"{summary.successes} of {summary.n}"),
        ("success rate", f"{rate} (95 % interval {wilson} %)"),
        (
            "exact interval",
            f"{interval(summary.exact_low, summary.exact_high)} %, "
            f"at least {at_least(summary.lower_bound)} % with 95 % confidence",
        ),
        ("at the first attempt", f"{summary.first_attempts} of {summary.n}"),
        ("cycle time, median", _seconds(summary.cycle_time_median_s)),
        ("cycle time, 90 % below", _seconds(summary.cycle_time_p90_s)),
        ("cycle time, 99 % below", _seconds(summary.cycle_time_p99_s)),
        (
            "good parts per hour",
            "none" if summary.good_parts_per_hour is None else f"{summary.good_parts_per_hour:.0f}",
        ),
        ("hardest wrist force", f"{summary.max_force_n:.1f} N"),
        (
            f"above {summary.force_limit_n:.0f} N, longest",
            f"{1000.0 * summary.time_above_limit_s:.0f} ms",
        ),
        ("falls", str(summary.falls)),
        ("guard stops", str(summary.guard_stops)),
        ("ticks without solution", str(summary.unsolved_ticks)),
    ]
    for kind, operation in summary.operations.items():
        bounds = f"{interval(operation.wilson_low, operation.wilson_high)} %"
        took = (
            "" if operation.time_median_s is None else f", median {operation.time_median_s:.2f} s"
        )
        if operation.whole_median_s is not None:
            took += f", {operation.whole_median_s:.2f} s with fetching and putting away"
        rows.append((kind, f"{operation.successes} of {operation.n} ({bounds}){took}"))
        rows += [
            (f"{kind} failed: {reason}", str(number))
            for reason, number in operation.failures.items()
        ]
    if summary.never_begun:
        rows.append(("not among these", f"the work of {summary.never_begun} cycles, never begun"))
    for name, retries in summary.side_retries.items():
        if retries:
            rows.append((f"{name} arm, retries", counts(retries)))
    rows += [
        (f"signal {name} wrong", f"in {number} cycles")
        for name, number in summary.disagreements.items()
    ]
    if summary.real_time_factor is not None:
        rows.append(("real-time factor", f"{summary.real_time_factor:.2f}"))
    rows += [(f"failed: {reason}", str(number)) for reason, number in summary.failures.items()]
    return two_columns(rows)


def two_columns(rows: Sequence[tuple[str, str]]) -> Text:
    """Return names and values below each other, never cut or wrapped however narrow the screen."""
    width = max(len(name) for name, _ in rows)
    return Text("\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} s"


def comparison_table(comparison: Comparison) -> Text:
    """Return how two runs differ."""
    rows = [
        ("A", comparison.run_a),
        ("B", comparison.run_b),
        ("paired seeds", str(comparison.n)),
    ]
    for name, unpaired in (("A", comparison.unpaired_a), ("B", comparison.unpaired_b)):
        if unpaired:
            span = f"{unpaired[0]} to {unpaired[-1]}"
            rows.append((f"seeds of {name} alone", f"{len(unpaired)} left out, {span}"))
    if comparison.other_draws:
        rows.append(("other draws", f"in {comparison.other_draws} pairs: not the same episode"))
    rows += [(key, f"{one} in A, {two} in B") for key, (one, two) in comparison.changes.items()]
    one, two = ("; ".join(commits) for commits in comparison.commits)
    if one != two:
        rows.append(("commit", f"{one} in A, {two} in B"))
    rows += [(name, f"{a} in A, {b} in B") for name, (a, b) in comparison.versions.items()]
    rows += difference_rows("cycles", comparison.cycles)
    for kind, difference in comparison.operations.items():
        rows += difference_rows(kind, difference)
    return two_columns(rows)


def difference_rows(what: str, difference: RateDifference) -> list[tuple[str, str]]:
    """Return the difference of one rate and of its times, as names and values."""
    pairs, time, left = difference.pairs, difference.time, difference.left_out
    low, high = difference.interval
    rows = [
        (
            f"{what}: success",
            f"{nearest(difference.rate_a)} % in A, {nearest(difference.rate_b)} % in B, "
            f"difference {100.0 * difference.difference:+.1f} "
            f"({outwards(100.0 * low, 100.0 * high, 1, '+')}) percentage points, n = {pairs.n}"
            + (f"; {left} pairs left out, of which one never began" if left else ""),
        ),
        (
            f"{what}: one alone",
            f"A {pairs.only_a}, B {pairs.only_b}; p = {difference.p_value:.3g}: "
            f"{difference.verdict()}",
        ),
    ]
    if time is not None:
        # Said the way that most of it goes: an interval may still reach across zero.
        sign, word = (-1.0, "shorter") if time.mean_s < 0.0 else (1.0, "longer")
        ends = (
            () if time.mean_interval_s is None else sorted(sign * s for s in time.mean_interval_s)
        )
        bounds = f" ({outwards(ends[0], ends[1])})" if ends else ""
        rows.append(
            (
                f"{what}: time",
                f"median {time.median_a_s:.2f} s in A, {time.median_b_s:.2f} s in B; "
                f"B {word} by {abs(time.mean_s):.2f} s{bounds} on average, where both succeeded, "
                f"n = {time.n}",
            )
        )
    return rows
