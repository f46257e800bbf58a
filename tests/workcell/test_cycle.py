"""One cycle on the mock cell: the handshake, in order, and what is written down."""

import pytest

from envs.assembly_env import SETTLE_TIME
from policies.scripted import ScriptedPolicy
from robot.errors import WorkcellError
from tests.envs.conftest import env  # noqa: F401
from workcell.cycle import CycleRunner
from workcell.traces import ForceWatch


@pytest.fixture
def said(env, monkeypatch):  # noqa: F811
    """Return what the robot tells the PLC, in order; the PLC wants a cycle when it is asked."""
    outputs = []
    station = env.loop.cell.station
    station.set(feeder_left_ready=True, feeder_right_ready=True)
    monkeypatch.setattr(station, "write", outputs.append)
    return outputs


def runner(env, answers=True):  # noqa: F811
    station = env.loop.cell.station

    def request_start(wanted):
        station.set(start=wanted and answers)

    return CycleRunner(
        env,
        ScriptedPolicy(),
        robot="mock",
        level="factory",
        force_watch=ForceWatch(60.0, env.loop.cell.clock.dt),
        request_start=request_start,
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


def test_a_station_that_never_starts_is_named(env, said):  # noqa: F811
    with pytest.raises(WorkcellError, match="no 'start' within 5"):
        runner(env, answers=False).run(5)
