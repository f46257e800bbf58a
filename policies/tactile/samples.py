"""What touch is learned from and measured on: readings of pads, and how the part truly lay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.network import Float32
from policies.tactile.features import AXES, COLUMNS, PADS, ROWS
from robot.arrays import Array


@dataclass(frozen=True, eq=False)
class TouchSamples:
    """Readings of held parts.

    Attributes:
        pressure_kpa: Of the taxels. Shape (n, 2, 11, 9).
        opening: Distance between the pads as measured, in m. Shape (n,).
        in_hand: How the part truly lay: the axes of `features.AXES`, m and rad. Shape (n, 3).
        grasp: Number of the grasp of which it is a reading. Shape (n,).
        part: Number of the part. Shape (n,).
        parts: Names of the parts.
    """

    pressure_kpa: Float32
    opening: Array
    in_hand: Array
    grasp: NDArray[np.int64]
    part: NDArray[np.int64]
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse arrays that are not of the same readings."""
        n = len(self.pressure_kpa)
        for name, shape in (
            ("pressure_kpa", (n, PADS, ROWS, COLUMNS)),
            ("opening", (n,)),
            ("in_hand", (n, len(AXES))),
            ("grasp", (n,)),
            ("part", (n,)),
        ):
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"{name}: expected shape {shape}, got {found}")

    def __len__(self) -> int:
        """How many readings."""
        return len(self.opening)

    def where(self, chosen: NDArray[np.bool_]) -> TouchSamples:
        """Return some of the readings. `chosen` has shape (n,)."""
        return TouchSamples(
            self.pressure_kpa[chosen],
            self.opening[chosen],
            self.in_hand[chosen],
            self.grasp[chosen],
            self.part[chosen],
            self.parts,
        )
