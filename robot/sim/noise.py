"""How badly a simulated robot measures, as data."""

from __future__ import annotations

from dataclasses import dataclass

from robot.clock import whole_multiple


@dataclass(frozen=True)
class NoiseLevel:
    """Standard deviations of white noise per sample, and of biases that last an episode.

    Attributes:
        joint_position: Of a joint encoder, in rad.
        joint_velocity: Of a joint's velocity, in rad/s.
        opening: Of a gripper's opening, in m.
        gyro: Of an angular velocity, in rad/s.
        gyro_bias: Of its bias, in rad/s.
        acceleration: Of a proper acceleration, in m/s^2.
        acceleration_bias: Of its bias, in m/s^2.
        force: Of a wrist force sampled at 1 kHz, before the sensor's low pass, in N.
        torque: Of a wrist torque sampled at 1 kHz, before the sensor's low pass, in N·m.
        force_bias: What is left of the force after taring, in N.
        torque_bias: What is left of the torque after taring, in N·m.
        delay: Time from sampling to being read, in s.
    """

    joint_position: float = 0.0
    joint_velocity: float = 0.0
    opening: float = 0.0
    gyro: float = 0.0
    gyro_bias: float = 0.0
    acceleration: float = 0.0
    acceleration_bias: float = 0.0
    force: float = 0.0
    torque: float = 0.0
    force_bias: float = 0.0
    torque_bias: float = 0.0
    delay: float = 0.0

    def delay_steps(self, physics_dt: float) -> int:
        """Return the delay in physics steps.

        Raises:
            ValueError: If it is not a whole number of them.
        """
        if self.delay == 0.0:
            return 0
        return whole_multiple(self.delay, physics_dt, ("delay", "physics period"))


# B is what a good robot of today does; C is one that needs service.
NOISE_LEVELS = {
    "none": NoiseLevel(),
    "B": NoiseLevel(
        joint_position=5e-5,
        joint_velocity=5e-3,
        opening=5e-5,
        gyro=1.5e-3,
        gyro_bias=1e-3,
        acceleration=0.02,
        acceleration_bias=0.02,
        force=0.05,
        torque=0.002,
        force_bias=0.1,
        torque_bias=0.005,
        delay=1e-3,
    ),
    "C": NoiseLevel(
        joint_position=2e-4,
        joint_velocity=2e-2,
        opening=2e-4,
        gyro=6e-3,
        gyro_bias=4e-3,
        acceleration=0.08,
        acceleration_bias=0.08,
        force=0.2,
        torque=0.008,
        force_bias=0.4,
        torque_bias=0.02,
        delay=2e-3,
    ),
}
