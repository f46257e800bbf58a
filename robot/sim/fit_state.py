"""What the spline fit is told once, and what it remembers of each nut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from robot.arrays import Array
from robot.sim import fit_kernel as kernel
from robot.sim import fit_solver as solver

# Steps for which a free nut near the pin has to be pressed until it counts as gripped.
_GRIP_STEPS = 5
# Slower than this, in m/s and rad/s, is still.
_STILL = (1e-4, 2e-2)


@dataclass(frozen=True)
class SplineFitConfig:
    """How the contact is computed; the defaults are for steps of 1 ms.

    Attributes:
        stiffness: Of each touching point, in N/m.
        damping: Of each touching point, in N·s/m.
        shear: Tangential over normal stiffness of a friction bristle.
        held_mass: Of a nut between fingers near the pin, in kg.
        held_inertia: Its moment about every axis, in kg·m^2.
        held_stiffness: Of all touching points of a held nut together, in N/m.
        held_force: Sum of normal forces from other bodies above which a nut counts as held, in N.
        far_inertia: Moment about every axis of a nut away from the pin, in kg·m^2.
    """

    stiffness: float = 1e5
    damping: float = 100.0
    shear: float = 0.5
    held_mass: float = 0.5
    held_inertia: float = 5e-5
    held_stiffness: float = 8e5
    far_inertia: float = 2e-5
    held_force: float = 1.0


class Mode(IntEnum):
    """Who computes the contact of a nut with the fixture.

    FAR: nobody needs to; Bullet may. FIT: this element. LYING: Bullet, the nut is on its side.
    """

    FAR = 0
    FIT = 1
    LYING = 2


class NutState:
    """What the fit remembers of one nut."""

    def __init__(self, name: str, points: int) -> None:
        self.name = name
        self.body = -1
        # Mass, and moments across and along the axis: of the part, and as Bullet has them now.
        self.true_inertia = (0.0, 0.0, 0.0)
        self.inertia = (0.0, 0.0, 0.0)
        self.memory = np.zeros(kernel.MEMORY)
        self.bristles = np.zeros((points, 3))
        self.report = np.zeros(solver.REPORT)
        self.mode = Mode.FAR
        self.held = False
        self.sleep = 0
        self.calm = 0
        self.pressed = 0
        self.push = np.zeros(6)
        # Whether the last step was made in parts, and what Bullet's velocity lacks if it was.
        self.in_parts = False
        self.lacks = np.zeros(6)

    def arrays(self) -> tuple[Array, ...]:
        """Return what it remembers, but the bristles."""
        return self.memory, self.report, self.push, self.lacks

    def look_at(self, client: Any) -> None:
        """Read what mass and moments the body has, which are the part's own."""
        info = client.getDynamicsInfo(self.body, -1)
        self.inertia = self.true_inertia = (info[0], info[2][0], info[2][2])

    def give_inertia(self, client: Any, inertia: tuple[float, float, float]) -> None:
        """Give the body a mass, and moments across and along its axis."""
        if inertia == self.inertia:
            return
        self.inertia = inertia
        mass, across, axial = inertia
        # Two calls: setting the mass makes Bullet derive an inertia from the shape.
        client.changeDynamics(self.body, -1, mass=mass)
        client.changeDynamics(self.body, -1, localInertiaDiagonal=(across, across, axial))

    def is_gripped(self, force: float, threshold: float) -> bool:
        """Return whether what presses on it is a grip; to be asked once a step.

        Args:
            force: Sum of normal forces from other bodies than the fixture, in N.
            threshold: What makes a grip, in N.
        """
        # Half the threshold for letting go, so that a grip near it does not flicker.
        pressed = force > (0.5 if self.held else 1.0) * threshold
        # What hits a free nut is no grip yet: as heavy as a held one it would hit back much harder.
        self.pressed = self.pressed + 1 if pressed else 0
        return pressed and (self.held or self.mode != Mode.FIT or self.pressed >= _GRIP_STEPS)

    def hand_over(self, client: Any) -> None:
        """Give Bullet what its velocity lacks after a step that was made in parts."""
        linear, angular = client.getBaseVelocity(self.body)
        twist = self.lacks + np.array((*linear, *angular))
        client.resetBaseVelocity(self.body, twist[:3].tolist(), twist[3:].tolist())
        self.in_parts = False

    def forget(self) -> None:
        """Drop what belongs to an earlier contact."""
        self.memory[:] = 0.0
        self.bristles[:] = 0.0
        self.report[:] = 0.0
        self.push[:] = 0.0
        self.in_parts = False
        self.calm = self.pressed = 0


def is_still(linear: Sequence[float], angular: Sequence[float]) -> bool:
    """Return whether a velocity is next to nothing."""
    return max(map(abs, linear)) < _STILL[0] and max(map(abs, angular)) < _STILL[1]
