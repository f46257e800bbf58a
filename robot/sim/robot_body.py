"""A robot in the world: its joints and links by name, its posture, its torques."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from robot.arrays import Array
from robot.errors import UnknownName
from robot.sim.probe import JointSample, RobotProbe
from robot.spatial import Pose, rotate
from robot.urdf import without_frames


class SimRobot:
    """A robot in the world, loaded with nothing that moves or brakes it by itself.

    PyBullet speaks of bases and links by the frames of their centres of mass (inertial frames);
    this class speaks of link frames, as the URDF and the model do, and is the one place where the
    two meet.

    Attributes:
        name: Of the robot in the world.
        body: Bullet's number of it.
        fixed: Whether its base is bolted to the world.
        joint_index: Bullet's number of each joint that moves, by joint name.
        link_index: Bullet's number of each link, by link name; the base link has -1, and a frame
            has the number of the link that carries it.
        joint_child: Bullet's number of the link on the far side of each joint, fixed ones
            included, by joint name.
        probe: Samples joints and links for devices; the world lets it sample after each step.
    """

    def __init__(self, client: Any, name: str, urdf: Path, pose_world_base: Pose, fixed: bool):
        """Load a robot.

        Args:
            client: The physics server.
            name: What it is called in the world.
            urdf: Its simulation URDF, which names meshes by absolute paths.
            pose_world_base: Where its base link is.
            fixed: Whether the base is bolted to the world.
        """
        self.name = name
        self.fixed = fixed
        self._client = client
        # Without this flag Bullet replaces every inertia by a guess from the collision shape.
        # URDF_MAINTAIN_LINK_ORDER corrupts the heap with large robots (bullet3 #3267), so joints
        # are found by name. No flag for self-collision: neighbouring capsules overlap, and what
        # must not meet is kept apart by the controller.
        # Frames, which weigh nothing, are not loaded: Bullet would carry each through every pass
        # over the links, for every row of every contact.
        text, carriers = without_frames(urdf)
        with tempfile.TemporaryDirectory() as folder:
            loaded = Path(folder) / urdf.name
            loaded.write_text(text, encoding="utf-8")
            self.body: int = client.loadURDF(
                str(loaded), useFixedBase=fixed, flags=client.URDF_USE_INERTIA_FROM_FILE
            )
        self.probe = RobotProbe(client, self.body)
        self.joint_index: dict[str, int] = {}
        self.joint_child: dict[str, int] = {}
        self.link_index: dict[str, int] = {client.getBodyInfo(self.body)[0].decode(): -1}
        for index in range(client.getNumJoints(self.body)):
            info = client.getJointInfo(self.body, index)
            self.joint_child[info[1].decode()] = index
            self.link_index[info[12].decode()] = index
            if info[2] in (client.JOINT_REVOLUTE, client.JOINT_PRISMATIC):
                self.joint_index[info[1].decode()] = index
        self._set_up_dynamics()
        self._pose_link_frame = {name: pose for name, (_, pose) in carriers.items()}
        self.link_index |= {name: self.link_index[link] for name, (link, _) in carriers.items()}
        info = client.getDynamicsInfo(self.body, -1)
        self._pose_base_inertial = Pose(np.array(info[3]), np.array(info[4]))
        self._pose_inertial_base = self._pose_base_inertial.inverse()
        self.reset({}, pose_world_base)

    def _set_up_dynamics(self) -> None:
        client = self._client
        # One call each: damping of the base and of the joints in one call loses one of them, and
        # a call that names a link sends these two to the base whatever the link.
        client.changeDynamics(self.body, -1, linearDamping=0.0, angularDamping=0.0)
        # Bullet lets sleeping islands ignore forces; a robot that stands still must feel a shove.
        client.changeDynamics(
            self.body, -1, activationState=client.ACTIVATION_STATE_DISABLE_SLEEPING
        )
        for index in self.link_index.values():
            # Coulomb's coefficient is the product of two factors. With 1 here, the other body's
            # factor is the coefficient.
            client.changeDynamics(self.body, index, lateralFriction=1.0, spinningFriction=0.0)
        for index in self.joint_index.values():
            client.changeDynamics(self.body, index, jointDamping=0.0)
            # Bullet gives every joint a velocity motor, and joints faster than 100 rad/s (m/s) are
            # capped. The motor must be off; the cap never matters.
            client.setJointMotorControl2(
                self.body, index, client.VELOCITY_CONTROL, targetVelocity=0.0, force=0.0
            )

    def joint(self, name: str) -> int:
        """Return Bullet's number of a moving joint.

        Raises:
            UnknownName: If the robot has no such joint.
        """
        if name not in self.joint_index:
            raise UnknownName(f"moving joint of {self.name}", name, self.joint_index)
        return self.joint_index[name]

    def link(self, name: str) -> int:
        """Return Bullet's number of a link.

        Raises:
            UnknownName: If the robot has no such link.
        """
        if name not in self.link_index:
            raise UnknownName(f"link of {self.name}", name, self.link_index)
        return self.link_index[name]

    def reset(self, joint_position: Mapping[str, float], pose_world_base: Pose) -> None:
        """Put the robot somewhere, at rest.

        Args:
            joint_position: In rad or m, by joint name; joints that are absent go to zero.
            pose_world_base: Where the base link is.

        Raises:
            UnknownName: If the robot has no such joint.
        """
        for name in joint_position:
            self.joint(name)
        pose = pose_world_base @ self._pose_base_inertial
        self._client.resetBasePositionAndOrientation(self.body, pose.position, pose.quaternion)
        self._client.resetBaseVelocity(self.body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        for name, index in self.joint_index.items():
            self._client.resetJointState(self.body, index, joint_position.get(name, 0.0), 0.0)

    def joint_reader(self, names: Sequence[str]) -> Callable[[], Sequence[JointSample]]:
        """Return a function that samples some joints, in this order, in one call to Bullet."""
        get, body = self._client.getJointStates, self.body
        indices = [self.joint(name) for name in names]
        return lambda: get(body, indices)

    def effort_writer(self, names: Sequence[str]) -> Callable[[list[float]], None]:
        """Return a function that sets the torques of some joints for the next physics step only."""
        control, body, mode = (
            self._client.setJointMotorControlArray,
            self.body,
            self._client.TORQUE_CONTROL,
        )
        indices = [self.joint(name) for name in names]

        def write(efforts: list[float]) -> None:
            control(body, indices, mode, forces=efforts)

        return write

    def pose_world_base(self) -> Pose:
        """Return where the base link's frame is. The truth: no device may report it."""
        position, quaternion = self._client.getBasePositionAndOrientation(self.body)
        return Pose(np.array(position), np.array(quaternion)) @ self._pose_inertial_base

    def twist_world_base(self) -> Array:
        """Return the twist of the base link's origin along the world axes. Shape (6,)."""
        linear, angular = self._client.getBaseVelocity(self.body)
        _, quaternion = self._client.getBasePositionAndOrientation(self.body)
        quaternion_world_base = (
            Pose(np.zeros(3), np.array(quaternion)) @ self._pose_inertial_base
        ).quaternion
        # Bullet gives the velocity of the centre of mass.
        lever = rotate(quaternion_world_base, -self._pose_base_inertial.position)
        return np.concatenate([np.array(linear) + np.cross(angular, lever), angular])

    def pose_world_link(self, name: str) -> Pose:
        """Return where a frame of the robot, a link's or a bare one, is. No device may report it.

        Raises:
            UnknownName: If the robot has no such link or frame.
        """
        index = self.link(name)
        if index < 0:
            pose_world_link = self.pose_world_base()
        else:
            # Entries 4 and 5 are the link frame; 0 and 1 would be its centre of mass.
            state = self._client.getLinkState(self.body, index, computeForwardKinematics=1)
            pose_world_link = Pose(np.array(state[4]), np.array(state[5]))
        frame = self._pose_link_frame.get(name)
        return pose_world_link if frame is None else pose_world_link @ frame

    def pose_link_inertial(self, name: str) -> Pose:
        """Return where a link's inertial frame (centre of mass, principal axes) is in it.

        Raises:
            UnknownName: If the robot has no such link; a frame has no inertia.
        """
        if name in self._pose_link_frame:
            raise UnknownName(f"link of {self.name}", name, self.link_index)
        info = self._client.getDynamicsInfo(self.body, self.link(name))
        return Pose(np.array(info[3]), np.array(info[4]))
