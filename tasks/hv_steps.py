"""What the plan of one plug is made of: its phases with and without the plug, and their poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from robot.mating import Engagement
from robot.spatial import Pose
from tasks.hv_plan_config import HvPlanConfig
from tasks.hv_station import tool_in
from tasks.parts.hv_connector import (
    COLLAR_RIM,
    NECK,
    POSE_TOOL_PLUG,
    REAR_RIM,
    ConnectorType,
)
from tasks.phases import Motion, Phase

# How far behind the place before its dock a plug is carried past others in their docks, in m.
_BEHIND = 0.05


@dataclass(frozen=True, eq=False)
class PortPlan:
    """What the plan of one plug rests on.

    Attributes:
        arm: Which arm.
        slot: Name of its dock, signals and operations.
        kind: Its type.
        pose_world_header: Believed.
        pose_world_dock: Believed.
    """

    arm: str
    slot: str
    kind: ConnectorType
    pose_world_header: Pose
    pose_world_dock: Pose


class Steps:
    """Phases of one piece of work on one plug, and the tool poses they are made of."""

    def __init__(
        self, port: PortPlan, config: HvPlanConfig, operation: str, requires: str = ""
    ) -> None:
        self._port = port
        self._open = config.open_m
        self._operation = operation
        self._requires = requires
        self.free = {"speed_m_s": config.carry_speed_m_s}
        self.near = {"speed_m_s": config.near_speed_m_s}
        # Fingers close only once the hand rests: one that still swings closes on a collar. What is
        # weighed must not swing either.
        self.to_rest = {**self.near, "still_m_s": config.still_m_s}
        self.past = {**self.near, "via": 1.0}
        self.freely_past = {**self.free, "via": 1.0}
        self.width = {
            "yield_s": config.yield_s,
            "width_mm": 2e3 * NECK[1],
            "front_mm": 2e3 * (NECK[1] + COLLAR_RIM),
            "rear_mm": 2e3 * (NECK[1] + REAR_RIM),
        }

    def in_header(self, engagement: Engagement) -> Pose:
        """Return the tool pose in which the plug is so far in its header, world."""
        port = self._port
        return tool_in(port.pose_world_header, port.kind.pose_header_plug(engagement))

    def at_mouth(self) -> Pose:
        """Return the tool pose in which the nose's tip is level with the header's mouth."""
        port = self._port
        return tool_in(port.pose_world_header, Pose.translation((0.0, 0.0, -port.kind.tip)))

    def docked(self) -> Pose:
        """Return the tool pose in which the plug is home in its dock, world."""
        return tool_in(self._port.pose_world_dock, self._port.kind.pose_dock_plug)

    def around(
        self, inner: Sequence[PortPlan], pose_world_dock: Pose, pose_world_header: Pose
    ) -> tuple[Phase, ...]:
        """Return the steps around plugs that were put back: beside the header, behind the docks.

        Args:
            inner: Plugs that may have been.
            pose_world_dock: Tool pose before the dock.
            pose_world_header: Tool pose before the header.
        """
        ahead = pose_world_dock.rotation[:, 2]
        way = ahead @ (pose_world_dock.position - pose_world_header.position) - _BEHIND
        beside = Pose(pose_world_header.position + way * ahead, pose_world_dock.quaternion)
        return tuple(
            replace(
                self.held("around", Motion.MOVE, beside, self.freely_past),
                given_up=f"plug {other.slot}",
            )
            for other in inner
        )

    def empty(
        self, name: str, motion: Motion, pose: Pose, limits: dict[str, float], place: str = ""
    ) -> Phase:
        """Return a phase with an open hand; arguments as of `Phase`."""
        return Phase(
            self._port.arm, name, motion, pose, self._open, limits=limits,
            operation=self._operation, place=place, requires=self._requires,
        )  # fmt: skip

    def held(
        self,
        name: str,
        motion: Motion,
        pose: Pose,
        limits: dict[str, float],
        place: str = "",
        signal: str | None = None,
        *,
        heavy: bool = False,
    ) -> Phase:
        """Return a phase with the plug in the hand; arguments as of `Phase`."""
        return Phase(
            self._port.arm, name, motion, pose, 0.0, POSE_TOOL_PLUG, signal, limits,
            self._operation, heavy, place, self._requires,
        )  # fmt: skip
