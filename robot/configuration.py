"""A robot at given joint positions and velocities, and all that depends on them.

`robot.model` says what the generalized velocity is and in which axes everything is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pinocchio as pin

from robot.arrays import Array, frozen
from robot.spatial import Pose
from robot.state import BaseState

if TYPE_CHECKING:
    from robot.model import RobotModel

_ALIGNED = pin.ReferenceFrame.LOCAL_WORLD_ALIGNED


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
            pose = base.pose_world_base
            coordinates = np.empty(7 + n)
            coordinates[:3], coordinates[3:7] = pose.position, pose.quaternion
            coordinates[7:] = self.joint_position
            velocity[:6] = (base.twist_world_base.reshape(2, 3) @ pose.rotation).ravel()
        velocity.flags.writeable = False
        self.velocity = velocity
        self.joint_velocity = velocity[-n:]
        self._coordinates = coordinates
        self._data = model._spare.pop() if model._spare else model._pin.createData()
        self._have_jacobians = self._have_dynamics = False
        self._com: Array | None = None
        # With zero acceleration, so that frame accelerations are the drift terms.
        pin.forwardKinematics(model._pin, self._data, coordinates, velocity, model._at_rest)

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
        placement = self._placement(frame)
        return Pose(placement.translation, pin.Quaternion(placement.rotation).coeffs())

    def rotation_world(self, frame: str) -> Array:
        """Return the rotation matrix from a frame's axes to the world's. Shape (3, 3)."""
        return np.array(self._placement(frame).rotation)

    def position_world(self, frame: str) -> Array:
        """Return where the origin of a frame is in the world, in m. Shape (3,)."""
        return np.array(self._placement(frame).translation)

    def placement_world(self, frame: str) -> tuple[Array, Array]:
        """Return `position_world` and `rotation_world` at the price of one. Shapes (3,), (3, 3)."""
        placement = self._placement(frame)
        return np.array(placement.translation), np.array(placement.rotation)

    def twist_world(self, frame: str) -> Array:
        """Return the twist (linear, angular) of a frame's origin, along the world axes. Shape (6,).

        Raises:
            UnknownName: If the robot has no such frame.
        """
        twist = pin.getFrameVelocity(
            self.model._pin, self._data, self.model.frame_id(frame), _ALIGNED
        )
        return np.array(twist.vector)

    def write_motion(self, frame: str, motion: Array) -> None:
        """Write where a frame is and how its origin moves, along the world axes.

        Args:
            frame: Which.
            motion: Receives position in m, velocity in m/s, angular velocity in rad/s, and the
                three rows of the matrix from the frame's axes to the world's. Shape (6, 3).

        Raises:
            UnknownName: If the robot has no such frame.
        """
        number = self.model.frame_id(frame)
        placement = pin.updateFramePlacement(self.model._pin, self._data, number)
        motion[0], motion[3:] = placement.translation, placement.rotation
        twist = pin.getFrameVelocity(self.model._pin, self._data, number, _ALIGNED)
        motion[1:3] = twist.vector.reshape(2, 3)

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
        return np.array(self._compute_com()[0])

    def com_velocity(self) -> Array:
        """Return the velocity of the centre of mass, along the world axes, in m/s. Shape (3,)."""
        return np.array(self._compute_com()[1])

    def com_jacobian(self) -> Array:
        """Return the matrix taking the generalized velocity to the velocity of the centre of mass.

        Along the world axes. Shape (3, nv).
        """
        return np.array(pin.jacobianCenterOfMass(self.model._pin, self._data, False))

    def com_drift(self) -> Array:
        """Return the acceleration of the centre of mass while no coordinate accelerates.

        Along the world axes, in m/s^2. Shape (3,).
        """
        return np.array(self._compute_com()[2])

    def _placement(self, frame: str) -> Any:
        return pin.updateFramePlacement(self.model._pin, self._data, self.model.frame_id(frame))

    def _compute_dynamics(self) -> None:
        if not self._have_dynamics:
            pin.crba(self.model._pin, self._data, self._coordinates, pin.Convention.LOCAL)
            pin.nonLinearEffects(self.model._pin, self._data, self._coordinates, self.velocity)
            self._have_dynamics = True

    def _compute_com(self) -> Array:
        """Return position, velocity and drift of the centre of mass. Shape (3, 3)."""
        if self._com is None:
            data = self._data
            pin.centerOfMass(self.model._pin, data, pin.KinematicLevel.ACCELERATION, False)
            # Kept apart: the Jacobian of the centre of mass overwrites them, rounded differently.
            self._com = np.array([data.com[0], data.vcom[0], data.acom[0]])
        return self._com
