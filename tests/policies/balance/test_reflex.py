import dataclasses

import numpy as np
import pytest

from policies.balance.reflex import (
    BalanceConfig,
    BalancePolicy,
    BalanceReflex,
    capture_error,
    contract_of,
)
from policies.balance.stance import OBSERVATION, OBSERVATION_UNITS, ReflexConfig
from policies.network import Mlp, MlpSpec, Normalization
from robot.control.reflex import StanceSense
from robot.errors import ConfigError

DT, FREQUENCY = 2e-3, 3.27
REFLEX = ReflexConfig()


def policy(bias=(0.0,) * 5, weight=None):
    spec = MlpSpec(12, (), 5)
    tensors = {
        "layers.0.weight": np.zeros((5, 12)) if weight is None else weight,
        "layers.0.bias": np.array(bias),
    }
    network = Mlp(spec, tensors, Normalization.none(12))
    return BalancePolicy(
        BalanceConfig(REFLEX, FREQUENCY, 80.0), contract_of("talos", 0.01), network
    )


def reflex(bias=(0.0,) * 5, weight=None):
    return BalanceReflex(policy(bias, weight), "talos")


def sense(position=(0.0, 0.0, 0.9), velocity=(0.0,) * 3, tilt=(0.0, 0.0), rate=(0.0, 0.0)):
    reference = np.array([0.0, 0.0, 0.9])
    return StanceSense(
        *(np.array(x) for x in (position, velocity)), reference, *map(np.array, (tilt, rate))
    )


def test_the_units_cover_the_observation():
    assert len(OBSERVATION_UNITS) == sum(size for _, size, _ in OBSERVATION)


def test_below_the_gate_it_asks_for_nothing_whatever_it_learned():
    eager = reflex((1.0,) * 5)
    for distance in (0.0, 0.5 * REFLEX.gate_opens, REFLEX.gate_opens - 1e-9):
        assert eager.react(sense((distance, 0.0, 0.9)), 1.0) is None
    assert eager.asked == 0


def test_speed_alone_opens_the_gate():
    assert reflex().react(sense(velocity=(0.0, FREQUENCY * 0.03, 0.0)), DT) is not None


@pytest.mark.parametrize(
    "wrong", [{"period": 0.0}, {"lean_limit": -5.0}, {"shift_limit": np.nan}, {"gate_opens": 0.0}]
)
def test_a_reflex_without_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ReflexConfig(**wrong)


@pytest.mark.parametrize("wrong", [{"frequency": 0.0}, {"torso_stiffness": np.inf}])
def test_a_pendulum_without_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BalanceConfig(**{"reflex": REFLEX, "frequency": 3.0, "torso_stiffness": 60.0} | wrong)


def test_the_gate_opens_gradually_up_to_the_bounds():
    middle = 0.5 * (REFLEX.gate_opens + REFLEX.gate_full)
    half = reflex((0.0, 0.0, 1.0, 0.0, 1.0)).react(sense((middle, 0.0, 0.9)), DT)
    full = reflex((0.0, 0.0, 5.0, 0.0, 5.0)).react(sense((0.2, 0.0, 0.9)), DT)
    assert half.position_shift_com == pytest.approx([0.5 * REFLEX.shift_limit, 0.0])
    assert half.height_shift_com == pytest.approx(0.5 * REFLEX.height_limit)
    assert full.position_shift_com == pytest.approx([REFLEX.shift_limit, 0.0])


def test_arms_let_go_in_a_hard_shove_and_take_hold_when_it_is_over():
    acting = reflex()
    errors = (0.035, 0.2, 0.035, 0.0, 0.035)
    asked = [acting.react(sense((error, 0.0, 0.9)), 0.01) for error in errors]
    assert [body and body.yielding for body in asked] == [False, True, True, None, False]


def test_a_lean_ahead_turns_about_y_and_one_to_the_left_about_minus_x():
    ahead = reflex((1.0, 0.0, 0.0, 0.0, 0.0)).react(sense((0.2, 0.0, 0.9)), DT)
    left = reflex((0.0, 1.0, 0.0, 0.0, 0.0)).react(sense((0.2, 0.0, 0.9)), DT)
    turn = 80.0 * REFLEX.lean_limit
    assert ahead.acceleration_torso == pytest.approx([0.0, turn])
    assert left.acceleration_torso == pytest.approx([-turn, 0.0])


@pytest.mark.parametrize(
    ("entry", "seen", "expected"),
    [
        (0, sense((0.1, 0.0, 0.9)), 1.0),
        (5, sense((0.1, 0.0, 0.9), (0.0, 0.15, 0.0)), 0.5),
        (6, sense((0.1, 0.0, 0.9), tilt=(0.0, 0.15)), 0.5),
        (7, sense((0.1, 0.0, 0.9), tilt=(-0.15, 0.0)), 0.5),
        (9, sense((0.1, 0.0, 0.9), rate=(-0.5, 0.0)), 0.5),
        (10, sense((0.1, 0.0, 0.92)), 0.4),
    ],
)
def test_the_network_sees_the_stance_in_its_units(entry, seen, expected):
    weight = np.zeros((5, 12))
    weight[2, entry] = 0.9
    asked = reflex(weight=weight).react(seen, DT)
    assert asked.position_shift_com[0] == pytest.approx(0.9 * expected * REFLEX.shift_limit)


def test_it_looks_once_a_period_and_holds_in_between():
    held = reflex((0.0, 0.0, 1.0, 0.0, 0.0))
    for tick in range(10):
        held.react(sense((0.2, 0.0, 0.9) if tick != 3 else (0.0, 0.0, 0.9)), DT)
    assert held.asked == 2
    held.reset()
    assert held.asked == 0


def test_the_reference_is_what_the_capture_point_is_measured_from():
    leaning = dataclasses.replace(
        sense((0.05, 0.01, 0.9), (FREQUENCY * 0.01, 0.0, 0.0)),
        reference_com=np.array([0.05, 0.0, 0.9]),
    )
    assert capture_error(leaning, FREQUENCY) == pytest.approx([0.01, 0.01])


def test_a_policy_of_another_robot_is_refused():
    with pytest.raises(ConfigError, match="made for talos, asked to drive g1"):
        BalanceReflex(policy(), "g1")
