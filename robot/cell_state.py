"""All that was measured at one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from robot.sensor import Reading
from robot.state import RobotState
from robot.station import StationInputs


@dataclass(frozen=True, eq=False)
class CellState:
    """All that was measured at one control tick.

    Attributes:
        robot: The joints.
        readings: What each sensor returned, by sensor name.
        station: The PLC's inputs.
    """

    robot: RobotState
    readings: Mapping[str, Reading]
    station: StationInputs

    @property
    def time(self) -> float:
        """When the joints were sampled, in s."""
        return self.robot.time
