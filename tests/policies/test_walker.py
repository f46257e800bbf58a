"""Walking a plan of plugging: what becomes of what fails, and how a load is held up.

One arm plugs a part from its dock into its header and back, in a world made of rules.
"""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from policies.recovery import ScriptedConfig
from robot.spatial import Pose
from tasks.phases import Motion
from tests.policies.plug_rules import (
    AFTER,
    DOCK,
    FRONT,
    GOAL,
    GRIP,
    MATING,
    REAR,
    STIFFNESS,
    WIDTH,
    Socket,
    SpringHand,
    assert_same,
    at_end,
    away,
    back,
    during,
    empty,
    held,
    order,
    plugging,
    unplugging,
    walk,
)

LOAD = np.array([4.0, 15.0, -6.0, 0.3, -0.5, 0.2])


def test_a_plan_is_walked_from_its_first_to_its_last_step():
    plan = (*plugging(), *unplugging(), AFTER)
    walker, steps = walk(plan, away())
    assert order(steps) == [(p.operation, p.name) for p in plan]
    assert walker.report()["retries"] == {}
    assert not walker.gave_up


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


def test_what_was_learned_while_searching_a_header_is_not_believed_of_the_dock():
    """Where a dock is searched and what counts as in it is begun anew with."""
    search = {"force_n": 6.0, "pitch_mm": 3.0, "radius_mm": 10.0, "speed_m_s": 0.04}
    plan = (
        *(p for p in plugging() if p.name in ("reach", "enter_dock", "grasp", "withdraw")),
        held("approach", Motion.MOVE, back(GOAL, 0.02)),
        held("search", Motion.SEARCH, GOAL, limits=search | {"entered_mm": 5.0}),
        held("mate", Motion.MATE, GOAL, limits=MATING),
    )
    plan = tuple(replace(p, operation="plug") for p in plan)
    dock = (
        held("carry", Motion.MOVE, back(DOCK, 0.05), "dock"),
        held("near", Motion.MOVE, back(DOCK, 0.004), "dock"),
        held("look", Motion.SEARCH, DOCK, "dock", limits=search | {"entered_mm": 6.0}),
        empty("release", Motion.RELEASE, DOCK, "dock"),
    )
    dock = tuple(replace(p, operation="unplug", requires="plug") for p in dock)
    hand = away()
    # The part is believed to be in the header before it meets what stops it.
    hand.socket = Socket(wall=-4e-3)
    walker, steps = walk((*plan, *dock, AFTER), hand, ScriptedConfig(retries=0, fetches=0))
    assert walker.reasons == ["plug:mate:blocked"]
    assert walker.gave_up
    # It is in there at once: nothing is searched for.
    assert len(during(steps, "look")) == 1
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
