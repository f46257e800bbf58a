"""Inverse kinematics: a standing posture with both tools where they are wanted.

Damped least squares on pinocchio's Jacobians, with joint limits as an active set and a preferred
posture in what the tasks leave free. For set-up and studies; the controller does not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from robot.arrays import Array, frozen
from robot.errors import NoSolution
from robot.model import Configuration, RobotModel
from robot.spatial import Pose, multiply_quaternions, quaternion_from_rotation_vector
from robot.state import BaseState

# Largest joint movement of one iteration, in rad: keeps the linearization honest.
_STEP_LIMIT = 0.2
# Damping of the least squares, relative to rad and m: small enough for a millionth of a metre in a
# few iterations, large enough to stay calm at a stretched elbow.
_DAMPING = 1e-4
# How hard the preferred posture pulls in what the tasks leave free, per iteration.
_POSTURE_GAIN = 0.2


@dataclass(frozen=True, eq=False)
class PostureGoal:
    """What a posture must fulfil.

    Attributes:
        pose_world_frames: Where frames must be, by frame name: feet, tools.
        rotation_world_frames: Frames whose orientation alone matters, e.g. an upright torso; the
            pose's position is ignored.
        position_com: Where the centre of mass must be in the world's horizontal plane, in m; None
            if it does not matter. Shape (2,).
        height_base: How high the base must be, in m; None if it does not matter.
        limit_margin: Distance kept from every joint limit, in rad.
    """

    pose_world_frames: Mapping[str, Pose]
    rotation_world_frames: Mapping[str, Pose] = field(default_factory=dict)
    position_com: tuple[float, float] | None = None
    height_base: float | None = None
    limit_margin: float = 0.05


@dataclass(frozen=True, eq=False)
class Posture:
    """A solution of the inverse kinematics.

    Attributes:
        joint_position: In rad. Shape (n,).
        pose_world_base: Where the base link is; the given one if the base is bolted down.
        error: Largest remaining task error, in m or rad.
    """

    joint_position: Array
    pose_world_base: Pose
    error: float


def base_at_rest(pose_world_base: Pose) -> BaseState:
    """Return the state of a base that does not move; the IMU feels gravity only."""
    gravity = pose_world_base.rotation.T @ np.array([0.0, 0.0, 9.81])
    return BaseState(pose_world_base, np.zeros(6), gravity)


def solve_posture(
    model: RobotModel,
    goal: PostureGoal,
    joint_position: Array,
    pose_world_base: Pose,
    tolerance: float = 1e-6,
    iterations: int = 200,
) -> Posture:
    """Find joint positions, and the base if it floats, that fulfil a goal.

    Among all of them it prefers what is near `joint_position`, which is also where it starts.

    Args:
        model: The robot.
        goal: What must be fulfilled.
        joint_position: Start, and preferred posture, in rad. Shape (n,).
        pose_world_base: Where the base starts.
        tolerance: Largest task error that counts as solved, in m or rad.
        iterations: How often to try to improve.

    Raises:
        NoSolution: If the goal is not fulfilled after the last iteration; says what is left.
    """
    preferred = frozen("joint_position", joint_position, (model.n,))
    low = model.position_limits[0] + goal.limit_margin
    high = model.position_limits[1] - goal.limit_margin
    position, base = np.clip(preferred, low, high), pose_world_base
    worst = np.inf
    for _ in range(iterations):
        here = model.at(position, base=base_at_rest(base) if model.floating else None)
        errors, jacobian = _stack(here, base, goal)
        worst = float(np.max(np.abs(errors))) if errors.size else 0.0
        pull = np.zeros(model.nv)
        pull[-model.n :] = _POSTURE_GAIN * (preferred - position)
        step = _step(jacobian, errors, pull, low - position, high - position, model)
        if worst < tolerance and float(np.max(np.abs(step))) < 1e-4:
            break
        position = np.clip(position + step[-model.n :], low, high)
        if model.floating:
            base = _moved(base, step[:6])
    if worst >= tolerance:
        raise NoSolution(
            f"inverse kinematics: {worst:.2e} m or rad left after {iterations} iterations; the "
            f"goal is out of reach or needs less than {goal.limit_margin} rad to a joint limit"
        )
    return Posture(position, base, worst)


def _stack(here: Configuration, base: Pose, goal: PostureGoal) -> tuple[Array, Array]:
    """Return all task errors, target minus present, and their Jacobian."""
    errors: list[Array] = []
    rows: list[Array] = []
    for frame, target in goal.pose_world_frames.items():
        errors += [target.position - here.position_world(frame), _turn(here, frame, target)]
        rows.append(here.jacobian(frame))
    for frame, target in goal.rotation_world_frames.items():
        errors.append(_turn(here, frame, target))
        rows.append(here.jacobian(frame)[3:])
    if goal.position_com is not None:
        errors.append(np.array(goal.position_com) - here.com()[:2])
        rows.append(here.com_jacobian()[:2])
    if goal.height_base is not None:
        errors.append(np.array([goal.height_base - base.position[2]]))
        row = np.zeros((1, here.model.nv))
        row[0, :3] = base.rotation[2]
        rows.append(row)
    return np.concatenate(errors), np.vstack(rows)


def _turn(here: Configuration, frame: str, target: Pose) -> Array:
    """Return the rotation vector from a frame to its target, along the world axes. Shape (3,)."""
    present = here.pose_world(frame)
    return present.rotation @ (present.inverse() @ target).rotation_vector()


def _step(
    jacobian: Array, errors: Array, pull: Array, down: Array, up: Array, model: RobotModel
) -> Array:
    """Return a damped step with the posture in the null space and joints held at their limits."""
    free = np.ones(model.nv)
    for _ in range(5):
        active = jacobian * free
        gram = active @ active.T + _DAMPING**2 * np.eye(len(errors))
        step = free * pull
        step = step + active.T @ np.linalg.solve(gram, errors - active @ step)
        joints = step[-model.n :]
        blocked = ((joints < 0.0) & (down >= -1e-9)) | ((joints > 0.0) & (up <= 1e-9))
        if not np.any(blocked & (free[-model.n :] > 0.0)):
            break
        free[-model.n :][blocked] = 0.0
    return np.asarray(step * min(1.0, _STEP_LIMIT / max(float(np.max(np.abs(step))), 1e-12)))


def _moved(base: Pose, step: Array) -> Pose:
    """Return a base moved by a small twist along its own axes."""
    return Pose(
        base.position + base.rotation @ step[:3],
        multiply_quaternions(base.quaternion, quaternion_from_rotation_vector(step[3:])),
    )
