"""Pushing home a part that lies askew: led by walls, wriggled, straightened and turned back."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from policies.sense import Status
from robot.spatial import Pose
from tests.policies.plug_rules import (
    AT_MOUTH,
    DT,
    GOAL,
    STROKE,
    TIP,
    Socket,
    SpringHand,
    at_mouth,
    clicking,
    mate,
    outcome,
    side_of,
    turn_of,
)

# A part lies straight below this, in rad.
STRAIGHT = 0.008


class Walls(SpringHand):
    """A hand with a part between walls, which turn it by a couple about a point near its tip.

    From `deep` on they hold it as `lies` says; the couple is that of the hand's soft springs.
    """

    SOFT = 22.0
    BEHIND_TIP = 6e-3

    def __init__(self, lies, deep=-STROKE, **given):
        super().__init__(start=AT_MOUTH, **given)
        self.lies, self.deep = lies, deep
        self.force_across = np.zeros(2)

    def sense(self):
        sense = super().sense()
        wanted = (self.goal.inverse() @ self.target).rotation_vector()
        couple = self.SOFT * (self.lies - wanted) if self.depth >= self.deep else np.zeros(3)
        lever = TIP - self.BEHIND_TIP
        # A force at the point that the couple is taken about is felt as a torque at the tool, too.
        fx, fy = self.force_across
        across = np.array([fx, fy, 0.0, -lever * fy, lever * fx, 0.0])
        felt = np.concatenate([np.zeros(3), couple]) + across
        return replace(sense, wrench_tool=sense.wrench_tool + felt)


LIES = np.array([0.04, -0.05, 0.03])


def test_a_hand_gives_way_to_the_couple_of_walls_about_the_tip():
    hand = Walls(LIES, socket=Socket(lambda depth: 32.0, wall=0.03))
    hand.force_across = np.array([3.0, -2.0])
    steps = mate(hand)
    # Past the rim, once it is led by walls: within half a second, to what a cable might do.
    led = next(i for i, s in enumerate(steps) if (GOAL.inverse() @ s.sense.pose_world_tool)
               .position[2] > -STROKE + 6e-3)  # fmt: skip
    later = steps[led + round(0.5 / DT)]
    assert np.abs(turn_of(later) - LIES).max() < 0.03 / Walls.SOFT + 0.15 * 0.05
    point = (0.0, 0.0, TIP - Walls.BEHIND_TIP)
    places = [(GOAL.inverse() @ s.wish.pose_world_target).transform(point)[:2] for s in steps]
    assert np.ptp(np.array(places), axis=0).max() < 0.3e-3


def test_on_the_rim_a_part_is_turned_about_its_axis_and_not_tipped():
    hand = Walls(LIES, socket=Socket(lambda depth: 20.0, wall=-STROKE + 3e-3))
    # Before it is wriggled.
    steps = [s for s in mate(hand, {"time_s": 0.5}) if s.sense.time < 0.22]
    assert max(s.sense.push for s in steps) > 15.0
    assert max(np.abs(turn_of(s)[:2]).max() for s in steps) < 1e-9
    assert turn_of(steps[-1])[2] > 0.5 * LIES[2]


def test_a_part_that_walls_lean_on_is_not_pushed_hard_until_they_do_not():
    class Stubborn(Walls):
        """Walls that lean whatever the hand does, until some time."""

        def sense(self):
            sense = SpringHand.sense(self)
            torque = np.array([0.0, 0.3 if self.depth > -8e-3 and self.time < 0.9 else 0.0, 0.0])
            wrench = sense.wrench_tool + np.concatenate([np.zeros(3), torque])
            return replace(sense, wrench_tool=wrench)

    hand = Stubborn(LIES, socket=Socket(lambda depth: 20.0 if depth < -7e-3 else 80.0, wall=0.0))
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    assert max(s.wish.push for s in steps if s.sense.time < 0.9 - DT) <= 42.0 + 1e-9
    assert max(s.wish.push for s in steps) > 70.0


def test_a_part_that_walls_turn_for_ever_is_in_no_mouth_and_not_pushed_hard():
    class Leaning(Walls):
        def sense(self):
            sense = SpringHand.sense(self)
            torque = np.array([0.0, 0.3 if self.depth > -8e-3 else 0.0, 0.0])
            wrench = sense.wrench_tool + np.concatenate([np.zeros(3), torque])
            return replace(sense, wrench_tool=wrench)

    hand = Leaning(LIES, socket=Socket(lambda depth: 20.0 if depth < -7e-3 else 60.0, wall=0.0))
    assert outcome(mate(hand)) == (Status.FAILED, "blocked")
    assert hand.hardest <= 60.0


class Rim(SpringHand):
    """A mouth that a part gets past only while it is turned about its axis as it must be."""

    NEEDS = math.radians(2.0)

    def obey(self, wish):
        turned = (self.goal.inverse() @ wish.pose_world_target).rotation_vector()[2]
        past = turned > self.NEEDS or self.depth > -STROKE + 3.2e-3
        self.socket = Socket(clicking, wall=0.0 if past else -STROKE + 3e-3)
        super().obey(wish)


def test_a_part_that_stops_in_the_mouth_is_wriggled_past_the_rim():
    hand = Rim(start=AT_MOUTH)
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)
    # Without it, no more than what a wrong key is pushed with was of any use.
    stuck = [s for s in steps if (GOAL.inverse() @ s.sense.pose_world_tool).position[2] < -10e-3]
    assert max(s.wish.push for s in stuck) <= 50.0


def test_wriggling_ends_and_leaves_the_part_as_it_was():
    hand = at_mouth(lambda depth: 4.0, wall=3e-3 - STROKE)
    steps = mate(hand)
    turns = np.array([turn_of(s) for s in steps])
    assert 2.5 < np.degrees(np.abs(turns[:, 2]).max()) < 3.6
    assert sum(np.abs(turns[:, 2]) > 1e-3) * DT < 1.2
    assert np.abs(turns[-1]).max() < 1e-6
    assert outcome(steps) == (Status.FAILED, "blocked")


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


@pytest.mark.parametrize(("degrees", "reason"), [(12.0, "blocked"), (7.0, "")])
def test_a_part_that_turns_further_than_any_mouth_allows_is_pushed_no_more(degrees, reason):
    class Slipping(SpringHand):
        def obey(self, wish):
            super().obey(wish)
            turn = min(1.0, 2.0 * self.time) * math.radians(degrees)
            here = (self.goal.inverse() @ self.tool).position
            self.tool = self.goal @ Pose.from_rotation_vector((turn, 0.0, 0.0), here)

    hand = Slipping(start=AT_MOUTH, socket=Socket(clicking, wall=0.0))
    assert outcome(mate(hand))[1] == reason
