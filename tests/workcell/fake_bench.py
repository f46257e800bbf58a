"""A simulation of a training that is none: two arms, and time that passes faster if corrected well.

What it takes is a first number of the correction near 1; the script's own, 0, is slower.
"""

import os

import gymnasium
import numpy as np

from policies.contract import Contract, Entry
from policies.learned import ActorConfig
from policies.learner import Sizes
from policies.rollout import Collector
from robot.errors import ConfigError
from workcell.policy_folder import write_policy
from workcell.policy_manifest import TrainingRecord

BENCH = "tests.workcell.fake_bench:FakeBench"
# For a training that is over soon.
SMALL = (
    "training.segment_steps=64",
    "training.ppo.rollout=32",
    "training.ppo.hidden=[8]",
    "training.ppo.batch=32",
    "training.ppo.learning_rate=0.01",
    "training.validation.episodes=4",
    "training.validation.confirm_episodes=3",
    "training.validation.every=2",
)
ARMS, SEEN, ALL, MOVES = 2, 3, 4, 2
CONTRACT = Contract(
    task="nut_insertion",
    robots=("talos_fixed", "talos"),
    arms=("left", "right"),
    dt=0.04,
    observation=(Entry("left_seen", (SEEN,), "typed"),),
    action=(Entry("action", (MOVES,), "typed"),),
    action_scale={},
    signals=(),
)


class Toy(gymnasium.Env):
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ARMS * MOVES,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._done, self._steps = 0.0, 0
        return self._observe(), {}

    def _observe(self):
        return {
            "policy": self.np_random.normal(size=ARMS * SEEN).astype(np.float32),
            "critic": self.np_random.normal(size=ARMS * ALL).astype(np.float32),
        }

    def step(self, action):
        first = np.clip(action.reshape(ARMS, MOVES)[:, 0], -1.0, 1.0)
        self._done += 0.1 + 0.1 * float(first.mean())
        self._steps += 1
        reward = 0.1 * first
        ended, cut = self._done > 0.999, self._steps >= 30
        info = {
            "reward_by_arm": reward,
            "corrected_by_arm": np.array([True, self._steps % 3 > 0]),
            "reward_terms": {"time": float(reward.sum())},
            "force_n": 10.0 + float(self.np_random.uniform()),
            "is_success": ended,
            "failure": None if ended else "time_limit",
            "elapsed_s": 0.04 * self._steps,
        }
        return self._observe(), float(reward.sum()), ended, cut and not ended, info


class FakeBench:
    def __init__(self, config):
        self.config = config
        self.collector = Collector(Toy(), ARMS)

    def sizes(self):
        return Sizes({"policy": SEEN, "critic": ALL}, MOVES, ARMS, 1)

    def begin(self, seed, place):
        self.collector.begin(seed)

    def collect(self, explorer, steps):
        return self.collector.collect(explorer, steps)

    def run(self, seed, network):
        return self.collector.run(seed, network, {})

    def save(self, path, network, facts):
        training = TrainingRecord(
            facts.command, facts.algorithm, facts.seed, facts.steps, facts.wall_s, "factory", "toy"
        )
        stored = write_policy(
            path,
            "actor",
            ActorConfig(),
            CONTRACT,
            network,
            training,
            evaluation=facts.evaluation,
            description=facts.description,
            overwrite=True,
        )
        return stored.manifest.fingerprint

    def close(self):
        pass


class DyingBench(FakeBench):
    def collect(self, explorer, steps):
        os._exit(3)


def refuse(config):
    raise ConfigError("robot talos_fixed: example-robot-data is not installed; pip install it")


class InterruptedBench(FakeBench):
    """Somebody presses Ctrl-C in the second segment; goes on as usual from there."""

    begun = 0

    def begin(self, seed, place):
        super().begin(seed, place)
        self.begun += 1

    def collect(self, explorer, steps):
        if self.begun == 2:
            raise KeyboardInterrupt
        return super().collect(explorer, steps)
