"""The law along a connector's axis, with the plug's depth prescribed step by step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.geometry import Box
from robot.mating import STIFFNESS, Engagement, MatingProfile, Socket
from robot.sim.latch import MatingElement
from robot.sim.world import World
from robot.spatial import Pose

PROFILE = MatingProfile(
    stroke=14e-3,
    engage_depth=6e-3,
    peak_depth=9e-3,
    peak_force=75.0,
    friction=34.0,
    drag=200.0,
    unmating_force=40.0,
    latches=True,
    click_drop=20.0,
    play=3e-4,
    retention=130.0,
    release_stroke=2e-3,
    release_force=45.0,
    lock_stroke=3.5e-3,
    lock_force=22.0,
    unlock_force=22.0,
    blocked_force=140.0,
    arm_force=10.0,
    interlock_slide=2.5e-3,
    power_depth=9.5e-3,
    pin_depth=6.5e-3,
    pin_tilt=0.05,
    pin_offset=1e-3,
    pin_force=60.0,
    key_depth=4.5e-3,
    key_force=80.0,
    max_force=120.0,
)
SOCKET = Socket("socket", PROFILE, (0.0122, 0.0202))
NOSE = 0.0345
POSE = Pose.from_rotation_vector([0.3, 2.0, 0.4], [0.5, 0.2, 0.9])
GHOST = (Box((0.01, 0.01, 0.01), collides=False),)
SLOW = 2e-6


class Rig:
    """A plug without walls that is put where the test says, one step at a time."""

    def __init__(self, socket: Socket = SOCKET, start: Engagement = Engagement.FREE) -> None:
        self.world = World(dt=1e-3)
        for name, pose in (("socket", POSE), ("plug", Pose.translation([0.0, 0.0, 5.0]))):
            self.world.add_body(name, GHOST, mass=1.0, pose_world_body=pose, friction=0.5)
        self.cable = np.zeros(3)
        self.element = MatingElement("plug", NOSE, [socket], lambda: self.cable)
        engaged = start != Engagement.FREE
        self.element.configure([socket], "socket" if engaged else None, start)
        self.element.reset()
        self.depth = socket.profile.depth(start) if engaged else 0.0
        self.tilt, self.offset = 0.0, 0.0

    def at(self, depth: float) -> float:
        """Make one step at a depth; return the force on the plug along its way out."""
        self.depth = depth
        nose = Pose.from_rotation_vector([self.tilt, 0.0, 0.0], [self.offset, 0.0, depth])
        self.world.set_pose("plug", POSE @ nose @ Pose.translation([0.0, 0.0, -NOSE]))
        self.element.apply(self.world)
        return self.element.truth().force

    def go(self, depth: float, step: float = SLOW) -> np.ndarray:
        """Move evenly to a depth; return the force at each step."""
        count = max(1, round(abs(depth - self.depth) / step))
        return np.array([self.at(x) for x in np.linspace(self.depth, depth, count + 1)[1:]])

    def until(self, force: float, step: float = SLOW) -> None:
        """Move until the force on the plug is at least this (or at most, if negative)."""
        for _ in range(50_000):
            now = self.at(self.depth + np.sign(force) * step)
            if (now - force) * np.sign(force) >= 0.0:
                return
        raise AssertionError(f"{force} N were never reached: {self.element.truth()}")

    def relax(self) -> None:
        """Stop pushing for long enough to free the slide."""
        truth = self.element.truth()
        for _ in range(60):
            self.at(truth.contact_depth + truth.slide)

    def times(self, what: str, value: bool = True) -> list[float]:
        return [e.depth for e in self.element.events if e.what == what and e.value == value]

    @property
    def truth(self):
        return self.element.truth()


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


def test_a_blocked_slide_gives_way_to_a_lasting_push_only():
    rig = Rig(replace(SOCKET, stop=10e-3))
    rig.go(10e-3)
    rig.at(10e-3 + 160.0 / STIFFNESS)
    rig.at(10e-3)
    assert not rig.truth.lock_forced
    for _ in range(60):
        rig.at(10e-3 + 160.0 / STIFFNESS)
    assert rig.truth.lock_forced
    assert rig.truth.over_force
    rig.go(15e-3)
    assert not rig.truth.interlock


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


def test_more_than_the_retention_breaks_the_latch():
    rig = Rig(start=Engagement.LOCKED)
    rig.cable = -150.0 * POSE.rotation[:, 2]
    rig.go(rig.depth - 2e-3)
    assert rig.truth.latch_broken
    assert not rig.truth.latched
    assert not rig.truth.interlock
    rig.go(0.0)
    rig.cable = np.zeros(3)
    rig.go(15e-3)
    assert not rig.truth.latched


def test_play_of_a_pull():
    held, free = Rig(start=Engagement.LOCKED), Rig(start=Engagement.HALF)
    for rig in (held, free):
        rig.at(rig.depth)
    assert held.element.pull_play(15.0) == pytest.approx(15.0 / STIFFNESS)
    assert held.element.pull_play(100.0) == pytest.approx(100.0 / STIFFNESS + PROFILE.play)
    assert held.element.pull_play(131.0) == pytest.approx(PROFILE.stroke)
    assert free.element.pull_play(30.0) == pytest.approx(0.6 * PROFILE.stroke)
    assert Rig().element.pull_play(1.0) == np.inf


def test_a_latch_that_does_not_click_gives_no_drop_and_no_hold():
    rig = Rig(replace(SOCKET, clicks=False))
    forces = rig.go(14e-3 + 1e-4)
    assert forces[-500:-60].max() < 35.0 + 1.0
    rig.relax()
    rig.go(rig.depth + 3e-4)
    assert not rig.truth.latched
    assert rig.truth.slide == 0.0
    assert rig.go(10e-3).min() > -41.0


def test_debris_stops_the_plug():
    rig = Rig(replace(SOCKET, stop=10e-3))
    rig.go(10e-3)
    rig.until(100.0)
    assert rig.truth.contact_depth == pytest.approx(10e-3, abs=1e-8)
    assert rig.depth < 10e-3 + 101.0 / STIFFNESS


def test_a_wrong_plug_stops_before_the_pins_and_forcing_it_is_remembered():
    rig = Rig(replace(SOCKET, matches=False))
    rig.go(4e-3)
    assert abs(rig.truth.force) < 1e-6
    rig.until(60.0)
    assert not rig.truth.key_forced
    assert rig.truth.contact_depth == pytest.approx(PROFILE.key_depth, abs=1e-8)
    rig.until(100.0)
    assert rig.truth.key_forced
    assert not rig.truth.power


@pytest.mark.parametrize(("tilt", "offset"), [(0.06, 0.0), (0.0, 1.2e-3)])
def test_a_hard_push_askew_bends_a_pin(tilt, offset):
    rig = Rig()
    rig.tilt, rig.offset = tilt, offset
    rig.go(8e-3)
    assert not rig.truth.pin_bent
    rig.go(10e-3)
    assert rig.truth.pin_bent


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


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interlock_slide": 0.0}, "interlock_slide"),
        ({"interlock_slide": 4e-3}, "interlock_slide"),
        ({"power_depth": 13.9e-3}, "power_depth"),
        ({"power_depth": 5e-3}, "power_depth"),
        ({"lock_stroke": 0.0}, "lock_stroke"),
        ({"unlock_force": 131.0, "release_force": 131.0}, "release_force"),
        ({"release_force": 20.0}, "release_force"),
        ({"retention": 100.0}, "retention"),
        ({"click_drop": 50.0}, "click_drop"),
        ({"blocked_force": 70.0}, "blocked_force"),
        ({"peak_depth": 12.5e-3}, "peak_depth"),
        ({"engage_depth": 10e-3}, "engage_depth"),
        ({"friction": 80.0}, "friction"),
        ({"peak_force": 130.0}, "peak_force"),
        ({"latches": False}, "lock_stroke"),
        ({"key_depth": 7e-3}, "key_depth"),
        ({"pin_depth": 5e-3}, "pin_depth"),
        ({"drag": -1.0}, "drag"),
    ],
)
def test_contradictions_are_refused_by_name(change, field):
    with pytest.raises(ValueError, match=f"^{field}: expected .*got"):
        replace(PROFILE, **change)


def test_starts_that_cannot_be_are_refused():
    element = MatingElement("plug", NOSE, [SOCKET])
    with pytest.raises(UnknownName, match="socket"):
        element.configure([SOCKET], "sockt", Engagement.MATED)
    for bad in (replace(SOCKET, clicks=False), replace(SOCKET, matches=False)):
        with pytest.raises(ValueError, match="engagement"):
            element.configure([bad], "socket", Engagement.LOCKED)
    with pytest.raises(ValueError, match="stop"):
        replace(SOCKET, stop=15e-3)
    with pytest.raises(ValueError, match="once"):
        element.configure([SOCKET, SOCKET])
