"""Rates in percent: rounding says no more than was shown."""

import pytest

from workcell.claims import check_claim
from workcell.rates import at_least, at_most, interval, nearest, outwards


@pytest.mark.parametrize(
    ("rate", "told"),
    [(0.5, "50.0"), (0.9996, "99.9"), (1.0, "100.0"), (0.0004, "0.1"), (0.0, "0.0")],
)
def test_all_and_none_are_what_they_say_they_are(rate, told):
    assert nearest(rate) == told


def test_bounds_are_rounded_outwards():
    assert (at_least(0.99499, 1), at_most(0.98401, 1)) == ("99.4", "98.5")
    assert (at_least(0.29, 1), at_most(0.29, 1)) == ("29.0", "29.0")
    assert interval(0.98765, 0.99943, 2) == "98.76-99.95"


def test_intervals_of_seconds_are_rounded_outwards_too():
    assert outwards(0.3551, 0.5744) == "0.35 to 0.58"
    assert outwards(-0.5744, 0.3551, sign="+") == "-0.58 to +0.36"
    assert outwards(-0.3, 0.29) == "-0.30 to 0.29"
    assert outwards(1.04, 2.06, digits=1) == "1.0 to 2.1"


@pytest.mark.parametrize(("claim", "n"), [(0.995, 594), (0.995, 597), (0.99, 298)])
def test_an_open_claim_is_not_told_as_reached(claim, n):
    told = check_claim(claim, n, n).sentence()
    bound = float(told.partition("at least ")[2].partition(" %")[0])
    assert told.startswith("open")
    assert bound < 100.0 * claim
