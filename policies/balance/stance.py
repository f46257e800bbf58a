"""What the balance policy sees and asks for, in numbers around one.

Horizontal vectors are (ahead, left) along the world's x and y axes. A lean of the torso is counted
in the direction it leans to: ahead is a turn about y, left a turn about -x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

OBSERVATION = (
    ("capture_error", 2, "capture point from where the centre of mass should be, 0.1 m"),
    ("position_com", 2, "centre of mass from the middle of the feet, 0.1 m"),
    ("velocity_com", 2, "of the centre of mass, 0.3 m/s"),
    ("lean_torso", 2, "of the torso from its reference, 0.3 rad"),
    ("rate_torso", 2, "of that lean, 1 rad/s"),
    ("height", 1, "of the centre of mass over its reference, 0.05 m"),
    ("rise", 1, "of the centre of mass, 0.3 m/s"),
)
"""Name, length, and meaning with the unit, in order."""

OBSERVATION_UNITS = (0.1, 0.1, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3, 1.0, 1.0, 0.05, 0.3)
"""What each number is counted in, in SI."""

ACTION = (
    ("lean_torso", 2, "shift of the torso's reference, as a share of the largest"),
    ("shift_com", 2, "of the reference of the centre of mass, as a share of the largest"),
    ("height", 1, "shift of its height, as a share of the largest"),
)
"""Name, length and meaning, in order."""


@dataclass(frozen=True)
class ReflexConfig:
    """When the reflex acts, and how far it may go.

    Attributes:
        period: Between two looks, in s.
        gate_opens: Capture-point error below which nothing is changed, in m. Nuts are inserted with
            errors of at most 0.008 m.
        gate_full: Capture-point error from which the reflex has its full say, in m.
        lean_limit: Largest shift of the torso's reference, in rad. The guard takes a pelvis that
            leans by 0.5 for a robot that falls; the joints above it take a share of the lean.
        shift_limit: Largest shift of the reference of the centre of mass, in m.
        height_limit: Largest shift of its height, in m.
    """

    period: float = 0.01
    gate_opens: float = 0.025
    gate_full: float = 0.045
    lean_limit: float = 0.65
    shift_limit: float = 0.08
    height_limit: float = 0.06

    def __post_init__(self) -> None:
        """Refuse a gate that is never closed or never open, and limits that are none."""
        if not 0.0 < self.period < math.inf:
            raise ValueError(f"period: expected more than 0 s, got {self.period}")
        for name in ("lean_limit", "shift_limit", "height_limit"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not 0.0 < self.gate_opens < self.gate_full:
            raise ValueError(
                f"gate_opens: expected more than 0 and less than gate_full = {self.gate_full}, "
                f"got {self.gate_opens}"
            )
