"""One cycle on the mock cell: the handshake, in order, and what is written down."""

import dataclasses

import pytest

from envs.assembly_env import SETTLE_TIME
from policies.scripted import ScriptedPolicy
from robot.errors import (
    DeviceFault,
    EpisodeSetupError,
    NoSolution,
    SafetyStop,
    Toppled,
    WorkcellError,
)
from robot.state import Lifecycle
from robot.station import StationOutputs
from tests.envs.conftest import env  # noqa: F401
from workcell.cycle import CycleRunner
from workcell.records import SideRecord
from workcell.traces import ForceWatch


@pytest.fixture
def said(env, monkeypatch):  # noqa: F811
    """Return what the robot tells the PLC, in order; the PLC wants a cycle when it is asked."""
    outputs = []
    station = env.loop.cell.station
    station.set(feeder_left_ready=True, feeder_right_ready=True)
    monkeypatch.setattr(station, "write", outputs.append)
    return outputs


def runner(env, answers=True, slow=False, on_close=lambda: None):  # noqa: F811
    station = env.loop.cell.station
    hold = env.hold

    def request_start(wanted):
        station.set(start=wanted and answers and not slow)

    def hold_and_start():
        hold()
        station.set(start=True)

    if slow:
        # The station answers only once it has been waited for.
        env.hold = hold_and_start

    return CycleRunner(
        env,
        ScriptedPolicy(),
        robot="mock",
        level="factory",
        force_watch=ForceWatch(60.0, env.loop.cell.clock.dt),
        request_start=request_start,
        on_close=on_close,
    )


def test_a_cycle_that_runs_out_of_time_is_said_and_recorded_as_such(env, said):  # noqa: F811
    record = runner(env).run(5)
    assert [(o.ready, o.busy, o.done, o.passed) for o in said] == [
        (True, False, False, False),
        (False, True, False, False),
        (False, False, True, False),
    ]
    assert (record.success, record.failure, record.seed) == (False, "time_out", 5)
    assert record.cycle_time_s == pytest.approx(env.task.time_limit, abs=0.05)
    assert record.layout == env.layout.as_json()


def test_the_time_that_passed_in_the_cell_is_that_of_each_cycle_by_itself(env, said):  # noqa: F811
    cycles = runner(env)
    first, second = cycles.run(5), cycles.run(6)
    for record in (first, second):
        passed = record.cycle_time_s + SETTLE_TIME
        assert record.sim_s == pytest.approx(passed, abs=0.1)


def breaking(env, monkeypatch, error, seed, where):  # noqa: F811
    """Let something raise an error in the cycle of one seed."""
    original, reset, now = getattr(where[0], where[1]), env.reset, {}

    def remember(*, seed=None, options=None):
        now["seed"] = seed
        return reset(seed=seed, options=options)

    def fail(*args, **kwargs):
        if now["seed"] == seed:
            raise error
        return original(*args, **kwargs)

    monkeypatch.setattr(env, "reset", remember)
    monkeypatch.setattr(*where, fail)


def recover(env):  # noqa: F811
    """Do what an operator does, and a simulated scene."""
    env.loop.cell.driver.recover()
    env.loop.cell.driver.activate()


@pytest.mark.parametrize(
    ("error", "place", "failure"),
    [
        (EpisodeSetupError("the plug is too far away"), "apply", "setup: the plug is too far away"),
        (SafetyStop("wrist_left: 90 N"), "read", "guard_stop: wrist_left: 90 N"),
        (NoSolution("no posture for the plan"), "phases", "no_solution"),
        (SafetyStop("wrist_left: 90 N"), "hold", "guard_stop: wrist_left: 90 N"),
    ],
)
def test_a_cycle_that_cannot_begin_is_a_failure_and_the_next_one_runs(
    env,  # noqa: F811
    said,
    monkeypatch,
    error,
    place,
    failure,
):
    alone = runner(env).run(8)
    owner = {"apply": env.scene, "read": env.loop.cell.driver, "phases": env.task, "hold": env}
    breaking(env, monkeypatch, error, 7, (owner[place], place))
    cycles = runner(env, slow=place == "hold")
    before = cycles.run(6)
    said.clear()
    record = cycles.run(7)
    assert (record.seed, record.success, record.failure) == (7, False, failure)
    # Nothing of the cycle before is taken for its own.
    assert (record.cycle_time_s, record.operations, record.measures) == (0.0, {}, {})
    assert all(side == SideRecord() for side in record.sides.values()) or place == "hold"
    assert record.guard_stops == int(place == "read")
    assert record.layout == env.layout.as_json() != before.layout
    assert (said[-1].ready, said[-1].busy, said[-1].done) == (False, False, False)
    recover(env)
    again = cycles.run(8)
    assert (again.failure, again.layout) == (alone.failure, alone.layout)


def test_a_robot_that_nobody_recovers_is_no_failure_of_one_draw_after_the_other(
    env,  # noqa: F811
    said,
    monkeypatch,
):
    cycles = runner(env)
    breaking(env, monkeypatch, SafetyStop("emergency stop"), 7, (env.loop.cell.driver, "read"))
    assert cycles.run(7).failure == "guard_stop: emergency stop"
    with pytest.raises(SafetyStop, match="driver fault: stopped"):
        cycles.run(8)


def test_a_programming_error_before_the_start_is_none_of_the_cycles(env, monkeypatch):  # noqa: F811
    breaking(env, monkeypatch, KeyError("pose"), 7, (env.scene, "apply"))
    with pytest.raises(KeyError, match="pose"):
        runner(env).run(7)


def test_a_station_that_never_starts_is_named(env, said):  # noqa: F811
    with pytest.raises(WorkcellError, match="no 'start' within 5"):
        runner(env, answers=False).run(5)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DeviceFault("no answer"), KeyError("pose")])
def test_whatever_ends_a_cycle_halts_the_robot_and_takes_its_outputs_back(
    env,  # noqa: F811
    said,
    monkeypatch,
    error,
):
    monkeypatch.setattr(env.task, "requests", lambda snapshot, layout: {"tighten": True})
    breaking(env, monkeypatch, error, 7, (env, "step"))
    cycles = runner(env)
    with pytest.raises(type(error)):
        cycles.run(7)
    assert env.loop.cell.driver.lifecycle is Lifecycle.FAULT
    assert said[-1] == StationOutputs()
    recover(env)
    assert cycles.run(8).failure == "time_out"


def handing_over(env, monkeypatch, error):  # noqa: F811
    """Let a cycle succeed at once, and something raise an error while the station answers."""
    evaluate, score = env.task.evaluate, env.task.score
    monkeypatch.setattr(
        env.task, "evaluate", lambda *a: dataclasses.replace(evaluate(*a), success=True)
    )
    monkeypatch.setattr(env.task, "score", lambda *a: dataclasses.replace(score(*a), success=True))
    if error is not None:
        breaking(env, monkeypatch, error, 7, (env, "hold"))


@pytest.mark.parametrize(
    ("error", "failure", "lifecycle"),
    [
        (None, "not_tightened", Lifecycle.ACTIVE),
        (SafetyStop("wrist_left: 90 N"), "guard_stop: wrist_left: 90 N", Lifecycle.FAULT),
        (Toppled("base: tilted by 0.6"), "fell: base: tilted by 0.6", Lifecycle.FAULT),
        (NoSolution("no posture"), "no_solution", Lifecycle.FAULT),
    ],
)
def test_a_hand_over_that_fails_says_why(
    env,  # noqa: F811
    said,
    monkeypatch,
    error,
    failure,
    lifecycle,
):
    handing_over(env, monkeypatch, error)
    record = runner(env).run(7)
    assert (record.success, record.failure) == (False, failure)
    assert record.fell is isinstance(error, Toppled)
    assert env.loop.cell.driver.lifecycle is lifecycle
    assert said[-1] == StationOutputs(done=True, passed=False)


def test_a_cycle_does_not_begin_while_a_signal_tells_of_the_last_one(
    env,  # noqa: F811
    said,
    monkeypatch,
):
    monkeypatch.setattr(env.task, "past_signals", ("seated_left",))
    station, hold = env.loop.cell.station, env.hold
    station.set(seated_left=True)
    cycles = runner(env)
    with pytest.raises(WorkcellError, match="no 'end of seated_left of the last cycle' within 5"):
        cycles.run(5)
    held = []

    def fall():
        hold()
        held.append(env.elapsed)
        station.set(seated_left=len(held) < 3)

    monkeypatch.setattr(env, "hold", fall)
    recover(env)
    assert cycles.run(5).failure == "time_out"
    assert len(held) == 3


def test_what_passes_before_the_start_is_not_the_cycles(env, said, monkeypatch):  # noqa: F811
    hold, waited = env.hold, []

    def wait():
        hold()
        waited.append(env.elapsed)
        env.loop.cell.station.set(start=len(waited) > 50)

    cycles = runner(env, slow=True)
    monkeypatch.setattr(env, "hold", wait)
    begun = []
    act = cycles._policy.act
    monkeypatch.setattr(cycles._policy, "act", lambda seen: begun.append(env.elapsed) or act(seen))
    record = cycles.run(5)
    assert waited[-1] > 2.0
    assert begun[0] == 0.0
    # What is to happen in it, too: once after the reset, and once at the start.
    assert env.scene.begun == 2
    assert record.cycle_time_s == pytest.approx(env.task.time_limit, abs=0.05)


def test_nothing_is_asked_of_the_station_once_the_cycle_has_ended(env, said, monkeypatch):  # noqa: F811
    monkeypatch.setattr(env.task, "requests", lambda snapshot, layout: {"tighten": True})
    runner(env).run(5)
    asked = [(o.ready, o.busy, o.done, bool(o.signals)) for o in said]
    assert asked == [
        (True, False, False, False),
        (False, True, False, True),
        (False, False, True, False),
    ]


@pytest.mark.parametrize("falls", [True, False])
def test_an_answer_that_was_there_before_the_request_is_to_an_earlier_cycle(
    env,  # noqa: F811
    said,
    monkeypatch,
    falls,
):
    handing_over(env, monkeypatch, None)
    station, hold = env.loop.cell.station, env.hold
    station.set(tightened_left=True, tightened_right=True)
    asked = StationOutputs(busy=True, signals={"tighten": True})

    def answer():
        hold()
        if falls:
            # Low at the next look, and high again once it was asked for.
            up = asked in said
            station.set(tightened_left=up, tightened_right=up)

    monkeypatch.setattr(env, "hold", answer)
    record = runner(env).run(7)
    assert (record.success, record.failure) == (falls, None if falls else "not_tightened")
    assert (asked in said) is falls


def test_a_device_that_breaks_in_the_hand_over_is_no_answer_of_the_station(
    env,  # noqa: F811
    said,
    monkeypatch,
):
    handing_over(env, monkeypatch, DeviceFault("the gripper does not answer"))
    with pytest.raises(DeviceFault, match="gripper"):
        runner(env).run(7)
    assert env.loop.cell.driver.lifecycle is Lifecycle.FAULT
    assert said[-1] == StationOutputs()


def test_a_robot_whose_servos_are_on_comes_to_rest_before_its_cell_is_closed(env):  # noqa: F811
    driver, seen = env.loop.cell.driver, []
    cycles = runner(env, on_close=lambda: seen.append(driver.lifecycle))
    cycles.close()
    cycles.close()
    assert seen == [Lifecycle.INACTIVE, Lifecycle.INACTIVE]
