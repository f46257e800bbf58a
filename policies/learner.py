"""Seam: what learns from chunks of experience, and can be written down and gone on with exactly.

Training is a sequence of segments. Each begins with environments that are reset and generators
that are seeded from the number of the segment, so that all there is to know between two segments
are arrays and a few numbers: a run that was killed and goes on learns to the bit what it would have
learned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.network import Mlp, Normalization
from policies.rollout import Chunk, Explorer, Float32, Seen
from robot.arrays import Array

# As in Stable-Baselines3's VecNormalize.
_CLIP, _EPSILON = 10.0, 1e-8


@dataclass(frozen=True)
class Sizes:
    """What a learner has to know of the environments.

    Attributes:
        observation: Length of what is seen of one arm, by key; `policy` is what the actor sees.
        action: Numbers that correct one arm.
        arms: How many arms each environment corrects.
        environments: How many there are.
    """

    observation: Mapping[str, int]
    action: int
    arms: int
    environments: int

    @property
    def lanes(self) -> int:
        """How many arms learn at once."""
        return self.arms * self.environments


@dataclass(frozen=True)
class LearnerState:
    """All that a learner is between two segments.

    Attributes:
        tensors: Weights, optimizers, statistics and what else is an array, by name.
        counters: Whole numbers by name.
    """

    tensors: Mapping[str, NDArray[Any]]
    counters: Mapping[str, int]


class Learner(ABC):
    """One network for all arms, and its critic, which knows where the parts are.

    Attributes:
        steps: Of every environment, which are taken between two updates.
    """

    steps: int

    @abstractmethod
    def begin(self, segment: int) -> None:
        """Begin a segment: what comes depends on nothing before it but the state.

        Args:
            segment: Its number.
        """

    @property
    @abstractmethod
    def explorer(self) -> Explorer:
        """What the environments are stepped with until the next update."""

    @abstractmethod
    def update(self, chunks: Sequence[Chunk]) -> Mapping[str, float]:
        """Learn from what was collected with the explorer.

        Args:
            chunks: One of each environment, of `steps` steps.

        Returns:
            What is to be told of it, by name.
        """

    @abstractmethod
    def network(self) -> Mlp:
        """Return what the actor does when it does not explore."""

    @abstractmethod
    def state(self) -> LearnerState:
        """Return all there is to know between two segments."""

    @abstractmethod
    def restore(self, state: LearnerState) -> None:
        """Become what another learner was.

        Args:
            state: Of a learner with the same configuration.

        Raises:
            ValueError: If something is missing, or has another shape.
        """


class Scale:
    """Running mean and variance of what is seen, by key, to bring it to the size of one.

    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances", 1979.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        """Begin with mean 0 and variance 1, which count for next to nothing."""
        self.mean: dict[str, Array] = {key: np.zeros(size) for key, size in sizes.items()}
        self.var: dict[str, Array] = {key: np.ones(size) for key, size in sizes.items()}
        self.count = 1e-4

    @property
    def known(self) -> bool:
        """Whether anything was taken in."""
        return self.count >= 1.0

    def add_decisions(self, chunks: Sequence[Chunk]) -> None:
        """Take in what was seen where an arm was corrected; a network is shown nothing else."""
        if not any(chunk.corrected.any() for chunk in chunks):
            return
        self.add(
            {
                key: np.concatenate([chunk.seen[key][chunk.corrected] for chunk in chunks])
                for key in self.mean
            }
        )

    def add(self, seen: Mapping[str, NDArray[Any]]) -> None:
        """Take in more of it, equally many rows of each key. Shapes (N, size)."""
        rows = {key: value.astype(np.float64) for key, value in seen.items()}
        n = len(next(iter(rows.values())))
        total = self.count + n
        for key, value in rows.items():
            apart = value.mean(axis=0) - self.mean[key]
            spread = self.var[key] * self.count + value.var(axis=0) * n
            self.var[key] = (spread + np.square(apart) * self.count * n / total) / total
            self.mean[key] = self.mean[key] + apart * n / total
        self.count = total

    def normalization(self, key: str) -> Normalization:
        """Return what is done to what is seen under a key."""
        std = np.sqrt(self.var[key] + _EPSILON)
        return Normalization(tuple(self.mean[key].tolist()), tuple(std.tolist()), _CLIP)

    def scaled(self, seen: Mapping[str, Float32]) -> Seen:
        """Return what is seen as a network is given it, in float32. Shapes (..., size)."""
        return {
            key: np.clip(
                (value - self.mean[key]) / np.sqrt(self.var[key] + _EPSILON), -_CLIP, _CLIP
            ).astype(np.float32)
            for key, value in seen.items()
        }

    def tensors(self, name: str) -> dict[str, Array]:
        """Return mean, variance and count as arrays, by name."""
        found = {f"{name}.count": np.array([self.count])}
        for key in self.mean:
            found |= {f"{name}.{key}.mean": self.mean[key], f"{name}.{key}.var": self.var[key]}
        return found

    def restore(self, name: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take mean, variance and count over."""
        self.count = float(tensors[f"{name}.count"][0])
        for key in self.mean:
            self.mean[key] = tensors[f"{name}.{key}.mean"].copy()
            self.var[key] = tensors[f"{name}.{key}.var"].copy()


def generator_seed(seed: int, segment: int) -> int:
    """Return what torch's and numpy's global generators are seeded with for a segment."""
    return int(np.random.SeedSequence((seed, segment)).generate_state(1)[0])


def refuse_persistence(share: float) -> None:
    """Refuse noise that never changes, or is of the other sign in every step.

    Raises:
        ValueError: If it is not from 0 to less than 1.
    """
    if not 0.0 <= share < 1.0:
        raise ValueError(f"persistence: expected 0 to less than 1, got {share}")


def refuse_no_layers(hidden: Sequence[int]) -> None:
    """Refuse a network without hidden layers, or with empty ones.

    Raises:
        ValueError: If there is none, or one is narrower than 1.
    """
    if not hidden or min(hidden) < 1:
        raise ValueError(f"hidden: expected widths of 1 or more, got {list(hidden)}")


def refuse_other_tensors(
    own: Mapping[str, NDArray[Any]], given: Mapping[str, NDArray[Any]]
) -> None:
    """Refuse arrays that are not of the names and shapes of a learner's own.

    Raises:
        ValueError: Which names the first that does not fit.
    """
    for name, value in own.items():
        if name not in given or given[name].shape != value.shape:
            found = given[name].shape if name in given else "nothing"
            raise ValueError(f"{name}: expected an array of {value.shape}, found {found}")
