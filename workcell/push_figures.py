"""Figures of a map of pushes: which size 95 % survive, what a policy gains, and bounds of both.

A line of cells says where 95 % are crossed only if it begins above and ends below. What it says
otherwise is that the crossing lies beyond the largest or below the smallest size that was tried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workcell.statistics import wilson

# A size is survived while at least this share of its trials is.
SURVIVED = 0.95
NOT_SHOWN = "not shown"

Relation = Literal["=", "≥", ">", "≤", "<"]


@dataclass(frozen=True)
class Figure:
    """A number that was measured, or that only bounds what was not.

    Attributes:
        value: A size in N·s or N, or a gain as a share.
        relation: How what is meant compares with the value; `=` if it was measured.
    """

    value: float
    relation: Relation = "="


def figure_json(figure: Figure | None) -> dict[str, Any]:
    """Return a figure as what JSON can hold; `value` is None if it is not shown."""
    if figure is None:
        return {"value": None, "relation": NOT_SHOWN}
    return {"value": figure.value, "relation": figure.relation}


def size_words(figure: Figure | None) -> str:
    """Return a size as it is printed: `27.6`, `≥ 42`, `< 35` or `not shown`."""
    if figure is None:
        return NOT_SHOWN
    if figure.relation == "=":
        return f"{figure.value:.1f}"
    return f"{figure.relation} {figure.value:g}"


def gain_words(figure: Figure | None) -> str:
    """Return a gain as it is printed: `+15 %`, `≥ +8 %` or `not shown`."""
    if figure is None:
        return NOT_SHOWN
    share = f"{100.0 * figure.value:+.0f} %"
    return share if figure.relation == "=" else f"{figure.relation} {share}"


@dataclass(frozen=True)
class Cell:
    """All trials of one direction and size, with or without the policy.

    Attributes:
        direction_deg: Of the push.
        size: In N·s or N.
        reflex: Whether the policy acted.
        survived: How many were survived.
        n: How many there were.
    """

    direction_deg: float
    size: float
    reflex: bool
    survived: int
    n: int

    @property
    def share(self) -> float:
        """Share that was survived."""
        return self.survived / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson interval of that share, 95 %."""
        return wilson(self.survived, self.n)


def lines_of(cells: Iterable[Cell]) -> dict[tuple[float, bool], list[Cell]]:
    """Return cells by direction and policy, in the order they came; a line not tried is empty."""
    lines: dict[tuple[float, bool], list[Cell]] = defaultdict(list)
    for cell in cells:
        lines[cell.direction_deg, cell.reflex].append(cell)
    return lines


@dataclass(frozen=True)
class Edge:
    """Both sides of where a line of cells first falls below 95 %.

    Attributes:
        survived: The last cell before; None if the first one is below already.
        failed: The first cell below; None if there is none.
    """

    survived: Cell | None
    failed: Cell | None


def edge_of(line: Sequence[Cell]) -> Edge:
    """Return where a line first falls below 95 %, whatever is survived beyond.

    Args:
        line: Cells of one direction and policy, in order of size.
    """
    over = next((i for i, cell in enumerate(line) if cell.share < SURVIVED), len(line))
    return Edge(line[over - 1] if over else None, line[over] if over < len(line) else None)


def survived_size(line: Sequence[Cell]) -> Figure | None:
    """Return the size up to which 95 % are survived, between two cells on a straight line.

    It ends at the first cell with fewer, also if more are survived of a larger size. At least the
    largest size if none has fewer; less than the smallest if that one has; None without a cell.

    Args:
        line: Cells of one direction and policy, in order of size.
    """
    edge = edge_of(line)
    last, cell = edge.survived, edge.failed
    if cell is None:
        return None if last is None else Figure(last.size, "≥")
    if last is None:
        return Figure(cell.size, "<")
    part = (last.share - SURVIVED) / (last.share - cell.share)
    return Figure(last.size + part * (cell.size - last.size))


def gain_of(alone: Figure | None, helped: Figure | None) -> Figure | None:
    """Return by how much a policy moves the survived size, as a share, or what bounds that.

    None if nothing does: two sizes of which only a lower bound is known may be as far apart as
    they like.

    Args:
        alone: Size without the policy, as of `survived_size`.
        helped: Size with it.
    """
    if alone is None or helped is None:
        return None
    value = helped.value / alone.value - 1.0
    if alone.relation == helped.relation == "=":
        return Figure(value)
    if alone.relation in ("=", "<") and helped.relation in ("=", "≥"):
        return Figure(value, ">" if alone.relation == "<" else "≥")
    if alone.relation in ("=", "≥") and helped.relation in ("=", "<"):
        return Figure(value, "<" if helped.relation == "<" else "≤")
    return None
