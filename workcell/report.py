"""One page about one run or several that needs no network and no other file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase

from robot.errors import ConfigError
from workcell.compare import Comparison, RateDifference, compare
from workcell.files import write_asked
from workcell.metrics import Summary
from workcell.provenance import commit
from workcell.rates import outwards
from workcell.report_baseline import baseline_of
from workcell.report_charts import difference_chart
from workcell.report_film import filmstrips
from workcell.report_page import (
    Html,
    figure,
    heading,
    link,
    page,
    paragraph,
    table,
    warning,
)
from workcell.report_run import anchor, run_sections
from workcell.report_words import bounds, number, percent, seconds
from workcell.stored_run import StoredRun
from workcell.suites import arm_order

# Every run has a letter, and is compared with each other one of its task.
_MOST_RUNS = len(ascii_uppercase)


def find_runs(paths: Sequence[Path]) -> list[StoredRun]:
    """Return the runs that some folders are or hold.

    Args:
        paths: Folders of runs, or folders with such folders in them.

    Raises:
        ConfigError: If one of them is neither, or if there are too many runs for one page.
    """
    folders: list[Path] = []
    for path in paths:
        # Those of a benchmark in its order: the first of a task is what others are compared with.
        order = {name: place for place, name in enumerate(arm_order(path))}
        inside = sorted(
            (file.parent for file in path.glob("*/config.yaml")),
            key=lambda found: (order.get(found.name, len(order)), found.name),
        )
        folders += inside if inside and not (path / "config.yaml").exists() else [path]
    # The same run named twice is one run, however it is named.
    once: dict[Path, Path] = {}
    for folder in folders:
        once.setdefault(folder.resolve(), folder)
    runs = [StoredRun.read(folder) for folder in once.values()]
    if len(runs) > _MOST_RUNS:
        raise ConfigError(f"RUN: expected at most {_MOST_RUNS} runs, got {len(runs)}")
    return runs


def comparable(runs: Sequence[StoredRun]) -> list[tuple[int, int, Comparison]]:
    """Return each run compared with an earlier one of its task that shares seeds with it.

    The first of the same robot and level if there is one, for their draws are the same.

    Args:
        runs: The runs.

    Returns:
        Place of the earlier one, place of the other, and how they differ.
    """
    found = []
    for place, run in enumerate(runs):
        seeds = {record.seed for record in run.records}
        earlier = [
            first
            for first, other in enumerate(runs[:place])
            if other.choice.task == run.choice.task
            and any(record.seed in seeds for record in other.records)
        ]
        alike = [first for first in earlier if _conditions(runs[first]) == _conditions(run)]
        for first in (alike or earlier)[:1]:
            found.append((first, place, compare(runs[first], run)))
    return found


def _conditions(run: StoredRun) -> tuple[str, str]:
    return run.choice.robot, run.choice.level


def render(runs: Sequence[StoredRun]) -> str:
    """Return the page about some runs."""
    first = runs[0].choice
    title = f"{first.task}: {_rate(runs[0].summary)}"
    if len(runs) > 1:
        title = f"{len(runs)} runs of {', '.join(dict.fromkeys(r.choice.task for r in runs))}"
    return page(title, _parts(title, runs))


def write_report(runs: Sequence[StoredRun], path: Path) -> None:
    """Write the page about some runs, whole or not at all.

    Args:
        runs: The runs.
        path: Of the page; one that exists is replaced, for it can be made again.

    Raises:
        ConfigError: If it cannot be written.
    """
    text = render(runs)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: cannot write {path}: {error.strerror}") from None
    write_asked(path, text.encode("utf-8"), "--out")


def _parts(title: str, runs: Sequence[StoredRun]) -> Iterator[Html]:
    letters = ascii_uppercase[: len(runs)]
    yield heading(1, title)
    made = f"Made {time.strftime('%d %B %Y, %H:%M')} by workcell at {_short(commit())}."
    yield paragraph(f"{made} All figures are of a simulation.", "pale")
    if len(runs) > 1:
        yield _overview(dict(zip(letters, runs, strict=True)))
        for one, other, comparison in comparable(runs):
            yield from _comparison(letters[one], letters[other], comparison)
    for letter, run in zip(letters, runs, strict=True):
        yield from run_sections(letter, run, baseline_of(run.choice.task), filmstrips(run))


def _short(commit: str) -> str:
    """Return a commit by its first digits, and whether the code may differ from it."""
    head, plus, changes = commit.partition("+")
    return f"{head[:12]}{plus}{changes}"


def _rate(summary: Summary) -> str:
    return "none yet" if summary.success_rate is None else percent(summary.success_rate)


def _overview(runs: Mapping[str, StoredRun]) -> Html:
    rows = []
    for letter, run in runs.items():
        choice, summary = run.choice, run.summary
        rows.append(
            (
                link(letter, f"#{anchor(letter)}"),
                choice.task,
                choice.policy,
                choice.level,
                ", ".join(run.asked["overrides"]) or "none",
                f"{summary.successes} of {summary.n}",
                _rate(summary),
                bounds(summary.wilson_low, summary.wilson_high),
                seconds(summary.cycle_time_median_s),
                number(summary.good_parts_per_hour),
                f"{number(summary.peak_force_p95_n)} N",
            )
        )
    head = (
        *("run", "task", "policy", "level", "changes", "good", "rate", "95 % interval"),
        *("median", "parts/h", "force peak"),
    )
    return table(head, rows, numbers=range(5, len(head)))


def _comparison(one: str, other: str, comparison: Comparison) -> Iterator[Html]:
    yield heading(2, f"{other} against {one}")
    told = f"{comparison.n} seeds that both ran."
    left = len(comparison.unpaired_a) + len(comparison.unpaired_b)
    yield paragraph(f"{told} {left} cycles without a partner are left out." if left else told)
    if comparison.other_draws:
        yield warning(
            f"In {comparison.other_draws} pairs the same seed drew something else: they are "
            "unrelated episodes, and pairing them gains nothing."
        )
    differences = {"cycles": comparison.cycles, **comparison.operations}
    rows = {name: (rate.difference, rate.interval) for name, rate in differences.items()}
    yield figure(
        difference_chart(rows, other), "Difference of success rates with 95 % interval (Newcombe)."
    )
    head = ("what", "pairs", one, other, f"{other} less {one}, points (95 %)")
    more = (f"only {one}", f"only {other}", "p (McNemar)", "verdict")
    yield table(
        (*head, *more, f"{other} longer by, mean, where both succeeded"),
        [_difference_row(name, rate, one, other) for name, rate in differences.items()],
        numbers=(1, 2, 3, 4, 5, 6, 7),
    )
    if any(rate.left_out for rate in differences.values()):
        yield paragraph("Pairs are left out where one of the two cycles never began.", "pale")
    commits = ["; ".join(found) for found in comparison.commits]
    if commits[0] != commits[1]:
        yield table(("code", one, other), [("commit", *commits)])
    if comparison.versions:
        told_of = [(name, a, b) for name, (a, b) in comparison.versions.items()]
        yield table(("library", one, other), told_of)
    if comparison.changes:
        changes = [(key, str(a), str(b)) for key, (a, b) in comparison.changes.items()]
        yield table(("value", one, other), changes)
    else:
        yield paragraph("Both have the same configuration.", "pale")


def _difference_row(name: str, rate: RateDifference, one: str, other: str) -> tuple[str, ...]:
    longer = "none"
    if rate.time is not None:
        interval = rate.time.mean_interval_s
        told = "" if interval is None else f" ({outwards(*interval, sign='+')})"
        longer = f"{rate.time.mean_s:+.2f} s{told}, n = {rate.time.n}"
    low, high = (100.0 * end for end in rate.interval)
    return (
        f"{name}, {rate.left_out} pairs left out" if rate.left_out else name,
        str(rate.pairs.n),
        percent(rate.rate_a),
        percent(rate.rate_b),
        f"{100.0 * rate.difference:+.1f} ({outwards(low, high, 1, '+')})",
        str(rate.pairs.only_a),
        str(rate.pairs.only_b),
        f"{rate.p_value:.3g}",
        rate.verdict(one, other),
        longer,
    )
