"""Balance policies: the numbers they are trained on, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from policies.balance.reflex import BalanceConfig, BalancePolicy, BalanceReflex, contract_of
from policies.balance.stance import ReflexConfig
from policies.learned import PolicySource
from robot.errors import ConfigError
from robot.kinematics import base_at_rest
from robot.model import load_model
from robot.robot_config import RobotConfig
from robot.spatial import Pose
from workcell.config import config_folder
from workcell.policy_folder import StoredPolicy, read_policy, refuse_taken, write_policy
from workcell.policy_manifest import TrainingRecord
from workcell.provenance import commit, versions
from workcell.robot_cell import CellConfig

if TYPE_CHECKING:
    from policies.balance.model import StanceNumbers
    from policies.balance.train import Progress, TrainConfig


def stance_numbers(robot: RobotConfig, cell: CellConfig | None = None) -> StanceNumbers:
    """Return what the reduced model needs to know of a robot and its controller.

    The area of support is the smallest box around the soles, which stand side by side, less the
    margin that the controller keeps while a reflex acts.

    Args:
        robot: Who stands.
        cell: With the controller's gains; the defaults if omitted.

    Raises:
        ConfigError: If the robot has no feet to stand on.
    """
    from policies.balance.model import StanceNumbers

    if not robot.base.floating:
        raise ConfigError(
            f"robot: expected one that stands, {robot.name} is bolted down. Choose e.g. talos"
        )
    controller = (cell or CellConfig()).controller
    balance, margin = controller.balance, controller.contact.shoved_margin
    model = load_model(robot)
    base = base_at_rest(Pose.translation(robot.base.position))
    position = model.joint_position(robot.posture)
    here = model.at(position, np.zeros(model.n), base)
    soles = {foot: here.position_world(frame) for foot, frame in model.contact_frames.items()}
    middle = np.mean(list(soles.values()), axis=0)
    half = [
        max(
            abs(soles[foot][axis] - middle[axis]) + size[axis]
            for foot, size in robot.foot_half_sizes.items()
        )
        - margin
        for axis in (0, 1)
    ]
    return StanceNumbers(
        mass=model.mass,
        height=float(here.com()[2] - middle[2]),
        half_sizes=(float(half[0]), float(half[1])),
        com_stiffness=balance.com_stiffness[0],
        com_damping=balance.com_damping[0],
        com_weight=balance.com_weight[0],
        height_stiffness=balance.com_stiffness[2],
        height_damping=balance.com_damping[2],
        height_weight=balance.com_weight[2],
        torso_stiffness=balance.torso_stiffness,
        torso_damping=balance.torso_damping,
        torso_weight=balance.torso_weight,
        lean_cutoff_hz=balance.lean_cutoff_hz,
        lean_limit=balance.lean_limit,
    )


def train_balance(
    robot: RobotConfig,
    path: Path,
    config: TrainConfig,
    command: str,
    *,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> StoredPolicy:
    """Teach a balance policy and write it.

    Args:
        robot: Who stands.
        path: Folder of the policy.
        config: How it is taught.
        command: What was typed.
        overwrite: Whether a policy that is there may be replaced.
        progress: Called after every batch.

    Raises:
        ConfigError: If the robot does not stand, or something is there that may not be replaced.
    """
    from policies.balance.train import Trainer

    refuse_taken(path, overwrite)
    numbers, reflex = stance_numbers(robot), ReflexConfig()
    trainer = Trainer(numbers, reflex, config)
    seconds = [0.0]

    def note(now: Progress) -> None:
        seconds[0] = now.wall_s
        if progress is not None:
            progress(now)

    network = trainer.run(note)
    training = TrainingRecord(
        command=command,
        algorithm="analytic policy gradient",
        seed=config.seed,
        steps=trainer.steps,
        wall_s=seconds[0],
        level="reduced model",
        robot=robot.name,
        commit=commit(),
        versions=versions(),
    )
    means = BalanceConfig(reflex, numbers.frequency, numbers.torso_stiffness)
    return write_policy(
        path,
        "balance",
        means,
        contract_of(robot.name, reflex.period),
        network,
        training,
        description="Moves references of the trunk while the robot is shoved off its balance.",
        overwrite=overwrite,
    )


def shipped_balance(robot: str) -> Path:
    """Return the folder of the balance policy that comes along for a robot."""
    return config_folder() / "balance" / robot


def read_balance(robot: str, path: Path) -> StoredPolicy:
    """Return what the folder of a balance policy holds.

    Args:
        robot: Name of the robot it is for.
        path: The folder.

    Raises:
        ConfigError: If there is none, or it is not sound.
    """
    if path == shipped_balance(robot) and not path.is_dir():
        raise ConfigError(
            f"cell.balance: no balance policy comes along for {robot}; `workcell balance train` "
            "makes one and `workcell balance map --policy` tries it"
        )
    return read_policy(path)


def balance_reflex(
    robot: str, path: Path | None = None, source: PolicySource | None = None
) -> BalanceReflex:
    """Return a balance policy ready for the controller of a robot.

    Args:
        robot: Its name.
        path: Folder of the policy; the one that comes along if omitted.
        source: Which file it must be; any if omitted.

    Raises:
        ConfigError: If there is none, it is not sound, it is for another robot or a job, or it is
            another file.
    """
    path = path or shipped_balance(robot)
    policy = read_balance(robot, path).policy()
    if not isinstance(policy, BalancePolicy):
        raise ConfigError(
            f"{path}: expected a balance policy, found one for {policy.contract.task}. "
            "`workcell policy show` says what a folder holds"
        )
    policy.config.source.refuse_unless(source, path)
    return BalanceReflex(policy, robot)
