"""What Bullet has to be told so that a body does what it should: mass, sleep, whom it meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from robot.geometry import Shape
from robot.sim.shapes import make_shapes
from robot.spatial import Pose

# Bullet's default of 1 mm rounds edges and grows hulls by more than the clearances of our parts;
# none at all sends every overlap to the penetration solver, which invents contacts.
_COLLISION_MARGIN = 1e-4
# Faster than anything in the middle of a step, in rad/s and m/s.
_VELOCITY_CAP = 1e6
# Bullet's collision groups: of bodies that move, of those that do not, the first that has no
# meaning yet, and all of them.
_MOVING, _STATIC, _FIRST_FREE, _ALL = 1, 2, 64, -1


def make_body(
    client: Any,
    shapes: Sequence[Shape],
    mass: float,
    inertia: ArrayLike | None,
    pose_world_body: Pose,
) -> int:
    """Put a rigid body into a world and return Bullet's number of it.

    Args:
        client: The physics server.
        shapes: What it looks like and collides as, placed in its frame.
        mass: In kg; 0 for a body that never moves.
        inertia: Moments about the frame's axes, in kg·m^2, shape (3,); None for the shapes' own.
        pose_world_body: Where its frame, whose origin is the centre of mass, is.
    """
    collision, visual = make_shapes(client, shapes)
    body: int = client.createMultiBody(
        mass, collision, visual, pose_world_body.position, pose_world_body.quaternion
    )
    if inertia is not None and mass > 0.0:
        moments = [float(value) for value in np.asarray(inertia, dtype=np.float64)]
        client.changeDynamics(body, -1, localInertiaDiagonal=moments)
    # Set in calls of their own: together some of them are lost.
    client.changeDynamics(body, -1, linearDamping=0.0, angularDamping=0.0)
    client.changeDynamics(body, -1, collisionMargin=_COLLISION_MARGIN)
    # Bullet's cap of 100 rad/s, before contacts are solved, caps torques on held parts too.
    client.changeDynamics(body, -1, maxJointVelocity=_VELOCITY_CAP)
    if mass > 0.0:
        client.changeDynamics(body, -1, activationState=client.ACTIVATION_STATE_DISABLE_SLEEPING)
    else:
        # Bullet computes contacts unless both bodies sleep; what is awake still meets this one. It
        # would wake in the next step if it were not allowed to sleep.
        set_sleep(client, body, True)
    return body


def set_sleep(client: Any, body: int, asleep: bool) -> None:
    """Put a body to sleep, or wake it; either happens one step late.

    Args:
        client: The physics server.
        body: Bullet's number of it.
        asleep: Whether to put it to sleep.
    """
    states = (
        (client.ACTIVATION_STATE_ENABLE_SLEEPING, client.ACTIVATION_STATE_SLEEP)
        if asleep
        else (client.ACTIVATION_STATE_WAKE_UP, client.ACTIVATION_STATE_DISABLE_SLEEPING)
    )
    for state in states:
        client.changeDynamics(body, -1, activationState=state)


def set_meets(client: Any, body: int, anybody: bool) -> None:
    """Let a body that moves meet everybody, or nobody.

    Args:
        client: The physics server.
        body: Bullet's number of it.
        anybody: Whether it meets anybody.
    """
    group, mask = (_MOVING, _ALL) if anybody else (0, 0)
    client.setCollisionFilterGroupMask(body, -1, group, mask)


def keep_from_itself(client: Any, body: int, number: int, fixed: bool) -> None:
    """Keep the links of a robot from being looked at as pairs that may meet.

    They do not collide anyway. But Bullet would keep every two whose boxes do, in an order that
    outlives a restored state, and by that order it decides in which one contacts are solved.

    Args:
        client: The physics server.
        body: Bullet's number of the robot.
        number: How many robots were in the world before it.
        fixed: Whether its base is bolted to the world; then it does not meet what never moves.
    """
    group = _FIRST_FREE << number
    for link in range(-1, client.getNumJoints(body)):
        mask = _ALL & ~group & ~(_STATIC if fixed and link < 0 else 0)
        client.setCollisionFilterGroupMask(body, link, group, mask)
