"""One arm of the whole-body controller: its reference, its impedance, what its wrist feels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array
from robot.configuration import Configuration
from robot.control.impedance import ImpedanceConfig, ToolImpedance
from robot.control.kernels import compiled, rotated_rows
from robot.control.reference import ReferenceConfig, ToolReference
from robot.sensor import Reading, WrenchReading
from robot.state import ToolTarget


@dataclass(frozen=True)
class ToolConfig:
    """How the tools are moved.

    Attributes:
        reference: From targets to references.
        impedance: How a tool gives way.
        position_weight: Of the three accelerations of a tool.
        orientation_weight: Of its three angular accelerations.
        wrench_cutoff_hz: Cut-off of the felt wrench, in Hz.
        wrench_knees: Force in N and torque in N·m of which half is believed; of much less, nothing,
            so that what is left of a sensor's bias after taring does not push the hand aside.
    """

    reference: ReferenceConfig = field(default_factory=ReferenceConfig)
    impedance: ImpedanceConfig = field(default_factory=ImpedanceConfig)
    position_weight: float = 5.0
    orientation_weight: float = 1.0
    wrench_cutoff_hz: float = 20.0
    wrench_knees: tuple[float, float] = (0.5, 0.03)


class Arm:
    """What the controller remembers of one arm.

    Attributes:
        name: Of the arm.
        frame: Its tool frame.
        joints: Which joints belong to it alone. Shape (n,), boolean.
        active: Whether it has a target; its posture is held otherwise.
        reference: Where the tool should be now.
        impedance: How it is drawn there.
        wrench_tool: What the environment exerts on the tool, filtered, along tool axes, in N and
            N·m. Shape (6,).
    """

    def __init__(
        self, name: str, frame: str, joints: NDArray[np.bool_], config: ToolConfig
    ) -> None:
        """Start without a target; `reset` before use.

        Args:
            name: Of the arm.
            frame: Its tool frame.
            joints: Which joints belong to it alone. Shape (n,), boolean.
            config: Of all tools.
        """
        self.name = name
        self.frame = frame
        self.joints = joints
        self.active = False
        self.reference = ToolReference(config.reference)
        self.impedance = ToolImpedance(config.impedance)
        self.wrench_tool = np.zeros(6)
        self._columns = np.flatnonzero(joints)
        self._cutoff = 2.0 * math.pi * config.wrench_cutoff_hz
        self._period = config.impedance.design_period
        self._weight = np.repeat([config.position_weight, config.orientation_weight], 3)
        self._age = math.inf
        self._felt = np.zeros(6)
        self._knees = config.wrench_knees

    def reset(self, reading: Reading | None) -> None:
        """Forget target and design, and take the felt wrench as it is.

        Args:
            reading: Of the wrist's force-torque sensor; None if there is none.
        """
        self.active = False
        self._age = math.inf
        self._felt[:] = reading.wrench_tool if isinstance(reading, WrenchReading) else 0.0
        _feel(self._felt, self._felt, 1.0, self._knees, self.wrench_tool)

    def feel(self, reading: Reading | None, dt: float) -> None:
        """Take in what the wrist feels, low-passed.

        Args:
            reading: Of the wrist's force-torque sensor; None if there is none.
            dt: Time since the last call, in s.
        """
        if isinstance(reading, WrenchReading):
            share = 1.0 - math.exp(-self._cutoff * dt)
            _feel(self._felt, reading.wrench_tool, share, self._knees, self.wrench_tool)

    def weight(self, share: float) -> Array:
        """Return the weights of the six rows, of which a yielding tool keeps a share."""
        return share * self._weight

    def acceleration(
        self,
        target: ToolTarget,
        configuration: Configuration,
        position_world_tool: Array,
        rotation_world_tool: Array,
        jacobian: Array,
        dt: float,
    ) -> Array:
        """Return the acceleration the tool should have, along world axes. Shape (6,).

        Args:
            target: What the tool should do.
            configuration: The robot now.
            position_world_tool: Where the tool is, in m. Shape (3,).
            rotation_world_tool: From the tool's axes to the world's. Shape (3, 3).
            jacobian: Of the tool, along world axes. Shape (6, nv).
            dt: In s.
        """
        if not self.active:
            self.reference.reset(configuration.pose_world(self.frame))
            self.active = True
            self._age = math.inf
        self.reference.advance(target.pose_world_tool, dt)
        self._age += dt
        if self._age >= self._period:
            self._age = 0.0
            columns = self._columns + (jacobian.shape[1] - len(self.joints))
            inertia = configuration.mass_matrix()
            self.impedance.design(
                rotated_rows(rotation_world_tool, jacobian[:, columns]),
                inertia[columns[:, None], columns],
                target.stiffness,
                rotation_world_tool.T @ target.wrench_world_tool[:3],
            )
        return self.impedance.acceleration(
            self.reference,
            position_world_tool,
            rotation_world_tool,
            jacobian @ configuration.velocity,
            target.stiffness,
            target.wrench_world_tool,
            self.wrench_tool,
        )


@compiled
def _feel(
    felt: Array, wrench: Array, share: float, knees: tuple[float, float], trusted: Array
) -> None:
    """Low-pass a felt wrench, and trust what is well above the sensor's bias.

    Trusted is w |w|^2 / (|w|^2 + knee^2), for force and torque by themselves.

    Args:
        felt: Low-passed; changed in place. Shape (6,).
        wrench: As measured. Shape (6,).
        share: Of the way from `felt` to `wrench`.
        knees: In N and N·m.
        trusted: Filled. Shape (6,).
    """
    for half in range(2):
        square = 0.0
        for i in range(3 * half, 3 * half + 3):
            felt[i] += share * (wrench[i] - felt[i])
            square += felt[i] * felt[i]
        trust = square / (square + knees[half] * knees[half])
        for i in range(3 * half, 3 * half + 3):
            trusted[i] = trust * felt[i]
