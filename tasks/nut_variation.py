"""How far one cycle of the nut insertion differs from the next, level by level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.variation import Variation


@dataclass(frozen=True)
class NutVariation(Variation):
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
        feeder_fault_chance: Chance, per feeder and cycle, that it is empty or jammed for a while.
        feeder_fault_time: Shortest and longest such while, in s.
    """

    feeder_offset: float = 0.0
    grasp_offset: float = 0.0
    grasp_tilt: float = 0.0
    pin_offset: float = 0.0
    pin_tilt: float = 0.0
    clearance: tuple[float, float] = (0.15e-3, 0.15e-3)
    chamfer: tuple[float, float] = (0.75e-3, 0.75e-3)
    magnet_force: tuple[float, float] = (5.0, 5.0)
    feeder_fault_chance: float = 0.0
    feeder_fault_time: tuple[float, float] = (2.0, 6.0)


_FACTORY = NutVariation(
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

NUT_LEVELS: Mapping[str, NutVariation] = {
    "nominal": NutVariation(),
    "factory": _FACTORY,
    # Twice as wide where that still makes sense: a clearance below 0.05 mm is a press fit, friction
    # above 0.6 is not steel on steel, and a bump above 20 N·s is a collision.
    "hard": NutVariation(
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
