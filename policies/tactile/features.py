"""What a touch network is given and what its numbers mean, in one place for training and use."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from policies.contract import Entry
from policies.network import Float32

PADS, ROWS, COLUMNS = 2, 11, 9
"""Pads of a gripper, taxels of a pad along the tool's z axis and along its x axis."""

TAXELS = PADS * ROWS * COLUMNS

AXES = ("shift_x", "shift_z", "angle_y")
"""What is told of a part: its shift along tool x and z, and its angle about tool y.

Of the other three, one is where the fingers centre it, one is what the pads press flat, and about
its own axis a cylinder feels alike.
"""

# Shares of the pressure of both pads are below 0.05 each: as large as one after this.
_SHARE = 50.0
# A sum of a pad's pressures, in kPa, is of this size, and an opening, in m, of that.
_PAD_SUM, _OPENING = 1e4, 1e-2
# Below this sum of pressures a pad is taken to feel nothing, in kPa: some 2 N.
_NOTHING = 2e3

OBSERVATION: tuple[Entry, ...] = (
    Entry("taxels", (PADS, ROWS, COLUMNS), "pressure over the sum of both pads, times 50"),
    Entry("pad_sums", (PADS,), "sum of each pad's pressures, 10 MPa"),
    Entry("opening", (1,), "distance between the pads, cm"),
)
"""What the network is given, in order."""

ACTION: tuple[Entry, ...] = (
    Entry("in_hand", (3,), f"{', '.join(AXES)} from a nominal grasp, as shares of their scale"),
    Entry(
        "sigma", (3,), "standard deviation of each: -1 is the scale times exp(-7), 1 is the scale"
    ),
)
"""What the network returns, in order."""

LOG_SIGMA_MIDDLE, LOG_SIGMA_HALF = -3.5, 3.5
"""A number y of `sigma` is a standard deviation of scale * exp(middle + half * y)."""


def features(pressure_kpa: NDArray[np.float32], opening: ArrayLike) -> Float32:
    """Return what the network is given.

    Shares of the whole pressure say where the part is whatever the grip force; how hard each pad is
    pressed, and how far apart they are, stand beside them. The opening tells parts apart.

    Args:
        pressure_kpa: Of the taxels. Shape (..., 2, 11, 9).
        opening: Distance between the pads, in m. Shape (...).

    Returns:
        Shape (..., 201).
    """
    pressure = np.asarray(pressure_kpa, dtype=np.float32)
    sums = pressure.sum(axis=(-2, -1))
    whole = np.maximum(sums.sum(axis=-1, keepdims=True), np.float32(1.0))
    taxels = pressure.reshape(*pressure.shape[:-3], TAXELS) * (np.float32(_SHARE) / whole)
    wide = np.asarray(opening, dtype=np.float32)[..., None] / np.float32(_OPENING)
    found: Float32 = np.concatenate([taxels, sums / np.float32(_PAD_SUM), wide], axis=-1)
    return found


def felt_by_both(pressure_kpa: NDArray[np.float32]) -> bool:
    """Return whether both pads feel something. Pressure of shape (2, 11, 9), in kPa."""
    return bool((pressure_kpa.sum(axis=(-2, -1)) > _NOTHING).all())
