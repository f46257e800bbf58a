"""A video of a simulated cell, written frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robot.errors import ConfigError
from robot.sim.picture import View
from robot.sim.world import World

_WIDTH, _HEIGHT = 640, 480


def take_picture(world: World, view: View) -> NDArray[np.uint8]:
    """Return what is seen now. Shape (480, 640, 3).

    Args:
        world: What is seen.
        view: From where.
    """
    return world.render(_WIDTH, _HEIGHT, view)


class VideoWriter:
    """Writes frames to an MP4 file; what was written so far can be played after a crash."""

    def __init__(self, path: Path, fps: float) -> None:
        """Open the file.

        Args:
            path: Ends in `.mp4`.
            fps: Frames per second.

        Raises:
            ConfigError: If the path is of another kind or exists.
        """
        if path.suffix != ".mp4":
            raise ConfigError(f"--video: expected a file ending in .mp4, got {path}")
        if path.exists():
            raise ConfigError(f"--video: {path} exists; choose another name or remove it")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Imported here: it takes long to import, and most runs write no video.
        import imageio.v2 as imageio

        self._writer: Any = imageio.get_writer(
            path, fps=fps, codec="libx264", quality=7, macro_block_size=8
        )

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Append one frame.

        Args:
            rgb: Shape (height, width, 3).
        """
        self._writer.append_data(np.asarray(rgb))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


class Film:
    """A video of a world from a fixed place, one frame a policy step."""

    def __init__(self, path: Path, dt: float, world: World, view: View) -> None:
        """Open the file.

        Args:
            path: Ends in `.mp4`.
            dt: Time between two frames, in s.
            world: What is filmed.
            view: From where.
        """
        self._world = world
        self._view = view
        self._writer = VideoWriter(path, 1.0 / dt)

    def shoot(self) -> None:
        """Add a frame of the present."""
        self._writer.add(take_picture(self._world, self._view))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
