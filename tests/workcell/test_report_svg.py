"""Axes of charts."""

import pytest

from workcell.report_svg import Axis


@pytest.mark.parametrize(
    ("low", "high"), [(20.0, 46.0), (5.1, 9.2), (51.0, 92.0), (0.4, 76.0), (6.0, 90.0)]
)
def test_a_logarithmic_axis_has_numbers_whatever_it_spans(low, high):
    axis = Axis(low, high, 0.0, 100.0, logarithmic=True)
    ticks = axis.ticks()
    assert 3 <= len(ticks) <= 10
    assert all(low - 1e-6 <= tick <= high + 1e-6 for tick in ticks)
    places = [axis(tick) for tick in ticks]
    assert places == sorted(places)
    assert places[-1] - places[0] > 40.0
