"""Touch networks: taught on grasps of the rig, measured on others, kept as folders."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from policies.tactile.estimator import TouchConfig, contract_of
from policies.tactile.samples import TouchSamples
from robot.robot_config import PadConfig
from workcell.catalog import known_names, load_robot
from workcell.policy_folder import StoredPolicy, refuse_taken, write_policy
from workcell.policy_manifest import TrainingRecord
from workcell.provenance import commit, versions
from workcell.robot_cell import CellConfig
from workcell.touch_data import grasps, of_any_age, readings
from workcell.touch_parts import TouchCase, touch_cases, variation_of

if TYPE_CHECKING:
    from policies.tactile.train import Progress, TrainConfig

LEVEL = "hard"
"""What touch is trained for: the widest level."""

_ROBOT = "talos"


@dataclass(frozen=True)
class DataConfig:
    """How much there is to learn from.

    Attributes:
        grasps: In the rig, of each part.
        readings: Of each grasp, each by pads of its own.
        seed: Of all that is drawn.
    """

    grasps: int = 2000
    readings: int = 12
    seed: int = 0


def touch_pads() -> tuple[PadConfig, tuple[str, ...]]:
    """Return the pads that touch is trained for, and the robots that have them."""
    pads = load_robot(_ROBOT).description.pads

    def same(name: str) -> bool:
        other = load_robot(name).description.pads
        return (other.size, other.opening_max) == (pads.size, pads.opening_max)

    return pads, tuple(name for name in known_names()["robot"] if same(name))


def train_touch(
    task: str,
    path: Path,
    data: DataConfig,
    config: TrainConfig,
    command: str,
    *,
    overwrite: bool = False,
    progress: Callable[[str], None] | None = None,
) -> StoredPolicy:
    """Teach a touch network for the parts of a task and write it.

    Args:
        task: Name of the task.
        path: Folder of the network.
        data: How much to learn from.
        config: How it is taught.
        command: What was typed.
        overwrite: Whether one that is there may be replaced.
        progress: Called with a line for people.

    Raises:
        ConfigError: If the task holds nothing, or something is there that may not be replaced.
    """
    from policies.tactile.train import teach

    refuse_taken(path, overwrite)
    tell = progress or (lambda line: None)
    cases, began = touch_cases(task, LEVEL), time.perf_counter()
    pads, robots = touch_pads()
    samples = _training_data(task, cases, pads, data, tell)
    touch = TouchConfig(parts=tuple(case.name for case in cases))

    def show(now: Progress) -> None:
        tell(f"epoch {now.epoch} of {config.epochs}, likelihood {-now.loss:.2f} nats")

    network = teach(samples, touch, config, show)
    training = TrainingRecord(
        command=command,
        algorithm="Gaussian likelihood",
        seed=data.seed,
        steps=len(samples) * config.epochs,
        wall_s=time.perf_counter() - began,
        level=LEVEL,
        robot=_ROBOT,
        commit=commit(),
        versions=versions(),
    )
    cell = CellConfig()
    return write_policy(
        path,
        "touch",
        touch,
        contract_of(task, robots, cell.dt * cell.ticks_per_step),
        network,
        training,
        description=f"How the parts of {task} lie in the hand, from the pads.",
        overwrite=overwrite,
    )


def _training_data(
    task: str,
    cases: tuple[TouchCase, ...],
    pads: PadConfig,
    data: DataConfig,
    tell: Callable[[str], None],
) -> TouchSamples:
    made = []
    wider = [case.wider() for case in cases]
    for grasp in grasps(wider, pads, variation_of(task, LEVEL), data.grasps, data.seed):
        made.append(grasp)
        if len(made) % 100 == 0:
            tell(f"{len(made)} of {len(cases) * data.grasps} grasps")
    tell(f"{data.readings} readings of each of {len(made)} grasps")
    return readings(made, of_any_age, data.seed, each=data.readings, jitter=True)
