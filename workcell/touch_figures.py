"""How well a touch network tells how parts lie in the hand, and whether it knows how well."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.tactile.estimator import TouchPolicy
from policies.tactile.features import AXES, COLUMNS, PADS, ROWS, features
from policies.tactile.samples import TouchSamples
from robot.arrays import Array
from robot.sensor import TactileReading
from robot.signals.tactile import estimate_in_hand
from workcell.statistics import bootstrap_interval, wilson
from workcell.touch import LEVEL, touch_pads
from workcell.touch_data import SENSORS, grasps, readings
from workcell.touch_parts import TouchCase, touch_cases, variation_of

# An axis is felt if knowing it is at least so many times as exact as knowing nothing.
_FELT = 0.5


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


def look_ms(policy: TouchPolicy, looks: int = 300) -> float:
    """Return what one look at a hand costs, in ms of processor time.

    Args:
        policy: The network.
        looks: Averaged over so many.
    """
    felt = np.full((PADS, ROWS, COLUMNS), 200.0, dtype=np.float32)
    policy.estimate(felt, 0.012)
    began = time.process_time()
    for _ in range(looks):
        policy.estimate(felt, 0.012)
    return 1e3 * (time.process_time() - began) / looks


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
