"""Pushing a part home: a hand on springs, and sockets made of rules."""

import math
from dataclasses import replace

import numpy as np
import pytest

from policies.mating import Mate
from policies.sense import Status
from robot.spatial import Pose
from tests.policies.plug_rules import (
    AT_MOUTH,
    DT,
    GOAL,
    HAIR,
    MATING,
    STROKE,
    Socket,
    SpringHand,
    at_mouth,
    begin,
    clicking,
    follow,
    mate,
    outcome,
)


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
