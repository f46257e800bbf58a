"""How far one cycle differs from the next: named levels, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from robot.arrays import Array
from robot.errors import UnknownName
from robot.spatial import Pose


@dataclass(frozen=True)
class Variation:
    """The ranges of one level; every draw is uniform inside them.

    Attributes:
        feeder_offset: How far the feeder presents a nut from where it should, per axis, in m.
        grasp_offset: How far the nest stands from where the robot believes, per axis, in m: the
            grasp is off by as much.
        grasp_tilt: How far the nest is skewed about each axis across the nut's, in rad.
        pin_offset: How far the pin stands from where the robot believes, per axis, in m.
        pin_tilt: How far the pin leans about each axis across its own, in rad.
        clearance: Radial clearance of the spline, smallest and largest, in m.
        chamfer: Lead-in of nut and pin, smallest and largest, in m.
        magnet_force: Pull of the pin at contact, smallest and largest, in N.
        friction: Steel on steel, smallest and largest.
        grip_share: By how much of itself the grip force differs.
        shove_chance: Chance that somebody bumps into the robot in a cycle.
        shove_impulse: Largest such bump, in N·s.
        feeder_fault_chance: Chance, per feeder and cycle, that it is empty or jammed for a while.
        feeder_fault_time: Shortest and longest such while, in s.
        noise: Name of the sensor noise level.
    """

    feeder_offset: float = 0.0
    grasp_offset: float = 0.0
    grasp_tilt: float = 0.0
    pin_offset: float = 0.0
    pin_tilt: float = 0.0
    clearance: tuple[float, float] = (0.15e-3, 0.15e-3)
    chamfer: tuple[float, float] = (0.75e-3, 0.75e-3)
    magnet_force: tuple[float, float] = (5.0, 5.0)
    friction: tuple[float, float] = (0.2, 0.2)
    grip_share: float = 0.0
    shove_chance: float = 0.0
    shove_impulse: float = 0.0
    feeder_fault_chance: float = 0.0
    feeder_fault_time: tuple[float, float] = (2.0, 6.0)
    noise: str = "B"

    def __post_init__(self) -> None:
        """Refuse ranges that are negative or upside down."""
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, tuple) and not 0.0 <= value[0] <= value[1]:
                raise ValueError(f"{item.name}: expected 0 <= smallest <= largest, got {value}")
            if isinstance(value, float) and value < 0.0:
                raise ValueError(f"{item.name}: expected 0 or more, got {value}")


_FACTORY = Variation(
    feeder_offset=0.2e-3,
    grasp_offset=2e-3,
    grasp_tilt=float(np.radians(5.0)),
    pin_offset=2e-3,
    pin_tilt=float(np.radians(1.0)),
    clearance=(0.10e-3, 0.20e-3),
    chamfer=(0.5e-3, 1.0e-3),
    magnet_force=(2.0, 10.0),
    friction=(0.10, 0.40),
    grip_share=0.10,
    shove_chance=0.2,
    shove_impulse=10.0,
    feeder_fault_chance=0.005,
)

LEVELS: Mapping[str, Variation] = {
    "nominal": Variation(),
    "factory": _FACTORY,
    # Twice as wide where that still makes sense: a clearance below 0.05 mm is a press fit, friction
    # above 0.6 is not steel on steel, and a bump above 20 N·s is a collision.
    "hard": Variation(
        feeder_offset=0.4e-3,
        grasp_offset=4e-3,
        grasp_tilt=float(np.radians(10.0)),
        pin_offset=4e-3,
        pin_tilt=float(np.radians(2.0)),
        clearance=(0.05e-3, 0.25e-3),
        chamfer=(0.3e-3, 1.2e-3),
        magnet_force=(1.0, 14.0),
        friction=(0.05, 0.60),
        grip_share=0.20,
        shove_chance=0.4,
        shove_impulse=20.0,
        feeder_fault_chance=0.01,
    ),
}


def level_named(name: str) -> Variation:
    """Return the ranges of a level.

    Raises:
        UnknownName: If there is none of that name.
    """
    if name not in LEVELS:
        raise UnknownName("level", name, LEVELS)
    return LEVELS[name]


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
