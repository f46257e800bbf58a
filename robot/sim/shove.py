"""Somebody bumps into the robot."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from robot.arrays import Array, frozen
from robot.sim.force_element import ForceElement
from robot.sim.robot_body import SimRobot
from robot.sim.world import World


class Shove(ForceElement):
    """A push of constant force on one link's centre of mass for a short time."""

    def __init__(self, robot: SimRobot, link: str, duration: float = 0.1) -> None:
        """Schedule nothing yet.

        Args:
            robot: Who is pushed.
            link: Where.
            duration: How long a push lasts, in s.

        Raises:
            UnknownName: If the robot has no such link.
            ValueError: If the duration is not positive.
        """
        if duration <= 0.0:
            raise ValueError(f"duration: expected a positive time in s, got {duration}")
        self._body, self._link = robot.body, robot.link(link)
        self._duration = duration
        self.reset()

    def schedule(self, time: float, impulse_world: ArrayLike) -> None:
        """Push once; replaces what was scheduled before.

        Args:
            time: When the push begins, on the world's clock, in s.
            impulse_world: Force times duration, along the world axes, in N·s. Shape (3,).
        """
        self._time = time
        self._impulse_world = frozen("impulse_world", impulse_world, (3,))

    def begun(self, time: float) -> bool:
        """Return whether what is scheduled has begun.

        Args:
            time: Now, on the world's clock, in s.
        """
        return bool(self._impulse_world.any()) and time >= self._time

    @override
    def reset(self) -> None:
        self._time = 0.0
        self._impulse_world = np.zeros(3)

    @override
    def apply(self, world: World) -> None:
        # Half a step, so that rounding of the time neither adds nor loses a step.
        passed = world.time - self._time + 0.5 * world.physics_dt
        if not 0.0 <= passed < self._duration or not self._impulse_world.any():
            return
        client = world.client
        if self._link < 0:
            position, _ = client.getBasePositionAndOrientation(self._body)
        else:
            position = client.getLinkState(self._body, self._link)[0]
        force = (self._impulse_world / self._duration).tolist()
        client.applyExternalForce(self._body, self._link, force, position, client.WORLD_FRAME)

    @override
    def state(self) -> Array:
        return np.concatenate([[self._time], self._impulse_world])
