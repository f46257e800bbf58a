"""Motions in free air, one at a time, with a hand on springs and a part that is a rule."""

import math
from itertools import pairwise

import numpy as np
import pytest

from policies.motions import PUSH_RATE, Grasp, Move, Release, Zero
from policies.sense import Status
from robot.spatial import Pose
from tests.policies.plug_rules import (
    DT,
    GOAL,
    OPEN,
    WIDTH,
    SpringHand,
    begin,
    follow,
    largest_step,
    outcome,
    play,
)

LOAD = np.array([0.0, 15.0, 0.0, 0.0, 0.0, 0.0])
FAR = Pose.from_rotation_vector((0.0, 0.3, 0.2), (0.04, -0.03, -0.20))


def turned(angle):
    return Pose.from_rotation_vector((0.0, angle, 0.0))


class SwingingHand(SpringHand):
    """A hand that swings sideways about where its target is, less and less."""

    AMPLITUDE, PERIOD, DECAY = 0.02, 0.48, 0.16

    def obey(self, wish):
        super().obey(wish)
        at = self.AMPLITUDE * math.exp(-self.time / self.DECAY)
        at *= math.sin(2.0 * math.pi * self.time / self.PERIOD)
        self.tool = self.target @ Pose.translation((at, 0.0, 0.0))


class TurningHand(SpringHand):
    """A hand whose part stays as it lies in the world: what is felt is less the more it turns."""

    def __init__(self, lies, **rules):
        super().__init__(in_hand=(1.0, 0.0, 0.0, lies), **rules)
        self.lies = lies

    def obey(self, wish):
        super().obey(wish)
        hand = (self.goal.inverse() @ self.tool).rotation_vector()[1]
        self.in_hand = np.array([1.0, 0.0, 0.0, self.lies - hand])


def test_a_move_goes_straight_and_keeps_to_its_speed_and_acceleration():
    steps = play(Move, {"speed_m_s": 0.25}, SpringHand(start=FAR))
    assert outcome(steps) == (Status.DONE, "")
    targets = [GOAL.inverse() @ s.wish.pose_world_target for s in steps]
    line = FAR.position / np.linalg.norm(FAR.position)
    assert max(np.linalg.norm(np.cross(line, t.position)) for t in targets) < 1e-9
    ways = [float(t.position @ line) for t in targets]
    speeds = -np.diff([float(FAR.position @ line), *ways]) / DT
    assert speeds.max() == pytest.approx(0.25)
    assert speeds.min() > -1e-9
    # It does not start at once.
    assert speeds[0] <= 2.5 * DT + 1e-9
    assert steps[-1].wish.pose_world_target.angle_to(GOAL) < 1e-6


def test_a_fast_move_brakes_before_the_goal():
    steps = play(Move, {"speed_m_s": 0.8}, SpringHand(start=Pose.translation((0.0, 0.0, -0.5))))
    depths = [-0.5] + [(GOAL.inverse() @ s.wish.pose_world_target).position[2] for s in steps]
    speeds = np.diff(depths) / DT
    assert speeds.max() == pytest.approx(0.8)
    # Not from one step to the next.
    assert -np.diff(speeds).min() < 0.3


def test_a_move_has_arrived_when_the_tool_has():
    hand = SpringHand(start=FAR)
    play(Move, {}, hand)
    assert np.linalg.norm(hand.tool.position - GOAL.position) < 2e-3
    assert hand.tool.angle_to(GOAL) < 0.02


def test_a_via_point_is_passed_as_soon_as_the_target_is_there():
    load_holds_it_off = {"opening": WIDTH, "width_at": lambda hand: WIDTH, "load": LOAD}
    waits = play(Move, {"speed_m_s": 0.25}, SpringHand(start=FAR, **load_holds_it_off))
    passes = play(Move, {"speed_m_s": 0.25, "via": 1.0}, SpringHand(start=FAR, **load_holds_it_off))
    assert outcome(passes) == (Status.DONE, "")
    assert passes[-1].sense.pose_world_target.angle_to(GOAL) < 1e-4
    # The other waits half a second for a tool that its load holds off the goal.
    assert waits[-1].sense.time - passes[-1].sense.time == pytest.approx(0.5, abs=2.1 * DT)


def test_a_hand_at_rest_has_arrived_though_its_load_holds_it_off_the_goal():
    limits = {"speed_m_s": 0.25, "still_m_s": 0.02}
    held_off = {"opening": WIDTH, "width_at": lambda hand: WIDTH, "load": LOAD}
    loaded = SpringHand(start=FAR, **held_off)
    steps = play(Move, limits, loaded)
    assert outcome(steps) == (Status.DONE, "")
    assert np.linalg.norm(loaded.tool.position - GOAL.position) > 2e-3
    patient = play(Move, {"speed_m_s": 0.25}, SpringHand(start=FAR, **held_off))
    assert steps[-1].sense.time < patient[-1].sense.time - 0.2


def test_a_hand_that_swings_past_the_goal_or_turns_back_is_not_at_rest():
    for limits, rests in (({}, False), ({"still_m_s": 0.02}, True)):
        hand = SwingingHand(start=Pose.translation((0.0, 0.0, -0.01)))
        steps = play(Move, limits, hand)
        assert outcome(steps) == (Status.DONE, "")
        before, after = steps[-2].sense.pose_world_tool, steps[-1].sense.pose_world_tool
        speed = float(np.linalg.norm(after.position - before.position)) / DT
        # Without the limit it stops where it happens to pass: the rule does swing.
        assert (speed < 0.02) == rests
        still = [
            np.linalg.norm(b.sense.pose_world_tool.position - a.sense.pose_world_tool.position)
            < 0.02 * DT
            for a, b in pairwise(steps[-4:])
        ]
        assert all(still) == rests


def test_a_hand_that_never_rests_is_waited_for_only_so_long():
    hand = SwingingHand(start=Pose.translation((0.0, 0.0, -0.01)))
    hand.DECAY = 1e9
    steps = play(Move, {"still_m_s": 0.02}, hand)
    there = next(
        s.sense.time
        for s in steps
        if np.linalg.norm(s.sense.pose_world_target.position - GOAL.position) < 1e-6
    )
    assert outcome(steps) == (Status.DONE, "")
    assert 0.5 < steps[-1].sense.time - there < 0.5 + 2.1 * DT


def grasp(limits, hand):
    return play(Grasp, {"width_mm": 1e3 * WIDTH, **limits}, hand)


def test_a_part_between_the_fingers_is_grasped_without_moving_the_target():
    hand = SpringHand(opening=OPEN, width_at=lambda hand: WIDTH, draws=GOAL @ FAR)
    steps = grasp({}, hand)
    assert outcome(steps) == (Status.DONE, "")
    assert steps[-1].sense.opening == pytest.approx(WIDTH)
    assert largest_step(steps) < 1e-9
    assert all(s.wish.stiffness == -1.0 for s in steps)


@pytest.mark.parametrize("width", [0.0, WIDTH - 2e-3])
def test_fingers_that_close_further_than_the_part_are_empty(width):
    hand = SpringHand(opening=OPEN, width_at=lambda hand: width)
    assert outcome(grasp({"yield_s": 0.28}, hand)) == (Status.FAILED, "empty_grasp")


def test_fingers_that_are_stopped_far_from_the_part_are_blocked():
    hand = SpringHand(opening=OPEN, width_at=lambda hand: WIDTH + 6e-3)
    steps = grasp({"yield_s": 0.28}, hand)
    assert outcome(steps) == (Status.FAILED, "blocked_grasp")
    assert steps[-1].sense.time < 2.0


class AskewHand(SpringHand):
    """A hand whose pads stand on a part's walls, 1.7 mm too wide, until it has turned with them."""

    def __init__(self, until):
        super().__init__(opening=OPEN, width_at=lambda hand: WIDTH + 1.7e-3)
        self.until = until

    def obey(self, wish):
        super().obey(wish)
        if self.held and self.time > self.until:
            self.held, self.width_at = WIDTH, lambda hand: WIDTH


@pytest.mark.parametrize("until", [1.1, 1.36, 1.40, 1.44, 1.48])
def test_pads_that_stand_askew_on_a_part_have_their_time_to_slide_down(until):
    """Those that come down at the last moment rest there a little later."""
    steps = grasp({"yield_s": 0.28}, AskewHand(until=until))
    assert outcome(steps) == (Status.DONE, "")
    assert steps[-1].sense.time > until
    assert steps[-1].sense.opening == pytest.approx(WIDTH, abs=2e-4)


@pytest.mark.parametrize(("yields", "latest"), [({"yield_s": 0.28}, 1.7), ({}, 0.6)])
def test_pads_that_stay_on_the_walls_hold_nothing(yields, latest):
    steps = grasp(yields, AskewHand(until=np.inf))
    assert outcome(steps) == (Status.FAILED, "empty_grasp")
    assert steps[-1].sense.time < latest


def test_the_target_goes_gradually_to_where_a_part_holds_the_tool():
    drawn = Pose.from_rotation_vector((0.0, 0.1, -0.05), (4e-3, -3e-3, 6e-3))
    hand = SpringHand(opening=OPEN, width_at=lambda hand: WIDTH, draws=GOAL @ drawn)
    steps = grasp({"yield_s": 0.4}, hand)
    assert outcome(steps) == (Status.DONE, "")
    apart = [(s.wish.pose_world_target.inverse() @ hand.draws) for s in steps]
    far = [float(np.linalg.norm(a.position)) for a in apart]
    askew = [float(np.linalg.norm(a.rotation_vector())) for a in apart]
    # Until the fingers are still, the hand is not held, and its target stays.
    before = [f for f, s in zip(far, steps, strict=True) if s.sense.opening > WIDTH + 1e-6]
    assert before == pytest.approx([np.linalg.norm(drawn.position)] * 4)
    for rest in (far, askew):
        assert np.all(np.diff(rest) <= 1e-12)
        assert rest[-1] < 0.1 * rest[0]
        assert -min(np.diff(rest)) < 0.3 * rest[0]


def test_a_grasp_that_yields_takes_its_time_to():
    ends = []
    for yields in (0.0, 0.28, 0.6):
        hand = SpringHand(opening=OPEN, width_at=lambda hand: WIDTH, draws=GOAL @ turned(0.1))
        steps = grasp({"yield_s": yields}, hand)
        assert outcome(steps) == (Status.DONE, "")
        closed = next(s.sense.time for s in steps if s.sense.opening < WIDTH + 1e-6)
        ends.append(steps[-1].sense.time - closed)
    # Three still steps, and then as long as it was told.
    assert ends == pytest.approx([3 * DT, 0.28, 0.6], abs=1.1 * DT)


def test_a_part_that_follows_the_hand_is_not_taken_along():
    """The hand moves half of what its target does: a target that jumped would lead it astray."""

    class Soft(SpringHand):
        def obey(self, wish):
            super().obey(wish)
            if self.held:
                self.tool = self.goal @ Pose.translation(
                    [0.005, 0.0, 0.5 * (self.goal.inverse() @ self.target).position[2] + 0.004]
                )

    hand = Soft(opening=OPEN, width_at=lambda hand: WIDTH)
    steps = grasp({"yield_s": 0.6}, hand)
    assert outcome(steps) == (Status.DONE, "")
    assert largest_step(steps) < 0.3 * math.hypot(0.005, 0.004)
    assert hand.depth < 2.0 * 0.004


def release(limits, hand):
    return play(Release, limits, hand, opening=OPEN)


def test_a_push_is_let_go_before_the_fingers_open():
    hand = SpringHand(start=Pose.translation((0.0, 0.0, 0.002)), opening=WIDTH)
    hand.tool, hand.felt = GOAL, 24.0
    steps = release({}, hand)
    assert outcome(steps) == (Status.DONE, "")
    pushes = np.array([s.wish.push for s in steps])
    assert pushes[0] == pytest.approx(24.0 - PUSH_RATE * DT)
    assert np.abs(np.diff(pushes)).max() <= PUSH_RATE * DT + 1e-9
    assert all(s.opening == 0.0 for s in steps if s.wish.push > 0.0)
    assert steps[-1].opening == OPEN
    # The hand opens where it is, not where its target was.
    assert all(np.allclose(s.wish.pose_world_target.position, GOAL.position) for s in steps)


@pytest.mark.parametrize("felt", [0.06, -0.05])
def test_the_hand_turns_to_the_felt_angle_before_it_opens(felt):
    hand = TurningHand(felt, opening=WIDTH)
    steps = release({"settle_s": 0.2}, hand)
    assert outcome(steps) == (Status.DONE, "")
    opens = next(s for s in steps if s.opening > 0.0)
    assert opens.sense.time >= 0.2 - 1e-9
    assert opens.wish.pose_world_target.angle_to(GOAL @ turned(felt)) < 1e-3
    # It stays there while the fingers open, and got there at half a radian per second at most.
    assert steps[-1].wish.pose_world_target.angle_to(GOAL @ turned(felt)) < 1e-3
    targets = [s.wish.pose_world_target for s in steps]
    fastest = max(a.angle_to(b) for a, b in pairwise(targets)) / DT
    assert 0.3 < fastest < 0.5 + 1e-6
    assert all(np.allclose(t.position, GOAL.position) for t in targets)


def test_a_hand_that_feels_no_part_or_is_not_to_settle_does_not_turn():
    blind = TurningHand(0.06, opening=WIDTH)
    blind.in_hand[0] = 0.0
    blind.obey = lambda wish: SpringHand.obey(blind, wish)
    for hand, limits in ((blind, {"settle_s": 0.2}), (TurningHand(0.06, opening=WIDTH), {})):
        steps = release(limits, hand)
        assert outcome(steps) == (Status.DONE, "")
        assert all(s.wish.pose_world_target.angle_to(GOAL) < 1e-9 for s in steps)


def test_fingers_that_do_not_open_are_not_waited_for_for_ever():
    hand = SpringHand(opening=WIDTH)
    hand._close = lambda wanted: None
    steps = release({}, hand)
    assert outcome(steps) == (Status.DONE, "")
    assert steps[-1].sense.time == pytest.approx(1.5, abs=2 * DT)


def test_what_is_weighed_is_the_mean_without_the_first_step():
    samples = [90.0, 1.0, 2.0, 3.0, 6.0]

    class Noisy(SpringHand):
        @property
        def weight(self):
            return np.full(6, samples[round(self.time / DT)])

    hand = Noisy()
    weighing = begin(Zero, {}, hand)
    steps = follow(weighing, hand)
    assert outcome(steps) == (Status.DONE, "")
    assert len(steps) == len(samples)
    assert weighing.felt == pytest.approx(np.full(6, 3.0))
    assert all(s.wish.pose_world_target is GOAL for s in steps)
