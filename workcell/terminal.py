"""What a person reads: one line per cycle, and the figures at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from tasks.task import Operation
from workcell.metrics import Summary
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


def _state(operation: Operation) -> str:
    if operation.success:
        return "ok" if operation.time_s is None else f"{operation.time_s:.1f} s"
    return operation.failure or "unfinished"


def counts(numbers: Mapping[str, int]) -> str:
    """Return counts by name as words: `2 regrasp, 1 jam`."""
    return ", ".join(f"{number} {name}" for name, number in numbers.items())


def summary_table(summary: Summary) -> Text:
    """Return the figures of a run."""
    low, high = 100.0 * summary.wilson_low, 100.0 * summary.wilson_high
    rate = "none" if summary.success_rate is None else f"{100.0 * summary.success_rate:.1f} %"
    rows = [
        ("successful cycles", f"{summary.successes} of {summary.n}"),
        ("success rate", f"{rate} (95 % interval {low:.1f}-{high:.1f} %)"),
        ("at the first attempt", f"{summary.first_attempts} of {summary.n}"),
        ("cycle time, median", _seconds(summary.cycle_time_median_s)),
        ("cycle time, 90 % below", _seconds(summary.cycle_time_p90_s)),
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
        bounds = f"{100.0 * operation.wilson_low:.1f}-{100.0 * operation.wilson_high:.1f} %"
        took = (
            "" if operation.time_median_s is None else f", median {operation.time_median_s:.2f} s"
        )
        rows.append((kind, f"{operation.successes} of {operation.n} ({bounds}){took}"))
        rows += [
            (f"{kind} failed: {reason}", str(number))
            for reason, number in operation.failures.items()
        ]
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
