"""What an action means: nine numbers in [-1, 1] for each arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from robot.spatial import Pose
from robot.state import Target, ToolTarget

ACTION_SIZE = 9
"""Numbers per arm: translation (3), rotation (3), gripper opening, stiffness, push."""

# How far apart the hands are asked to open while they wait, as a share of the widest opening.
_HOME_OPENING = 0.5


@dataclass(frozen=True)
class ActionScale:
    """What an action of one means.

    Attributes:
        translation_m: Largest step of the tool target along each of its axes, per policy period.
        rotation_rad: Largest turn of the tool target about each of its axes, per policy period.
        push_n: Force with which the tool pushes ahead, along its z axis, at +1, in N.
        opening_m: Gripper opening at +1; it is closed at -1.
        soft_n_m: Translational stiffness at -1, in N/m.
        stiff_n_m: Translational stiffness at +1, in N/m.
        soft_nm_rad: Rotational stiffness at -1, in N·m/rad.
        stiff_nm_rad: Rotational stiffness at +1, in N·m/rad.
    """

    translation_m: float = 0.02
    rotation_rad: float = 0.08
    push_n: float = 30.0
    opening_m: float = 0.05
    soft_n_m: float = 300.0
    stiff_n_m: float = 3000.0
    soft_nm_rad: float = 5.0
    stiff_nm_rad: float = 100.0

    def __post_init__(self) -> None:
        """Refuse scales that are not positive."""
        for name, value in asdict(self).items():
            if not value > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {value}")

    def as_mapping(self) -> Mapping[str, float]:
        """Return the scale by name, for a `Brief`."""
        return asdict(self)


def stiffness_of(share: float, scale: ActionScale) -> Array:
    """Return the stiffness that the eighth number asks for, geometrically between soft and stiff.

    Args:
        share: From -1, soft, to 1, stiff.
        scale: The two ends.

    Returns:
        In N/m then N·m/rad. Shape (6,).
    """
    s = 0.5 * (share + 1.0)
    linear = scale.soft_n_m ** (1.0 - s) * scale.stiff_n_m**s
    angular = scale.soft_nm_rad ** (1.0 - s) * scale.stiff_nm_rad**s
    return np.array([linear, linear, linear, angular, angular, angular])


def decode(action: NDArray[np.float32], pose_world_target: Pose, scale: ActionScale) -> ToolTarget:
    """Return the target that one arm's nine numbers ask for.

    The step is taken from the last *target*, not from the measured tool, so that noise of the
    measurement is not followed (policy-level action integration, Tang et al. 2023, arXiv
    2305.17110). A part is pushed with a force of its own rather than with a target beyond it: a
    force can be let go at once, a target far ahead cannot. Translation and rotation are along the
    axes of the last target.

    Args:
        action: Translation (3), rotation vector (3), opening, stiffness, push, clipped to
            [-1, 1]. Shape (9,).
        pose_world_target: Where the last target was.
        scale: What an action of one means.

    Raises:
        ValueError: If the action has another shape or is not finite.
    """
    numbers = np.asarray(action, dtype=np.float64)
    if numbers.shape != (ACTION_SIZE,) or not np.isfinite(numbers).all():
        raise ValueError(f"action: expected {ACTION_SIZE} finite numbers, got {numbers}")
    numbers = np.clip(numbers, -1.0, 1.0)
    step = Pose.from_rotation_vector(
        scale.rotation_rad * numbers[3:6], scale.translation_m * numbers[:3]
    )
    pose_world_tool = pose_world_target @ step
    push = pose_world_tool.rotation[:, 2] * (scale.push_n * numbers[8])
    return ToolTarget(
        pose_world_tool=pose_world_tool,
        wrench_world_tool=np.append(push, np.zeros(3)),
        stiffness=stiffness_of(float(numbers[7]), scale),
        gripper_opening=0.5 * scale.opening_m * (float(numbers[6]) + 1.0),
    )


def decode_all(
    action: NDArray[np.float32], arms: Sequence[str], target: Target, scale: ActionScale
) -> Target:
    """Return the target that a whole action asks for; see `decode`.

    Args:
        action: Shape (9 * len(arms),).
        arms: In its order.
        target: The last one.
        scale: What an action of one means.

    Raises:
        ValueError: If it is not finite.
    """
    numbers = action.reshape(len(arms), ACTION_SIZE)
    poses = [target.tools[arm].pose_world_tool for arm in arms]
    tools = [decode(row, pose, scale) for row, pose in zip(numbers, poses, strict=True)]
    return Target(tools=dict(zip(arms, tools, strict=True)))


def resting(pose_world_home: Mapping[str, Pose], arms: Sequence[str], scale: ActionScale) -> Target:
    """Return the target of hands that wait, stiff and half open.

    Args:
        pose_world_home: Where each arm's tool waits.
        arms: Which of them are told.
        scale: What an action of one means.
    """
    stiffness, opening = stiffness_of(1.0, scale), _HOME_OPENING * scale.opening_m
    return Target(
        tools={
            arm: ToolTarget(pose_world_home[arm], np.zeros(6), stiffness, opening) for arm in arms
        }
    )
