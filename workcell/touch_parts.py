"""What is grasped in each task, and how far off: the cases that touch is trained and tested on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from robot.errors import ConfigError
from robot.sim.fit_state import SplineFitConfig
from robot.sim.grasp_rig import Attempt, RigPart
from robot.sim.tactile import HeldShape
from robot.spatial import Pose
from tasks import task_named
from tasks.hv_config import HvPluggingConfig
from tasks.hv_layout import PAD_FRICTION, PAD_FRICTION_SHARE
from tasks.hv_observation import RIB_LENGTH, RIB_RADIUS
from tasks.hv_plugging import HvPlugging
from tasks.hv_variation import HvVariation
from tasks.nut_insertion import PAD_FRICTION_ABOVE_STEEL, NutInsertion, NutInsertionConfig
from tasks.nut_variation import NutVariation
from tasks.parts.hv_connector import NECK, POSE_TOOL_PLUG, ConnectorType
from tasks.parts.hv_shapes import plug_part
from tasks.parts.nut import NUT_SIZES, NutSize, nut_part
from tasks.variation import Variation, between, symmetric
from workcell.config import config_folder, load

# A hand gives way to where a part is across it until so much is left, in m.
_ACROSS = 1e-3
# What is learned from lies so many times as far off as what is tested, so that that is not at an
# edge; and at least so far, in m, since a part that is to be grasped again may lie 5 mm off.
_WIDER, _LEAST_OFFSET = 1.3, 6e-3
# What pulls at a held part: up to this force, in N, and torque, in N·m, besides a plug's weight.
_NUT_LOAD = (10.0, 0.05)
_PLUG_LOAD = (15.0, 0.15)
_GRAVITY = 9.81
# As the simulated gripper has them by default: a nut turns on pads, a plug is kept by its walls.
_SPINNING = 1.5e-3


@dataclass(frozen=True, eq=False)
class TouchCase:
    """One part in one hand, and how its grasps differ.

    Attributes:
        name: Of the part.
        part: What is grasped.
        pose_tool_part: Where it is in a nominal grasp.
        pad_friction: Returns the pads' friction for a drawn friction of parts on each other.
        pad_spinning: The pads' spinning friction, in m.
        force: With which each finger squeezes, in N.
        offset: How far off it lies along tool x and z before the fingers close, in m. Shape (2,).
        tilt: How far it is turned about each axis, in rad. Shape (3,).
        load: Largest force and torque on it, in N and N·m.
        weight: Of what the hand carries, in N.
        jitter: How far readings of one grasp may be moved about it along tool x and z, in m, and
            turned about tool y, in rad: where nothing but friction keeps a part from lying so.
    """

    name: str
    part: RigPart
    pose_tool_part: Pose
    pad_friction: Callable[[float], float]
    pad_spinning: float
    force: float
    offset: tuple[float, float]
    tilt: tuple[float, float, float]
    load: tuple[float, float]
    weight: float
    jitter: tuple[float, float, float]

    @property
    def slides(self) -> bool:
        """Whether nothing but friction keeps it from lying elsewhere along tool z."""
        return self.jitter[1] > 0.0

    def placed(self, shift_x: float, shift_z: float, turn: tuple[float, float, float]) -> Pose:
        """Return where the part is in the tool frame if it lies off the nominal grasp.

        Args:
            shift_x: Along tool x, in m.
            shift_z: Along tool z, in m.
            turn: About the tool's axes, through the part's origin, as a rotation vector in rad.
        """
        nominal = self.pose_tool_part
        turned = Pose.from_rotation_vector(turn) @ nominal
        return Pose(nominal.position + np.array([shift_x, 0.0, shift_z]), turned.quaternion)

    def wider(self) -> TouchCase:
        """Return the same with grasps further off than those it is tested on, to learn from."""
        x, y, z = (_WIDER * angle for angle in self.tilt)
        # Walls would keep fingers from closing on a part that lies further off along them.
        least = (_LEAST_OFFSET, _LEAST_OFFSET if self.slides else 0.0)
        along_x, along_z = (
            max(_WIDER * far, bound) for far, bound in zip(self.offset, least, strict=True)
        )
        return dataclasses.replace(self, offset=(along_x, along_z), tilt=(x, y, z))

    def draw(self, rng: np.random.Generator, variation: Variation) -> Attempt:
        """Return a grasp to be made, as far off as one may be.

        Args:
            rng: What is drawn from.
            variation: The level, for friction and grip force.
        """
        shift_x, shift_z = symmetric(rng, 1.0, 2) * np.array(self.offset)
        across = symmetric(rng, _ACROSS, 1)[0]
        turn = symmetric(rng, 1.0) * np.array(self.tilt)
        start = self.placed(shift_x, shift_z, (turn[0], turn[1], turn[2]))
        return self.attempt(start, rng, variation, across)

    def attempt(
        self, start: Pose, rng: np.random.Generator, variation: Variation, across: float = 0.0
    ) -> Attempt:
        """Return a grasp of the part where it lies; its force, friction and load are drawn.

        Args:
            start: Where it lies in the tool frame.
            rng: What is drawn from.
            variation: The level, for friction and grip force.
            across: How far it is off the middle between the pads besides, in m.
        """
        return Attempt(
            Pose(start.position + np.array([0.0, across, 0.0]), start.quaternion),
            force=self.force * (1.0 + float(symmetric(rng, variation.grip_share, 1)[0])),
            pad_friction=self.pad_friction(between(rng, variation.friction)),
            pad_spinning=self.pad_spinning,
            load_tool=np.concatenate(
                [
                    _direction(rng) * rng.uniform(0.0, self.load[0])
                    + _direction(rng) * self.weight,
                    _direction(rng) * rng.uniform(0.0, self.load[1]),
                ]
            ),
        )


def touch_cases(task: str, level: str) -> tuple[TouchCase, ...]:
    """Return every part that a task's hands hold.

    Args:
        task: Name of the task.
        level: How far off its grasps are.

    Raises:
        UnknownName: If there is no such task.
        ConfigError: If its hands hold nothing that touch is trained for.
    """
    variation = variation_of(task, level)
    if task not in _CASES:
        raise ConfigError(
            f"task: expected one whose hands hold parts, {' or '.join(_CASES)}, got {task}"
        )
    return _CASES[task](variation)


def variation_of(task: str, level: str) -> Variation:
    """Return a level of a task.

    Raises:
        UnknownName: If there is no such task.
        ConfigError: If it has no such level.
    """
    levels = task_named(task).levels
    if level not in levels:
        raise ConfigError(f"--level: expected one of {', '.join(levels)}, got {level}")
    return levels[level]


def _nuts(variation: Variation) -> tuple[TouchCase, ...]:
    assert isinstance(variation, NutVariation)  # the task's levels are
    return tuple(_nut(size, variation) for size in NUT_SIZES.values())


def _plugs(variation: Variation) -> tuple[TouchCase, ...]:
    assert isinstance(variation, HvVariation)  # likewise
    files = sorted((config_folder() / "connector").glob("*.yaml"))
    return tuple(_plug(load(file, ConnectorType), variation) for file in files)


def _nut(size: NutSize, variation: NutVariation) -> TouchCase:
    spline = size.spline
    nut = nut_part(size.name, size)
    # As the simulation computes a nut away from its pin.
    inertia = (SplineFitConfig().far_inertia,) * 3
    tilt, off = variation.grasp_tilt, variation.grasp_offset + variation.feeder_offset
    return TouchCase(
        name=size.name,
        part=RigPart(
            nut.shapes,
            size.mass,
            inertia,
            HeldShape(spline.nut_radius, spline.nut_length),
            2.0 * spline.nut_radius,
        ),
        pose_tool_part=size.pose_tool_nut,
        pad_friction=lambda friction: friction + PAD_FRICTION_ABOVE_STEEL,
        pad_spinning=_SPINNING,
        force=NutInsertionConfig().demands.grip_force,
        offset=(off, off),
        tilt=(tilt, tilt, 0.0),
        load=_NUT_LOAD,
        weight=_GRAVITY * size.mass,
        jitter=(0.8e-3, 0.8e-3, float(np.radians(2.0))),
    )


def _plug(kind: ConnectorType, variation: HvVariation) -> TouchCase:
    plug = plug_part(kind.name, kind)
    tilt = variation.grasp_tilt
    return TouchCase(
        name=kind.name,
        part=RigPart(
            plug.shapes,
            kind.mass,
            kind.inertia,
            HeldShape(RIB_RADIUS, RIB_LENGTH),
            2.0 * NECK[1],
        ),
        pose_tool_part=POSE_TOOL_PLUG,
        pad_friction=lambda friction: PAD_FRICTION + PAD_FRICTION_SHARE * friction,
        pad_spinning=0.0,
        force=HvPluggingConfig().demands.grip_force,
        offset=(variation.grasp_offset, variation.grasp_offset),
        tilt=(tilt, tilt, tilt),
        load=_PLUG_LOAD,
        weight=_GRAVITY * kind.mass,
        # Collars keep it from any other angle than it has.
        jitter=(0.8e-3, 0.0, 0.0),
    )


def _direction(rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return a unit vector of any direction. Shape (3,)."""
    vector = rng.normal(size=3)
    return vector / float(np.linalg.norm(vector))


_CASES: Mapping[str, Callable[[Variation], tuple[TouchCase, ...]]] = {
    NutInsertion.name: _nuts,
    HvPlugging.name: _plugs,
}
