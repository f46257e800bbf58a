"""What a report says of one run, section by section."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import yaml

from robot.errors import ConfigError
from workcell.claims import check_claim, cycles_needed
from workcell.metrics import failure_reason
from workcell.records import CycleRecord, plain_json
from workcell.report_baseline import Baseline
from workcell.report_charts import (
    Mark,
    force_chart,
    pareto_chart,
    phase_chart,
    rate_chart,
    time_chart,
)
from workcell.report_film import Films, varied
from workcell.report_findings import findings_sections
from workcell.report_page import (
    Html,
    charts,
    code,
    figure,
    film,
    fold,
    heading,
    paragraph,
    table,
    tiles,
    warning,
)
from workcell.report_words import (
    SPACE,
    bounds,
    cycle_command,
    doubts,
    lowest,
    number,
    percent,
    run_command,
    seconds,
)
from workcell.stored_run import StoredRun, seeds_hash

# Failed cycles that are shown with all they have; the others are in the records.
_MOST_SHOWN = 30
# Claims that are worth knowing how far away they are.
_CLAIMS = (0.95, 0.98, 0.99, 0.995, 0.999)


def run_sections(
    name: str, run: StoredRun, baseline: Baseline, films: Films | None = None
) -> Iterator[Html]:
    """Yield what a report says of one run.

    Args:
        name: Letter of the run on the page.
        run: The run.
        baseline: What it is compared with.
        films: Pictures of its failed cycles by seed; none if omitted.
    """
    choice = run.choice
    title = f"{choice.task}, {choice.policy}, level {choice.level}, {choice.robot}"
    yield heading(2, f"{name}: {title}", anchor(name))
    yield paragraph(str(run.path), "pale")
    yield from map(warning, doubts(run))
    if not run.records:
        yield paragraph("No cycle has ended yet.")
        return
    yield from _headline(run, baseline)
    yield from _times(run, baseline)
    yield from _failures(name, run, films or {})
    yield from _forces(run)
    yield from _phases(run)
    yield from _operations(run)
    yield from findings_sections(run.records)
    yield from _reproduction(run)


def _headline(run: StoredRun, baseline: Baseline) -> Iterator[Html]:
    summary = run.summary
    rate = summary.success_rate or 0.0
    yield Html(
        f'<div class="headline">{percent(rate)}</div>'
        f"<p>{summary.successes} of {summary.n} cycles succeeded; 95{SPACE}% interval "
        f"{bounds(summary.wilson_low, summary.wilson_high)} (Wilson), "
        f"{bounds(summary.exact_low, summary.exact_high)} (Clopper-Pearson); "
        f"at least {lowest(summary.lower_bound)} with 95{SPACE}% confidence. In simulation.</p>"
    )
    claim = run.asked.get("claim")
    if claim is not None:
        check = check_claim(float(claim), summary.successes, summary.n, run.cycles)
        yield paragraph(f"Claim {check.sentence()}.")
    yield tiles(
        [
            ("cycle time, median", seconds(summary.cycle_time_median_s)),
            ("90 % below", seconds(summary.cycle_time_p90_s)),
            ("99 % below", seconds(summary.cycle_time_p99_s)),
            ("good parts per hour", number(summary.good_parts_per_hour)),
            ("at the first attempt", f"{summary.first_attempts} of {summary.n}"),
            ("retries", str(summary.retries)),
            ("falls", str(summary.falls)),
            ("guard stops", str(summary.guard_stops)),
            ("commands bent by the guard", str(summary.guard_clamps)),
            ("ticks without solution", str(summary.unsolved_ticks)),
            ("signals that were wrong", str(sum(summary.disagreements.values()))),
            ("hardest wrist force", f"{summary.max_force_n:.0f} N"),
        ]
    )
    marks = []
    if baseline.human_success_rate is not None:
        marks.append(Mark("a person", baseline.human_success_rate, "human"))
    if claim is not None:
        marks.append(Mark("claim", float(claim), "takt"))
    drawing = rate_chart(
        rate,
        (summary.wilson_low, summary.wilson_high),
        (summary.exact_low, summary.exact_high),
        marks,
    )
    failed = summary.n - summary.successes
    rows = [
        (
            f"{100.0 * one:g}{SPACE}%",
            ("yes" if summary.lower_bound >= one else "no") if run.complete else "not complete",
            str(cycles_needed(one, 0)),
            str(cycles_needed(one, failed) or "millions"),
        )
        for one in _CLAIMS
    ]
    head = ("at least", "shown", "no failure", f"{failed} failures")
    needed = table(head, rows, numbers=(2, 3))
    caption = paragraph("How many cycles it takes, fixed before the first, to show a rate:", "pale")
    yield charts([figure(drawing, baseline.note), Html(f"<div>{caption}{needed}</div>")])


def _times(run: StoredRun, baseline: Baseline) -> Iterator[Html]:
    good = [record.cycle_time_s for record in run.records if record.success]
    ended = [record.cycle_time_s for record in run.records if not record.success]
    # One that could not be set up has taken no time.
    bad = [time for time in ended if time > 0.0]
    marks = []
    if baseline.human_time_s is not None:
        marks.append(Mark("a person, estimated", baseline.human_time_s, "human"))
    if run.summary.cycle_time_median_s is not None:
        marks.append(Mark("median", run.summary.cycle_time_median_s))
    if baseline.takt_s is not None:
        marks.append(Mark("takt", baseline.takt_s, "takt"))
    yield heading(3, "Cycle times")
    caption = "Successes"
    if bad:
        caption += f", and on top of them {len(bad)} failures at the time they ended"
    if len(bad) < len(ended):
        caption += f"; {len(ended) - len(bad)} never began"
    yield charts([figure(time_chart(good, bad, marks), f"{caption}.")])


def _failures(name: str, run: StoredRun, films: Films) -> Iterator[Html]:
    failed = [record for record in run.records if not record.success]
    yield heading(3, "Failures")
    if not failed:
        yield paragraph("None.")
        return
    # The rarest failure may be the one that tells most, and what was filmed is to be seen.
    chosen = {record.seed for record in varied(run)[:_MOST_SHOWN]} | set(films)
    order = list(run.summary.failures)
    shown = [record for record in failed if record.seed in chosen]
    shown.sort(key=lambda record: (order.index(failure_reason(record)), record.seed))
    targets = {failure_reason(r): f"#{anchor(name, r.seed)}" for r in reversed(shown)}
    yield charts([figure(pareto_chart(run.summary.failures, targets), "Links lead to the cycles.")])
    for record in shown:
        yield _failed_cycle(name, run, record, films)
    if len(failed) > len(shown):
        more = f"{len(failed) - len(shown)} more failed cycles are in {run.path}/records.jsonl."
        yield paragraph(more, "pale")


def _failed_cycle(name: str, run: StoredRun, record: CycleRecord, films: Films) -> Html:
    """Return everything that is known of a failed cycle."""
    sides = "; ".join(
        f"{arm} ended in {side.ended_in.replace('_', ' ') or 'an unknown phase'}"
        + (f" after {', '.join(dict.fromkeys(side.reasons))}" if side.reasons else "")
        for arm, side in record.sides.items()
    )
    parts = [paragraph(f"{record.failure}. {sides}.")]
    if record.disagreements:
        parts.append(paragraph(f"Signals that were wrong: {', '.join(record.disagreements)}."))
    pictures = films.get(record.seed)
    if pictures is not None and pictures.frames:
        parts += [film(pictures.frames), paragraph(pictures.remark, "pale")]
    elif pictures is not None:
        parts.append(warning(pictures.remark))
    parts += _traced(run, record, f"seed {record.seed}")
    parts.append(code(cycle_command(run, record.seed)))
    written = json.dumps(record.as_json(), indent=1)
    parts.append(fold("the record", [code(written)]))
    told = f"seed {record.seed}: {failure_reason(record)}, {record.cycle_time_s:.1f} s"
    return fold(told, parts, anchor(name, record.seed))


def _traced(run: StoredRun, record: CycleRecord, title: str) -> Iterator[Html]:
    """Yield what the wrists felt in a cycle, if it was kept.

    One damaged file is no reason to show nothing of the others.
    """
    try:
        trace = run.trace(record.seed)
    except ConfigError as error:
        yield warning(str(error))
        return
    if trace is not None:
        yield figure(force_chart(trace, record.force_limit_n, title))


def _forces(run: StoredRun) -> Iterator[Html]:
    good = sorted(
        (record for record in run.records if record.success), key=lambda r: r.cycle_time_s
    )
    bad = [record for record in run.records if not record.success]
    shown = []
    if good:
        shown.append(("success of median time", good[len(good) // 2]))
        hardest = max(good, key=lambda record: record.max_force_n)
        if hardest is not shown[0][1]:
            shown.append(("success with the hardest force", hardest))
    if bad:
        shown.append(("failure", bad[0]))
    drawings: list[Html] = []
    for told, record in shown:
        drawings += _traced(run, record, f"{told}, seed {record.seed}")
    summary = run.summary
    yield heading(3, "Forces")
    longest = f"{1000.0 * summary.time_above_limit_s:.0f} ms"
    yield paragraph(
        f"Hardest wrist force of a cycle: median {number(summary.peak_force_median_n)} N, 95 % "
        f"below {number(summary.peak_force_p95_n)} N, at most {summary.max_force_n:.0f} N. "
        f"Above {summary.force_limit_n:.0f} N in {summary.cycles_above_limit} cycles, for "
        f"{longest} at the longest."
    )
    yield charts(drawings)


def _phases(run: StoredRun) -> Iterator[Html]:
    parts = []
    for told, records in (
        ("Successes", [record for record in run.records if record.success]),
        ("Failures", [record for record in run.records if not record.success]),
    ):
        times = _mean_phase_times(records)
        if times:
            parts.append(figure(phase_chart(times), f"{told}: mean time in each phase, s."))
    if parts:
        yield heading(3, "Phases")
        yield charts(parts)


def _mean_phase_times(records: Sequence[CycleRecord]) -> dict[str, dict[str, float]]:
    """Return the mean time in each phase by arm; a phase that was left out took none."""
    arms = dict.fromkeys(arm for record in records for arm in record.sides)
    times = {}
    for arm in arms:
        sides = [record.sides[arm].phase_times_s for record in records if arm in record.sides]
        phases = dict.fromkeys(phase for side in sides for phase in side)
        if phases:
            times[arm] = {
                phase: float(np.mean([side.get(phase, 0.0) for side in sides])) for phase in phases
            }
    return times


def _operations(run: StoredRun) -> Iterator[Html]:
    summary = run.summary
    if summary.operations:
        yield heading(3, "Operations")
        yield table(
            ("kind", "done", "rate", "95 % interval", "median time", "with fetching", "failures"),
            [
                (
                    kind,
                    f"{op.successes} of {op.n}",
                    percent(op.success_rate),
                    bounds(op.wilson_low, op.wilson_high),
                    seconds(op.time_median_s),
                    seconds(op.whole_median_s),
                    ", ".join(f"{count} {reason}" for reason, count in op.failures.items()),
                )
                for kind, op in summary.operations.items()
            ],
            numbers=(1, 2, 3, 4, 5),
        )
        if summary.never_begun:
            yield warning(f"The work of {summary.never_begun} cycles that never began is not here.")
    rows = [
        (arm, kind, str(count))
        for arm, retries in summary.side_retries.items()
        for kind, count in retries.items()
    ]
    rows += [("station", f"{name} wrong", str(n)) for name, n in summary.disagreements.items()]
    if rows:
        yield heading(3, "Retries and disagreements")
        yield table(("who", "what", "how often"), rows, numbers=(2,))


def _reproduction(run: StoredRun) -> Iterator[Html]:
    yield heading(3, "How to reproduce it")
    last = run.records[-1]
    commit = last.commit.removesuffix("+changes") or "unknown"
    yield code(f"git checkout {commit}\n{run_command(run)}\n{cycle_command(run, last.seed)}", True)
    versions: Mapping[str, str | None] = last.versions
    yield table(
        ("what", "value"),
        [
            ("seeds", f"{run.seeds.start} to {run.seeds.stop - 1}, hash {seeds_hash(run.seeds)}"),
            ("configuration", f"hash {run.config_hash}"),
            ("commit", last.commit or "unknown"),
            ("processes", f"{run.asked.get('workers')}, {run.asked.get('backend', 'local')}"),
            ("real-time factor", number(run.summary.real_time_factor)),
            ("versions", ", ".join(f"{name} {found}" for name, found in versions.items())),
        ],
    )
    values = yaml.safe_dump(plain_json(dict(run.config)), sort_keys=False)
    yield fold("every value of the configuration", [code(values)])


def anchor(name: str, seed: int | None = None) -> str:
    """Return where a run, or a cycle of it, is on the page."""
    return f"run-{name}" if seed is None else f"run-{name}-{seed}"
