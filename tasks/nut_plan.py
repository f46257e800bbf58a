"""The nominal plan of the nut insertion, for one arm: from an empty hand to a seated nut."""

from __future__ import annotations

from dataclasses import dataclass

from robot.spatial import Pose
from tasks.phases import Motion, Phase
from tasks.places import back


@dataclass(frozen=True)
class PlanConfig:
    """How the plan goes about it.

    Attributes:
        open_m: Opening of an empty hand that reaches for a nut, in m.
        approach_m: How far before the nest and the pin a straight approach begins, in m.
        standoff_m: How far before the tip the hand slows down to feel for it, in m.
        carry_speed_m_s: Speed of free motions.
        near_speed_m_s: Speed of straight approaches and retreats.
        contact_speed_m_s: Speed at which the tip is felt for.
        contact_force_n: Axial force that counts as contact.
        search_force_n: Axial push while searching sideways.
        search_radius_mm: How far sideways the pin is searched for.
        search_pitch_mm: Distance between two turns of the spiral.
        align_force_n: Axial push while turning.
        align_angle_deg: How far to either side the nut is turned: half a tooth and a margin.
        insert_force_n: Largest axial push on the way home.
        entered_mm: Closer to home than this, the teeth have meshed: no error of belief is as large.
    """

    open_m: float = 0.026
    approach_m: float = 0.05
    standoff_m: float = 0.004
    carry_speed_m_s: float = 0.40
    near_speed_m_s: float = 0.15
    contact_speed_m_s: float = 0.03
    contact_force_n: float = 2.0
    search_force_n: float = 3.0
    search_radius_mm: float = 6.0
    search_pitch_mm: float = 1.0
    align_force_n: float = 6.0
    align_angle_deg: float = 36.0
    insert_force_n: float = 14.0
    entered_mm: float = 3.0


def nut_plan(
    arm: str,
    pose_world_pick: Pose,
    pose_world_tip: Pose,
    pose_world_seat: Pose,
    pose_world_home: Pose,
    pose_tool_nut: Pose,
    diameter: float,
    config: PlanConfig,
) -> tuple[Phase, ...]:
    """Return the steps of one arm.

    Args:
        arm: Which arm.
        pose_world_pick: Tool pose in which the hand closes on the nut in its nest.
        pose_world_tip: Tool pose in which the held nut's face is level with the pin's tip.
        pose_world_seat: Tool pose in which the held nut is seated.
        pose_world_home: Tool pose in which the hand waits, clear of everything.
        pose_tool_nut: The nut in the hand, grasped as planned.
        diameter: Outer diameter of the nut, in m.
        config: Speeds, forces, distances.
    """
    free = {"speed_m_s": config.carry_speed_m_s}
    near = {"speed_m_s": config.near_speed_m_s}
    far_pick = back(pose_world_pick, config.approach_m)
    far_tip = back(pose_world_tip, config.approach_m)
    touch = back(pose_world_tip, config.standoff_m)

    def empty(
        name: str, motion: Motion, pose: Pose, limits: dict[str, float], signal: str | None = None
    ) -> Phase:
        return Phase(arm, name, motion, pose, config.open_m, None, signal, limits)

    def held(
        name: str, motion: Motion, pose: Pose, limits: dict[str, float], signal: str | None = None
    ) -> Phase:
        return Phase(arm, name, motion, pose, 0.0, pose_tool_nut, signal, limits)

    travel = pose_world_seat.position - pose_world_tip.position
    depth_mm = 1e3 * float((travel @ travel) ** 0.5)
    return (
        empty("reach", Motion.MOVE, far_pick, free),
        empty("await_feeder", Motion.AWAIT, far_pick, {}, f"feeder_{arm}_ready"),
        empty("enter_nest", Motion.MOVE, pose_world_pick, near),
        held("grasp", Motion.GRASP, pose_world_pick, {"width_mm": 1e3 * diameter}),
        held("withdraw", Motion.MOVE, far_pick, near),
        held("carry", Motion.MOVE, far_tip, free),
        held("approach", Motion.MOVE, touch, near),
        held(
            "touch",
            Motion.CONTACT,
            pose_world_seat,
            {"speed_m_s": config.contact_speed_m_s, "force_n": config.contact_force_n},
        ),
        held(
            "search",
            Motion.SEARCH,
            pose_world_seat,
            {
                "force_n": config.search_force_n,
                "radius_mm": config.search_radius_mm,
                "pitch_mm": config.search_pitch_mm,
                "entered_mm": config.entered_mm,
            },
        ),
        held(
            "align",
            Motion.ALIGN,
            pose_world_seat,
            {
                "force_n": config.align_force_n,
                "angle_deg": config.align_angle_deg,
                "entered_mm": config.entered_mm,
            },
        ),
        held(
            "insert",
            Motion.INSERT,
            pose_world_seat,
            {"force_n": config.insert_force_n, "depth_mm": depth_mm},
        ),
        held(
            "verify",
            Motion.VERIFY,
            pose_world_seat,
            {"force_n": config.insert_force_n},
            f"seated_{arm}",
        ),
        empty("release", Motion.RELEASE, pose_world_seat, {}),
        empty("leave", Motion.MOVE, far_tip, near),
        empty("retreat", Motion.MOVE, pose_world_home, free),
    )
