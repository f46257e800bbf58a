"""What an arm learns on the way: where places are, how a part lies in the hand, where to search on.

One arm with its part, between a dock and a header, in a world made of rules.
"""

import numpy as np
import pytest

from policies.memory import Memory
from policies.recovery import ScriptedConfig
from policies.search import Search
from policies.sense import Status
from robot.spatial import Pose
from tasks.phases import Motion
from tests.policies.plug_rules import (
    DOCK,
    GOAL,
    GRIP,
    NOMINAL,
    OPEN,
    WIDTH,
    Socket,
    SpringHand,
    assert_same,
    at_end,
    away,
    back,
    empty,
    held,
    largest_step,
    outcome,
    play,
    walk,
)

# What is found out of a place.

PART_ASKEW = (0.003, -0.002, 0.08)


def part_in_hand(felt):
    """Return where a part lies in the hand that is felt so: shifted, and turned about tool y."""
    turn = Pose.from_rotation_vector((0.0, felt[2], 0.0))
    shift = np.array([felt[0], 0.0, felt[1]])
    return Pose(NOMINAL.position + shift, (turn @ NOMINAL).quaternion)


def found_dock(felt, config=None, valid=1.0):
    """Return where the hand goes when it comes back, and where the part lay in the dock.

    The part draws the hand that closes on it, and is felt to lie askew in it.
    """
    drawn = DOCK @ Pose.from_rotation_vector((0.02, -0.03, 0.05), (2e-3, -4e-3, 3e-3))
    plan = (
        empty("enter", Motion.MOVE, DOCK, "dock"),
        held("grasp", Motion.GRASP, DOCK, "dock", limits=GRIP),
        empty("open", Motion.RELEASE, drawn),
        empty("leave", Motion.MOVE, back(DOCK, 0.05)),
        empty("return", Motion.MOVE, DOCK, "dock"),
    )
    hand = away(in_hand=(valid, *felt), draws=drawn)
    _, steps = walk(plan, hand, config)
    return at_end(steps, "return").wish.pose_world_target, drawn


def test_a_place_is_remembered_with_how_the_part_lay_in_the_hand():
    """A hand that comes back would hold a part that lies there as it was planned."""
    target, drawn = found_dock(PART_ASKEW)
    assert_same(target @ NOMINAL, drawn @ part_in_hand(PART_ASKEW))


@pytest.mark.parametrize(("config", "valid"), [(ScriptedConfig(use_touch=False), 1.0), (None, 0.0)])
def test_without_touch_a_place_is_where_the_hand_was_drawn_to(config, valid):
    target, drawn = found_dock(PART_ASKEW, config, valid)
    assert_same(target, drawn)


def test_what_is_found_of_one_place_is_not_taken_for_another():
    plan = (
        empty("enter", Motion.MOVE, DOCK, "dock"),
        held("grasp", Motion.GRASP, DOCK, "dock", limits=GRIP),
        empty("open", Motion.RELEASE, DOCK),
        empty("elsewhere", Motion.MOVE, back(GOAL, 0.05), "header"),
        empty("nowhere", Motion.MOVE, back(GOAL, 0.10)),
    )
    drawn = DOCK @ Pose.translation((2e-3, -4e-3, 3e-3))
    _, steps = walk(plan, away(draws=drawn))
    for name, distance in (("elsewhere", 0.05), ("nowhere", 0.10)):
        assert_same(at_end(steps, name).wish.pose_world_target, back(GOAL, distance))


def test_a_place_is_where_the_hand_was_when_it_began_to_let_go():
    """What was let go was there then; a hand that is free springs aside."""

    class Springing(SpringHand):
        def obey(self, wish):
            super().obey(wish)
            if wish.opening > 0.0 and self.opening > WIDTH:
                self.tool = self.tool @ Pose.translation((0.0, 4e-3, 0.0))

    lies = GOAL @ Pose.translation((3e-3, 0.0, 0.0))
    plan = (
        held("grasp", Motion.GRASP, GOAL, limits=GRIP),
        empty("release", Motion.RELEASE, GOAL, "header"),
        empty("leave", Motion.MOVE, back(GOAL, 0.05), "header"),
    )
    _, steps = walk(plan, Springing(opening=OPEN, width_at=lambda hand: WIDTH, draws=lies))
    assert_same(at_end(steps, "leave").wish.pose_world_target, back(lies, 0.05))


class TurningHand(SpringHand):
    """A hand in which the part turns: felt so at the dock, so when away, so when back there."""

    def __init__(self, felts, **rules):
        super().__init__(DOCK, Pose.translation((0, 0, -0.05)), Socket(wall=0.0), OPEN, **rules)
        self.felts, self.stage = felts, 0

    def sense(self):
        far = np.linalg.norm(self.tool.position - DOCK.position)
        if self.held and self.stage == 0 and far > 0.02:
            self.stage = 1
        elif self.stage == 1 and far < 0.02:
            self.stage = 2
        self.in_hand = np.array([1.0, *self.felts[self.stage]])
        return super().sense()


@pytest.mark.parametrize("back_there", [(0.0, 0.0, -0.06), (2e-3, 1e-3, 0.09)])
def test_a_part_is_brought_to_a_found_place_by_how_it_is_felt_by_now(back_there):
    """However it lies in the hand by now, it goes to where one lay in the dock."""
    on_the_way = (-1e-3, 2e-3, 0.03)
    hand = TurningHand((PART_ASKEW, on_the_way, back_there), width_at=lambda hand: WIDTH)
    mating = {"time_s": 1.0, "force_n": 30.0, "entry_n": 30.0}
    plan = (
        empty("enter", Motion.MOVE, DOCK, "dock"),
        held("grasp", Motion.GRASP, DOCK, "dock", limits=GRIP),
        held("withdraw", Motion.MOVE, back(DOCK, 0.12)),
        held("approach", Motion.MOVE, back(DOCK, 0.01), "dock"),
        held("mate", Motion.MATE, DOCK, "dock", limits=mating),
    )
    _, steps = walk(plan, hand, ScriptedConfig(retries=0, fetches=0), seconds=8.0)
    there = DOCK @ part_in_hand(PART_ASKEW)
    # On the way it is felt for a while before it counts; in a socket, what is felt then counts.
    approached = at_end(steps, "approach").wish.pose_world_target
    before = DOCK @ part_in_hand(PART_ASKEW) @ NOMINAL.inverse() @ Pose.translation((0, 0, -0.01))
    assert_same(approached @ part_in_hand(on_the_way), before @ NOMINAL)
    mated = at_end(steps, "mate")
    assert mated.sense.in_hand[3] == back_there[2]
    # What is left is the end of straightening.
    assert (mated.wish.pose_world_target @ part_in_hand(back_there)).angle_to(there) < 0.015


def test_without_touch_the_part_goes_where_it_was_planned():
    hand = TurningHand([PART_ASKEW] * 3, width_at=lambda hand: WIDTH)
    plan = (
        held("grasp", Motion.GRASP, back(DOCK, 0.05), limits=GRIP),
        held("withdraw", Motion.MOVE, back(DOCK, 0.08)),
        held("approach", Motion.MOVE, back(DOCK, 0.01)),
    )
    _, steps = walk(plan, hand, ScriptedConfig(use_touch=False))
    assert_same(at_end(steps, "approach").wish.pose_world_target, back(DOCK, 0.01))


# Searching on.


def test_a_search_that_found_the_wrong_place_goes_on_where_it_left_off():
    memory, search = Memory(True), held("search", Motion.SEARCH, GOAL, limits={"force_n": 6.0})
    assert memory.informed(search) is search
    memory.search_ended(7.5, -0.006)
    memory.search_again(further=True)
    assert memory.informed(search).limits == {"force_n": 6.0, "from_rad": 7.5}
    assert "from_rad" not in memory.informed(held("mate", Motion.MATE, GOAL)).limits


@pytest.mark.parametrize("forget", [lambda m: m.search_again(further=False), lambda m: m.take()])
def test_any_other_search_begins_in_the_middle(forget):
    memory, search = Memory(True), held("search", Motion.SEARCH, GOAL)
    memory.search_ended(7.5, -0.006)
    memory.search_again(further=True)
    forget(memory)
    assert memory.informed(search) is search


@pytest.mark.parametrize(("ended_mm", "next_mm"), [(-4.0, 2.0), (-1.0, -1.0), (-9.0, 5.0)])
def test_what_was_blocked_was_not_in_however_deep_it_was_believed_to_be(ended_mm, next_mm):
    """Feet that slid put the whole cell elsewhere: what counts as in is learned from the block."""
    memory = Memory(True)
    limits = {"entered_mm": 5.0, "force_n": 6.0, "radius_mm": 4.0, "speed_m_s": 0.04}
    search = held("search", Motion.SEARCH, GOAL, limits=limits)

    def played():
        wall = SpringHand(start=Pose.translation((0.0, 0.0, -0.005)), socket=Socket(wall=-4e-3))
        return outcome(play(Search, dict(memory.informed(search).limits), wall))

    memory.search_ended(0.0, 1e-3 * ended_mm)
    assert played() == (Status.DONE, "")
    memory.search_again(further=True)
    assert memory.informed(search).limits["entered_mm"] == pytest.approx(next_mm)
    # The wall is at -4 mm: only who was blocked at a wall this deep searches on.
    found = next_mm > 4.0
    assert played() == ((Status.DONE, "") if found else (Status.FAILED, "pin_not_found"))
    memory.search_again(further=False)
    assert memory.informed(search).limits["entered_mm"] == pytest.approx(next_mm)
    memory.take()
    assert memory.informed(search) is search


@pytest.mark.parametrize("depths_mm", [(-4.0, -6.0), (-6.0, -4.0)])
def test_what_was_not_in_once_is_not_in_after_another_block(depths_mm):
    memory = Memory(True)
    search = held("search", Motion.SEARCH, GOAL, limits={"entered_mm": 5.0})
    for depth_mm in depths_mm:
        memory.search_ended(0.0, 1e-3 * depth_mm)
        memory.search_again(further=True)
    assert memory.informed(search).limits["entered_mm"] == pytest.approx(2.0)


def test_a_search_that_goes_on_counts_no_drop_on_the_way_there():
    """The rim lies higher than where the other search left off."""
    limits = {"force_n": 6.0, "pitch_mm": 3.0, "radius_mm": 10.0, "drop_mm": 1.2, "speed_m_s": 0.03}

    def hole(turn):
        """Return a hand over a ledge 2 mm high, beside the place where a search left off."""
        radius = 3e-3 * turn / (2.0 * np.pi)
        there = radius * np.array([np.cos(turn), np.sin(turn)])

        class Ledge(SpringHand):
            def obey(self, wish):
                aside = (self.goal.inverse() @ wish.pose_world_target).position[:2] - there
                deep = -18e-3 if np.linalg.norm(aside) > 1e-3 or turn == 0.0 else -16e-3
                self.socket = Socket(lambda depth: 300.0 if depth >= deep else 0.0)
                super().obey(wish)

        return Ledge(start=Pose.translation((0.0, 0.0, -18e-3)))

    steps = play(Search, limits | {"from_rad": 9.0}, hole(9.0), seconds=0.6)
    assert outcome(steps)[0] is Status.RUNNING
    assert largest_step(steps[1:]) < 0.03 * 0.04 + 2e-3
    reached = (GOAL.inverse() @ steps[-1].wish.pose_world_target).position[:2]
    assert np.linalg.norm(reached) == pytest.approx(3e-3 * 9.0 / (2.0 * np.pi), abs=1.5e-3)
