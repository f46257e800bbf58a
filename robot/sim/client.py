"""A connection to a physics server of one's own."""

from __future__ import annotations

from typing import Any

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
        super().__init__(pybullet.GUI if gui else pybullet.DIRECT)

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name != "disconnect":
            self.__dict__[name] = value
        return value
