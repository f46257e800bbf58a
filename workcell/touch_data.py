"""What pads feel of held parts: grasps in the rig, read by taxels that are as bad as they get."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from policies.tactile.features import AXES
from policies.tactile.samples import TouchSamples
from robot.arrays import Array
from robot.errors import ConfigError
from robot.robot_config import PadConfig
from robot.sim.grasp_rig import Grasped, GraspRig
from robot.sim.noise import NOISE_LEVELS
from robot.sim.pad_image import cylinder_image
from robot.sim.taxels import TactileConfig, Taxels
from robot.spatial import Pose, rotate
from tasks.variation import Variation
from workcell.touch_parts import TouchCase

# An opening that differs by more than this from the part's width is no grasp to the script either,
# in m.
_WIDTH_ERROR = 1.2e-3
# Where so many draws in a row are no grasp, the ranges are wrong.
_MISSES = 200
# A part slides a little while the fingers close, in m and rad, and the force is not yet, or was
# already, what it is: the past that hysteresis keeps.
_SLID = np.array([2e-4, 2e-4, np.radians(0.5)])
_FORCE_BEFORE = (0.6, 1.3)
# Longest time since the pads were zeroed, in s: that of the longest cycle.
_ELAPSED = 76.0
_AXIS = np.array([0.0, 0.0, 1.0])
# Of the pads that are learned from.
_NEW_SHARE = 1.0 / 3.0


@dataclass(frozen=True)
class SensorRange:
    """How bad pads may be; each episode's are drawn between nothing and this.

    Attributes:
        gain_spread: As in `TactileConfig`; so all others.
        drift: Likewise.
        noise: Likewise.
        dead_share: Likewise.
        hysteresis: Likewise.
    """

    gain_spread: float
    drift: float
    noise: float
    dead_share: float
    hysteresis: float

    def draw(self, rng: np.random.Generator) -> TactileConfig:
        """Return what the pads of one episode are like."""
        return TactileConfig(
            gain_spread=rng.uniform(0.0, self.gain_spread),
            drift=rng.uniform(0.0, self.drift),
            noise=rng.uniform(0.0, self.noise),
            dead_share=rng.uniform(0.0, self.dead_share),
            hysteresis=rng.uniform(0.0, self.hysteresis),
        )


WORN = SensorRange(gain_spread=0.15, drift=0.03, noise=0.01, dead_share=0.05, hysteresis=0.10)
"""Pads that should be replaced, and everything up to them."""


def as_new(rng: np.random.Generator) -> TactileConfig:
    """Return pads as a simulated cell has them."""
    return TactileConfig()


def of_any_age(rng: np.random.Generator) -> TactileConfig:
    """Return pads to learn from: one in three as new, the others worn."""
    return as_new(rng) if rng.random() < _NEW_SHARE else WORN.draw(rng)


SENSORS: dict[str, Callable[[np.random.Generator], TactileConfig]] = {
    "new": as_new,
    "worn": WORN.draw,
}
"""How bad the pads are that a network is tested with, by name."""


@dataclass(frozen=True, eq=False)
class CaseGrasp:
    """A grasp that was made.

    Attributes:
        case: Of what.
        grasped: How the part came to lie.
    """

    case: TouchCase
    grasped: Grasped

    @property
    def in_hand(self) -> Array:
        """Shift along tool x and z, in m, and angle about tool y, in rad. Shape (3,)."""
        return in_hand_of(self.grasped.pose_tool_part, self.case.pose_tool_part)


def in_hand_of(pose_tool_part: Pose, nominal: Pose) -> Array:
    """Return how a part lies in the hand, compared with a nominal grasp, as touch tells it.

    Args:
        pose_tool_part: Where it is.
        nominal: Where it would be in a nominal grasp.

    Returns:
        Shift along tool x and z, in m, and angle about tool y, in rad. Shape (3,).
    """
    shift = pose_tool_part.position - nominal.position
    x, _, z = rotate(pose_tool_part.quaternion, _AXIS)
    x0, _, z0 = rotate(nominal.quaternion, _AXIS)
    angle = math.atan2(x, z) - math.atan2(x0, z0)
    return np.array([shift[0], shift[2], math.remainder(angle, 2.0 * math.pi)])


def grasps(
    cases: Sequence[TouchCase],
    pads: PadConfig,
    variation: Variation,
    count: int,
    seed: int,
) -> Iterator[CaseGrasp]:
    """Yield grasps in the rig, those that the script would take for one, part after part.

    Args:
        cases: Parts.
        pads: Of the robot.
        variation: The level.
        count: Of each part.
        seed: Of all that is drawn.

    Raises:
        ConfigError: If hardly any draw is a grasp.
    """
    for number, case in enumerate(cases):
        rng = np.random.default_rng([seed, number])
        rig = GraspRig(pads, case.part)
        try:
            made = missed = 0
            while made < count:
                grasped = rig.grasp(case.draw(rng, variation))
                missed += 1
                if grasped.held and abs(grasped.opening - case.part.width) <= _WIDTH_ERROR:
                    made, missed = made + 1, 0
                    yield CaseGrasp(case, grasped)
                if missed >= _MISSES:
                    raise ConfigError(
                        f"{case.name}: none of {missed} grasps in a row held it, within "
                        f"{1e3 * _WIDTH_ERROR:g} mm of its width; see its grasp and ranges "
                        "in workcell/touch_parts.py"
                    )
        finally:
            rig.close()


class Pads:
    """The pads and finger joints of one episode, that one grasp after another is read with."""

    def __init__(self, sensor: TactileConfig, rng: np.random.Generator) -> None:
        """Draw what is wrong with them, and how long ago they were zeroed.

        Args:
            sensor: What they are like.
            rng: What is drawn from, noise of the readings too.
        """
        self._sensor = sensor
        self._rng = rng
        self._taxels = Taxels(sensor, rng)
        self._elapsed = rng.uniform(0.0, _ELAPSED)

    def read(self, grasp: CaseGrasp, moved: Array | None = None) -> tuple[Array, float]:
        """Return what is felt of a grasp once it is held, and measured of the fingers.

        Args:
            grasp: Which.
            moved: By how much the part lies elsewhere than in the grasp, as `in_hand`; not if
                omitted.

        Returns:
            Pressures, in Pa, shape (2, rows, columns); the opening, in m.
        """
        rng, moved = self._rng, np.zeros(len(AXES)) if moved is None else moved
        share = rng.uniform(*_FORCE_BEFORE)
        before = _image(grasp, self._sensor, moved + _SLID * rng.normal(size=len(AXES)), share)
        self._taxels.feel(before, self._elapsed)
        pressure = self._taxels.feel(_image(grasp, self._sensor, moved, 1.0), self._elapsed)
        return pressure, grasp.grasped.opening + NOISE_LEVELS["B"].opening * float(rng.normal())

    def let_go(self, seconds: float) -> None:
        """Feel nothing for a while, in s."""
        self._elapsed += seconds
        self._taxels.feel(np.zeros(self._sensor.shape), self._elapsed)


def _image(grasp: CaseGrasp, sensor: TactileConfig, moved: Array, share: float) -> Array:
    """Return the pressures on perfect taxels. Shape (2, rows, columns)."""
    pose, held = grasp.grasped.pose_tool_part, grasp.case.part.held
    turn = Pose.from_rotation_vector((0.0, moved[2], 0.0))
    normal = share * grasp.grasped.loads.normal
    return cylinder_image(
        pose.position + np.array([moved[0], 0.0, moved[1]]),
        turn.rotation @ rotate(pose.quaternion, _AXIS),
        held.radius,
        held.length,
        (float(normal[0]), float(normal[1])),
        shape=(sensor.rows, sensor.columns),
        pitch=sensor.pitch,
        stiffness=sensor.stiffness,
        rays=sensor.rays,
    )


def readings(
    made: Sequence[CaseGrasp],
    sensor: Callable[[np.random.Generator], TactileConfig],
    seed: int,
    each: int = 1,
    jitter: bool = False,
) -> TouchSamples:
    """Return readings of grasps, each by pads of its own.

    Args:
        made: The grasps.
        sensor: Draws what the pads are like.
        seed: Of all that is drawn.
        each: Readings of each grasp.
        jitter: Whether the part is moved a little from reading to reading, as its case allows.
    """
    rng = np.random.default_rng([seed, len(made)])
    names = tuple(dict.fromkeys(grasp.case.name for grasp in made))
    pressures, openings, truths = [], [], []
    for grasp in made:
        bound = np.array(grasp.case.jitter) if jitter else np.zeros(len(AXES))
        for _ in range(each):
            moved = rng.uniform(-1.0, 1.0, len(AXES)) * bound
            pressure, opening = Pads(sensor(rng), rng).read(grasp, moved)
            pressures.append((pressure / 1e3).astype(np.float32))
            openings.append(opening)
            truths.append(grasp.in_hand + moved)
    return TouchSamples(
        pressure_kpa=np.stack(pressures),
        opening=np.array(openings),
        in_hand=np.stack(truths),
        grasp=np.repeat(np.arange(len(made)), each),
        part=np.repeat([names.index(grasp.case.name) for grasp in made], each),
        parts=names,
    )
