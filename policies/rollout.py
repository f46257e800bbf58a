"""Experience as arrays: one environment, a network that explores, and what came of it.

Whoever learns need not be where the environment is. Each environment runs on by itself for a number
of steps, so that none waits while another begins an episode, which takes as long as thirty steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Env
from numpy.typing import NDArray

from policies.network import Mlp
from robot.errors import NOT_BEGUN

Float32 = NDArray[np.float32]
Seen = dict[str, Float32]

# Logarithms of standard deviations are cut to these, as Stable-Baselines3 does.
_LOG_STD = (-20.0, 2.0)
# Noise is drawn apart from the episodes, which the same seed decides.
_EXPLORING = 2


@dataclass(frozen=True)
class Explorer:
    """A network that draws its actions.

    Attributes:
        network: Returns the means of an action's numbers, then the logarithms of their standard
            deviations; what it does to bring them into [-1, 1] is left out.
        squashed: Whether what is drawn is squashed by tanh; otherwise it may be beyond [-1, 1].
        persistence: How much of the noise of one step is still there in the next, from 0 to 1.
            What is tried for a moment, forth and back, has no effect to learn from (Hollenstein
            et al., "Colored Noise in PPO", 2024, arXiv 2312.11091).
    """

    network: Mlp
    squashed: bool
    persistence: float = 0.0

    def act(self, observation: Float32, noise: Float32) -> Float32:
        """Return drawn actions.

        Args:
            observation: Shape (A, inputs).
            noise: Of `noise`. Shape (A, outputs).

        Returns:
            Shape (A, outputs).
        """
        means, log_std = np.split(self.network.unbounded(observation), 2, axis=-1)
        std = np.exp(np.clip(log_std, *_LOG_STD))
        drawn = (means + std * noise).astype(np.float32)
        return np.tanh(drawn) if self.squashed else drawn

    def noise(self, before: Float32 | None, arms: int, rng: np.random.Generator) -> Float32:
        """Return numbers that are standard normal, and like those of the step before.

        Args:
            before: Those, or None in the first step.
            arms: How many arms act.
            rng: Draws.

        Returns:
            Shape (arms, outputs).
        """
        fresh = rng.standard_normal((arms, self.network.spec.outputs // 2), dtype=np.float32)
        if before is None:
            return fresh
        share = np.float32(self.persistence)
        lasting: Float32 = share * before + np.sqrt(1.0 - share * share) * fresh
        return lasting


@dataclass(frozen=True)
class EpisodeEnd:
    """How an episode ended.

    Attributes:
        seed: The episode; None for one that the environment drew.
        success: Whether the job was done.
        failure: Why not, or None.
        steps: How many corrected steps it had.
        time_s: From its beginning to its end on the cell's clock, in s.
        force_n: Hardest wrist force of the steps, in N.
        reward: Undiscounted sum.
        terms: That sum, term by term.
    """

    seed: int | None
    success: bool
    failure: str | None
    steps: int
    time_s: float
    force_n: float
    reward: float
    terms: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Steps of one environment, one after the other; T steps of A arms.

    Attributes:
        seen: What was observed before each step, by key. Shapes (T, A, size).
        after: What was observed after it, before a new episode began. Shapes (T, A, size).
        actions: Shape (T, A, size).
        rewards: Shape (T, A).
        corrected: Whether the action had an effect on the arm. Shape (T, A).
        terminated: Whether the step ended the episode for good. Shape (T,).
        truncated: Whether it was cut off after the step. Shape (T,).
        episodes: Those that ended.
    """

    seen: Seen
    after: Seen
    actions: Float32
    rewards: Float32
    corrected: NDArray[np.bool_]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    episodes: tuple[EpisodeEnd, ...]


class Collector:
    """Steps one environment, in which every arm is a learner of its own.

    Every array of its observation, and its action, is made of A equal blocks, one for each arm. The
    reward of an arm is its entry of `info["reward_by_arm"]`, and `info["corrected_by_arm"]` says
    whether its action had an effect; see `envs.residual_env`.
    """

    def __init__(self, env: Env[Any, Any], arms: int) -> None:
        """Take an environment.

        Args:
            env: Is not closed here.
            arms: How many arms it corrects.
        """
        self._env = env
        self._arms = arms
        self._rng = np.random.default_rng(0)
        self._seen: Seen | None = None
        self._noise: Float32 | None = None
        self._tally = _Tally(None)

    def begin(self, seed: int) -> None:
        """Forget what is under way: what comes depends on the seed alone.

        Args:
            seed: Of every draw; the first episode is drawn like all others.
        """
        self._rng = np.random.default_rng((seed, _EXPLORING))
        self._seen = self._split(self._env.reset(seed=seed, options={"draw": True})[0])
        self._noise = None
        self._tally = _Tally(None)

    def collect(self, explorer: Explorer, steps: int) -> Chunk:
        """Step the environment, through as many episodes as it takes.

        Args:
            explorer: Acts on `policy`.
            steps: How many.

        Raises:
            RuntimeError: Before `begin`.
        """
        if self._seen is None:
            raise RuntimeError("Collector.collect() before begin()")
        before: list[Seen] = []
        after: list[Seen] = []
        actions, rewards, corrected, ends = [], [], [], []
        episodes = []
        for _ in range(steps):
            self._noise = explorer.noise(self._noise, self._arms, self._rng)
            action = explorer.act(self._seen["policy"], self._noise)
            observation, _, terminated, truncated, info = self._env.step(action.ravel())
            before.append(self._seen)
            self._seen = self._split(observation)
            after.append(self._seen)
            actions.append(action)
            rewards.append(info["reward_by_arm"])
            corrected.append(info["corrected_by_arm"])
            ends.append((terminated, truncated))
            self._tally.add(info)
            if terminated or truncated:
                episodes.append(self._tally.end(info))
                self._seen = self._split(self._env.reset()[0])
                self._tally = _Tally(None)
        flags = np.array(ends, dtype=np.bool_)
        return Chunk(
            seen=_stacked(before),
            after=_stacked(after),
            actions=np.array(actions, dtype=np.float32),
            rewards=np.array(rewards, dtype=np.float32),
            corrected=np.array(corrected, dtype=np.bool_),
            terminated=flags[:, 0],
            truncated=flags[:, 1],
            episodes=tuple(episodes),
        )

    def run(self, seed: int, network: Mlp | None, options: Mapping[str, Any]) -> EpisodeEnd:
        """Run one whole episode without exploring; ends what was under way.

        One that cannot begin has failed: left out, the easy draws alone would count.

        Args:
            seed: The episode.
            network: Acts; nobody corrects anything if None.
            options: Of the environment's reset.
        """
        self._seen = None
        try:
            observation, _ = self._env.reset(seed=seed, options=dict(options))
        except NOT_BEGUN as error:
            return EpisodeEnd(seed, False, f"setup: {error}", 0, 0.0, 0.0, 0.0, {})
        tally, ended = _Tally(seed), False
        assert self._env.action_space.shape is not None  # a Box has one
        action = np.zeros(self._env.action_space.shape, np.float32)
        while not ended:
            if network is not None:
                action = network(self._split(observation)["policy"]).ravel()
            observation, _, terminated, truncated, info = self._env.step(action)
            tally.add(info)
            ended = terminated or truncated
        return tally.end(info)

    def _split(self, observation: Mapping[str, Float32]) -> Seen:
        # (A * size,) -> (A, size)
        return {key: value.reshape(self._arms, -1) for key, value in observation.items()}


class _Tally:
    """Adds an episode up."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._steps = 0
        self._force = 0.0
        self._terms: dict[str, float] = {}

    def add(self, info: Mapping[str, Any]) -> None:
        self._steps += 1
        self._force = max(self._force, info["force_n"])
        for name, value in info["reward_terms"].items():
            self._terms[name] = self._terms.get(name, 0.0) + value

    def end(self, info: Mapping[str, Any]) -> EpisodeEnd:
        return EpisodeEnd(
            seed=self._seed,
            success=bool(info["is_success"]),
            failure=info["failure"],
            steps=self._steps,
            time_s=float(info["elapsed_s"]),
            force_n=self._force,
            reward=sum(self._terms.values()),
            terms=self._terms,
        )


def _stacked(seen: list[Seen]) -> Seen:
    return {key: np.stack([one[key] for one in seen]) for key in seen[0]}
