"""Environments that do next to nothing, to test what measures environments."""

import os
import time

import gymnasium
import numpy as np
from gymnasium import spaces

EPISODE = 5


class Counting(gymnasium.Env):
    """Counts; an episode ends after `EPISODE` steps."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    dt = 0.04
    physics_dt = 0.001

    def __init__(self, work_s=0.0):
        self._work_s = work_s
        self.actions = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        # What a library prints must not be taken for an answer.
        os.write(1, b"pybullet build time\n")
        until = time.process_time() + self._work_s
        while time.process_time() < until:
            pass
        self.actions.append(action)
        self._steps += 1
        return np.zeros(1, np.float32), 0.0, False, self._steps == EPISODE, {}


class Breaking(Counting):
    """Breaks in its first step."""

    def step(self, action):
        raise RuntimeError("the solver diverged")


for kind in (Counting, Breaking):
    gymnasium.register(f"tests/{kind.__name__}-v0", kind)
