"""Motions of plugging, one at a time: a hand on springs and a socket with a force profile."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from policies.plugging import Extract, Lock, Mate, Pull, Unlock
from policies.sense import Status
from robot.spatial import Pose
from tests.policies.plug_rules import DT, GOAL, STIFFNESS, Socket, SpringHand, outcome, play

STROKE, TIP = 14e-3, 40e-3
# A target a hair ahead of the tool adds so much to a push, in N.
HAIR = 0.5e-3 * STIFFNESS[2]
# A part lies straight below this, in rad.
STRAIGHT = 0.008
AT_MOUTH = Pose.translation((0.0, 0.0, -STROKE))
MATING = {
    "force_n": 110.0,
    "entry_n": 70.0,
    "stroke_mm": 1e3 * STROKE,
    "tip_mm": 1e3 * TIP,
    "time_s": 4.0,
}


def clicking(depth):
    """Resist more and more, most before the click, and then no more."""
    way = (depth + STROKE) / STROKE
    return 75.0 * max(0.0, min(way / 0.7, (1.0 - way) / 0.3))


def latched(depth):
    return 300.0


def mate(hand, limits=None, goal=None):
    return play(Mate, MATING | (limits or {}), hand, goal=goal)


def at_mouth(ahead=clicking, wall=0.0, **rules):
    return SpringHand(start=AT_MOUTH, socket=Socket(ahead, wall=wall), **rules)


def turn_of(step):
    """Return how a step's target is turned, as seen from the goal."""
    return (GOAL.inverse() @ step.wish.pose_world_target).rotation_vector()


def side_of(step):
    """Return where a step's target is across the goal's z axis, in m."""
    return (GOAL.inverse() @ step.wish.pose_world_target).position[:2]


def test_a_plug_is_pushed_home_over_its_profile():
    hand = at_mouth()
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)
    assert 70.0 < hand.hardest <= 75.0
    assert steps[-1].sense.time < 3.0


def test_a_bump_before_home_is_not_taken_for_home():
    """A plug that is stuck half way, where no plug is home, is pushed harder than one at home."""
    hand = at_mouth(lambda depth: 78.0 if -7e-3 < depth < -6.5e-3 else 32.0)
    assert outcome(mate(hand)) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)


def test_what_is_home_is_not_pushed_as_hard_as_it_might():
    hand = at_mouth(lambda depth: 30.0)
    assert outcome(mate(hand, {"home_n": 60.0})) == (Status.DONE, "")
    assert 60.0 < hand.hardest < 80.0


@pytest.mark.parametrize("gap", [0.0, 0.5e-3, 3e-3])
def test_a_wall_is_blocked_and_pushed_no_harder_than_on_entry(gap):
    hand = at_mouth(lambda depth: 4.0, wall=gap - STROKE)
    steps = mate(hand)
    assert outcome(steps) == (Status.FAILED, "blocked")
    assert 0.85 * 70.0 < hand.hardest <= 70.0 + HAIR
    # The hand lets go of it.
    assert steps[-1].wish.push == 0.0
    assert steps[-1].wish.stiffness == -1.0


def test_a_soft_part_at_a_wall_is_not_forced_either():
    """Pads that slip on a part that stands still move on less than a part on its profile."""
    hand = at_mouth(lambda depth: min(300.0, 15.0 + 4e4 * (depth + STROKE)), wall=math.inf)
    assert outcome(mate(hand))[0] is Status.FAILED
    assert 60.0 < hand.hardest <= 70.0 + HAIR


def test_more_than_on_entry_is_pushed_once_the_part_is_on_its_profile():
    hand = at_mouth(lambda depth: 40.0 if depth < -7.5e-3 else 80.0)
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)
    assert 80.0 <= hand.hardest <= 110.0 + HAIR


def test_a_part_that_is_never_home_is_given_up_in_time():
    hand = at_mouth(lambda depth: 30.0, wall=math.inf)
    steps = mate(hand, {"time_s": 2.0})
    assert outcome(steps) == (Status.FAILED, "not_home")
    assert steps[-1].sense.time == pytest.approx(2.0, abs=1.5 * DT)
    assert steps[-1].wish.push == 0.0


def test_what_is_not_felt_is_not_pushed():
    """What is asked for and not felt comes down on the part when it gives way."""

    class Numb(SpringHand):
        def sense(self):
            return replace(super().sense(), wrench_tool=np.zeros(6))

    steps = mate(Numb(start=AT_MOUTH, socket=Socket(wall=-STROKE)), {"time_s": 1.0})
    assert 10.0 < max(s.wish.push for s in steps) < 15.0


@pytest.mark.parametrize("turn", [(0.0, 0.12, 0.0), (-0.1, 0.05, 0.06)])
def test_a_part_that_is_felt_askew_is_straightened_before_it_is_pushed_hard(turn):
    askew = Pose.from_rotation_vector(turn, (1e-3, -2e-3, -STROKE))
    hand = SpringHand(start=askew, socket=Socket(clicking, wall=0.0))
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    angles = [float(np.abs(turn_of(s)).max()) for s in steps]
    straight = next(i for i, a in enumerate(angles) if a < STRAIGHT)
    needed = (np.abs(turn).max() - STRAIGHT) / 0.9
    assert steps[straight].sense.time == pytest.approx(needed, abs=1.01 * DT)
    assert max(s.wish.push for s in steps[: straight + 1]) <= 20.0 + 1e-9
    assert max(s.wish.push for s in steps) > 60.0
    # For good.
    assert max(angles[straight:]) < STRAIGHT


def test_a_part_is_straightened_about_its_tip():
    askew = Pose.from_rotation_vector((0.08, -0.06, 0.0), (0.0, 0.0, -STROKE))
    hand = SpringHand(start=askew, socket=Socket(clicking, wall=0.0))
    tips = [
        (GOAL.inverse() @ s.wish.pose_world_target).transform((0.0, 0.0, TIP))[:2]
        for s in mate(hand)
    ]
    moved = np.linalg.norm(np.array(tips) - askew.transform((0.0, 0.0, TIP))[:2], axis=1)
    assert len(tips) > 4
    # The tip was 4 mm aside, and the tool is now: to second order of the turn, it stays.
    assert moved.max() < 0.1e-3


def test_a_part_that_does_not_come_straight_in_time_is_pushed_all_the_same():
    askew = Pose.from_rotation_vector((0.0, 0.6, 0.0), (0.0, 0.0, -STROKE))
    hand = SpringHand(start=askew, socket=Socket(clicking, wall=0.0))
    steps = mate(hand)
    late = [s.sense.time for s in steps if s.wish.push > 20.0 + 1e-9]
    assert 0.6 < late[0] < 0.9
    assert max(s.wish.push for s in steps) > 60.0


def test_a_turn_in_the_hand_is_compensated_by_one_of_the_hand():
    """Under load a part turns in the hand; the hand turns back by as much."""

    class Slipping(SpringHand):
        def obey(self, wish):
            super().obey(wish)
            self.in_hand = np.array([1.0, 0.0, 0.0, 0.02 + min(0.07, 0.4 * self.time)])

    hand = Slipping(start=AT_MOUTH, socket=Socket(clicking, wall=0.0), in_hand=(1, 0, 0, 0.02))
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    slipped = [s.sense.in_hand[3] - 0.02 for s in steps]
    assert slipped[-1] == pytest.approx(0.07)
    for slip, step in zip(slipped, steps, strict=True):
        # A little of what it turned before the hand turned back, it was led to by the socket.
        assert turn_of(step) == pytest.approx([0.0, -slip, 0.0], abs=0.1 * 0.07 + 1e-3)


def test_what_is_not_felt_is_not_compensated():
    class Losing(SpringHand):
        def obey(self, wish):
            super().obey(wish)
            self.in_hand = np.zeros(4)

    for valid in (0.0, 1.0):
        hand = Losing(start=AT_MOUTH, socket=Socket(clicking), in_hand=(valid, 0.0, 0.0, 0.3))
        assert all(np.abs(turn_of(s)).max() < 1e-9 for s in mate(hand))


def test_a_part_under_a_small_push_is_led_by_its_socket():
    lies = Pose.from_rotation_vector((0.03, 0.0, -0.03), (1.5e-3, -1e-3, 0.0))
    socket = Socket(lambda depth: 32.0, wall=0.03, holds=lies)
    steps = mate(SpringHand(start=AT_MOUTH, socket=socket))
    for rest in (
        [float(np.linalg.norm(side_of(s) - lies.position[:2])) for s in steps],
        [float(np.linalg.norm(turn_of(s) - lies.rotation_vector())) for s in steps],
    ):
        assert rest[-1] < 0.25 * rest[0]
        # A hand that followed at once would follow its own load, too.
        assert min(np.diff(rest)) > -0.1 * rest[0]


def test_a_hand_under_a_large_push_does_not_follow():
    """It would buckle."""
    lies = Pose.from_rotation_vector((0.03, 0.0, -0.03), (1.5e-3, -1e-3, 0.0))
    socket = Socket(lambda depth: 32.0 if depth < -7.5e-3 else 80.0, wall=0.0, holds=lies)
    steps = mate(SpringHand(start=AT_MOUTH, socket=socket))
    pairs = [(a, b) for a, b in itertools.pairwise(steps) if b.sense.push > 60.0]
    assert len(pairs) > 5
    for before, after in pairs:
        assert side_of(after) == pytest.approx(side_of(before), abs=1e-9)
        assert turn_of(after) == pytest.approx(turn_of(before), abs=1e-9)


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


def test_an_extracted_part_is_led_by_its_socket():
    lies = Pose.from_rotation_vector((0.0, 0.03, 0.0), (1e-3, 0.0, 0.0))
    hand = SpringHand(socket=Socket(latched, latched, holds=lies))
    steps = play(Extract, {"force_n": 40.0, "time_s": 1.5}, hand)
    assert np.linalg.norm(side_of(steps[-1]) - lies.position[:2]) < 0.25e-3
    assert np.linalg.norm(turn_of(steps[-1]) - lies.rotation_vector()) < 0.008
