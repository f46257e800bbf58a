"""A correction of the script, learned by PPO with plain stable-baselines3, as a policy's folder.

Run `python examples/train_residual_sb3.py 50000 runs/residual_50k`, then
`workcell evaluate nut_insertion --policy runs/residual_50k`. The number counts steps of all
simulations together, in each of which both hands learn; the default only shows that it runs.
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
from workcell.files import refuse_existing
from workcell.residual import save_residual

ENVIRONMENT = "workcell:workcell/NutInsertionResidualFixedPelvis-v0"
ARMS = 2


def train(steps: int, folder: Path, workers: int = 2) -> None:
    """Train for some steps, with one simulation per worker, and write the policy.

    Args:
        steps: Of all simulations together, at least; whole rollouts are learned from.
        folder: Of the policy; a new one.
        workers: How many simulations.
    """
    # Before anything is learned: a policy that is there is not overwritten.
    refuse_existing(folder, "FOLDER")
    began = time.monotonic()
    environments = make_vec_env(ENVIRONMENT, workers, seed=0, vec_env_cls=SubprocVecEnv)
    # Both hands do the same job: one network learns from both, and will correct both.
    normalized = VecNormalize(ArmsVecEnv(environments, ARMS), gamma=0.99)
    # Small at first: what is corrected already works. The critic alone knows where the parts are.
    small = {"log_std_init": -1.5, "net_arch": [128, 128]}
    model = PPO(AsymmetricPolicy, normalized, n_steps=128, seed=0, policy_kwargs=small, verbose=1)
    # Each hand is an environment to stable-baselines3, and counted as one.
    model.learn(ARMS * steps)
    facts = {"algorithm": "PPO", "steps": model.num_timesteps // ARMS, "seed": 0}
    facts |= {"wall_s": time.monotonic() - began, "command": " ".join(sys.argv)}
    with gymnasium.make(ENVIRONMENT) as env:
        robots = ["talos_fixed", "talos"]
        save_residual(folder, env.unwrapped, mlp_of(model, normalized), robots=robots, **facts)
    normalized.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    train(steps, Path(sys.argv[2] if len(sys.argv) > 2 else "runs/residual_ppo"))
