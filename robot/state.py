"""What the robot reports and what it is told: the values that pass between driver and policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from robot.arrays import Array, frozen
from robot.spatial import Pose


class Lifecycle(Enum):
    """Where a driver stands. Every exit from ACTIVE ends the epoch: old commands stay dead."""

    UNCONFIGURED = "unconfigured"
    INACTIVE = "inactive"
    ACTIVE = "active"
    FAULT = "fault"
    ESTOP = "estop"


@dataclass(frozen=True, eq=False)
class BaseState:
    """The floating base, measured by an IMU and estimated from the legs; never simulator truth.

    Attributes:
        pose_world_base: Estimated pose of the base link.
        twist_world_base: Estimated twist (linear, angular) of the base link's origin, along the
            world axes, in m/s and rad/s. Shape (6,).
        acceleration_base: Proper acceleration felt by the IMU, along its axes, in m/s^2.
            Shape (3,).
    """

    pose_world_base: Pose
    twist_world_base: Array
    acceleration_base: Array

    def __post_init__(self) -> None:
        """Check shapes and make the arrays read-only."""
        object.__setattr__(
            self, "twist_world_base", frozen("twist_world_base", self.twist_world_base, (6,))
        )
        object.__setattr__(
            self, "acceleration_base", frozen("acceleration_base", self.acceleration_base, (3,))
        )


@dataclass(frozen=True, eq=False)
class RobotState:
    """What the robot reports at one instant, `n` joints in the order of `RobotModel.joint_names`.

    Attributes:
        time: When the joints were sampled, on the cell's clock, in s.
        joint_position: Joint positions, in rad. Shape (n,).
        joint_velocity: Joint velocities, in rad/s. Shape (n,).
        joint_effort: Joint torques measured on the output side, in N·m. Shape (n,).
        gripper_opening: Distance between the fingers by arm name, in m.
        base: What is known of the floating base; None for a robot bolted to the floor.
        sequence: Number of the sample, counted by the device.
        time_device: When the device says it sampled, on its own clock, in s.
        lifecycle: Where the driver stands.
        fault: What the device complains of, or None.
        epoch: The driver's epoch at the time of the sample.
        applied_sequence: Sequence of the command that the servos follow.
    """

    time: float
    joint_position: Array
    joint_velocity: Array
    joint_effort: Array
    gripper_opening: Mapping[str, float] = field(default_factory=dict)
    base: BaseState | None = None
    sequence: int = 0
    time_device: float = 0.0
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    fault: str | None = None
    epoch: int = 0
    applied_sequence: int = 0

    def __post_init__(self) -> None:
        """Check that the three joint arrays agree and make them read-only."""
        shape = (len(self.joint_position),)
        for name in ("joint_position", "joint_velocity", "joint_effort"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), shape))


@dataclass(frozen=True, eq=False)
class RobotCommand:
    """What the joint servos should do until the next command.

    Each servo applies, at its own rate,

        effort = clip(joint_effort + stiffness * (joint_position - q)
                      + damping * (joint_velocity - v), ±effort_limit)

    so position, velocity, torque and impedance control are one command with different gains.

    Attributes:
        joint_position: Desired positions, in rad. Shape (n,).
        joint_velocity: Desired velocities, in rad/s. Shape (n,).
        joint_effort: Feed-forward torques, in N·m. Shape (n,).
        stiffness: Position gains, in N·m/rad. Shape (n,).
        damping: Velocity gains, in N·m·s/rad. Shape (n,).
        gripper_opening: Desired distance between the fingers by arm name, in m.
        sequence: Number of the command, stamped by the cell.
        time: When it was made, on the cell's clock, in s; stamped by the cell.
        valid_until: When it dies, on the cell's clock, in s; stamped by the cell.
        epoch: The driver's epoch it was made for; stamped by the cell.
    """

    joint_position: Array
    joint_velocity: Array
    joint_effort: Array
    stiffness: Array
    damping: Array
    gripper_opening: Mapping[str, float] = field(default_factory=dict)
    sequence: int = 0
    time: float = 0.0
    valid_until: float = float("inf")
    epoch: int = 0

    def __post_init__(self) -> None:
        """Check that the five joint arrays agree and make them read-only."""
        shape = (len(self.joint_position),)
        for name in ("joint_position", "joint_velocity", "joint_effort", "stiffness", "damping"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), shape))

    def stamped(self, sequence: int, time: float, valid_until: float, epoch: int) -> RobotCommand:
        """Return the same command with a stamp; see the attributes.

        Nothing is checked or copied again: nobody can have changed the arrays.
        """
        command = object.__new__(RobotCommand)
        vars(command).update(
            vars(self), sequence=sequence, time=time, valid_until=valid_until, epoch=epoch
        )
        return command


@dataclass(frozen=True, eq=False)
class ToolTarget:
    """What one arm's tool should do: the language between a policy and a controller.

    Attributes:
        pose_world_tool: Where the tool should be.
        wrench_world_tool: Force and torque the tool should exert on the part, along the world
            axes, at the tool origin, in N and N·m. Shape (6,).
        stiffness: How hard the pose is held along the tool axes, in N/m then N·m/rad, zero or more.
            Shape (6,).
        gripper_opening: Distance between the fingers, in m.
    """

    pose_world_tool: Pose
    wrench_world_tool: Array
    stiffness: Array
    gripper_opening: float

    def __post_init__(self) -> None:
        """Check shapes and numbers and make the arrays read-only.

        Raises:
            ValueError: If something is not finite or a stiffness is negative; names it.
        """
        for name in ("wrench_world_tool", "stiffness"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (6,)))
        if self.stiffness.min() < 0.0:
            raise ValueError(
                f"stiffness: expected 0 or more, got {self.stiffness}: a negative spring pushes "
                "the tool away from its pose"
            )
        if not math.isfinite(self.gripper_opening):
            raise ValueError(
                f"gripper_opening: expected a finite number in m, got {self.gripper_opening}"
            )


@dataclass(frozen=True, eq=False)
class BodyTarget:
    """What the trunk should do while the arms work: from a balance policy to the QP.

    Attributes:
        position_shift_com: Shift of the centre-of-mass reference, along the world axes, in m.
            Shape (2,).
        acceleration_torso: Feed-forward angular acceleration of the torso about the world's x and
            y axes, in rad/s^2. Shape (2,).
        yielding: Whether the arms let go of their tools' targets and hold their posture, so that
            they move with the trunk.
        height_shift_com: Shift of the reference of the centre of mass's height, in m.
    """

    position_shift_com: Array
    acceleration_torso: Array
    yielding: bool
    height_shift_com: float = 0.0

    def __post_init__(self) -> None:
        """Check shapes and make the arrays read-only."""
        for name in ("position_shift_com", "acceleration_torso"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (2,)))
        if not math.isfinite(self.height_shift_com):
            raise ValueError(
                f"height_shift_com: expected a finite number, got {self.height_shift_com}"
            )


@dataclass(frozen=True)
class Target:
    """One `ToolTarget` for each arm that should move, and, if a policy asks for it, the body.

    Attributes:
        tools: By arm name. An arm that is absent holds its posture.
        body: None leaves balance to the controller alone.
    """

    tools: Mapping[str, ToolTarget]
    body: BodyTarget | None = None
