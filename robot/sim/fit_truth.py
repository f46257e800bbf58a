"""How a nut really sits on its pin, for judges and tests; no device may report it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot.spatial import Pose
from robot.spline import Spline

# Deeper than a wrongly phased nut can get by this much, in m, means that the teeth are meshed.
_MESH_MARGIN = 1e-3


@dataclass(frozen=True)
class FitTruth:
    """How a nut really sits.

    Attributes:
        gap: Height of the middle of the nut's face over the seat, in m; 0 when home.
        depth: How far the pin's tip is inside the nut, in m; negative before first touch.
        offset: Of the pin's tip from the nut's axis, in m.
        tilt: Angle between the axes, in rad.
        meshed: The teeth are engaged: the nut is deeper than a wrongly phased one can get.
        touching: Any point of nut and fixture is in contact.
        force: Size of the contact force, in N.
        penetration: How far the stiff contact gives way at its deepest point, in m.
        held: Something else presses on the nut.
    """

    gap: float
    depth: float
    offset: float
    tilt: float
    meshed: bool
    touching: bool
    force: float
    penetration: float
    held: bool


def fit_truth(
    spline: Spline,
    rest_depth: float,
    pose_pin_nut: Pose,
    *,
    points: float,
    force: float,
    penetration: float,
    held: bool,
) -> FitTruth:
    """Judge a pose; either end of the nut may face the pin.

    Args:
        spline: Dimensions of both.
        rest_depth: How far past the tip a wrongly phased nut gets, in m.
        pose_pin_nut: Where the nut is.
        points: How many points touch.
        force: Size of the contact force, in N.
        penetration: In m.
        held: Something else presses on the nut.
    """
    axis = pose_pin_nut.rotation[:, 2]
    axis = axis if axis[2] >= 0.0 else -axis
    front = pose_pin_nut.position - 0.5 * spline.nut_length * axis
    tip = np.array([0.0, 0.0, spline.pin_height]) - front
    depth = float(tip @ axis)
    offset = float(np.linalg.norm(tip - depth * axis))
    return FitTruth(
        gap=float(front[2]),
        depth=depth,
        offset=offset,
        tilt=math.atan2(math.hypot(float(axis[0]), float(axis[1])), float(axis[2])),
        meshed=offset < spline.tooth_height and depth > rest_depth + _MESH_MARGIN,
        touching=points > 0.0,
        force=force,
        penetration=penetration,
        held=held,
    )
