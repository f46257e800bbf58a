import numpy as np
import pytest

from robot.control.balance import GRAVITY, Balance, BalanceConfig
from robot.state import BodyTarget

MASS, HEIGHT, DT = 90.0, 0.9, 2e-3
FEET = [np.array([0.0, 0.1, 0.0]), np.array([0.0, -0.1, 0.0])]
COM = np.array([0.0, 0.0, HEIGHT])


def standing(**options):
    balance = Balance(BalanceConfig(**options), MASS)
    balance.reset(COM, FEET)
    return balance


def pushed(balance, wrench, seconds=3.0):
    for _ in range(round(seconds / DT)):
        balance.load(np.array(wrench), DT)


def wanted(balance, position=COM, velocity=(0.0, 0.0, 0.0), body=None):
    return balance.com_acceleration(np.array(position), np.array(velocity), body, DT)


def test_a_robot_in_balance_wants_nothing():
    assert wanted(standing()) == pytest.approx(np.zeros(3))


def test_it_leans_into_a_hand_that_is_pushed_back():
    balance = standing(lean_limit=0.1)
    # 80 N backwards at 1 m: the moment about the feet is z x F.
    pushed(balance, [-80.0, 0.0, 0.0, 0.0, -80.0, 0.0])
    lean = 80.0 / (MASS * GRAVITY)
    assert wanted(balance, np.add(COM, [lean, 0.0, 0.0])) == pytest.approx(np.zeros(3), abs=1e-3)


def test_it_leans_sideways_against_a_sideways_push():
    balance = standing()
    pushed(balance, [0.0, 20.0, 0.0, -20.0, 0.0, 0.0])
    assert wanted(balance)[1] < 0.0


def test_the_lean_is_bounded():
    balance = standing(lean_limit=0.1)
    pushed(balance, [-1e4, 0.0, 0.0, 0.0, -1e4, 0.0])
    assert wanted(balance, np.add(COM, [0.1, 0.0, 0.0]))[0] == pytest.approx(0.0, abs=1e-3)


def test_what_a_policy_asks_is_bounded():
    balance = standing(shift_limit=0.08, torso_acceleration_limit=10.0)
    body = BodyTarget(np.array([1.0, -1.0]), np.array([1e3, -1e3]), False)
    assert wanted(balance, np.add(COM, [0.08, -0.08, 0.0]), body=body) == pytest.approx(np.zeros(3))
    forward = balance.torso_forward(body)
    torso = balance.torso_acceleration(np.zeros(3), np.zeros(3), forward)
    assert torso == pytest.approx([10.0, -10.0, 0.0])
    # The posture leans by what makes stiffness and feed-forward agree.
    lean = balance.torso_lean(forward)
    assert lean * BalanceConfig().torso_stiffness == pytest.approx([10.0, -10.0])
    assert balance.torso_forward(None) is balance.torso_lean(None) is None


def test_tools_yield_when_the_centre_of_mass_stays_away_but_not_in_a_shove():
    balance = standing()
    for _ in range(50):
        wanted(balance, np.add(COM, [0.05, 0.0, 0.0]))
    assert balance.tool_share() > 0.8
    for _ in range(1000):
        wanted(balance, np.add(COM, [0.05, 0.0, 0.0]))
    assert balance.tool_share() < 0.05


def test_a_robot_that_starts_off_balance_settles_over_its_feet_without_a_jump():
    balance = Balance(BalanceConfig(), MASS)
    start = np.add(COM, [0.03, 0.0, 0.0])
    balance.reset(start, FEET)
    assert wanted(balance, start) == pytest.approx(np.zeros(3))
    pushed(balance, np.zeros(6), 5.0)
    assert wanted(balance, COM) == pytest.approx(np.zeros(3), abs=1e-3)
