"""Vector drawings for a page: a canvas, and axes from numbers to places on it.

Drawings are 400 units wide, so that their letters have the size of the page's own on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 400.0


class Canvas:
    """A drawing. Colours are classes of the page's style, so that they follow light and dark."""

    def __init__(self, height: float, label: str) -> None:
        """Begin.

        Args:
            height: In units of which the canvas is 400 wide.
            label: What the drawing shows, for who cannot see it.
        """
        self._height = height
        self._label = label
        self._parts: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line."""
        self._parts.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def box(self, x: float, y: float, width: float, height: float, kind: str, told: str) -> None:
        """Draw a filled box.

        Args:
            x: Of its left edge.
            y: Of its upper edge.
            width: To the right.
            height: Downwards.
            kind: Its class.
            told: Shown when it is pointed at.
        """
        self._parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" '
            f'height="{max(height, 0.0):.1f}"><title>{escape(told)}</title></rect>'
        )

    def dot(self, x: float, y: float, kind: str) -> None:
        """Draw a filled dot."""
        self._parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')

    def curve(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw straight lines from point to point."""
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline class="{kind}" points="{told}"/>')

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Write words.

        Args:
            x: Of their start, middle or end.
            y: Of their base line.
            words: What to write.
            kind: Their class.
            anchor: `start`, `middle` or `end`.
        """
        self._parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def open_link(self, target: str) -> None:
        """Make what is drawn until `close_link` a link."""
        self._parts.append(f'<a href="{escape(target)}">')

    def close_link(self) -> None:
        """End a link."""
        self._parts.append("</a>")

    def svg(self) -> str:
        """Return the drawing as an element of a page."""
        return (
            f'<svg viewBox="0 0 {WIDTH:.0f} {self._height:.0f}" role="img" '
            f'aria-label="{escape(self._label)}">{"".join(self._parts)}</svg>'
        )


class Axis:
    """Numbers along a line, evenly or by their logarithm."""

    def __init__(
        self, low: float, high: float, start: float, end: float, logarithmic: bool = False
    ) -> None:
        """Lay numbers along a line.

        Args:
            low: Number at its start.
            high: Number at its end; above `low`.
            start: Place of the start on the canvas.
            end: Place of the end.
            logarithmic: Whether equal ratios are equally far apart; `low` is positive then.
        """
        self._logarithmic = logarithmic
        self._low, self._high = self._scaled(low), self._scaled(high)
        self._start, self._end = start, end
        self.low, self.high = low, high

    def __call__(self, number: float) -> float:
        """Return the place of a number; one that lies outside is put at the nearer end."""
        bounded = min(max(number, self.low), self.high)
        share = (self._scaled(bounded) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """Return round numbers along the axis."""
        if self._logarithmic:
            decades = range(math.floor(self._low), math.ceil(self._high) + 1)
            found = self._on_axis(m * 10.0**d for d in decades for m in (1.0, 2.0, 5.0))
            if len(found) >= 3:
                return found
        # Numbers that lie close together are marked at even steps, also on a logarithmic axis.
        step = round_step((self.high - self.low) / (6.0 if self._logarithmic else 4.0))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return self._on_axis(step * i for i in range(first, last + 1))

    def _on_axis(self, numbers: Iterable[float]) -> list[float]:
        return [number for number in numbers if self.low - 1e-9 <= number <= self.high + 1e-9]

    def _scaled(self, number: float) -> float:
        return math.log10(number) if self._logarithmic else number


def round_step(step: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below a positive number."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= step * (1.0 - 1e-9))


def horizontal(canvas: Canvas, axis: Axis, y: float, unit: str, scale: float = 1.0) -> None:
    """Draw an axis at the bottom of a chart.

    Args:
        canvas: Where.
        axis: Its numbers.
        y: Where it lies.
        unit: What the numbers are, written at its end.
        scale: What is written is the number times this.
    """
    canvas.line(axis(axis.low), y, axis(axis.high), y, "axis")
    for tick in axis.ticks():
        x = axis(tick)
        canvas.line(x, y, x, y + 4.0, "axis")
        canvas.text(x, y + 16.0, f"{scale * tick:g}", "small", "middle")
    canvas.text(axis(axis.high), y + 30.0, unit, "small", "end")
