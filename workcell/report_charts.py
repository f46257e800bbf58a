"""The drawings of a report, each from plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workcell.report_svg import WIDTH, Axis, Canvas, horizontal
from workcell.traces import ForceTrace

_LEFT, _RIGHT = 6.0, WIDTH - 10.0
# How many bars a distribution has over its whole axis.
_BINS = 48
# Classes of what is drawn for the first, second … of several things of a kind.
_KINDS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Mark:
    """A number that others are compared with.

    Attributes:
        name: What it is.
        value: The number.
        kind: Class of its line.
    """

    name: str
    value: float
    kind: str = "mark"


def rate_chart(
    rate: float, wilson: tuple[float, float], exact: tuple[float, float], marks: Sequence[Mark]
) -> str:
    """Return a success rate with both of its intervals.

    Args:
        rate: From 0 to 1.
        wilson: Its score interval.
        exact: Its interval by Clopper and Pearson, drawn thinner.
        marks: Rates to compare with.
    """
    lowest = min(wilson[0], exact[0], *(mark.value for mark in marks), 0.95)
    low = max(0.0, math.floor(20.0 * lowest - 1e-9) / 20.0)
    axis = Axis(low, 1.0, _LEFT + 8.0, _RIGHT - 8.0)
    top = 16.0 * len(marks)
    middle = top + 16.0
    canvas = Canvas(middle + 54.0, f"success rate {100.0 * rate:.1f} %")
    for row, mark in enumerate(marks):
        _mark(canvas, axis, mark, 12.0 + 16.0 * row, middle + 18.0, f"{100.0 * mark.value:g} %")
    told = f"95 % interval {100.0 * exact[0]:.2f} to {100.0 * exact[1]:.2f} % (exact)"
    canvas.box(axis(exact[0]), middle - 2.0, axis(exact[1]) - axis(exact[0]), 4.0, "good", told)
    told = f"95 % interval {100.0 * wilson[0]:.2f} to {100.0 * wilson[1]:.2f} % (Wilson)"
    canvas.box(axis(wilson[0]), middle - 5.0, axis(wilson[1]) - axis(wilson[0]), 10.0, "good", told)
    canvas.dot(axis(rate), middle, "point")
    horizontal(canvas, axis, middle + 18.0, "% of cycles; thick Wilson, thin exact interval", 100.0)
    return canvas.svg()


def time_chart(good: Sequence[float], bad: Sequence[float], marks: Sequence[Mark]) -> str:
    """Return the distribution of cycle times on a logarithmic axis.

    Args:
        good: Times of successes, in s.
        bad: Times of failures, in s; drawn on top of the others.
        marks: Times to compare with.
    """
    every = [time for time in (*good, *bad, *(mark.value for mark in marks)) if time > 0.0]
    low, high = min(every, default=1.0) / 1.15, max(every, default=10.0) * 1.15
    axis = Axis(low, high, _LEFT, _RIGHT, logarithmic=True)
    edges = np.geomspace(low, high, _BINS + 1)
    counts = [np.histogram(times, edges)[0] for times in (good, bad)]
    most = max(1, int((counts[0] + counts[1]).max()))
    top, tall = 18.0 * len(marks) + 8.0, 120.0
    base = top + tall
    canvas = Canvas(base + 36.0, "distribution of cycle times")
    for i in range(_BINS):
        x, width = axis(edges[i]), axis(edges[i + 1]) - axis(edges[i]) - 1.0
        y = base
        for count, kind in ((counts[0][i], "good"), (counts[1][i], "bad")):
            if count:
                height = tall * count / most
                y -= height
                told = f"{count} between {edges[i]:.1f} and {edges[i + 1]:.1f} s"
                canvas.box(x, y, width, height, kind, told)
    for row, mark in enumerate(marks):
        _mark(canvas, axis, mark, 12.0 + 18.0 * row, base, f"{mark.value:.1f} s")
    horizontal(canvas, axis, base, "cycle time, s (logarithmic)")
    return canvas.svg()


def pareto_chart(failures: Mapping[str, int], targets: Mapping[str, str]) -> str:
    """Return how often what went wrong, the most frequent first, with their running share.

    Args:
        failures: How many cycles failed for which reason, the most frequent first.
        targets: Where a reason leads on the page.
    """
    total, most = sum(failures.values()), max(failures.values())
    canvas = Canvas(34.0 * len(failures) + 4.0, "failures by reason")
    ended = 0
    for row, (reason, count) in enumerate(failures.items()):
        ended += count
        y = 34.0 * row
        share = f"{count}, together {100.0 * ended / total:.0f} %"
        target = targets.get(reason)
        if target is not None:
            canvas.open_link(target)
        canvas.text(_LEFT, y + 13.0, reason, "" if target is None else "link")
        canvas.text(_RIGHT, y + 13.0, share, "small", "end")
        canvas.box(_LEFT, y + 18.0, (_RIGHT - _LEFT) * count / most, 9.0, "bad", reason)
        if target is not None:
            canvas.close_link()
    return canvas.svg()


def force_chart(trace: ForceTrace, limit_n: float, title: str) -> str:
    """Return what the wrists felt over one cycle.

    Args:
        trace: The forces.
        limit_n: Force that the guard lets pass for a moment only, in N.
        title: What cycle it was.
    """
    forces = {name: force for name, force in sorted(trace.force_n.items()) if len(force)}
    longest = max((len(force) for force in forces.values()), default=1)
    peak = max((float(force.max()) for force in forces.values()), default=1.0)
    x_axis = Axis(0.0, max(longest, 2) * trace.dt, _LEFT + 26.0, _RIGHT)
    base, top = 150.0, 34.0
    y_axis = Axis(0.0, 1.05 * max(peak, limit_n, 1.0), base, top)
    canvas = Canvas(base + 34.0, title)
    canvas.text(_LEFT, 12.0, title)
    for row, name in enumerate(forces):
        x = _RIGHT - 95.0 * (len(forces) - 1 - row)
        canvas.text(x, 28.0, name.replace("_", " "), _KINDS[row % 4], "end")
    for tick in y_axis.ticks():
        canvas.line(x_axis(0.0), y_axis(tick), _RIGHT, y_axis(tick), "grid")
        canvas.text(_LEFT + 22.0, y_axis(tick) + 4.0, f"{tick:g}", "small", "end")
    if limit_n > 0.0:
        canvas.line(x_axis(0.0), y_axis(limit_n), _RIGHT, y_axis(limit_n), "limit")
    for row, force in enumerate(forces.values()):
        points = [(x_axis(trace.dt * i), y_axis(float(f))) for i, f in enumerate(force)]
        canvas.curve(points, f"curve {_KINDS[row % 4]}")
    horizontal(canvas, x_axis, base, "s; wrist force in N, hardest of each 40 ms")
    return canvas.svg()


def phase_chart(times_s: Mapping[str, Mapping[str, float]]) -> str:
    """Return how long each phase takes, arm by arm.

    Args:
        times_s: Time in each phase, in s, by arm and phase in their order.
    """
    phases = list(dict.fromkeys(phase for times in times_s.values() for phase in times))
    longest = max((t for times in times_s.values() for t in times.values()), default=0.0) or 1.0
    axis = Axis(0.0, longest, _LEFT + 104.0, _RIGHT - 40.0)
    tall = 11.0 * len(times_s) + 7.0
    canvas = Canvas(22.0 + tall * len(phases), "time in each phase")
    for row, arm in enumerate(times_s):
        x = _RIGHT - 60.0 * (len(times_s) - 1 - row)
        canvas.text(x, 12.0, arm, _KINDS[row % 4], "end")
    for place, phase in enumerate(phases):
        y = 22.0 + tall * place
        canvas.text(_LEFT + 98.0, y + 0.5 * tall, phase.replace("_", " "), "small", "end")
        for row, (arm, times) in enumerate(times_s.items()):
            if phase in times:
                x, wide = axis(0.0), axis(times[phase]) - axis(0.0)
                told = f"{arm}, {phase}: {times[phase]:.2f} s"
                canvas.box(x, y + 11.0 * row, wide, 9.0, f"bar {_KINDS[row % 4]}", told)
                canvas.text(x + wide + 4.0, y + 11.0 * row + 8.5, f"{times[phase]:.2f}", "tiny")
    return canvas.svg()


def difference_chart(rows: Mapping[str, tuple[float, tuple[float, float]]], better: str) -> str:
    """Return differences of rates with their intervals, and where no difference is.

    Args:
        rows: Difference and 95 % interval, from -1 to 1, by name.
        better: Who is better where a difference is positive.
    """
    reach = max(0.01, *(abs(bound) for _, interval in rows.values() for bound in interval))
    axis = Axis(-1.05 * reach, 1.05 * reach, _LEFT, _RIGHT)
    base = 34.0 * len(rows)
    canvas = Canvas(base + 36.0, "differences of success rates")
    canvas.line(axis(0.0), 0.0, axis(0.0), base, "mark")
    for row, (name, (difference, (low, high))) in enumerate(rows.items()):
        y = 34.0 * row + 22.0
        canvas.text(_LEFT, y - 8.0, name)
        told = f"{100.0 * low:+.2f} to {100.0 * high:+.2f} percentage points"
        canvas.box(axis(low), y - 3.0, axis(high) - axis(low), 6.0, "good", told)
        canvas.dot(axis(difference), y, "point")
    horizontal(canvas, axis, base, f"percentage points; to the right {better} is better", 100.0)
    return canvas.svg()


def _mark(canvas: Canvas, axis: Axis, mark: Mark, y: float, base: float, value: str) -> None:
    """Draw a line down to the axis with its name beside it, on the side where there is room."""
    x = axis(mark.value)
    canvas.line(x, y - 9.0, x, base, mark.kind)
    right = x > 0.5 * WIDTH
    words = f"{mark.name} {value}"
    canvas.text(x - 4.0 if right else x + 4.0, y, words, "small", "end" if right else "start")
