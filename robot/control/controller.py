"""Seam: tool targets to joint commands."""

from __future__ import annotations

from abc import ABC, abstractmethod

from robot.cell_state import CellState
from robot.state import RobotCommand, Target


class Controller(ABC):
    """Turns tool targets into a joint command, once every control tick.

    A controller holds no device and knows no task, so that the same object runs in simulation,
    on hardware and in a unit test.
    """

    @abstractmethod
    def reset(self, state: CellState) -> None:
        """Forget the past and hold the present posture.

        Args:
            state: The joints and what the sensors feel, now.
        """

    @abstractmethod
    def update(self, state: CellState, target: Target, dt: float) -> RobotCommand:
        """Return the command for the next control period.

        Args:
            state: The joints and what the sensors feel, now.
            target: What each arm's tool should do. An arm that is absent holds its posture.
            dt: Time until the next call, in s.

        Raises:
            NoSolution: If the targets and the limits contradicted each other for too many ticks.
        """
