"""How the pads feel a held part, as a policy is told."""

from __future__ import annotations

import numpy as np

from robot.arrays import Array, frozen
from robot.sensor import TactileReading
from robot.signals.tactile import estimate_in_hand
from tasks.task import Observed, Snapshot


def in_hand_entry(arm: str, part: str) -> Observed:
    """Return the description of what `in_hand` returns.

    Args:
        arm: Which arm.
        part: What is held, e.g. `nut`.
    """
    return Observed(
        f"{arm}_in_hand",
        4,
        f"the {part} as the pads feel it: 1 if felt, shift along tool x and z from a "
        "nominal grasp, m, and angle about tool y, rad",
    )


def in_hand(snapshot: Snapshot, arm: str, length: float, nominal_z: float = 0.0) -> Array:
    """Return how the pads feel what they hold, as `in_hand_entry` describes it. Shape (4,).

    Args:
        snapshot: Holds the reading of the pads, `tactile_<arm>`; nothing is felt without one.
        arm: Which arm.
        length: Of the cylinder that the pads feel, in m.
        nominal_z: Where its middle is along the tool's z axis in a nominal grasp, in m.
    """
    reading = snapshot.cell.readings.get(f"tactile_{arm}")
    if not isinstance(reading, TactileReading):
        return frozen("in_hand", np.zeros(4), (4,))
    felt = estimate_in_hand(reading, length, nominal_z)
    return frozen("in_hand", [float(felt.valid), felt.shift_x, felt.shift_z, felt.angle_y], (4,))
