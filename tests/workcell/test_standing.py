import dataclasses
import json

import pytest

from robot.errors import SafetyStop, UnknownName
from robot.loop import ControlLoop
from tests.robot.robots import robot_config
from workcell.standing import StandingConfig, measure_standing

SHORT = StandingConfig(press_time=1.0, radii=(0.05,))


def measure(robot, only, config=SHORT):
    return measure_standing(robot_config(robot), config=config, only=only)


def test_hands_are_held_to_half_a_millimetre_with_noise():
    (result,) = measure("talos", "hold")
    assert result.passed, result
    assert result.error_max_mm < 0.5


def test_circles_are_drawn_to_a_millimetre_with_noise():
    (result,) = measure("talos_fixed", "circle")
    assert result.passed, result
    assert result.error_rms_mm < 1.0


def test_a_hand_pushes_with_eighty_newtons_along_its_tool():
    (result,) = measure("talos", "push")
    assert result.passed, result
    assert result.force_n == pytest.approx(80.0, abs=4.0)


def test_shoves_from_every_side_are_survived():
    results = measure("talos", "shove")
    assert [result.survived for result in results] == [True] * 4
    assert {result.unsolved_ticks for result in results} == {0}


def test_a_result_that_misses_its_limit_has_not_passed():
    (result,) = measure("talos_fixed", "hold", StandingConfig(hold_limit_mm=1e-6))
    assert result.survived
    assert not result.passed


def test_an_unknown_trial_is_answered_with_the_known_ones():
    with pytest.raises(UnknownName, match="Did you mean 'shove'"):
        measure("talos", "shov")


@pytest.mark.parametrize("ticks", [0, 30])
def test_a_robot_that_is_stopped_early_has_failed_every_trial(monkeypatch, ticks):
    """Also while it settles: its trials are told, and so are those that remain."""
    track = ControlLoop._track
    done = []

    def stopped(loop, target, number, state):
        done.append(number)
        if sum(done) > ticks:
            done.clear()
            raise SafetyStop("base: tilted")
        return track(loop, target, number, state)

    monkeypatch.setattr(ControlLoop, "_track", stopped)
    results = measure_standing(robot_config("talos_fixed"), config=SHORT)
    assert len(results) >= 3
    assert not any(result.survived or result.passed for result in results)
    for result in results:
        json.dumps(dataclasses.asdict(result), allow_nan=False)
