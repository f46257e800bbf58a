"""What was trained with Stable-Baselines3 on an environment, as a policy's folder."""

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from policies.sb3_export import mlp_of, observation_keys
from robot.errors import ConfigError, UnknownName
from tests.envs.conftest import env  # noqa: F401
from workcell.actor import save_actor
from workcell.briefing import workplace_of
from workcell.policy_folder import read_policy

FACTS = {"algorithm": "PPO", "steps": 32, "seed": 0, "wall_s": 1.0, "command": "by hand"}


@pytest.fixture
def trained(env):  # noqa: F811
    torch.set_num_threads(1)
    normalized = VecNormalize(DummyVecEnv([lambda: env]))
    model = PPO("MultiInputPolicy", normalized, n_steps=32, batch_size=32, seed=0, device="cpu")
    model.learn(32)
    # The last layer begins near zero: weights of some size show more.
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model, normalized


def save(path, env, trained, keys=None):  # noqa: F811
    model, normalized = trained
    keys = observation_keys(model.policy) if keys is None else keys
    network = mlp_of(model, normalized)
    return save_actor(path, env, network, keys, robot="mock", level="factory", **FACTS)


def test_the_policy_predicts_what_the_model_does_with_its_statistics(env, trained, tmp_path):  # noqa: F811
    save(tmp_path / "policy", env, trained)
    policy = read_policy(tmp_path / "policy").policy()
    workplace_of(env, "mock").refuse(policy.contract, policy.needs)
    model, normalized = trained
    observation, _ = env.reset(seed=3)
    furthest = 0.0
    for _ in range(20):
        expected, _ = model.predict(normalized.normalize_obs(observation), deterministic=True)
        action = policy.act(observation)
        np.testing.assert_allclose(action, expected, atol=1e-5)
        furthest = max(furthest, float(np.abs(expected).max()))
        observation, *_ = env.step(action)
    assert furthest > 0.2


def test_it_says_what_it_sees_and_where_it_was_trained(env, trained, tmp_path):  # noqa: F811
    manifest = save(tmp_path / "policy", env, trained).manifest
    seen = {entry.name: entry for entry in manifest.contract.observation}
    assert seen["joint_position"].meaning == "joints, rad"
    assert set(seen) == set(env.shapes)
    assert all(entry.meaning for entry in seen.values())
    assert (manifest.training.level, manifest.training.robot) == ("factory", "mock")
    assert manifest.contract.robots == ("mock",)


def test_what_does_not_fit_is_refused_by_name(env, trained, tmp_path):  # noqa: F811
    with pytest.raises(UnknownName, match=r"no observation named 'joint_positon'. Did you mean"):
        save(tmp_path / "policy", env, trained, ["joint_positon"])
    with pytest.raises(ConfigError, match=r"network.inputs: the contract has 4 numbers"):
        save(tmp_path / "policy", env, trained, ["joint_position"])
    assert not list(tmp_path.iterdir())
