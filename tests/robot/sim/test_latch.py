"""The law along a connector's axis, with the plug's depth prescribed step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot.mating import STIFFNESS, Engagement
from tests.robot.sim.latch_rig import POSE, PROFILE, SLOW, SOCKET, Rig


def test_the_push_follows_the_profile():
    rig = Rig()
    forces = rig.go(13e-3)
    # Drag of the slow motion apart, at the contacts' depth, which lags by what the bristle gives.
    assert forces.max() == pytest.approx(PROFILE.peak_force, rel=0.01)
    depth = np.linspace(0.0, 13e-3, len(forces) + 1)[1:] - forces / STIFFNESS
    expected = np.interp(depth, [0.0, 6e-3, 9e-3, 12.2e-3], [0.0, 3.4, 75.0, 34.0])
    before_latch = depth < 12.2e-3
    assert forces[before_latch] == pytest.approx(expected[before_latch], abs=1.5)


def test_the_latch_clicks_with_a_drop_of_force():
    rig = Rig()
    forces = rig.go(14e-3 + 34.0 / STIFFNESS)
    click = next(i for i in range(1, len(forces)) if forces[i - 1] - forces[i] > 10.0)
    assert forces[click - 1] - forces[click : click + 10].min() == pytest.approx(20.0, abs=2.5)
    assert rig.truth.latched
    assert not rig.truth.locked
    assert rig.truth.contact_depth > PROFILE.latch_depth


def test_drag_grows_with_speed():
    slow, fast = Rig(), Rig()
    assert fast.go(5e-3, 5e-5)[-1] - slow.go(5e-3)[-1] == pytest.approx(200.0 * 0.05, rel=0.05)


def test_a_plug_that_is_let_go_half_way_stays_and_does_not_creep():
    rig = Rig()
    rig.go(8e-3)
    rig.until(-5.0)
    depth = rig.truth.contact_depth
    forces = [rig.at(rig.depth) for _ in range(500)]
    assert rig.truth.contact_depth == depth
    assert np.ptp(forces[1:]) < 1e-6


def test_the_slide_is_blocked_until_the_push_was_relaxed():
    rig = Rig()
    rig.go(13e-3)
    rig.until(100.0)
    assert rig.truth.latched
    assert rig.truth.slide == 0.0
    rig.relax()
    rig.go(rig.depth + 5e-4)
    assert rig.truth.force == pytest.approx(22.0, abs=1.0)
    rig.go(PROFILE.full_depth)
    rig.relax()
    assert rig.truth.locked
    assert rig.truth.interlock
    assert rig.truth.slide == pytest.approx(PROFILE.lock_stroke, abs=5e-5)


def test_order_of_mating_and_unmating():
    rig = Rig()
    rig.go(14.1e-3)
    rig.until(40.0)
    rig.relax()
    rig.until(60.0)
    rig.go(-1e-3)
    made = [(e.what, e.value) for e in rig.element.events]
    assert made == [
        ("power", True),
        ("latched", True),
        ("interlock", True),
        ("locked", True),
        ("locked", False),
        ("interlock", False),
        ("latched", False),
        ("power", False),
    ]
    opened, parted = rig.times("interlock", False)[0], rig.times("power", False)[0]
    assert opened - parted > PROFILE.power_gap - 1e-3
    assert rig.truth.socket is None


def test_the_interlock_opens_while_everything_else_still_holds():
    rig = Rig(start=Engagement.LOCKED)
    while rig.truth.interlock:
        rig.at(rig.depth - SLOW)
    assert rig.truth.latched
    assert rig.truth.power
    assert rig.truth.contact_depth == pytest.approx(PROFILE.stroke, abs=PROFILE.play)


def test_drawn_back_the_shell_stops_before_the_latch_is_released():
    rig = Rig(start=Engagement.LOCKED)
    forces = rig.go(PROFILE.stroke + 1e-4)
    assert forces.min() > -PROFILE.unlock_force - 1.0
    assert rig.truth.slide < 3e-4
    rig.until(-35.0)
    assert rig.truth.latched
    rig.until(-44.0)
    rig.go(rig.depth - 3e-3)
    assert not rig.truth.latched


def test_a_sleeve_that_springs_back_in_place_latches_again():
    rig = Rig(replace(SOCKET, profile=replace(PROFILE, unmating_force=50.0)), Engagement.MATED)
    rig.go(rig.depth - 2.32e-3)
    assert not rig.truth.latched
    assert rig.truth.contact_depth > PROFILE.latch_depth
    rig.go(PROFILE.stroke)
    assert rig.truth.latched


@pytest.mark.parametrize("start", [Engagement.MATED, Engagement.LOCKED])
def test_the_cable_is_held_by_the_latch_and_leaves_the_slide_alone(start):
    rig = Rig(start=start)
    slide = rig.truth.slide
    out = -POSE.rotation[:, 2]
    for pull in np.linspace(0.0, 110.0, 200):
        rig.cable = pull * out
        # Nobody holds the shell: it comes to rest where the element balances the cable.
        for _ in range(20):
            rig.at(rig.depth - 0.5 * (rig.truth.force + pull) / STIFFNESS)
    assert rig.truth.latched
    assert not rig.truth.latch_broken
    assert rig.truth.slide == pytest.approx(slide, abs=1e-6)
    assert rig.truth.force == pytest.approx(-110.0, abs=1.0)
    moved = PROFILE.depth(start) - rig.depth
    assert moved == pytest.approx(Rig(start=start).element.pull_play(110.0), abs=1e-5)


def test_play_of_a_pull():
    held, free = Rig(start=Engagement.LOCKED), Rig(start=Engagement.HALF)
    for rig in (held, free):
        rig.at(rig.depth)
    assert held.element.pull_play(15.0) == pytest.approx(15.0 / STIFFNESS)
    assert held.element.pull_play(100.0) == pytest.approx(100.0 / STIFFNESS + PROFILE.play)
    assert held.element.pull_play(131.0) == pytest.approx(PROFILE.stroke)
    assert free.element.pull_play(30.0) == pytest.approx(0.6 * PROFILE.stroke)
    assert Rig().element.pull_play(1.0) == np.inf


def test_the_scale_is_that_of_the_forces():
    rig = Rig(replace(SOCKET, scale=0.8))
    assert rig.go(11e-3).max() == pytest.approx(60.0, rel=0.01)


@pytest.mark.parametrize("start", [Engagement.HALF, Engagement.MATED, Engagement.LOCKED])
def test_a_start_is_at_rest(start):
    rig = Rig(start=start)
    for _ in range(10):
        assert rig.at(rig.depth) == pytest.approx(0.0, abs=1e-6)
    assert rig.truth.latched == (start != Engagement.HALF)
    assert rig.truth.interlock == rig.truth.locked == (start == Engagement.LOCKED)
    assert rig.element.events == []


def test_state_continues_to_the_bit():
    rig, other = Rig(), Rig()
    rig.go(12e-3)
    other.at(12e-3)
    other.element.restore(rig.element.state())
    other.depth = rig.depth
    assert rig.go(14e-3).tolist() == other.go(14e-3).tolist()


def test_a_far_plug_feels_nothing_and_is_found_when_it_comes():
    rig = Rig()
    for _ in range(30):
        assert rig.at(-0.3) == 0.0
    for _ in range(25):
        rig.at(-0.02)
    assert rig.go(5e-3)[-1] > 1.0


def test_a_sleeping_plug_wakes_when_it_is_moved():
    rig = Rig(start=Engagement.LOCKED)
    rig.at(rig.depth)
    rig.element.set_asleep(rig.world, True)
    for _ in range(20):
        rig.at(rig.depth)
    assert rig.truth.force == pytest.approx(0.0, abs=1e-6)
    moved = rig.depth - 1e-4
    for _ in range(5):
        rig.at(moved)
    assert rig.truth.force == pytest.approx(-15.0, abs=1.0)
