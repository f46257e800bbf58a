"""The inspection as data: connections as drawn, what the plan does, how verdicts are judged."""

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest

from robot.spatial import Pose
from tasks.hv_inspection import HvInspection, HvInspectionConfig
from tasks.hv_inspection_layout import (
    ANOMALIES,
    HV_INSPECTION_LEVELS,
    Connection,
    HvInspectionVariation,
    connection_of,
    engagement_of,
    jammed,
    profile_of,
    tie_back,
)
from tasks.hv_inspection_plan import HvInspectionPlanConfig
from tasks.hv_judging import fit_of
from tasks.hv_packs import SLOTS
from tasks.parts.hv_connector import KEY_START
from tasks.phases import Motion
from tasks.variation import LEVELS
from tests.tasks.hv import connectors, packs, snapshot


def job(level="factory", **changes):
    level = dataclasses.replace(HV_INSPECTION_LEVELS[level], **changes)
    return HvInspection(HvInspectionConfig(connectors=connectors(), packs=packs()), level)


@pytest.fixture(scope="module")
def task():
    return job()


def layouts(task, number, seed=0):
    rng = np.random.default_rng(seed)
    return [task.sample_layout(rng) for _ in range(number)]


def depth_in_header(task, layout, slot):
    item = task.assigned(layout)[slot]
    parts = layout.pose_world_parts
    return fit_of(parts[item.header].inverse() @ parts[item.plug], item.plug_kind)


def test_every_level_has_anomalies_and_no_faults_of_plugging():
    assert tuple(HV_INSPECTION_LEVELS) == LEVELS
    for v in HV_INSPECTION_LEVELS.values():
        assert 0.0 < v.anomaly_share < 1.0
        assert not any(v.fault_chances.values())
        assert v.bad_pack_chance == 0.0
    assert HV_INSPECTION_LEVELS["factory"].header_offset == 5e-3
    assert HV_INSPECTION_LEVELS["factory"].shove_chance > 0.0


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"anomaly_share: expected 0 to 1, got 1\.5"):
        HvInspectionVariation(anomaly_share=1.5)
    with pytest.raises(ValueError, match="nothing is plugged"):
        HvInspectionVariation(debris_chance=0.1)


def test_connections_are_drawn_as_often_as_said(task):
    drawn = Counter(
        connection_of(layout.parameters, slot)
        for layout in layouts(task, 400)
        for slot in task.assigned(layout)
    )
    n = sum(drawn.values())
    share = 1.0 - drawn[Connection.LOCKED] / n
    assert share == pytest.approx(0.4, abs=4.0 * math.sqrt(0.24 / n))
    for kind in ANOMALIES:
        assert drawn[kind] / n == pytest.approx(0.08, abs=4.0 * math.sqrt(0.08 / n)), kind


def test_without_anomalies_every_plug_is_locked():
    sound = job(anomaly_share=0.0)
    for layout in layouts(sound, 10):
        for slot, item in sound.assigned(layout).items():
            fit = depth_in_header(sound, layout, slot)
            assert fit.depth == pytest.approx(item.kind.mating.full_depth)
            assert fit.lateral == pytest.approx(0.0, abs=1e-9)


def test_each_connection_is_as_deep_as_its_name_says(task):
    seen = set()
    for layout in layouts(task, 60):
        for slot, item in task.assigned(layout).items():
            connection = connection_of(layout.parameters, slot)
            mating, depth = item.kind.mating, depth_in_header(task, layout, slot).depth
            seen.add(connection)
            if connection in (Connection.LOCKED, Connection.OVER_BENT):
                assert depth == pytest.approx(mating.full_depth)
            elif connection is Connection.NOT_LOCKED:
                assert depth == pytest.approx(mating.stroke)
            elif connection is Connection.HALF:
                assert mating.key_depth < depth < 0.81 * mating.stroke
            elif connection is Connection.WRONG_PORT:
                assert 0.0 < depth < KEY_START
                assert item.plug_kind.key != item.header_kind.key
            else:
                dock = layout.pose_world_parts[item.dock]
                docked = fit_of(dock.inverse() @ layout.pose_world_parts[item.plug], item.kind)
                assert docked.depth == pytest.approx(item.kind.mating.stroke)
            # Nothing else is in the header, and nothing is in two places.
            places = [tuple(p.position) for p in layout.pose_world_parts.values()]
            assert len(set(places)) > len(places) - 3
    assert seen == set(Connection)


def test_two_plugs_with_another_key_are_never_the_same_body(task):
    for layout in layouts(task, 200):
        plugs = [item.plug for item in task.assigned(layout).values()]
        assert len(set(plugs)) == len(plugs)


@pytest.mark.parametrize("name", sorted(connectors()))
def test_every_type_can_be_jammed_and_half_plugged(name):
    kind = connectors()[name]
    jam = jammed(kind.mating)
    assert jam.depth(engagement_of(Connection.WRONG_PORT)) == jam.stroke < KEY_START
    assert not jam.latches
    for share in (0.55, 0.8):
        half = profile_of(Connection.HALF, kind, {"half_share_left_0": share}, "left_0")
        depth = half.depth(engagement_of(Connection.HALF))
        assert depth == pytest.approx(share * kind.mating.stroke)
        # Deeper than a wrong key gets, and not so deep that the latch holds it.
        assert kind.mating.key_depth < depth < 0.9 * kind.mating.stroke


def test_a_cable_is_tied_back_narrower_than_it_stands():
    limit = 0.06
    p = {"bent_share_a": 0.5, "bent_slack_a": 1.2, "bent_side_a_deg": 30.0}
    pose = Pose.from_rotation_vector((0.3, 0.1, 0.0), (0.5, 0.2, 0.9))
    clip, length = tie_back(pose, limit, p, "a")
    apart = pose.inverse().transform(clip.position)
    assert np.hypot(*apart[:2]) == pytest.approx(limit)
    assert apart[2] == pytest.approx(0.0)
    assert length == pytest.approx(1.2 * math.pi * 0.03)


def test_the_plan_rests_on_beliefs_alone(task):
    layout = layouts(task, 1)[0]
    aside = Pose.translation((9e-3, 0.0, 0.0))
    moved = {name: pose @ aside for name, pose in layout.pose_world_parts.items()}
    parameters = layout.parameters | {f"connection_{slot}": 4.0 for slot in task.assigned(layout)}
    other = dataclasses.replace(layout, pose_world_parts=moved, parameters=parameters)
    plans = task.phases(layout), task.phases(other)
    for one, two in zip(*plans, strict=True):
        assert (one.name, one.limits, one.operation) == (two.name, two.limits, two.operation)
        assert np.array_equal(one.pose_world_tool.position, two.pose_world_tool.position)


def test_the_plan_looks_first_and_begins_before_anything_that_may_stand_there(task):
    config = HvInspectionPlanConfig()
    for layout in layouts(task, 12):
        phases = task.phases(layout)
        for arm in task.arms:
            assert next(p for p in phases if p.arm == arm).motion is Motion.LOOK
        for slot, item in task.assigned(layout).items():
            steps = {p.name: p for p in phases if p.operation == f"inspect {slot}"}
            header = layout.pose_world_believed[f"header_{slot}"]
            tip = header.inverse() @ steps["come_near"].pose_world_tool
            outermost = jammed(item.kind.mating).stroke - item.kind.tip - 14.5e-3
            assert tip.position[2] + config.fingertip_m <= outermost - 5e-3
            # Fingers about a plug that meet the flange pass its nose.
            assert steps["gauge"].gripper_opening > item.kind.nose.width
            assert f"/{item.port.name}" in steps["probe"].place


def test_forces_that_would_move_a_lock_are_refused():
    known = connectors()
    soft = dataclasses.replace(known["lv_d"].mating, unlock_force=10.0, lock_force=2.5)
    for name, mating, told in (
        (
            "contact_force_n",
            soft,
            r"contact_force_n: .* the 2\.5 N .*'lv_d', got 3",
        ),
        ("pull_force_n", dataclasses.replace(soft, lock_force=18.0), r"pull_force_n: .* the 10 N "),
    ):
        softer = known | {"lv_d": dataclasses.replace(known["lv_d"], mating=mating)}
        with pytest.raises(ValueError, match=told):
            HvInspectionConfig(connectors=softer, packs=packs())
        with pytest.raises(ValueError, match=f"{name}: expected more than 0 N, got 0"):
            HvInspectionPlanConfig(**{name: 0.0})


def test_hands_too_narrow_for_a_plug_are_refused():
    with pytest.raises(ValueError, match="open_m: expected more than the collars'"):
        HvInspectionPlanConfig(open_m=0.02)


def judged(task, layout, verdicts, **events):
    task.begin(layout)
    outcome = task.evaluate(snapshot(task, layout, events=events))
    assert not outcome.success
    return task.score(outcome, verdicts)


def truths(task, layout):
    return {s: connection_of(layout.parameters, s).value for s in task.assigned(layout)}


def anomalous(task):
    """Return a layout with something sound and something that is not."""
    return next(
        layout
        for layout in layouts(task, 50)
        if {"locked", "half-plugged"} <= set(truths(task, layout).values())
    )


def test_right_verdicts_are_success_and_every_connection_counts_twice(task):
    layout = anomalous(task)
    truth = truths(task, layout)
    outcome = judged(task, layout, truth)
    assert outcome.success
    assert outcome.failure is None
    for slot, what in truth.items():
        assert outcome.operations[f"inspect {slot}"].kind == f"inspect {what}"
        kind = "no false alarm" if what == "locked" else "anomaly found"
        assert outcome.operations[f"judge {slot}"].kind == kind
        assert outcome.operations[f"judge {slot}"].success


def test_a_wrong_name_is_no_miss_and_a_miss_and_a_false_alarm_have_names(task):
    layout = anomalous(task)
    truth = truths(task, layout)
    half = next(s for s, what in truth.items() if what == "half-plugged")
    sound = next(s for s, what in truth.items() if what == "locked")
    named = judged(task, layout, truth | {half: "wrong port"})
    assert named.failure == "wrong_verdict"
    assert named.operations[f"inspect {half}"].failure == "said wrong port"
    assert named.operations[f"judge {half}"].success
    missed = judged(task, layout, truth | {half: "locked"}).operations
    assert missed[f"judge {half}"].failure == "missed"
    alarm = judged(task, layout, truth | {sound: "missing"}).operations
    assert alarm[f"judge {sound}"].failure == "false alarm"
    assert not alarm[f"inspect {sound}"].success


def test_what_was_not_inspected_is_neither_found_nor_missed(task):
    layout = anomalous(task)
    outcome = judged(task, layout, {})
    assert not outcome.success
    assert {(o.success, o.failure) for o in outcome.operations.values()} == {(False, None)}


def test_harm_to_a_plug_is_failure_though_every_verdict_is_right(task):
    layout = anomalous(task)
    slot = next(iter(task.assigned(layout)))
    outcome = judged(task, layout, truths(task, layout), **{f"bent_pin_{slot}": 1.0})
    assert outcome.failure == "bent_pin"
    assert not outcome.success
    # A cable that is over-bent was so before the robot came.
    assert judged(task, layout, truths(task, layout), **{f"over_bent_{slot}": 1.0}).success


@pytest.mark.parametrize(
    ("moved_mm", "locked", "failure"),
    [
        (0.0, 1.0, None),
        (-0.9, 1.0, None),
        (-1.1, 1.0, "disturbed"),
        (1.1, 1.0, "disturbed"),
        (0.0, 0.0, "disturbed"),
    ],
)
def test_a_connection_has_to_be_left_as_it_was_found(task, moved_mm, locked, failure):
    layout = anomalous(task)
    slot = next(s for s, what in truths(task, layout).items() if what == "locked")
    task.begin(layout)
    task.evaluate(snapshot(task, layout, events={f"lock_in_{slot}": 1.0}))
    plug = layout.pose_world_parts[task.assigned(layout)[slot].plug]
    moved = {slot: plug @ Pose.translation((0.0, 0.0, 1e-3 * moved_mm))}
    after = snapshot(task, layout, 1.0, plugs=moved, events={f"lock_in_{slot}": locked})
    outcome = task.score(task.evaluate(after), truths(task, layout))
    assert (outcome.success, outcome.failure) == (failure is None, failure)


def test_no_test_is_asked_for_however_well_all_is_plugged(task):
    layout = layouts(task, 1)[0]
    locked = {f"lock_in_{slot}": True for slot in SLOTS}
    assert task.requests(snapshot(task, layout, signals=locked), layout) == {}


def test_nothing_is_seen_of_cables_without_a_camera(task):
    layout = layouts(task, 1)[0]
    observed = task.observe(snapshot(task, layout), layout)
    assert {item.key for item in task.observation} == set(observed)
    for slot in SLOTS:
        assert np.array_equal(observed[f"{slot}_cable"], np.zeros(2))
