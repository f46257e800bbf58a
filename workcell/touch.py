"""Touch networks: taught on grasps of the rig, measured on others, kept as folders."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from policies.tactile.estimator import TouchConfig, TouchPolicy, contract_of
from policies.tactile.features import AXES, features
from policies.tactile.samples import TouchSamples
from robot.arrays import Array
from robot.errors import ConfigError
from robot.robot_config import PadConfig
from robot.sensor import TactileReading
from robot.signals.tactile import estimate_in_hand
from workcell.build import CellConfig
from workcell.catalog import known_names, load_robot
from workcell.config import config_folder
from workcell.policy_folder import MANIFEST, StoredPolicy, read_policy, write_policy
from workcell.policy_manifest import TrainingRecord
from workcell.provenance import commit, versions
from workcell.statistics import bootstrap_interval, wilson
from workcell.touch_data import SENSORS, grasps, of_any_age, readings
from workcell.touch_parts import TouchCase, touch_cases, variation_of

if TYPE_CHECKING:
    from policies.tactile.train import Progress, TrainConfig

LEVEL = "hard"
"""What touch is trained for: the widest level."""

_ROBOT = "talos"
# An axis is felt if knowing it is at least so many times as exact as knowing nothing.
_FELT = 0.5


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


@dataclass(frozen=True)
class AxisFigures:
    """How well one axis of one part is told.

    Attributes:
        median: Of the absolute error, in mm or degrees.
        interval: 95 % interval of the median.
        p95: 95 % of the errors are smaller.
        inside: Share of the truth within two standard deviations.
        inside_interval: 95 % interval of that share.
        spread: Median absolute deviation of the truth itself: what is known without touch.
        felt: Whether touch tells it: the error is less than half of that.
        by_rule: Median error of the rule that the scripts use without a network.
    """

    median: float
    interval: tuple[float, float]
    p95: float
    inside: float
    inside_interval: tuple[float, float]
    spread: float
    felt: bool
    by_rule: float


@dataclass(frozen=True)
class PartFigures:
    """How well one part is felt, by pads of one kind.

    Attributes:
        part: Its name, or `all`.
        sensor: One of `touch_data.SENSORS`.
        n: Grasps.
        position_mm: Median error of the position along the axes that are felt, in mm.
        position_interval: 95 % interval of that.
        axes: Each of `AXES`.
        rule_valid: Share of the readings from which the rule tells anything.
        rule_position_mm: Its median error over those, along the same axes.
    """

    part: str
    sensor: str
    n: int
    position_mm: float
    position_interval: tuple[float, float]
    axes: Mapping[str, AxisFigures]
    rule_valid: float
    rule_position_mm: float


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

    if path.exists() and not overwrite:
        raise ConfigError(f"{path}: already there. Choose another folder, or add --overwrite")
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


def shipped_touch(task: str) -> Path:
    """Return the folder of the touch network that comes along for a task."""
    return config_folder() / "touch" / task


def touch_policy(path: Path) -> TouchPolicy:
    """Return a touch network.

    Args:
        path: Its folder.

    Raises:
        ConfigError: If there is none, or it is not sound.
    """
    if not (path / MANIFEST).is_file():
        raise ConfigError(
            f"{path}: expected the folder of a touch network; `workcell touch train` makes one"
        )
    policy = read_policy(path).policy()
    if not isinstance(policy, TouchPolicy):
        raise ConfigError(
            f"{path}: expected a touch network, found a policy for {policy.contract.task}. "
            "`workcell policy show` says what a folder holds"
        )
    return policy


def measure_touch(
    policy: TouchPolicy,
    count: int,
    seed: int,
    level: str = LEVEL,
    progress: Callable[[str], None] | None = None,
) -> list[PartFigures]:
    """Return how well a network feels grasps that it was not trained on.

    Args:
        policy: The network.
        count: Grasps of each part.
        seed: Of all that is drawn.
        level: How far off the grasps are.
        progress: Called with a line for people.
    """
    task = policy.contract.task
    cases = touch_cases(task, level)
    pads, _ = touch_pads()
    made = []
    for grasp in grasps(cases, pads, variation_of(task, level), count, seed):
        made.append(grasp)
        if progress is not None and len(made) % 100 == 0:
            progress(f"{len(made)} of {count * len(cases)} grasps")
    by_name = {case.name: case for case in cases}
    found = []
    for sensor, draw in SENSORS.items():
        samples = readings(made, draw, seed)
        rule = _by_rule(samples, by_name)
        errors, sigma = _by_network(policy, samples)
        for number, part in enumerate(samples.parts):
            mine = samples.part == number
            found.append(_figures(part, sensor, samples, errors, sigma, rule, mine))
        if len(samples.parts) > 1:
            everyone = np.ones(len(samples), dtype=np.bool_)
            found.append(_figures("all", sensor, samples, errors, sigma, rule, everyone))
    return found


def _by_network(policy: TouchPolicy, samples: TouchSamples) -> tuple[Array, Array]:
    mean, sigma = policy.estimates(features(samples.pressure_kpa, samples.opening))
    return np.abs(mean - samples.in_hand), sigma


def _by_rule(samples: TouchSamples, cases: Mapping[str, TouchCase]) -> Array:
    """Return absolute errors of the rule that needs no network; nan where it tells nothing."""
    errors = np.full(samples.in_hand.shape, np.nan)
    for i, pressure in enumerate(samples.pressure_kpa):
        case = cases[samples.parts[samples.part[i]]]
        reading = TactileReading(0.0, 1e3 * pressure.astype(np.float64), np.zeros((2, 2)))
        # As the task of the part asks: where the middle of what is felt is in a nominal grasp.
        felt = estimate_in_hand(
            reading, case.part.held.length, float(case.pose_tool_part.position[2])
        )
        if felt.valid:
            told = np.array([felt.shift_x, felt.shift_z, felt.angle_y])
            errors[i] = np.abs(told - samples.in_hand[i])
    return errors


def _figures(
    part: str,
    sensor: str,
    samples: TouchSamples,
    errors: Array,
    sigma: Array,
    rule: Array,
    mine: NDArray[np.bool_],
) -> PartFigures:
    unit = np.array([1e3, 1e3, np.degrees(1.0)])
    off, truth = errors[mine] * unit, samples.in_hand[mine] * unit
    by_rule, within = rule[mine] * unit, errors[mine] <= 2.0 * sigma[mine]
    valid = np.isfinite(by_rule).all(axis=1)
    axes = {}
    for axis, name in enumerate(AXES):
        inside = int(within[:, axis].sum())
        median = float(np.median(off[:, axis]))
        spread = float(np.median(np.abs(truth[:, axis] - np.median(truth[:, axis]))))
        axes[name] = AxisFigures(
            median,
            bootstrap_interval(off[:, axis], np.median) or (median, median),
            float(np.quantile(off[:, axis], 0.95)),
            inside / len(off),
            wilson(inside, len(off)),
            spread,
            median < _FELT * spread,
            _median(by_rule[valid, axis]),
        )
    along = [axis for axis in (0, 1) if axes[AXES[axis]].felt]
    position = np.linalg.norm(off[:, along], axis=1)
    middle = float(np.median(position))
    return PartFigures(
        part,
        sensor,
        len(off),
        middle,
        bootstrap_interval(position, np.median) or (middle, middle),
        axes,
        float(valid.mean()),
        _median(np.linalg.norm(by_rule[valid][:, along], axis=1)),
    )


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def as_json(figures: list[PartFigures]) -> list[dict[str, Any]]:
    """Return figures as plain values; what is not known is None."""
    plain = [dataclasses.asdict(part) for part in figures]
    for part in plain:
        for numbers in (part, *part["axes"].values()):
            for key, value in numbers.items():
                if isinstance(value, float) and not np.isfinite(value):
                    numbers[key] = None
    return plain
