"""Pushing a part home: a hand on springs, and sockets made of rules."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from policies.mating import Mate
from policies.sense import Status
from robot.spatial import Pose
from tests.policies.plug_rules import (
    DT,
    GOAL,
    HAIR,
    Socket,
    SpringHand,
    begin,
    follow,
    outcome,
    play,
    side_of,
    turn_of,
)

STROKE, TIP = 14e-3, 40e-3
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


def mate(hand, limits=None, goal=None):
    return play(Mate, MATING | (limits or {}), hand, goal=goal)


def at_mouth(ahead=clicking, wall=0.0, **rules):
    return SpringHand(start=AT_MOUTH, socket=Socket(ahead, wall=wall), **rules)


def test_a_plug_is_pushed_home_over_its_profile():
    hand = at_mouth()
    steps = mate(hand)
    assert outcome(steps) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)
    # No more than what it took: after the click, less is enough to know that it is home.
    assert 70.0 < hand.hardest < 80.0
    assert steps[-1].sense.time < 3.0


def test_a_bump_before_home_is_not_taken_for_home():
    """A plug that is stuck half way, where no plug is home, is pushed harder than one at home."""
    hand = at_mouth(lambda depth: 78.0 if -7e-3 < depth < -6.5e-3 else 32.0)
    assert outcome(mate(hand)) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)


def test_what_clicked_is_home_and_not_pushed_as_hard_as_it_might():
    hand = at_mouth(lambda depth: 55.0 if depth < -3e-3 else 20.0)
    assert outcome(mate(hand, {"home_n": 45.0})) == (Status.DONE, "")
    assert 45.0 < hand.hardest < 75.0


@pytest.mark.parametrize(("jump_mm", "wanted"), [(4.0, Status.DONE), (0.0, Status.RUNNING)])
def test_a_spring_home_that_is_over_between_two_looks_is_a_click(jump_mm, wanted):
    """At home the push is there again at once: it was never felt to fall."""
    hand = at_mouth()
    motion = begin(Mate, MATING | {"home_n": 40.0}, hand)
    creeping = [(-STROKE + 0.5e-3 * i, 46.0) for i in range(20)]
    home = creeping[-1][0] + 1e-3 * jump_mm
    for depth, push in [*creeping, *[(home, 46.0)] * 8]:
        hand.tool = GOAL @ Pose.translation((0.0, 0.0, depth))
        hand.felt, hand.time = push, hand.time + DT
        wish = motion.step(hand.sense())
    assert wish.status is wanted


def test_what_stops_without_a_click_is_pushed_harder_before_it_is_called_home():
    hand = at_mouth(lambda depth: 30.0)
    assert outcome(mate(hand, {"home_n": 45.0})) == (Status.DONE, "")
    assert 0.9 * 110.0 < hand.hardest <= 110.0 + HAIR


def test_a_part_that_needs_more_than_is_enough_at_home_is_not_left_on_its_peak():
    """The push rises fast: a part that creeps over its peak seems to have stopped."""
    hand = at_mouth(lambda depth: 30.0 if depth < -7e-3 else 72.0 if depth < -2e-3 else 20.0)
    assert outcome(mate(hand, {"home_n": 40.0})) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)


def test_a_part_whose_place_is_known_is_home_without_a_click():
    hand = at_mouth(lambda depth: 10.0)
    assert outcome(mate(hand, {"home_n": 30.0, "home_mm": 1.5})) == (Status.DONE, "")
    assert 30.0 < hand.hardest < 60.0


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


@pytest.mark.parametrize("gap", [0.0, 0.5e-3, 3e-3, 4.3e-3])
def test_a_wall_is_blocked_and_pushed_no_harder_than_on_entry(gap):
    hand = at_mouth(lambda depth: 4.0, wall=gap - STROKE)
    steps = mate(hand)
    # In the mouth it may be another key; before it, it is not the mouth.
    assert outcome(steps) == (Status.FAILED, "refused" if gap > 3.3e-3 else "blocked")
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


def test_a_part_that_comes_home_under_the_largest_push_is_home():
    """The push has no room left to rise."""
    hand = at_mouth(lambda depth: 29.0)
    limits = {"force_n": 30.0, "entry_n": 30.0, "home_n": 18.0, "home_mm": 1.5}
    steps = mate(hand, limits)
    assert outcome(steps) == (Status.DONE, "")
    arrived = next(s.sense.time for s in steps if hand_depth(s) > -0.3e-3)
    assert steps[-1].sense.time < arrived + 0.5


def hand_depth(step):
    return (GOAL.inverse() @ step.sense.pose_world_tool).position[2]


def test_a_part_that_began_before_the_mouth_is_past_its_key_no_sooner():
    """A search that was caught outside: what it went since is not how far in it is."""
    key = Socket(lambda depth: 4.0, wall=4.5e-3 - STROKE)
    outside = Pose.translation((0.0, 0.0, -STROKE - 3e-3))
    face = {"face_mm": -1e3 * STROKE, "entry_mm": 6.0}
    hand = SpringHand(start=outside, socket=key)
    assert outcome(mate(hand, face)) == (Status.FAILED, "refused")
    assert hand.hardest <= 70.0 + HAIR
    # The other way round: touched too soon, but begun in the mouth.
    hand = at_mouth(lambda depth: 4.0, wall=4.5e-3 - STROKE)
    assert outcome(mate(hand, face | {"face_mm": -30.0})) == (Status.FAILED, "refused")
    assert hand.hardest <= 70.0 + HAIR


class Busy(SpringHand):
    """A hand beside another that pushes hard until some time."""

    UNTIL = 5.0

    def sense(self):
        return replace(super().sense(), may_push=self.time >= self.UNTIL)


def test_beside_a_hand_that_pushes_hard_a_part_is_only_led_into_the_mouth():
    hand = Busy(start=AT_MOUTH, socket=Socket(clicking, wall=0.0))
    motion = begin(Mate, MATING, hand)
    steps = follow(motion, hand, seconds=Busy.UNTIL)
    # However long that takes.
    assert outcome(steps)[0] is Status.RUNNING
    assert not motion.heavy
    assert 15.0 < max(s.sense.push for s in steps) <= 25.0 + HAIR
    steps = follow(motion, hand, seconds=10.0)
    assert motion.heavy
    assert outcome(steps) == (Status.DONE, "")
    assert hand.depth == pytest.approx(0.0, abs=2e-4)


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
