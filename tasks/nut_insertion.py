"""Inserting self-tapping nuts on the splined pins of a tightening fixture, both sides at once.

Job
    Each hand takes a nut from its feeder's nest, puts it on its pin until it sits on the plate with
    its teeth meshed, lets go and draws back. The fixture then carries both nuts away to tighten.

Variation
    The nut's yaw is always free. Levels widen the rest, see `tasks.variation`: the nest stands and
    leans elsewhere than believed, so that the grasp is off; so does the pin; clearance, chamfer,
    magnet, friction and grip differ; feeders run empty; somebody bumps into the robot.

Success
    Both nuts are seated (axial gap at most 0.3 mm, teeth meshed, tilt at most 1 degree), each has
    been so for 0.5 s since its hand let go, both hands are clear, and nothing else was touched
    harder than 60 N.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override

from robot.arrays import Array, frozen
from robot.errors import UnknownName
from robot.spatial import Pose
from robot.station import Direction
from tasks.judging import Seat, SeatRule, is_meshed, is_seated, seat_of
from tasks.nut_plan import PlanConfig, nut_plan
from tasks.nut_station import BENCH, HALF_TURN, NutStation, StationConfig
from tasks.nut_variation import NutVariation
from tasks.parts.nut import NUT_SIZES
from tasks.phases import Phase
from tasks.places import ARMS
from tasks.rewards import effort, excess, progress_shaping
from tasks.task import (
    Demands,
    Handover,
    Layout,
    Observed,
    Operation,
    Outcome,
    Snapshot,
    Task,
    vector,
)
from tasks.touch import in_hand, in_hand_entry
from tasks.variation import between, misplaced, shove

# Rubber-faced pads on steel: a dry pad grips at 0.8, an oily one at 0.5. The drawn friction of
# steel on steel stands for how oily the nut is, so both are read from the same number.
PAD_FRICTION_ABOVE_STEEL = 0.4

# A bump comes while the hands are at work, in s from the start: a cycle without trouble takes 6 s.
SHOVE_WINDOW = 6.0


@dataclass(frozen=True)
class NutInsertionConfig:
    """The job.

    Attributes:
        nut: Size of nut and pin: m6, m8 or m10.
        station: Where things stand.
        plan: How the robot goes about it.
        magazine: Nuts per feeder and cycle: the first and its spares.
        time_limit: Longest cycle, in s.
        hold_time: How long a nut must stay seated after the hand let go, in s.
        force_limit: Hardest touch of anything but a nut, in N.
        clear_distance: How far a hand must be from the pin at the end, in m.
        demands: What the job asks of the robot.
    """

    nut: str = "m8"
    station: StationConfig = field(default_factory=StationConfig)
    plan: PlanConfig = field(default_factory=PlanConfig)
    magazine: int = 3
    time_limit: float = 76.0
    hold_time: float = 0.5
    force_limit: float = 60.0
    clear_distance: float = 0.05
    demands: Demands = field(default_factory=Demands)

    def __post_init__(self) -> None:
        """Refuse sizes that do not exist and numbers out of range."""
        if self.nut not in NUT_SIZES:
            raise UnknownName("nut", self.nut, NUT_SIZES)
        if not 1 <= self.magazine <= 3:
            raise ValueError(f"magazine: expected 1 to 3 nuts, got {self.magazine}")
        for name in ("time_limit", "hold_time", "force_limit", "clear_distance"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")


class NutInsertion(Task):
    """Nuts on splined, magnetised pins, with both hands at once.

    Attributes:
        size: Dimensions of nut and pin.
        station: Where everything nominally is.
    """

    name = "nut_insertion"
    arms = ARMS
    instruction = "Take a nut with each hand and place it on its splined pin until it sits."

    def __init__(self, config: NutInsertionConfig, variation: NutVariation) -> None:
        """Build parts, signals and nominal poses.

        Args:
            config: The job.
            variation: How far cycles differ.
        """
        self.config = config
        self.variation = variation
        self.time_limit = config.time_limit
        self.size = NUT_SIZES[config.nut]
        self.station = NutStation(config.station, self.size, config.magazine)
        self.parts = self.station.parts
        self.signals = self.station.signals
        self.pose_world_home = self.station.pose_world_home
        self.demands = config.demands
        self.handover = Handover(
            "tighten", tuple(f"tightened_{arm}" for arm in ARMS), failure="not_tightened"
        )
        self._inputs = tuple(s.name for s in self.signals if s.direction is Direction.INPUT)
        self.observation = (
            Observed("signals", len(self._inputs), f"process signals, 0 or 1: {self._inputs}"),
            *(
                item
                for arm in ARMS
                for item in (
                    in_hand_entry(arm, "nut"),
                    Observed(f"{arm}_pose_world_pin", 7, "believed pin, position and quaternion"),
                    Observed(f"{arm}_pose_world_nest", 7, "believed nest, position and quaternion"),
                )
            ),
        )
        self._forget()

    def nuts(self, arm: str) -> tuple[str, ...]:
        """Return the names of the nuts in a feeder's magazine, first to last."""
        return self.station.nuts(arm)

    @override
    def sample_layout(self, rng: np.random.Generator) -> Layout:
        v = self.variation
        friction = between(rng, v.friction)
        parameters = {
            "clearance_mm": 1e3 * between(rng, v.clearance),
            "chamfer_mm": 1e3 * between(rng, v.chamfer),
            "friction_steel": friction,
            "friction_pads": friction + PAD_FRICTION_ABOVE_STEEL,
            **shove(rng, v, window=SHOVE_WINDOW),
            "noise_seed": float(rng.integers(2**31)),
        }
        parts: dict[str, Pose] = {BENCH: Pose.identity()}
        believed: dict[str, Pose] = {}
        for arm in ARMS:
            believed[f"nest_{arm}"] = self.station.pose_world_nest[arm]
            believed[f"pin_{arm}"] = self.station.pose_world_pin[arm]
            parts[f"pin_{arm}"] = self.station.pose_world_pin[arm] @ misplaced(
                rng, v.pin_offset, v.pin_tilt
            )
            nest = self.station.pose_world_nest[arm] @ misplaced(rng, v.grasp_offset, v.grasp_tilt)
            parts[f"nest_{arm}"] = nest
            for nut in self.nuts(arm):
                yaw = Pose.from_rotation_vector((0.0, 0.0, rng.uniform(-math.pi, math.pi)))
                # Only along the axis and sideways: the nest carries the nut from below.
                shift = Pose.translation(
                    rng.uniform(-1.0, 1.0, 3) * v.feeder_offset * np.array([0.0, 1.0, 1.0])
                )
                parts[nut] = nest @ shift @ yaw
            fault, wait = rng.uniform(), between(rng, v.feeder_fault_time)
            parameters[f"feeder_wait_{arm}_s"] = wait if fault < v.feeder_fault_chance else 0.0
            parameters[f"magnet_force_{arm}_n"] = between(rng, v.magnet_force)
            parameters[f"grip_share_{arm}"] = 1.0 + rng.uniform(-1.0, 1.0) * v.grip_share
        return Layout(
            parts, believed, {nut: friction for a in ARMS for nut in self.nuts(a)}, parameters
        )

    @override
    def phases(self, layout: Layout) -> tuple[Phase, ...]:
        pose_nut_tool = self.size.pose_tool_nut.inverse()
        seat = self.size.pose_pin_nut
        tip = Pose.translation([0.0, 0.0, self.size.spline.pin_height]) @ seat
        plan: list[Phase] = []
        for arm in ARMS:
            pin = layout.pose_world_believed[f"pin_{arm}"]
            plan += nut_plan(
                arm,
                pose_world_pick=layout.pose_world_believed[f"nest_{arm}"]
                @ HALF_TURN
                @ pose_nut_tool,
                pose_world_tip=pin @ tip @ pose_nut_tool,
                pose_world_seat=pin @ seat @ pose_nut_tool,
                pose_world_home=self.pose_world_home[arm],
                pose_tool_nut=self.size.pose_tool_nut,
                diameter=2.0 * self.size.spline.nut_radius,
                config=self.config.plan,
            )
        return tuple(plan)

    @override
    def begin(self, layout: Layout) -> None:
        self._forget()

    def _forget(self) -> None:
        self._seated_since: dict[str, float | None] = dict.fromkeys(ARMS)
        self._hardest = 0.0

    @override
    def evaluate(self, snapshot: Snapshot) -> Outcome:
        spline = self.size.spline
        measures: dict[str, float] = {}
        done, progress = [], []
        for arm in ARMS:
            pin = snapshot.pose_world_parts[f"pin_{arm}"]
            seats = {
                nut: seat_of(
                    pin.inverse() @ snapshot.pose_world_parts[nut], spline.nut_length, spline.teeth
                )
                for nut in self.nuts(arm)
            }
            nut = min(seats, key=lambda n: abs(seats[n].gap) + seats[n].lateral)
            seat = seats[nut]
            clearance = 1e-3 * snapshot.events.get("clearance_mm", 0.15)
            meshed = is_meshed(seat, clearance, spline.root_radius, spline.pin_height)
            seated = is_seated(seat, meshed, SeatRule())
            tool = snapshot.pose_world_tools[arm]
            released = self._released(snapshot, arm, nut)
            held_for = self._hold(arm, snapshot.cell.time, seated and released)
            distance = float(np.linalg.norm(tool.position - pin.position))
            measures |= {
                f"gap_{arm}_mm": 1e3 * seat.gap,
                f"lateral_{arm}_mm": 1e3 * seat.lateral,
                f"tilt_{arm}_deg": math.degrees(seat.tilt),
                f"phase_{arm}_deg": math.degrees(seat.phase),
                f"meshed_{arm}": float(meshed),
                f"seated_{arm}": float(seated),
                f"held_{arm}_s": held_for,
                f"clear_{arm}_m": distance,
            }
            done.append(held_for >= self.config.hold_time)
            progress.append(self._progress(seat, seated, snapshot, arm, nut))
        clear = all(measures[f"clear_{arm}_m"] > self.config.clear_distance for arm in ARMS)
        self._hardest = max(self._hardest, snapshot.events.get("contact_force_n", 0.0))
        measures["contact_force_n"] = self._hardest
        failure = self._failure(snapshot)
        return Outcome(
            success=all(done) and clear and failure is None,
            failure=failure,
            progress=float(np.mean(progress)),
            measures=measures,
            operations={
                f"insert_{arm}": Operation(f"insert {arm}", bool(measures[f"seated_{arm}"]))
                for arm in ARMS
            },
        )

    def _released(self, snapshot: Snapshot, arm: str, nut: str) -> bool:
        opening = snapshot.cell.robot.gripper_opening[arm]
        tool = snapshot.pose_world_tools[arm]
        away = np.linalg.norm(tool.position - snapshot.pose_world_parts[nut].position)
        return opening > 2.0 * self.size.spline.nut_radius + 2e-3 or float(away) > 0.03

    def _hold(self, arm: str, now: float, holds: bool) -> float:
        since = self._seated_since[arm]
        if not holds:
            self._seated_since[arm] = None
            return 0.0
        if since is None:
            since = self._seated_since[arm] = now
        return now - since

    def _progress(self, seat: Seat, seated: bool, snapshot: Snapshot, arm: str, nut: str) -> float:
        if seated:
            return 1.0
        spline = self.size.spline
        if seat.lateral < 2.0 * spline.tip_radius and seat.gap < spline.pin_height + 2e-3:
            return 0.6 + 0.4 * float(np.clip(1.0 - seat.gap / spline.pin_height, 0.0, 1.0)) * 0.9
        parts = snapshot.pose_world_parts
        from_nest = float(np.linalg.norm(parts[nut].position - parts[f"nest_{arm}"].position))
        from_pin = float(np.linalg.norm(parts[nut].position - parts[f"pin_{arm}"].position))
        if from_nest < 5e-3:
            return 0.0
        return 0.2 + 0.4 * from_nest / (from_nest + from_pin)

    def _failure(self, snapshot: Snapshot) -> str | None:
        if snapshot.events.get("fallen", 0.0) > 0.0:
            return "fell"
        if self._hardest > self.config.force_limit:
            return "over_force"
        for arm in ARMS:
            if snapshot.events.get(f"lost_{arm}", 0.0) >= self.config.magazine:
                return f"out_of_nuts_{arm}"
        return None

    @override
    def reward(self, before: Outcome, after: Outcome, action: Array) -> Mapping[str, float]:
        limit = self.config.force_limit
        return {
            "progress": 10.0 * progress_shaping(before, after),
            "success": 10.0 if after.success else 0.0,
            "failure": -5.0 if after.failure is not None else 0.0,
            "force": -excess(after.measures["contact_force_n"], limit),
            "effort": -0.001 * effort(action),
        }

    @override
    def observe(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Array]:
        inputs = snapshot.cell.station.signals
        observed = {
            "signals": frozen(
                "signals", [float(inputs[name]) for name in self._inputs], (len(self._inputs),)
            )
        }
        for arm in ARMS:
            observed[f"{arm}_in_hand"] = in_hand(
                snapshot,
                arm,
                self.size.spline.nut_length,
                float(self.size.pose_tool_nut.position[2]),
            )
            for place in ("pin", "nest"):
                key = f"{place}_{arm}"
                observed[f"{arm}_pose_world_{place}"] = vector(layout.pose_world_believed[key])
        return observed
