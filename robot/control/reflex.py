"""Seam: what moves the references of a standing robot's trunk when it is shoved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from robot.arrays import Array
from robot.state import BodyTarget


@dataclass(frozen=True, eq=False)
class StanceSense:
    """How a robot stands, and how it should.

    Attributes:
        position_com: Of the centre of mass, from the middle of the feet on the floor, along the
            world axes, in m. Shape (3,).
        velocity_com: Along the world axes, in m/s. Shape (3,).
        reference_com: Where the controller alone wants the centre of mass, as `position_com`.
            Shape (3,).
        tilt_torso: Rotation from the torso's reference to the torso about the world's x and y axes,
            in rad. Shape (2,).
        rate_torso: Angular velocity of the torso about these axes, in rad/s. Shape (2,).
    """

    position_com: Array
    velocity_com: Array
    reference_com: Array
    tilt_torso: Array
    rate_torso: Array


class Reflex(ABC):
    """Moves references inside the bounds of `BalanceConfig`, and only in trouble.

    The program below it keeps every effort, contact and joint limit whatever it asks for; the soles
    may be used closer to their edges, see `ContactConfig.shoved_margin`. While it returns None the
    controller does, bit for bit, what it would do without it.
    """

    @abstractmethod
    def reset(self) -> None:
        """Forget the past."""

    @abstractmethod
    def react(self, sense: StanceSense, dt: float) -> BodyTarget | None:
        """Return where the references go, or None to leave the controller alone.

        Args:
            sense: How the robot stands now.
            dt: Time since the last call, in s.
        """
