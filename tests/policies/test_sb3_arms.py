import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from policies.sb3_arms import ArmsVecEnv
from policies.sb3_export import mlp_of
from policies.sb3_policies import AsymmetricPolicy


class TwoArms(gymnasium.Env):
    """Counts; each arm sees ten times its number and the step, and earns what it does."""

    def __init__(self, number):
        self.number = number
        box = spaces.Box(-1e3, 1e3, (4,), np.float32)
        self.observation_space = spaces.Dict({"policy": box, "critic": box})
        self.action_space = spaces.Box(-1.0, 1.0, (6,), np.float32)

    def _observe(self):
        left, right = 20.0 * self.number, 20.0 * self.number + 10.0
        seen = np.array([left, self.steps, right, self.steps], np.float32)
        return {"policy": seen, "critic": -seen}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._observe(), {}

    def step(self, action):
        self.steps += 1
        by_arm = action.reshape(2, 3).sum(1)
        done = self.steps == 3 + self.number
        return self._observe(), float(by_arm.sum()), done, False, {"reward_by_arm": by_arm}


@pytest.fixture
def learners():
    return ArmsVecEnv(DummyVecEnv([lambda: TwoArms(0), lambda: TwoArms(1)]), arms=2)


def test_every_arm_sees_acts_and_earns_its_own(learners):
    seen = learners.reset()
    assert learners.num_envs == 4
    assert seen["policy"].tolist() == [[0, 0], [10, 0], [20, 0], [30, 0]]
    assert seen["critic"].tolist() == (-seen["policy"]).tolist()
    actions = np.repeat(np.array([[0.1], [0.2], [0.3], [0.4]], np.float32), 3, axis=1)
    for _ in range(3):
        seen, rewards, dones, infos = learners.step(actions)
    np.testing.assert_allclose(rewards, [0.3, 0.6, 0.9, 1.2], rtol=1e-6)
    assert dones.tolist() == [True, True, False, False]
    assert seen["policy"].tolist() == [[0, 0], [10, 0], [20, 3], [30, 3]]
    assert infos[1]["terminal_observation"]["policy"].tolist() == [10, 3]
    assert "terminal_observation" not in infos[2]


def test_one_network_learns_from_all_arms(learners):
    normalized = VecNormalize(VecMonitor(learners))
    model = PPO(AsymmetricPolicy, normalized, n_steps=8, batch_size=16, seed=0, device="cpu")
    model.learn(64)
    assert model.num_timesteps == 64
    mlp = mlp_of(model, normalized)
    assert (mlp.spec.inputs, mlp.spec.outputs) == (2, 3)


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="critic: expected a vector of 3 equal blocks"):
        ArmsVecEnv(DummyVecEnv([lambda: TwoArms(0)]), arms=3)
