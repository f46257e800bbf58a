"""Episodes in a given order, for measuring inside a vector of environments that reset themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from typing_extensions import override

from envs.guide import Float32
from envs.observations import Observation


class EpisodeList(gym.Wrapper[Observation, Float32, Observation, Float32]):
    """Runs episodes as the environment draws them, or those of a list.

    A vector of environments resets each as its episode ends and cannot say with which seed. Here
    the seeds wait. When the last of them has run, the environment rests: it costs nothing to step
    it while others of the vector are at work. A reset with a seed ends the list.
    """

    def __init__(self, env: gym.Env[Observation, Float32]) -> None:
        """Begin without a list.

        Args:
            env: With a dictionary of vectors as observation.
        """
        super().__init__(env)
        self._waiting: list[int] | None = None
        self._resting = False

    def give(self, seeds: Sequence[int]) -> None:
        """Set the episodes of the next resets.

        Args:
            seeds: In order.
        """
        self._waiting = list(seeds)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin the next episode of the list; without a list, one as the environment draws it.

        Args:
            seed: Ends the list and is handed on.
            options: Handed on.
        """
        if seed is not None:
            self._waiting = None
        elif self._waiting is not None:
            seed = self._waiting.pop(0) if self._waiting else None
            if seed is None:
                self._resting = True
                return self._nothing(), {}
        self._resting = False
        return self.env.reset(seed=seed, options=options)

    @override
    def step(self, action: Float32) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Step the environment, or nothing while it rests.

        Args:
            action: As of the environment.
        """
        if self._resting:
            return self._nothing(), 0.0, False, False, {}
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, float(reward), terminated, truncated, info

    def _nothing(self) -> Observation:
        assert isinstance(self.observation_space, gym.spaces.Dict)  # as __init__ asks
        return {
            key: np.zeros(box.shape or (), np.float32)
            for key, box in self.observation_space.items()
        }
