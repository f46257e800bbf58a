"""Grasping again until a part lies in the hand as wanted: from two touches to a wrist increment.

What is wanted is another touch: that of a grasp that was once shown. Both are looked at by one
network, and what lies between the two places is where the wrist has to go. (The idea is that of
TacRefineNet, arXiv 2509.25746, which refines grasps towards a wanted tactile image; its network
gives the increment itself. Here it follows from two estimates of one network, so that what the
network is wrong about in both alike is not wrong in between.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from policies.network import Float32
from policies.tactile.estimator import InHandEstimate, TouchPolicy
from robot.arrays import Array, frozen
from robot.spatial import Pose


@dataclass(frozen=True, eq=False)
class Touch:
    """What a hand feels of a grasp.

    Attributes:
        pressure_kpa: Of the taxels. Shape (2, 11, 9).
        opening: Distance between the pads, in m.
    """

    pressure_kpa: Float32
    opening: float


@dataclass(frozen=True)
class RegraspConfig:
    """When a grasp is good enough, and how often it is made again.

    Attributes:
        shift_m: A shift from what is wanted that is good enough, along each axis, in m.
        angle_rad: Likewise an angle, in rad.
        at_most: How often it is grasped again.
    """

    shift_m: float = 0.4e-3
    angle_rad: float = 0.012
    at_most: int = 5

    def __post_init__(self) -> None:
        """Refuse what can never be good enough, and no attempt at all."""
        for name in ("shift_m", "angle_rad", "at_most"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Increment:
    """What to do about a grasp.

    Attributes:
        pose_tool_next: Where the tool should be when the fingers close again, as seen from where
            it is now.
        off: How far off the part lies: shift along tool x and z, in m, angle about tool y, in rad.
            Shape (3,).
        sigma: Standard deviation of that. Shape (3,).
        enough: Whether it lies well enough to be left.
    """

    pose_tool_next: Pose
    off: Array
    sigma: Array
    enough: bool

    def __post_init__(self) -> None:
        """Check the shapes and make the arrays read-only."""
        for name in ("off", "sigma"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (3,)))


class Regrasp:
    """Leads a hand to a grasp that feels like the one that was shown."""

    def __init__(
        self, policy: TouchPolicy, nominal: Pose, wanted: Touch, config: RegraspConfig | None = None
    ) -> None:
        """Look at what is wanted.

        Args:
            policy: The network.
            nominal: The part in the tool frame, grasped as planned; its lever arm matters alone.
            wanted: The touch of the grasp that is wanted.
            config: When that is reached.

        Raises:
            ValueError: If not both pads feel anything of what is wanted.
        """
        shown = policy.estimate(wanted.pressure_kpa, wanted.opening)
        if shown is None:
            raise ValueError("wanted: expected a touch of both pads, got one that feels nothing")
        self.config = config or RegraspConfig()
        self._policy = policy
        self._nominal = nominal
        self._shown: InHandEstimate = shown

    def increment(self, felt: Touch) -> Increment | None:
        """Return where to grasp again, or None if not both pads feel a part.

        The part stays where it is while the hand moves: with P where it is in the tool and G where
        it should be, the tool has to go to P G^-1.

        Args:
            felt: What the hand feels now.
        """
        here = self._policy.estimate(felt.pressure_kpa, felt.opening)
        if here is None:
            return None
        off = here.mean - self._shown.mean
        bound = np.array([self.config.shift_m, self.config.shift_m, self.config.angle_rad])
        part, goal = here.pose_tool_part(self._nominal), self._shown.pose_tool_part(self._nominal)
        return Increment(
            pose_tool_next=part @ goal.inverse(),
            off=off,
            sigma=np.hypot(here.sigma, self._shown.sigma),
            enough=bool((np.abs(off) <= bound).all()),
        )
