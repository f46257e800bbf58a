"""What pushes on bodies besides Bullet's own contacts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from robot.arrays import Array

if TYPE_CHECKING:
    from robot.sim.world import World


class ForceElement(ABC):
    """Something that pushes on bodies of the world at the physics rate: a fit, a magnet, a shove.

    What Bullet's own contacts do badly or slowly is an element.
    """

    @abstractmethod
    def reset(self) -> None:
        """Forget the past: friction bristles, latch state, rod shape."""

    @abstractmethod
    def apply(self, world: World) -> None:
        """Read poses and velocities, and add this physics step's wrenches."""

    @abstractmethod
    def state(self) -> Array:
        """Return the internal state, so that a stored world can be continued exactly."""
