"""What flat feet on the floor add to the whole-body program, and how they bear on their edges.

For each foot the program has the wrench that the floor exerts on it as unknowns, along the axes of
the sole at its centre, in units of `ContactConfig.force_scale`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array
from robot.configuration import Configuration
from robot.control.kernels import compiled
from robot.control.objectives import LeastSquares
from robot.control.qp import DenseQP

# Rows of one foot: unilateral, four of the friction pyramid, four of the centre of pressure, two of
# the friction torque about the normal.
CONE_ROWS = 11


@dataclass(frozen=True)
class ContactConfig:
    """A flat foot on the floor.

    Attributes:
        friction: Coulomb coefficient that is counted on.
        torsion: Friction torque about the normal for each newton of normal force, in m.
        sole_margin: How far the centre of pressure stays inside the edge of the sole, in m.
        shoved_margin: The same while a reflex acts: what is kept for the errors of an estimator is
            better spent then.
        tilt: Of a foot, about either of its axes: what counts as flat, and from which on it stands
            on an edge, in rad. Feet that stand firmly are believed to tilt by less than the first.
        edge_width: Of the strip at that edge within which the centre of pressure is then, in m.
        force_min: Least normal force of each foot, in N.
        damping: How fast a moving foot is brought to rest, in 1/s.
        righting: How hard a foot that tilts is turned flat about its edge, in 1/s^2: when weight
            comes onto one that is not, it snaps flat.
        weight: Of the six accelerations of a sole. They are an objective and not a constraint: a
            foot that rocks on its edge in a shove would leave the program without a solution.
        force_scale: Unit of the contact wrench among the unknowns, in N and N·m; brings them to
            the size of accelerations.
    """

    friction: float = 0.6
    torsion: float = 0.04
    sole_margin: float = 0.01
    shoved_margin: float = 0.003
    tilt: tuple[float, float] = (0.004, 0.008)
    edge_width: float = 0.002
    force_min: float = 10.0
    damping: float = 20.0
    righting: float = 300.0
    weight: float = 300.0
    force_scale: float = 100.0


class Soles:
    """The feet of a robot in its whole-body program."""

    def __init__(
        self,
        program: DenseQP,
        frames: Mapping[str, str],
        half_sizes: Mapping[str, tuple[float, float]],
        n_joints: int,
        nv: int,
        config: ContactConfig,
    ) -> None:
        """Bound the wrenches of the feet.

        Args:
            program: Of the robot.
            frames: At the soles, by the names of the feet.
            half_sizes: Half length and half width of each sole, by the same names, in m.
            n_joints: Number of joints.
            nv: Number of generalized velocities.
            config: Friction, margins and weight.
        """
        self._program, self._config = program, config
        self._n, self._nv = n_joints, nv
        self._feet = [(frame, half_sizes[name]) for name, frame in frames.items()]
        for foot, (_, sizes) in enumerate(self._feet):
            write_cone(program, foot, n_joints, nv, sizes, config)

    def write(
        self, configuration: Configuration, objectives: LeastSquares, first: int, shoved: bool
    ) -> None:
        """Write the feet's objectives, and their wrenches into the dynamics.

        Args:
            configuration: The robot now.
            objectives: Receives six rows for each foot.
            first: The first of these rows.
            shoved: Whether the robot is in trouble, see `tilt_cone`.
        """
        config, program, velocity = self._config, self._program, configuration.velocity
        for foot, (frame, sizes) in enumerate(self._feet):
            rotation, jacobian = configuration.rotation_world(frame), configuration.jacobian(frame)
            drift = configuration.jacobian_drift(frame)
            jacobian, wanted = at_the_sole(rotation, jacobian, drift, velocity, config.damping)
            right(wanted, rotation, sizes, config)
            objectives.set(first + 6 * foot, jacobian, wanted, config.weight)
            write_foot(program, foot, self._n, jacobian, config)
            tilt_cone(program, foot, self._n, self._nv, sizes, rotation, config, shoved)


def contact_cone(half_sizes: tuple[float, float], config: ContactConfig) -> tuple[Array, Array]:
    """Return the rows of one foot and their lower bounds: `rows @ wrench >= lower`.

    The friction pyramid lies inside the cone; the centre of pressure is (-M_y, M_x) / f_z (Caron,
    Pham, Nakamura 2015, without the coupling of yaw torque and centre of pressure).

    Args:
        half_sizes: Half length and half width of the sole, in m.
        config: Friction and margins.

    Returns:
        Shapes (CONE_ROWS, 6) and (CONE_ROWS,), in the program's units of force.
    """
    length, width = (half - config.sole_margin for half in half_sizes)
    mu = config.friction / math.sqrt(2.0)
    rows = np.zeros((CONE_ROWS, 6))
    lower = np.zeros(CONE_ROWS)
    rows[:, 2] = [1.0] + [mu] * 4 + [width] * 2 + [length] * 2 + [config.torsion] * 2
    lower[0] = config.force_min / config.force_scale
    for pair, column in enumerate((0, 1, 3, 4, 5)):
        rows[1 + 2 * pair, column] = 1.0
        rows[2 + 2 * pair, column] = -1.0
    return rows, lower


def write_cone(
    program: DenseQP,
    foot: int,
    n_joints: int,
    nv: int,
    half_sizes: tuple[float, float],
    config: ContactConfig,
) -> None:
    """Bound the wrench of one flat foot; its rows come after those of the efforts.

    `tilt_cone` changes those of the centre of pressure while a foot tilts.

    Args:
        program: Receives the rows.
        foot: Number of the foot.
        n_joints: Number of joints.
        nv: Number of generalized velocities.
        half_sizes: Half length and half width of the sole, in m.
        config: Friction and margins.
    """
    rows, lower = contact_cone(half_sizes, config)
    first = n_joints + CONE_ROWS * foot
    program.rows[first : first + CONE_ROWS, nv + 6 * foot : nv + 6 * foot + 6] = rows
    program.row_lower[first : first + CONE_ROWS] = lower


def tilt_cone(
    program: DenseQP,
    foot: int,
    n_joints: int,
    nv: int,
    half_sizes: tuple[float, float],
    rotation: Array,
    config: ContactConfig,
    shoved: bool = False,
) -> None:
    """Put the centre of pressure of a tilted foot on the edge on which it stands.

    A foot is light: pressed where it does not touch the floor it snaps flat within milliseconds. So
    on a foot that tilts, the centre of pressure is bound to the lower edge, by the place of that
    edge and without margin; on one that tilts both ways, to its corner. The torque about the normal
    is then bounded about that place and not about the middle. A flat foot has the whole sole.

    Args:
        program: Its rows are changed; see `write_cone`.
        foot: Number of the foot.
        n_joints: Number of joints.
        nv: Number of generalized velocities.
        half_sizes: Half length and half width of the sole, in m.
        rotation: From the sole's axes to the world's. Shape (3, 3).
        config: Margins, and which tilt counts.
        shoved: Whether the robot is in trouble.
    """
    first = n_joints + CONE_ROWS * foot
    rows = program.rows[first : first + CONE_ROWS, nv + 6 * foot : nv + 6 * foot + 6]
    margin = config.shoved_margin if shoved else config.sole_margin
    edge = [0.0, 0.0]
    # Along x the centre of pressure is -M_y / f_z, so that its bounds change places.
    for axis, row_low, row_high in ((0, 8, 7), (1, 5, 6)):
        lift = float(rotation[2, axis])
        share = tilt_share(lift, config)
        half = half_sizes[axis] - margin
        near = half + share * margin
        far = half - share * (half + half_sizes[axis] - config.edge_width)
        rows[row_low, 2], rows[row_high, 2] = (far, near) if lift < 0.0 else (near, far)
        edge[axis] = -math.copysign(share * half_sizes[axis], lift)
    x, y = edge
    rows[9, 0], rows[9, 1] = y, -x
    rows[10, 0], rows[10, 1] = -y, x


def right(
    wanted: Array, rotation: Array, half_sizes: tuple[float, float], config: ContactConfig
) -> None:
    """Let a sole that tilts turn flat about the edge or corner on which it stands.

    Args:
        wanted: Acceleration of its centre along its axes, linear, angular; added to. Shape (6,).
        rotation: From the sole's axes to the world's. Shape (3, 3).
        half_sizes: Half length and half width of the sole, in m.
        config: Which tilt counts, and how hard it is turned.
    """
    lifts = float(rotation[2, 0]), float(rotation[2, 1])
    if max(abs(lifts[0]), abs(lifts[1])) <= config.tilt[0]:
        return
    edge, turn = [0.0, 0.0], [0.0, 0.0]
    for axis, lift in enumerate(lifts):
        share = tilt_share(lift, config)
        edge[axis] = -math.copysign(share * half_sizes[axis], lift)
        turn[axis] = config.righting * share * lift
    # An x axis that points up is turned down about y, a y axis about -x.
    wanted[2] += turn[1] * edge[1] + turn[0] * edge[0]
    wanted[3] -= turn[1]
    wanted[4] += turn[0]


def tilt_share(lift: float, config: ContactConfig) -> float:
    """Return how far a foot counts as standing on an edge, from 0, flat, to 1.

    Args:
        lift: Sine of its tilt.
        config: Which tilt counts.
    """
    flat, tilted = config.tilt
    return min(max((abs(lift) - flat) / (tilted - flat), 0.0), 1.0)


@compiled
def at_the_sole(
    rotation: Array, jacobian: Array, drift: Array, velocity: Array, damping: float
) -> tuple[Array, Array]:
    """Return a sole's Jacobian along its own axes, and what brings the sole to rest.

    Args:
        rotation: From the sole's axes to the world's. Shape (3, 3).
        jacobian: Of the sole, along world axes. Shape (6, nv).
        drift: dJ/dt v, along world axes. Shape (6,).
        velocity: The generalized velocity. Shape (nv,).
        damping: In 1/s.

    Returns:
        Shapes (6, nv) and (6,): J and the wanted J qdd, along the axes of the sole.
    """
    nv = len(velocity)
    turned = np.empty((6, nv))
    wanted = np.empty(6)
    for half in range(0, 6, 3):
        for i in range(3):
            a, b, c = rotation[0, i], rotation[1, i], rotation[2, i]
            speed = 0.0
            for column in range(nv):
                entry = a * jacobian[half, column] + b * jacobian[half + 1, column]
                entry += c * jacobian[half + 2, column]
                turned[half + i, column] = entry
                speed += entry * velocity[column]
            along = a * drift[half] + b * drift[half + 1] + c * drift[half + 2]
            wanted[half + i] = -damping * speed - along
    return turned, wanted


def write_foot(
    program: DenseQP,
    foot: int,
    n_joints: int,
    jacobian_sole: Array,
    config: ContactConfig,
) -> None:
    """Let one foot carry weight: write its wrench into the dynamics of base and joints.

    Args:
        program: Receives it.
        foot: Number of the foot.
        n_joints: Number of joints; the rows of their efforts come first among the inequalities.
        jacobian_sole: Of the sole, twist along its own axes. Shape (6, nv).
        config: Scale of the wrench.
    """
    first = jacobian_sole.shape[1] + 6 * foot
    base, joints = (rows[:, first : first + 6] for rows in (program.equality, program.rows))
    _carry(jacobian_sole, config.force_scale, base, joints[:n_joints])


@compiled
def _carry(jacobian: Array, scale: float, base_rows: Array, joint_rows: Array) -> None:
    for column in range(6):
        for i in range(6):
            base_rows[i, column] = -scale * jacobian[column, i]
        for i in range(len(joint_rows)):
            joint_rows[i, column] = -scale * jacobian[column, 6 + i]
