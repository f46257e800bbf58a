import numpy as np
import pytest

from policies.policy import Brief, Policy
from policies.senses import SensesConfig, SensingPolicy
from robot.spatial import Pose

STIFFNESS = np.array([800.0, 800.0, 800.0, 20.0, 20.0, 20.0])
BRIEF = Brief(
    "", ("left",), (), 0, {"push_n": 30.0}, stiffness=lambda share: STIFFNESS * (1.0 + share)
)
HOME = Pose.identity()
ACTION = np.array([0, 0, 0, 0, 0, 0, 0, 0.5, 0.2], dtype=np.float32)


class Remembers(Policy):
    def reset(self, brief):
        self.seen = []

    def act(self, observation):
        self.seen.append(observation)
        return ACTION

    def report(self):
        return {"left": {"finished": True}}


class Sure:
    def forget(self):
        self.forgot = True

    def corrected(self, observation):
        return {**observation, "left_in_hand": np.array([1, 2, 3, 4], np.float32)}


def observation(behind=HOME):
    tool = Pose.from_rotation_vector([0.3, 0.2, 0.1], [0.4, 0.5, 0.6])
    target = tool @ behind
    return {
        "left_position_world_tool": tool.position.astype(np.float32),
        "left_quaternion_world_tool": tool.quaternion.astype(np.float32),
        "left_position_world_target": target.position.astype(np.float32),
        "left_quaternion_world_target": target.quaternion.astype(np.float32),
        "left_wrench_tool": np.full(6, 7.0, np.float32),
        "left_tactile": np.full((2, 11, 9), 5.0, np.float32),
        "left_in_hand": np.array([1.0, 1e-3, 2e-3, 0.1], np.float32),
        "signals": np.ones(2, np.float32),
    }


def through(config, *observations, estimator=None):
    """Return what a policy sees, one observation after the other."""
    inner = Remembers()
    policy = SensingPolicy(inner, config, estimator)
    policy.reset(BRIEF)
    for one in observations:
        np.testing.assert_array_equal(policy.act(one), ACTION)
    assert policy.report() == {"left": {"finished": True}}
    return inner.seen


def changed(before, after):
    assert before.keys() == after.keys()
    return {key for key in before if not np.array_equal(before[key], after[key])}


def test_without_touch_neither_pads_nor_what_follows_from_them_are_seen():
    (seen,) = through(SensesConfig(touch="none"), observation())
    assert changed(observation(), seen) == {"left_tactile", "left_in_hand"}
    assert not seen["left_tactile"].any()
    assert not seen["left_in_hand"].any()


def test_without_wrist_a_hand_feels_by_how_far_it_stays_behind():
    behind = Pose.from_rotation_vector([0.0, 0.0, 0.01], [1e-3, 0.0, 5e-3])
    first, second = through(SensesConfig(wrist=False), observation(behind), observation(behind))
    assert changed(observation(behind), first) == {"left_wrench_tool"}
    # Nothing was asked for before the first step: middle stiffness, no push.
    np.testing.assert_allclose(
        first["left_wrench_tool"], [-0.8, 0.0, -4.0, 0.0, 0.0, -0.2], atol=1e-3
    )
    # Then the stiffness is 1.5 times as large, and the hand pushes with 6 N besides.
    np.testing.assert_allclose(
        second["left_wrench_tool"], [-1.2, 0.0, -12.0, 0.0, 0.0, -0.3], atol=2e-3
    )


def test_a_network_says_how_the_part_lies_and_nothing_else():
    (seen,) = through(SensesConfig(touch="network"), observation(), estimator=Sure())
    assert changed(observation(), seen) == {"left_in_hand"}
    np.testing.assert_array_equal(seen["left_in_hand"], [1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize(("touch", "estimator"), [("network", None), ("rule", Sure())])
def test_a_network_is_there_if_and_only_if_it_is_asked(touch, estimator):
    with pytest.raises(ValueError, match="estimator"):
        SensingPolicy(Remembers(), SensesConfig(touch=touch), estimator)


def test_a_new_episode_forgets_what_was_asked_of_the_hand():
    policy = SensingPolicy(inner := Remembers(), SensesConfig(wrist=False))
    for _ in range(2):
        policy.reset(BRIEF)
        policy.act(observation())
        np.testing.assert_allclose(inner.seen[0]["left_wrench_tool"], 0.0, atol=1e-3)
