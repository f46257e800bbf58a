"""Trials of grasping again: parts that lie far off in the hand, led to where they should lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from policies.tactile.estimator import TouchPolicy
from policies.tactile.regrasp import Regrasp, RegraspConfig, Touch
from robot.arrays import Array
from robot.errors import ConfigError
from robot.sim.grasp_rig import GraspRig
from robot.spatial import Pose
from tasks.variation import Variation, symmetric
from workcell.statistics import wilson
from workcell.touch import LEVEL, touch_pads
from workcell.touch_data import SENSORS, CaseGrasp, Pads
from workcell.touch_parts import TouchCase, touch_cases, variation_of

# How far off a grasp is at first, in m and rad, and how well it is to lie in the end.
START = (5e-3, float(np.radians(5.0)))
GOAL = (1e-3, float(np.radians(1.5)))
WITHIN = 3
"""So many re-grasps may be taken for that."""

# Where the grasps that are wanted lie about the nominal one, in m and rad: none is nominal.
_SHOWN = np.array([0.5e-3, 0.5e-3, np.radians(2.0)])
# How well a wrist goes where it is sent, per axis, in m and rad: standard deviations.
_HAND = (0.2e-3, float(np.radians(0.2)))
# A grasp was shown so long ago at most, in s: a cycle, after which pads are zeroed.
_AGO = 76.0
# Opening, moving and closing again, in s.
_AGAIN = 2.0
# Where no grasp comes about in so many draws, the ranges are wrong.
_DRAWS = 50


@dataclass(frozen=True, eq=False)
class RegraspTrial:
    """One part, grasped until it lies as wanted.

    Attributes:
        part: Its name.
        off: How far it truly lay off what was wanted, in each grasp from the first on: shift along
            tool x and z, in m, and angle about tool y, in rad. Shape (grasps, 3).
        held: Whether it was held at all, in each grasp. Shape (grasps,).
        stopped: Whether the hand was content in the end.
    """

    part: str
    off: Array
    held: NDArray[np.bool_]
    stopped: bool

    def reached(self, regrasps: int) -> bool:
        """Return whether the part lies well enough after at most so many re-grasps."""
        last = min(regrasps, len(self.off) - 1)
        x, z, angle = self.off[last]
        return bool(self.held[last] and np.hypot(x, z) <= GOAL[0] and abs(angle) <= GOAL[1])


@dataclass(frozen=True)
class RegraspFigures:
    """How well parts are led to where they should lie, with pads of one kind.

    Attributes:
        part: Name of the part, or `all`.
        sensor: One of `touch_data.SENSORS`.
        n: Trials.
        reached: Share of the trials in which it lay well enough after at most `WITHIN` re-grasps.
        interval: 95 % interval of that.
        after: The same share after each number of re-grasps, from none on.
        regrasps: Mean number of re-grasps until the hand was content.
        position_mm: Distance from what was wanted in the end, median, in mm.
        angle_deg: Angle from it in the end, median, in degrees.
    """

    part: str
    sensor: str
    n: int
    reached: float
    interval: tuple[float, float]
    after: tuple[float, ...]
    regrasps: float
    position_mm: float
    angle_deg: float


def measure_regrasps(
    policy: TouchPolicy,
    count: int,
    seed: int,
    config: RegraspConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[RegraspFigures]:
    """Return how well a network leads parts of its task to where they should lie.

    Args:
        policy: The network.
        count: Trials of each part, with pads of each kind.
        seed: Of all that is drawn.
        config: When a grasp is good enough.
        progress: Called with a line for people.
    """
    task = policy.contract.task
    cases, variation = touch_cases(task, LEVEL), variation_of(task, LEVEL)
    pads, _ = touch_pads()
    found: dict[str, list[RegraspTrial]] = {sensor: [] for sensor in SENSORS}
    for number, case in enumerate(cases):
        rig = GraspRig(pads, case.part)
        try:
            for kind, (sensor, trials) in enumerate(found.items()):
                for i in range(count):
                    rng = np.random.default_rng([seed, number, kind, i])
                    bench = _Bench(rig, case, variation, sensor, rng)
                    trials.append(bench.trial(policy, config or RegraspConfig()))
                if progress is not None:
                    progress(f"{case.name}, {sensor} pads: {count} trials")
        finally:
            rig.close()
    figures = []
    for sensor, trials in found.items():
        for case in cases:
            mine = [trial for trial in trials if trial.part == case.name]
            figures.append(_figures(case.name, sensor, mine))
        if len(cases) > 1:
            figures.append(_figures("all", sensor, trials))
    return figures


class _Bench:
    """One part between the fingers of the rig, and the pads of one episode."""

    def __init__(
        self,
        rig: GraspRig,
        case: TouchCase,
        variation: Variation,
        sensor: str,
        rng: np.random.Generator,
    ) -> None:
        self._rig, self._case, self._variation = rig, case, variation
        self._rng = rng
        self._pads = Pads(SENSORS[sensor](rng), rng)

    def trial(self, policy: TouchPolicy, config: RegraspConfig) -> RegraspTrial:
        """Show a grasp, begin far off it, and grasp again until the hand is content."""
        case, rng = self._case, self._rng
        shown = self._held(lambda: symmetric(rng, 1.0) * _SHOWN)
        # It was shown with these pads, some time ago: their zeros have drifted since.
        wanted = _touch(self._pads, shown)
        self._pads.let_go(rng.uniform(0.0, _AGO))
        regrasp = Regrasp(policy, case.pose_tool_part, wanted, config)
        grasp = self._held(lambda: shown.in_hand + self._far_off())
        off, held, stopped = [grasp.in_hand - shown.in_hand], [grasp.grasped.held], False
        for _ in range(config.at_most):
            step = regrasp.increment(_touch(self._pads, grasp))
            if step is None or step.enough:
                stopped = step is not None
                break
            self._pads.let_go(_AGAIN)
            tool = step.pose_tool_next @ self._missed()
            grasp = self._grasp(tool.inverse() @ grasp.grasped.pose_tool_part)
            off.append(grasp.in_hand - shown.in_hand)
            held.append(grasp.grasped.held)
        return RegraspTrial(case.name, np.array(off), np.array(held), stopped)

    def _held(self, draw: Callable[[], Array]) -> CaseGrasp:
        """Return a grasp at a drawn place, one by which the part is held at all."""
        for _ in range(_DRAWS):
            shift_x, shift_z, angle = draw()
            grasp = self._grasp(self._case.placed(shift_x, shift_z, (0.0, angle, 0.0)))
            if grasp.grasped.held:
                return grasp
        raise ConfigError(
            f"{self._case.name}: expected a grasp in {_DRAWS} draws, got none; see its grasp and "
            "ranges in workcell/touch_parts.py"
        )

    def _grasp(self, start: Pose) -> CaseGrasp:
        attempt = self._case.attempt(start, self._rng, self._variation)
        return CaseGrasp(self._case, self._rig.grasp(attempt))

    def _far_off(self) -> Array:
        """Return a displacement of the full size; along x alone if walls keep the part along z."""
        direction = self._rng.uniform(-np.pi, np.pi)
        along = np.array([np.cos(direction), np.sin(direction)])
        if not self._case.slides:
            along = np.array([np.copysign(1.0, along[0]), 0.0])
        angle = START[1] * (1.0 if self._rng.random() < 0.5 else -1.0)
        return np.array([*(START[0] * along), angle])

    def _missed(self) -> Pose:
        """Return by how much the wrist misses where it is sent."""
        shift, turn = self._rng.normal(size=3), self._rng.normal(size=3)
        return Pose.from_rotation_vector(_HAND[1] * turn, _HAND[0] * shift)


def _touch(pads: Pads, grasp: CaseGrasp) -> Touch:
    pressure, opening = pads.read(grasp)
    return Touch((pressure / 1e3).astype(np.float32), opening)


def _figures(part: str, sensor: str, trials: list[RegraspTrial]) -> RegraspFigures:
    n, most = len(trials), max(len(trial.off) for trial in trials)
    shares = [sum(t.reached(k) for t in trials) / n for k in range(most)]
    well = sum(trial.reached(WITHIN) for trial in trials)
    last = np.array([trial.off[-1] for trial in trials])
    return RegraspFigures(
        part=part,
        sensor=sensor,
        n=n,
        reached=well / n,
        interval=wilson(well, n),
        after=tuple(shares),
        regrasps=float(np.mean([len(trial.off) - 1 for trial in trials])),
        position_mm=1e3 * float(np.median(np.hypot(last[:, 0], last[:, 1]))),
        angle_deg=float(np.degrees(np.median(np.abs(last[:, 2])))),
    )
