"""Which keys an observation has, from which reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from robot.arrays import Array, clipped
from robot.model import RobotModel
from robot.sensor import CameraFrame, Reading, Sensor, TactileReading, WrenchReading
from robot.spatial import Pose
from tasks.task import Layout, Snapshot, Task

Observation = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Entry:
    """One key of the observation.

    Attributes:
        key: Its name.
        shape: Its shape.
        meaning: What it holds, with units and frame.
        bound: No entry is larger than this; what is gets cut. None for a picture of bytes.
        value: Takes it from a snapshot and the tool targets.
    """

    key: str
    shape: tuple[int, ...]
    meaning: str
    bound: float | None
    value: Callable[[Snapshot, Mapping[str, Pose]], NDArray[Any]]


def _wrench(sensor: str) -> Callable[[Snapshot, Mapping[str, Pose]], Array]:
    def value(snapshot: Snapshot, targets: Mapping[str, Pose]) -> Array:
        reading = snapshot.cell.readings[sensor]
        assert isinstance(reading, WrenchReading)  # the name is given to wrench sensors only
        return reading.wrench_tool

    return value


def _touch(sensor: str) -> Callable[[Snapshot, Mapping[str, Pose]], Array]:
    def value(snapshot: Snapshot, targets: Mapping[str, Pose]) -> Array:
        reading = snapshot.cell.readings[sensor]
        assert isinstance(reading, TactileReading)  # the name is given to tactile sensors only
        return reading.pressure / 1e3

    return value


def _picture(sensor: str) -> Callable[[Snapshot, Mapping[str, Pose]], NDArray[np.uint8]]:
    def value(snapshot: Snapshot, targets: Mapping[str, Pose]) -> NDArray[np.uint8]:
        reading = snapshot.cell.readings[sensor]
        assert isinstance(reading, CameraFrame)  # the name is given to cameras only
        return reading.rgb

    return value


def _positive_w(quaternion: Array) -> Array:
    return quaternion if quaternion[3] >= 0.0 else -quaternion


def entries(
    task: Task, model: RobotModel, sensors: Mapping[str, Sensor[Reading]]
) -> tuple[Entry, ...]:
    """Return every key that does not come from the task, in order.

    Args:
        task: Which arms work.
        model: The robot.
        sensors: The cell's sensors; `wrist_<arm>`, `tactile_<arm>` and
            `camera_<name>` become keys.
    """
    found = [
        Entry(
            "joint_position",
            (model.n,),
            "joints, rad",
            2.0 * np.pi,
            lambda s, t: s.cell.robot.joint_position,
        ),
        Entry(
            "joint_velocity",
            (model.n,),
            "joints, rad/s",
            100.0,
            lambda s, t: s.cell.robot.joint_velocity,
        ),
    ]
    for arm in task.arms:
        # The default binds this turn's arm: a closure would see the last one.
        def tool(s: Snapshot, t: Mapping[str, Pose], arm: str = arm) -> Pose:
            return s.pose_world_tools[arm]

        def target(s: Snapshot, t: Mapping[str, Pose], arm: str = arm) -> Pose:
            return t[arm]

        def opening(s: Snapshot, t: Mapping[str, Pose], arm: str = arm) -> Array:
            return np.array([s.cell.robot.gripper_opening[arm]])

        for name, pose in (("tool", tool), ("target", target)):
            found += [
                Entry(
                    f"{arm}_position_world_{name}",
                    (3,),
                    f"{name} of the {arm} arm, m",
                    10.0,
                    lambda s, t, pose=pose: pose(s, t).position,  # type: ignore[misc]
                ),
                Entry(
                    f"{arm}_quaternion_world_{name}",
                    (4,),
                    f"{name} of the {arm} arm, (x, y, z, w), w not negative",
                    1.0,
                    lambda s, t, pose=pose: _positive_w(pose(s, t).quaternion),  # type: ignore[misc]
                ),
            ]
        found.append(
            Entry(f"{arm}_gripper_opening", (1,), "distance between the pads, m", 1.0, opening)
        )
        if f"wrist_{arm}" in sensors:
            meaning = "felt by the tool, along the tool axes, at its origin, N and N·m"
            found.append(Entry(f"{arm}_wrench_tool", (6,), meaning, 1e4, _wrench(f"wrist_{arm}")))
        touch = sensors.get(f"tactile_{arm}")
        if touch is not None:
            shape = tuple(int(n) for n in getattr(touch, "shape", (2, 11, 9)))
            meaning = "taxel pressure, kPa: pad, row along tool z, column along tool x"
            found.append(Entry(f"{arm}_tactile", shape, meaning, 1e5, _touch(f"tactile_{arm}")))
    for name, camera in sensors.items():
        if name.startswith("camera_"):
            shape = tuple(int(n) for n in getattr(camera, "shape", ()))
            key = f"{name.removeprefix('camera_')}_rgb"
            found.append(Entry(key, shape, "picture: row, column, colour", None, _picture(name)))
    return tuple(found)


def space(task: Task, found: tuple[Entry, ...]) -> spaces.Dict:
    """Return the observation space of a task and the keys that `entries` found."""
    bounds = {entry.key: (entry.bound, entry.shape) for entry in found}
    bounds |= {observed.key: (observed.bound, (observed.size,)) for observed in task.observation}
    return spaces.Dict(
        {
            key: spaces.Box(0, 255, shape, np.uint8)
            if bound is None
            else spaces.Box(-bound, bound, shape, np.float32)
            for key, (bound, shape) in bounds.items()
        }
    )


def observe(
    task: Task,
    found: tuple[Entry, ...],
    snapshot: Snapshot,
    layout: Layout,
    pose_world_targets: Mapping[str, Pose],
) -> Observation:
    """Return one observation, as float32; pictures as uint8."""
    values = {e.key: (e.value(snapshot, pose_world_targets), e.bound) for e in found}
    bounds = {observed.key: observed.bound for observed in task.observation}
    values |= {key: (v, bounds[key]) for key, v in task.observe(snapshot, layout).items()}
    return {
        key: value.copy() if bound is None else clipped(value, -bound, bound).astype(np.float32)
        for key, (value, bound) in values.items()
    }
