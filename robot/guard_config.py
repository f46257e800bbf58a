"""How much the guard allows: its own numbers, and the limits of the joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robot.bounds import Bounds, check_bounds

# Beyond these a limit would be none: they are wider than any job or trial needs.
_BOUNDS = {
    "position_margin": Bounds(0.0, 0.5, "rad"),
    "lead_time": Bounds(0.0, 1.0, "s", above=True),
    "overrun": Bounds(0.0, 0.5, "rad"),
    "overspeed": Bounds(1.0, 3.0),
    "max_state_age": Bounds(0.0, 0.5, "s", above=True),
    "force_limit": Bounds(0.0, 1000.0, "N", above=True),
    "force_time": Bounds(0.0, 1.0, "s"),
    "force_peak": Bounds(0.0, 1000.0, "N", above=True),
    "base_tilt": Bounds(0.0, 1.5, "rad", above=True),
    "tool_speed": Bounds(0.0, 10.0, "m/s", above=True),
    "tool_period": Bounds(0.0, 0.1, "s", above=True),
}
# Farther than this from the origin no arm of a robot at the origin reaches, in m.
_FARTHEST = 10.0


@dataclass(frozen=True)
class GuardConfig:
    """How much is allowed.

    Attributes:
        position_margin: Commands stay this far inside each joint's position limits, in rad.
        lead_time: A commanded position may lie ahead of the measured one by what the joint's
            largest speed covers in this time, in s; it bounds the jump of a servo.
        overrun: A measured joint this far beyond its limits stops the robot, in rad.
        overspeed: A measured joint this many times faster than its limit stops the robot.
        max_state_age: A sample older than this stops the robot, in s.
        force_limit: Largest force at a wrist, in N, for longer than `force_time`. A job that needs
            less sets less.
        force_time: How long the force may be above `force_limit`, in s; time below it counts off.
        force_peak: Force at a wrist that stops the robot at once, in N. The default is what
            ISO/TS 15066 allows on a hand for a moment, twice of what it allows at rest.
        base_tilt: Angle between the base's and the world's z axes that counts as falling, in rad.
        workspace: Lower and upper corner of the box the tools must stay in, in the world, in m.
        tool_speed: Largest speed of a tool, in m/s.
        tool_period: How often the tools are looked at, in s; forward kinematics is the costly part,
            and a tool moves a few centimetres at most between two looks.
    """

    position_margin: float = 0.005
    lead_time: float = 0.25
    overrun: float = 0.05
    overspeed: float = 1.5
    max_state_age: float = 0.05
    force_limit: float = 120.0
    force_time: float = 0.1
    force_peak: float = 280.0
    base_tilt: float = 0.5
    workspace: tuple[tuple[float, float, float], tuple[float, float, float]] = (
        (-1.5, -1.5, -0.2),
        (1.5, 1.5, 2.5),
    )
    tool_speed: float = 2.0
    tool_period: float = 0.02

    def __post_init__(self) -> None:
        """Refuse limits that would limit nothing.

        Raises:
            ValueError: Names the limit, what it may be and what it is.
        """
        check_bounds(self, _BOUNDS)
        box = np.array(self.workspace, dtype=np.float64)
        if (
            box.shape != (2, 3)
            or not np.all(np.abs(box) <= _FARTHEST)
            or not np.all(box[0] < box[1])
        ):
            raise ValueError(
                "workspace: expected a lower and, above it in all three directions, an upper "
                f"corner within {_FARTHEST:g} m of the origin, got {self.workspace}"
            )
