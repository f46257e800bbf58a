import dataclasses

import numpy as np
import pytest

from policies.network import Mlp, MlpSpec, Normalization
from policies.tactile.estimator import (
    InHandEstimate,
    TouchConfig,
    TouchEstimator,
    TouchPolicy,
    contract_of,
)
from policies.tactile.features import LOG_SIGMA_HALF, LOG_SIGMA_MIDDLE, features
from robot.spatial import Pose
from tests.policies.tactile.pads import NOMINAL, pressure_kpa

CONTRACT = contract_of("nut_insertion", ("talos",), 0.04)
FELT = pressure_kpa((0.0, 0.0, 0.0))


def says(numbers, config=None):
    """Return a network that answers the same whatever it is shown."""
    spec = MlpSpec(201, (), 6)
    tensors = {
        "layers.0.weight": np.zeros((6, 201), np.float32),
        "layers.0.bias": np.array(numbers, np.float32),
    }
    return TouchPolicy(
        config or TouchConfig(), CONTRACT, Mlp(spec, tensors, Normalization.none(201))
    )


def log_sigma(share):
    return (np.log(share) - LOG_SIGMA_MIDDLE) / LOG_SIGMA_HALF


def test_shares_of_pressure_do_not_depend_on_the_force():
    weak, strong = (features(pressure_kpa((1e-3, 0.0, 0.05), n), 0.012) for n in (28.0, 30.0))
    # How far a pad gives way does depend on it, a little.
    np.testing.assert_allclose(weak[:198], strong[:198], atol=0.05)
    assert strong[198] > 1.05 * weak[198]


def test_numbers_become_metres_radians_and_standard_deviations():
    sure = says([0.1, -0.2, 0.5, log_sigma(0.01), log_sigma(0.02), log_sigma(0.1)])
    felt = sure.estimate(FELT, 0.012)
    np.testing.assert_allclose(felt.mean, [1e-3, -2e-3, 0.175], rtol=1e-5)
    np.testing.assert_allclose(felt.sigma, [1e-4, 2e-4, 0.035], rtol=1e-4)


def test_a_hand_of_which_one_pad_feels_nothing_holds_nothing():
    one_pad = FELT.copy()
    one_pad[1] = 0.0
    policy = says([0.1] * 6)
    assert policy.estimate(one_pad, 0.012) is None
    assert policy.estimate(0.0 * FELT, 0.012) is None


def test_a_pose_in_the_hand_is_the_nominal_one_shifted_and_turned_about_the_parts_middle():
    held = InHandEstimate(np.array([1e-3, -2e-3, 0.1]), np.full(3, 1e-3)).pose_tool_part(NOMINAL)
    np.testing.assert_allclose(held.position, [1e-3, 0.0, 3.5e-3])
    np.testing.assert_allclose(held.rotation_vector(), [0.0, 0.1, 0.0], atol=1e-12)


def told(numbers, **config):
    estimator = TouchEstimator(says(numbers, TouchConfig(**config)), ("left", "right"))
    observation = {
        "left_tactile": FELT,
        "left_gripper_opening": np.array([0.012], np.float32),
        "left_in_hand": np.full(4, 9.0, np.float32),
        "right_in_hand": np.full(4, 9.0, np.float32),
    }
    seen = estimator.corrected(observation)
    # An arm without pads keeps what it has, and what was observed is not changed.
    assert (seen["right_in_hand"] == 9.0).all()
    assert (observation["left_in_hand"] == 9.0).all()
    assert seen["left_in_hand"].dtype == np.float32
    return seen["left_in_hand"]


def test_what_is_sure_is_told():
    sure = log_sigma(0.01)
    np.testing.assert_allclose(
        told([0.1, 0.2, 0.1, sure, sure, sure]), [1.0, 1e-3, 2e-3, 0.035], rtol=1e-5
    )


def test_an_axis_that_is_not_sure_is_told_as_planned():
    sure, unsure = log_sigma(0.01), log_sigma(0.3)
    np.testing.assert_allclose(
        told([0.1, 0.2, 0.1, sure, unsure, sure]), [1.0, 1e-3, 0.0, 0.035], rtol=1e-5
    )


def test_a_part_of_which_neither_shift_nor_angle_is_sure_is_not_felt():
    sure, unsure = log_sigma(0.01), log_sigma(0.3)
    assert not told([0.1, 0.2, 0.1, unsure, sure, unsure]).any()


def test_an_axis_that_gets_unsure_is_told_as_it_was_in_this_grasp():
    sure, unsure = log_sigma(0.01), log_sigma(0.3)
    estimator = TouchEstimator(says([0.1, 0.2, 0.1, sure, unsure, sure]), ("left",))

    def felt(numbers=None, pressure=FELT):
        if numbers is not None:
            estimator._policy = says(numbers)
        opening = np.array([0.012], np.float32)
        seen = {"left_tactile": pressure, "left_gripper_opening": opening}
        return estimator.corrected(seen)["left_in_hand"]

    np.testing.assert_allclose(felt(), [1.0, 1e-3, 0.0, 0.035], rtol=1e-5)
    # Unsure of what it was sure of, and sure of what it was not.
    doubtful = [0.3, 0.2, 0.5, unsure, sure, unsure]
    np.testing.assert_allclose(felt(doubtful), [1.0, 1e-3, 2e-3, 0.035], rtol=1e-5)
    # A hand that was empty, or another episode, has felt nothing yet.
    assert not felt(pressure=0.0 * FELT).any()
    assert not felt(doubtful).any()
    felt([0.1, 0.2, 0.1, sure, sure, sure])
    estimator.forget()
    assert not felt(doubtful).any()


def test_the_gate_is_configured():
    sure = log_sigma(0.01)
    assert not told([0.1, 0.2, 0.1] + [sure] * 3, shift_sigma_m=5e-5, angle_sigma_rad=1e-3).any()


def test_a_contract_of_something_else_is_refused():
    other = dataclasses.replace(CONTRACT, observation=CONTRACT.observation[::-1])
    with pytest.raises(ValueError, match=r"contract\.observation"):
        TouchPolicy(TouchConfig(), other, says([0.0] * 6).network)


@pytest.mark.parametrize("name", ["shift_scale_m", "shift_sigma_m", "angle_sigma_rad"])
def test_scales_and_gates_are_positive(name):
    with pytest.raises(ValueError, match=name):
        TouchConfig(**{name: 0.0})


def test_a_pose_keeps_how_the_part_was_to_be_turned_about_other_axes():
    nominal = Pose.from_rotation_vector([0.0, 0.0, 0.7])
    held = InHandEstimate(np.array([0.0, 0.0, 0.2]), np.full(3, 1e-3)).pose_tool_part(nominal)
    turn = held @ nominal.inverse()
    np.testing.assert_allclose(turn.rotation_vector(), [0.0, 0.2, 0.0], atol=1e-12)
