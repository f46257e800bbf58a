"""What one arm senses at one policy step, and what it wants: the language of scripted motions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from policies.contact_state import ContactState
from policies.policy import Brief, Observation
from robot.arrays import Array
from robot.spatial import Pose


@dataclass(frozen=True, eq=False)
class Sense:
    """One arm's share of an observation.

    Attributes:
        time: Since the episode began, in s.
        dt: The policy period, in s.
        pose_world_tool: Measured.
        pose_world_target: The last tool target.
        wrench_tool: Felt by the tool along its axes, less what it felt in free air. Shape (6,).
        opening: Distance between the pads, in m.
        in_hand: Whether the part is felt, its shift along tool x and z, in m, and its angle about
            tool y, in rad. Shape (4,).
        signals: Process signals by name.
        observation: All of it.
        may_push: Whether no other arm is pushing or pulling hard.
        contact: How the held part meets what it belongs on, as the wrist, the pads and the motion
            tell; None where nobody follows it.
    """

    time: float
    dt: float
    pose_world_tool: Pose
    pose_world_target: Pose
    wrench_tool: Array
    opening: float
    in_hand: Array
    signals: Mapping[str, bool]
    observation: Observation = field(default_factory=dict)
    may_push: bool = True
    contact: ContactState | None = None

    @property
    def push(self) -> float:
        """How hard the tool pushes ahead, along its z axis, in N."""
        return -float(self.wrench_tool[2])

    @property
    def side(self) -> float:
        """How hard the tool is pushed sideways, in N."""
        return float(np.hypot(self.wrench_tool[0], self.wrench_tool[1]))


class Status(Enum):
    """Where a motion stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Wish:
    """What a motion wants for the next policy period.

    Attributes:
        pose_world_target: Where the tool target should be.
        opening: Distance between the pads, in m.
        stiffness: From -1, soft, to 1, stiff.
        push: Force along the tool's z axis, in N.
        status: Where the motion stands.
        reason: Why it failed.
    """

    pose_world_target: Pose
    opening: float
    stiffness: float
    push: float = 0.0
    status: Status = Status.RUNNING
    reason: str = ""


def sense_of(
    arm: str, observation: Observation, brief: Brief, time: float, wrench_free: Array
) -> Sense:
    """Return one arm's share of an observation.

    Args:
        arm: Which arm.
        observation: As the environment returned it.
        brief: Names the signals and the policy period.
        time: Since the episode began, in s.
        wrench_free: What the wrist felt in free air. Shape (6,).
    """

    def pose(name: str) -> Pose:
        return Pose(
            observation[f"{arm}_position_world_{name}"].astype(np.float64),
            observation[f"{arm}_quaternion_world_{name}"].astype(np.float64),
        )

    wrench = observation.get(f"{arm}_wrench_tool", np.zeros(6, np.float32))
    in_hand = observation.get(f"{arm}_in_hand", np.zeros(4, np.float32))
    return Sense(
        time=time,
        dt=brief.dt,
        pose_world_tool=pose("tool"),
        pose_world_target=pose("target"),
        wrench_tool=wrench.astype(np.float64) - wrench_free,
        opening=float(observation[f"{arm}_gripper_opening"][0]),
        in_hand=in_hand.astype(np.float64),
        signals={
            name: bool(value > 0.5)
            for name, value in zip(brief.signals, observation["signals"], strict=True)
        },
        observation=observation,
    )


def encode(wish: Wish, sense: Sense, scale: Mapping[str, float]) -> NDArray[np.float32]:
    """Return the nine numbers that bring the last target as close to a wish as one step may.

    Args:
        wish: What is wanted.
        sense: Holds the last target.
        scale: `Brief.action_scale`.
    """
    step = sense.pose_world_target.inverse() @ wish.pose_world_target
    opening = 2.0 * wish.opening / scale["opening_m"] - 1.0
    numbers = np.concatenate(
        [
            _shortened(step.position / scale["translation_m"]),
            _shortened(step.rotation_vector() / scale["rotation_rad"]),
            [opening, wish.stiffness, wish.push / scale["push_n"]],
        ]
    )
    return np.asarray(np.clip(numbers, -1.0, 1.0), dtype=np.float32)


def _shortened(vector: Array) -> Array:
    """Return a vector no longer than one, along the same direction."""
    return vector / max(1.0, float(np.linalg.norm(vector)))
