"""The judgement of plugs, on instants typed by hand: mated, unmated, and every near miss."""

import dataclasses
import math

import pytest

from robot.spatial import Pose
from tasks.hv_judging import (
    HARMS,
    UNDER_VOLTAGE,
    Fit,
    PlugFacts,
    PlugJudge,
    PlugRule,
    fit_of,
    is_docked,
    shortfall,
)
from tasks.hv_packs import Port
from tasks.hv_station import Assigned, other_key
from tasks.hv_variation import Fault
from tests.tasks.hv import connectors

KIND = connectors()["hv_a"]
FULL = KIND.mating.full_depth
DOCKED = KIND.dock.full_depth
RULE = PlugRule()
PORT = Port("traction", "hv_a", "left", (-0.04, 0.2, 0.3))
FAR = Fit(-0.3, 0.3, 0.1, 0.0)
HOME = Fit(FULL, 0.0, 0.0, 0.0)
IN_DOCK = Fit(DOCKED, 0.0, 0.0, 0.0)


def assigned(fault=Fault.NONE, kind=KIND, **changes):
    fields = {
        "slot": "left_0",
        "port": PORT,
        "kind": kind,
        "plug_kind": kind,
        "header_kind": kind,
        "fault": fault,
        "header": "h",
        "dock": "d",
        "plug": "p",
    }
    return Assigned(**(fields | changes))


def facts(time=0.0, fit=HOME, dock_fit=FAR, **changes):
    fields = {
        "free_since": 0.0,
        "held": False,
        "latched": True,
        "lock_in": True,
        "interlock": True,
        "pull_play": 0.3e-3,
        "dwell": None,
        "under_voltage": False,
        "harms": {},
    }
    return PlugFacts(time=time, fit=fit, dock_fit=dock_fit, **(fields | changes))


LOOSE = {"latched": False, "lock_in": False, "interlock": False, "pull_play": math.inf}


def docked(time, **changes):
    return facts(time, FAR, IN_DOCK, **(LOOSE | changes))


def carried(time, **changes):
    return facts(time, FAR, FAR, held=True, **(LOOSE | changes))


def test_a_plug_that_has_everything_is_mated():
    assert shortfall(facts(), assigned(), RULE) is None
    assert shortfall(facts(fit=Fit(FULL - 0.4e-3, 0.4e-3, 0.03, 0.03)), assigned(), RULE) is None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("too_shallow", {"fit": Fit(FULL - 0.6e-3, 0.0, 0.0, 0.0)}),
        # Home, but for the lock's stroke.
        ("too_shallow", {"fit": Fit(KIND.mating.stroke, 0.0, 0.0, 0.0)}),
        ("too_deep", {"fit": Fit(FULL + 0.6e-3, 0.0, 0.0, 0.0)}),
        ("off_axis", {"fit": Fit(FULL, 0.6e-3, 0.0, 0.0)}),
        ("tilted", {"fit": Fit(FULL, 0.0, math.radians(2.1), 0.0)}),
        ("tilted", {"fit": Fit(FULL, 0.0, math.pi, 0.0)}),
        ("turned", {"fit": Fit(FULL, 0.0, 0.0, math.radians(2.1))}),
        ("turned", {"fit": Fit(FULL, 0.0, 0.0, math.pi)}),
        ("not_latched", {"latched": False}),
        ("not_locked", {"lock_in": False}),
        ("interlock_open", {"interlock": False}),
        ("not_in_socket", {"pull_play": math.inf}),
        ("pulled_loose", {"pull_play": 0.5e-3}),
    ],
)
def test_a_near_miss_of_mating_has_a_name(name, changes):
    assert shortfall(facts(**changes), assigned(), RULE) == name


def test_a_wrong_key_is_never_mated():
    other = other_key(KIND)
    assert other.key != KIND.key
    assert shortfall(facts(), assigned(header_kind=other), RULE) == "wrong_key"
    assert shortfall(facts(), assigned(plug_kind=other), RULE) == "wrong_key"


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("half out", Fit(DOCKED - 3e-3, 0.0, 0.0, 0.0)),
        ("beside it", Fit(DOCKED, 2e-3, 0.0, 0.0)),
        ("skewed", Fit(DOCKED, 0.0, math.radians(5.0), 0.0)),
        ("before it", Fit(-5e-3, 0.0, 0.0, 0.0)),
        ("turned", Fit(DOCKED, 0.0, 0.0, math.radians(5.0))),
        ("upside down", Fit(DOCKED, 0.0, 0.0, math.pi)),
    ],
)
def test_a_near_miss_of_the_dock_is_not_docked(name, fit):
    assert is_docked(IN_DOCK, KIND, RULE)
    assert not is_docked(fit, KIND, RULE), name


def test_a_fit_is_measured_in_the_header_s_frame_on_every_axis():
    header = Pose.from_rotation_vector((0.2, 1.9, -0.4), (0.6, 0.1, 0.9))
    lean = Pose.from_rotation_vector((0.0, 0.02, 0.0))
    turn = Pose.from_rotation_vector((0.0, 0.0, 0.03))
    shift = Pose.translation((3e-4, -4e-4, 5e-3))
    plug = header @ shift @ turn @ Pose.translation((0.0, 0.0, -KIND.tip))
    fit = fit_of(header.inverse() @ plug, KIND)
    assert fit.depth == pytest.approx(5e-3, abs=1e-9)
    assert fit.lateral == pytest.approx(5e-4, abs=1e-9)
    assert fit.tilt == pytest.approx(0.0, abs=1e-6)
    assert fit.turn == pytest.approx(0.03, abs=1e-9)
    leaning = header @ lean @ Pose.translation((0.0, 0.0, -KIND.tip))
    assert fit_of(header.inverse() @ leaning, KIND).tilt == pytest.approx(0.02, abs=1e-9)


def walk(*instants, what=None):
    judge = PlugJudge(what or assigned(), RULE)
    for instant in instants:
        judge.look(instant)
    return judge


PLUGGED = (docked(0.0), docked(1.0, held=True), carried(2.0), facts(5.0, held=True), facts(6.0))
UNPLUGGED = (
    facts(20.0, held=True),
    facts(22.0, Fit(-0.01, 0.0, 0.0, 0.0), FAR, held=True, **LOOSE | {"dwell": 0.2}),
    docked(25.0, dwell=0.2),
    docked(25.5, dwell=0.2),
)


def test_both_pieces_of_work_are_done_and_timed_from_the_grasped_plug():
    operations = walk(*PLUGGED, *UNPLUGGED).operations()
    plug, unplug = operations["plug left_0"], operations["unplug left_0"]
    assert (plug.kind, plug.success, plug.failure, plug.time_s) == ("plug", True, None, 4.0)
    assert (unplug.kind, unplug.success, unplug.failure, unplug.time_s) == (
        "unplug",
        True,
        None,
        2.0,
    )


def test_held_out_types_are_counted_by_themselves():
    held_out = assigned(kind=connectors()["hv_e"])
    kinds = {operation.kind for operation in walk(what=held_out).operations().values()}
    assert kinds == {"plug held-out", "unplug held-out"}


def test_what_is_still_held_is_not_plugged_yet():
    judge = walk(*PLUGGED[:-1])
    assert judge.lacks is None
    assert not judge.operations()["plug left_0"].success


def test_being_in_the_dock_from_the_start_is_no_unplugging():
    operations = walk(docked(0.0), docked(10.0)).operations()
    assert not any(operation.success for operation in operations.values())
    assert not any(operation.failure for operation in operations.values())


def test_a_plug_out_of_its_header_is_not_unmated_before_it_is_in_its_dock():
    assert not walk(*PLUGGED, *UNPLUGGED[:-2]).operations()["unplug left_0"].success


@pytest.mark.parametrize(
    "between",
    [
        (docked(25.4, dwell=0.2),),
        (docked(25.3, dwell=0.2, held=True), docked(25.6, dwell=0.2)),
        (facts(25.3, FAR, FAR, **LOOSE | {"dwell": 0.2}), docked(25.6, dwell=0.2)),
    ],
)
def test_a_plug_is_unmated_once_it_has_lain_in_its_dock_for_half_a_second(between):
    judge = walk(*PLUGGED, *UNPLUGGED[:-1], *between)
    assert not judge.operations()["unplug left_0"].success
    judge.look(docked(26.2, dwell=0.2))
    done = judge.operations()["unplug left_0"]
    assert done.success
    # The arm was free when the plug came to lie there for good.
    came = 25.0 if len(between) == 1 else 25.6
    assert (done.whole_s, judge.free_at) == (pytest.approx(came), pytest.approx(came))


@pytest.mark.parametrize("dwell", [None, 0.0, 0.09])
def test_power_that_parts_too_soon_after_the_interlock_fails_the_unplugging(dwell):
    out = dataclasses.replace(UNPLUGGED[1], dwell=dwell)
    operations = walk(*PLUGGED, UNPLUGGED[0], out, docked(25.0, dwell=dwell)).operations()
    assert operations["unplug left_0"].failure == "short_dwell"
    assert operations["plug left_0"].success


def test_parting_under_voltage_fails_the_unplugging():
    last = docked(25.0, dwell=0.2, under_voltage=True)
    operations = walk(*PLUGGED, *UNPLUGGED[:-1], last).operations()
    assert operations["unplug left_0"].failure == UNDER_VOLTAGE


@pytest.mark.parametrize("harm", HARMS)
def test_harm_fails_the_work_in_which_it_came_about(harm):
    def harmed(instant):
        return dataclasses.replace(instant, harms={harm: 1.0})

    late = walk(*PLUGGED, *map(harmed, UNPLUGGED)).operations()
    assert late["plug left_0"].success
    assert late["unplug left_0"].failure == harm
    early = walk(*PLUGGED[:3], *map(harmed, (*PLUGGED[3:], *UNPLUGGED))).operations()
    assert early["plug left_0"].failure == harm
    assert not early["plug left_0"].success
    assert early["unplug left_0"].success


AT_MOUTH = dataclasses.replace(carried(3.0), fit=Fit(2e-3, 1e-3, 0.0, 0.0))


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_a_plug_that_cannot_be_mated_is_to_be_tried_and_put_back(fault):
    what = assigned(fault)
    taken = (docked(0.0), docked(1.0, held=True), carried(2.0))

    def refusal(*instants):
        operations = walk(*instants, what=what).operations()
        assert list(operations) == ["refuse left_0"]
        assert operations["refuse left_0"].kind == "refusal"
        return operations["refuse left_0"]

    back = (docked(9.0), docked(9.5))
    assert refusal(*taken, AT_MOUTH, *back).success
    assert not refusal(docked(0.0), *back).success, "never touched"
    assert not refusal(*taken, *back).success, "never tried"
    assert not refusal(*taken, AT_MOUTH).success, "not put back"
    assert not refusal(*taken, AT_MOUTH, back[0]).success, "just let go"
    forced = docked(9.5, harms={"forced_wrong_key": 1.0})
    assert refusal(*taken, AT_MOUTH, back[0], forced).failure == "forced_wrong_key"


def test_progress_rises_from_dock_to_header_and_back():
    judge = PlugJudge(assigned(), RULE)
    seen = []
    for instant in (*PLUGGED[:3], AT_MOUTH, *PLUGGED[4:], *UNPLUGGED[1:]):
        judge.look(instant)
        seen.append(judge.progress)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_the_whole_time_of_a_plug_counts_from_when_its_arm_was_free():
    judge = PlugJudge(assigned(), RULE)
    judge.look(facts(time=3.0, fit=FAR, held=True, free_since=1.0))
    judge.look(facts(time=5.0, held=True, free_since=1.0))
    assert judge.done == 0
    judge.look(facts(time=6.0, free_since=1.0))
    plug = judge.operations()["plug left_0"]
    assert judge.done == 1
    assert plug.time_s == pytest.approx(2.0)
    assert plug.whole_s == pytest.approx(5.0)
