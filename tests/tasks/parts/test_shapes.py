from __future__ import annotations

import pytest

from robot.geometry import Box
from tasks.parts.shapes import Part

CUBE = (Box((0.01, 0.01, 0.01)),)
INERTIA = (1e-6, 1e-6, 1e-6)


def test_a_free_part_has_mass_and_inertia():
    part = Part("cube", CUBE, fixed=False, mass=0.1, inertia=INERTIA)
    assert part.mass == 0.1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"shapes": (), "fixed": True}, "at least one shape"),
        ({"shapes": CUBE, "fixed": True, "mass": 0.1, "inertia": INERTIA}, "fixed part has mass 0"),
        ({"shapes": CUBE, "fixed": False}, "fixed part has mass 0"),
        ({"shapes": CUBE, "fixed": False, "mass": 0.1}, "positive inertia"),
    ],
)
def test_a_part_that_is_neither_fixed_nor_free_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=f"'cube'.*{message}"):
        Part("cube", **values)
