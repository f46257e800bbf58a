"""What a harness is made of, what harms it, and what its kernel computes with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from robot.arrays import Array
from robot.errors import ConfigError
from robot.sim import harness_rod as rod
from robot.spatial import Pose

# The substeps are symplectic Euler: stable while frequency times substep is below 2. Well below it
# the frequency of the grid's fastest wave is also about right.
_STEP_RATIO = 0.8
# Losses: of the fastest axial and bending waves a share of the critical damping, of slow bending
# this time, in s, where that is less: a cable loses about a tenth in each swing of some 5 Hz.
_GRID_LOSS = 0.4
_BEND_LOSS_TIME = 10e-3
_TWIST_LOSS_TIME = 10e-3
# Stiffness of a point against an obstacle, in N/m; damping as a share of the critical one of a
# node; friction bristle over normal stiffness.
_PUSH, _PUSH_LOSS, _SHEAR = 1e4, 0.5, 0.5
_LEAST_SEGMENTS = 6


@dataclass(frozen=True)
class HarnessConfig:
    """One shielded high-voltage cable; the defaults stand for 50 mm^2 of fine copper strands.

    The bending stiffness is an estimate, no datasheet states it. Below are 1600 strands of 0.2 mm
    that slip freely (1600 E pi d^4 / 64 = 0.014 N·m^2) and a jacket of 9 to 16 mm diameter
    (E of 10 to 100 MPa: 0.03 to 0.3 N·m^2); braid and friction between strands add to it, more at
    small curvature. Pure bending tests of such cables show open loops of moment over curvature,
    hence losses far above a solid's (link.springer.com/article/10.1007/s11044-023-09910-y); the rod
    is elastic and has viscous losses instead.

    The axial stiffness is far below a cable's: 30 N stretch 0.8 m by 5 mm. A stiffer one needs
    more substeps and is not told apart by anything that holds the plug.

    Attributes:
        length: From the clip to where it leaves the plug, in m.
        outer_diameter: In m.
        mass_per_length: In kg/m.
        bending_stiffness: EI, in N·m^2.
        torsion_stiffness: GJ, in N·m^2.
        axial_stiffness: EA, in N.
        damping: Rate at which motion dies out, in 1/s: the drag of a cable's piece over its
            momentum. It stands for the losses inside.
        friction: Coulomb's coefficient against obstacles and floor.
        twist: How far the plug's end is turned about the cable against the clip's when it is
            reset, in rad, positive about the way from clip to plug.
        lean: How far to the side it is held before it is let fall at a reset, in handles of the
            first guess; positive to the left, seen from the clip. It decides to which side a cable
            falls that could fall to either.
        segments: Pieces of equal length.
        substeps: Steps of the rod in one physics step.
        bend_radius_min: Bent more narrowly, it suffers harm, in m; `None` for the larger of 60 mm
            and four diameters.
        tug_limit: Force at the plug above which it suffers harm, in N.
    """

    length: float = 0.8
    outer_diameter: float = 16e-3
    mass_per_length: float = 0.5
    bending_stiffness: float = 0.15
    torsion_stiffness: float = 0.1
    axial_stiffness: float = 5e3
    damping: float = 10.0
    friction: float = 0.3
    twist: float = 0.0
    lean: float = 0.15
    segments: int = 16
    substeps: int = 16
    bend_radius_min: float | None = None
    tug_limit: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what is no cable.

        Raises:
            ConfigError: If a value is not finite or out of range.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not math.isfinite(value):
                raise ConfigError(f"harness.{field.name}: expected a finite number, got {value}")
        for name in (
            "length", "outer_diameter", "mass_per_length", "bending_stiffness",
            "torsion_stiffness", "axial_stiffness", "tug_limit",
        ):  # fmt: skip
            if getattr(self, name) <= 0.0:
                raise ConfigError(
                    f"harness.{name}: expected more than 0, got {getattr(self, name)}"
                )
        for name in ("damping", "friction"):
            if getattr(self, name) < 0.0:
                raise ConfigError(f"harness.{name}: expected at least 0, got {getattr(self, name)}")
        if self.segments < _LEAST_SEGMENTS or self.segments != int(self.segments):
            raise ConfigError(
                f"harness.segments: expected a whole number of at least {_LEAST_SEGMENTS}, "
                f"got {self.segments}"
            )
        if self.substeps < 1 or self.substeps != int(self.substeps):
            raise ConfigError(
                f"harness.substeps: expected a whole number of at least 1, got {self.substeps}"
            )
        if self.bend_limit < 0.5 * self.outer_diameter:
            raise ConfigError(
                f"harness.bend_radius_min: expected at least the cable's own radius "
                f"{0.5 * self.outer_diameter:.4g} m, got {self.bend_radius_min}"
            )

    @property
    def bend_limit(self) -> float:
        """Bend radius below which the cable suffers harm, in m."""
        if self.bend_radius_min is not None:
            return self.bend_radius_min
        return max(60e-3, 4.0 * self.outer_diameter)

    @property
    def piece(self) -> float:
        """Length of a segment, in m."""
        return self.length / self.segments

    @property
    def stretch_rate(self) -> float:
        """Angular frequency of the grid's fastest axial wave, in rad/s."""
        return 2.0 * math.sqrt(self.axial_stiffness / self.mass_per_length) / self.piece

    @property
    def bend_rate(self) -> float:
        """Angular frequency of the grid's fastest bending wave, in rad/s."""
        return 4.0 * math.sqrt(self.bending_stiffness / self.mass_per_length) / self.piece**2

    @property
    def fastest_rate(self) -> float:
        """Angular frequency of the grid's fastest wave, in rad/s."""
        return max(self.stretch_rate, self.bend_rate)

    @property
    def longest_substep(self) -> float:
        """Substep with which the grid is stable, in s."""
        return _STEP_RATIO / self.fastest_rate

    def require_stable(self, physics_dt: float) -> None:
        """Refuse a grid that the substeps cannot follow.

        Args:
            physics_dt: The physics period, in s.

        Raises:
            ConfigError: With the number of substeps that would do.
        """
        needed = math.ceil(physics_dt / self.longest_substep)
        if self.substeps < needed:
            raise ConfigError(
                f"harness.substeps: expected at least {needed} for a physics step of "
                f"{physics_dt:.4g} s, got {self.substeps}: {self.segments} segments of "
                f"{self.piece * 1e3:.1f} mm vibrate at up to {self.fastest_rate:.0f} rad/s; "
                "give more substeps, fewer segments or a lower stiffness"
            )


@dataclass(frozen=True)
class HarnessHarm:
    """What a harness suffered since it was reset.

    Attributes:
        over_bent: How often it was bent too narrowly for more than 20 ms.
        over_tugged: How often the force at the plug was too large for more than 20 ms.
        bent_time: For how long the bend limit was exceeded in all, in s.
        tugged_time: Likewise the tug limit.
    """

    over_bent: int
    over_tugged: int
    bent_time: float
    tugged_time: float


def fill_parameters(
    p: Array,
    config: HarnessConfig,
    pose_world_clip: Pose,
    pose_body_cable: Pose,
    mass: float,
    inertia: Sequence[float],
    gravity: Array,
) -> None:
    """Write what the kernel computes with, except for the height of the floor.

    Args:
        p: Receives it, in the layout of `harness_rod`. Shape (PARAMETERS,).
        config: What the cable is made of.
        pose_world_clip: Where it leaves the clip.
        pose_body_cable: Where it leaves the plug, in the plug's frame.
        mass: Of the plug, in kg; zero if it does not move by itself.
        inertia: Its moments about its frame's axes, in kg·m^2. Three numbers.
        gravity: In m/s^2. Shape (3,).
    """
    c, node = config, config.mass_per_length * config.piece
    # The axial springs are one fewer than the pieces.
    stretch = c.axial_stiffness / c.piece * (c.segments - 1) / c.segments
    p[rod.STRETCH] = stretch
    p[rod.STRETCH_LOSS] = 2.0 * _GRID_LOSS * stretch / c.stretch_rate
    p[rod.BEND] = 4.0 * c.bending_stiffness / c.piece
    p[rod.BEND_LOSS] = min(_BEND_LOSS_TIME, _GRID_LOSS / (c.bend_rate**2 * c.longest_substep))
    p[rod.TWIST], p[rod.TWIST_LOSS] = c.torsion_stiffness / c.length, _TWIST_LOSS_TIME
    p[rod.PIECE], p[rod.NODE_MASS], p[rod.DRAG] = c.piece, node, c.damping
    p[rod.RADIUS] = 0.5 * c.outer_diameter
    p[rod.PUSH], p[rod.PUSH_LOSS] = _PUSH, 2.0 * _PUSH_LOSS * math.sqrt(_PUSH * node)
    p[rod.SHEAR], p[rod.FRICTION] = _SHEAR * _PUSH, c.friction
    p[rod.BEND_LIMIT], p[rod.TUG_LIMIT] = c.bend_limit, c.tug_limit
    p[rod.INVERSE_MASS] = 1.0 / mass if mass > 0.0 else 0.0
    p[rod.INVERSE_INERTIA] = [1.0 / moment if mass > 0.0 else 0.0 for moment in inertia]
    p[rod.GRAVITY] = gravity
    clip, cable = pose_world_clip.rotation, pose_body_cable.rotation
    p[rod.CLIP_TANGENT], p[rod.CLIP_AXIS] = clip[:, 2], clip[:, 0]
    p[rod.END], p[rod.END_TANGENT] = pose_body_cable.position, cable[:, 2]
    p[rod.END_AXIS] = cable[:, 0]
