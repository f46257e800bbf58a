"""Shaping functions: pure numbers in, pure numbers out."""

from __future__ import annotations

import numpy as np

from robot.arrays import Array
from tasks.task import Outcome


def potential_difference(before: float, after: float, discount: float = 0.99) -> float:
    """Return the shaping that leaves the best policy what it is.

    F = discount * P(s') - P(s) for a potential P, after Ng, Harada and Russell, "Policy
    invariance under reward transformations", ICML 1999.

    Args:
        before: Potential before the step.
        after: Potential after the step.
        discount: Of the learner.
    """
    return discount * after - before


def progress_shaping(before: Outcome, after: Outcome) -> float:
    """Return the shaping by how far a job has come, between two judgements of one episode.

    The potential of an end that is a failure is 0, or a job that is spoilt late would be worth more
    than one that is left alone. Every job that is done has come as far as any other, which pays the
    same for each.

    Args:
        before: Judgement before the step.
        after: Judgement after the step.
    """
    reached = 0.0 if after.failure is not None else after.progress
    return potential_difference(before.progress, reached)


def effort(action: Array) -> float:
    """Return the mean square of an action, from 0 to 1."""
    return float(np.mean(np.square(action)))


def excess(value: float, limit: float) -> float:
    """Return by how much of a limit a value is above it; 0 below."""
    return max(0.0, value / limit - 1.0)
