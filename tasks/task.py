"""Seam: one assembly job as data and pure functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from robot.arrays import Array, frozen
from robot.cell_state import CellState
from robot.keep_out import KeepOut
from robot.spatial import Pose
from robot.station import Signal, SignalSpec
from tasks.parts.shapes import Part
from tasks.phases import Phase


@dataclass(frozen=True, eq=False)
class Layout:
    """One draw of everything that differs between two episodes.

    Attributes:
        pose_world_parts: Where each part really is, by part name.
        pose_world_believed: Where the robot is told each part is, by part name.
        friction: Coulomb friction coefficient of each part against the pads and the pin, by part
            name.
        parameters: Every other drawn number by name with its unit, e.g. `clearance_mm`,
            `magnet_force_n`, `shove_time_s`; what a scene needs to bring the draw about.
    """

    pose_world_parts: Mapping[str, Pose]
    pose_world_believed: Mapping[str, Pose]
    friction: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the layout as plain numbers, for a record; `from_json` undoes it exactly."""
        return {
            "pose_world_parts": _poses_to_json(self.pose_world_parts),
            "pose_world_believed": _poses_to_json(self.pose_world_believed),
            "friction": dict(self.friction),
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """Return the layout that a record holds."""
        return cls(
            pose_world_parts=_poses_from_json(data["pose_world_parts"]),
            pose_world_believed=_poses_from_json(data["pose_world_believed"]),
            friction={name: float(value) for name, value in data["friction"].items()},
            parameters={name: float(value) for name, value in data["parameters"].items()},
        )


def _poses_to_json(poses: Mapping[str, Pose]) -> dict[str, list[float]]:
    return {name: pose.position.tolist() + pose.quaternion.tolist() for name, pose in poses.items()}


def _poses_from_json(data: Mapping[str, list[float]]) -> dict[str, Pose]:
    return {name: Pose(np.array(v[:3]), np.array(v[3:])) for name, v in data.items()}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything a task may look at to judge an instant.

    Attributes:
        cell: What the cell measured.
        pose_world_tools: Tool poses, by arm name.
        pose_world_parts: Part poses, by part name: true in simulation, estimated on hardware.
        events: What only the scene can see, by name: e.g. `contact_force_n`, `base_tilt_deg`,
            `meshed_left`. Absent on hardware.
        pose_world_cameras: Optical frames as measured, by name of the reading.
    """

    cell: CellState
    pose_world_tools: Mapping[str, Pose]
    pose_world_parts: Mapping[str, Pose]
    events: Mapping[str, float] = field(default_factory=dict)
    pose_world_cameras: Mapping[str, Pose] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One piece of work inside an episode that is counted by itself: one nut, one plug.

    Attributes:
        kind: What it is counted with, e.g. `insert left` or `plug`.
        success: It is done.
        failure: Why it can no longer be done, or None.
        time_s: How long it took, in s; None until it is done or where time is not taken.
        whole_s: The same with fetching its part and putting it away, from when the arm was free for
            it until it was free again, in s; likewise None.
    """

    kind: str
    success: bool
    failure: str | None = None
    time_s: float | None = None
    whole_s: float | None = None


@dataclass(frozen=True)
class Outcome:
    """The judgement of an instant.

    Attributes:
        success: The job is done.
        failure: Why it can no longer be done, or None.
        progress: How far it got, from 0 to 1.
        measures: The numbers the judgement rests on, named with their unit, e.g. `depth_mm`. One
            that is named like a process signal is the truth of what that signal says.
        operations: The pieces of work the job consists of, by name.
    """

    success: bool
    failure: str | None
    progress: float
    measures: Mapping[str, float]
    operations: Mapping[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True)
class Demands:
    """What a job asks of the robot that does it.

    Attributes:
        grip_force: With which each finger squeezes, in N.
        push_force: Largest push along a tool's z axis that a policy may ask for, in N.
        wrist_force: Wrist force that the guard lets pass for a tenth of a second only, in N.
        wrist_peak: Wrist force that it does not let pass at all, in N.
    """

    grip_force: float = 30.0
    push_force: float = 30.0
    wrist_force: float = 60.0
    wrist_peak: float = 140.0

    def __post_init__(self) -> None:
        """Refuse forces that are not positive, and a push that the guard would stop."""
        for name in ("grip_force", "push_force", "wrist_force", "wrist_peak"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        if self.push_force > self.wrist_force:
            raise ValueError(
                f"push_force: expected at most wrist_force = {self.wrist_force} N, "
                f"got {self.push_force}"
            )


@dataclass(frozen=True)
class Sight:
    """How well a job must see with one of the robot's cameras.

    Attributes:
        width: In pixels.
        height: In pixels.
        rate_hz: Pictures per second.
        depth_noise: Standard deviation of a pixel's distance at one metre, in m.
    """

    width: int = 480
    height: int = 360
    rate_hz: float = 1.0
    depth_noise: float = 2e-3


@dataclass(frozen=True)
class Handover:
    """What is asked of the station once the job is done.

    Attributes:
        request: The output that asks for it, e.g. `tighten`.
        answers: The inputs that say it has been done.
        failure: Why the cycle failed if they do not come.
    """

    request: str
    answers: tuple[str, ...]
    failure: str


@dataclass(frozen=True, eq=False)
class Observed:
    """One vector that `Task.observe()` returns.

    Attributes:
        key: Name in the observation.
        size: Length.
        meaning: What the entries are, in order, with units and frames.
        bound: No entry is larger than this.
    """

    key: str
    size: int
    meaning: str
    bound: float = 10.0


class Task(ABC):
    """One assembly job: its parts, its variations, its plan, its judgement and its reward.

    A task is data and functions without side effects on anything but its own episode's judgement.
    It holds no device and no physics, so that the same object is trained in simulation, run on
    hardware and tested on poses typed by hand.

    Attributes:
        name: Identifier in configurations and reports.
        arms: The arms that do the job, in the order of the action.
        instruction: The job in one English sentence, for language-conditioned policies.
        time_limit: Longest episode, in s.
        parts: What the scene is built from.
        observation: Each vector that `observe()` returns.
        signals: The process signals the task needs from a station.
        pose_world_home: Where each arm's tool waits, by arm name.
        demands: What the job asks of the robot.
        handover: What the station does once the job is done, or None.
        past_signals: Process signals that must have fallen before a cycle begins: risen, they tell
            of the work before, and this one would be taken for it.
        zone_signals: Process signals that must all be true for the zones to open.
        zone_heartbeat: Process signal that must keep changing for that, or None.
        sights: What it must see, by the robot's name for the camera; on whenever it is done.
    """

    name: str
    arms: tuple[str, ...]
    instruction: str
    time_limit: float
    parts: tuple[Part, ...]
    observation: tuple[Observed, ...]
    signals: tuple[SignalSpec, ...]
    pose_world_home: Mapping[str, Pose]
    demands: Demands
    handover: Handover | None = None
    past_signals: tuple[str, ...] = ()
    zone_signals: tuple[str, ...] = ()
    zone_heartbeat: str | None = None
    sights: Mapping[str, Sight] = {}

    @abstractmethod
    def sample_layout(self, rng: np.random.Generator) -> Layout:
        """Draw an episode. The only place where a task uses randomness."""

    def zones(self, layout: Layout) -> tuple[KeepOut, ...]:
        """Return what hands are kept out of while the station does not let them in, as believed."""
        return ()

    @abstractmethod
    def phases(self, layout: Layout) -> tuple[Phase, ...]:
        """Return the nominal plan, from believed poses only."""

    @abstractmethod
    def begin(self, layout: Layout) -> None:
        """Forget the judgement of the last episode (how long a part has been seated, say).

        Args:
            layout: Of the one that begins: what is judged in it. On hardware, what is believed.
        """

    @abstractmethod
    def evaluate(self, snapshot: Snapshot) -> Outcome:
        """Judge an instant. Rewards, terminations and reports all use this and nothing else."""

    def score(self, outcome: Outcome, verdicts: Mapping[str, str]) -> Outcome:
        """Judge what the policy says it has found, at the end of its work.

        Args:
            outcome: Of the last instant.
            verdicts: What was found, by what was looked at; see `Policy.report`.
        """
        return outcome

    @abstractmethod
    def reward(self, before: Outcome, after: Outcome, action: Array) -> Mapping[str, float]:
        """Return the reward of one policy step, term by term; the reward is their sum.

        Args:
            before: Judgement before the step.
            after: Judgement after the step.
            action: What the policy did, as the environment received it.
        """

    @abstractmethod
    def observe(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Array]:
        """Return what a policy may know about the job, from sensors and believed poses only."""

    def requests(self, snapshot: Snapshot, layout: Layout) -> Mapping[str, Signal]:
        """Return what the robot tells the station while it works, from sensors and beliefs only.

        Told by the robot's controller, not by the policy: that both hands are clear, say.
        """
        return {}


def vector(pose: Pose) -> Array:
    """Return a pose for an observation: position, quaternion with w not negative. Shape (7,)."""
    quaternion = pose.quaternion if pose.quaternion[3] >= 0.0 else -pose.quaternion
    return frozen("pose", np.concatenate([pose.position, quaternion]), (7,))
