"""Figures of a map of pushes: which size 95 % survive, what a policy gains, and bounds of both.

A line of cells says where 95 % are crossed only if it begins above and ends below. What it says
otherwise is that the crossing lies beyond the largest or below the smallest size that was tried.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workcell.rates import at_least, at_most, reaches
from workcell.statistics import wilson

# A size is survived while at least this share of its trials is.
SURVIVED = 0.95
NOT_SHOWN = "not shown"
WANTED_GAIN = 0.10
"""By how much harder a policy should let pushes be, as a share; how many directions reach it is
told."""
_DRAWS = 10_000

Relation = Literal["=", "≥", ">", "≤", "<"]
_AT_LEAST = ("=", "≥", ">")


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
    """Return a gain as it is printed: `+15.2 %`, `≥ +8.0 %` or `not shown`."""
    if figure is None:
        return NOT_SHOWN
    if figure.relation == "=":
        return f"{100.0 * figure.value:+.1f} %"
    outwards = at_least if figure.relation in _AT_LEAST else at_most
    return f"{figure.relation} {float(outwards(figure.value)):+.1f} %"


def interval_words(interval: tuple[float, float]) -> str:
    """Return the interval of a gain as it is printed: `+7.1 to +14.0 %`, `+7.1 % or more`.

    Ends are rounded outwards: what is printed claims no more than what was found.
    """
    bounded = [math.isfinite(end) for end in interval]
    low, high = (
        f"{float(outwards(end)):+.1f}" if math.isfinite(end) else ""
        for end, outwards in zip(interval, (at_least, at_most), strict=True)
    )
    if all(bounded):
        return f"{low} to {high} %"
    if bounded[0]:
        return f"{low} % or more"
    return f"{high} % or less" if bounded[1] else NOT_SHOWN


def reached(
    gains: Iterable[Figure | None], intervals: Iterable[tuple[float, float]], wanted: float
) -> tuple[int, int]:
    """Return how many gains are as large as wanted, by estimate and with 95 % confidence.

    Args:
        gains: One for each direction, as of `gain_of`.
        intervals: Theirs, as of `gain_interval`.
        wanted: As a share.
    """
    bounds = [g.value for g in gains if g is not None and g.relation in _AT_LEAST]
    return (
        sum(reaches(bound, wanted) for bound in bounds),
        sum(reaches(low, wanted) for low, _ in intervals),
    )


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
    """Both sides of where a line of cells falls below 95 %.

    Attributes:
        survived: The last cell before; None if the first one is below already.
        failed: The first cell below; None if there is none.
    """

    survived: Cell | None
    failed: Cell | None


def falling(line: Sequence[Cell]) -> list[float]:
    """Return the shares that fit a line of cells best, if no more is survived of a larger size.

    What cells say beside that is chance: one of fifty trials is 2 %. Neighbours out of order are
    pooled (Ayer and others, "An empirical distribution function for sampling with incomplete
    information", 1955), which is the most likely falling line.

    Args:
        line: Cells of one direction and policy, in order of size.
    """
    return _falling([cell.survived for cell in line], [cell.n for cell in line])


def _falling(survived: Iterable[float], trials: Iterable[int]) -> list[float]:
    pools: list[list[float]] = []
    for some, n in zip(survived, trials, strict=True):
        pools.append([some, n, 1])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] < pools[-1][0] * pools[-2][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return [some / n for some, n, cells in pools for _ in range(int(cells))]


def edge_of(line: Sequence[Cell]) -> Edge:
    """Return where a line falls below 95 %, as fitted by `falling`.

    Args:
        line: Cells of one direction and policy, in order of size.
    """
    shares = falling(line)
    over = next((i for i, share in enumerate(shares) if share < SURVIVED), len(line))
    return Edge(line[over - 1] if over else None, line[over] if over < len(line) else None)


def survived_size(line: Sequence[Cell]) -> Figure | None:
    """Return the size up to which 95 % are survived, between two cells on a straight line.

    At least the largest size if the fit of `falling` never falls below; less than the smallest if
    it begins there; None without a cell.

    Args:
        line: Cells of one direction and policy, in order of size.
    """
    return _crossing([cell.size for cell in line], falling(line))


def _crossing(
    sizes: Sequence[float], shares: Sequence[float], part: float | None = None
) -> Figure | None:
    """Return where shares cross 95 %: on a straight line between two sizes, or part of the way."""
    if not shares:
        return None
    over = next((i for i, share in enumerate(shares) if share < SURVIVED), None)
    if over is None:
        return Figure(sizes[-1], "≥")
    if over == 0:
        return Figure(sizes[0], "<")
    if part is None:
        part = (shares[over - 1] - SURVIVED) / (shares[over - 1] - shares[over])
    return Figure(sizes[over - 1] + part * (sizes[over] - sizes[over - 1]))


def gain_interval(alone: Sequence[Cell], helped: Sequence[Cell]) -> tuple[float, float]:
    """Return the 95 % interval of a gain, as a share; an end that nothing bounds is infinite.

    Of each cell a share is drawn that its trials leave possible, 50 of 50 being no certainty
    (Jeffreys), and the fit of `falling` goes through those (D. B. Dunson, B. Neelon, "Bayesian
    inference on order-constrained parameters in generalized linear models", 2003). Where 95 % are
    crossed between two sizes, nobody knows: it is drawn, too, evenly. That the
    cells share their seeds is left out: it makes this wider where it pairs trials with those
    without the policy, and may make it narrower along a line.

    Args:
        alone: Cells of one direction without the policy, in order of size.
        helped: Cells of the same direction with it.
    """
    return _interval(tuple(alone), tuple(helped))


@functools.lru_cache
def _interval(alone: tuple[Cell, ...], helped: tuple[Cell, ...]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    ends = []
    for one, other in zip(_drawn(alone, rng), _drawn(helped, rng), strict=True):
        gain = gain_of(one, other)
        low = gain is not None and gain.relation in _AT_LEAST
        high = gain is not None and gain.relation in ("=", "≤", "<")
        value = 0.0 if gain is None else gain.value
        ends.append((value if low else -math.inf, value if high else math.inf))
    lows, highs = np.sort(np.array(ends), axis=0).T
    outside = int(0.025 * _DRAWS)
    return float(lows[outside]), float(highs[-1 - outside])


def _drawn(line: Sequence[Cell], rng: np.random.Generator) -> Iterator[Figure | None]:
    """Yield sizes that 95 % may survive, by what a line's trials leave possible."""
    sizes, trials = [cell.size for cell in line], [cell.n for cell in line]
    survived = np.array([cell.survived for cell in line], dtype=float)
    shares = rng.beta(survived + 0.5, np.array(trials) - survived + 0.5, (_DRAWS, len(line)))
    parts = rng.uniform(size=_DRAWS)
    for counts, part in zip(shares * np.array(trials, dtype=float), parts, strict=True):
        yield _crossing(sizes, _falling(counts.tolist(), trials), float(part))


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
