"""Where the centre of mass and the torso should be, and how they are drawn there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array
from robot.control.kernels import compiled
from robot.state import BodyTarget

GRAVITY = 9.81


@dataclass(frozen=True)
class BalanceConfig:
    """Gains of the centre of mass and the torso, and the bounds of what may move them.

    Attributes:
        com_stiffness: Along the world axes, in 1/s^2.
        com_damping: Along the world axes, in 1/s.
        com_weight: Along the world axes.
        torso_stiffness: In 1/s^2.
        torso_damping: In 1/s.
        torso_weight: About each world axis.
        settle_time: Time constant with which the centre of mass goes from where it is at reset to
            the middle of the feet, in s.
        lean_cutoff_hz: Cut-off of the wrist load that is leaned against, in Hz.
        lean_limit: Largest lean along each axis, in m. A lean to the end of the feet carries more,
            and falls when the load is let go at once: with 0.06 m 120 N come and go safely.
        shift_limit: Largest shift of the centre of mass a policy may ask for, in m.
        height_shift_limit: Largest shift of its height a policy may ask for, in m.
        torso_acceleration_limit: Largest feed-forward a policy may ask for, in rad/s^2; enough to
            take the place of the stiffness and damping above at 0.4 rad.
        strain_time: Time constant of the error of the centre of mass that makes the tools yield, in
            s; longer than a shove.
        strain_limit: That error at which the tools keep half of their weight, in m.
    """

    com_stiffness: tuple[float, float, float] = (25.0, 25.0, 40.0)
    com_damping: tuple[float, float, float] = (12.0, 12.0, 13.0)
    com_weight: tuple[float, float, float] = (20.0, 20.0, 2.0)
    torso_stiffness: float = 80.0
    torso_damping: float = 18.0
    torso_weight: float = 20.0
    settle_time: float = 0.5
    lean_cutoff_hz: float = 1.0
    lean_limit: float = 0.06
    shift_limit: float = 0.08
    height_shift_limit: float = 0.06
    torso_acceleration_limit: float = 60.0
    strain_time: float = 0.5
    strain_limit: float = 0.02


class Balance:
    """The reference of the centre of mass: over the feet, leaning against a sustained load.

    Attributes:
        position_world_support: Middle of the feet, on the floor, in m; the origin for a robot
            without feet. Shape (3,).
        com_weight: Of the centre of mass along the world axes. Shape (3,).
    """

    def __init__(self, config: BalanceConfig, mass: float) -> None:
        """Start without reference; `reset` before use.

        Args:
            config: Gains and bounds.
            mass: Of the whole robot, in kg.
        """
        self._config = config
        self._weight_force = mass * GRAVITY
        self._stiffness = np.array(config.com_stiffness)
        self._damping = np.array(config.com_damping)
        self._height = 0.0
        self._offset = np.zeros(3)
        self._lean = np.zeros(3)
        self._shift = np.zeros(3)
        self._strain = np.zeros(2)
        self.position_world_support = np.zeros(3)
        self.com_weight = np.array(config.com_weight)

    def reset(self, position_world_com: Array, position_world_feet: Iterable[Array]) -> None:
        """Stand as the robot stands now, and settle over the middle of the feet.

        Args:
            position_world_com: In m. Shape (3,).
            position_world_feet: Centre of each sole, in m. Each of shape (3,).
        """
        self.position_world_support[:] = np.mean(list(position_world_feet), axis=0)
        self._height = float(position_world_com[2] - self.position_world_support[2])
        self._offset[:] = position_world_com - self.position_world_support
        self._offset[2] = 0.0
        self._lean[:] = 0.0
        self._shift[:] = 0.0
        self._strain[:] = 0.0

    def load(self, wrench_world: Array, dt: float) -> None:
        """Take note of what pushes on the tools.

        The centre of pressure stays in the middle of the feet when gravity's moment about it
        balances the load's: m g dy = M_x and m g dx = -M_y, with M about the middle of the feet.

        Args:
            wrench_world: Of all tools together, about the middle of the feet, along world axes, in
                N and N·m. Shape (6,).
            dt: In s.
        """
        share = 1.0 - math.exp(-2.0 * math.pi * self._config.lean_cutoff_hz * dt)
        left = math.exp(-dt / self._config.settle_time)
        limit = self._config.lean_limit
        _lean(wrench_world, self._weight_force, limit, share, left, self._lean, self._offset)

    def reference(self) -> Array:
        """Return where the centre of mass should be, before a policy shifts it. Shape (3,).

        From the middle of the feet, along the world axes, in m.
        """
        reference: Array = self._offset + self._lean
        reference[2] += self._height
        return reference

    def com_acceleration(
        self,
        position_world_com: Array,
        velocity_world_com: Array,
        body: BodyTarget | None,
        dt: float,
    ) -> Array:
        """Return the acceleration wanted of the centre of mass, in m/s^2. Shape (3,).

        Args:
            position_world_com: In m. Shape (3,).
            velocity_world_com: In m/s. Shape (3,).
            body: What a policy asks for; bounded here.
            dt: In s.
        """
        if body is not None:
            limit = self._config.shift_limit
            self._shift[:2] = np.clip(body.position_shift_com, -limit, limit)
            limit = self._config.height_shift_limit
            self._shift[2] = min(max(body.height_shift_com, -limit), limit)
        else:
            self._shift[:] = 0.0
        return _com_acceleration(
            position_world_com,
            velocity_world_com,
            self.position_world_support,
            self._offset,
            self._lean,
            self._shift,
            self._height,
            self._stiffness,
            self._damping,
            min(dt / self._config.strain_time, 1.0),
            self._strain,
        )

    def torso_forward(self, body: BodyTarget | None) -> Array | None:
        """Return the angular acceleration that a policy adds to the torso's about x and y, bounded.

        Along world axes, in rad/s^2. Shape (2,). None if a policy asks for nothing.

        Args:
            body: What a policy asks for.
        """
        if body is None:
            return None
        limit = self._config.torso_acceleration_limit
        forward: Array = np.clip(body.acceleration_torso, -limit, limit)
        return forward

    def torso_acceleration(
        self, rotation_error: Array, velocity_angular: Array, forward: Array | None
    ) -> Array:
        """Return the angular acceleration wanted of the torso, in rad/s^2. Shape (3,).

        Args:
            rotation_error: From the torso to its reference, along world axes, in rad. Shape (3,).
            velocity_angular: Along world axes, in rad/s. Shape (3,).
            forward: What a policy asks for, as of `torso_forward`.
        """
        acceleration: Array = self._config.torso_stiffness * rotation_error
        acceleration -= self._config.torso_damping * velocity_angular
        if forward is not None:
            acceleration[:2] += forward
        return acceleration

    def torso_lean(self, forward: Array | None) -> Array | None:
        """Return by how much the torso's reference is turned, as a rotation vector's x and y.

        Along world axes, in rad. Shape (2,). None if a policy asks for nothing.

        Args:
            forward: What it asks for, as of `torso_forward`.
        """
        return None if forward is None else forward / self._config.torso_stiffness

    def tool_share(self) -> float:
        """Return what share of their weight the tools keep.

        Tools that are held back, by the body itself or by the ends of the arms, would slowly pull
        the robot over: their share falls with the fourth power of the lasting error `e` of the
        centre of mass, 1 / (1 + (e / strain_limit)^4).
        """
        strain = float(self._strain @ self._strain) / self._config.strain_limit**2
        return 1.0 / (1.0 + strain * strain)


@compiled
def _lean(
    wrench_world: Array,
    weight_force: float,
    limit: float,
    share: float,
    left: float,
    lean: Array,
    offset: Array,
) -> None:
    """Lean further against a load, and settle further; see `Balance.load`.

    Args:
        wrench_world: Of all tools, about the middle of the feet. Shape (6,).
        weight_force: m g, in N.
        limit: Of the lean along each axis, in m.
        share: Of the way to the lean that is wanted.
        left: What is left of the offset.
        lean: Changed in place, in m. Shape (3,).
        offset: Changed in place, in m. Shape (3,).
    """
    for axis in range(2):
        moment = -wrench_world[4] if axis == 0 else wrench_world[3]
        wanted = min(max(moment / weight_force, -limit), limit)
        lean[axis] += share * (wanted - lean[axis])
    for axis in range(3):
        offset[axis] *= left


@compiled
def _com_acceleration(
    position: Array,
    velocity: Array,
    support: Array,
    offset: Array,
    lean: Array,
    shift: Array,
    height: float,
    stiffness: Array,
    damping: Array,
    share: float,
    strain: Array,
) -> Array:
    """Return kp (c* - c) - kd v with c* = support + offset + lean + shift + height. Shape (3,).

    Args:
        position: c, in m. Shape (3,).
        velocity: v, in m/s. Shape (3,).
        support: Shape (3,).
        offset: Shape (3,).
        lean: Shape (3,).
        shift: Shape (3,).
        height: Of c* above the support, in m.
        stiffness: kp, in 1/s^2. Shape (3,).
        damping: kd, in 1/s. Shape (3,).
        share: Of the way that the strain goes to the present error.
        strain: Changed in place, in m. Shape (2,).
    """
    acceleration = np.empty(3)
    for axis in range(3):
        reference = support[axis] + offset[axis] + lean[axis] + shift[axis]
        if axis == 2:
            reference += height
        error = reference - position[axis]
        if axis < 2:
            strain[axis] += share * (error - strain[axis])
        acceleration[axis] = stiffness[axis] * error - damping[axis] * velocity[axis]
    return acceleration
