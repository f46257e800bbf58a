"""PPO on the fixed-pelvis environment, learned with plain stable-baselines3.

Run `python examples/train_sb3.py 200000 runs/ppo` to see a curve; the default only shows that it
runs. Into the folder go `policy`, which holds no code and goes on to
`workcell evaluate nut_insertion --robot talos_fixed --level nominal --policy runs/ppo/policy`, and
`model.zip` with `statistics.pkl` for stable-baselines3, see `restored`.
"""

import sys
import time
from pathlib import Path

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv, VecNormalize

from policies.sb3_export import mlp_of, observation_keys
from workcell.actor import save_actor
from workcell.files import refuse_existing
from workcell.run import FIRST_EVALUATION_SEED

# The part before the colon is imported first, in each worker, and makes the name known.
ENVIRONMENT = "workcell:workcell/NutInsertionFixedPelvis-v0"
OPTIONS = {"level": "nominal", "overrides": ["task.time_limit=20"]}


def environments(workers: int, seed: int = 0) -> VecEnv:
    """Return one simulation per worker, whose first episodes have the seeds from this one on."""
    return make_vec_env(
        ENVIRONMENT, workers, seed=seed, vec_env_cls=SubprocVecEnv, env_kwargs=OPTIONS
    )


def train(steps: int, folder: Path, workers: int = 2) -> None:
    """Train for some steps of all simulations together, and save what was learned.

    Args:
        steps: At least; whole rollouts are learned from.
        folder: A new one.
        workers: How many simulations.
    """
    # Before anything is learned: what is there is not overwritten.
    refuse_existing(folder, "FOLDER")
    began = time.monotonic()
    # Newtons, radians and kilopascals differ by orders of magnitude.
    normalized = VecNormalize(environments(workers))
    model = PPO("MultiInputPolicy", normalized, n_steps=128, batch_size=64, seed=0, verbose=1)
    model.learn(steps)
    facts = {"algorithm": "PPO", "steps": model.num_timesteps, "seed": 0}
    facts |= {"wall_s": time.monotonic() - began, "command": " ".join(sys.argv)}
    # The network is of no use without the statistics that its observations were normalized with.
    network, keys = mlp_of(model, normalized), observation_keys(model.policy)
    with gymnasium.make(ENVIRONMENT, **OPTIONS) as env:
        place = {"robot": "talos_fixed", "level": OPTIONS["level"]}
        save_actor(folder / "policy", env.unwrapped, network, keys, **place, **facts)
    model.save(folder / "model.zip")
    normalized.save(folder / "statistics.pkl")
    normalized.close()


def restored(folder: Path, workers: int = 2) -> tuple[PPO, VecNormalize]:
    """Return model and environments as they were saved, to be evaluated on other episodes.

    Both files are pickles, which run whatever they contain: only from somebody you trust. To train
    on, leave `training` and `norm_reward` as they are.
    """
    normalized = VecNormalize.load(
        str(folder / "statistics.pkl"), environments(workers, FIRST_EVALUATION_SEED)
    )
    # What is seen now changes no statistics, and rewards are told as they are.
    normalized.training = normalized.norm_reward = False
    return PPO.load(folder / "model.zip", normalized), normalized


if __name__ == "__main__":
    torch.set_num_threads(1)
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "runs/ppo_fixed_pelvis")
    train(steps, folder)
    model, normalized = restored(folder)
    mean, _ = evaluate_policy(model, normalized, n_eval_episodes=2)
    sys.stdout.write(f"reward of an episode: {mean:.2f}\n")
    normalized.close()
