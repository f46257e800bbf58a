"""A hand in a closed zone is held where it is, and stops the robot if it moves all the same."""

import numpy as np
import pytest

from robot.errors import SafetyStop
from robot.state import BodyTarget, Target
from tests.robot.hand_rig import CLOSED, DT, OPEN, WIDEST, Rig, one, uniform, wanted


def test_a_hand_inside_is_frozen_whatever_is_asked():
    rng = np.random.default_rng(0)
    rig = Rig([0.66, 0.1, 0.9], signals=OPEN)
    rig.tick(one(wanted(rig.position, opening=0.03)))
    rig.signals, rig.seen = CLOSED, rig.state()
    start = rig.position.copy()
    rest = one(wanted(start))
    target = uniform(rng, rig)
    for k in range(700):
        asked = one(target(k))
        allowed = rig.tick(asked if k else rest)
        tool = allowed.tools["left"]
        assert not tool.wrench_world_tool.any()
        assert tool.gripper_opening == 0.03
        assert np.linalg.norm(rig.position - start) < 1e-3
    # Once the station says so, it may go.
    rig.signals, rig.seen = OPEN, rig.state()
    for _ in range(500):
        rig.tick(one(wanted([0.4, 0.1, 0.9])))
    np.testing.assert_allclose(rig.position, [0.4, 0.1, 0.9], atol=2e-3)


def test_a_frozen_hand_stays_where_it_was_though_the_policy_leaves_it_out():
    rig = Rig([0.66, 0.1, 0.9])
    rig.tick(one(wanted(rig.position)))
    allowed = rig.guard.limit(Target({}), rig.seen)
    assert set(allowed.tools) == {"left"}


@pytest.mark.parametrize(("told", "moving"), [(0.0, False), (0.05, False), (0.0, True)])
def test_fingers_at_rest_go_on_squeezing_and_moving_ones_stop(told, moving):
    rig = Rig([0.66, 0.1, 0.9], signals=OPEN)
    rig.opening = 0.016
    rig.seen = rig.state()
    rig.guard.limit(one(wanted(rig.position, opening=told)), rig.seen)
    rig.time += DT
    rig.opening -= 0.1 * DT if moving else 0.0
    rig.signals = CLOSED
    allowed = rig.guard.limit(one(wanted(rig.position, opening=0.05 - told)), rig.state())
    expected = rig.opening if moving else told
    assert allowed.tools["left"].gripper_opening == expected


@pytest.mark.parametrize(("measured", "held"), [(WIDEST + 4e-5, WIDEST), (-4e-5, 0.0)])
def test_fingers_are_not_held_further_than_they_go(measured, held):
    rig = Rig([0.66, 0.1, 0.9])
    rig.opening = measured
    allowed = rig.guard.limit(one(wanted(rig.position)), rig.state())
    assert allowed.tools["left"].gripper_opening == held


def test_the_body_target_is_kept():
    body = BodyTarget(np.zeros(2), np.zeros(2), True)
    rig = Rig([0.66, 0.1, 0.9])
    tools = {"left": wanted([0.7, 0.1, 0.9])}
    assert rig.guard.limit(Target(tools, body), rig.seen).body is body


def push(rig, step):
    """Shove the hand on, past its springs."""
    for _ in range(300):
        rig.tick(one(wanted([0.5, 0.1, 0.9])))
        rig.position[0] += step
        rig.seen = rig.state()


def test_a_hand_pushed_into_a_closed_zone_stops_the_robot():
    rig = Rig([0.5, 0.1, 0.9])
    complaint = r"tool 'left': 1. mm inside zone 'port_a', closed: 'hv_off' is false"
    with pytest.raises(SafetyStop, match=complaint):
        push(rig, 1e-3)
    assert 0.0 < rig.depth() < 0.02
    assert rig.guard.stops == 1


def test_a_hand_that_rests_inside_is_borne_and_one_that_moves_stops_the_robot():
    rig = Rig([0.66, 0.1, 0.9])
    for _ in range(100):
        rig.tick(one(wanted([0.66, 0.1, 0.9])))
    with pytest.raises(SafetyStop, match=r"tool 'left': moved by 2. mm, at most 20 is rest"):
        push(rig, -1e-3)
