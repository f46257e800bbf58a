"""The mock's devices put together: a cell with no physics and no hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from robot.arrays import Array
from robot.cell import Cell
from robot.guard import Guard
from robot.guard_config import GuardConfig
from robot.mock import ManualClock, MockDriver, MockDriverConfig, MockSensor, MockStation, no_wrench
from robot.model import RobotModel
from robot.sensor import Reading
from robot.spatial import Pose
from robot.station import SignalSpec


def mock_cell(
    model: RobotModel,
    joint_position: Array,
    *,
    dt: float = 2e-3,
    sensors: Mapping[str, Callable[[float], Reading]] | None = None,
    signals: Sequence[SignalSpec] = (),
    guard: GuardConfig | None = None,
    driver: MockDriverConfig | None = None,
    pose_world_base: Pose | None = None,
) -> Cell:
    """Return a deterministic cell, its driver not yet configured.

    Args:
        model: The robot.
        joint_position: Where its joints start, in rad. Shape (n,).
        dt: The control period, in s.
        sensors: What each further sensor returns at a time, by sensor name. Every arm has a
            `wrist_<arm>` that feels nothing unless named here.
        signals: The process signals of the station, all off.
        guard: What the guard allows; the defaults if omitted.
        driver: What the joints are like; the defaults if omitted.
        pose_world_base: Where a floating base stands; the identity if omitted.
    """
    clock = ManualClock(dt)
    device = MockDriver(model, clock, joint_position, driver, pose_world_base)
    sources: dict[str, Callable[[float], Reading]] = {
        f"wrist_{arm}": no_wrench for arm in model.tool_frames
    }
    sources.update(sensors or {})
    return Cell(
        model=model,
        driver=device,
        sensors={name: MockSensor(clock, source) for name, source in sources.items()},
        station=MockStation(signals),
        clock=clock,
        guard=Guard(model, guard, device.spec.grippers, device.spec.limits),
    )
