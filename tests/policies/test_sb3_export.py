"""What Stable-Baselines3 would do and what the exported network does, side by side."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from torch import nn

from policies.sb3_export import CannotExport, mlp_of, observation_keys
from policies.sb3_policies import AsymmetricPolicy
from policies.torch_network import ActorNetwork


class Wander(gymnasium.Env):
    """Random numbers of different size, as a vector or as a dictionary."""

    def __init__(self, shapes, high=1.0):
        boxes = {k: spaces.Box(-1e3, 1e3, shape, np.float32) for k, shape in shapes.items()}
        self.plain = set(boxes) == {""}
        self.observation_space = boxes[""] if self.plain else spaces.Dict(boxes)
        self.action_space = spaces.Box(-1.0, high, (3,), np.float32)
        self.boxes = boxes

    def _observe(self):
        drawn = {
            key: (10.0 ** (i % 3) * self.np_random.normal(i, 1.0, box.shape)).astype(np.float32)
            for i, (key, box) in enumerate(self.boxes.items())
        }
        return drawn[""] if self.plain else drawn

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._observe(), {}

    def step(self, action):
        return self._observe(), float(-np.sum(action**2)), False, False, {}


VECTOR = {"": (6,)}
DICTIONARY = {"b_pads": (2, 3, 2), "a_tool": (4,)}
ASYMMETRIC = {"critic": (5,), "policy": (7,)}


def trained(algorithm, policy, shapes, normalized=True, **options):
    torch.set_num_threads(1)
    venv = DummyVecEnv([lambda: Wander(shapes)])
    normalize = VecNormalize(venv) if normalized else None
    model = algorithm(policy, normalize or venv, seed=0, device="cpu", **options)
    model.learn(48)
    # The last layer begins near zero: weights of some size show more.
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model, normalize


PPO_SHORT = {"n_steps": 16, "batch_size": 16, "n_epochs": 1}
CASES = [
    (PPO, "MlpPolicy", VECTOR, True, PPO_SHORT),
    (PPO, "MlpPolicy", VECTOR, False, PPO_SHORT),
    (PPO, "MlpPolicy", VECTOR, True, {**PPO_SHORT, "policy_kwargs": {"activation_fn": nn.ReLU}}),
    (PPO, "MultiInputPolicy", DICTIONARY, True, PPO_SHORT),
    (PPO, AsymmetricPolicy, ASYMMETRIC, True, PPO_SHORT),
    (SAC, "MlpPolicy", VECTOR, True, {"policy_kwargs": {"net_arch": [32, 16]}}),
    (SAC, "MultiInputPolicy", DICTIONARY, False, {"policy_kwargs": {"net_arch": [32]}}),
    (TD3, "MlpPolicy", VECTOR, True, {"policy_kwargs": {"net_arch": [32]}}),
]


@pytest.mark.parametrize(("algorithm", "policy", "shapes", "normalized", "options"), CASES)
def test_predictions_are_those_of_stable_baselines(algorithm, policy, shapes, normalized, options):
    model, normalize = trained(algorithm, policy, shapes, normalized, **options)
    mlp = mlp_of(model, normalize)
    network = ActorNetwork.from_mlp(mlp)
    keys = observation_keys(model.policy)
    env = Wander(shapes)
    env.reset(seed=1)
    furthest = 0.0
    for _ in range(100):
        observation = env._observe()
        given = normalize.normalize_obs(observation) if normalize else observation
        expected, _ = model.predict(given, deterministic=True)
        vector = np.concatenate([observation[k].ravel() for k in keys]) if keys else observation
        np.testing.assert_allclose(mlp(vector), expected, atol=1e-6)
        with torch.no_grad():
            np.testing.assert_allclose(network(torch.tensor(vector[None]))[0], expected, atol=1e-6)
        furthest = max(furthest, float(np.abs(expected).max()))
    assert furthest > 0.2


def test_an_actor_of_less_than_its_critic_exports_what_it_sees_alone():
    model, normalize = trained(PPO, AsymmetricPolicy, ASYMMETRIC, **PPO_SHORT)
    assert observation_keys(model.policy) == ("policy",)
    assert mlp_of(model, normalize).spec.inputs == 7
    assert model.policy.vf_features_extractor.features_dim == 12
    seen = {"policy": np.ones((1, 7), np.float32), "critic": np.zeros((1, 5), np.float32)}
    other = seen | {"critic": np.ones((1, 5), np.float32)}
    one, two = (model.policy.obs_to_tensor(o)[0] for o in (seen, other))
    assert np.array_equal(model.predict(seen, deterministic=True)[0][0],
                          model.predict(other, deterministic=True)[0][0])  # fmt: skip
    assert model.policy.predict_values(one) != model.policy.predict_values(two)


def test_what_cannot_be_exported_is_named():
    options = {**PPO_SHORT, "use_sde": True}
    model, _ = trained(PPO, "MlpPolicy", VECTOR, **options)
    with pytest.raises(CannotExport, match="use_sde"):
        mlp_of(model)
    model = PPO("MlpPolicy", DummyVecEnv([lambda: Wander(VECTOR, high=2.0)]), device="cpu")
    with pytest.raises(CannotExport, match="Box from -1 to 1"):
        mlp_of(model)
    kwargs = {"policy_kwargs": {"activation_fn": nn.Softsign}, **PPO_SHORT}
    with pytest.raises(CannotExport, match="Softsign"):
        mlp_of(trained(PPO, "MlpPolicy", VECTOR, **kwargs)[0])
