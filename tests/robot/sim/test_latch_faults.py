"""The law along a connector's axis where something is wrong: blocked, broken, bent or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.mating import STIFFNESS, Engagement
from robot.sim.latch import MatingElement
from tests.robot.sim.latch_rig import NOSE, POSE, PROFILE, SOCKET, Rig


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
