"""Seam: a script that takes corrections, as the environment that trains them sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from envs.assembly_env import AssemblyEnv
from envs.observations import Observation
from robot.arrays import Array
from robot.spatial import Pose

Float32 = NDArray[np.float32]


class Guide(ABC):
    """The script as this environment sees it: it decides, and takes corrections.

    Attributes:
        arms: The arms that are corrected, in order.
        size: How many numbers are seen of one arm.
        sensed_size: How many there are to see, of which an actor may be shown fewer.
        correction_size: How many numbers correct one arm.
    """

    arms: tuple[str, ...]
    size: int
    sensed_size: int
    correction_size: int

    @abstractmethod
    def begin(self, env: AssemblyEnv, seed: int, force_limit: float, learning: bool = True) -> None:
        """Begin the episode to which an environment was just reset.

        Args:
            env: The environment.
            seed: For whatever the script draws.
            force_limit: Wrist force that should not be exceeded, in N.
            learning: Whether all that can be is corrected, rather than what a policy that was
                trained is trusted with.
        """

    @abstractmethod
    def look(self, observation: Observation) -> Float32:
        """Let the script decide, and return what there is to see. Shape (arms, size)."""

    @abstractmethod
    def sensed(self) -> Float32:
        """Return all that there was to see at the last look. Shape (arms, sensed_size)."""

    @abstractmethod
    def act(self, correction: Float32) -> Float32:
        """Return the script's action with a correction of shape (arms, correction_size)."""

    @abstractmethod
    def goals(self) -> tuple[Pose | None, ...]:
        """Return where each arm should get to, or None for one that is not corrected now."""

    @abstractmethod
    def walked(self) -> Array:
        """Return how much of each arm's plan is walked, from 0 to 1. Shape (arms,)."""

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether the script has nothing left to do, whether or not the job is done."""
