"""A correction of the script, learned by PPO with plain stable-baselines3, as a policy's folder.

Run `python examples/train_residual_sb3.py 100000`, then
`workcell evaluate nut_insertion --policy runs/residual_ppo`; the default only shows that it runs.
"""

import sys
import time
from pathlib import Path

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize

from policies.sb3_arms import ArmsVecEnv
from policies.sb3_export import mlp_of
from policies.sb3_policies import AsymmetricPolicy
from workcell.residual import save_residual

ENVIRONMENT = "workcell:workcell/NutInsertionResidualFixedPelvis-v0"


def train(steps: int, workers: int = 2, folder: Path = Path("runs/residual_ppo")) -> None:
    """Train for some steps, with one simulation per worker, and write the policy."""
    began = time.monotonic()
    environments = make_vec_env(ENVIRONMENT, workers, seed=0, vec_env_cls=SubprocVecEnv)
    # Both hands do the same job: one network learns from both, and will correct both.
    normalized = VecNormalize(ArmsVecEnv(environments, arms=2), gamma=0.99)
    # Small at first: what is corrected already works. The critic alone knows where the parts are.
    small = {"log_std_init": -1.5, "net_arch": [128, 128]}
    model = PPO(AsymmetricPolicy, normalized, n_steps=128, seed=0, policy_kwargs=small, verbose=1)
    model.learn(steps)
    facts = {"algorithm": "PPO", "steps": model.num_timesteps, "seed": 0}
    facts |= {"wall_s": time.monotonic() - began, "command": " ".join(sys.argv)}
    with gymnasium.make(ENVIRONMENT) as env:
        robots = ["talos_fixed", "talos"]
        save_residual(folder, env.unwrapped, mlp_of(model, normalized), robots=robots, **facts)
    normalized.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(int(sys.argv[1]) if len(sys.argv) > 1 else 512)
