"""How far one pack differs from the next in high-voltage plugging, level by level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from typing_extensions import override

from tasks.variation import Variation


class Fault(IntEnum):
    """What may be wrong with a port: its plug cannot be mated, and must not be forced."""

    NONE = 0
    WRONG_PLUG = 1
    """The plug in the dock has another key."""

    DEBRIS = 2
    """Something in the header stops the plug short."""

    DEAD_LATCH = 3
    """The latch does not click."""

    WRONG_HEADER = 4
    """The header has another key."""


@dataclass(frozen=True)
class HvVariation(Variation):
    """The ranges of one level; every draw is uniform inside them.

    Attributes:
        pack_offset: How far a pack stands from where packs stand, per axis, in m.
        pack_tilt: How far it is turned about each axis, in rad.
        header_offset: How far a header is from where the robot believes, per axis, in m.
        header_tilt: How far it is turned from that about each axis, in rad.
        grasp_offset: How far a docked plug is from where the robot believes, per axis, in m: it
            lies in the hand as far off. A millimetre of it is the plug's room in the dock.
        grasp_tilt: How far it is turned from that about each axis, in rad.
        mating_scale: Forces of mating and unmating, as a share of their type's.
        harness_length: From clip to plug, in m.
        harness_diameter: Outer, in m.
        harness_mass: Per length, in kg/m.
        harness_bending: Bending stiffness, in N·m^2.
        harness_twist: How far a harness is twisted between clip and plug, which is how it comes to
            hang elsewhere, in rad, either way.
        wrong_plug_chance: Chance, per pack, that one plug in its dock has another key.
        debris_chance: Chance, per pack, that something lies in one header.
        dead_latch_chance: Chance, per pack, that one latch does not click.
        wrong_header_chance: Chance, per pack, that one header has another key.
        bad_pack_chance: Chance that the pack itself fails its test.
    """

    pack_offset: float = 0.0
    pack_tilt: float = 0.0
    header_offset: float = 0.0
    header_tilt: float = 0.0
    grasp_offset: float = 0.0
    grasp_tilt: float = 0.0
    mating_scale: tuple[float, float] = (1.0, 1.0)
    harness_length: tuple[float, float] = (0.90, 0.90)
    harness_diameter: tuple[float, float] = (16e-3, 16e-3)
    harness_mass: tuple[float, float] = (0.5, 0.5)
    harness_bending: tuple[float, float] = (0.15, 0.15)
    harness_twist: float = 0.0
    wrong_plug_chance: float = 0.0
    debris_chance: float = 0.0
    dead_latch_chance: float = 0.0
    wrong_header_chance: float = 0.0
    bad_pack_chance: float = 0.0

    @override
    def __post_init__(self) -> None:
        """Refuse ranges that are negative or upside down, and more faults than packs."""
        super().__post_init__()
        if sum(self.fault_chances.values()) > 1.0:
            raise ValueError(
                f"chances of a fault: expected at most 1 in sum, got {self.fault_chances}"
            )

    @property
    def fault_chances(self) -> Mapping[Fault, float]:
        """How likely each fault is, per pack; a pack has one at most."""
        return {
            Fault.WRONG_PLUG: self.wrong_plug_chance,
            Fault.DEBRIS: self.debris_chance,
            Fault.DEAD_LATCH: self.dead_latch_chance,
            Fault.WRONG_HEADER: self.wrong_header_chance,
        }

    def draw_fault(self, rng: np.random.Generator) -> Fault:
        """Return what is wrong with a pack, mostly nothing; takes one number of the generator."""
        number = float(rng.uniform())
        for fault, chance in self.fault_chances.items():
            if number < chance:
                return fault
            number -= chance
        return Fault.NONE


_FACTORY = HvVariation(
    pack_offset=5e-3,
    pack_tilt=float(np.radians(2.0)),
    header_offset=5e-3,
    header_tilt=float(np.radians(3.0)),
    grasp_offset=2e-3,
    grasp_tilt=float(np.radians(4.0)),
    mating_scale=(0.8, 1.0),
    harness_length=(0.85, 0.95),
    harness_diameter=(14e-3, 18e-3),
    harness_mass=(0.3, 0.7),
    harness_bending=(0.08, 0.30),
    harness_twist=float(np.radians(30.0)),
    friction=(0.10, 0.40),
    grip_share=0.10,
    shove_chance=0.2,
    shove_impulse=10.0,
    wrong_plug_chance=0.01,
    debris_chance=0.01,
    dead_latch_chance=0.01,
    wrong_header_chance=0.01,
    bad_pack_chance=0.02,
)

HV_LEVELS: Mapping[str, HvVariation] = {
    "nominal": HvVariation(),
    "factory": _FACTORY,
    "hard": HvVariation(
        pack_offset=10e-3,
        pack_tilt=float(np.radians(3.0)),
        header_offset=5e-3,
        header_tilt=float(np.radians(10.0)),
        grasp_offset=3e-3,
        grasp_tilt=float(np.radians(6.0)),
        mating_scale=(0.7, 1.05),
        harness_length=(0.80, 1.00),
        harness_diameter=(14e-3, 18e-3),
        harness_mass=(0.3, 0.7),
        harness_bending=(0.05, 0.50),
        harness_twist=float(np.radians(60.0)),
        friction=(0.05, 0.60),
        grip_share=0.20,
        shove_chance=0.4,
        shove_impulse=20.0,
        wrong_plug_chance=0.03,
        debris_chance=0.03,
        dead_latch_chance=0.03,
        wrong_header_chance=0.03,
        bad_pack_chance=0.05,
    ),
}
