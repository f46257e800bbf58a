"""Learners: they learn, go on to the bit, and act in numpy as they do in torch."""

import importlib.util

import gymnasium
import numpy as np
import pytest

from policies.learner import Scale, Sizes
from policies.off_policy import OffPolicyConfig, OffPolicyLearner
from policies.ppo import PpoConfig, PpoLearner
from policies.rollout import Collector
from robot.errors import ConfigError

SIZES = Sizes({"policy": 3, "critic": 4}, action=2, arms=2, environments=2)
INSTALLED = ["ppo", "sac"]
if importlib.util.find_spec("sb3_contrib"):
    INSTALLED.append("crossq")


class Follow(gymnasium.Env):
    """Two arms, each to answer its first number; the second arm is heard every other step only."""

    action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._steps = 0
        return self._observe(), {}

    def _observe(self):
        self._seen = self.np_random.uniform(-1.0, 1.0, (2, 3)).astype(np.float32)
        critic = np.concatenate([self._seen, np.zeros((2, 1), np.float32)], axis=1)
        return {"policy": self._seen.ravel(), "critic": critic.ravel()}

    def step(self, action):
        self._steps += 1
        heard = np.array([True, self._steps % 2 == 0])
        wrong = np.abs(action.reshape(2, 2)[:, 0] - self._seen[:, 0])
        reward = np.where(heard, -wrong, 0.0)
        info = {
            "reward_by_arm": reward,
            "corrected_by_arm": heard,
            "reward_terms": {"wrong": float(reward.sum())},
            "force_n": 1.0,
            "is_success": True,
            "failure": None,
            "elapsed_s": 0.04 * self._steps,
        }
        return self._observe(), float(reward.sum()), self._steps == 20, False, info


def learner(algorithm, seed=0, **changes):
    if algorithm == "ppo":
        values = {"rollout": 64, "hidden": (16,), "learning_rate": 0.01, "batch": 64}
        return PpoLearner(PpoConfig(**{**values, **changes}), SIZES, 0.5, seed)
    values = {"rollout": 32, "hidden": (32,), "learning_rate": 0.01, "batch": 64, "warm_up": 64}
    return OffPolicyLearner(algorithm, OffPolicyConfig(**{**values, **changes}), SIZES, 0.5, seed)


def segment(made, number, updates):
    """Run a segment; return what was earned per episode of the last update."""
    made.begin(number)
    collectors = [Collector(Follow(), 2) for _ in range(2)]
    for i, collector in enumerate(collectors):
        collector.begin(10 * number + i)
    for _ in range(updates):
        chunks = [collector.collect(made.explorer, made.steps) for collector in collectors]
        made.update(chunks)
    return np.mean([end.reward for chunk in chunks for end in chunk.episodes])


@pytest.mark.parametrize("algorithm", INSTALLED)
def test_it_learns(algorithm):
    made = learner(algorithm)
    before = segment(made, 0, 2)
    for number in (1, 2):
        after = segment(made, number, 12)
    assert after > 0.7 * before


@pytest.mark.parametrize("algorithm", INSTALLED)
def test_what_is_gone_on_with_learns_the_same_to_the_bit(algorithm):
    made = learner(algorithm)
    segment(made, 0, 8)
    stored = made.state()
    again = learner(algorithm)
    again.restore(stored)
    for one in (made, again):
        segment(one, 1, 4)
    wanted, found = made.state(), again.state()
    assert wanted.counters == found.counters
    assert wanted.tensors.keys() == found.tensors.keys()
    for name, value in wanted.tensors.items():
        np.testing.assert_array_equal(value, found.tensors[name], err_msg=name)
    assert any((value != stored.tensors[name]).any() for name, value in wanted.tensors.items())


@pytest.mark.parametrize("algorithm", INSTALLED)
def test_it_explores_around_what_it_does(algorithm):
    made = learner(algorithm)
    segment(made, 0, 8)
    seen = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    means = made.explorer.network.unbounded(seen)[:, :2]
    np.testing.assert_allclose(means, made.network().unbounded(seen), atol=1e-6)


@pytest.mark.parametrize("algorithm", INSTALLED)
def test_it_begins_with_next_to_no_correction(algorithm):
    seen = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    assert np.abs(learner(algorithm).network()(seen)).max() < 0.05


def test_what_had_no_effect_is_not_learned_from():
    made = learner("ppo", epochs=1, batch=16)
    made.begin(0)
    collector = Collector(Follow(), 2)
    collector.begin(0)
    chunks = [collector.collect(made.explorer, made.steps) for _ in range(2)]
    made.update(chunks)
    drawn = list(made._model.rollout_buffer.get(16))
    # Of 256 transitions a quarter, every other one of the second arms, was not heard; and what
    # comes of the last one of each of four lanes is not known yet.
    assert sum(len(batch.actions) for batch in drawn) == 188
    assert {len(batch.actions) for batch in drawn} <= {15, 16}


@pytest.mark.parametrize("algorithm", INSTALLED)
def test_what_an_idle_arm_sees_teaches_nothing(algorithm):
    """What it sees and is asked for meanwhile may be anything: the weights come out the same."""
    found = []
    for disturbed in (False, True):
        made = learner(algorithm)
        segment(made, 0, 4)
        collector = Collector(Follow(), 2)
        collector.begin(0)
        chunk = collector.collect(made.explorer, made.steps)
        chunks = [chunk, collector.collect(made.explorer, made.steps)]
        before = made.state()
        if disturbed:
            for one in chunks:
                one.actions[~one.corrected] = 0.9
                one.seen["critic"][~one.corrected] *= -1.0
        made.update(chunks)
        after = made.state()
        found.append({n: v for n, v in after.tensors.items() if n.startswith("policy")})
        assert any((v != before.tensors[n]).any() for n, v in found[-1].items())
    for name, value in found[0].items():
        np.testing.assert_array_equal(value, found[1][name], err_msg=name)


def test_the_first_update_is_fitted_to_the_scale_of_what_was_seen():
    made = learner("ppo", epochs=1)
    made.begin(0)
    collectors = [Collector(Follow(), 2) for _ in range(2)]
    for i, collector in enumerate(collectors):
        collector.begin(i)
    chunks = [collector.collect(made.explorer, made.steps) for collector in collectors]
    for chunk in chunks:
        chunk.seen["critic"][:] = 1000.0 + 100.0 * chunk.seen["critic"]
    made.update(chunks)
    fitted = made._model.rollout_buffer.observations["critic"]
    assert np.abs(fitted).max() < 3.0


def test_a_state_of_other_networks_is_refused():
    with pytest.raises(ValueError, match=r"expected an array of"):
        learner("ppo").restore(learner("ppo", hidden=(8,)).state())


def test_a_scale_is_that_of_all_rows_however_they_came():
    rows = np.random.default_rng(0).normal(3.0, 2.0, (100, 2))
    scale = Scale({"policy": 2})
    for part in np.split(rows, [10, 11, 60]):
        scale.add({"policy": part})
    np.testing.assert_allclose(scale.mean["policy"], rows.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(scale.var["policy"], rows.var(axis=0), rtol=1e-4)


@pytest.mark.skipif("crossq" in INSTALLED, reason="sb3-contrib is installed")
def test_an_algorithm_that_is_not_installed_says_how_to_install_it():
    with pytest.raises(ConfigError, match=r"crossq needs sb3-contrib.*pip install") as told:
        learner("crossq")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (PpoConfig, "clip", 0.0),
        (PpoConfig, "target_kl", 0.0),
        (PpoConfig, "gae_lambda", 1.5),
        (PpoConfig, "hidden", ()),
        (PpoConfig, "persistence", 1.0),
        (OffPolicyConfig, "updates_per_step", 0.0),
        (OffPolicyConfig, "memory", 10),
    ],
)
def test_what_nothing_can_be_learned_with_is_refused(kind, name, value):
    with pytest.raises(ValueError, match=f"{name}: expected"):
        kind(**{name: value})
