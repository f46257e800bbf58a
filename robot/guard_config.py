"""How much the guard allows."""

from __future__ import annotations

from dataclasses import dataclass


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
        force_time: How long the force may be above `force_limit`, in s.
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
