"""Seam: bringing a layout about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from robot.spatial import Pose
from tasks.task import Layout


class Scene(ABC):
    """The parts on the table: teleported in simulation, presented by the station on hardware."""

    @abstractmethod
    def apply(self, layout: Layout) -> Layout:
        """Bring the parts and the robot to the start of an episode.

        Args:
            layout: What is wanted.

        Returns:
            What was brought about. In simulation this is `layout`; on hardware the true poses
            are unknown and the believed ones come from the localizer.

        Raises:
            EpisodeSetupError: If the layout cannot be brought about.
        """

    @abstractmethod
    def begin(self) -> None:
        """Let time count for what is to happen in the episode: the work begins now.

        Called by `AssemblyEnv.begin`, once or more after `apply`; nothing to do on hardware.
        """

    @abstractmethod
    def pose_world_parts(self) -> Mapping[str, Pose]:
        """Return where each part is: exactly in simulation, as estimated on hardware."""

    @abstractmethod
    def events(self) -> Mapping[str, float]:
        """Return what only the scene can see since the last call; empty on hardware."""
