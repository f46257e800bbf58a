"""Inspecting the plugs of a battery pack with hands and head camera, and saying what is wrong.

Job
    A pack stands in the station with plugs in its headers, as somebody left them; high voltage is
    off. The robot looks at the cables, feels every plug, pulls at it, reads the switches of locks
    and interlocks, and says of each connection how it was left: see
    `tasks.hv_inspection_layout.Connection`.

Variation
    As in plugging, but for its faults: instead, each connection may be an anomaly.

Success
    Every connection was called what it is. What a policy says comes with its report, at the end of
    its work: no action and no signal carries it.

Operations
    Each connection counts twice: `inspect <what it is>` is done if exactly that was said; `anomaly
    found` or `no false alarm` is done if an anomaly was told from what is as it should be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override

from robot.arrays import Array, frozen
from robot.sensor import CameraFrame
from robot.signals.cable import sharpest_bend
from robot.station import Signal
from tasks.hv_config import HvPluggingConfig
from tasks.hv_inspection_layout import (
    Connection,
    HvInspectionVariation,
    connection_of,
    draw_inspection,
)
from tasks.hv_inspection_plan import HvInspectionPlanConfig, InspectedPort, inspection_plan
from tasks.hv_judging import HARMS, fit_of
from tasks.hv_packs import SLOTS
from tasks.hv_plugging import HvPlugging
from tasks.hv_station import HvStation
from tasks.hv_steps import PortPlan
from tasks.hv_variation import Fault
from tasks.parts.hv_connector import ConnectorType
from tasks.phases import Phase
from tasks.places import ARMS
from tasks.rewards import effort, excess, progress_shaping
from tasks.task import Demands, Layout, Observed, Operation, Outcome, Sight, Snapshot

CAMERA = "head"
"""The camera that looks at cables."""

# Of cables for high voltage and for signals, the narrowest bend that does no harm, in m: the least
# that any of them stands.
_BEND_LIMITS = {"hv": 0.060, "lv": 0.040}
# A plug that was moved further than this is not as it was found, in m; pulling at it moves it by a
# quarter of that.
_STAYS = 1e-3
# A hand nearer to a plug than this has been there, in m.
_AT_PLUG = 0.03
# What a robot may do to a plug unasked; cables may have been harmed before it came.
_OWN_HARMS = tuple(harm for harm in HARMS if harm not in ("over_bent", "over_tugged"))


@dataclass(frozen=True)
class HvInspectionConfig(HvPluggingConfig):
    """The job: station, packs and connectors are those of plugging.

    Attributes:
        inspection: How the robot goes about it.
    """

    inspection: HvInspectionPlanConfig = field(default_factory=HvInspectionPlanConfig)
    time_limit: float = 60.0
    demands: Demands = field(default_factory=lambda: Demands(grip_force=40.0))

    @override
    def __post_init__(self) -> None:
        """Refuse what plugging refuses, and forces that would change what is inspected."""
        super().__post_init__()
        self.inspection.refuse_moved_locks(self.connectors)


class HvInspection(HvPlugging):
    """The plugs of a battery pack, inspected with both hands and the head camera."""

    name = "hv_inspection"
    instruction = "Inspect the plugs of the battery pack and say what is wrong with them."
    # Nothing is tested here, so nothing that was tells of this pack.
    past_signals = ()
    sights: Mapping[str, Sight] = {CAMERA: Sight()}
    config: HvInspectionConfig
    variation: HvInspectionVariation

    def __init__(self, config: HvInspectionConfig, variation: HvInspectionVariation) -> None:
        """Build parts, signals and nominal poses.

        Args:
            config: The job.
            variation: How far episodes differ.
        """
        super().__init__(config, variation)
        # Plugs with another key are in the world: some stand in wrong ports.
        self.station = HvStation(
            config.station, config.coming, config.connectors, [Fault.WRONG_PLUG]
        )
        self.parts = self.station.parts
        self.observation = (
            *self.observation,
            *(
                Observed(
                    f"{slot}_cable",
                    2,
                    "the cable near the port as the head camera sees it: length that is seen and "
                    "radius of its sharpest bend, m; zero if none is seen",
                )
                for slot in SLOTS
            ),
        )

    @override
    def sample_layout(self, rng: np.random.Generator) -> Layout:
        return draw_inspection(rng, self.station, self.variation)

    @override
    def phases(self, layout: Layout) -> tuple[Phase, ...]:
        pack = self.station.pack(layout.parameters)
        believed = layout.pose_world_believed
        ports = [
            InspectedPort(
                PortPlan(
                    port.arm,
                    slot,
                    self._kind(layout, slot),
                    believed[f"header_{slot}"],
                    believed[f"dock_{slot}"],
                ),
                f"{pack.name}/{port.name}",
                _BEND_LIMITS[self._kind(layout, slot).voltage],
            )
            for slot, port in pack.slots.items()
        ]
        return tuple(
            phase
            for arm in ARMS
            for phase in inspection_plan(
                arm,
                [item for item in ports if item.port.arm == arm],
                self.pose_world_home[arm],
                self.config.inspection,
            )
        )

    @override
    def begin(self, layout: Layout) -> None:
        super().begin(layout)
        self._assigned = self.assigned(layout)
        self._truth: dict[str, Connection] = {
            slot: connection_of(layout.parameters, slot) for slot in self._assigned
        }
        self._visited: set[str] = set()
        # Depth of each plug and whether its lock was in when the robot came.
        self._start: dict[str, tuple[float, float]] = {}
        # When the last picture was taken, and what it told.
        self._looked: tuple[float, dict[str, Array]] = (-np.inf, {})

    @override
    def evaluate(self, snapshot: Snapshot) -> Outcome:
        events, parts = snapshot.events, snapshot.pose_world_parts
        measures = {f"lock_in_{slot}": events.get(f"lock_in_{slot}", 0.0) for slot in SLOTS}
        harm = None
        for slot, item in self._assigned.items():
            plug = parts[item.plug]
            depth = fit_of(parts[item.header].inverse() @ plug, item.plug_kind).depth
            lock = measures[f"lock_in_{slot}"]
            start, lock_before = self._start.setdefault(slot, (depth, lock))
            home = parts[item.header] @ item.kind.pose_header_plug()
            tool = snapshot.pose_world_tools[item.port.arm]
            if float(np.linalg.norm(tool.position - home.position)) < _AT_PLUG:
                self._visited.add(slot)
            measures |= {f"depth_{slot}_mm": 1e3 * depth, f"moved_{slot}_mm": 1e3 * (depth - start)}
            harm = harm or next((h for h in _OWN_HARMS if events.get(f"{h}_{slot}")), None)
            if abs(depth - start) > _STAYS or lock != lock_before:
                harm = harm or "disturbed"
        self._hardest = max(self._hardest, events.get("contact_force_n", 0.0))
        measures["contact_force_n"] = self._hardest
        return Outcome(
            success=False,
            failure=self._failure(snapshot) or harm,
            progress=len(self._visited) / len(self._assigned),
            measures=measures,
            operations=self._operations({}),
        )

    @override
    def score(self, outcome: Outcome, verdicts: Mapping[str, str]) -> Outcome:
        operations = self._operations(verdicts)
        right = all(operation.success for operation in operations.values())
        failure = outcome.failure or (None if right else "wrong_verdict")
        return dataclasses.replace(
            outcome, success=failure is None, failure=failure, operations=operations
        )

    def _operations(self, verdicts: Mapping[str, str]) -> dict[str, Operation]:
        """Return how well each connection was told, given what was said of it."""
        operations: dict[str, Operation] = {}
        for slot, truth in self._truth.items():
            said = verdicts.get(slot)
            sound = truth is Connection.LOCKED
            exact, alarm = said == truth.value, said not in (None, Connection.LOCKED.value)
            told = said is not None and alarm is not sound
            wrong = None if said is None else f"said {said}"
            missed = "false alarm" if sound else "missed"
            operations |= {
                f"inspect {slot}": Operation(
                    f"inspect {truth.value}", exact, None if exact else wrong
                ),
                f"judge {slot}": Operation(
                    "no false alarm" if sound else "anomaly found",
                    told,
                    None if told or said is None else missed,
                ),
            }
        return operations

    @override
    def reward(self, before: Outcome, after: Outcome, action: Array) -> Mapping[str, float]:
        return {
            "progress": 10.0 * progress_shaping(before, after),
            "success": 10.0 if after.success else 0.0,
            "failure": -5.0 if after.failure is not None else 0.0,
            "force": -excess(after.measures["contact_force_n"], self.config.force_limit),
            "effort": -0.001 * effort(action),
        }

    @override
    def observe(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Array]:
        return {**super().observe(snapshot, layout), **self._cables(snapshot, layout)}

    @override
    def requests(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Signal]:
        # Nothing is asked for: a pack that is inspected is not tested.
        return {}

    def _cables(self, snapshot: Snapshot, layout: Layout) -> dict[str, Array]:
        """Return what the last picture tells of each cable; it is looked at once."""
        frame = snapshot.cell.readings.get(f"camera_{CAMERA}")
        pose_world_camera = snapshot.pose_world_cameras.get(f"camera_{CAMERA}")
        nothing = {f"{slot}_cable": frozen("cable", np.zeros(2), (2,)) for slot in SLOTS}
        if not isinstance(frame, CameraFrame) or pose_world_camera is None:
            return nothing
        if frame.time != self._looked[0]:
            seen = {}
            for slot in self.station.pack(layout.parameters).slots:
                kind = self._kind(layout, slot)
                plug = layout.pose_world_believed[f"header_{slot}"] @ kind.pose_header_plug()
                bend = sharpest_bend(
                    frame,
                    pose_world_camera.inverse() @ plug @ kind.pose_plug_cable,
                    "orange" if kind.voltage == "hv" else "blue",
                )
                seen[f"{slot}_cable"] = frozen("cable", [bend.seen, bend.radius], (2,))
            self._looked = (frame.time, seen)
        return nothing | self._looked[1]

    def _kind(self, layout: Layout, slot: str) -> ConnectorType:
        """Return the type a port is known to have."""
        return self.config.connectors[self.station.pack(layout.parameters).slots[slot].connector]
