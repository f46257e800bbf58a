"""What a policy finds out is judged by the task at its end, and written down."""

import dataclasses

import numpy as np

from policies.policy import Policy
from tasks.task import Operation
from tests.envs.conftest import env  # noqa: F401
from workcell.cycle import CycleRunner
from workcell.traces import ForceWatch


class Saying(Policy):
    """Does nothing and says at once what it has found."""

    def __init__(self, findings):
        self.findings = findings

    def reset(self, brief):
        self.actions = 9 * len(brief.arms)

    def act(self, observation):
        return np.zeros(self.actions, np.float32)

    def report(self):
        told = {"finished": True, "gave_up": False, "findings": {}}
        return {"left": told | {"findings": self.findings}, "right": told}


def run(env, monkeypatch, findings):  # noqa: F811
    def score(outcome, verdicts):
        right = verdicts == {"port": "missing"}
        work = {"inspect port": Operation("inspect missing", right)}
        failure = None if right else "wrong_verdict"
        return dataclasses.replace(outcome, success=right, failure=failure, operations=work)

    monkeypatch.setattr(env.task, "score", score)
    # What the station does once a nut is in has nothing to do with findings.
    monkeypatch.setattr(env.task, "handover", None)
    station = env.loop.cell.station
    monkeypatch.setattr(station, "write", lambda outputs: None)

    runner = CycleRunner(
        env,
        Saying(findings),
        robot="mock",
        level="factory",
        force_watch=ForceWatch(60.0, env.loop.cell.clock.dt),
        request_start=lambda wanted: station.set(start=wanted),
    )
    return runner.run(5)


def test_a_cycle_succeeds_as_soon_as_what_was_found_is_right(env, monkeypatch):  # noqa: F811
    finding = {"verdict": "missing", "felt": False, "place": "city/traction"}
    record = run(env, monkeypatch, {"port": finding})
    assert record.success, record.failure
    assert record.cycle_time_s < 0.5
    assert record.operations["inspect port"].success
    assert record.findings == {"port": finding}


def test_a_wrong_verdict_ends_the_cycle_and_is_named(env, monkeypatch):  # noqa: F811
    record = run(env, monkeypatch, {"port": {"verdict": "locked"}})
    assert (record.success, record.failure) == (False, "wrong_verdict")
    assert not record.operations["inspect port"].success


def test_a_task_that_asks_for_no_findings_judges_as_before(env):  # noqa: F811
    observation, info = env.reset(seed=1)
    assert observation
    assert env.task.score(info["outcome"], {"port": "missing"}) is info["outcome"]
