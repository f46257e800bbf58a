"""What is rewarded where a correction of a script is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from tasks.rewards import effort, excess, potential_difference
from tasks.task import Outcome

Terms = dict[str, Array]
"""What each arm is paid, by name. Shapes (arms,)."""


@dataclass(frozen=True)
class ResidualReward:
    """What is rewarded. The potentials change nothing about which policy is best.

    Attributes:
        success: For a job that is done.
        failure: For one that can no longer be done, or was given up.
        progress: Potential of the whole job's progress, judged by the true poses.
        plan: Potential of the walked share of the plan, for each arm.
        time_per_s: For each second in which the plans of all arms are under way; an arm pays its
            share until its own plan is walked, so that it gains by its own haste alone.
        time_elsewhere: How much of that it pays while it is not corrected, from 0 to 1. What takes
            longer there than usual is mostly no consequence of a correction and hides those it has.
        force: For each step and arm whose wrist force is at twice the limit.
        correction: For each step and arm at the largest correction: no correction without need.
        discount: Of the learner, per step.
        force_limit_n: Smallest and largest limit that an episode may draw, in N.
    """

    success: float = 10.0
    failure: float = -10.0
    progress: float = 2.0
    plan: float = 5.0
    time_per_s: float = -1.0
    time_elsewhere: float = 1.0
    force: float = -0.2
    correction: float = -0.003
    discount: float = 0.99
    force_limit_n: tuple[float, float] = (20.0, 40.0)

    def __post_init__(self) -> None:
        """Refuse limits upside down and shares out of range."""
        low, high = self.force_limit_n
        if not 0.0 < low <= high:
            raise ValueError(f"force_limit_n: expected 0 < smallest <= largest, got {low}, {high}")
        if not 0.0 < self.discount <= 1.0:
            raise ValueError(f"discount: expected more than 0, at most 1, got {self.discount}")
        if not 0.0 <= self.time_elsewhere <= 1.0:
            raise ValueError(f"time_elsewhere: expected 0 to 1, got {self.time_elsewhere}")

    def of_period(
        self,
        outcome: Outcome,
        failed: bool,
        under_way: NDArray[np.bool_],
        corrected: NDArray[np.bool_],
        force_shares: Sequence[float],
        dt: float,
    ) -> Terms:
        """Return what one policy period is worth to each arm.

        Args:
            outcome: After it.
            failed: Whether the job can no longer be done, or was given up, after it.
            under_way: Whether an arm's plan is not walked yet. Shape (arms,).
            corrected: Whether an arm was corrected. Shape (arms,).
            force_shares: Wrist force of each arm over its limit.
            dt: The period, in s.
        """
        share = np.full(len(under_way), 1.0 / len(under_way))
        rate = np.where(corrected, 1.0, self.time_elsewhere) * self.time_per_s
        return {
            "success": share * (self.success if outcome.success else 0.0),
            "failure": share * (self.failure if failed else 0.0),
            "time": share * under_way * rate * dt,
            "force": self.force * np.array([excess(force, 1.0) for force in force_shares]),
        }

    def of_correction(
        self, corrected: NDArray[np.bool_], corrections: NDArray[np.floating[Any]]
    ) -> Terms:
        """Return what is paid for correcting.

        Args:
            corrected: Whether it had an effect. Shape (arms,).
            corrections: From -1 to 1. Shape (arms, size).
        """
        efforts = np.array([effort(one.astype(np.float64)) for one in corrections])
        return {"correction": np.where(corrected, self.correction * efforts, 0.0)}

    def shaping(
        self, before: Outcome, after: Outcome, walked: Array, walked_after: Array, ended: bool
    ) -> Terms:
        """Return the differences of the potentials, which are zero at an end (Ng et al. 1999).

        Args:
            before: Judgement before a step.
            after: Judgement after it.
            walked: Share of each arm's plan that was walked before. Shape (arms,).
            walked_after: After it. Shape (arms,).
            ended: Whether the episode is over.
        """
        arms, later = len(walked), 0.0 if ended else 1.0
        progress = potential_difference(before.progress, later * after.progress, self.discount)
        plan = [
            potential_difference(float(a), float(b), self.discount)
            for a, b in zip(walked, later * walked_after, strict=True)
        ]
        return {
            "progress": np.full(arms, self.progress * progress / arms),
            "plan": self.plan * np.array(plan) / arms,
        }
