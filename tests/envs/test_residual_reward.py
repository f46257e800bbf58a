"""What is rewarded where a script is corrected: each arm's share, and what potentials come to."""

import pytest

from envs.residual_reward import ResidualReward
from tests.envs.typed_guide import ones, residual


def test_the_shaping_adds_up_to_what_the_first_state_was_worth(env):
    # Discounted as the learner does it, the potentials cancel: only the first one is left.
    reward = ResidualReward(success=0.0, failure=0.0, time_per_s=0.0, correction=0.0, force=0.0)
    made = residual(env, ("",) * 3 + ("LR",), reward, end=8)
    made.reset(seed=0)
    worth = reward.plan * float(made.guide.walked().mean())
    total, discount, terminated = 0.0, 1.0, False
    while not terminated:
        _, got, terminated, truncated, info = made.step(ones(made))
        assert not truncated
        total += discount * got
        discount *= reward.discount
    assert info["failure"] == "gave_up"
    assert total == pytest.approx(-worth)


def test_an_arm_pays_for_time_until_its_own_plan_is_walked(env):
    made = residual(env, reward=ResidualReward(plan=0.0, progress=0.0, correction=0.0, force=0.0))
    made.reset(seed=0)
    # Of a hundred periods the left plan is walked, of two hundred the right one.
    made.guide.at = 150
    _, _, _, _, info = made.step(ones(made))
    assert info["reward_by_arm"].tolist() == pytest.approx([0.0, -0.5 * env.dt])


def test_time_may_count_less_while_nothing_is_corrected(env):
    reward = ResidualReward(plan=0.0, progress=0.0, correction=0.0, force=0.0, time_elsewhere=0.25)
    made = residual(env, ("L", "", "", "R"), reward)
    made.reset(seed=0)
    _, _, _, _, info = made.step(ones(made))
    # Of three periods the left arm was corrected in one, the right one in none.
    paid = [-0.5 * env.dt * (1.0 + 2 * 0.25), -0.5 * env.dt * 3 * 0.25]
    assert info["reward_by_arm"].tolist() == pytest.approx(paid)


def test_each_arm_has_its_share_of_the_reward(env):
    made = residual(env, ("L",))
    made.reset(seed=0)
    action = ones(made)
    _, got, _, _, info = made.step(action)
    left, right = info["reward_by_arm"]
    assert got == pytest.approx(left + right)
    assert got == pytest.approx(sum(info["reward_terms"].values()))
    # Only the left arm is corrected, and only it got on by as much.
    assert info["reward_terms"]["correction"] == pytest.approx(made.reward.correction)
    assert left != right


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"force_limit_n": (3.0, 2.0)}, "force_limit_n: expected 0 < smallest"),
        ({"time_elsewhere": 2.0}, "time_elsewhere: expected 0 to 1, got 2"),
        ({"discount": 0.0}, "discount: expected more than 0"),
    ],
)
def test_what_makes_no_reward_is_refused(values, told):
    with pytest.raises(ValueError, match=told):
        ResidualReward(**values)
