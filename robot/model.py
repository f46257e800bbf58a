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
from robot.descriptions import derive
from robot.errors import UnknownName
from robot.robot_config import RobotConfig
from robot.spatial import Pose
from robot.state import BaseState

_ALIGNED = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED


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
        # Work spaces that no living Configuration uses; see Configuration.__del__.
        self._spare: list[Any] = []

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


class Configuration:
    """A robot at given joint positions and velocities, forward kinematics already run.

    Holding one of these is the proof that poses and Jacobians are up to date: there is no
    other way to obtain them, and it cannot be changed. Forward kinematics run when it is made;
    Jacobians, dynamics and centre of mass when they are first asked for.

    Attributes:
        model: The robot.
        joint_position: Joint positions, in rad. Shape (n,).
        joint_velocity: Joint velocities, in rad/s. Shape (n,).
        velocity: The generalized velocity, base along base axes; see the module. Shape (nv,).
    """

    model: RobotModel
    joint_position: Array
    joint_velocity: Array
    velocity: Array

    def __init__(
        self,
        model: RobotModel,
        joint_position: Array,
        joint_velocity: Array | None = None,
        base: BaseState | None = None,
    ) -> None:
        """Run forward kinematics; use `RobotModel.at`, which checks the base.

        Args:
            model: The robot.
            joint_position: Joint positions, in rad. Shape (n,).
            joint_velocity: Joint velocities, in rad/s; zero if omitted. Shape (n,).
            base: The floating base, if there is one.
        """
        n = model.n
        self.model = model
        self.joint_position = frozen("joint_position", joint_position, (n,))
        velocity = np.zeros(model.nv)
        if joint_velocity is not None:
            if joint_velocity.shape != (n,):
                raise ValueError(
                    f"joint_velocity: expected shape {(n,)}, got {joint_velocity.shape}"
                )
            velocity[-n:] = joint_velocity
        coordinates = self.joint_position
        if base is not None:
            pose, rotation = base.pose_world_base, base.pose_world_base.rotation
            coordinates = np.concatenate([pose.position, pose.quaternion, coordinates])
            velocity[:3] = base.twist_world_base[:3] @ rotation
            velocity[3:6] = base.twist_world_base[3:] @ rotation
        velocity.flags.writeable = False
        self.velocity = velocity
        self.joint_velocity = velocity[-n:]
        self._coordinates = coordinates
        self._data = model._spare.pop() if model._spare else model._pin.createData()
        self._have_jacobians = self._have_dynamics = self._have_com = False
        # With zero acceleration, so that frame accelerations are the drift terms.
        pin.forwardKinematics(model._pin, self._data, coordinates, velocity, np.zeros(model.nv))

    def __del__(self) -> None:
        """Return the work space: making one costs more than all that is computed in it."""
        data = self.__dict__.pop("_data", None)
        if data is not None:
            self.model._spare.append(data)

    def pose_world(self, frame: str) -> Pose:
        """Return the pose of a frame of the robot in the world frame.

        Raises:
            UnknownName: If the robot has no such frame.
        """
        placement = pin.updateFramePlacement(
            self.model._pin, self._data, self.model.frame_id(frame)
        )
        return Pose(placement.translation, pin.Quaternion(placement.rotation).coeffs())

    def rotation_world(self, frame: str) -> Array:
        """Return the rotation matrix from a frame's axes to the world's. Shape (3, 3)."""
        placement = pin.updateFramePlacement(
            self.model._pin, self._data, self.model.frame_id(frame)
        )
        return np.array(placement.rotation)

    def position_world(self, frame: str) -> Array:
        """Return where the origin of a frame is in the world, in m. Shape (3,)."""
        placement = pin.updateFramePlacement(
            self.model._pin, self._data, self.model.frame_id(frame)
        )
        return np.array(placement.translation)

    def twist_world(self, frame: str) -> Array:
        """Return the twist (linear, angular) of a frame's origin, along the world axes. Shape (6,).

        Raises:
            UnknownName: If the robot has no such frame.
        """
        twist = pin.getFrameVelocity(
            self.model._pin, self._data, self.model.frame_id(frame), _ALIGNED
        )
        return np.array(twist.vector)

    def jacobian(self, frame: str) -> Array:
        """Return the matrix taking the generalized velocity to the twist of a frame.

        The twist is (linear, angular), of the frame's origin, along the world axes.
        Shape (6, nv).

        Raises:
            UnknownName: If the robot has no such frame.
        """
        number = self.model.frame_id(frame)
        if not self._have_jacobians:
            pin.computeJointJacobians(self.model._pin, self._data)
            self._have_jacobians = True
        pin.updateFramePlacement(self.model._pin, self._data, number)
        jacobian: Array = pin.getFrameJacobian(self.model._pin, self._data, number, _ALIGNED)
        return jacobian

    def jacobian_drift(self, frame: str) -> Array:
        """Return dJ/dt v: how a frame's twist changes while no coordinate accelerates.

        Along the world axes, in m/s^2 and rad/s^2. Shape (6,).

        Raises:
            UnknownName: If the robot has no such frame.
        """
        acceleration = pin.getFrameClassicalAcceleration(
            self.model._pin, self._data, self.model.frame_id(frame), _ALIGNED
        )
        return np.array(acceleration.vector)

    def mass_matrix(self) -> Array:
        """Return the joint-space inertia matrix, in kg·m^2. Shape (nv, nv)."""
        self._compute_dynamics()
        return np.array(self._data.M)

    def bias_effort(self) -> Array:
        """Return the torques of gravity, Coriolis and centrifugal forces, in N·m. Shape (nv,)."""
        self._compute_dynamics()
        return np.array(self._data.nle)

    def gravity_effort(self) -> Array:
        """Return the joint torques that hold the robot still, in N·m. Shape (nv,)."""
        effort = pin.computeGeneralizedGravity(self.model._pin, self._data, self._coordinates)
        return np.array(effort)

    def com(self) -> Array:
        """Return the centre of mass in the world, in m. Shape (3,)."""
        self._compute_com()
        return np.array(self._data.com[0])

    def com_velocity(self) -> Array:
        """Return the velocity of the centre of mass, along the world axes, in m/s. Shape (3,)."""
        self._compute_com()
        return np.array(self._data.vcom[0])

    def com_jacobian(self) -> Array:
        """Return the matrix taking the generalized velocity to the velocity of the centre of mass.

        Along the world axes. Shape (3, nv).
        """
        return np.array(pin.jacobianCenterOfMass(self.model._pin, self._data, False))

    def com_drift(self) -> Array:
        """Return the acceleration of the centre of mass while no coordinate accelerates.

        Along the world axes, in m/s^2. Shape (3,).
        """
        self._compute_com()
        return np.array(self._data.acom[0])

    def _compute_dynamics(self) -> None:
        if not self._have_dynamics:
            pin.crba(self.model._pin, self._data, self._coordinates, pin.Convention.LOCAL)
            pin.nonLinearEffects(self.model._pin, self._data, self._coordinates, self.velocity)
            self._have_dynamics = True

    def _compute_com(self) -> None:
        if not self._have_com:
            pin.centerOfMass(self.model._pin, self._data, pin.KinematicLevel.ACCELERATION, False)
            self._have_com = True


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
