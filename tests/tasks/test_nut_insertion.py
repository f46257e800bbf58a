"""The nut insertion task: what it draws, plans, judges and lets a policy know."""

import dataclasses
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from robot.cell_state import CellState
from robot.errors import UnknownName
from robot.spatial import Pose
from robot.state import RobotState
from robot.station import StationInputs
from tasks import TASKS, task_named
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_station import StationConfig
from tasks.nut_variation import NUT_LEVELS
from tasks.phases import Motion
from tasks.task import Layout, Snapshot
from tasks.variation import LEVELS
from tests.tasks.spread import Spread, check_chance

FAR = 0.2


@pytest.fixture
def task():
    return NutInsertion(NutInsertionConfig(), NUT_LEVELS["factory"])


def snapshot(task, layout, time=0.0, seated=("left", "right"), opening=0.03, events=None):
    """Return a snapshot in which the first nut of each named side sits on its pin."""
    parts = dict(layout.pose_world_parts)
    for arm in seated:
        parts[f"nut_{arm}_0"] = parts[f"pin_{arm}"] @ task.size.pose_pin_nut
    zeros = np.zeros(1)
    robot = RobotState(time, zeros, zeros, zeros, dict.fromkeys(task.arms, opening))
    signals = {s.name: False for s in task.signals}
    tools = {arm: parts[f"pin_{arm}"] @ Pose.translation([0.0, 0.0, FAR]) for arm in task.arms}
    cell = CellState(robot, {}, StationInputs(True, True, signals))
    return Snapshot(cell, tools, parts, events or {})


def judge_for(task, layout, seconds, **kwargs):
    """Return the judgement after a pose was held for some seconds."""
    task.begin(layout)
    outcome = None
    for time in np.arange(0.0, seconds + 1e-9, 0.1):
        outcome = task.evaluate(snapshot(task, layout, time=float(time), **kwargs))
    return outcome


def test_both_nuts_home_for_half_a_second_is_success(task):
    layout = task.sample_layout(np.random.default_rng(0))
    assert judge_for(task, layout, 0.6).success


def test_success_needs_time_after_the_hand_let_go(task):
    layout = task.sample_layout(np.random.default_rng(0))
    assert not judge_for(task, layout, 0.4).success
    # Still in the hand: closed on the nut, and near it.
    held = snapshot(task, layout, opening=0.012)
    tools = {arm: held.pose_world_parts[f"nut_{arm}_0"] for arm in task.arms}
    task.begin(layout)
    for time in np.arange(0.0, 2.0, 0.1):
        cell = dataclasses.replace(held.cell, robot=dataclasses.replace(held.cell.robot, time=time))
        outcome = task.evaluate(Snapshot(cell, tools, held.pose_world_parts))
    assert outcome.measures["seated_left"] == 1.0
    assert not outcome.success


def test_one_side_is_not_both(task):
    layout = task.sample_layout(np.random.default_rng(0))
    outcome = judge_for(task, layout, 1.0, seated=("left",))
    assert not outcome.success
    assert outcome.measures["seated_left"] == 1.0
    assert outcome.measures["seated_right"] == 0.0


@pytest.mark.parametrize(
    ("events", "failure"),
    [
        ({"fallen": 1.0}, "fell"),
        ({"contact_force_n": 61.0}, "over_force"),
        ({"lost_left": 3.0}, "out_of_nuts_left"),
    ],
)
def test_what_cannot_be_undone_fails_by_name(task, events, failure):
    layout = task.sample_layout(np.random.default_rng(0))
    outcome = judge_for(task, layout, 1.0, events=events)
    assert outcome.failure == failure
    assert not outcome.success


def test_a_hard_touch_is_not_forgotten(task):
    layout = task.sample_layout(np.random.default_rng(0))
    task.begin(layout)
    task.evaluate(snapshot(task, layout, events={"contact_force_n": 70.0}))
    later = task.evaluate(snapshot(task, layout, time=1.0))
    assert later.failure == "over_force"


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_draws_stay_inside_their_level(level):
    v = NUT_LEVELS[level]
    task = NutInsertion(NutInsertionConfig(), v)
    rng = np.random.default_rng(3)
    for _ in range(50):
        layout = task.sample_layout(rng)
        p = layout.parameters
        assert v.clearance[0] <= 1e-3 * p["clearance_mm"] <= v.clearance[1]
        assert v.chamfer[0] <= 1e-3 * p["chamfer_mm"] <= v.chamfer[1]
        assert v.friction[0] <= p["friction_steel"] <= v.friction[1]
        assert math.hypot(p["shove_x_ns"], p["shove_y_ns"]) <= v.shove_impulse + 1e-12
        for arm in task.arms:
            assert v.magnet_force[0] <= p[f"magnet_force_{arm}_n"] <= v.magnet_force[1]
            pin = layout.pose_world_believed[f"pin_{arm}"].inverse()
            error = pin @ layout.pose_world_parts[f"pin_{arm}"]
            assert np.all(np.abs(error.position) <= v.pin_offset + 1e-12)
            assert error.angle_to(Pose.identity()) <= math.sqrt(2.0) * v.pin_tilt + 1e-12


@pytest.mark.parametrize("level", sorted(LEVELS))
def test_draws_fill_the_ranges_of_their_level(level):
    v = NUT_LEVELS[level]
    task = NutInsertion(NutInsertionConfig(), v)
    rng, spread = np.random.default_rng(4), Spread()
    n, faults, shoves = 1500, 0, 0
    for _ in range(n):
        layout = task.sample_layout(rng)
        p = layout.parameters
        shoves += math.hypot(p["shove_x_ns"], p["shove_y_ns"]) > 0.0
        spread.add(
            clearance=1e-3 * p["clearance_mm"],
            chamfer=1e-3 * p["chamfer_mm"],
            friction=p["friction_steel"],
        )
        for arm in task.arms:
            faults += p[f"feeder_wait_{arm}_s"] > 0.0
            spread.add(magnet=p[f"magnet_force_{arm}_n"], grip=p[f"grip_share_{arm}"])
            for place in ("pin", "nest"):
                believed = layout.pose_world_believed[f"{place}_{arm}"]
                off = believed.inverse() @ layout.pose_world_parts[f"{place}_{arm}"]
                spread.add(**{f"{place}_{axis}": off.position[i] for i, axis in enumerate("xyz")})
                turn = off.rotation_vector()
                spread.add(**{f"{place}_tilt_x": turn[0], f"{place}_tilt_y": turn[1]})
                assert turn[2] == pytest.approx(0.0, abs=1e-9)
            nest = layout.pose_world_parts[f"nest_{arm}"].inverse()
            fed = (nest @ layout.pose_world_parts[task.nuts(arm)[0]]).position
            spread.add(fed_y=fed[1], fed_z=fed[2])
    both = {
        **{f"pin_{axis}": v.pin_offset for axis in "xyz"},
        **{f"nest_{axis}": v.grasp_offset for axis in "xyz"},
        **{f"pin_tilt_{axis}": v.pin_tilt for axis in "xy"},
        **{f"nest_tilt_{axis}": v.grasp_tilt for axis in "xy"},
        **{f"fed_{axis}": v.feeder_offset for axis in "yz"},
    }
    spread.check(
        {
            **{name: (-bound, bound) for name, bound in both.items()},
            "clearance": v.clearance,
            "chamfer": v.chamfer,
            "friction": v.friction,
            "magnet": v.magnet_force,
            "grip": (1.0 - v.grip_share, 1.0 + v.grip_share),
        }
    )
    check_chance(faults, 2 * n, v.feeder_fault_chance)
    check_chance(shoves, n, v.shove_chance)


def test_the_level_that_is_measured_at_varies_as_much_as_is_published():
    v = NUT_LEVELS["factory"]
    assert (v.grasp_offset, v.pin_offset, v.feeder_offset) == (2e-3, 2e-3, 0.2e-3)
    assert np.degrees([v.grasp_tilt, v.pin_tilt]) == pytest.approx([5.0, 1.0])
    assert (v.clearance, v.chamfer) == ((1e-4, 2e-4), (5e-4, 1e-3))
    assert (v.magnet_force, v.friction) == ((2.0, 10.0), (0.10, 0.40))
    assert (v.grip_share, v.feeder_fault_chance) == (0.10, 0.005)
    assert (v.shove_chance, v.shove_impulse, v.noise) == (0.2, 10.0, "B")


def test_one_seed_is_one_layout_and_survives_a_record(task):
    first = task.sample_layout(np.random.default_rng(7))
    again = task.sample_layout(np.random.default_rng(7))
    assert first.as_json() == again.as_json()
    assert Layout.from_json(first.as_json()).as_json() == first.as_json()
    other = task.sample_layout(np.random.default_rng(8))
    assert other.as_json() != first.as_json()


def test_the_plan_knows_only_what_is_believed(task):
    layout = task.sample_layout(np.random.default_rng(1))
    moved = dataclasses.replace(
        layout,
        pose_world_parts={
            name: pose @ Pose.translation([0.1, 0.0, 0.0])
            for name, pose in layout.pose_world_parts.items()
        },
        parameters={},
    )
    for here, there in zip(task.phases(layout), task.phases(moved), strict=True):
        assert np.array_equal(here.pose_world_tool.position, there.pose_world_tool.position)


def test_what_a_policy_sees_does_not_depend_on_where_parts_really_are(task):
    layout = task.sample_layout(np.random.default_rng(1))
    seen = task.observe(snapshot(task, layout), layout)
    names = list(layout.pose_world_parts)
    swapped = dict(zip(names, reversed(list(layout.pose_world_parts.values())), strict=True))
    hidden = dataclasses.replace(layout, pose_world_parts=swapped)
    again = task.observe(snapshot(task, hidden, seated=()), hidden)
    assert seen.keys() == again.keys() == {o.key for o in task.observation}
    for item in task.observation:
        assert seen[item.key].shape == (item.size,)
        assert np.array_equal(seen[item.key], again[item.key])


def test_the_plan_ends_at_the_seat_for_each_arm(task):
    layout = task.sample_layout(np.random.default_rng(1))
    for arm in task.arms:
        phases = [p for p in task.phases(layout) if p.arm == arm]
        insert = next(p for p in phases if p.motion is Motion.INSERT)
        pin = layout.pose_world_believed[f"pin_{arm}"]
        nut = insert.pose_world_tool @ insert.pose_tool_part
        wanted = pin @ task.size.pose_pin_nut
        assert np.allclose(nut.position, wanted.position, atol=1e-12)
        assert nut.angle_to(wanted) < 1e-7


def test_progress_pays(task):
    layout = task.sample_layout(np.random.default_rng(0))
    task.begin(layout)
    start = task.evaluate(snapshot(task, layout, seated=()))
    end = task.evaluate(snapshot(task, layout, time=0.1))
    assert end.progress > start.progress
    assert task.reward(start, end, np.zeros(16))["progress"] > 0.0
    assert task.reward(end, start, np.zeros(16))["progress"] < 0.0


@pytest.mark.parametrize("reached", [0.0, 0.5, 0.98])
def test_a_job_that_is_spoilt_late_is_worth_no_more_than_one_that_is_left_alone(task, reached):
    layout = task.sample_layout(np.random.default_rng(0))
    task.begin(layout)
    first = task.evaluate(snapshot(task, layout, seated=()))
    path = [replace(first, progress=share * reached) for share in np.linspace(0.0, 1.0, 60)]
    path.append(replace(path[-1], failure="over_force"))
    steps = [task.reward(a, b, np.zeros(16)) for a, b in itertools.pairwise(path)]
    total = sum(0.99**i * sum(terms.values()) for i, terms in enumerate(steps))
    assert total == pytest.approx(-5.0 * 0.99 ** (len(steps) - 1), abs=1e-9)


def test_wrong_names_and_numbers_are_refused():
    with pytest.raises(UnknownName, match="Did you mean 'm8'"):
        NutInsertionConfig(nut="m88")
    with pytest.raises(ValueError, match="tilt_deg"):
        StationConfig(tilt_deg=60.0)
    with pytest.raises(UnknownName, match="nut_insertion"):
        task_named("nut_insertoin")
    assert all(set(entry.levels) == set(LEVELS) for entry in TASKS.values())
