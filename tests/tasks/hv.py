"""What the tests of high-voltage plugging share: the project's own values, and typed instants."""

from functools import cache
from pathlib import Path

import numpy as np

from robot.cell_state import CellState
from robot.mating import Engagement
from robot.spatial import Pose
from robot.state import RobotState
from robot.station import Direction, StationInputs
from tasks.hv_config import HvPluggingConfig
from tasks.hv_packs import PackModel
from tasks.hv_plugging import HvPlugging
from tasks.hv_variation import HV_LEVELS
from tasks.parts.hv_connector import ConnectorType
from tasks.task import Snapshot
from workcell.config import load

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
OPEN, CLOSED = 0.045, 0.016


@cache
def connectors():
    return {file.stem: load(file, ConnectorType) for file in (CONFIGS / "connector").glob("*.yaml")}


@cache
def packs():
    return {file.stem: load(file, PackModel) for file in (CONFIGS / "pack").glob("*.yaml")}


def config(*models, **changes):
    return HvPluggingConfig(connectors=connectors(), packs=packs(), models=models, **changes)


def job(*models, level="factory", **changes):
    return HvPlugging(config(*models, **changes), HV_LEVELS[level])


def draw(task, seed=0, pack=None):
    """Return a layout without faults, of a given pack."""
    for number in range(seed, seed + 1000):
        layout = task.sample_layout(np.random.default_rng(number))
        faults = [v for k, v in layout.parameters.items() if k.startswith("fault_")]
        if not any(faults) and pack in (None, task.station.pack(layout.parameters).name):
            return layout
    raise AssertionError("no such layout")


def in_header(task, layout, slot, short=0.0, error=None):
    """Return where a plug is that is locked in its header, but for a shortfall and an error."""
    assigned = task.assigned(layout)[slot]
    home = assigned.plug_kind.pose_header_plug(Engagement.LOCKED)
    header = layout.pose_world_parts[assigned.header]
    return header @ Pose.translation([0.0, 0.0, -short]) @ home @ (error or Pose.identity())


def mated_events(slot):
    return {
        f"latched_{slot}": 1.0,
        f"lock_in_{slot}": 1.0,
        f"interlock_{slot}": 1.0,
        f"pull_play_mm_{slot}": 0.3,
    }


def snapshot(task, layout, time=0.0, plugs=None, held=(), events=None, tools=None, signals=None):
    """Return an instant.

    Args:
        task: The job.
        layout: Its draw.
        time: In s.
        plugs: World poses of plugs that are not in their docks, by slot.
        held: Slots of the plugs that hands are closed on.
        events: What only the scene sees.
        tools: World poses of hands, by arm.
        signals: Process signals that are not zero.
    """
    assigned = task.assigned(layout)
    parts = dict(layout.pose_world_parts)
    for slot, pose in (plugs or {}).items():
        parts[assigned[slot].plug] = pose
    hands = dict(task.pose_world_home) | dict(tools or {})
    opening = dict.fromkeys(task.arms, OPEN)
    for slot in held:
        arm = slot.split("_")[0]
        hands[arm], opening[arm] = parts[assigned[slot].plug], CLOSED
    zeros = np.zeros(1)
    inputs = {s.name: s.kind(0) for s in task.signals if s.direction is Direction.INPUT}
    cell = CellState(
        RobotState(time, zeros, zeros, zeros, opening),
        {},
        StationInputs(True, True, inputs | dict(signals or {})),
    )
    return Snapshot(cell, hands, parts, dict(events or {}))
