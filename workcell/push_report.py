"""What a map of pushes shows: a table for the terminal, a picture for the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rich.table import Table

from workcell import rates
from workcell.files import replace_file
from workcell.push_figures import (
    NOT_SHOWN,
    WANTED_GAIN,
    Cell,
    Figure,
    edge_of,
    gain_words,
    interval_words,
    lines_of,
    reached,
    size_words,
)
from workcell.push_map import PushMap

_ARROWS = "→↗↑↖←↙↓↘"
# The picture is square, in units; rings are drawn at multiples of this, in N·s or N.
_SIZE, _RINGS = 400.0, 4
# Share of it that the largest size takes from the middle, and how far beyond a word stands.
_LARGEST, _BESIDE = 0.36, 24.0
_STYLE = (
    "text{font:11px sans-serif;fill:#444}.ring{fill:none;stroke:#ccc}.side{stroke-width:2}"
    ".alone{fill:#c44;stroke:#c44}.policy{fill:#27c;stroke:#27c}text.alone,text.policy{stroke:none;"
    "text-anchor:middle}circle.bound{fill:#fff}line.bound{stroke-dasharray:4 3}"
)


def map_table(pushes: PushMap) -> Table:
    """Return one line for each direction: what 95 % survive, and the cells with intervals."""
    unit = "N·s" if pushes.plan.kind == "shove" else "N"
    sizes, gains, lines = pushes.survived_sizes(), pushes.gains(), lines_of(pushes.cells())
    intervals = pushes.gain_intervals()
    estimated, confident = reached(gains.values(), intervals.values(), WANTED_GAIN)
    table = Table(
        title=f"survived in 95 % of the trials, {unit}",
        caption=f"{100 * WANTED_GAIN:.0f} % harder or more in {estimated} of {len(gains)} "
        f"directions by estimate, in {confident} with 95 % confidence\n"
        "≥ largest size tried, < smallest size tried: not measured, only bounded; between "
        "cells of a falling fit",
    )
    names = ("direction", "alone", "with policy", "gain", "95 % interval")
    for name in (*names, "cells alone", "cells with policy"):
        table.add_column(name)
    for direction in pushes.directions_deg:
        table.add_row(
            f"{_ARROWS[round(direction / 45.0) % 8]} {direction:.0f}°",
            size_words(sizes[direction, False]),
            size_words(sizes[direction, True]),
            gain_words(gains[direction]),
            interval_words(intervals[direction]),
            _told(lines[direction, False]),
            _told(lines[direction, True]),
        )
    return table


def _told(line: Sequence[Cell]) -> str:
    """Return the cells on both sides of what is survived, and mixed ones, with their intervals."""
    edge, told = edge_of(line), []
    for cell in line:
        if cell in (edge.survived, edge.failed) or 0.0 < cell.share < 1.0:
            low, high = cell.interval
            told.append(
                f"{cell.size:g}: {cell.survived}/{cell.n} ({rates.interval(low, high, 0)} %)"
            )
    return ", ".join(told)


def write_picture(pushes: PushMap, file: Path) -> Path:
    """Draw what 95 % survive around the robot, seen from above, ahead to the right.

    A size that was measured is a dot; a bound is a hollow one with its words beside it.
    """
    sizes = pushes.survived_sizes()
    largest = max([*(figure.value for figure in sizes.values() if figure is not None), 1.0])
    scale = _LARGEST * _SIZE / largest
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE:g} {_SIZE + 60:g}">',
        f"<style>{_STYLE}</style>",
        *_rings(largest, scale),
    ]
    for reflex, name in ((False, "alone"), (True, "policy")):
        line = [(direction, sizes[direction, reflex]) for direction in pushes.directions_deg]
        # The words of both stand one above the other where both are bounds of the same size.
        parts += _outline(line, scale, name, 6.0 if reflex else -6.0)
    unit = "impulse, N·s" if pushes.plan.kind == "shove" else "load, N"
    for row, words in enumerate(
        (
            f"{unit}, survived in 95 % of the trials",
            "red: controller alone; blue: with balance policy",
            "hollow, dashed: beyond (≥) or below (<) the sizes that were tried",
        )
    ):
        parts.append(f'<text x="10" y="{_SIZE + 20 + 15 * row:g}">{escape(words)}</text>')
    replace_file(file, ("\n".join([*parts, "</svg>"]) + "\n").encode())
    return file


def _rings(largest: float, scale: float) -> list[str]:
    """Return circles of round sizes, with the sizes."""
    ring = 10.0 ** math.floor(math.log10(largest))
    while largest / ring > _RINGS:
        ring *= 2.0
    middle, parts = 0.5 * _SIZE, []
    for number in range(1, int(largest / ring) + 1):
        radius = number * ring * scale
        parts.append(f'<circle class="ring" cx="{middle}" cy="{middle}" r="{radius:.1f}"/>')
        parts.append(
            f'<text x="{middle + 3}" y="{middle - radius - 3:.1f}">{number * ring:g}</text>'
        )
    return parts


def _outline(
    line: Sequence[tuple[float, Figure | None]], scale: float, name: str, aside: float
) -> list[str]:
    """Return sides between neighbours that are both shown, then dots, then words of bounds.

    Args:
        line: Direction in degrees and size, in order.
        scale: Of the picture, in units for each N·s or N.
        name: Class of the colour.
        aside: Words stand this far below, in units.
    """
    sides, dots, words = [], [], []
    # Two directions have one side between them, not one there and one back.
    ends = [*line[1:], *(line[:1] if len(line) > 2 else ())]
    for (one, first), (other, second) in zip(line, ends, strict=False):
        if first is None or second is None:
            continue
        (x1, y1), (x2, y2) = _place(one, scale * first.value), _place(other, scale * second.value)
        kind = _class(name, first.relation == second.relation == "=")
        sides.append(
            f'<line class="side {kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )
    for direction, figure in line:
        radius = _LARGEST * _SIZE if figure is None else scale * figure.value
        if figure is not None:
            x, y = _place(direction, radius)
            kind = _class(name, figure.relation == "=")
            dots.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        if figure is None or figure.relation != "=":
            x, y = _place(direction, radius + _BESIDE)
            told = NOT_SHOWN if figure is None else size_words(figure)
            words.append(
                f'<text class="{name}" x="{x:.1f}" y="{y + 4 + aside:.1f}">{escape(told)}</text>'
            )
    return [*sides, *dots, *words]


def _class(name: str, measured: bool) -> str:
    return name if measured else f"{name} bound"


def _place(direction_deg: float, radius: float) -> tuple[float, float]:
    """Return a place in the picture, in units; y points down."""
    angle = math.radians(direction_deg)
    return (
        0.5 * _SIZE + radius * math.cos(angle),
        0.5 * _SIZE - radius * math.sin(angle),
    )
