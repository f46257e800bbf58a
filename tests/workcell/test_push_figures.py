"""What a line of cells says of a size, and what it only bounds."""

import json
import math

import pytest

from workcell.push_figures import (
    Cell,
    Figure,
    edge_of,
    falling,
    figure_json,
    gain_interval,
    gain_of,
    gain_words,
    interval_words,
    reached,
    size_words,
    survived_size,
)


def line(*shares):
    return [Cell(0.0, 10.0 * (i + 1), False, share, 100) for i, share in enumerate(shares)]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((100, 95, 94), "20.0"),
        ((100, 90), "15.0"),
        # Nothing is known beyond the largest, below the smallest, or without a cell.
        ((100, 100), "≥ 20"),
        ((94, 0), "< 10"),
        ((), "not shown"),
        # No more is survived of a larger size: what says so is chance, and is pooled.
        ((100, 90, 100), "≥ 30"),
        ((94, 100), "≥ 20"),
        ((94, 98, 100, 94), "37.0"),
        ((92, 94), "< 10"),
        ((100, 80, 100, 0), "15.0"),
    ],
)
def test_the_survived_size_lies_where_a_falling_line_crosses_95_percent(shares, expected):
    assert size_words(survived_size(line(*shares))) == expected


def test_the_edge_is_what_the_size_lies_between():
    cells = line(100, 97, 90, 92)
    edge = edge_of(cells)
    assert (edge.survived, edge.failed) == (cells[1], cells[2])
    assert edge_of(line(90)).survived is None
    assert edge_of(line(99)).failed is None


@pytest.mark.parametrize(
    ("alone", "helped", "expected"),
    [
        (("=", 20.0), ("=", 25.0), "+25.0 %"),
        (("=", 20.0), ("≥", 25.0), "≥ +25.0 %"),
        (("=", 20.0), ("<", 25.0), "< +25.0 %"),
        (("<", 20.0), ("=", 25.0), "> +25.0 %"),
        (("<", 20.0), ("≥", 25.0), "> +25.0 %"),
        (("≥", 20.0), ("=", 15.0), "≤ -25.0 %"),
        (("≥", 20.0), ("<", 15.0), "< -25.0 %"),
        # All are survived alone and with it, or none: nothing was compared.
        (("≥", 22.0), ("≥", 22.0), "not shown"),
        (("<", 20.0), ("<", 20.0), "not shown"),
        (None, ("=", 20.0), "not shown"),
        (("=", 20.0), None, "not shown"),
    ],
)
def test_a_gain_is_only_the_bound_that_it_is(alone, helped, expected):
    one, other = (None if size is None else Figure(size[1], size[0]) for size in (alone, helped))
    assert gain_words(gain_of(one, other)) == expected


def test_a_falling_fit_pools_what_is_out_of_order_and_nothing_else():
    assert falling(line(100, 97, 90)) == [1.0, 0.97, 0.90]
    assert falling(line(90, 100, 50)) == [0.95, 0.95, 0.50]
    assert falling(line(80, 90, 100)) == [0.90, 0.90, 0.90]
    assert falling([]) == []


def test_the_interval_of_a_gain_holds_it_and_narrows_with_the_trials():
    def cells(sizes, shares, n):
        return [
            Cell(0.0, size, False, round(share * n), n)
            for size, share in zip(sizes, shares, strict=True)
        ]

    widths = []
    for n in (50, 800):
        alone = cells((25, 27, 29, 31), (1.0, 0.98, 0.7, 0.1), n)
        helped = cells((28, 30, 32, 34), (1.0, 0.98, 0.7, 0.1), n)
        gain = gain_of(survived_size(alone), survived_size(helped))
        low, high = gain_interval(alone, helped)
        assert low < gain.value < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_where_between_two_sizes_95_percent_are_survived_nobody_knows():
    """However many trials: from 25, all, to 28, none, the limit may be anywhere."""

    def ends(*sizes):
        alone = [Cell(0.0, size, False, 5000 if size < 26.5 else 0, 5000) for size in sizes]
        low, _ = gain_interval(alone, [Cell(0.0, 28.0, True, 5000, 5000)])
        return low

    assert 28.0 / 28.0 - 1.0 <= ends(25.0, 28.0) < 0.01
    assert 28.0 / 27.0 - 1.0 <= ends(25.0, 26.0, 27.0, 28.0) < 0.045


def test_what_was_only_bounded_has_an_open_interval():
    alone = line(100, 100, 50)
    low, high = gain_interval(alone, line(100, 100, 100))
    assert 0.0 < low < 0.6
    assert high == math.inf
    assert interval_words((low, high)).endswith("or more")
    # All of a hundred is no certainty: the next size may be the one.
    assert gain_interval(line(100, 0), line(100, 0)) != (0.0, 0.0)
    assert gain_interval(line(100), line(100)) == (-math.inf, math.inf)
    assert interval_words((-math.inf, math.inf)) == "not shown"
    # Outwards: an end just below what is wanted is never printed as reaching it.
    assert interval_words((0.09999, 0.14)) == "+9.9 to +14.0 %"
    assert interval_words((-math.inf, -0.0301)) == "-3.0 % or less"
    # What is off by a binary fraction is not rounded away from what it is.
    assert interval_words((0.1 - 1e-16, 33.0 / 30.0 - 1.0)) == "+10.0 to +10.0 %"


def test_gains_that_reach_what_is_wanted_are_counted_by_estimate_and_by_interval():
    gains = [Figure(0.12), Figure(0.10, "≥"), Figure(0.15, "<"), Figure(0.09), None]
    intervals = [(0.11, 0.13), (0.02, math.inf), (-math.inf, 0.15), (0.0, 0.2), (-math.inf, 1.0)]
    assert reached(gains, intervals, 0.10) == (2, 1)
    assert reached([], [], 0.10) == (0, 0)
    assert reached([Figure(0.1 - 1e-16)], [(0.1 - 1e-16, 0.2)], 0.10) == (1, 1)


def test_json_says_what_a_number_is():
    assert figure_json(Figure(42.0, "≥")) == {"value": 42.0, "relation": "≥"}
    assert json.loads(json.dumps(figure_json(None))) == {"value": None, "relation": "not shown"}
