"""How far one cycle differs from the next: what every task varies, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from robot.arrays import Array
from robot.spatial import Pose

T = TypeVar("T", bound="Variation")

LEVELS = ("nominal", "factory", "hard")
"""Names of the levels that every task has; the same level is as hard in every task."""


@dataclass(frozen=True)
class Variation:
    """The ranges of one level that every task has; every draw is uniform inside them.

    Attributes:
        friction: Of the parts on each other, smallest and largest.
        grip_share: By how much of itself the grip force differs.
        shove_chance: Chance that somebody bumps into the robot in a cycle.
        shove_impulse: Largest such bump, in N·s.
        noise: Name of the sensor noise level.
    """

    friction: tuple[float, float] = (0.2, 0.2)
    grip_share: float = 0.0
    shove_chance: float = 0.0
    shove_impulse: float = 0.0
    noise: str = "B"

    def __post_init__(self) -> None:
        """Refuse ranges that are negative or upside down."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, tuple) and not 0.0 <= value[0] <= value[1]:
                raise ValueError(f"{item.name}: expected 0 <= smallest <= largest, got {value}")
            if isinstance(value, float) and value < 0.0:
                raise ValueError(f"{item.name}: expected 0 or more, got {value}")


def mixed(easier: T, harder: T, share: float) -> T:
    """Return a level between two, range by range.

    Args:
        easier: What it is at 0.
        harder: What it is at 1, of the same class.
        share: From 0 to 1.
    """

    def between_both(low: Any, high: Any) -> Any:
        if isinstance(low, tuple):
            return tuple(between_both(a, b) for a, b in zip(low, high, strict=True))
        if isinstance(low, float):
            return low + share * (high - low)
        # A name, of which there is no half.
        return low if share < 1.0 else high

    values = {
        item.name: between_both(getattr(easier, item.name), getattr(harder, item.name))
        for item in fields(easier)
    }
    return replace(easier, **values)


def symmetric(rng: np.random.Generator, largest: float, size: int = 3) -> Array:
    """Return numbers drawn between minus and plus a bound. Shape (size,)."""
    return rng.uniform(-1.0, 1.0, size) * largest


def between(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Return a number drawn between two bounds."""
    return float(rng.uniform(*bounds))


def misplaced(rng: np.random.Generator, offset: float, tilt: float, turn: float = 0.0) -> Pose:
    """Return a small displacement, to be appended to a pose.

    Args:
        rng: The episode's generator.
        offset: Largest shift along each axis, in m.
        tilt: Largest angle about the x and y axes, in rad.
        turn: Largest angle about the z axis, in rad.
    """
    shift = symmetric(rng, offset)
    angles = symmetric(rng, 1.0) * np.array([tilt, tilt, turn])
    return Pose.from_rotation_vector(angles, shift)


def shove(rng: np.random.Generator, variation: Variation, window: float) -> dict[str, float]:
    """Draw whether, when, where to and how hard somebody bumps into the robot's torso.

    The same numbers are drawn whether or not a bump comes of them, so that a change of its chance
    leaves every other draw of the episode as it was.

    Args:
        rng: The episode's generator.
        variation: The level.
        window: Latest time of a bump, in s from the start of the cycle.

    Returns:
        `shove_time_s`, `shove_x_ns` and `shove_y_ns`; zero impulse if there is none.
    """
    chance, time, heading, share = rng.uniform(size=4)
    impulse = share * variation.shove_impulse if chance < variation.shove_chance else 0.0
    angle = 2.0 * np.pi * heading
    return {
        "shove_time_s": float(time * window),
        "shove_x_ns": float(impulse * np.cos(angle)),
        "shove_y_ns": float(impulse * np.sin(angle)),
    }
