"""Walking a plan of plugging: what is learned on the way, and what becomes of what fails.

One arm plugs a part from its dock into its header and back, in a world made of rules.
"""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from policies.contact import Search
from policies.memory import Memory
from policies.recovery import ScriptedConfig
from policies.sense import Status
from robot.spatial import Pose
from tasks.phases import Motion
from tests.policies.plug_rules import (
    AFTER,
    DOCK,
    FRONT,
    GOAL,
    GRIP,
    NOMINAL,
    OPEN,
    REAR,
    STIFFNESS,
    WIDTH,
    Socket,
    SpringHand,
    at_end,
    back,
    during,
    empty,
    held,
    largest_step,
    order,
    outcome,
    play,
    plugging,
    unplugging,
    walk,
)

LOAD = np.array([4.0, 15.0, -6.0, 0.3, -0.5, 0.2])


def away(signal=True, **rules):
    """Return an open hand, far from everything; whatever it closes on is a part."""
    rules = {"width_at": lambda hand: WIDTH, "signals": {"lock_in": signal}} | rules
    return SpringHand(GOAL, Pose.translation((0, 0, -0.3)), Socket(wall=0.0), OPEN, **rules)


def test_a_plan_is_walked_from_its_first_to_its_last_step():
    plan = (*plugging(), *unplugging(), AFTER)
    walker, steps = walk(plan, away())
    assert order(steps) == [(p.operation, p.name) for p in plan]
    assert walker.report()["retries"] == {}
    assert not walker.gave_up


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


def assert_same(first, second, position=1e-6, angle=1e-5):
    assert np.linalg.norm(first.position - second.position) < position
    assert first.angle_to(second) < angle


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


# Grips, locks, and work that is given up.


@pytest.mark.parametrize(("collar", "shift"), [(FRONT, -0.002), (REAR, 0.002)])
def test_a_grip_that_a_collar_blocks_is_shifted_away_from_it(collar, shift):
    """The opening at which the fingers stop tells which collar it was."""

    def width_at(hand):
        along = (DOCK.inverse() @ hand.tool).position[2]
        free = along < -1e-3 if collar == FRONT else along > 1e-3
        return WIDTH if free else collar

    walker, steps = walk(plugging(), away(width_at=width_at))
    assert walker.reasons == ["plug:grasp:blocked_grasp"]
    assert walker.retries == {"regrasp": 1}
    assert walker.finished
    assert_same(at_end(steps, "enter_dock").wish.pose_world_target, back(DOCK, -shift))


def test_a_grip_that_something_else_blocks_is_not_shifted():
    hand = away(width_at=lambda hand: 0.022)
    walker, steps = walk(plugging(), hand, ScriptedConfig(regrasps=2, fetches=0))
    assert walker.reasons == ["plug:grasp:blocked_grasp"] * 3
    assert_same(at_end(steps, "enter_dock").wish.pose_world_target, DOCK)
    assert walker.gave_up


@pytest.mark.parametrize("relocks", [0, 1, 2])
def test_a_lock_that_does_not_go_in_is_tried_again_only_so_often(relocks):
    config = ScriptedConfig(retries=4, relocks=relocks)
    walker, _ = walk((*plugging(), *unplugging(), AFTER), away(signal=False), config)
    assert walker.reasons == ["plug:lock:not_locked"] * (1 + relocks)
    assert walker.retries == ({"relock": relocks} if relocks else {})
    assert walker.gave_up
    assert walker.finished


def test_a_piece_of_work_that_is_given_up_puts_its_part_back():
    """And goes on with the next; what would undo it is not done a second time."""
    between = empty("next", Motion.MOVE, back(GOAL, 0.1), operation="between")
    plan = (*plugging(), between, *unplugging(), AFTER)
    walker, steps = walk(plan, away(signal=False), ScriptedConfig(relocks=0))
    plugged = [("plug", p.name) for p in plugging()[:7]]
    put_back = [("unplug", name) for name in ("carry", "approach", "release", "leave")]
    assert order(steps) == [*plugged, *put_back, ("between", "next"), ("next", "next")]
    # The part is let go in its dock, and nowhere before.
    grasped = next(i for i, s in enumerate(steps) if s.sense.opening < WIDTH + 1e-6)
    opened = next(s for s in steps[grasped:] if s.wish.opening > WIDTH)
    assert opened.phase.name == "release"
    assert np.linalg.norm(opened.sense.pose_world_tool.position - DOCK.position) < 3e-3
    assert walker.finished


def test_an_empty_hand_puts_nothing_back():
    hand = away(width_at=lambda hand: 0.0)
    walker, steps = walk(
        (*plugging(), *unplugging(), AFTER), hand, ScriptedConfig(regrasps=1, fetches=0)
    )
    assert walker.gave_up
    assert {o for o, _ in order(steps)} == {"plug", "next"}


def test_what_requires_work_that_was_given_up_is_skipped_and_nothing_else():
    hand = away(width_at=lambda hand: 0.0)
    plan = (
        *plugging("plug"),
        empty("a", Motion.MOVE, back(GOAL, 0.06), operation="a", requires="plug"),
        empty("b", Motion.MOVE, back(GOAL, 0.07), operation="b", requires="other"),
        empty("c", Motion.MOVE, back(GOAL, 0.08), operation="c", requires="plug"),
        AFTER,
    )
    walker, steps = walk(plan, hand, ScriptedConfig(regrasps=0, fetches=0))
    assert [o for o, n in order(steps) if n in ("a", "b", "c", "next")] == ["b", "next"]
    assert walker.finished


def test_a_heavy_step_waits_until_no_other_arm_is_pushing():
    plan = [replace(p, heavy=p.name == "lock") for p in plugging()]
    hand = away()
    _, steps = walk(plan, hand, may_push=lambda time: time > 6.0)
    waiting = [s for s in during(steps, "lock") if s.sense.time <= 6.0]
    assert len(waiting) > 10
    assert all(s.wish.push == 0.0 for s in waiting)
    assert at_end(steps, "lock").sense.time > 6.0


# Loads.


def offset_of(step, goal):
    return (goal.inverse() @ step.sense.pose_world_tool).position


def test_a_load_that_was_weighed_is_held_up():
    """A hand on springs that carries a part sags; its target leads by as much."""
    near, far = back(GOAL, 0.02), back(GOAL, 0.08)
    plan = (
        held("grasp", Motion.GRASP, near, limits=GRIP),
        held("before", Motion.MOVE, near, limits={"still_m_s": 0.02}),
        held("weigh", Motion.ZERO, near),
        held("after", Motion.MOVE, far, limits={"still_m_s": 0.02}),
    )
    _, steps = walk(plan, away(load=LOAD))
    sag = LOAD / STIFFNESS
    assert offset_of(at_end(steps, "weigh"), near) == pytest.approx(sag[:3], abs=1e-4)
    last = at_end(steps, "after")
    assert offset_of(last, far) == pytest.approx(np.zeros(3), abs=1e-4)
    assert last.sense.pose_world_tool.angle_to(far) < 1e-4
    lead = far.inverse() @ last.wish.pose_world_target
    assert lead.position == pytest.approx(-sag[:3], abs=1e-6)
    assert lead.rotation_vector() == pytest.approx(-sag[3:], abs=1e-6)


def test_a_load_is_weighed_again_to_the_same():
    """What was weighed is held up already: a second weighing finds nothing to add."""
    near = back(GOAL, 0.02)
    plan = (
        held("grasp", Motion.GRASP, near, limits=GRIP),
        held("before", Motion.MOVE, near, limits={"still_m_s": 0.02}),
        held("weigh", Motion.ZERO, near),
        held("between", Motion.MOVE, back(GOAL, 0.03), limits={"still_m_s": 0.02}),
        held("weigh", Motion.ZERO, back(GOAL, 0.03)),
        held("after", Motion.MOVE, near, limits={"still_m_s": 0.02}),
    )
    _, steps = walk(plan, away(load=LOAD))
    lead = near.inverse() @ at_end(steps, "after").wish.pose_world_target
    assert lead.position == pytest.approx(-LOAD[:3] / STIFFNESS[:3], abs=1e-5)


def test_a_weighed_load_is_not_taken_for_contact():
    """Pushed ahead with a load along tool z, a part is touched where it is, not where it hangs."""
    load = np.array([0.0, 0.0, -20.0, 0.0, 0.0, 0.0])
    near = back(GOAL, 0.02)
    plan = (
        held("grasp", Motion.GRASP, near, limits=GRIP),
        held("weigh", Motion.ZERO, near),
        held("touch", Motion.CONTACT, GOAL, limits={"speed_m_s": 0.05, "force_n": 4.0}),
    )
    hand = away(load=load)
    _, steps = walk(plan, hand, ScriptedConfig(retries=0, fetches=0), seconds=10.0)
    assert hand.depth == pytest.approx(0.0, abs=1e-4)
    assert 4.0 < steps[-1].sense.push - 20.0 < 12.0


def test_a_part_that_is_let_go_is_not_held_up():
    near = back(GOAL, 0.02)
    plan = (
        held("grasp", Motion.GRASP, near, limits=GRIP),
        held("weigh", Motion.ZERO, near),
        held("carry", Motion.MOVE, back(GOAL, 0.08), limits={"still_m_s": 0.02}),
        empty("release", Motion.RELEASE, back(GOAL, 0.08)),
        empty("leave", Motion.MOVE, back(GOAL, 0.12)),
    )
    _, steps = walk(plan, away(load=LOAD))
    letting_go = during(steps, "release")
    here = letting_go[0].sense.pose_world_tool
    assert len(letting_go) > 2
    for step in letting_go:
        assert_same(step.wish.pose_world_target, here)
    # Nor is what is no longer there.
    assert_same(at_end(steps, "leave").wish.pose_world_target, back(GOAL, 0.12))


def test_a_part_that_settles_is_handed_over_gradually():
    near = back(GOAL, 0.02)
    plan = (
        held("grasp", Motion.GRASP, near, limits=GRIP),
        held("weigh", Motion.ZERO, near),
        empty("release", Motion.RELEASE, near, limits={"settle_s": 0.2}),
        empty("leave", Motion.MOVE, back(GOAL, 0.12)),
    )
    _, steps = walk(plan, away(load=LOAD))
    letting_go = during(steps, "release")
    here = letting_go[0].sense.pose_world_tool
    leads = [here.inverse() @ step.wish.pose_world_target for step in letting_go]
    lifts = [float(np.linalg.norm(lead.position)) for lead in leads]
    whole = np.linalg.norm(LOAD[:3] / STIFFNESS[:3])
    assert lifts[0] == pytest.approx(0.8 * whole, abs=0.02 * whole)
    assert lifts[:5] == sorted(lifts[:5], reverse=True)
    # By the time the fingers open, the socket carries it.
    opening = [step.opening for step in letting_go]
    assert max(lift for lift, wide in zip(lifts, opening, strict=True) if wide > 0.0) < 0.02 * whole


# Searching on.


def test_a_search_that_found_the_wrong_place_goes_on_where_it_left_off():
    memory, search = Memory(True), held("search", Motion.SEARCH, GOAL, limits={"force_n": 6.0})
    assert memory.informed(search) is search
    memory.search_ended(7.5)
    memory.search_again(further=True)
    assert memory.informed(search).limits == {"force_n": 6.0, "from_rad": 7.5}
    assert "from_rad" not in memory.informed(held("mate", Motion.MATE, GOAL)).limits


@pytest.mark.parametrize("forget", [lambda m: m.search_again(further=False), lambda m: m.take()])
def test_any_other_search_begins_in_the_middle(forget):
    memory, search = Memory(True), held("search", Motion.SEARCH, GOAL)
    memory.search_ended(7.5)
    memory.search_again(further=True)
    forget(memory)
    assert memory.informed(search) is search


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


# Steps that only something given up makes sense of.


def test_a_way_around_a_part_that_was_put_back_is_gone_only_if_one_was():
    around = replace(
        held("around", Motion.MOVE, back(GOAL, 0.2)), operation="other", given_up="plug"
    )
    plan = (*plugging(), around, AFTER)
    walker, steps = walk(plan, away())
    assert not walker.gave_up
    assert "around" not in [name for _, name in order(steps)]
    walker, steps = walk(plan, away(signal=False), ScriptedConfig(retries=0, relocks=0, fetches=0))
    assert walker.gave_up
    assert "around" in [name for _, name in order(steps)]


def test_a_part_that_is_put_back_is_carried_around_others_that_were():
    around = replace(
        held("around", Motion.MOVE, back(DOCK, 0.2)),
        operation="unplug b",
        requires="b",
        given_up="a",
    )
    undo = [p for p in unplugging("unplug b", "b") if p.name in ("carry", "approach", "release")]
    plan = (*plugging("a"), *plugging("b"), around, *undo, AFTER)
    config = ScriptedConfig(retries=0, relocks=0, fetches=0)
    _, steps = walk(plan, away(signal=False), config)
    names = order(steps)
    assert names.index(("unplug b", "around")) < names.index(("unplug b", "carry"))


class ShiftedPart(SpringHand):
    """A hand that feels how far along its x axis it is off a part, which stays where it is."""

    SHIFT = 7e-3

    def sense(self):
        x = float((DOCK.inverse() @ self.tool).position[0])
        self.in_hand = np.array([float(self.opening < WIDTH + 1e-3), self.SHIFT - x, 0.0, 0.0])
        return super().sense()


@pytest.mark.parametrize(
    ("config", "taken_again"),
    [
        (ScriptedConfig(), True),
        (ScriptedConfig(askew_m=8e-3), False),
        (ScriptedConfig(regrasps=0), False),
        (ScriptedConfig(use_touch=False), False),
    ],
)
def test_a_part_that_is_felt_to_be_held_far_off_is_taken_again_where_it_was_felt(
    config, taken_again
):
    hand = ShiftedPart(start=DOCK @ Pose.translation((0.0, 0.0, -0.1)), width_at=lambda hand: WIDTH)
    walker, steps = walk(plugging()[:3], hand, config)
    assert walker.finished
    assert walker.reasons == ["plug:grasp:askew_grasp"] * taken_again
    off = (DOCK.inverse() @ steps[-1].sense.pose_world_tool).position
    assert off[0] == pytest.approx(ShiftedPart.SHIFT * taken_again, abs=1e-4)


def test_a_part_that_is_not_felt_for_sure_is_left_as_it_is():
    class Unsure(ShiftedPart):
        def sense(self):
            return dataclasses.replace(super().sense(), in_hand=np.array([0.4, 9e-3, 0.0, 0.0]))

    hand = Unsure(start=DOCK @ Pose.translation((0.0, 0.0, -0.1)), width_at=lambda hand: WIDTH)
    walker, _ = walk(plugging()[:3], hand)
    assert walker.reasons == []
