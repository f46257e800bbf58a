"""Where the floating base is and how it moves, from what a legged robot can feel.

Joint encoders and two feet on a flat floor say where the base is, but only as far as the feet stand
flat; a gyroscope and an accelerometer say how it moves, but drift. The estimator integrates the
second and lets the first pull it back: a fixed-gain observer in the spirit of Bloesch et al.,
*State Estimation for Legged Robots* (RSS 2012), with the Kalman gains replaced by rates, because on
two feet that do not step the gains hardly change. A foot that tilts is taken to
pivot on its lowest edge, and one that lifts is doubted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array
from robot.estimator_kernel import POSITION, VELOCITY, observe
from robot.model import Configuration, RobotModel
from robot.spatial import Pose, quaternion_from_rotation
from robot.state import BaseState


@dataclass(frozen=True)
class EstimatorConfig:
    """How fast the legs correct what the inertial measurements say.

    Attributes:
        orientation_rate: Of the orientation towards flat feet, in 1/s.
        velocity_rate: Of the velocity towards that of the standing feet, in 1/s.
        position_rate: Of the position towards that of the standing feet, in 1/s.
        bias_rate: Of the gyroscope's and accelerometer's biases, in 1/s.
        anchor_rate: At which a doubted foot is anchored anew where it is believed to be, in 1/s.
    """

    orientation_rate: float = 10.0
    velocity_rate: float = 40.0
    position_rate: float = 60.0
    bias_rate: float = 0.3
    anchor_rate: float = 20.0


class BaseEstimator:
    """Estimates the base of a robot that stands on flat feet on a level floor."""

    def __init__(
        self,
        model: RobotModel,
        foot_half_sizes: Mapping[str, tuple[float, float]],
        imu_frame: str,
        config: EstimatorConfig | None = None,
    ) -> None:
        """Prepare for `reset()`.

        Args:
            model: A robot with a floating base and contact frames.
            foot_half_sizes: Half length and half width of each sole by name, in m.
            imu_frame: Frame of the inertial measurement unit. It must be fixed to the base link
                and close to its origin: the lever arm between the two is neglected.
            config: How fast the legs correct.

        Raises:
            ValueError: If the base is bolted down or has no contact frame.
            UnknownName: If the robot has no such IMU frame.
        """
        if not model.floating or not model.contact_frames:
            raise ValueError("model: expected a floating base and at least one contact frame")
        config = config or EstimatorConfig()
        self._model = model
        self._frames = tuple(model.contact_frames.values())
        self._half_sizes = np.array([foot_half_sizes[name] for name in model.contact_frames])
        self._rates = np.array(
            [
                config.orientation_rate,
                config.velocity_rate,
                config.position_rate,
                config.bias_rate,
                config.anchor_rate,
            ]
        )
        # Seen from the base, the base is at rest at the origin.
        self._origin = BaseState(Pose.identity(), np.zeros(6), np.zeros(3))
        here = model.at(np.zeros(model.n), base=self._origin)
        self._rotation_imu_base = here.rotation_world(imu_frame).T.copy()
        self._rotation = np.eye(3)
        self._motion = np.zeros((4, 3))
        self._anchors = np.zeros((len(self._frames), 4))
        self._feet = np.zeros((len(self._frames), 6, 3))
        self._felt = np.zeros((2, 3))

    def reset(self, joint_position: Array, pose_world_base: Pose) -> None:
        """Forget the past and anchor the feet where they stand, flat, level and at one height.

        Args:
            joint_position: Measured, in rad. Shape (n,).
            pose_world_base: Where the base is, from the calibration of the robot to its station.
        """
        self._rotation[:] = pose_world_base.rotation
        self._motion[:] = 0.0
        self._motion[POSITION] = pose_world_base.position
        self._feel_feet(self._model.at(joint_position, base=self._origin))
        for anchor, foot in zip(self._anchors, self._feet, strict=True):
            sole = self._rotation @ foot[3:]
            anchor[:3] = self._motion[POSITION] + self._rotation @ foot[0]
            anchor[3] = math.atan2(sole[1, 0], sole[0, 0])
        self._anchors[:, 2] = self._anchors[:, 2].mean()

    def update(
        self,
        joint_position: Array,
        joint_velocity: Array,
        gyro: Array,
        acceleration: Array,
        dt: float,
    ) -> BaseState:
        """Return the base after one more sample.

        Args:
            joint_position: Measured, in rad. Shape (n,).
            joint_velocity: Measured, in rad/s. Shape (n,).
            gyro: Angular velocity felt by the IMU, along its axes, in rad/s. Shape (3,).
            acceleration: Proper acceleration felt by the IMU, along its axes, in m/s^2. Shape (3,).
            dt: Time since the last sample, in s.
        """
        self._feel_feet(self._model.at(joint_position, joint_velocity, self._origin))
        self._felt[0] = gyro @ self._rotation_imu_base
        self._felt[1] = acceleration @ self._rotation_imu_base
        turning = observe(
            self._rotation,
            self._motion,
            self._anchors,
            self._felt,
            self._feet,
            self._half_sizes,
            self._rates,
            dt,
        )
        return BaseState(
            Pose(self._motion[POSITION], quaternion_from_rotation(self._rotation)),
            np.concatenate([self._motion[VELOCITY], turning]),
            acceleration,
        )

    def _feel_feet(self, here: Configuration) -> None:
        """Note where each sole is and how fast, seen from the base and along its axes."""
        for foot, frame in zip(self._feet, self._frames, strict=True):
            here.write_motion(frame, foot)
