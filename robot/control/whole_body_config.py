"""All numbers of the whole-body controller, by what they are about."""

from __future__ import annotations

from dataclasses import dataclass, field

from robot.control.arm import ToolConfig
from robot.control.balance import BalanceConfig
from robot.control.constraints import LimitConfig
from robot.control.friction import FrictionConfig
from robot.control.objectives import PostureConfig
from robot.control.qp import SolverConfig
from robot.control.self_collision import SelfCollisionConfig
from robot.control.soles import ContactConfig


@dataclass(frozen=True)
class ServoConfig:
    """What the joint servos add to the efforts of the program.

    Attributes:
        damping: About the velocity the program expects, in N·m·s/rad.
        hold_stiffness: While a tick has no solution, in N·m/rad.
        hold_damping: While a tick has no solution, in N·m·s/rad.
    """

    damping: float = 0.0
    hold_stiffness: float = 200.0
    hold_damping: float = 10.0


@dataclass(frozen=True)
class WholeBodyConfig:
    """All numbers of the controller, by what they are about.

    Attributes:
        tools: How the tools are moved.
        balance: Centre of mass and torso.
        posture: What the joints do otherwise.
        contact: The feet.
        limits: Efforts, positions, velocities.
        self_collision: How parts of the robot are kept apart.
        friction: How unknown torques of the arms are found.
        servo: What the servos add.
        solver: When the program counts as solved.
    """

    tools: ToolConfig = field(default_factory=ToolConfig)
    balance: BalanceConfig = field(default_factory=BalanceConfig)
    posture: PostureConfig = field(default_factory=PostureConfig)
    contact: ContactConfig = field(default_factory=ContactConfig)
    limits: LimitConfig = field(default_factory=LimitConfig)
    self_collision: SelfCollisionConfig = field(default_factory=SelfCollisionConfig)
    friction: FrictionConfig = field(default_factory=FrictionConfig)
    servo: ServoConfig = field(default_factory=ServoConfig)
    solver: SolverConfig = field(default_factory=SolverConfig)
