"""What a simulated robot knows of its floating base: an inertial unit, and an estimate."""

from __future__ import annotations

from collections import deque

import numpy as np

from robot.arrays import Array
from robot.clock import whole_multiple
from robot.estimator import BaseEstimator
from robot.kinematics import base_at_rest
from robot.model import RobotModel
from robot.signals.wrench import compiled
from robot.sim.inertial import proper_acceleration, rotation_world_inertial
from robot.sim.noise import NoiseLevel
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.spatial import Pose
from robot.state import BaseState

Row = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
"""Quaternion of the base's inertial frame, velocity of its origin, angular velocity."""


class SimImu:
    """Gyroscope and accelerometer on the base, and the estimator that they and the legs feed.

    Noise, delay and biases that last an episode are added to the truth. The acceleration is the
    mean over a control period, as of a sensor that integrates between two readings: that of single
    physics steps is mostly contact solver.
    """

    def __init__(
        self,
        world: World,
        robot: SimRobot,
        model: RobotModel,
        estimator: BaseEstimator,
        frame: str,
        noise: NoiseLevel,
    ) -> None:
        """Mount the unit.

        Args:
            world: Where.
            robot: Whose base.
            model: Of the same robot.
            estimator: Of the base.
            frame: Where the unit is; fixed to the base link.
            noise: How badly it measures.
        """
        base = model.at(np.zeros(model.n), base=base_at_rest(Pose.identity()))
        base_link = next(name for name, index in robot.link_index.items() if index < 0)
        pose_inertial_imu = robot.pose_link_inertial(base_link).inverse() @ base.pose_world(frame)
        self._position_inertial_imu = pose_inertial_imu.position
        self._rotation_inertial_imu = np.ascontiguousarray(pose_inertial_imu.rotation)
        self._world, self._client, self._body = world, world.client, robot.body
        self._estimator, self._noise = estimator, noise
        self._delay = noise.delay_steps(world.physics_dt)
        substeps = whole_multiple(world.dt, world.physics_dt, ("dt", "physics_dt"))
        self._rows: deque[Row] = deque(maxlen=self._delay + substeps + 1)

    def reset(self, joint_position: Array, pose_world_base: Pose, rng: np.random.Generator) -> None:
        """Start an episode at rest.

        Args:
            joint_position: In rad. Shape (n,).
            pose_world_base: Where the base is; the estimator is told, as by a calibration.
            rng: The biases are drawn from it.
        """
        self._estimator.reset(joint_position, pose_world_base)
        self._estimated_step = self._world.steps
        self._gyro_bias = self._noise.gyro_bias * rng.standard_normal(3)
        self._acceleration_bias = self._noise.acceleration_bias * rng.standard_normal(3)
        self._rows.clear()
        for _ in range(self._rows.maxlen or 1):
            self.sample()

    def sample(self) -> None:
        """Note what is so after a physics step."""
        _, quaternion = self._client.getBasePositionAndOrientation(self._body)
        self._rows.append((quaternion, *self._client.getBaseVelocity(self._body)))

    def estimate(self, joint_position: Array, joint_velocity: Array, draws: Array) -> BaseState:
        """Return what is known of the base after one more reading.

        Args:
            joint_position: Measured, in rad. Shape (n,).
            joint_velocity: Measured, in rad/s. Shape (n,).
            draws: Standard normal. Shape (6,).
        """
        passed = (self._world.steps - self._estimated_step) * self._world.physics_dt
        self._estimated_step = self._world.steps
        gyro, acceleration = self._feel(draws)
        return self._estimator.update(joint_position, joint_velocity, gyro, acceleration, passed)

    def _feel(self, draws: Array) -> tuple[Array, Array]:
        """Return angular velocity and proper acceleration along the unit's axes. Shapes (3,)."""
        now, before = self._rows[-1 - self._delay], self._rows[0]
        gyro, acceleration = _felt(
            np.array([*now[0], *now[1], *now[2]]),
            np.array([*before[0], *before[1], *before[2]]),
            self._position_inertial_imu,
            self._rotation_inertial_imu,
            self._world.dt,
        )
        noise = self._noise
        gyro += self._gyro_bias + noise.gyro * draws[:3]
        acceleration += self._acceleration_bias + noise.acceleration * draws[3:]
        return gyro, acceleration


@compiled
def _felt(
    now: Array, before: Array, lever: Array, rotation_inertial_imu: Array, dt: float
) -> tuple[Array, Array]:
    """Return angular velocity and proper acceleration along the unit's axes. Shapes (3,).

    Args:
        now: A `Row`. Shape (10,).
        before: The row one control period earlier. Shape (10,).
        lever: From the inertial frame's origin to the unit, along its axes, in m. Shape (3,).
        rotation_inertial_imu: Shape (3, 3).
        dt: The control period, in s.
    """
    rotation = rotation_world_inertial(now) @ rotation_inertial_imu
    felt = proper_acceleration(now, before, lever, dt)
    return rotation.T @ now[7:10], rotation.T @ felt
