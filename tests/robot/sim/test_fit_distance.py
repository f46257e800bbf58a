"""The signed distances of pin and nut, and the points that are tested against them."""

from __future__ import annotations

import numpy as np
import pytest

from robot.sim import fit_distance as distance
from robot.sim.fit import SplineFit
from robot.sim.fit_points import contact_points
from tests.robot.sim.fixture import SPLINE

CLEARANCE, CHAMFER = 1.5e-4, 7.5e-4
STEP = 1e-9


@pytest.fixture
def parameters():
    fit = SplineFit("pin", ["nut"], SPLINE)
    fit.configure(clearance=CLEARANCE, chamfer=CHAMFER, friction=0.2)
    return fit._parameters


@pytest.mark.parametrize("function", [distance.pin_distance, distance.nut_distance])
def test_the_gradient_is_that_of_the_distance(parameters, function):
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(2000):
        point = np.array([0.0, 0.0, 4e-3]) + rng.uniform(-5e-3, 5e-3, 3)
        value, *gradient = function(*point, parameters)
        if value > 0.5 * distance.NEAR:
            continue  # There it is only a bound.
        numeric = [
            (
                function(*(point + STEP * e), parameters)[0]
                - function(*(point - STEP * e), parameters)[0]
            )
            / (2.0 * STEP)
            for e in np.eye(3)
        ]
        # Rarely the step crosses an edge.
        seen += np.allclose(gradient, numeric, atol=1e-3)
    assert seen > 300


def test_points_lie_on_the_surface_of_their_own_part(parameters):
    bore, rim, pin = contact_points(SPLINE, CLEARANCE, CHAMFER)
    assert max(abs(distance.pin_distance(*point, parameters)[0]) for point in pin) < 1e-9
    assert max(abs(distance.nut_distance(*point, parameters)[0]) for point in bore) < 5e-6
    assert max(abs(distance.nut_distance(*point, parameters)[0]) for point in rim) < 1e-9


def test_a_nut_in_place_has_the_clearance_all_around(parameters):
    bore, _, pin = contact_points(SPLINE, CLEARANCE, CHAMFER)
    straight = bore[bore[:, 2] == CHAMFER] + [0.0, 0.0, 1e-3]
    gaps = [distance.pin_distance(*point, parameters)[0] for point in straight]
    assert gaps == pytest.approx([CLEARANCE] * len(gaps), abs=5e-6)
    inside = pin[pin[:, 2] == SPLINE.pin_height - CHAMFER]
    gaps = [distance.nut_distance(*point, parameters)[0] for point in inside]
    assert gaps == pytest.approx([CLEARANCE] * len(gaps), abs=1e-9)
