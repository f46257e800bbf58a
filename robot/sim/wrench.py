"""A wrist's force-torque sensor, from Bullet's joint reaction."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.clock import whole_multiple
from robot.errors import UnknownName
from robot.sensor import Sensor, WrenchReading
from robot.signals.filters import LowPass
from robot.signals.wrench import Payload, compiled, payload_load
from robot.sim.inertial import proper_acceleration, rotation_world_inertial
from robot.sim.noise import NOISE_LEVELS, NoiseLevel
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.spatial import Pose

# Bandwidth of the sensor, in Hz.
_CUTOFF = 100.0


class WristWrench(Sensor[WrenchReading]):
    """A six-axis sensor with a built-in inertial unit, mounted in a wrist joint.

    The weight and inertia of the hand beyond it are taken away with what the inertial unit
    feels, averaged over the same control period as the reaction, so that the hand moves freely
    without pretending contact. A part in the hand is not taken away: its weight is felt.

    What is left while the hand moves is Bullet's: the pass that adds the contacts to the joint
    reactions counts Coriolis accelerations a second time. A hand that translates at v and turns at
    w at the same time feels a ghost of at most m w v, 0.1 N at 0.3 m/s and 0.3 rad/s.
    """

    def __init__(
        self,
        world: World,
        robot: SimRobot,
        joint: str,
        tool_link: str,
        noise: NoiseLevel | None = None,
    ) -> None:
        """Mount the sensor; it feels from the next physics step on.

        Args:
            world: Where.
            robot: Whose wrist.
            joint: The joint whose reaction is felt; may be a fixed one.
            tool_link: Link whose frame is the tool frame, rigidly behind the joint.
            noise: How badly it measures; level B if omitted.

        Raises:
            UnknownName: If the robot has no such joint or link.
        """
        if joint not in robot.joint_child:
            raise UnknownName(f"joint of {robot.name}", joint, robot.joint_child)
        self._world, self._noise = world, noise or NOISE_LEVELS["B"]
        link = robot.joint_child[joint]
        client = world.client
        client.enableJointForceTorqueSensor(robot.body, link, 1)
        self._get_joints, self._get_link = robot.probe.joints([link]), robot.probe.link(link)
        pose_world_tool = robot.pose_world_link(tool_link)
        state = client.getLinkState(robot.body, link, computeForwardKinematics=1)
        pose_tool_inertial = pose_world_tool.inverse() @ Pose(
            np.array(state[0]), np.array(state[1])
        )
        self._position_tool_inertial = pose_tool_inertial.position
        self._rotation_tool_inertial = np.ascontiguousarray(pose_tool_inertial.rotation)
        self._payload = _payload_beyond(world, robot, link, pose_world_tool)
        self._substeps = whole_multiple(world.dt, world.physics_dt, ("dt", "physics_dt"))
        # White at the physics rate, averaged over a control period.
        white = np.repeat([self._noise.force, self._noise.torque], 3)
        self._white = white / math.sqrt(self._substeps)
        self._delay = self._noise.delay_steps(world.physics_dt)
        self._samples: deque[tuple[int, Array]] = deque(maxlen=self._delay + self._substeps + 1)
        self._low_pass = LowPass(_CUTOFF)
        self._rng = np.random.default_rng(0)
        self._bias_tool = np.zeros(6)
        self._reading: tuple[int, WrenchReading] | None = None
        world.add_sampler(self._sample)

    @property
    def payload(self) -> Payload:
        """What the sensor carries."""
        return self._payload

    @override
    def reset(self, rng: np.random.Generator) -> None:
        noise = self._noise
        # A generator of its own, so that how often it draws does not change what others draw.
        self._rng = np.random.default_rng(rng.integers(2**63))
        scale = np.repeat([noise.force_bias, noise.torque_bias], 3)
        self._bias_tool = scale * self._rng.standard_normal(6)
        self._samples.clear()
        self._low_pass.reset()
        self._reading = None

    @override
    def read(self) -> WrenchReading:
        step = self._world.steps
        if self._reading is None or self._reading[0] != step:
            self._reading = (step, self._measure())
        return self._reading[1]

    def _sample(self) -> None:
        """Note orientation, velocity and reaction after a physics step."""
        state, reaction = self._get_link(), self._get_joints()[0][2]
        # Quaternion of the inertial frame, velocity of its origin, angular velocity, reaction.
        row = np.array((*state[1], *state[6], *state[7], *reaction))
        self._samples.append((self._world.steps, row))

    def _measure(self) -> WrenchReading:
        """Return the sample that is due, with noise."""
        noise, count = self._noise, self._substeps
        if len(self._samples) < count + 1:
            # Nothing has moved yet since the reset: the sensor was tared just now.
            return WrenchReading(self._world.time, self._bias_tool)
        newest = max(len(self._samples) - 1 - self._delay, count)
        step, now = self._samples[newest]
        before = self._samples[newest - count][1]
        period = count * self._world.physics_dt
        draws = self._rng.standard_normal(9)
        reaction = now[10:]
        for index in range(newest - count + 1, newest):
            reaction = reaction + self._samples[index][1][10:]
        payload = self._payload
        wrench_tool = _felt(
            now,
            before,
            reaction / count,
            period,
            noise.acceleration * draws[6:],
            self._rotation_tool_inertial,
            self._position_tool_inertial,
            payload.mass,
            payload.center_tool,
            payload.inertia_tool,
        )
        wrench_tool += self._white * draws[:6]
        filtered = self._low_pass.update(wrench_tool, period) + self._bias_tool
        return WrenchReading(step * self._world.physics_dt, filtered)


def _payload_beyond(world: World, robot: SimRobot, link: int, pose_world_tool: Pose) -> Payload:
    """Return the mass properties of a link and everything behind it, seen from the tool frame."""
    client = world.client
    behind = {link}
    # Bullet numbers parents before children.
    for index in range(link + 1, client.getNumJoints(robot.body)):
        if client.getJointInfo(robot.body, index)[16] in behind:
            behind.add(index)
    pose_tool_world = pose_world_tool.inverse()
    parts = []
    for index in sorted(behind):
        info = client.getDynamicsInfo(robot.body, index)
        state = client.getLinkState(robot.body, index, computeForwardKinematics=1)
        pose_tool_inertial = pose_tool_world @ Pose(np.array(state[0]), np.array(state[1]))
        axes = pose_tool_inertial.rotation
        parts.append((info[0], pose_tool_inertial.position, axes @ np.diag(info[2]) @ axes.T))
    mass = float(sum(part[0] for part in parts))
    center = np.asarray(sum(part[0] * part[1] for part in parts)) / mass
    inertia = np.zeros((3, 3))
    for part_mass, position, moments in parts:
        d = position - center
        inertia += moments + part_mass * (d @ d * np.eye(3) - np.outer(d, d))
    return Payload(mass, center, inertia)


@compiled
def _felt(
    now: Array,
    before: Array,
    reaction: Array,
    period: float,
    acceleration_noise: Array,
    rotation_tool_inertial: Array,
    position_tool_inertial: Array,
    mass: float,
    center_tool: Array,
    inertia_tool: Array,
) -> Array:
    """Return what the environment exerts on the tool, at the tool origin along its axes.

    Args:
        now: Quaternion of the inertial frame of the link behind the joint, its linear velocity,
            its angular velocity (world axes), reaction. Shape (16,).
        before: The same one control period earlier. Shape (16,).
        reaction: What the arm exerts on the hand, about the origin and along the axes of that
            inertial frame, averaged over the period; Bullet's sign and frame. Shape (6,).
        period: In s.
        acceleration_noise: Of the built-in accelerometer, along the tool axes. Shape (3,).
        rotation_tool_inertial: Shape (3, 3).
        position_tool_inertial: Shape (3,).
        mass: Of the payload.
        center_tool: Of the payload. Shape (3,).
        inertia_tool: Of the payload. Shape (3, 3).
    """
    rotation = rotation_world_inertial(now) @ rotation_tool_inertial.T
    # The accelerometer sits at the payload's centre of mass.
    lever = rotation_tool_inertial.T @ (center_tool - position_tool_inertial)
    proper = proper_acceleration(now, before, lever, period)
    angular_acceleration = (now[7:10] - before[7:10]) / period
    wrench = payload_load(
        mass,
        center_tool,
        inertia_tool,
        rotation.T @ proper + acceleration_noise,
        rotation.T @ now[7:10],
        rotation.T @ angular_acceleration,
    )
    force = rotation_tool_inertial @ reaction[:3]
    torque = rotation_tool_inertial @ reaction[3:] + np.cross(position_tool_inertial, force)
    wrench[:3] -= force
    wrench[3:] -= torque
    return wrench
