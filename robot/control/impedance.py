"""A tool that gives way like a spring and a damper on the arm's own inertia."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robot.arrays import Array, clipped
from robot.control.kernels import compiled, rotation_error, to_quaternion
from robot.control.reference import ToolReference

# Added to the joint-space inertia of an arm, in kg·m^2, so that a stretched arm still has a finite
# inertia along the direction in which it cannot move.
_MOBILITY_FLOOR = np.diag([1e-3] * 3 + [1e-2] * 3)


@dataclass(frozen=True)
class ImpedanceConfig:
    """How a tool gives way.

    Attributes:
        damping_ratio: Share of critical damping of every mode of the tool on its springs.
        force_limit: Largest spring force along each tool axis, in N.
        torque_limit: Largest spring torque about each tool axis, in N·m.
        command_limit: Largest force along each tool axis and torque about it that a target may ask
            for, in N, N·m; no job asks for so much.
        translation_floor: Least stiffness the damping is designed for, in N/m; an axis that is
            pushed rather than held has no stiffness and still needs damping.
        rotation_floor: The same about the axes, in N·m/rad.
        push_knee: A tool that pushes with more than this, in N, is damped as if it were stiffer
            along that axis: what gives way under a hard push lets the hand spring ahead.
        push_stiffness: By so much for each newton above it, in N/m per N.
        stiffness_limit: Largest stiffness that is obeyed: N/m, N·m/rad.
        design_period: Time between two designs of the damping, in s.
    """

    damping_ratio: float = 1.0
    force_limit: float = 100.0
    torque_limit: float = 15.0
    command_limit: tuple[float, float] = (200.0, 30.0)
    translation_floor: float = 150.0
    rotation_floor: float = 5.0
    push_knee: float = 20.0
    push_stiffness: float = 50.0
    stiffness_limit: tuple[float, float] = (6000.0, 300.0)
    design_period: float = 0.02


class ToolImpedance:
    """Desired acceleration of one tool.

    With the inertia `L` that the arm has at the tool (Khatib 1987: inverse of J M^-1 J^T, the
    trunk at rest), the tool should move as

        L (a - a_ref) = K e + D (v_ref - v) + w_command + w_felt

    along the tool axes. Rendering the arm's own inertia rather than a chosen one makes the felt
    wrench drop out of the efforts that move the tool: noise and delay of the force sensor cannot
    drive the hand unstable. The damping is critical for every mode of the pair (L, K), not only
    along the axes: D = 2 zeta C sqrt(C^-1 K C^-T) C^T with L = C C^T.

    Attributes:
        error: Position and rotation from the tool to its reference, along world axes, in m and
            rad, of the last call. Shape (6,).
    """

    def __init__(self, config: ImpedanceConfig) -> None:
        """Start without inertia; `design` before use.

        Args:
            config: Damping and limits.
        """
        self._config = config
        self._floor = np.array([config.translation_floor] * 3 + [config.rotation_floor] * 3)
        self._ceiling = np.repeat(np.array(config.stiffness_limit), 3)
        self._limits = np.array([config.force_limit] * 3 + [config.torque_limit] * 3)
        self._command_limits = np.repeat(np.array(config.command_limit), 3)
        self._mobility = np.eye(6)
        self._damping = np.zeros((6, 6))
        self._acceleration = np.zeros(6)
        self.error = np.zeros(6)

    def design(
        self, jacobian_tool: Array, inertia: Array, stiffness: Array, push_tool: Array
    ) -> None:
        """Find the arm's inertia at the tool and the damping that suits it.

        Both change slowly, so this need not run every tick.

        Args:
            jacobian_tool: Of the arm's `m` joints, twist along the tool axes. Shape (6, m).
            inertia: Of the arm's joints, in kg·m^2. Shape (m, m).
            stiffness: Along the tool axes, in N/m and N·m/rad. Shape (6,).
            push_tool: Force to be exerted, along the tool axes, in N. Shape (3,).
        """
        self._mobility = jacobian_tool @ np.linalg.solve(inertia, jacobian_tool.T) + _MOBILITY_FLOOR
        held = clipped(stiffness, self._floor, self._ceiling)
        # What is damped is the push that is exerted, not one that was asked for beyond the limit.
        beyond = np.minimum(np.abs(push_tool), self._command_limits[:3]) - self._config.push_knee
        held[:3] += self._config.push_stiffness * np.maximum(beyond, 0.0)
        # With L^-1 = G G^T the factor of L is C = G^-T, and C^-1 K C^-T is G^T K G.
        factor = np.linalg.cholesky(self._mobility)
        values, vectors = np.linalg.eigh(factor.T @ (held[:, None] * factor))
        back = np.linalg.solve(factor.T, vectors)
        self._damping = (2.0 * self._config.damping_ratio * np.sqrt(values)) * back @ back.T

    def acceleration(
        self,
        reference: ToolReference,
        position_world_tool: Array,
        rotation_world_tool: Array,
        twist_world_tool: Array,
        stiffness: Array,
        wrench_world_command: Array,
        wrench_tool_felt: Array,
    ) -> Array:
        """Return the acceleration the tool should have, along world axes. Shape (6,).

        The array is overwritten by the next call.

        Args:
            reference: Where the tool should be, and how it should move.
            position_world_tool: Where it is, in m. Shape (3,).
            rotation_world_tool: From its axes to the world's. Shape (3, 3).
            twist_world_tool: How it moves, along world axes, in m/s and rad/s. Shape (6,).
            stiffness: Along the tool axes, in N/m and N·m/rad. Shape (6,).
            wrench_world_command: To be exerted on the environment, along world axes, in N and N·m;
                cut along the tool axes to what `command_limit` allows. Shape (6,).
            wrench_tool_felt: Exerted by the environment, along tool axes. Shape (6,).
        """
        _acceleration(
            reference.position,
            reference.quaternion,
            reference.twist,
            reference.acceleration,
            position_world_tool,
            rotation_world_tool,
            twist_world_tool,
            stiffness,
            self._ceiling,
            self._damping,
            self._mobility,
            wrench_world_command,
            wrench_tool_felt,
            self._limits,
            self._command_limits,
            self.error,
            self._acceleration,
        )
        return self._acceleration


@compiled
def _acceleration(
    goal_position: Array,
    goal_quaternion: Array,
    goal_twist: Array,
    goal_acceleration: Array,
    position: Array,
    rotation: Array,
    twist: Array,
    stiffness: Array,
    ceiling: Array,
    damping: Array,
    mobility: Array,
    command: Array,
    felt: Array,
    limits: Array,
    command_limits: Array,
    error: Array,
    result: Array,
) -> None:
    quaternion = np.empty(4)
    to_quaternion(rotation, quaternion)
    for i in range(3):
        error[i] = goal_position[i] - position[i]
    rotation_error(goal_quaternion, quaternion, error[3:])
    wrench = np.zeros(6)
    slip = np.zeros(6)
    for half in range(2):
        for i in range(3):
            row = 3 * half + i
            stretch = 0.0
            for k in range(3):
                column = 3 * half + k
                stretch += rotation[k, i] * error[column]
                slip[row] += rotation[k, i] * (goal_twist[column] - twist[column])
                wrench[row] += rotation[k, i] * command[column]
            spring = min(stiffness[row], ceiling[row]) * stretch
            wrench[row] = min(max(wrench[row], -command_limits[row]), command_limits[row])
            wrench[row] += felt[row] + min(max(spring, -limits[row]), limits[row])
    along_tool = np.zeros(6)
    for i in range(6):
        for k in range(6):
            wrench[i] += damping[i, k] * slip[k]
    for i in range(6):
        for k in range(6):
            along_tool[i] += mobility[i, k] * wrench[k]
    for half in range(2):
        for i in range(3):
            total = goal_acceleration[3 * half + i]
            for k in range(3):
                total += rotation[i, k] * along_tool[3 * half + k]
            result[3 * half + i] = total
