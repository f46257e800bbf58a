"""What the whole-body program must obey: dynamics, efforts, positions and velocities.

The unknowns are the generalized accelerations and, for each foot, the wrench of the floor on it,
see `robot/control/soles.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from robot.bounds import Bounds, check_bounds
from robot.control.kernels import compiled
from robot.control.qp import DenseQP

# A share above one would ask the joints for more than they have.
_BOUNDS = {
    "effort_share": Bounds(0.0, 1.0, above=True),
    "felt_share": Bounds(0.0, 1.0),
    "velocity_share": Bounds(0.0, 1.0, above=True),
    "position_margin": Bounds(0.0, 0.5, "rad"),
    "horizon": Bounds(0.0, 1.0, "s", above=True),
    "acceleration": Bounds(0.0, 5000.0, "rad/s^2", above=True),
}


@dataclass(frozen=True)
class LimitConfig:
    """How close the joints may come to their limits.

    Attributes:
        effort_share: Of the effort limits.
        felt_share: Of the effort limits of an arm: the most that a felt wrench may take of them.
        velocity_share: Of the velocity limits.
        position_margin: Distance kept from the position limits, in rad.
        horizon: Time within which no limit may be crossed at constant acceleration, in s.
        acceleration: Largest joint acceleration, in rad/s^2.
    """

    effort_share: float = 0.95
    felt_share: float = 0.9
    velocity_share: float = 0.9
    position_margin: float = 0.01
    horizon: float = 0.05
    acceleration: float = 500.0

    def __post_init__(self) -> None:
        """Refuse limits that would limit nothing.

        Raises:
            ValueError: Names the limit, what it may be and what it is.
        """
        check_bounds(self, _BOUNDS)


def felt_limits(joints: NDArray[np.bool_], limits: Array, nv: int) -> Array:
    """Return the most that a felt wrench may do to each coordinate; see `take_felt`. Shape (nv,).

    Args:
        joints: Which joints are the arm's. Shape (n,), boolean.
        limits: Of all joints, in N·m. Shape (n,).
        nv: Number of generalized velocities.
    """
    most = np.full(nv, np.inf)
    most[nv - len(joints) :][joints] = limits[joints]
    return most


@compiled
def take_felt(
    wrench_tool: Array,
    rotation: Array,
    jacobian: Array,
    limits: Array,
    lever: Array,
    bias: Array,
    load: Array,
) -> None:
    """Take what a felt wrench does to the joints off the bias, at most what the arm can bear.

    A load beyond that would bind the program to accelerate the arm, and with it the body, as if
    nothing were in the way. The trunk feels the whole load.

    Args:
        wrench_tool: Exerted on the tool, along its axes, in N and N·m. Shape (6,).
        rotation: From the tool's axes to the world's. Shape (3, 3).
        jacobian: Of the tool, along world axes. Shape (6, nv).
        limits: From `felt_limits`. Shape (nv,).
        lever: From the middle of the feet to the tool, along world axes, in m. Shape (3,).
        bias: Changed in place. Shape (nv,).
        load: Sum of what the tools feel, about the middle of the feet, along world axes; added to.
            Shape (6,).
    """
    wrench = np.zeros(6)
    for i in range(3):
        for k in range(3):
            wrench[i] += rotation[i, k] * wrench_tool[k]
            wrench[3 + i] += rotation[i, k] * wrench_tool[3 + k]
    for column in range(len(bias)):
        effort = 0.0
        for i in range(6):
            effort += wrench[i] * jacobian[i, column]
        bias[column] -= min(max(effort, -limits[column]), limits[column])
    load += wrench
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        load[3 + i] += lever[j] * wrench[k] - lever[k] * wrench[j]


def write_dynamics(
    program: DenseQP, n_joints: int, inertia: Array, bias: Array, effort_limits: Array
) -> None:
    """Write the equations of motion: base rows as equalities, efforts within their limits.

    Args:
        program: Receives them.
        n_joints: Number of joints; the rows of their efforts come first among the inequalities.
        inertia: M. Shape (nv, nv).
        bias: h, less what is known to act besides the efforts. Shape (nv,).
        effort_limits: In N·m. Shape (n_joints,).
    """
    bounds = program.row_lower[:n_joints], program.row_upper[:n_joints]
    equations = program.equality, program.equal, program.rows[:n_joints]
    _write_dynamics(inertia, bias, effort_limits, *equations, *bounds)


@compiled
def _write_dynamics(
    inertia: Array,
    bias: Array,
    effort_limits: Array,
    base_rows: Array,
    base_values: Array,
    joint_rows: Array,
    lower: Array,
    upper: Array,
) -> None:
    nv, base = len(bias), len(base_values)
    for i in range(base):
        base_values[i] = -bias[i]
        for column in range(nv):
            base_rows[i, column] = inertia[i, column]
    for i in range(len(effort_limits)):
        lower[i] = -effort_limits[i] - bias[base + i]
        upper[i] = effort_limits[i] - bias[base + i]
        for column in range(nv):
            joint_rows[i, column] = inertia[base + i, column]


def write_joint_box(
    lower: Array,
    upper: Array,
    joint_position: Array,
    joint_velocity: Array,
    position_limits: Array,
    velocity_limits: Array,
    config: LimitConfig,
) -> None:
    """Bound the joint accelerations so that no position or velocity limit is crossed.

    At constant acceleration `a` over the horizon T: v + a T stays within the velocity limits and
    q + v T + a T^2 / 2 within the position limits. The box is never empty: where the two
    contradict each other the joint brakes as hard as `LimitConfig.acceleration` allows.

    Args:
        lower: Receives the lower bounds, in rad/s^2. Shape (n,).
        upper: Receives the upper bounds, in rad/s^2. Shape (n,).
        joint_position: Measured, in rad. Shape (n,).
        joint_velocity: Measured, in rad/s. Shape (n,).
        position_limits: Lower and upper, in rad. Shape (2, n).
        velocity_limits: In rad/s. Shape (n,).
        config: Margins and horizon.
    """
    _joint_box(
        lower,
        upper,
        joint_position,
        joint_velocity,
        position_limits,
        velocity_limits,
        config.velocity_share,
        config.position_margin,
        config.horizon,
        config.acceleration,
    )


@compiled
def _joint_box(
    lower: Array,
    upper: Array,
    joint_position: Array,
    joint_velocity: Array,
    position_limits: Array,
    velocity_limits: Array,
    velocity_share: float,
    position_margin: float,
    horizon: float,
    acceleration: float,
) -> None:
    for i in range(len(joint_position)):
        speed = joint_velocity[i]
        ahead = joint_position[i] + speed * horizon
        speed_max = velocity_share * velocity_limits[i]
        low = max(
            (-speed_max - speed) / horizon,
            2.0 * (position_limits[0, i] + position_margin - ahead) / horizon**2,
        )
        high = min(
            (speed_max - speed) / horizon,
            2.0 * (position_limits[1, i] - position_margin - ahead) / horizon**2,
        )
        low = min(max(low, -acceleration), acceleration)
        high = min(max(high, -acceleration), acceleration)
        if low > high:
            low = high = 0.5 * (low + high)
        lower[i] = low
        upper[i] = high
