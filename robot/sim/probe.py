"""What devices ask of a robot's joints and links after each physics step, asked once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

JointSample = tuple[float, float, Sequence[float], float]
"""Position, velocity, reaction wrench and motor torque of one joint, as PyBullet returns them."""


class RobotProbe:
    """Samples the joints and links that devices have asked for.

    Bullet gathers the state of the whole robot for every question, however little is asked: all
    joints in one call and all links in another cost as much as two devices asking by themselves.
    """

    def __init__(self, client: Any, body: int) -> None:
        """Ask for nothing yet.

        Args:
            client: The physics server.
            body: Bullet's number of the robot.
        """
        self._get_joints, self._get_links = client.getJointStates, client.getLinkStates
        self._body = body
        self._joints: list[int] = []
        self._links: list[int] = []
        self._joint_samples: Sequence[JointSample] = ()
        self._link_samples: Sequence[Any] = ()

    def joints(self, indices: Sequence[int]) -> Callable[[], Sequence[JointSample]]:
        """Return a function that returns the last samples of some joints.

        Args:
            indices: Bullet's numbers of them.
        """
        first = len(self._joints)
        self._joints += indices
        end = len(self._joints)
        return lambda: self._joint_samples[first:end]

    def link(self, index: int) -> Callable[[], Any]:
        """Return a function that returns the last sample of a link, velocities included.

        Args:
            index: Bullet's number of it.
        """
        place = len(self._links)
        self._links.append(index)
        return lambda: self._link_samples[place]

    def sample(self) -> None:
        """Sample all of them, after a physics step or when the robot was put elsewhere."""
        if self._joints:
            self._joint_samples = self._get_joints(self._body, self._joints)
        if self._links:
            self._link_samples = self._get_links(self._body, self._links, 1)
