"""What is concluded from findings, and how they come about, on plugs made of rules.

No physics: the tool follows its target until its fingers meet a plug's rear, its neck or a flange.
"""

import dataclasses
import math

import numpy as np
import pytest

from policies.inspection import Finding, conclude
from policies.policy import Brief
from policies.scripted import ScriptedPolicy
from robot.spatial import Pose
from tasks.hv_inspection_layout import Connection, connection_of, engagement_of, profile_of
from tasks.hv_inspection_plan import REAR
from tests.tasks.test_hv_inspection import job, layouts

DT = 0.04
SCALE = {"translation_m": 0.02, "rotation_rad": 0.08, "push_n": 30.0, "opening_m": 0.05}
FINGERTIP, STIFFNESS = 7e-3, 3000.0
STROKE, KEY, BEND = 14.0, 4.5, 75.0
LOCKED = Finding(felt=True, lock_in=True, followed=False, seen_mm=230.0, bend_mm=200.0)
OUT = dataclasses.replace(LOCKED, lock_in=False, followed=None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Connection.LOCKED),
        ({"bend_mm": 76.0}, Connection.LOCKED),
        ({"bend_mm": 74.0}, Connection.OVER_BENT),
        ({"bend_mm": None}, Connection.OVER_BENT),
        ({"seen_mm": 20.0}, Connection.OVER_BENT),
        ({"felt": False}, Connection.MISSING),
        ({"followed": True}, Connection.HALF),
    ],
)
def test_what_a_lock_that_is_in_leaves_open(changes, expected):
    assert conclude(dataclasses.replace(LOCKED, **changes), STROKE, KEY, BEND) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"depth_mm": 14.0}, Connection.NOT_LOCKED),
        ({"depth_mm": 14.0, "followed": False}, Connection.NOT_LOCKED),
        ({"depth_mm": 14.0, "followed": True}, Connection.HALF),
        ({"depth_mm": 13.4}, Connection.NOT_LOCKED),
        ({"depth_mm": 12.9}, Connection.HALF),
        ({"depth_mm": 4.7}, Connection.HALF),
        ({"depth_mm": 4.3}, Connection.WRONG_PORT),
        ({"felt": False}, Connection.MISSING),
        # Never "as it should be" for want of evidence.
        ({"depth_mm": None}, Connection.WRONG_PORT),
    ],
)
def test_depth_tells_what_a_lock_that_is_out_means(changes, expected):
    assert conclude(dataclasses.replace(OUT, **changes), STROKE, KEY, BEND) is expected


class RulePlug:
    """One arm before headers that are elsewhere than believed, with plugs as they were left."""

    def __init__(self, task, layout, arm, offset):
        self.layout, self.arm = layout, arm
        error = Pose.translation(offset)
        self.headers = {}
        for slot, item in task.assigned(layout).items():
            if item.port.arm != arm:
                continue
            connection = connection_of(layout.parameters, slot)
            header = layout.pose_world_believed[f"header_{slot}"] @ error
            depth = None
            if connection is not Connection.MISSING:
                profile = profile_of(connection, item.kind, layout.parameters, slot)
                depth = profile.depth(engagement_of(connection))
            self.headers[slot] = (header, item.kind, depth, connection)
        self.target, self.opening, self.push = task.pose_world_home[arm], 0.025, 0.0
        # Where the tool was when the fingers closed on a neck, which does not give way.
        self.grip = None

    def step(self, action):
        a = np.clip(np.asarray(action, dtype=float), -1.0, 1.0)
        self.target = self.target @ Pose.from_rotation_vector(0.08 * a[3:6], 0.02 * a[:3])
        wanted = 0.025 * (a[6] + 1.0)
        self.opening += float(np.clip(wanted - self.opening, -0.2 * DT, 0.2 * DT))
        self.push = 30.0 * a[8]

    def observe(self):
        tool, push = self.target, 0.0
        if self.opening > 0.016:
            self.grip = None
        for header, kind, depth, _ in self.headers.values():
            at = header.inverse() @ self.target
            x, y, z = at.position
            if math.hypot(x, y) > 0.02 or z < -0.2:
                continue
            wall = -FINGERTIP
            if depth is not None:
                origin = depth - kind.tip
                if self.opening < 0.02 and z < origin - REAR:
                    wall = origin - REAR - FINGERTIP
                elif self.opening <= 0.016 and abs(z - origin) < 3e-3:
                    self.opening = 0.016
                    self.grip = self.grip or tool
            elif self.opening < 0.02:
                wall = math.inf
            if z > wall:
                push = STIFFNESS * (z - wall)
                tool = header @ Pose(np.array([x, y, wall]), at.quaternion)
        if self.grip is not None:
            tool, push = self.grip, self.push
        return {
            f"{self.arm}_position_world_tool": tool.position.astype(np.float32),
            f"{self.arm}_quaternion_world_tool": tool.quaternion.astype(np.float32),
            f"{self.arm}_position_world_target": self.target.position.astype(np.float32),
            f"{self.arm}_quaternion_world_target": self.target.quaternion.astype(np.float32),
            f"{self.arm}_wrench_tool": np.array([0, 0, -push, 0, 0, 0], np.float32),
            f"{self.arm}_gripper_opening": np.array([self.opening], np.float32),
            f"{self.arm}_in_hand": np.zeros(4, np.float32),
        }


def inspect(task, layout, offset=(0.0, 0.0, 0.0), seconds=40.0):
    """Return the report of an inspection on rules, and what is true, by slot."""
    plan = task.phases(layout)
    sides = {arm: RulePlug(task, layout, arm, offset) for arm in task.arms}
    truth = {s: item[3] for side in sides.values() for s, item in side.headers.items()}
    signals = tuple(s.name for s in task.signals if s.direction.value == "input")
    cables = {
        f"{slot}_cable": np.array(
            [0.1, 0.03] if connection is Connection.OVER_BENT else [0.23, 0.2], np.float32
        )
        for slot, connection in truth.items()
    }
    locked = (Connection.LOCKED, Connection.OVER_BENT)
    values = [n[8:] in truth and truth[n[8:]] in locked for n in signals]
    policy = ScriptedPolicy()
    policy.reset(Brief(task.instruction, task.arms, plan, 0, SCALE, DT, signals))
    for _ in range(int(seconds / DT)):
        observation = dict(cables)
        for side in sides.values():
            observation |= side.observe()
        observation["signals"] = np.array(values, np.float32)
        action = policy.act(observation)
        for i, side in enumerate(sides.values()):
            side.step(action[9 * i : 9 * i + 9])
        report = policy.report()
        if all(report[arm]["finished"] for arm in task.arms):
            return report, truth
    raise AssertionError({arm: report[arm]["phase"] for arm in task.arms})


@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (3e-3, -4e-3, 5e-3), (-5e-3, 5e-3, -5e-3)])
def test_every_connection_is_told_wherever_its_header_is(offset):
    task = job(anomaly_share=0.9)
    told = set()
    for layout in layouts(task, 12, seed=1):
        report, truth = inspect(task, layout, offset)
        findings = {s: f for arm in task.arms for s, f in report[arm]["findings"].items()}
        assert {s: f["verdict"] for s, f in findings.items()} == {
            s: connection.value for s, connection in truth.items()
        }
        told |= set(truth.values())
    assert told == set(Connection)


def test_a_finding_says_where_and_on_what_evidence():
    task = job(anomaly_share=0.0)
    report, _ = inspect(task, layouts(task, 1)[0])
    finding = next(iter(report["left"]["findings"].values()))
    pack, port = finding["place"].split("/")
    assert pack in {p.name for p in task.station.packs}
    assert port
    assert finding["felt"]
    assert finding["lock_in"]
    assert finding["gripped"]
    assert finding["followed"] is False
    assert finding["bend_mm"] == pytest.approx(200.0)


def test_the_depth_that_is_told_is_how_deep_it_is():
    task = job(anomaly_share=1.0)
    for layout in layouts(task, 6):
        report, _ = inspect(task, layout, (1e-3, 1e-3, 4e-3))
        sides = {arm: RulePlug(task, layout, arm, (0, 0, 0)) for arm in task.arms}
        for arm in task.arms:
            for slot, finding in report[arm]["findings"].items():
                if finding["depth_mm"] is not None:
                    depth = sides[arm].headers[slot][2]
                    assert finding["depth_mm"] == pytest.approx(1e3 * depth, abs=0.3)
