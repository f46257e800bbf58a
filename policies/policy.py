"""Seam: who acts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from tasks.phases import Phase

Observation = Mapping[str, NDArray[np.float32]]
Action = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Brief:
    """What a policy is told before an episode; nothing a real cell would not know.

    Attributes:
        instruction: The job in one English sentence.
        arms: The arms that do the job, in the order of the action.
        phases: The nominal plan.
        seed: Seeds whatever the policy draws.
        action_scale: What an action of one means, by name with unit (see `envs.actions`).
        dt: The policy period, in s.
        signals: Process signals in the order of the observation's `signals`.
        stiffness: Returns what an action's stiffness number means, in N/m then N·m/rad along the
            tool axes, shape (6,); infinite if nothing is known.
    """

    instruction: str
    arms: tuple[str, ...]
    phases: tuple[Phase, ...]
    seed: int
    action_scale: Mapping[str, float] = field(default_factory=dict)
    dt: float = 0.04
    signals: tuple[str, ...] = ()
    stiffness: Callable[[float], Array] = lambda share: np.full(6, np.inf)


class Policy(ABC):
    """Chooses what to do, once every policy period.

    A policy sees only observations and briefs. It imports neither Gymnasium nor a device, so
    that a scripted expert, a trained network and a recorded demonstration are interchangeable.
    """

    @abstractmethod
    def reset(self, brief: Brief) -> None:
        """Forget the past and get ready for an episode."""

    @abstractmethod
    def act(self, observation: Observation) -> Action:
        """Return the next action.

        Args:
            observation: One observation, not batched, as the environment returned it.

        Returns:
            Entries in [-1, 1], nine for each arm. Shape (9 * len(arms),), float32.
        """

    def report(self) -> Mapping[str, Any]:
        """Return what the policy has to say about the episode, for its record: attempts, phases.

        By arm: `finished`, `gave_up`, `retries`, `reasons`, `phase_times_s`, `phase`; and where
        the job is to find something out, `findings`: for each thing looked at, by name, a `verdict`
        and what it rests on. A policy that keeps no books returns nothing.
        """
        return {}
