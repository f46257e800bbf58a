"""The nominal plan of high-voltage plugging: plug, keep clear, unplug in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from robot.mating import Engagement
from robot.spatial import Pose
from tasks.hv_station import tool_in
from tasks.parts.hv_connector import (
    COLLAR_RIM,
    NECK,
    POSE_TOOL_PLUG,
    REAR_RIM,
    ConnectorType,
)
from tasks.phases import Motion, Phase
from tasks.places import back

# By how much a header may be elsewhere along its axis than believed, with what the hand adds, in m.
_BELIEF = 8e-3


@dataclass(frozen=True)
class HvPlanConfig:
    """How the plan goes about it.

    Attributes:
        open_m: Opening of an empty hand that reaches for a plug: wider than its collars, in m.
        dock_approach_m: How far before the dock a straight approach begins, in m.
        dock_standoff_m: How far before its mouth the hand slows down to feel for it.
        header_approach_m: How far before the header's mouth one does, in m.
        standoff_m: How far before the mouth the hand slows down to feel for it, in m.
        carry_speed_m_s: Speed of free motions, the harness in tow.
        near_speed_m_s: Speed of straight approaches and retreats.
        yield_s: For how long a hand that has closed gives way to where the plug holds it.
        still_m_s: A hand slower than this rests.
        contact_speed_m_s: Speed at which the header is felt for.
        contact_force_n: Axial force that counts as contact.
        search_force_n: Axial push while searching sideways.
        search_radius_mm: How far sideways the mouth is searched for.
        search_pitch_mm: Distance between two turns of the spiral; a little less than the nose's
            capture on both sides together.
        search_speed_m_s: Along the spiral.
        search_drop_mm: The nose has found the mouth when it has sunk by this.
        search_sunk_mm: It is in the mouth when it has sunk by this after that.
        search_caught_n: A nose that is held by more than this across, and not by friction, is in
            the mouth.
        entry_mm: Until it is so far in, a key decides; with what is not known of the mouth.
        entry_n: Largest push until then; less than what counts as forcing a wrong key.
        mate_force_n: Largest push after that.
        mate_time_s: For how long it is pushed.
        abort_n: With more than this nothing is ever pushed.
        pull_force_n: Of the pull test.
        play_mm: Latched plugs follow a pull by no more than this, as far as an arm can tell.
        lock_force_n: Largest push on the lock.
        lock_time_s: For how long it is pushed.
        unlock_force_n: Largest pull on the lock; less than what opens the latch.
        dwell_s: From the opened interlock to the pull that parts the power contacts.
        extract_force_n: Largest pull on the released plug.
        extract_room_mm: How far beyond the mouth a plug is drawn straight out.
        draw_speed_m_s: Speed of the pull out of the dock.
        draw_force_n: Largest pull out of the dock.
        dock_force_n: Largest push into the dock.
        dock_known_mm: How well it is known by then where a plug is home in its dock.
        settle_s: For how long a hand that lets go rests before its fingers open.
    """

    open_m: float = 0.045
    dock_approach_m: float = 0.10
    dock_standoff_m: float = 0.010
    header_approach_m: float = 0.06
    standoff_m: float = 0.016
    carry_speed_m_s: float = 0.50
    near_speed_m_s: float = 0.30
    yield_s: float = 0.28
    still_m_s: float = 0.02
    contact_speed_m_s: float = 0.05
    contact_force_n: float = 4.0
    search_force_n: float = 6.0
    search_radius_mm: float = 10.0
    search_pitch_mm: float = 3.0
    search_speed_m_s: float = 0.04
    search_drop_mm: float = 1.2
    search_sunk_mm: float = 2.0
    search_caught_n: float = 5.5
    entry_mm: float = 6.0
    entry_n: float = 60.0
    mate_force_n: float = 110.0
    mate_time_s: float = 4.0
    abort_n: float = 120.0
    pull_force_n: float = 15.0
    play_mm: float = 1.5
    lock_force_n: float = 50.0
    lock_time_s: float = 1.5
    unlock_force_n: float = 35.0
    dwell_s: float = 0.15
    extract_force_n: float = 100.0
    extract_room_mm: float = 6.0
    draw_speed_m_s: float = 0.12
    draw_force_n: float = 50.0
    dock_force_n: float = 30.0
    dock_known_mm: float = 1.5
    settle_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuse a plan that pushes beyond its abort, or leaves too soon."""
        for name in ("mate_force_n", "lock_force_n", "extract_force_n", "entry_n", "dock_force_n"):
            if not 0.0 < getattr(self, name) < self.abort_n:
                raise ValueError(
                    f"{name}: expected more than 0 and less than abort_n = {self.abort_n} N, "
                    f"got {getattr(self, name)}"
                )
        if self.dwell_s < 0.1:
            raise ValueError(f"dwell_s: expected at least 0.1, got {self.dwell_s}")
        if not 2.0 * (NECK[1] + 6e-3) < self.open_m <= 0.05:
            raise ValueError(
                f"open_m: expected more than the collars' {2.0 * (NECK[1] + 6e-3):.3f} m and at "
                f"most the hand's 0.05 m, got {self.open_m}"
            )


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
    for port in ports:
        plan += plug_plan(port, config)
    plan.append(Phase(arm, "clear", Motion.MOVE, pose_world_clear, config.open_m, limits=free))
    plan.append(
        Phase(arm, "await_test", Motion.AWAIT, pose_world_clear, config.open_m, None, allowed)
    )
    for port in reversed(ports):
        plan += unplug_plan(port, config)
    plan.append(Phase(arm, "retreat", Motion.MOVE, pose_world_home, config.open_m, limits=free))
    return tuple(plan)


def plug_plan(port: PortPlan, config: HvPlanConfig) -> tuple[Phase, ...]:
    """Return the steps from an empty hand to a locked plug and an empty hand.

    Args:
        port: Which plug, and where.
        config: Speeds, forces, distances.
    """
    steps = _Steps(port, config, f"plug {port.slot}")
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


def unplug_plan(port: PortPlan, config: HvPlanConfig) -> tuple[Phase, ...]:
    """Return the steps from an empty hand to a plug in its dock and an empty hand.

    Args:
        port: Which plug, and where.
        config: Speeds, forces, distances.
    """
    steps = _Steps(port, config, f"unplug {port.slot}", requires=f"plug {port.slot}")
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


class _Steps:
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
        port = self._port
        return tool_in(port.pose_world_header, port.kind.pose_header_plug(engagement))

    def at_mouth(self) -> Pose:
        """Return the tool pose in which the nose's tip is level with the header's mouth."""
        port = self._port
        return tool_in(port.pose_world_header, Pose.translation((0.0, 0.0, -port.kind.tip)))

    def docked(self) -> Pose:
        return tool_in(self._port.pose_world_dock, self._port.kind.pose_dock_plug)

    def empty(
        self, name: str, motion: Motion, pose: Pose, limits: dict[str, float], place: str = ""
    ) -> Phase:
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
        return Phase(
            self._port.arm, name, motion, pose, 0.0, POSE_TOOL_PLUG, signal, limits,
            self._operation, heavy, place, self._requires,
        )  # fmt: skip
