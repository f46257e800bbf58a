"""The nominal plan of an inspection: look, then feel every plug of the pack, each with one hand.

A closed hand goes ahead until its fingertips meet the rear of the plug: nothing is there if it is
missing. The open hand then takes the plug by its neck, which tells how it lies. If its lock is in,
the hand pulls. If not, it lets go and goes on, the plug between its fingers, until they meet the
header's flange: the way from rear to flange says how far in the plug is, however far the pack is
from where it is believed to be. A plug that is home is then pulled, too; one that is not is not
pulled out any further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from robot.mating import Engagement
from robot.spatial import Pose
from tasks.hv_station import tool_in
from tasks.hv_steps import PortPlan
from tasks.parts.hv_connector import (
    COLLAR_RIM,
    COLLAR_THICKNESS,
    NECK,
    POSE_TOOL_PLUG,
    REAR_RIM,
    ConnectorType,
)
from tasks.phases import Motion, Phase
from tasks.places import back

REAR = NECK[2] + COLLAR_THICKNESS
"""From the face of a plug's rear collar to the plug's origin, in m."""


@dataclass(frozen=True)
class HvInspectionPlanConfig:
    """How the plan goes about it.

    Attributes:
        open_m: Opening of an empty hand about a plug: wider than its nose, so that the fingertips
            meet the flange and not the plug, in m.
        fingertip_m: From the tool's origin to the ends of the fingers, in m.
        margin_m: By how much a header may be elsewhere along its axis than believed, in m.
        clear_m: How far before where anything may be felt a straight approach begins, in m.
        carry_speed_m_s: Speed of free motions.
        near_speed_m_s: Speed of straight approaches and retreats.
        contact_speed_m_s: Speed at which plug and flange are felt for.
        contact_force_n: Axial force that counts as contact. What is felt for is pushed with little
            more, and less than what slides a lock in.
        pull_force_n: Of the pull test; less than what slides a lock out.
        play_mm: Plugs that are held follow a pull by no more than this, as far as arms can tell.
        bend_share: A cable that seems bent to less than this share of what is allowed is reported.
    """

    open_m: float = 0.050
    fingertip_m: float = 0.007
    margin_m: float = 0.010
    clear_m: float = 0.040
    carry_speed_m_s: float = 0.40
    near_speed_m_s: float = 0.25
    contact_speed_m_s: float = 0.03
    contact_force_n: float = 3.0
    pull_force_n: float = 12.0
    play_mm: float = 1.5
    bend_share: float = 1.25

    def __post_init__(self) -> None:
        """Refuse hands that do not fit about a plug, and forces that are none."""
        collars = 2.0 * (NECK[1] + COLLAR_RIM)
        if not collars < self.open_m <= 0.05:
            raise ValueError(
                f"open_m: expected more than the collars' {collars:.3f} m and at most the hand's "
                f"0.050 m, got {self.open_m}"
            )
        for name in ("contact_force_n", "pull_force_n"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected more than 0 N, got {getattr(self, name)}")

    def refuse_moved_locks(self, connectors: Mapping[str, ConnectorType]) -> None:
        """Refuse forces that would move a lock of any of the connectors.

        Raises:
            ValueError: Names force and connector.
        """
        for name, kind in connectors.items():
            pushed, pulled = kind.mating.lock_force, kind.mating.unlock_force
            for force, moves in (("contact_force_n", pushed), ("pull_force_n", pulled)):
                if not getattr(self, force) < moves:
                    raise ValueError(
                        f"inspection.{force}: expected less than the {moves:g} N that move the "
                        f"lock of connector '{name}', got {getattr(self, force)}"
                    )


@dataclass(frozen=True, eq=False)
class InspectedPort:
    """One connection to inspect.

    Attributes:
        port: Where it is, and of which type.
        place: Pack and port, as reports name it.
        bend_limit: The narrowest bend of its cable that does no harm, in m.
    """

    port: PortPlan
    place: str
    bend_limit: float


def inspection_plan(
    arm: str,
    ports: Sequence[InspectedPort],
    pose_world_home: Pose,
    config: HvInspectionPlanConfig,
) -> tuple[Phase, ...]:
    """Return the steps of one arm.

    Args:
        arm: Which arm.
        ports: Its connections in order.
        pose_world_home: Tool pose in which the hand waits between packs, out of the camera's way.
        config: Speeds, forces, distances.
    """
    free = {"speed_m_s": config.carry_speed_m_s}
    look = Phase(arm, "look", Motion.LOOK, pose_world_home, config.open_m)
    steps = [phase for port in ports for phase in _port_plan(port, config)]
    retreat = Phase(arm, "retreat", Motion.MOVE, pose_world_home, config.open_m, limits=free)
    return (look, *steps, retreat)


def _port_plan(inspected: InspectedPort, config: HvInspectionPlanConfig) -> tuple[Phase, ...]:
    port, place = inspected.port, inspected.place
    kind, mating = port.kind, port.kind.mating
    locked = tool_in(port.pose_world_header, kind.pose_header_plug(Engagement.LOCKED))
    # From a tool that holds the plug to one whose fingertips are at the plug's rear.
    at_rear = REAR + config.fingertip_m
    farthest = back(locked, at_rear + mating.full_depth + config.margin_m)
    far = back(farthest, config.clear_m)
    flange = tool_in(port.pose_world_header, Pose.translation((0.0, 0.0, -config.fingertip_m)))
    free, near = {"speed_m_s": config.carry_speed_m_s}, {"speed_m_s": config.near_speed_m_s}
    feeling = {
        "speed_m_s": config.contact_speed_m_s,
        "force_n": config.contact_force_n,
        "past_mm": 1e3 * config.margin_m,
    }
    measuring = {
        # From rear to flange if the tip of the nose is just in the mouth.
        "length_mm": 1e3 * (kind.tip + REAR),
        "stroke_mm": 1e3 * mating.stroke,
        "key_mm": 1e3 * mating.key_depth,
        "bend_mm": 1e3 * config.bend_share * inspected.bend_limit,
    }
    width = {
        "width_mm": 2e3 * NECK[1],
        "front_mm": 2e3 * (NECK[1] + COLLAR_RIM),
        "rear_mm": 2e3 * (NECK[1] + REAR_RIM),
    }
    pulling = {"force_n": config.pull_force_n, "play_mm": config.play_mm}

    def step(
        name: str, motion: Motion, pose: Pose, opening: float, limits: dict[str, float]
    ) -> Phase:
        return Phase(
            port.arm, name, motion, pose, opening,
            POSE_TOOL_PLUG if name in ("grasp", "pull_test") else None,
            f"lock_in_{port.slot}", limits, f"inspect {port.slot}", False, place,
        )  # fmt: skip

    opened = config.open_m
    return (
        step("reach", Motion.MOVE, far, 0.0, free),
        step("come_near", Motion.MOVE, farthest, 0.0, near),
        step("probe", Motion.CONTACT, back(locked, at_rear), 0.0, feeling | measuring),
        step("back_off", Motion.MOVE, back(locked, at_rear + 0.012), opened, near),
        step("open", Motion.RELEASE, back(locked, at_rear + 0.012), opened, {}),
        step("enter", Motion.MOVE, locked, opened, near),
        step("grasp", Motion.GRASP, locked, 0.0, width),
        step("pull_test", Motion.PULL, locked, 0.0, pulling),
        step("release", Motion.RELEASE, locked, opened, measuring),
        step("gauge", Motion.CONTACT, flange, opened, feeling | measuring),
        step("leave", Motion.MOVE, far, opened, near),
    )
