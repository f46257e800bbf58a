"""Motions that drive a part, one at a time: a hand on springs and a socket that resists."""

import numpy as np
import pytest

from policies.plugging import Extract, Lock, Pull, Unlock
from policies.sense import Status
from robot.spatial import Pose
from tests.policies.plug_rules import (
    DT,
    HAIR,
    STIFFNESS,
    Socket,
    SpringHand,
    latched,
    outcome,
    play,
    side_of,
    turn_of,
)


def pull(back, **limits):
    hand = SpringHand(socket=Socket(latched, back))
    return hand, play(Pull, {"force_n": 15.0, "play_mm": 1.5} | limits, hand)


def test_a_latched_part_holds_a_pull_that_is_held_and_let_go():
    hand, steps = pull(latched)
    assert outcome(steps) == (Status.DONE, "")
    pulls = [-s.sense.push for s in steps]
    assert sum(p > 0.85 * 15.0 for p in pulls) * DT > 0.12
    assert max(pulls) < 15.0 + HAIR
    assert steps[-1].wish.push == 0.0
    assert abs(hand.depth) < 0.1e-3


@pytest.mark.parametrize(("friction", "at_most"), [(0.0, 20e-3), (3.0, 20e-3), (14.0, 4e-3)])
def test_a_part_that_follows_a_pull_is_not_latched(friction, at_most):
    hand, steps = pull(lambda depth: friction)
    assert outcome(steps) == (Status.FAILED, "not_latched")
    assert steps[-1].wish.push == 0.0
    # The sooner it is told, the less it can be taken for slack.
    assert -at_most < hand.depth < -1.5e-3


def test_slack_is_not_the_part_following():
    hand, steps = pull(lambda depth: 0.0 if depth > -3e-3 else 300.0)
    assert outcome(steps) == (Status.DONE, "")
    assert hand.depth == pytest.approx(-3e-3, abs=0.2e-3)


def test_slack_with_no_end_is_no_slack():
    _, steps = pull(lambda depth: 0.0 if depth > -6e-3 else 300.0)
    assert outcome(steps) == (Status.FAILED, "not_latched")


def lock(resists, seated=0.003, **limits):
    def lock_in(hand):
        return {"lock_in": hand.depth > seated - 1e-4}

    hand = SpringHand(socket=Socket(lambda depth: resists, wall=seated), signals=lock_in)
    limits = {"force_n": 50.0, "time_s": 1.5} | limits
    return hand, play(Lock, limits, hand, signal="lock_in")


def test_the_signal_ends_a_lock():
    _, steps = lock(25.0)
    assert outcome(steps) == (Status.DONE, "")
    assert steps[-1].wish.push == 0.0
    assert not any(s.sense.signals["lock_in"] for s in steps[:-1])
    assert steps[-1].sense.signals["lock_in"]
    assert len(steps) > 3


def test_a_lock_that_does_not_go_in_is_given_up_and_not_forced():
    hand, steps = lock(80.0)
    assert outcome(steps) == (Status.FAILED, "not_locked")
    assert steps[-1].sense.time == pytest.approx(1.5, abs=1.5 * DT)
    assert 45.0 < hand.hardest < 50.0 + HAIR
    assert steps[-1].wish.push == 0.0


def unlock(limits=None, holds=30.0):
    """Return a hand that drew a lock, and how; it slides for 2 mm and then the latch holds."""

    def resisting(depth):
        return holds if depth > -2e-3 else 300.0

    def lock_in(hand):
        return {"lock_in": hand.depth > -1.8e-3}

    hand = SpringHand(socket=Socket(latched, resisting), signals=lock_in)
    return hand, play(Unlock, {"force_n": 45.0} | (limits or {}), hand, signal="lock_in")


@pytest.mark.parametrize("dwell", [0.12, 0.4])
def test_the_hand_dwells_once_the_lock_is_out_and_pulls_no_more(dwell):
    _, steps = unlock({"dwell_s": dwell})
    assert outcome(steps) == (Status.DONE, "")
    out_at = next(s.sense.time for s in steps if not s.sense.signals["lock_in"])
    assert steps[-1].sense.time - out_at == pytest.approx(dwell, abs=1.01 * DT)
    assert steps[-1].sense.time - out_at >= dwell - 1e-9
    dwelling = [s for s in steps if s.sense.time > out_at + 1.5 * DT]
    assert dwelling
    assert max(abs(s.sense.push) for s in dwelling) < 5.0
    # What is pulled with is a spring, not a force.
    assert all(s.wish.push == 0.0 for s in steps)


def test_a_lock_that_stays_in_is_given_up_and_not_forced():
    hand, steps = unlock({"time_s": 1.0}, holds=300.0)
    assert outcome(steps) == (Status.FAILED, "not_unlocked")
    assert steps[-1].sense.time == pytest.approx(1.0, abs=1.5 * DT)
    # By one step of the target, a spring is stretched too far at most.
    assert 40.0 < -hand.weakest < 45.0 + 0.02 * DT * STIFFNESS[2] + HAIR


def extract(back, **limits):
    hand = SpringHand(socket=Socket(latched, back))
    limits = {"force_n": 60.0, "depth_mm": 20.0, "time_s": 1.5} | limits
    return hand, play(Extract, limits, hand)


def test_a_part_is_drawn_out_as_far_as_it_is_told():
    hand, steps = extract(lambda depth: 40.0 if depth > -10e-3 else 0.0)
    assert outcome(steps) == (Status.DONE, "")
    assert -30e-3 < hand.depth < -20e-3


def test_a_part_that_is_stuck_is_pulled_with_bounded_force_and_given_up():
    hand, steps = extract(latched)
    assert outcome(steps) == (Status.FAILED, "stuck")
    assert steps[-1].sense.time == pytest.approx(1.5, abs=1.5 * DT)
    assert 55.0 < -hand.weakest < 60.0 + 0.06 * DT * STIFFNESS[2]


def test_the_spring_that_pulls_is_not_stretched_without_end():
    """A sensor that feels nothing, or a hand that is soft: the target waits for the tool."""
    _, steps = extract(latched, force_n=1e4)
    lags = [s.sense.pose_world_tool.inverse() @ s.wish.pose_world_target for s in steps]
    assert min(lag.position[2] for lag in lags) == pytest.approx(-0.04, abs=1e-6)


@pytest.mark.parametrize(("push", "rest"), [(50.0, 1.0), (5.0, 0.0)])
def test_a_body_that_leaned_against_a_push_stands_upright_before_it_pulls(push, rest):
    hand = SpringHand(socket=Socket(latched, lambda depth: 40.0 if depth > -10e-3 else 0.0))
    hand.felt = push
    steps = play(Extract, {"force_n": 60.0, "depth_mm": 20.0, "time_s": 1.5}, hand)
    assert outcome(steps) == (Status.DONE, "")
    pulled = next(s.sense.time for s in steps if -s.sense.push > 5.0)
    assert rest <= pulled - steps[0].sense.time < rest + 0.3


def test_an_extracted_part_is_led_by_its_socket():
    lies = Pose.from_rotation_vector((0.0, 0.03, 0.0), (1e-3, 0.0, 0.0))
    hand = SpringHand(socket=Socket(latched, latched, holds=lies))
    steps = play(Extract, {"force_n": 40.0, "time_s": 1.5}, hand)
    assert np.linalg.norm(side_of(steps[-1]) - lies.position[:2]) < 0.25e-3
    assert np.linalg.norm(turn_of(steps[-1]) - lies.rotation_vector()) < 0.008


def test_a_pull_first_takes_the_push_back_gradually():
    """What is pushed hard springs back, and a pull on top of that would open its latch."""
    hand = SpringHand(socket=Socket(latched, latched))
    hand.felt = 100.0
    steps = play(Pull, {"force_n": 15.0, "play_mm": 1.5}, hand)
    assert outcome(steps) == (Status.DONE, "")
    pushes = np.array([100.0] + [s.wish.push for s in steps[:-1]])
    assert np.diff(pushes).min() >= -900.0 * DT - 1e-9
    relieved = int(np.argmax(pushes <= 0.0))
    assert np.all(np.diff(pushes[: relieved + 1]) < 0.0)
    assert pushes.min() == pytest.approx(-15.0)
