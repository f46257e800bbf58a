"""What happened to a plug in its sockets, one line per change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robot.arrays import Array, same
from robot.mating import MatingEvent, Socket
from robot.sim import latch_kernel as kernel

_FLAGS = (
    ("latched", kernel.LATCHED),
    ("locked", kernel.LOCKED),
    ("interlock", kernel.INTERLOCK),
    ("power", kernel.POWER),
    ("latch_broken", kernel.LATCH_BROKEN),
    ("pin_bent", kernel.PIN_BENT),
    ("over_force", kernel.OVER_FORCE),
    ("key_forced", kernel.KEY_FORCED),
    ("lock_forced", kernel.LOCK_FORCED),
)
_WATCHED = np.array([index for _, index in _FLAGS])


class MatingLog:
    """Watches the flags in the memory of a plug's kernel.

    Attributes:
        events: What has changed since the last reset, in order.
    """

    def __init__(self, memory: Array) -> None:
        """Watch a memory, which the kernel writes into.

        Args:
            memory: As `latch_kernel.advance` keeps it. Shape (MEMORY,).
        """
        self._memory = memory
        self.reset()

    def reset(self) -> None:
        """Forget what happened; what is true now is nothing new."""
        self.events: list[MatingEvent] = []
        self.go_on()

    def go_on(self) -> None:
        """Take what is true now as nothing new, and keep what happened."""
        self._seen = self._memory[_WATCHED].copy()

    def flags(self) -> dict[str, bool]:
        """Return what is true now, by name."""
        return {name: bool(self._memory[index]) for name, index in _FLAGS}

    def note(self, time: float, sockets: Sequence[Socket]) -> None:
        """Remember what has changed in this step.

        Args:
            time: Now, in s.
            sockets: That the plug may be in, by their numbers in the memory.
        """
        flags = self._memory[_WATCHED]
        if same(flags, self._seen):
            return
        number = int(self._memory[kernel.SOCKET])
        for (name, _), old, new in zip(_FLAGS, self._seen, flags, strict=True):
            if old != new:
                self.events.append(
                    MatingEvent(
                        time=time,
                        what=name,
                        value=bool(new),
                        socket=None if number < 0 else sockets[number].name,
                        depth=float(self._memory[kernel.DEPTH]),
                        force=float(self._memory[kernel.FORCE]),
                    )
                )
        self._seen = flags
