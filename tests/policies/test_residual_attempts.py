"""What a learned correction is trusted with: an attempt, and no more where that failed."""

from dataclasses import replace

import numpy as np
import pytest

from policies.recovery import ScriptedConfig
from policies.residual import ResidualConfig
from policies.walker import ArmWalker
from tasks.phases import Motion
from tests.policies.plug_rules import (
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


def test_no_attempt_to_correct_is_refused():
    with pytest.raises(ValueError, match="attempts: expected 1 or more, got 0"):
        ResidualConfig(attempts=0)
