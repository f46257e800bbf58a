"""The nominal plan as data: what each arm does in which order, where, and how carefully."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from robot.spatial import Pose


class Motion(Enum):
    """What kind of motion a phase is; a policy knows how to do each kind, a task picks them."""

    MOVE = "move"
    """Go to the pose, freely."""

    GRASP = "grasp"
    """Close the fingers and check by opening and touch that the part is held."""

    ZERO = "zero"
    """Hold still and take what the wrist feels now, the weight of a part, for nothing."""

    LOOK = "look"
    """Hold still and out of the way while the cameras take a picture."""

    CONTACT = "contact"
    """Advance along the tool's z axis until something is felt."""

    SEARCH = "search"
    """Keep a light push and spiral sideways until the tip drops into place."""

    ALIGN = "align"
    """Keep a light push and turn about the tool's z axis until teeth mesh."""

    INSERT = "insert"
    """Push home with a force limit."""

    VERIFY = "verify"
    """Check by depth, force and process signal that the part is home."""

    MATE = "mate"
    """Push along a mating-force profile until it clicks, and feel what stops short of it."""

    PULL = "pull"
    """Pull back with a given force and check that the part does not follow."""

    LOCK = "lock"
    """Push a part that is home until its lock slides in."""

    UNLOCK = "unlock"
    """Pull until the lock slides out, and wait there."""

    EXTRACT = "extract"
    """Pull until the part comes free, and back out straight."""

    RELEASE = "release"
    """Open the fingers."""

    AWAIT = "await"
    """Wait for a process signal."""


@dataclass(frozen=True, eq=False)
class Phase:
    """One step of one arm's plan.

    Attributes:
        arm: Which arm.
        name: What the step is called in records, e.g. `approach_pin`.
        motion: Which kind of motion it is.
        pose_world_tool: Where the tool should be at its end, from believed poses.
        gripper_opening: Distance between the fingers during it, in m.
        pose_tool_part: Where the held part is in the tool if it was grasped as planned; None while
            the hand is empty. A policy that feels the part elsewhere moves the tool accordingly.
        signal: The process signal waited for or checked, or None.
        limits: What bounds the motion, named with units, e.g. `speed_m_s`, `force_n`,
            `radius_mm`, `angle_deg`, `time_s`.
        operation: The piece of work it belongs to; what fails is tried again inside it.
        heavy: It pushes or pulls so hard that the other arm must not do so at the same time.
        place: Where it happens, by name; what is found out of a place holds for every later phase
            there. Empty if nothing is to be learned there.
        requires: The piece of work that must have been done for this one to make sense, or empty.
        given_up: The piece of work that must have been given up for this step to make sense, or
            empty.
    """

    arm: str
    name: str
    motion: Motion
    pose_world_tool: Pose
    gripper_opening: float
    pose_tool_part: Pose | None = None
    signal: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    operation: str = ""
    heavy: bool = False
    place: str = ""
    requires: str = ""
    given_up: str = ""
