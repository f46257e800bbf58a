"""The loop that is run in the interpreter of whatever is measured."""

import ast
import sys
import time
from pathlib import Path

import pytest

from tests.workcell.fake_env import EPISODE, Counting
from workcell import step_rate
from workcell.step_rate import StepLoop, Stepped, build, with_gymnasium

SPEC = {
    "interface": "gymnasium",
    "imports": ["tests.workcell.fake_env"],
    "make": "tests/Counting-v0",
    "options": {},
    "control_period": "dt",
    "physics_period": "physics_dt",
    "distributions": ["gymnasium", "no-such-library"],
    "warm_up_s": 0.01,
}


def test_it_needs_nothing_but_python_before_it_is_told_what_to_measure():
    tree = ast.parse(Path(step_rate.__file__).read_text(encoding="utf-8"))
    imported = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_every_episode_is_ended_and_begun_again_and_what_that_took_is_known():
    resets = []

    def reset():
        resets.append(time.process_time())
        until = time.process_time() + 2e-3
        while time.process_time() < until:
            pass

    env = Counting()
    env.reset()

    def step(action):
        ended = env.step(action)[3]
        if ended:
            env.reset()
        return ended

    loop = StepLoop(Stepped(env, reset, step, env.action_space.sample))
    found = loop.measure(0.05)
    assert found["steps"] // EPISODE == found["resets"] == len(resets) - 1 > 1
    assert 2e-3 * found["resets"] <= found["reset_core_s"] < found["core_s"]
    assert 0.05 <= found["core_s"] <= found["wall_s"] + 0.01


def test_what_was_asked_for_is_built_and_says_its_periods_and_versions():
    loop, facts = build(SPEC)
    assert (facts["control_dt"], facts["physics_dt"]) == (0.04, 0.001)
    assert facts["versions"]["gymnasium"]
    assert facts["versions"]["no-such-library"] is None
    assert loop.measure(0.01)["steps"] > 0


def test_the_same_actions_are_taken_every_time():
    def taken():
        stepped = with_gymnasium("tests/Counting-v0", {})
        StepLoop(stepped).measure(0.01)
        return stepped.inner.actions[:10]

    first, second = taken(), taken()
    assert [a.tolist() for a in first] == [a.tolist() for a in second]
    assert len({tuple(a.tolist()) for a in first}) > 1


def test_an_attribute_that_is_not_there_is_not_passed_over():
    with pytest.raises(AttributeError, match="no_period"):
        build({**SPEC, "control_period": "no_period"})
