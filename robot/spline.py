"""Dimensions of a splined pin and its nut, shared by plan, judgement and physics."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Spline:
    """A splined pin standing on a plate, and the nut with the matching bore.

    Pin frame: origin at the centre of the seat (the plate's surface), +z out of the plate towards
    the tip, +x through the middle of a tooth. Nut frame: origin at its middle, +z along its axis,
    +x through the middle of a groove. The nut is the same from both ends.

    Across the axis the pin is a ring of straight-flanked teeth; the bore is the offset curve of the
    pin at the radial clearance. Both have lead-in chamfers of 45 degrees that are turned, so they
    are cones: they centre the nut and leave its yaw alone.

    Attributes:
        teeth: How many.
        root_radius: Of the pin between the teeth, in m.
        tip_radius: Of the pin on the teeth, in m.
        tip_half_angle: Half of a tooth's width at the tip, seen from the axis, in rad.
        root_half_angle: Half of a tooth's width at the root, seen from the axis, in rad.
        pin_height: From the seat to the tip, in m: how far a nut goes from first touch to home.
        nut_length: In m.
        nut_radius: Outside, in m.
        plate_half_width: Half the edge of the square plate, in m.
    """

    teeth: int
    root_radius: float
    tip_radius: float
    tip_half_angle: float
    root_half_angle: float
    pin_height: float
    nut_length: float
    nut_radius: float
    plate_half_width: float

    def __post_init__(self) -> None:
        """Refuse dimensions that make no spline."""
        if self.teeth < 2:
            raise ValueError(f"teeth: expected at least 2, got {self.teeth}")
        if not 0.0 < self.root_radius < self.tip_radius < self.nut_radius:
            raise ValueError(
                "radii: expected 0 < root < tip < nut, got "
                f"{self.root_radius}, {self.tip_radius}, {self.nut_radius}"
            )
        if not 0.0 < self.tip_half_angle <= self.root_half_angle < self.half_pitch:
            raise ValueError(
                f"half angles: expected 0 < tip <= root < {self.half_pitch:.4f}, got "
                f"{self.tip_half_angle}, {self.root_half_angle}"
            )
        if not 0.0 < self.pin_height < self.nut_length:
            raise ValueError(
                "pin_height: expected between 0 and nut_length "
                f"{self.nut_length}, got {self.pin_height}"
            )

    @property
    def half_pitch(self) -> float:
        """Angle from the middle of a tooth to the middle of a gap, in rad."""
        return math.pi / self.teeth

    @property
    def tooth_height(self) -> float:
        """Difference of the tip and root radius, in m."""
        return self.tip_radius - self.root_radius

    def rest_depth(self, clearance: float, chamfer: float) -> float:
        """Return how far past the tip a centred nut gets that is half a pitch out of phase, in m.

        The two chamfer cones meet where `r_pin(z) = r_nut(z)`: each chamfer lets the nut in by its
        length, less the overlap of the teeth.

        Args:
            clearance: Radial, in m.
            chamfer: Of pin and nut, in m.
        """
        return max(0.0, 2.0 * chamfer - self.tooth_height + clearance)

    def capture_radius(self, clearance: float, chamfer: float) -> float:
        """Return the largest offset of the axes at which the cones still guide the nut in, in m.

        At this offset the pin's top edge meets the nut's mouth at a tooth; opposite a groove the
        nut is caught from further off by the height of a tooth.

        Args:
            clearance: Radial, in m.
            chamfer: Of pin and nut, in m.
        """
        return self.rest_depth(clearance, chamfer)

    def wedge_tilt(self, clearance: float, depth: float) -> float:
        """Return the tilt at which a nut touches the pin at two opposite points, in rad.

        `2 c / L` for a bore that covers the pin over the length L.

        Args:
            clearance: Radial, in m.
            depth: How far the nut covers the pin, in m.
        """
        return 2.0 * clearance / depth
