import math

import numpy as np
import pytest

from policies.tactile.regrasp import Regrasp, RegraspConfig, Touch
from robot.spatial import Pose
from tests.policies.tactile.pads import NOMINAL, Knows, told

WANTED = Touch(told(0.5, -0.3, 1.0), 0.012)


def part_at(x_mm, z_mm, angle_deg):
    turn = Pose.from_rotation_vector([0.0, math.radians(angle_deg), 0.0])
    position = NOMINAL.position + np.array([1e-3 * x_mm, 0.0, 1e-3 * z_mm])
    return Pose(position, (turn @ NOMINAL).quaternion)


def test_the_increment_brings_the_hand_to_where_the_part_lies_as_shown():
    step = Regrasp(Knows(), NOMINAL, WANTED).increment(Touch(told(5.0, -2.0, -5.0), 0.012))
    after = step.pose_tool_next.inverse() @ part_at(5.0, -2.0, -5.0)
    shown = part_at(0.5, -0.3, 1.0)
    np.testing.assert_allclose(after.position, shown.position, atol=1e-7)
    assert after.angle_to(shown) < 1e-6
    np.testing.assert_allclose(step.off, [4.5e-3, -1.7e-3, math.radians(-6.0)], atol=1e-7)
    assert not step.enough


def test_what_a_network_is_wrong_about_in_both_alike_does_not_count():
    biased = Knows(bias=(1e-3, -1e-3, 0.02))
    felt = Touch(told(0.5, -0.3, 1.0), 0.012)
    step = Regrasp(biased, NOMINAL, WANTED).increment(felt)
    assert step.enough
    np.testing.assert_allclose(step.off, 0.0, atol=1e-12)


def test_how_sure_it_is_counts_both_touches():
    step = Regrasp(Knows(sigma=(3e-4, 3e-4, 0.01)), NOMINAL, WANTED).increment(WANTED)
    np.testing.assert_allclose(step.sigma, math.sqrt(2.0) * np.array([3e-4, 3e-4, 0.01]))


@pytest.mark.parametrize(
    ("place", "enough"),
    [((0.8, -0.3, 1.0), True), ((1.0, -0.3, 1.0), False), ((0.5, -0.3, 2.0), False)],
)
def test_a_grasp_is_good_enough_on_every_axis_or_not_at_all(place, enough):
    config = RegraspConfig(shift_m=0.4e-3, angle_rad=math.radians(0.7))
    step = Regrasp(Knows(), NOMINAL, WANTED, config).increment(Touch(told(*place), 0.012))
    assert step.enough is enough


def test_an_empty_hand_is_not_told_where_to_go():
    assert Regrasp(Knows(), NOMINAL, WANTED).increment(Touch(0.0 * told(0, 0, 0), 0.0)) is None


def test_a_touch_of_nothing_cannot_be_wanted():
    with pytest.raises(ValueError, match="wanted"):
        Regrasp(Knows(), NOMINAL, Touch(0.0 * told(0, 0, 0), 0.0))


@pytest.mark.parametrize("name", ["shift_m", "angle_rad", "at_most"])
def test_what_can_never_be_good_enough_is_refused(name):
    with pytest.raises(ValueError, match=name):
        RegraspConfig(**{name: 0})
