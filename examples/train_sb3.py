"""PPO on the fixed-pelvis environment, with nothing but stable-baselines3.

Run `python examples/train_sb3.py 200000` to see a curve; the default only shows that it runs.
"""

import sys
from pathlib import Path

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize


def train(steps: int, workers: int = 2, folder: Path = Path("runs")) -> None:
    """Train for some steps, with one simulation per worker, and save the policy."""
    # The part before the colon is imported first, in each worker, and makes the name known.
    environments = make_vec_env(
        "workcell:workcell/NutInsertionFixedPelvis-v0",
        workers,
        vec_env_cls=SubprocVecEnv,
        env_kwargs={"level": "nominal", "overrides": ["task.time_limit=20"]},
    )
    # Newtons, radians and kilopascals differ by orders of magnitude.
    normalized = VecNormalize(environments)
    model = PPO("MultiInputPolicy", normalized, n_steps=128, batch_size=64, verbose=1)
    model.learn(steps)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "ppo_fixed_pelvis")
    normalized.close()


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(int(sys.argv[1]) if len(sys.argv) > 1 else 256)
