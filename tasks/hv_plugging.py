"""Plugging, testing and unplugging the high-voltage connectors of battery packs, with both hands.

Job
    A pack stands in the station. Each hand takes its test plugs, each on a stiff harness, from
    their docks, plugs them into the pack's headers, locks them and keeps clear. The tester puts
    high voltage on and off again. Then each hand unlocks, unplugs and docks its plugs, the last
    one first. A plug that does not go in as it should is not forced, but put back.

Variation
    The model of the pack; where it stands, and how far its headers and the docks are from where the
    robot believes; mating forces, friction, grip, harnesses; somebody bumps into the robot; and now
    and then a port that cannot be plugged, see `tasks.hv_variation`.

Success
    Every plug that can be was mated, tested and unmated (see `tasks.hv_judging`), every other one
    tried and put back, nothing was harmed, and nothing else was touched harder than 60 N. A pack
    with a plug that had to be refused cannot be tested.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.keep_out import KeepOut, ZoneConfig
from robot.spatial import Pose
from robot.station import Direction, Signal, SignalSpec
from tasks.hv_config import HvPluggingConfig
from tasks.hv_judging import HARMS, UNDER_VOLTAGE, PlugFacts, PlugJudge, fit_of
from tasks.hv_layout import draw_layout
from tasks.hv_observation import observe, observed_entries
from tasks.hv_packs import SLOTS
from tasks.hv_plan import arm_plan
from tasks.hv_signals import REQUEST, hv_signals
from tasks.hv_station import Assigned, HvStation
from tasks.hv_steps import PortPlan
from tasks.hv_variation import HvVariation
from tasks.parts.hv_connector import NECK, POSE_TOOL_PLUG
from tasks.phases import Phase
from tasks.places import ARMS
from tasks.rewards import effort, excess, progress_shaping
from tasks.task import Layout, Outcome, Snapshot, Task

REFUSED = "pack_refused"
"""What the robot tells the station when it has done what it can and a plug is missing."""

ALLOWED = "unplug_wanted"
"""What the station tells the robot: plugs may be taken off, and there is no reason to wait."""

# A tool this near its place out of the zone is there, in m, and for so long it has nothing left to
# plug, in s.
_THERE, _IDLE_TIME = 0.04, 1.0
# A hand closed to less than the neck and this, as near to a plug's origin as that, holds it, in m.
_CLOSED, _AT_NECK = 2e-3, 0.02
# How large hands are, and how wide a berth they give.
_ZONE = ZoneConfig()


class HvPlugging(Task):
    """High-voltage plugs into battery packs, tested and out again, with both hands.

    Attributes:
        config: The job.
        variation: How far episodes differ.
        station: Where everything nominally is.
    """

    name = "hv_plugging"
    arms = ARMS
    past_signals: tuple[str, ...] = ("test_done", ALLOWED)
    zone_signals = ("hv_off", "unplug_allowed")
    zone_heartbeat = "heartbeat"
    instruction = (
        "Plug the test plugs into the battery pack, wait for the test, unplug and dock them."
    )

    def __init__(self, config: HvPluggingConfig, variation: HvVariation) -> None:
        """Build parts, signals and nominal poses.

        Args:
            config: The job.
            variation: How far episodes differ.

        Raises:
            ValueError: If no pack comes.
        """
        if not config.coming:
            raise ValueError("packs: expected at least one model that comes, got none")
        self.config = config
        self.variation = variation
        self.time_limit = config.time_limit
        self.demands = config.demands
        faults = [fault for fault, chance in variation.fault_chances.items() if chance > 0.0]
        self.station = HvStation(config.station, config.coming, config.connectors, faults)
        self.parts = self.station.parts
        self.pose_world_home = self.station.pose_world_home
        self.signals = (
            *hv_signals(SLOTS),
            SignalSpec(
                ALLOWED,
                Direction.INPUT,
                bool,
                "unplugging is allowed, and the test of this pack has ended or it was refused",
            ),
            SignalSpec(REFUSED, Direction.OUTPUT, bool, "hands are off, but not every plug is in"),
        )
        self._inputs = tuple(s.name for s in self.signals if s.direction is Direction.INPUT)
        self.observation = observed_entries(self._inputs)
        # Compiled code takes half a second to load; who only asks for names need not wait for it.
        from robot.zone_watch import HandShape

        self._hand = HandShape(_ZONE)
        # Of the last layout that was asked about: the boxes of its pack.
        self._boxes: tuple[Layout, Array] | None = None
        self._forget()

    def assigned(self, layout: Layout) -> Mapping[str, Assigned]:
        """Return which bodies play which part in an episode, by slot in use."""
        return self.station.assigned(layout.parameters)

    @override
    def zones(self, layout: Layout) -> tuple[KeepOut, ...]:
        pack, believed = self.station.pack(layout.parameters), layout.pose_world_believed
        headers = {slot: believed[f"header_{slot}"] for slot in pack.slots}
        return self.station.zones(headers, pack)

    @override
    def sample_layout(self, rng: np.random.Generator) -> Layout:
        return draw_layout(rng, self.station, self.variation)

    @override
    def phases(self, layout: Layout) -> tuple[Phase, ...]:
        believed = layout.pose_world_believed
        ports = [
            PortPlan(
                assigned.port.arm,
                slot,
                assigned.kind,
                believed[f"header_{slot}"],
                believed[f"dock_{slot}"],
            )
            for slot, assigned in self.assigned(layout).items()
        ]
        return tuple(
            phase
            for arm in ARMS
            for phase in arm_plan(
                arm,
                [port for port in ports if port.arm == arm],
                self.station.pose_world_clear[arm],
                self.pose_world_home[arm],
                ALLOWED,
                self.config.plan,
            )
        )

    @override
    def begin(self, layout: Layout) -> None:
        self._forget()
        for slot, assigned in self.assigned(layout).items():
            self._judges[slot] = PlugJudge(assigned, self.config.rule)

    def _forget(self) -> None:
        self._judges: dict[str, PlugJudge] = {}
        self._hardest = 0.0
        self._free_since: dict[str, float] = {}
        self._allowed = False
        self._idle_since: float | None = None
        self._refused = False

    @override
    def evaluate(self, snapshot: Snapshot) -> Outcome:
        events = snapshot.events
        measures = {f"lock_in_{slot}": 0.0 for slot in SLOTS}
        self._look_at_time(snapshot)
        for slot, judge in self._judges.items():
            facts = self._facts(snapshot, judge.assigned)
            done = judge.done
            judge.look(facts)
            if judge.done > done:
                self._free_since[judge.assigned.port.arm] = judge.free_at
            full = judge.assigned.kind.mating.full_depth
            measures |= {
                f"short_{slot}_mm": 1e3 * (full - facts.fit.depth),
                f"lateral_{slot}_mm": 1e3 * facts.fit.lateral,
                f"tilt_{slot}_deg": math.degrees(facts.fit.tilt),
                f"lock_in_{slot}": float(facts.lock_in),
                f"mated_{slot}": float(judge.lacks is None),
                f"docked_{slot}": float(judge.docked),
                f"harms_{slot}": sum(facts.harms.values()),
            }
        self._hardest = max(self._hardest, events.get("contact_force_n", 0.0))
        operations = {
            name: operation
            for judge in self._judges.values()
            for name, operation in judge.operations().items()
        }
        refused = any(judge.faulty for judge in self._judges.values())
        tested = events.get("tested", 0.0) > 0.0
        measures |= {
            "contact_force_n": self._hardest,
            "harms": sum(measures[f"harms_{slot}"] for slot in self._judges),
            "tested": float(tested),
        }
        failure = self._failure(snapshot)
        if failure is None and not any(
            not item.success and item.failure is None for item in operations.values()
        ):
            # Harm ends nothing by itself: the rest of the work is still to be done.
            failure = next((i.failure for i in operations.values() if i.failure), None)
        return Outcome(
            success=(
                failure is None
                and all(operation.success for operation in operations.values())
                and (tested or refused)
            ),
            failure=failure,
            progress=float(np.mean([judge.progress for judge in self._judges.values()])),
            measures=measures,
            operations=operations,
        )

    def _look_at_time(self, snapshot: Snapshot) -> None:
        """Note that every arm is free, at the beginning and when plugs may be taken off again."""
        allowed = bool(snapshot.cell.station.signals.get(ALLOWED, False))
        if not self._free_since or (allowed and not self._allowed):
            self._free_since = dict.fromkeys(ARMS, snapshot.cell.time)
            self._allowed = allowed

    def _facts(self, snapshot: Snapshot, assigned: Assigned) -> PlugFacts:
        """Return what is true of one plug now."""
        slot, events, parts = assigned.slot, snapshot.events, snapshot.pose_world_parts
        plug = parts[assigned.plug]
        dwell = events.get(f"dwell_s_{slot}")
        return PlugFacts(
            time=snapshot.cell.time,
            free_since=self._free_since[assigned.port.arm],
            fit=fit_of(parts[assigned.header].inverse() @ plug, assigned.plug_kind),
            dock_fit=fit_of(parts[assigned.dock].inverse() @ plug, assigned.plug_kind),
            held=self._held(snapshot, plug),
            latched=events.get(f"latched_{slot}", 0.0) > 0.0,
            lock_in=events.get(f"lock_in_{slot}", 0.0) > 0.0,
            interlock=events.get(f"interlock_{slot}", 0.0) > 0.0,
            pull_play=1e-3 * events.get(f"pull_play_mm_{slot}", math.inf),
            dwell=dwell,
            under_voltage=events.get(f"{UNDER_VOLTAGE}_{slot}", 0.0) > 0.0,
            harms={harm: events.get(f"{harm}_{slot}", 0.0) for harm in HARMS},
        )

    def _held(self, snapshot: Snapshot, pose_world_plug: Pose) -> bool:
        """Return whether any hand is closed about a plug."""
        for arm, tool in snapshot.pose_world_tools.items():
            opening = snapshot.cell.robot.gripper_opening[arm]
            grip = (tool @ POSE_TOOL_PLUG).position
            away = float(np.linalg.norm(grip - pose_world_plug.position))
            if opening < 2.0 * NECK[1] + _CLOSED and away < _AT_NECK:
                return True
        return False

    def _failure(self, snapshot: Snapshot) -> str | None:
        events = snapshot.events
        if events.get("fallen", 0.0) > 0.0:
            return "fell"
        if self._hardest > self.config.force_limit:
            return "over_force"
        # The tester was made to open its contactors under load, by a hand that came near or a plug
        # that was loosened: that pack has not been tested, and will not be.
        if events.get("test_aborted", 0.0) > 0.0:
            return "test_aborted"
        for slot in self._judges:
            if events.get(f"{UNDER_VOLTAGE}_{slot}", 0.0) > 0.0:
                return UNDER_VOLTAGE
        return None

    @override
    def reward(self, before: Outcome, after: Outcome, action: Array) -> Mapping[str, float]:
        return {
            "progress": 10.0 * progress_shaping(before, after),
            "success": 10.0 if after.success else 0.0,
            "failure": -5.0 if after.failure is not None else 0.0,
            "harm": -2.0 * max(0.0, after.measures["harms"] - before.measures["harms"]),
            "force": -excess(after.measures["contact_force_n"], self.config.force_limit),
            "effort": -0.001 * effort(action),
        }

    @override
    def observe(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Array]:
        slots = self.station.pack(layout.parameters).slots
        kinds = {slot: self.config.connectors[port.connector] for slot, port in slots.items()}
        return observe(snapshot, layout, self._inputs, kinds)

    @override
    def requests(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Signal]:
        inputs, tools = snapshot.cell.station.signals, snapshot.pose_world_tools
        slots = self.station.pack(layout.parameters).slots
        plugged = all(bool(inputs[f"lock_in_{slot}"]) for slot in slots)
        clear = self._clear(tools, layout)
        waiting = clear and all(
            np.linalg.norm(pose.position - tools[arm].position) < _THERE
            for arm, pose in self.station.pose_world_clear.items()
        )
        now = snapshot.cell.time
        if not waiting or plugged:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        # Once the plugs are being taken off, missing ones are no news.
        if self._idle_since is not None and now - self._idle_since >= _IDLE_TIME:
            self._refused = True
        tested = bool(inputs["test_done"])
        return {REQUEST: plugged and clear and not tested, REFUSED: self._refused and not tested}

    def _clear(self, tools: Mapping[str, Pose], layout: Layout) -> bool:
        """Return whether no hand, as measured, is in the zone of the pack as believed."""
        if self._boxes is None or self._boxes[0] is not layout:
            self._boxes = (layout, _ZONE.boxes(self.zones(layout)))
        boxes = self._boxes[1]
        return not any(self._hand.inside(tool, boxes) for tool in tools.values())
