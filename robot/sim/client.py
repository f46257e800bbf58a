"""A connection to a physics server of one's own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Keep what C code prints off the terminal: PyBullet greets on import and on connecting."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept, nothing = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        yield
    finally:
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(nothing)


with _muted():
    import pybullet
    from pybullet_utils.bullet_client import BulletClient


class Client(BulletClient):  # type: ignore[misc]
    """A server of its own: the module's functions all use number 0, which two worlds would share.

    Remembers each function once bound; the base class looks it up and binds it at every call.
    """

    def __init__(self, gui: bool) -> None:
        """Start a server.

        Args:
            gui: Whether to open PyBullet's window.
        """
        with _muted():
            super().__init__(pybullet.GUI if gui else pybullet.DIRECT)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name != "disconnect":
            self.__dict__[name] = value
        return value
