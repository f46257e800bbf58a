"""A physics server of one's own, set up for assembly."""

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

GRAVITY = 9.81
# Contacts are kept while the surfaces are nearer than this, in m. 20 mm, the default, keeps contact
# points alive that cost time and can hold parts apart.
_CONTACT_BREAKING = 2e-3
_SOLVER_ITERATIONS = 50


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


def physics_server(physics_dt: float, gui: bool) -> Any:
    """Start a server for an empty world with gravity along -z.

    Args:
        physics_dt: The physics period, in s.
        gui: Whether to open PyBullet's window.
    """
    client: Any = Client(gui)
    # Compares every box with every other. Bullet's tree of boxes finds pairs in an order, and lets
    # go of them at a time, that depend on every step since it was built; then contacts are solved
    # in another order. For a cell the comparing takes as long, to a few percent.
    client.resetSimulation(client.RESET_USE_SIMPLE_BROADPHASE)
    client.setGravity(0.0, 0.0, -GRAVITY)
    client.setPhysicsEngineParameter(
        fixedTimeStep=physics_dt,
        numSolverIterations=_SOLVER_ITERATIONS,
        enableConeFriction=1,  # Without it spinning friction is ignored.
        # Pairs are looked at in the order of their bodies, not in that of their meeting.
        deterministicOverlappingPairs=1,
    )
    # A global of the process that outlives every server.
    client.setPhysicsEngineParameter(contactBreakingThreshold=_CONTACT_BREAKING)
    return client
