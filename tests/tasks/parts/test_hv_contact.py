"""Plugs in headers and docks, held by an impedance hand: what the whole of contact and law does."""

from __future__ import annotations

import numpy as np
import pytest

from robot.mating import Engagement
from tasks.parts.hv_connector import KEY_CODES, with_key
from tests.tasks.parts.hv_bench import STIFF, TYPES, Bench

EACH_TYPE = pytest.mark.parametrize("name", TYPES)
KIND = TYPES["hv_a"]


def mate(bench: Bench, most: float = 0.08) -> bool:
    try:
        bench.push_until(lambda truth: truth.latched, most)
    except AssertionError:
        return False
    return True


@EACH_TYPE
def test_the_largest_push_is_that_of_the_profile(name):
    kind = TYPES[name]
    bench = Bench(kind)
    bench.place(-1e-3)
    forces = []
    while not bench.element.truth().latched:
        # Slowly: drag comes on top of the profile.
        forces += bench.advance(1e-3, 0.005)
    peak = kind.mating.peak_force
    assert bench.element.truth().peak_force == pytest.approx(peak, rel=0.03)
    assert max(forces) == pytest.approx(peak, rel=0.03)


@EACH_TYPE
def test_a_plug_mates_locks_and_unmates_in_order(name):
    kind = TYPES[name]
    bench = Bench(kind)
    bench.place(-2e-3)
    bench.lock()
    truth = bench.element.truth()
    assert truth.interlock
    assert truth.contact_depth > kind.mating.stroke - 0.5e-3
    assert not any((truth.pin_bent, truth.over_force, truth.lock_forced, truth.latch_broken))
    bench.advance(-55e-3, 0.05)
    assert bench.depth() < -1e-3
    made = [e.what for e in bench.element.events if e.value]
    parted = [e.what for e in bench.element.events if not e.value]
    assert made == ["power", "latched", "interlock", "locked"]
    assert parted == ["locked", "interlock", "latched", "power"]
    opened, power = bench.first("interlock", False), bench.first("power", False)
    assert opened.depth - power.depth > kind.mating.power_gap - 1e-3
    assert power.time - opened.time > 0.1


def test_a_pull_by_the_cable_of_110_newtons_releases_nothing():
    bench = Bench(KIND, start=Engagement.LOCKED)
    bench.hold(False)
    for pull in np.linspace(0.0, 110.0, 300):
        bench.cable = -pull
        bench.world.tick()
    bench.run(0.2)
    truth = bench.element.truth()
    assert truth.latched
    assert truth.locked
    assert truth.interlock
    assert bench.depth() > KIND.mating.full_depth - 1.5e-3
    bench.cable = 0.0
    bench.run(0.2)
    assert not bench.element.truth().latch_broken


def test_a_pull_test_of_15_newtons_moves_a_mated_plug_by_less_than_half_a_millimetre():
    bench = Bench(KIND, start=Engagement.MATED)
    bench.run(0.05)
    before = bench.depth()
    bench.reference = bench.pose_socket_plug()
    bench.advance(-15.0 / bench.stiffness[0])
    bench.run(0.1)
    assert bench.force == pytest.approx(-15.0, abs=1.0)
    assert before - bench.depth() < 0.5e-3
    assert bench.element.truth().latched


@pytest.mark.parametrize("friction", [0.1, 0.4])
@pytest.mark.parametrize("offset", [(2e-3, 0.0), (-2e-3, 0.0), (0.0, 2e-3), (1.4e-3, -1.4e-3)])
def test_the_taper_guides_a_plug_that_is_two_millimetres_off(offset, friction):
    bench = Bench(KIND, friction=friction)
    bench.place(-2e-3, offset)
    assert mate(bench)
    truth = bench.element.truth()
    assert truth.offset < 0.5e-3
    assert not truth.pin_bent


def test_beyond_the_taper_it_stands_on_the_flange():
    bench = Bench(KIND)
    bench.place(-2e-3, (0.0, 4e-3))
    assert not mate(bench, 0.02)
    assert abs(bench.depth()) < 0.5e-3


@pytest.mark.parametrize("turn", [(0, 0, 2), (2, 0, 0), (0, 2, 0), (-2, 0, 0), (0, -2, 0)])
def test_two_degrees_of_yaw_or_tilt_mate(turn):
    bench = Bench(KIND)
    bench.place(-2e-3, turn=np.radians(turn))
    assert mate(bench)
    assert not bench.element.truth().pin_bent


@pytest.mark.parametrize("turn", [(4, 0, 0), (0, 4, 0), (-4, 0, 0), (0, -4, 0)])
def test_four_degrees_of_tilt_jam_before_any_pin_is_touched(turn):
    bench = Bench(KIND)
    bench.stiffness = STIFF
    bench.place(-2e-3, turn=np.radians(turn))
    assert not mate(bench, 0.025)
    truth = bench.element.truth()
    assert KIND.nose.taper_length < truth.depth < KIND.mating.pin_depth
    assert not truth.pin_bent


@pytest.mark.parametrize("name", ["hv_a", "hv_c", "lv_d"])
@pytest.mark.parametrize("offset", [0.0, 1.5e-3, -1.5e-3])
def test_a_wrong_key_stops_at_the_rib(name, offset):
    kind = TYPES[name]
    place = KEY_CODES.index(kind.key)
    for code in KEY_CODES[max(0, place - 1) : place + 2]:
        if code == kind.key:
            continue
        bench = Bench(kind, header=with_key(kind, code))
        # The walls alone: the element knows of no socket.
        bench.element.configure([])
        bench.place(-2e-3, (0.0, offset))
        bench.advance(60e-3, 0.06)
        assert bench.force > 105.0
        assert 2.5e-3 < bench.depth() < 5e-3


def test_pushing_on_a_wrong_key_is_noticed():
    bench = Bench(KIND, header=with_key(KIND, "E"))
    bench.place(-2e-3)
    bench.advance(30e-3)
    assert 40.0 < bench.force < 70.0
    assert not bench.element.truth().key_forced
    bench.advance(30e-3)
    truth = bench.element.truth()
    assert truth.key_forced
    assert not truth.matches
    assert not truth.latched


def test_an_upside_down_plug_stops_at_the_rib():
    bench = Bench(KIND)
    bench.place(-2e-3, turn=(0.0, 0.0, np.pi))
    assert not mate(bench)
    assert bench.depth() < 5e-3


def test_walls_give_by_less_than_60_micrometres():
    bench = Bench(KIND)
    bench.place(-0.5e-3, (0.0, 4e-3))
    bench.stiffness = STIFF
    bench.advance(5.5e-3)
    bench.run(0.1)
    assert bench.force == pytest.approx(100.0, abs=12.0)
    assert 0.0 < bench.deepest_penetration() < 60e-6
    bench = Bench(KIND, start=Engagement.LOCKED)
    for _ in range(300):
        bench.world.add_wrench("plug", [*(100.0 * bench.pose_world_socket.rotation[:, 0]), 0, 0, 0])
        bench.world.tick()
    assert 0.0 < bench.deepest_penetration() < 60e-6


@EACH_TYPE
def test_a_docked_plug_rests_there_and_leaves_with_a_light_pull(name):
    kind = TYPES[name]
    bench = Bench(kind, dock=True, start=Engagement.MATED, friction=0.1)
    bench.hold(False)
    bench.run(0.5)
    rest = kind.pose_dock_plug.inverse() @ bench.pose_socket_plug()
    assert np.abs(rest.position).max() < 0.5e-3
    assert np.abs(np.degrees(rest.rotation_vector())).max() < 1.0
    bench.reference = bench.pose_socket_plug()
    bench.hold(True)
    forces = bench.advance(-40e-3, 0.05)
    assert -16.0 < min(forces) < -7.0
    assert bench.depth() < -5e-3


@pytest.mark.parametrize("turn", [(0, 4, 0), (0, -4, 0), (1, 3, 1)])
def test_a_plug_askew_in_the_pads_is_docked_and_comes_to_rest_in_place(turn):
    bench = Bench(KIND, dock=True, friction=0.12)
    # Pads let a plug turn about their normal at some 0.3 N·m.
    bench.stiffness = (2000.0, 6.0)
    bench.place(-2e-3, (1e-3, 0.0), np.radians(turn))
    bench.advance(KIND.dock.stroke + 12e-3)
    bench.hold(False)
    bench.run(0.4)
    rest = KIND.pose_dock_plug.inverse() @ bench.pose_socket_plug()
    assert np.abs(rest.position).max() < 1e-3


def test_the_same_actions_end_in_the_same_bits():
    ends = []
    for _ in range(2):
        bench = Bench(KIND, friction=0.3)
        bench.place(-2e-3, (1e-3, -1e-3), (0.01, 0.02, 0.01))
        mate(bench)
        ends.append([*bench.pose_socket_plug().position, *bench.element.state()])
    assert ends[0] == ends[1]


def test_after_a_restore_the_past_leaves_no_trace():
    bench = Bench(KIND, start=Engagement.LOCKED)
    bench.hold(False)
    # The bodies are looked up at the first step.
    bench.run(0.01)
    bench.world.save()
    ends = []
    for sleeps in (False, True, False, False):
        bench.element.set_asleep(bench.world, False)
        bench.run(0.001)
        bench.world.restore()
        bench.run(0.05)
        ends.append([*bench.pose_socket_plug().position, *bench.element.state()])
        bench.element.set_asleep(bench.world, sleeps)
        bench.run(0.02)
    assert ends[0] == ends[1] == ends[2] == ends[3]


def test_a_sleeping_plug_stays_and_wakes_as_it_was():
    bench = Bench(KIND, start=Engagement.LOCKED)
    bench.hold(False)
    bench.run(0.1)
    before = bench.world.pose_world_body("plug")
    bench.element.set_asleep(bench.world, True)
    bench.run(0.5)
    asleep = bench.world.pose_world_body("plug")
    assert np.abs(asleep.position - before.position).max() < 2e-5
    bench.element.set_asleep(bench.world, False)
    bench.run(0.2)
    truth = bench.element.truth()
    assert truth.locked
    assert np.abs(bench.world.pose_world_body("plug").position - before.position).max() < 5e-5


def test_a_docked_plug_that_its_cable_pulls_falls_asleep_and_wakes_without_a_jolt():
    bench = Bench(KIND, dock=True, start=Engagement.MATED, friction=0.12)
    bench.hold(False)
    bench.cable = -5.0
    bench.run(0.3)
    before = bench.world.pose_world_body("plug")
    for _ in range(20):
        bench.element.set_asleep(bench.world, True)
        bench.run(0.01)
        bench.element.set_asleep(bench.world, False)
        bench.run(0.01)
    after = bench.world.pose_world_body("plug")
    assert np.abs(after.position - before.position).max() < 5e-6
    assert after.angle_to(before) < 5e-4
