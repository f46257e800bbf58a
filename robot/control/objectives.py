"""What the whole-body program minimizes: accelerations wanted of points and joints.

Every objective is a Jacobian `J`, a wanted acceleration `a` and weights `w`, and adds
sum_i w_i (J_i qdd - a_i)^2. The drift dJ/dt v is taken off `a` where the acceleration is wanted of
a point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from robot.control.kernels import compiled


@dataclass(frozen=True)
class PostureConfig:
    """How the joints are drawn to their posture where nothing else matters.

    Attributes:
        stiffness: In 1/s^2.
        damping: In 1/s.
        weight: Of each joint. Ten times more cost the hands 0.4 mm, held.
        trunk_weight: Of each joint between base and torso: keeps the pelvis under the torso, and
            these joints off their narrow limits.
        lean_share: Of a lean that is asked of the torso, which these joints take: a pelvis that
            leaned as far would count as falling, and so the torso leans further.
        lean_weight: Of each of these joints meanwhile.
        held_weight: Of each joint of an arm that has no target and holds its posture.
        regularization: Weight of every acceleration, which keeps the program strictly convex.
        force_regularization: Weight of every contact force and torque, in the program's units.
            Without it the feet work against each other at the edge of their cones.
    """

    stiffness: float = 30.0
    damping: float = 11.0
    weight: float = 0.0002
    trunk_weight: float = 1.0
    lean_share: float = 0.4
    lean_weight: float = 10.0
    held_weight: float = 2.0
    regularization: float = 1e-4
    force_regularization: float = 2e-2


class LeastSquares:
    """Stacked rows of objectives on generalized accelerations, turned into H and g at once."""

    def __init__(self, n_rows: int, nv: int) -> None:
        """Allocate rows without weight.

        Args:
            n_rows: Number of rows of all objectives together.
            nv: Number of generalized velocities.
        """
        self._jacobian = np.zeros((n_rows, nv))
        self._weighted = np.zeros((n_rows, nv))
        self._wanted = np.zeros(n_rows)
        self._weight = np.zeros(n_rows)

    def set(self, first: int, jacobian: Array, wanted: Array, weight: Array | float) -> None:
        """Write one objective into the rows from `first` on.

        Args:
            first: Its first row.
            jacobian: Shape (k, nv).
            wanted: Wanted value of `jacobian @ qdd`. Shape (k,).
            weight: One for all rows, or shape (k,).
        """
        rows = slice(first, first + len(wanted))
        self._jacobian[rows] = jacobian
        self._wanted[rows] = wanted
        self._weight[rows] = weight

    def write(self, hessian: Array, gradient: Array) -> None:
        """Overwrite a Hessian and a gradient with the sum of all rows.

        Args:
            hessian: Receives J' W J. Shape (nv, nv).
            gradient: Receives -J' W a. Shape (nv,).
        """
        np.multiply(self._jacobian, self._weight[:, None], out=self._weighted)
        hessian[:] = self._jacobian.T @ self._weighted
        gradient[:] = self._wanted @ self._weighted
        np.negative(gradient, out=gradient)


class Posture:
    """Draws joints to where they were, weakly; an arm without a target, firmly.

    Attributes:
        joint_position: The posture, in rad. Shape (n,).
    """

    def __init__(self, trunk: NDArray[np.bool_], config: PostureConfig) -> None:
        """Start at zero; set `joint_position` before use.

        Args:
            trunk: Which joints are between base and torso. Shape (n,).
            config: Gains and weights.
        """
        self._config = config
        self._trunk = trunk
        self.joint_position = np.zeros(len(trunk))
        self._weight = np.where(trunk, config.trunk_weight, config.weight)
        self._leaning: Array | None = None

    def hold(self, joints: NDArray[np.bool_], joint_position: Array) -> None:
        """Hold some joints firmly where they are now.

        Args:
            joints: Which. Shape (n,), boolean.
            joint_position: Measured, in rad. Shape (n,).
        """
        self.joint_position[joints] = joint_position[joints]
        self._weight[joints] = self._config.held_weight

    def release(self, joints: NDArray[np.bool_]) -> None:
        """Hold some joints weakly again. Shape (n,), boolean."""
        self._weight[joints] = self._config.weight

    def lean(self, shift: Array | None) -> None:
        """Let the joints between base and torso take their share of a lean, or stand as before.

        Args:
            shift: How far each joint would have to turn to bring it about alone, in rad. Shape
                (n,). None if no lean is asked for.
        """
        if shift is None and self._leaning is None:
            return
        config = self._config
        leaning = shift is not None
        self._weight[self._trunk] = config.lean_weight if leaning else config.trunk_weight
        self._leaning = None if shift is None else config.lean_share * self._trunk * shift

    def add(
        self, diagonal: Array, gradient: Array, joint_position: Array, joint_velocity: Array
    ) -> None:
        """Add w (qdd - kp (q_posture - q) + kd v)^2 of every joint.

        Args:
            diagonal: The joints' part of the Hessian's diagonal, as a view. Shape (n,).
            gradient: The joints' part of the gradient, as a view. Shape (n,).
            joint_position: Measured, in rad. Shape (n,).
            joint_velocity: Measured, in rad/s. Shape (n,).
        """
        wanted = self.joint_position
        if self._leaning is not None:
            wanted = wanted + self._leaning
        _add_posture(
            diagonal,
            gradient,
            joint_position,
            joint_velocity,
            wanted,
            self._weight,
            self._config.stiffness,
            self._config.damping,
        )


@compiled
def _add_posture(
    diagonal: Array,
    gradient: Array,
    joint_position: Array,
    joint_velocity: Array,
    posture: Array,
    weight: Array,
    stiffness: float,
    damping: float,
) -> None:
    for i in range(len(weight)):
        wanted = (posture[i] - joint_position[i]) * stiffness - damping * joint_velocity[i]
        diagonal[i] += weight[i]
        gradient[i] -= weight[i] * wanted
