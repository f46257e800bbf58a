"""High-voltage plugging: what it judges, asks the station for and lets a policy know."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from robot.spatial import Pose
from robot.station import Direction
from robot.zone_watch import HandScanner
from tasks.hv_packs import SLOTS
from tasks.hv_plugging import _ZONE, REFUSED
from tasks.hv_signals import REQUEST
from tasks.phases import Motion
from tests.tasks.hv import draw, in_header, job, mated_events, snapshot


@pytest.fixture
def task():
    return job()


def away(pose, distance=0.3):
    return pose @ Pose.translation([0.0, 0.0, -distance])


def test_what_a_policy_sees_does_not_depend_on_where_parts_really_are(task):
    layout = draw(task)
    seen = task.observe(snapshot(task, layout), layout)
    names = list(layout.pose_world_parts)
    swapped = dict(zip(names, reversed(layout.pose_world_parts.values()), strict=True))
    index = {"pack_index": layout.parameters["pack_index"]}
    hidden = dataclasses.replace(layout, pose_world_parts=swapped, parameters=index)
    again = task.observe(snapshot(task, hidden), hidden)
    assert seen.keys() == again.keys() == {o.key for o in task.observation}
    for item in task.observation:
        assert seen[item.key].shape == (item.size,)
        assert np.array_equal(seen[item.key], again[item.key])
        assert np.all(np.abs(seen[item.key]) <= item.bound)


def test_every_pack_is_seen_with_the_same_keys_and_says_what_it_lacks(task):
    city, truck = (draw(task, pack=name) for name in ("city", "truck"))
    here = task.observe(snapshot(task, city), city)
    there = task.observe(snapshot(task, truck), truck)
    assert {k: v.shape for k, v in here.items()} == {k: v.shape for k, v in there.items()}
    assert [here[f"{slot}_connector"][0] for slot in SLOTS] == [1.0, 0.0, 1.0, 0.0]
    assert [there[f"{slot}_connector"][0] for slot in SLOTS] == [1.0, 1.0, 1.0, 1.0]


def asked(task, layout, time=0.0, hands="clear", locked=True, **signals):
    tools = {
        "clear": task.station.pose_world_clear,
        "home": task.pose_world_home,
        "at a header": {arm: layout.pose_world_believed[f"header_{arm}_0"] for arm in task.arms},
    }[hands]
    locks = {f"lock_in_{slot}": locked for slot in task.assigned(layout)}
    instant = snapshot(task, layout, time, tools=tools, signals=locks | signals)
    return task.requests(instant, layout)


def test_a_test_is_asked_for_when_all_locks_are_in_and_hands_are_out_of_the_zone(task):
    layout = draw(task)
    assert asked(task, layout) == {REQUEST: True, REFUSED: False}
    assert asked(task, layout, hands="at a header")[REQUEST] is False
    assert asked(task, layout, locked=False)[REQUEST] is False
    one_open = {"lock_in_left_0": False}
    assert asked(task, layout, **one_open)[REQUEST] is False


def test_a_test_that_has_ended_is_not_asked_for_again(task):
    assert asked(task, draw(task), test_done=True)[REQUEST] is False


def test_a_pack_is_refused_when_hands_wait_with_a_plug_missing(task):
    layout = draw(task)
    task.begin(layout)
    assert asked(task, layout, 0.0, locked=False)[REFUSED] is False
    assert asked(task, layout, 0.9, locked=False)[REFUSED] is False
    assert asked(task, layout, 1.1, locked=False)[REFUSED] is True
    # It stays so while the plugs that are in are taken off.
    assert asked(task, layout, 2.0, hands="at a header", locked=False)[REFUSED] is True
    task.begin(layout)
    assert asked(task, layout, 0.0, locked=False)[REFUSED] is False


def test_a_pause_anywhere_else_refuses_nothing(task):
    layout = draw(task)
    task.begin(layout)
    for time in (0.0, 5.0):
        assert asked(task, layout, time, hands="home", locked=False)[REFUSED] is False
    for time in (6.0, 12.0):
        assert asked(task, layout, time)[REFUSED] is False


@pytest.mark.parametrize("pack", ["city", "sedan", "suv", "truck", "prototype"])
def test_waiting_hands_are_clear_and_working_hands_are_not(pack):
    task = job(pack, level="nominal")
    layout = task.sample_layout(np.random.default_rng(0))
    zones = task.zones(layout)
    assert {zone.name for zone in zones} == set(task.assigned(layout))
    scanner = HandScanner()
    scanner.reset(zones)
    times = np.arange(0.0, 0.1, 0.002)
    assert [scanner.clear(task.station.pose_world_clear, float(t), False) for t in times][-1]
    for phase in task.phases(layout):
        if phase.name == "mate" or phase.motion in (Motion.LOCK, Motion.UNLOCK):
            hands = dict(task.station.pose_world_clear) | {phase.arm: phase.pose_world_tool}
            assert not task.requests(
                snapshot(
                    task,
                    layout,
                    tools=hands,
                    signals={f"lock_in_{slot}": True for slot in SLOTS},
                ),
                layout,
            )[REQUEST]


@pytest.mark.parametrize("level", ["factory", "hard"])
def test_zones_lie_where_headers_are_believed_to_be(level):
    """The pack is believed where it nominally stands, its headers are seen much nearer."""
    task = job("truck", level=level)
    reach = 0.0
    for seed in range(20):
        layout = task.sample_layout(np.random.default_rng(seed))
        headers = {s: layout.pose_world_parts[a.header] for s, a in task.assigned(layout).items()}
        true = task.station.zones(headers, task.station.pack(layout.parameters))
        for zone, real in zip(task.zones(layout), true, strict=True):
            off = zone.pose_world_box.inverse() @ real.pose_world_box
            corners = np.array(list(itertools.product((-1.0, 1.0), repeat=3))) * real.half_extents
            apart = [np.linalg.norm(off.transform(corner) - corner) for corner in corners]
            reach = max(reach, *map(float, apart))
    assert 1e-3 < reach < _ZONE.margin


def test_signals_are_named_by_slot_and_the_same_for_every_pack():
    names = {s.name for s in job("city").signals}
    assert names == {s.name for s in job("truck").signals}
    assert {f"lock_in_{slot}" for slot in SLOTS} <= names
    outputs = {s.name for s in job().signals if s.direction is Direction.OUTPUT}
    assert outputs == {REQUEST, REFUSED}
    assert set(job().zone_signals) <= names


# Judging


def story(task, layout, harm=None, tested=True, skip=()):
    """Walk every plug of a pack in and out again; return the last judgement."""
    task.begin(layout)
    slots = [slot for slot in task.assigned(layout) if slot not in skip]
    homes = {slot: in_header(task, layout, slot) for slot in slots}
    events = {}
    time = 0.0

    def look(**kwargs):
        nonlocal time
        time += 1.0
        return task.evaluate(snapshot(task, layout, time, events=events, **kwargs))

    look()
    plugged = {}
    for slot in slots:
        look(plugs=plugged, held=[slot])
        look(plugs=plugged | {slot: away(homes[slot])}, held=[slot])
        plugged[slot] = homes[slot]
        events |= mated_events(slot)
        look(plugs=plugged, held=[slot])
        look(plugs=plugged)
    if tested:
        events["tested"] = 1.0
    if harm is not None:
        events |= harm
    for slot in reversed(slots):
        look(plugs=plugged, held=[slot])
        events = {k: v for k, v in events.items() if k not in mated_events(slot)}
        events[f"dwell_s_{slot}"] = 0.2
        plugged[slot] = away(homes[slot])
        look(plugs=plugged, held=[slot])
        del plugged[slot]
        look(plugs=plugged, held=[slot])
        assert not look(plugs=plugged).success, "let go a moment ago"
    return look(plugs=plugged)


@pytest.mark.parametrize("pack", ["city", "truck"])
def test_every_plug_in_tested_and_out_is_success(task, pack):
    layout = draw(task, pack=pack)
    outcome = story(task, layout)
    assert outcome.success
    assert outcome.failure is None
    assert outcome.progress == pytest.approx(1.0)
    assert set(outcome.operations) == {
        f"{work} {slot}" for slot in task.assigned(layout) for work in ("plug", "unplug")
    }
    assert all(operation.time_s is not None for operation in outcome.operations.values())


def test_a_test_that_was_broken_off_fails_the_pack(task):
    layout = draw(task)
    assert story(task, layout, tested=False).failure is None
    assert story(task, layout, tested=False, harm={"test_aborted": 1.0}).failure == "test_aborted"


def test_a_plug_in_the_other_hand_is_held(task):
    layout = draw(task)
    own = task.assigned(layout)["left_0"].port.arm
    (other,) = set(task.arms) - {own}
    task.begin(layout)
    instant = snapshot(task, layout, 0.0, held=["left_0"])
    task.evaluate(instant)
    plug = instant.pose_world_parts[task.assigned(layout)["left_0"].plug]
    swapped = dict(instant.pose_world_tools)
    swapped[own], swapped[other] = swapped[other], swapped[own]
    openings = dict(instant.cell.robot.gripper_opening)
    openings[own], openings[other] = openings[other], openings[own]
    robot = dataclasses.replace(instant.cell.robot, gripper_opening=openings)
    cell = dataclasses.replace(instant.cell, robot=robot)
    swapped_instant = dataclasses.replace(instant, cell=cell, pose_world_tools=swapped)
    assert task._held(instant, plug)
    assert task._held(swapped_instant, plug)
    assert not task._held(snapshot(task, layout, 0.0), plug)


def test_a_held_out_pack_counts_its_held_out_types_by_themselves():
    task = job("prototype", level="nominal")
    outcome = story(task, task.sample_layout(np.random.default_rng(0)))
    kinds = {name: operation.kind for name, operation in outcome.operations.items()}
    assert kinds["plug left_0"] == "plug held-out"
    assert kinds["unplug right_1"] == "unplug held-out"
    assert kinds["plug right_0"] == "plug"


def test_a_pack_that_was_not_tested_is_no_success(task):
    assert not story(task, draw(task), tested=False).success


def test_a_plug_left_out_is_no_success(task):
    outcome = story(task, draw(task, pack="truck"), skip=("right_1",))
    assert not outcome.success
    assert not outcome.operations["plug right_1"].success
    assert outcome.operations["plug right_0"].success


def test_harm_ends_nothing_but_fails_the_pack_at_the_end(task):
    layout = draw(task, pack="city")
    outcome = story(task, layout, harm={"over_bent_left_0": 1.0})
    assert outcome.failure == "over_bent"
    assert outcome.operations["unplug left_0"].failure == "over_bent"
    assert outcome.operations["unplug right_0"].success
    task.begin(layout)
    early = task.evaluate(snapshot(task, layout, events={"over_bent_left_0": 1.0}))
    assert early.failure is None
    assert early.measures["harms"] == 1.0


@pytest.mark.parametrize(
    ("events", "failure"),
    [
        ({"fallen": 1.0}, "fell"),
        ({"contact_force_n": 61.0}, "over_force"),
        ({"unplugged_under_voltage_left_0": 1.0}, "unplugged_under_voltage"),
    ],
)
def test_what_cannot_be_undone_fails_by_name(task, events, failure):
    layout = draw(task)
    task.begin(layout)
    outcome = task.evaluate(snapshot(task, layout, events=events))
    assert outcome.failure == failure
    assert not outcome.success


@pytest.mark.parametrize(
    ("name", "short", "error"),
    [
        ("short of its stroke", 0.6e-3, None),
        ("in, but for the lock", 3e-3, None),
        ("leaning", 0.0, Pose.from_rotation_vector((0.0, math.radians(2.5), 0.0))),
        ("beside it", 0.0, Pose.translation((0.0, 0.8e-3, 0.0))),
        ("in the neighbour's place", 0.0, Pose.translation((0.0, 0.1, 0.0))),
    ],
)
def test_a_plug_elsewhere_is_not_mated(task, name, short, error):
    layout = draw(task)
    task.begin(layout)
    home = {"left_0": in_header(task, layout, "left_0")}
    events = mated_events("left_0")
    good = task.evaluate(snapshot(task, layout, plugs=home, events=events))
    assert good.measures["mated_left_0"] == 1.0
    near = {"left_0": in_header(task, layout, "left_0", short, error)}
    bad = task.evaluate(snapshot(task, layout, 1.0, plugs=near, events=events))
    assert bad.measures["mated_left_0"] == 0.0, name


def test_a_lock_s_signal_has_its_truth_among_the_measures(task):
    layout = draw(task, pack="city")
    task.begin(layout)
    outcome = task.evaluate(snapshot(task, layout, events={"lock_in_right_0": 1.0}))
    truth = {slot: outcome.measures[f"lock_in_{slot}"] for slot in SLOTS}
    assert truth == {"left_0": 0.0, "left_1": 0.0, "right_0": 1.0, "right_1": 0.0}


def test_progress_pays_and_harm_costs(task):
    layout = draw(task, pack="city")
    task.begin(layout)
    start = task.evaluate(snapshot(task, layout))
    task.evaluate(snapshot(task, layout, 1.0, held=["left_0"]))
    home = {"left_0": in_header(task, layout, "left_0")}
    events = mated_events("left_0")
    end = task.evaluate(snapshot(task, layout, 2.0, plugs=home, events=events))
    assert end.progress > start.progress
    action = np.zeros(18)
    assert task.reward(start, end, action)["progress"] > 0.0
    harmed = task.evaluate(
        snapshot(task, layout, 3.0, plugs=home, events=events | {"bent_pin_left_0": 1.0})
    )
    assert task.reward(end, harmed, action)["harm"] < 0.0
    assert task.reward(harmed, harmed, action)["harm"] == 0.0


def test_a_job_is_judged_by_what_is_believed_where_no_scene_sees_more(task):
    """On hardware there are no events: nothing is known to be latched, and nothing breaks."""
    layout = draw(task)
    task.begin(layout)
    outcome = task.evaluate(snapshot(task, layout, events={}))
    assert outcome.failure is None
    assert not outcome.success
    assert set(outcome.operations) == {
        f"{kind} {slot}" for slot in task.assigned(layout) for kind in ("plug", "unplug")
    }
