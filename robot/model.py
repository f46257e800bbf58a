"""A robot's kinematics and dynamics, fixed or floating base, on pinocchio.

**Generalized velocity.** With a floating base its `nv = n + 6` entries are

    v = [linear velocity of the base origin (3), angular velocity of the base (3), joints (n)]

and the first six are along the axes of the *base*, not of the world: this is pinocchio's
free-flyer, kept as it is so that mass matrix, bias and Jacobians are consistent with each other and
are used without conversion. The first six accelerations are the time derivatives of those six
numbers. What a Jacobian returns, and `BaseState.twist_world_base`, is along the *world* axes;
`RobotModel.at` converts once, where a measurement comes in.

With `S = [0; 1]` selecting the joints, the equations of motion are

    M vdot + h = S tau + sum_i J_i^T f_i        and        d/dt (J v) = J vdot + drift

with `M = mass_matrix()`, `h = bias_effort()`, `J = jacobian(frame)`, `f_i` a wrench along the world
axes at the frame's origin, and `drift = jacobian_drift(frame)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pinocchio as pin

from robot.arrays import Array, frozen
from robot.configuration import Configuration
from robot.descriptions import derive
from robot.errors import UnknownName
from robot.robot_config import RobotConfig
from robot.state import BaseState, RobotState

__all__ = ["Configuration", "RobotModel", "load_model"]


class RobotModel:
    """What never changes about a robot: joints, limits, frames, inertias.

    Nothing here depends on a configuration; `at()` returns what does. Not to be shared between
    threads: it keeps pinocchio's work space.

    Attributes:
        joint_names: The `n` actuated joints, in the order of every joint array.
        floating: Whether the base is free; the generalized velocity has `nv = n + 6` entries then,
            base first, and `nv = n` otherwise.
        tool_frames: The tool frame of each arm, by arm name.
        contact_frames: The frames that stand on the floor, by name; empty for a fixed base.
        position_limits: Lower and upper joint positions, in rad. Shape (2, n).
        velocity_limits: Largest joint speeds, in rad/s. Shape (n,).
        effort_limits: Largest joint torques, in N·m. Shape (n,).
        mass: Of all that moves, in kg: a bolted base is left out, here and in the centre of mass.
        nv: Length of the generalized velocity.
    """

    joint_names: tuple[str, ...]
    floating: bool
    tool_frames: Mapping[str, str]
    contact_frames: Mapping[str, str]
    position_limits: Array
    velocity_limits: Array
    effort_limits: Array
    mass: float
    nv: int

    def __init__(
        self,
        pin_model: Any,
        tool_frames: Mapping[str, str],
        contact_frames: Mapping[str, str] | None = None,
    ) -> None:
        """Wrap a pinocchio model whose joints are all revolute or prismatic.

        Args:
            pin_model: Model with a fixed base or a free-flyer root.
            tool_frames: Frame to control for each arm, by arm name.
            contact_frames: Frames that stand on the floor, by name.

        Raises:
            UnknownName: If a tool or contact frame is not in the model.
            ValueError: If a joint needs more than one coordinate, e.g. a continuous one.
        """
        self._pin = pin_model
        names = list(pin_model.names)[1:]
        self.floating = bool(names) and pin_model.joints[1].shortname() == "JointModelFreeFlyer"
        first = 1 if self.floating else 0
        self.joint_names = tuple(names[first:])
        for number, name in enumerate(self.joint_names, start=first + 1):
            joint = pin_model.joints[number]
            if (joint.nq, joint.nv) != (1, 1):
                raise ValueError(f"joint '{name}': expected one coordinate, got {joint.nq}")
        n, offset = len(self.joint_names), 7 if self.floating else 0
        self.nv = int(pin_model.nv)
        self.position_limits = frozen(
            "position_limits",
            [pin_model.lowerPositionLimit[offset:], pin_model.upperPositionLimit[offset:]],
            (2, n),
        )
        self.velocity_limits = frozen("velocity_limits", pin_model.velocityLimit[-n:], (n,))
        self.effort_limits = frozen("effort_limits", pin_model.effortLimit[-n:], (n,))
        self.mass = float(sum(inertia.mass for inertia in list(pin_model.inertias)[1:]))
        self._frame_ids = {
            frame.name: number
            for number, frame in enumerate(pin_model.frames)
            if frame.type == pin.FrameType.BODY
        }
        self.tool_frames = dict(tool_frames)
        self.contact_frames = dict(contact_frames or {})
        for frame in (*self.tool_frames.values(), *self.contact_frames.values()):
            self.frame_id(frame)
        # What `Configuration` gives pinocchio as accelerations.
        self._at_rest = np.zeros(self.nv)
        # Work spaces that no living Configuration uses; see Configuration.__del__.
        self._spare: list[Any] = []
        self._measured: tuple[RobotState, Configuration] | None = None

    @property
    def n(self) -> int:
        """Number of actuated joints."""
        return len(self.joint_names)

    @property
    def arms(self) -> tuple[str, ...]:
        """Arm names, in a fixed order."""
        return tuple(self.tool_frames)

    @property
    def frames(self) -> tuple[str, ...]:
        """Every link of the control description, by name; each is a frame."""
        return tuple(self._frame_ids)

    def frame_id(self, frame: str) -> int:
        """Return the number of a frame.

        Raises:
            UnknownName: If the robot has no such frame.
        """
        try:
            return self._frame_ids[frame]
        except KeyError:
            raise UnknownName("frame", frame, self._frame_ids) from None

    def joint_index(self, joint: str) -> int:
        """Return where a joint stands in every joint array.

        Raises:
            UnknownName: If the robot has no such joint.
        """
        try:
            return self.joint_names.index(joint)
        except ValueError:
            raise UnknownName("joint", joint, self.joint_names) from None

    def joint_position(self, posture: Mapping[str, float]) -> Array:
        """Return a joint array from positions by name, zero where nothing is said. Shape (n,).

        Args:
            posture: Joint positions by joint name, in rad.

        Raises:
            UnknownName: If the robot has no such joint.
        """
        position = np.zeros(self.n)
        for joint, value in posture.items():
            position[self.joint_index(joint)] = value
        return position

    def supporting_joints(self, frame: str) -> Array:
        """Return which joints move a frame. Shape (n,), 1 where one does and 0 elsewhere.

        Raises:
            UnknownName: If the robot has no such frame.
        """
        joint = self._pin.frames[self.frame_id(frame)].parentJoint
        moves = np.zeros(self._pin.njoints)
        moves[list(self._pin.supports[joint])] = 1.0
        return moves[-self.n :]

    def at(
        self,
        joint_position: Array,
        joint_velocity: Array | None = None,
        base: BaseState | None = None,
    ) -> Configuration:
        """Run forward kinematics once and return everything that depends on it.

        Args:
            joint_position: Joint positions, in rad. Shape (n,).
            joint_velocity: Joint velocities, in rad/s; zero if omitted. Shape (n,).
            base: The floating base; required if and only if the robot has one.

        Raises:
            ValueError: If a base is missing or given in vain, or a shape is wrong.
        """
        if (base is not None) != self.floating:
            state = "needs its base" if self.floating else "is bolted down and takes no base"
            raise ValueError(f"base: this robot {state}")
        return Configuration(self, joint_position, joint_velocity, base)

    def measured(self, robot: RobotState) -> Configuration:
        """Return the configuration that was measured; asked again about the same, the same one.

        Zones, controller, guard and environment ask for that of the present tick.

        Args:
            robot: The measurement.

        Raises:
            ValueError: If the robot floats and its base was not measured, or a shape is wrong.
        """
        if self._measured is None or self._measured[0] is not robot:
            base = robot.base if self.floating else None
            here = self.at(robot.joint_position, robot.joint_velocity, base)
            self._measured = (robot, here)
        return self._measured[1]


def load_model(config: RobotConfig) -> RobotModel:
    """Build the model of a robot from its derived control description.

    Args:
        config: The robot. A base that is not floating is bolted to the world at
            `config.base.position`, upright.

    Raises:
        ConfigError: If the package of the description is not installed.
        UnknownName: If the configuration names a frame, link or joint that does not exist.
    """
    path = str(derive(config.description).control_urdf)
    if config.base.floating:
        pin_model = pin.buildModelFromUrdf(path, pin.JointModelFreeFlyer())
    else:
        pin_model = pin.buildModelFromUrdf(path)
        shift = pin.SE3(np.eye(3), np.array(config.base.position))
        for number, parent in enumerate(pin_model.parents):
            if number > 0 and parent == 0:
                pin_model.jointPlacements[number] = shift * pin_model.jointPlacements[number]
        for frame in pin_model.frames:
            if frame.parentJoint == 0:
                frame.placement = shift * frame.placement
    model = RobotModel(pin_model, config.tool_frames, config.contact_frames)
    for link in (config.torso_link, config.base.imu_frame):
        model.frame_id(link)
    model.joint_position(config.posture)
    return model
