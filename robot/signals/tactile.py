"""What taxels tell: where a part is touched, and how a cylinder lies between two pads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array
from robot.sensor import TactileReading

# Below this pressure, in Pa, a taxel is taken as noise: 3 steps of 8 bits over 1 MPa.
_NOISE_PRESSURE = 12e3
# A row of taxels below this share of the fullest rows is beyond the part's end, or half beyond it.
_FULL_SHARE = 0.7
# A line through fewer touched rows than this says nothing about an angle.
_FEWEST_ROWS = 4


@dataclass(frozen=True)
class ContactPatch:
    """Where a pad is touched.

    Attributes:
        force: Sum of pressure times area, in N.
        x: Centre of pressure along the tool's x axis, in m.
        z: Centre of pressure along the tool's z axis, in m.
        area: Of the taxels that are pressed, in m^2.
    """

    force: float
    x: float
    z: float
    area: float


@dataclass(frozen=True)
class InHand:
    """How a cylinder lies in a hand, compared with a nominal grasp.

    Attributes:
        valid: Whether both pads feel enough of it to tell. The rest is zero otherwise.
        shift_x: How far its centre is off the nominal one along the tool's x axis, in m.
        shift_z: The same along the tool's z axis, in m; zero if `end_felt` is False.
        angle_y: By how much its axis is turned about the tool's y axis (the pads' normal), in rad.
        end_felt: Whether its rear end lies on the pads, so that `shift_z` is known.
    """

    valid: bool
    shift_x: float
    shift_z: float
    angle_y: float
    end_felt: bool


_NOTHING = InHand(False, 0.0, 0.0, 0.0, False)


def taxel_axis(count: int, pitch: float) -> Array:
    """Return where the taxels of a row or column are, about the middle of the pad, in m."""
    places: Array = (np.arange(count, dtype=np.float64) - 0.5 * (count - 1)) * pitch
    return places


def contact_patch(pressure: Array, pitch: float = 1.1e-3) -> ContactPatch:
    """Return force, centre of pressure and area of one pad's image.

    Args:
        pressure: Rows along the tool's z axis, columns along its x axis, in Pa.
            Shape (rows, columns).
        pitch: Of the taxels both ways, in m.
    """
    pressed = np.where(pressure > _NOISE_PRESSURE, pressure, 0.0)
    total = float(pressed.sum())
    if total == 0.0:
        return ContactPatch(0.0, 0.0, 0.0, 0.0)
    rows, columns = pressure.shape
    return ContactPatch(
        force=total * pitch**2,
        x=float(pressed.sum(axis=0) @ taxel_axis(columns, pitch)) / total,
        z=float(pressed.sum(axis=1) @ taxel_axis(rows, pitch)) / total,
        area=float(np.count_nonzero(pressed)) * pitch**2,
    )


def estimate_in_hand(
    reading: TactileReading, length: float, nominal_z: float = 0.0, pitch: float = 1.1e-3
) -> InHand:
    """Return how a cylinder whose axis is roughly along the tool's z axis lies in the hand.

    The images of both pads are added, so that a tilt that presses one end into one pad and the
    other end into the other cancels. In each row the centre of pressure is a point of the axis; a
    line through them, weighted by the rows' pressures, gives angle and sideways position. The rear
    end is where the rows stop being full, and how full the last one is tells the share of a taxel.

    Args:
        reading: Of both pads. Pressure of shape (2, rows, columns).
        length: Of the cylinder, in m.
        nominal_z: Where its centre is along the tool's z axis in a nominal grasp, in m.
        pitch: Of the taxels both ways, in m.
    """
    pads = np.where(reading.pressure > _NOISE_PRESSURE, reading.pressure, 0.0)
    if not pads.any(axis=(1, 2)).all():
        return _NOTHING
    image: Array = pads.sum(axis=0)
    along_z, along_x = taxel_axis(image.shape[0], pitch), taxel_axis(image.shape[1], pitch)
    rows = image.sum(axis=1)
    plateau = float(np.median(rows[rows > 0.5 * rows.max()]))
    full = np.flatnonzero(rows > _FULL_SHARE * plateau)
    if full.size < _FEWEST_ROWS:
        return _NOTHING
    first, weight = int(full[0]), rows[full]
    centers = image[full] @ along_x / weight
    middle = float(weight @ along_z[full] / weight.sum())
    offsets = along_z[full] - middle
    x_middle = float(weight @ centers / weight.sum())
    slope = float((weight * offsets) @ centers / ((weight * offsets) @ offsets))
    angle = math.atan(slope)
    end_felt = first > 0
    shift_z = 0.0
    if end_felt:
        partly = min(float(rows[:first].sum()) / plateau, 1.0)
        rear = float(along_z[first]) - (0.5 + partly) * pitch
        shift_z = rear + 0.5 * length * math.cos(angle) - nominal_z
    shift_x = x_middle + slope * (nominal_z + shift_z - middle)
    return InHand(True, shift_x, shift_z, angle, end_felt)
