"""The insert nut, its magnetised splined pin on the fixture, and the nest that the feeder fills.

No drawing of the factory's parts is public. The sizes are those of self-tapping threaded inserts
of the Ensat kind (M8: 12 mm outside, 15 mm long, 7 g) with an internal drive spline like ISO 14's
medium series (tooth height about 18 % of the tip radius), which leaves a wall of 1.9 mm behind the
grooves.

Frames:
    nut: origin at the centre of mass, +z along the axis, +x through a groove.
    pin: origin at the centre of the seat, +z out of the plate to the robot, +x through a tooth.
    nest: where the nut's frame is when it rests there: +z towards the robot, +x up, away from the
        cradle.
    tool: +z is the approach, so a held nut's +z is the tool's -z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from robot.geometry import Box, Color, Cylinder, Shape
from robot.spatial import Pose
from robot.spline import Spline
from tasks.parts.shapes import Part

STEEL: Color = (0.72, 0.73, 0.76, 1.0)
BORE: Color = (0.12, 0.12, 0.13, 1.0)
BRASS: Color = (0.80, 0.62, 0.25, 1.0)
FIXTURE: Color = (0.25, 0.32, 0.42, 1.0)
FEEDER: Color = (0.20, 0.45, 0.35, 1.0)

# Pads are 14 mm long about the tool origin; this much of the nut's rear lies between them.
GRASP_LENGTH = 0.009
PAD_HALF_LENGTH = 0.007

# The cradle's rails touch the nut 30 degrees to either side of its lowest line: low enough to stay
# clear of pads that come from the sides, steep enough to centre the nut.
_RAIL_ANGLE = math.radians(30.0)
_RAIL_HALF_WIDTH = 0.0011
_RAIL_THICKNESS = 0.002
# The rails end short of the nut's rear, and carry its centre of mass with room on both sides.
_RAIL_SHORT_OF_REAR = 0.002
_STOP_THICKNESS = 0.003
_PLATE_THICKNESS = 0.008


@dataclass(frozen=True)
class NutSize:
    """One size of nut with its pin.

    Attributes:
        name: As in the configuration.
        spline: Dimensions of the fit, the nut and the pin.
        mass: Of the nut, in kg.
    """

    name: str
    spline: Spline
    mass: float

    @property
    def inertia(self) -> tuple[float, float, float]:
        """Principal moments of the nut as a tube of the mean bore radius, in kg·m^2."""
        outer = self.spline.nut_radius
        inner = 0.5 * (self.spline.root_radius + self.spline.tip_radius)
        squares = outer**2 + inner**2
        across = self.mass * (3.0 * squares + self.spline.nut_length**2) / 12.0
        return (across, across, 0.5 * self.mass * squares)

    @property
    def pose_pin_nut(self) -> Pose:
        """The nut when seated, as seen from the pin."""
        return Pose.translation((0.0, 0.0, 0.5 * self.spline.nut_length))

    @property
    def pose_tool_nut(self) -> Pose:
        """The nut in a nominal grasp: its rear between the pads, flush with nothing but air."""
        rear = PAD_HALF_LENGTH - GRASP_LENGTH
        return Pose.from_rotation_vector(
            (math.pi, 0.0, 0.0), (0.0, 0.0, rear + 0.5 * self.spline.nut_length)
        )


def _spline(
    root_mm: float, tip_mm: float, height_mm: float, length_mm: float, od_mm: float
) -> Spline:
    """Return six-toothed dimensions given in millimetres."""
    return Spline(
        teeth=6,
        root_radius=root_mm * 1e-3,
        tip_radius=tip_mm * 1e-3,
        tip_half_angle=math.radians(12.0),
        root_half_angle=math.radians(17.0),
        pin_height=height_mm * 1e-3,
        nut_length=length_mm * 1e-3,
        nut_radius=0.5e-3 * od_mm,
        plate_half_width=0.020,
    )


NUT_SIZES: dict[str, NutSize] = {
    "m8": NutSize("m8", _spline(3.3, 4.0, 8.0, 15.0, 12.0), 0.007),
    "m6": NutSize("m6", _spline(2.6, 3.2, 6.5, 12.0, 10.0), 0.004),
    "m10": NutSize("m10", _spline(4.0, 4.8, 9.5, 18.0, 14.0), 0.011),
}


def nut_part(name: str, size: NutSize, friction: float = 0.5) -> Part:
    """Return a nut: a solid cylinder to everything but its pin, with a bore that is only seen.

    Args:
        name: Unique in the scene.
        size: Dimensions.
        friction: Its share of the friction with pads and nest.
    """
    spline = size.spline
    return Part(
        name=name,
        shapes=(
            Cylinder(spline.nut_radius, spline.nut_length, color=STEEL),
            # Longer than the nut by a hair, so that the dark discs win over its end faces.
            Cylinder(spline.tip_radius, spline.nut_length + 1e-4, color=BORE, collides=False),
        ),
        fixed=False,
        mass=size.mass,
        inertia=size.inertia,
        friction=friction,
    )


def pin_part(name: str, size: NutSize, friction: float = 0.5) -> Part:
    """Return a fixture: pin, plate and the column behind it, one fixed body in the pin frame.

    Args:
        name: Unique in the scene.
        size: Dimensions.
        friction: Its share of the friction with whatever touches it, nuts on the pin excepted.
    """
    spline = size.spline
    half_plate = spline.plate_half_width
    shapes: list[Shape] = [
        Box(
            (half_plate, half_plate, 0.5 * _PLATE_THICKNESS),
            Pose.translation((0.0, 0.0, -0.5 * _PLATE_THICKNESS)),
            color=FIXTURE,
        ),
        Box(
            (0.012, 0.012, 0.03),
            Pose.translation((0.0, 0.0, -_PLATE_THICKNESS - 0.03)),
            color=FIXTURE,
        ),
        Cylinder(
            spline.root_radius,
            spline.pin_height,
            Pose.translation((0.0, 0.0, 0.5 * spline.pin_height)),
            color=BRASS,
        ),
    ]
    half_width = spline.tip_radius * math.sin(spline.tip_half_angle)
    # Teeth end below the tip by half a tooth's height, where a chamfer would leave their middle.
    tooth_length = spline.pin_height - 0.5 * spline.tooth_height
    for tooth in range(spline.teeth):
        angle = 2.0 * spline.half_pitch * tooth
        middle = 0.5 * (spline.root_radius + spline.tip_radius)
        shapes.append(
            Box(
                (0.5 * spline.tooth_height, half_width, 0.5 * tooth_length),
                Pose.from_rotation_vector(
                    (0.0, 0.0, angle),
                    (middle * math.cos(angle), middle * math.sin(angle), 0.5 * tooth_length),
                ),
                color=BRASS,
            )
        )
    return Part(name=name, shapes=tuple(shapes), fixed=True, friction=friction)


def nest_part(name: str, size: NutSize, friction: float = 0.5) -> Part:
    """Return a nest: a V of two rails under the nut, and a stop before its front end.

    The nut lies in the V under gravity for approach directions up to 45 degrees below the
    horizontal, may be turned about its axis by any angle, and leaves along +z. A level nest needs
    friction above 0.2 to keep it from creeping out. Pads that close along y and sit at the nut's
    height stay clear of the rails.

    Args:
        name: Unique in the scene.
        size: Dimensions.
        friction: Its share of the friction with the nut.
    """
    radius, length = size.spline.nut_radius, size.spline.nut_length
    front = -0.5 * length
    rail_length = length - _RAIL_SHORT_OF_REAR
    rail_middle = front + 0.5 * rail_length
    shapes: list[Shape] = []
    for side in (-1.0, 1.0):
        # The rail's x axis points from the nut's axis out through the line of contact.
        angle = math.pi + side * _RAIL_ANGLE
        distance = radius + 0.5 * _RAIL_THICKNESS
        shapes.append(
            Box(
                (0.5 * _RAIL_THICKNESS, _RAIL_HALF_WIDTH, 0.5 * rail_length),
                Pose.from_rotation_vector(
                    (0.0, 0.0, angle),
                    (distance * math.cos(angle), distance * math.sin(angle), rail_middle),
                ),
                color=FEEDER,
            )
        )
    beam_top = -(radius + 0.0005)
    beam_half_height = 0.003
    shapes.append(
        Box(
            (beam_half_height, 0.0025, 0.5 * rail_length),
            Pose.translation((beam_top - beam_half_height, 0.0, rail_middle)),
            color=FEEDER,
        )
    )
    stop_top, stop_bottom = 0.002, beam_top - 2.0 * beam_half_height
    shapes.append(
        Box(
            (0.5 * (stop_top - stop_bottom), 0.003, 0.5 * _STOP_THICKNESS),
            Pose.translation((0.5 * (stop_top + stop_bottom), 0.0, front - 0.5 * _STOP_THICKNESS)),
            color=FEEDER,
        )
    )
    post_half_height = 0.03
    shapes.append(
        Box(
            (post_half_height, 0.008, 0.006),
            Pose.translation((stop_bottom - post_half_height, 0.0, front - 0.006)),
            color=FEEDER,
        )
    )
    return Part(name=name, shapes=tuple(shapes), fixed=True, friction=friction)
