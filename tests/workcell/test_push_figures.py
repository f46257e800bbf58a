"""What a line of cells says of a size, and what it only bounds."""

import json

import pytest

from workcell.push_figures import (
    Cell,
    Figure,
    edge_of,
    figure_json,
    gain_of,
    gain_words,
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
        # It ends where 95 % are crossed first, whatever is survived beyond.
        ((100, 90, 100), "15.0"),
        ((94, 100), "< 10"),
    ],
)
def test_the_survived_size_lies_where_95_percent_are_crossed_first(shares, expected):
    assert size_words(survived_size(line(*shares))) == expected


def test_the_edge_is_what_the_size_lies_between():
    cells = line(100, 97, 90, 100)
    edge = edge_of(cells)
    assert (edge.survived, edge.failed) == (cells[1], cells[2])
    assert edge_of(line(90)).survived is None
    assert edge_of(line(99)).failed is None


@pytest.mark.parametrize(
    ("alone", "helped", "expected"),
    [
        (("=", 20.0), ("=", 25.0), "+25 %"),
        (("=", 20.0), ("≥", 25.0), "≥ +25 %"),
        (("=", 20.0), ("<", 25.0), "< +25 %"),
        (("<", 20.0), ("=", 25.0), "> +25 %"),
        (("<", 20.0), ("≥", 25.0), "> +25 %"),
        (("≥", 20.0), ("=", 15.0), "≤ -25 %"),
        (("≥", 20.0), ("<", 15.0), "< -25 %"),
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


def test_json_says_what_a_number_is():
    assert figure_json(Figure(42.0, "≥")) == {"value": 42.0, "relation": "≥"}
    assert json.loads(json.dumps(figure_json(None))) == {"value": None, "relation": "not shown"}
