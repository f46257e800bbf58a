"""Predicates on poses, in the part's own frame: how a nut sits on its pin."""

from __future__ import annotations

import math
from dataclasses import dataclass

from robot.spatial import Pose


@dataclass(frozen=True)
class Seat:
    """How a nut sits on a pin.

    Attributes:
        gap: Axial distance between the nut's face and the seat, in m; negative if it is pressed in.
        lateral: Distance between the nut's centre and the pin's axis, in m.
        tilt: Angle between the two axes, in rad.
        phase: How far the nut is turned from the nearest way in which its teeth mesh, in rad.
    """

    gap: float
    lateral: float
    tilt: float
    phase: float


@dataclass(frozen=True)
class SeatRule:
    """When a nut is seated.

    Attributes:
        gap: Largest axial gap, in m.
        tilt: Largest tilt, in rad.
        pressed: How far the face may be pressed into the seat by the contact's softness, in m.
    """

    gap: float = 0.3e-3
    tilt: float = math.radians(1.0)
    pressed: float = 0.3e-3


def seat_of(pose_pin_nut: Pose, length: float, teeth: int) -> Seat:
    """Return how a nut sits on a pin; a nut is the same from both ends.

    Args:
        pose_pin_nut: The nut (origin at its centre, z along its axis) in the pin's frame (origin in
            the seat plane, z towards the tip).
        length: Of the nut, in m.
        teeth: Of the spline.
    """
    rotation = pose_pin_nut.rotation
    cosine = float(rotation[2, 2])
    tilt = math.atan2(math.hypot(float(rotation[0, 2]), float(rotation[1, 2])), abs(cosine))
    x, y, z = (float(v) for v in pose_pin_nut.position)
    # Turned end for end, the nut's x axis still points to a tooth: the yaw is read the same way.
    yaw = math.atan2(float(rotation[1, 0]), float(rotation[0, 0]))
    pitch = 2.0 * math.pi / teeth
    phase = abs((yaw + 0.5 * pitch) % pitch - 0.5 * pitch)
    # A tilted nut touches with its rim, which lies lower than its centre face.
    return Seat(gap=z - 0.5 * length, lateral=math.hypot(x, y), tilt=tilt, phase=phase)


def is_meshed(seat: Seat, clearance: float, root_radius: float, pin_height: float) -> bool:
    """Return whether the teeth are between each other: in phase, on the axis and over the tip.

    Args:
        seat: How the nut sits.
        clearance: Radial clearance of the spline, in m.
        root_radius: Of the pin's spline, in m: the angle that a clearance allows is measured there.
        pin_height: From seat to tip, in m.
    """
    # The contact gives way by under 0.1 mm, which adds to what the clearance allows.
    play = clearance + 0.1e-3
    return (
        seat.gap < pin_height - 1e-3
        and seat.lateral < play + math.sin(seat.tilt) * pin_height
        and seat.phase < math.atan2(2.0 * play, root_radius)
    )


def is_seated(seat: Seat, meshed: bool, rule: SeatRule) -> bool:
    """Return whether a nut is home: gap, teeth and tilt, all three."""
    return meshed and -rule.pressed <= seat.gap <= rule.gap and seat.tilt <= rule.tilt
