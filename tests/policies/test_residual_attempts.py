"""What a learned correction is trusted with: an attempt, and a search for a while, and no more."""

from dataclasses import replace

import numpy as np
import pytest

from policies.corrector import Corrector
from policies.recovery import ScriptedConfig
from policies.residual_config import ResidualConfig
from policies.scripted import ScriptedPolicy
from policies.search import Search
from policies.walker import ArmWalker
from tasks.phases import Motion
from tests.policies.plug_rules import (
    DT,
    GOAL,
    STIFFNESS,
    Socket,
    away,
    back,
    held,
    plugging,
)
from tests.policies.test_residual import ARMS, RuleCell, residual


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("attempts", [1, 2])
def test_what_failed_with_a_correction_is_tried_again_without(shared, attempts):
    policy = residual(ResidualConfig(shared=shared, attempts=attempts), bias=0.8)
    cell = RuleCell()
    policy.reset(cell.brief)
    corrector, tried = policy._corrector, {arm: {} for arm in ARMS}
    for _ in range(600):
        observation = cell.observe()
        if corrector.script.attempt("right") == 1:
            # The station does not say that it sits.
            observation["signals"][cell.signals.index("seated_right")] = 0.0
        cell.step(policy.act(observation))
        for arm, active in zip(ARMS, corrector.active, strict=True):
            if active:
                largest = np.abs(corrector._offsets[arm].value).max()
                tried[arm].setdefault(corrector.script.attempt(arm), []).append(largest)
    assert all(cell.seated.values())
    assert policy.report()["right"]["retries"] == {"retry": 1}
    # The arm that has not failed goes on being corrected.
    assert set(tried["left"]) == {1}
    assert set(tried["right"]) == {1, 2}
    assert max(tried["left"][1]) > 0.0
    assert max(tried["right"][1]) > 0.0
    assert bool(max(tried["right"][2]) > 0.0) is (attempts == 2)


def test_attempts_are_counted_on_where_another_part_is_fetched():
    """Retries begin anew with it, and who is trusted with so many attempts is not."""
    plan = (
        *plugging()[:4],
        held("approach", Motion.MOVE, back(GOAL, 0.02)),
        held("search", Motion.SEARCH, GOAL, limits={"radius_mm": 2.0, "entered_mm": 1.0}),
    )
    plan = tuple(replace(p, operation="plug") for p in plan)
    config = ScriptedConfig(retries=2, fetches=1)
    walker, hand = ArmWalker(plan, config, lambda share: STIFFNESS), away()
    hand.socket, attempts = Socket(wall=-4e-3), [walker.attempt]
    while not walker.gave_up and hand.time < 60.0:
        hand.obey(walker.step(hand.sense()))
        if walker.attempt != attempts[-1]:
            attempts.append(walker.attempt)
    assert walker.retries == {"retry": 4, "fetch": 1}
    assert attempts == [1, 2, 3, 4, 5, 6, 1]


class Searches:
    """What the left arm's searches are like: their angles, and by how much they are corrected."""

    def __init__(self, bias, learning=False, **trusted):
        config = ResidualConfig(shared=True, **trusted)
        corrector, cell = Corrector(config, ARMS), RuleCell()
        corrector.reset(cell.brief, learning=learning)
        self.angles, self.corrections = [], []
        while (phase := corrector.script.doing("left")) is None or phase.name != "align":
            corrector.look(cell.observe())
            motion = corrector.script._walkers["left"]._motion
            if isinstance(motion, Search):
                self.angles.append(motion.angle)
            cell.step(corrector.act(np.full((2, 7), bias, np.float32)))
            if isinstance(motion, Search):
                self.corrections.append(np.abs(corrector._offsets["left"].value).max())


def test_a_search_that_is_led_for_too_long_begins_anew_and_is_not_led():
    # It is under way since the step that felt contact, and so long with its eighth own step.
    steps = 7
    trusted = {"search_s": (steps + 1.5) * DT}
    led = Searches(0.1, **trusted)
    assert led.angles[steps] == 0.0
    assert np.diff(led.angles[:steps]).min() > 0.0
    assert np.diff(led.angles[steps:]).min() >= 0.0
    assert max(led.corrections[:steps]) > 0.0
    assert max(led.corrections[-4:]) == 0.0
    alone = Searches(0.0, **trusted)
    assert np.diff(alone.angles).min() >= 0.0
    assert len(led.angles) > steps + len(alone.angles)


@pytest.mark.parametrize("trusted", [{"learning": True, "search_s": 0.2}, {"search_s": 60.0}])
def test_a_search_is_led_to_its_end_where_one_learns_and_where_there_is_time(trusted):
    led = Searches(0.1, **trusted)
    assert np.diff(led.angles).min() >= 0.0
    assert led.corrections[-2] > 0.0


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_search_of_an_attempt_that_is_not_corrected_goes_on(monkeypatch, attempts):
    monkeypatch.setattr(ScriptedPolicy, "attempt", lambda script, arm: 2)
    angles = Searches(0.1, search_s=8 * DT, attempts=attempts).angles
    assert bool(np.diff(angles).min() < 0.0) is (attempts == 2)


@pytest.mark.parametrize(
    ("name", "least"), [("attempts", "1 or more"), ("search_s", "more than 0")]
)
def test_no_attempt_and_no_time_to_correct_are_refused(name, least):
    with pytest.raises(ValueError, match=f"{name}: expected {least}, got 0"):
        ResidualConfig(**{name: 0})
