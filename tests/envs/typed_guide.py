"""A script that is none: it is in contact when a test types it."""

import numpy as np

from envs.guide import Guide
from envs.residual_env import ResidualEnv
from robot.spatial import Pose

ARMS = ("left", "right")


class TypedGuide(Guide):
    """Is in contact as a test types it: one word per policy period, `L`, `R`, both or none."""

    arms, size, sensed_size, correction_size = ARMS, 5, 5, 7

    def __init__(self, plan, end=10**6):
        self.plan, self.end = plan, end
        self.begun, self.corrections = [], []

    def begin(self, env, seed, force_limit, learning=True):
        self.begun.append((seed, force_limit, learning))
        self.at = -1
        self.rng = np.random.default_rng(seed)

    def look(self, observation):
        self.at += 1
        return self.rng.normal(size=(2, 5)).astype(np.float32)

    def sensed(self):
        return np.ones((2, self.sensed_size), np.float32)

    def act(self, correction):
        self.corrections.append(correction.copy())
        return np.zeros(18, np.float32)

    def goals(self):
        word = self.plan[min(self.at, len(self.plan) - 1)]
        return tuple(Pose.identity() if letter in word else None for letter in "LR")

    def walked(self):
        return np.array([self.at, 0.5 * self.at]) / 100.0

    @property
    def finished(self):
        return self.at >= self.end


def residual(env, plan=("LR",), reward=None, **options):
    return ResidualEnv(env, TypedGuide(plan, **options), reward)


def ones(env):
    return np.ones(env.action_space.shape, np.float32)
