"""What a map of pushes shows: a table for the terminal, a picture for the page."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

from rich.table import Table

from workcell.push_map import SURVIVED, Cell, PushMap

_ARROWS = "→↗↑↖←↙↓↘"
# The picture is square, in units; rings are drawn at multiples of this, in N·s or N.
_SIZE, _RINGS = 400.0, 4
_STYLE = (
    "text{font:11px sans-serif;fill:#444}.ring{fill:none;stroke:#ccc}.alone{fill:none;"
    "stroke:#c44;stroke-width:2}.policy{fill:none;stroke:#27c;stroke-width:2}"
)


def map_table(pushes: PushMap) -> Table:
    """Return one line for each direction: what 95 % survive, and the cells with intervals."""
    unit = "N·s" if pushes.plan.kind == "shove" else "N"
    table = Table(title=f"survived in 95 % of the trials, {unit}")
    for name in ("direction", "alone", "with policy", "gain", "cells alone", "cells with policy"):
        table.add_column(name)
    sizes, gains = pushes.survived_sizes(), pushes.gains()
    lines: dict[tuple[float, bool], list[Cell]] = defaultdict(list)
    for cell in pushes.cells():
        lines[cell.direction_deg, cell.reflex].append(cell)
    for direction in pushes.directions_deg:
        alone, helped = sizes.get((direction, False)), sizes.get((direction, True))
        gain = gains.get(direction)
        table.add_row(
            f"{_ARROWS[round(direction / 45.0) % 8]} {direction:.0f}°",
            "-" if alone is None else f"{alone:.1f}",
            "-" if helped is None else f"{helped:.1f}",
            "-" if gain is None else f"{100.0 * gain:+.0f} %",
            _edge(lines[direction, False]),
            _edge(lines[direction, True]),
        )
    return table


def _edge(line: list[Cell]) -> str:
    """Return the cells on both sides of what is survived, and mixed ones, with their intervals."""
    over = next((i for i, cell in enumerate(line) if cell.share < SURVIVED), len(line))
    told = []
    for i, cell in enumerate(line):
        if i in (over - 1, over) or 0.0 < cell.share < 1.0:
            low, high = cell.interval
            told.append(
                f"{cell.size:g}: {cell.survived}/{cell.n} ({100 * low:.0f}-{100 * high:.0f} %)"
            )
    return ", ".join(told)


def write_picture(pushes: PushMap, file: Path) -> Path:
    """Draw what 95 % survive around the robot, seen from above, ahead to the right."""
    sizes = pushes.survived_sizes()
    largest = max([*sizes.values(), 1.0])
    ring = 10.0 ** math.floor(math.log10(largest))
    while largest / ring > _RINGS:
        ring *= 2.0
    scale = 0.42 * _SIZE / largest
    middle = 0.5 * _SIZE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE:g} {_SIZE + 30:g}">',
        f"<style>{_STYLE}</style>",
    ]
    for number in range(1, int(largest / ring) + 1):
        radius = number * ring * scale
        parts.append(f'<circle class="ring" cx="{middle}" cy="{middle}" r="{radius:.1f}"/>')
        parts.append(
            f'<text x="{middle + 3}" y="{middle - radius - 3:.1f}">{number * ring:g}</text>'
        )
    for reflex, name in ((False, "alone"), (True, "policy")):
        points = []
        for direction in pushes.directions_deg:
            radius = scale * sizes.get((direction, reflex), 0.0)
            angle = math.radians(direction)
            points.append(
                f"{middle + radius * math.cos(angle):.1f},{middle - radius * math.sin(angle):.1f}"
            )
        parts.append(f'<polygon class="{name}" points="{" ".join(points)}"/>')
    unit = "impulse, N·s" if pushes.plan.kind == "shove" else "load, N"
    words = f"{unit}, survived in 95 %: controller alone (red), with balance policy (blue)"
    parts.append(f'<text x="10" y="{_SIZE + 20:g}">{words}</text></svg>')
    file.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return file
