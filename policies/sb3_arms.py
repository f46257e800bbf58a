"""Every arm a learner of its own: one network for all arms, for Stable-Baselines3.

Two hands that do the same thing are two sources of experience for one network, each with its own
share of the reward, instead of one network that has to learn the same twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from typing_extensions import override

Batch = dict[str, NDArray[np.float32]]


class ArmsVecEnv(VecEnvWrapper):
    """Splits environments that correct several arms into one for each arm.

    Environment `e` with A arms becomes the learners `e * A` to `e * A + A - 1`. Every array of the
    observation, and the action, is cut into A equal blocks; the reward of an arm is its entry of
    `info["reward_by_arm"]`; an episode ends for all arms at once.

    Stable-Baselines3 counts the steps of every learner: its `num_timesteps` is A times as many as
    the environments together have made.

    Attributes:
        arms: How many arms each environment has.
    """

    def __init__(self, venv: VecEnv, arms: int) -> None:
        """Split.

        Args:
            venv: Of environments with a dictionary of vectors and a vector of actions.
            arms: How many each has.

        Raises:
            ValueError: If something cannot be cut into as many equal blocks.
        """
        observation, action = venv.observation_space, venv.action_space
        if not isinstance(observation, spaces.Dict) or not isinstance(action, spaces.Box):
            raise ValueError(f"spaces: expected a Dict and a Box, got {observation} and {action}")
        of_one = spaces.Dict({key: _block(box, arms, key) for key, box in observation.items()})
        super().__init__(venv, of_one, _block(action, arms, "action"))
        self.arms = arms
        self.num_envs = venv.num_envs * arms

    @override
    def reset(self) -> Batch:
        return self._split(self.venv.reset())

    @override
    def step_async(self, actions: NDArray[np.float32]) -> None:
        # (E * A, 7) -> (E, A * 7)
        self.venv.step_async(actions.reshape(self.venv.num_envs, -1))

    @override
    def step_wait(self) -> tuple[Batch, NDArray[np.float32], NDArray[np.bool_], list[Any]]:
        observation, _, dones, infos = self.venv.step_wait()
        rewards = np.concatenate([info["reward_by_arm"] for info in infos]).astype(np.float32)
        split: list[Any] = []
        for info in infos:
            last = info.get("terminal_observation")
            blocks = None if last is None else self._split({k: v[None] for k, v in last.items()})
            for arm in range(self.arms):
                own = dict(info)
                if blocks is not None:
                    own["terminal_observation"] = {key: v[arm] for key, v in blocks.items()}
                split.append(own)
        return self._split(observation), rewards, np.repeat(dones, self.arms), split

    def _split(self, batch: Any) -> Batch:
        # (E, A * n) -> (E * A, n)
        return {key: value.reshape(len(value) * self.arms, -1) for key, value in batch.items()}


def _block(box: spaces.Space[Any], arms: int, name: str) -> spaces.Box:
    """Return the space of one arm's block of a vector."""
    if not isinstance(box, spaces.Box) or len(box.shape) != 1 or box.shape[0] % arms:
        raise ValueError(f"{name}: expected a vector of {arms} equal blocks, got {box}")
    size = box.shape[0] // arms
    return spaces.Box(box.low[:size], box.high[:size], (size,), np.float32)
