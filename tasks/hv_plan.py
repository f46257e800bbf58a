"""The nominal plan of high-voltage plugging: plug, keep clear, unplug in reverse."""

from __future__ import annotations

from collections.abc import Sequence

from robot.mating import Engagement
from robot.spatial import Pose
from tasks.hv_plan_config import HvPlanConfig
from tasks.hv_steps import PortPlan, Steps
from tasks.phases import Motion, Phase
from tasks.places import back

# By how much a header may be elsewhere along its axis than believed, with what the hand adds, in m.
_BELIEF = 8e-3


def arm_plan(
    arm: str,
    ports: Sequence[PortPlan],
    pose_world_clear: Pose,
    pose_world_home: Pose,
    allowed: str,
    config: HvPlanConfig,
) -> tuple[Phase, ...]:
    """Return the steps of one arm.

    Args:
        arm: Which arm.
        ports: Its plugs in order; without any it keeps clear.
        pose_world_clear: Tool pose out of the pack's zone.
        pose_world_home: Tool pose in which the hand waits between packs.
        allowed: Signal that says that plugs may, and should, be taken off again.
        config: Speeds, forces, distances.
    """
    free = {"speed_m_s": config.carry_speed_m_s}
    plan: list[Phase] = []
    for number, port in enumerate(ports):
        plan += plug_plan(port, config, ports[:number])
    plan.append(Phase(arm, "clear", Motion.MOVE, pose_world_clear, config.open_m, limits=free))
    plan.append(
        Phase(arm, "await_test", Motion.AWAIT, pose_world_clear, config.open_m, None, allowed)
    )
    for number, port in reversed(list(enumerate(ports))):
        plan += unplug_plan(port, config, ports[:number])
    plan.append(Phase(arm, "retreat", Motion.MOVE, pose_world_home, config.open_m, limits=free))
    return tuple(plan)


def plug_plan(
    port: PortPlan, config: HvPlanConfig, inner: Sequence[PortPlan] = ()
) -> tuple[Phase, ...]:
    """Return the steps from an empty hand to a locked plug and an empty hand.

    Args:
        port: Which plug, and where.
        config: Speeds, forces, distances.
        inner: Plugs whose docks the way leads past; they are not there unless given up.
    """
    steps = Steps(port, config, f"plug {port.slot}")
    mating = port.kind.mating
    mated, locked = steps.in_header(Engagement.MATED), steps.in_header(Engagement.LOCKED)
    mouth = steps.at_mouth()
    far, touch = back(mouth, config.header_approach_m), back(mouth, config.standoff_m)
    docked = steps.docked()
    far_dock = back(docked, config.dock_approach_m)
    drawn = back(docked, mating.stroke + 2e-3)
    drawing = {
        "force_n": config.draw_force_n,
        "pull_m_s": config.draw_speed_m_s,
        "depth_mm": 1e3 * mating.stroke + 2.0,
    }
    entered_mm = max(1.0, 1e3 * (mating.stroke - _BELIEF))
    at_header, at_dock = f"header_{port.slot}", f"dock_{port.slot}"
    mating_limits = {
        "tip_mm": 1e3 * port.kind.tip,
        "force_n": config.mate_force_n,
        "stroke_mm": 1e3 * mating.stroke,
        "entry_mm": config.entry_mm,
        "entry_n": config.entry_n,
        "abort_n": config.abort_n,
        "time_s": config.mate_time_s,
    }
    locking = {
        "force_n": config.lock_force_n,
        "travel_mm": 1e3 * mating.lock_stroke,
        "abort_n": config.abort_n,
        "time_s": config.lock_time_s,
    }
    pulling = {"force_n": config.pull_force_n, "play_mm": config.play_mm}
    lock_in = f"lock_in_{port.slot}"
    letting_go = {"settle_s": config.settle_s}
    return (
        steps.empty("reach", Motion.MOVE, far_dock, steps.free),
        steps.empty("enter_dock", Motion.MOVE, docked, steps.to_rest, at_dock),
        steps.held("grasp", Motion.GRASP, docked, steps.width, at_dock),
        steps.held("draw", Motion.EXTRACT, drawn, drawing, at_dock),
        steps.held("withdraw", Motion.MOVE, far_dock, steps.past),
        *steps.around(inner, far_dock, far),
        steps.held("carry", Motion.MOVE, far, steps.freely_past),
        steps.held("approach", Motion.MOVE, touch, steps.to_rest),
        steps.held("weigh", Motion.ZERO, touch, {}),
        steps.held("touch", Motion.CONTACT, mated, touching(config)),
        steps.held("search", Motion.SEARCH, mated, searching(config, entered_mm)),
        steps.held("mate", Motion.MATE, mated, mating_limits, signal=lock_in, heavy=True),
        steps.held("pull_test", Motion.PULL, mated, pulling),
        steps.held("lock", Motion.LOCK, locked, locking, signal=lock_in, heavy=True),
        steps.empty("release", Motion.RELEASE, locked, letting_go, at_header),
        steps.empty("leave", Motion.MOVE, far, steps.near, at_header),
    )


def unplug_plan(
    port: PortPlan, config: HvPlanConfig, inner: Sequence[PortPlan] = ()
) -> tuple[Phase, ...]:
    """Return the steps from an empty hand to a plug in its dock and an empty hand.

    Args:
        port: Which plug, and where.
        config: Speeds, forces, distances.
        inner: As in `plug_plan`.
    """
    steps = Steps(port, config, f"unplug {port.slot}", requires=f"plug {port.slot}")
    mating = port.kind.mating
    locked = steps.in_header(Engagement.LOCKED)
    mouth = steps.at_mouth()
    far = back(mouth, config.header_approach_m)
    out = back(mouth, 1e-3 * config.extract_room_mm)
    docked = steps.docked()
    far_dock = back(docked, config.dock_approach_m)
    before = back(docked, mating.stroke + config.dock_standoff_m)
    at_header, at_dock = f"header_{port.slot}", f"dock_{port.slot}"
    unlocking = {
        "force_n": config.unlock_force_n,
        "travel_mm": 1e3 * mating.lock_stroke,
        "dwell_s": config.dwell_s,
        "abort_n": config.abort_n,
    }
    extracting = {
        "force_n": config.extract_force_n,
        "depth_mm": 1e3 * mating.full_depth + config.extract_room_mm,
        "abort_n": config.abort_n,
    }
    docking = {
        "tip_mm": 1e3 * port.kind.tip,
        "force_n": config.dock_force_n,
        "entry_n": config.dock_force_n,
        "home_n": 0.6 * config.dock_force_n,
        "home_mm": config.dock_known_mm,
        "stroke_mm": 1e3 * port.kind.dock.stroke,
        "time_s": config.mate_time_s,
    }
    # The dock is known by then: what is this far in is in its mouth.
    in_mouth = 1e3 * port.kind.dock.stroke - config.dock_known_mm - 0.5
    at_mouth = searching(config, entered_mm=in_mouth)
    lock_in = f"lock_in_{port.slot}"
    letting_go = {"settle_s": config.settle_s}
    return (
        steps.empty("reach", Motion.MOVE, far, steps.free, at_header),
        steps.empty("enter_header", Motion.MOVE, locked, steps.to_rest, at_header),
        steps.held("grasp", Motion.GRASP, locked, steps.width, at_header),
        steps.held("unlock", Motion.UNLOCK, locked, unlocking, at_header, lock_in, heavy=True),
        steps.held("extract", Motion.EXTRACT, out, extracting, at_header, heavy=True),
        # Straight back first: the way to the outer dock leads past the inner one.
        steps.held("withdraw", Motion.MOVE, far, steps.past, at_header),
        *steps.around(inner, far_dock, far),
        steps.held("carry", Motion.MOVE, far_dock, steps.freely_past),
        steps.held("approach", Motion.MOVE, before, steps.to_rest, at_dock),
        steps.held("weigh", Motion.ZERO, before, {}, at_dock),
        steps.held("touch", Motion.CONTACT, docked, touching(config), at_dock),
        steps.held("search", Motion.SEARCH, docked, at_mouth, at_dock),
        steps.held("dock", Motion.MATE, docked, docking, at_dock),
        steps.empty("release", Motion.RELEASE, docked, letting_go, at_dock),
        steps.empty("leave", Motion.MOVE, far_dock, steps.near, at_dock),
    )


def touching(config: HvPlanConfig) -> dict[str, float]:
    """Return how a mouth is felt for."""
    return {"speed_m_s": config.contact_speed_m_s, "force_n": config.contact_force_n}


def searching(config: HvPlanConfig, entered_mm: float) -> dict[str, float]:
    """Return how a mouth is searched for.

    Args:
        config: Forces and distances.
        entered_mm: Closer to home than this, the nose is in the mouth.
    """
    return {
        "force_n": config.search_force_n,
        "radius_mm": config.search_radius_mm,
        "pitch_mm": config.search_pitch_mm,
        "speed_m_s": config.search_speed_m_s,
        "drop_mm": config.search_drop_mm,
        "sunk_mm": config.search_sunk_mm,
        "caught_n": config.search_caught_n,
        "caught_steps": 3.0,
        "entered_mm": entered_mm,
        "stiffness": 0.0,
    }
