"""Experience: in which order, whose, and what an episode came to."""

import gymnasium
import numpy as np
import pytest

from policies.network import Mlp, MlpSpec, Normalization
from policies.rollout import Collector, Explorer
from robot.errors import NOT_BEGUN


class Count(gymnasium.Env):
    """Each arm sees ten times its number and the step; the third step ends the episode."""

    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def __init__(self):
        self.options, self.actions = [], []

    def _observe(self):
        return {"policy": np.array([0.0, self._steps, 10.0, self._steps], np.float32)}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._steps = 0
        self.options.append(options)
        return self._observe(), {}

    def step(self, action):
        self._steps += 1
        self.actions.append(action)
        info = {
            "reward_by_arm": np.array([1.0, 2.0]) * self._steps,
            "corrected_by_arm": np.array([True, self._steps == 2]),
            "reward_terms": {"time": -1.0, "success": float(self._steps == 3)},
            "force_n": [3.0, 9.0, 5.0][self._steps - 1],
            "is_success": self._steps == 3,
            "failure": None,
            "elapsed_s": 2.0 + self._steps,
        }
        return self._observe(), 0.0, self._steps == 3, False, info


def network(bias):
    """Return one that sees two numbers and always returns the same ones."""
    spec = MlpSpec(2, (), len(bias))
    weight = np.zeros((len(bias), 2), np.float32)
    tensors = {"layers.0.weight": weight, "layers.0.bias": np.array(bias, np.float32)}
    return Mlp(spec, tensors, Normalization.none(2))


@pytest.fixture
def collector():
    made = Collector(Count(), 2)
    made.begin(7)
    return made


def test_steps_are_in_order_and_each_arm_has_its_own(collector):
    chunk = collector.collect(Explorer(network([0.0, -20.0]), squashed=False), 4)
    assert chunk.seen["policy"][:, :, 1].tolist() == [[0, 0], [1, 1], [2, 2], [0, 0]]
    assert chunk.seen["policy"][:, :, 0].tolist() == [[0, 10]] * 4
    # What came after the last step of an episode is its own, not the beginning of the next.
    assert chunk.after["policy"][:, 0, 1].tolist() == [1, 2, 3, 1]
    assert chunk.rewards.tolist() == [[1, 2], [2, 4], [3, 6], [1, 2]]
    assert chunk.corrected[:, 1].tolist() == [False, True, False, False]
    assert chunk.terminated.tolist() == [False, False, True, False]


def test_an_episode_adds_up_also_across_chunks(collector):
    explorer = Explorer(network([0.0, -20.0]), squashed=False)
    assert collector.collect(explorer, 2).episodes == ()
    (end,) = collector.collect(explorer, 2).episodes
    assert (end.steps, end.time_s, end.force_n, end.success) == (3, 5.0, 9.0, True)
    assert dict(end.terms) == {"time": -3.0, "success": 1.0}
    assert end.reward == -2.0


def test_draws_are_of_the_seed_alone(collector):
    explorer = Explorer(network([0.3, 0.0]), squashed=False)
    first = collector.collect(explorer, 5).actions
    other = Collector(Count(), 2)
    other.begin(7)
    assert np.array_equal(other.collect(explorer, 5).actions, first)
    other.begin(8)
    assert not np.array_equal(other.collect(explorer, 5).actions, first)
    assert first.mean() == pytest.approx(0.3, abs=1.2)
    assert first.std() > 0.3


def test_noise_persists_and_stays_as_large():
    explorer = Explorer(network([0.0, 0.0]), squashed=False, persistence=0.8)
    rng, noise, drawn = np.random.default_rng(0), None, []
    for _ in range(4000):
        noise = explorer.noise(noise, 2, rng)
        drawn.append(noise[:, 0])
    series = np.array(drawn)
    assert series.std() == pytest.approx(1.0, abs=0.06)
    for arm in series.T:
        assert np.corrcoef(arm[:-1], arm[1:])[0, 1] == pytest.approx(0.8, abs=0.03)
    assert abs(np.corrcoef(series.T)[0, 1]) < 0.1


def test_what_is_squashed_stays_inside(collector):
    actions = collector.collect(Explorer(network([0.0, 2.0]), squashed=True), 30).actions
    assert 0.9 < np.abs(actions).max() <= 1.0


def test_a_whole_episode_is_run_without_exploring():
    env = Count()
    end = Collector(env, 2).run(5, network([0.25]), {"force_limit_n": 30.0})
    assert (end.seed, end.steps) == (5, 3)
    assert env.options == [{"force_limit_n": 30.0}]
    assert {tuple(action) for action in env.actions} == {(0.25, 0.25)}
    Collector(env, 2).run(5, None, {})
    assert tuple(env.actions[-1]) == (0.0, 0.0)


def test_nothing_is_collected_before_it_begins():
    with pytest.raises(RuntimeError, match="before begin"):
        Collector(Count(), 2).collect(Explorer(network([0.0, 0.0]), squashed=False), 1)


@pytest.mark.parametrize("error", NOT_BEGUN)
def test_an_episode_that_cannot_begin_has_failed(error):
    class Never(Count):
        def reset(self, *, seed=None, options=None):
            raise error("the nest is on the floor")

    end = Collector(Never(), 2).run(3, None, {})
    assert (end.seed, end.success, end.steps) == (3, False, 0)
    assert end.failure == "setup: the nest is on the floor"
