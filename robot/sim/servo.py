"""The joint servos at the physics rate: the law of `RobotCommand`, stable for any gain."""

from __future__ import annotations

import numpy as np

from robot.arrays import Array, same
from robot.kinematics import base_at_rest
from robot.model import RobotModel
from robot.spatial import Pose
from robot.state import RobotCommand

# While gains times mobility stay below this, the law taken as it stands is stable and accurate;
# it becomes unstable at 2.
_STIFF = 0.2
# Steps after which the mobility is computed anew: the posture hardly changes in this time.
_MOBILITY_PERIOD = 16
# How much larger than the rigid model's the mobility is taken.
_MOBILITY_MARGIN = 1.5
# A brake holds with the joint's full effort at this angle, in rad, and this much damping, in s.
_BRAKE_ANGLE = 0.05
_BRAKE_DAMPING = 0.05


def joint_mobility(model: RobotModel, joint_position: Array) -> Array:
    """Return the joints' block of the inverse mass matrix, in 1/(kg·m^2). Shape (n, n)."""
    base = base_at_rest(Pose.identity()) if model.floating else None
    mass = model.at(joint_position, base=base).mass_matrix()
    return np.asarray(np.linalg.inv(mass)[-model.n :, -model.n :], dtype=np.float64)


class JointServos:
    """Turns a command into torques.

    **The law as it stands**, kp (q* - q) + kd (v* - v), is used while gains are small. Large
    gains on light wrist joints make it unstable at 1 kHz, however right it is in continuous time.
    Then position and velocity at the *end* of the step are used (stable PD: Tan, Liu, Turk, IEEE
    CG&A 31(4), 2011), with the acceleration predicted from the mobility L, the joints' block of the
    inverse mass matrix, and from what everything else did in the last step:

        e   = kp (q* - q - h v) + kd (v* - v)
        g   = h kd + h^2 kp
        a0  = (v - v_last) / h - L u_last
        u   = (1 + g L)^-1 (e - g a0)

    At rest u = e exactly, so a stiffness is what was commanded. For one joint of true mobility l,
    g l large, this is stable as long as L > 3/4 l; L larger than l only slows it down. Feet on the
    floor make l smaller, fingers that give way make it larger, so L is taken 1.5 times too large.
    """

    def __init__(self, model: RobotModel, physics_dt: float) -> None:
        """Prepare for `brake` or `follow`.

        Args:
            model: Of the robot.
            physics_dt: The physics period, in s.
        """
        n = model.n
        self._model = model
        self._limits = model.effort_limits
        self._h = physics_dt
        self._zero = np.zeros(n)
        self._stiffness = self._damping = self._gain = self._zero
        self._target = self._target_velocity = self._feedforward = self._zero
        self._last_velocity = self._last_feedback = self._zero
        self._mobility: Array = np.eye(n)
        self._solver: Array = np.eye(n)
        self._stiff = False
        self._age = 0

    def forget(self) -> None:
        """Start anew with joints at rest."""
        self._last_velocity = self._last_feedback = self._zero
        # Whatever the gains were: those that come are new ones, also if they are the same.
        self._stiffness = self._damping = self._zero
        self._age = 0

    def brake(self, joint_position: Array, joint_effort: Array) -> None:
        """Hold a posture firmly.

        Args:
            joint_position: What to hold, in rad. Shape (n,).
            joint_effort: What holds it now, in N·m. Shape (n,).
        """
        stiffness = self._limits / _BRAKE_ANGLE
        self._target, self._target_velocity = joint_position, self._zero
        self._feedforward = joint_effort
        self._set_gains(stiffness, _BRAKE_DAMPING * stiffness, joint_position)

    def follow(self, command: RobotCommand, joint_position: Array) -> None:
        """Obey a command from the next step on.

        Args:
            command: What to do.
            joint_position: Where the joints are, in rad. Shape (n,).
        """
        self._target, self._target_velocity = command.joint_position, command.joint_velocity
        self._feedforward = command.joint_effort
        self._set_gains(command.stiffness, command.damping, joint_position)

    def efforts(self, joint_position: Array, joint_velocity: Array) -> Array:
        """Return the torques for one physics step, in N·m. Shape (n,)."""
        error = self._stiffness * (self._target - joint_position) + self._damping * (
            self._target_velocity - joint_velocity
        )
        if self._stiff:
            if self._age == 0:
                self._refresh(joint_position)
            self._age = (self._age + 1) % _MOBILITY_PERIOD
            elsewhere = (joint_velocity - self._last_velocity) / self._h - (
                self._mobility @ self._last_feedback
            )
            error = error - self._h * self._stiffness * joint_velocity
            error = self._solver @ (error - self._gain * elsewhere)
        total = self._feedforward + error
        total = np.minimum(np.maximum(total, -self._limits), self._limits)
        self._last_velocity = joint_velocity
        self._last_feedback = total - self._feedforward
        return total

    def _set_gains(self, stiffness: Array, damping: Array, joint_position: Array) -> None:
        if same(stiffness, self._stiffness) and same(damping, self._damping):
            return
        self._stiffness, self._damping = stiffness, damping
        self._gain = self._h * damping + self._h**2 * stiffness
        self._stiff = bool(self._gain.any())
        if self._stiff:
            self._refresh(joint_position)
            # The largest row sum bounds the largest eigenvalue.
            share = np.abs(self._gain[:, None] * self._mobility).sum(axis=1)
            self._stiff = float(share.max()) > _STIFF
        self._age = 1

    def _refresh(self, joint_position: Array) -> None:
        self._mobility = _MOBILITY_MARGIN * joint_mobility(self._model, joint_position)
        n = len(self._gain)
        solver = np.linalg.inv(np.eye(n) + self._gain[:, None] * self._mobility)
        self._solver = np.asarray(solver, dtype=np.float64)


class JointFriction:
    """Friction behind the torque that a joint's motor makes, which no controller is told of.

    Viscous plus Coulomb: b v + c tanh(v / w). Below the speed w, Coulomb's friction is softened, as
    much as the physics period asks for: c h L / w at most 1/4 at every joint, else light joints
    would chatter.
    """

    def __init__(
        self, viscous: Array, coulomb: Array, mobility_diagonal: Array, physics_dt: float
    ) -> None:
        """Set the coefficients.

        Args:
            viscous: In N·m·s/rad. Shape (n,).
            coulomb: In N·m. Shape (n,).
            mobility_diagonal: Of the inverse mass matrix, in 1/(kg·m^2). Shape (n,).
            physics_dt: The physics period, in s.
        """
        self._viscous = viscous
        self._coulomb = coulomb
        self._softness = np.maximum(0.01, 4.0 * physics_dt * mobility_diagonal * coulomb)
        self._any = bool(viscous.any() or coulomb.any())

    def take_from(self, effort: Array, joint_velocity: Array) -> Array:
        """Return what is left of the motors' torques on the output side, in N·m. Shape (n,)."""
        if not self._any:
            return effort
        return (
            effort
            - self._viscous * joint_velocity
            - self._coulomb * np.tanh(joint_velocity / self._softness)
        )
