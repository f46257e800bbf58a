"""The spline fit against what can be said of it by hand."""

from __future__ import annotations

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.geometry import Box
from robot.spatial import Pose
from tests.robot.sim.fixture import GRAVITY, GRIP, HORIZONTAL, INERTIA, MASS, SPLINE, Fixture, Hand

HALF_PITCH = SPLINE.half_pitch


@pytest.mark.parametrize("clearance", [2e-4, 1e-4, 5e-5])
def test_a_nut_in_phase_slides_home_and_stays_quiet(clearance):
    fixture = Fixture(clearance=clearance, magnet=2.0)
    fixture.place(depth=-1e-3, offset=0.3 * clearance, yaw=0.5 * clearance / SPLINE.tip_radius)
    fixture.run(0.4)
    truth = fixture.truth()
    assert abs(truth.gap) < 2e-5
    assert truth.tilt < np.radians(0.1)
    assert truth.meshed
    twists, tilts = [], []
    for _ in range(300):
        fixture.run(1e-3)
        twists.append(np.abs(fixture.world.twist_world_body("nut")))
        tilts.append(fixture.truth().tilt)
    # A nut of 7 g in a bore as narrow as a hair trembles a little, by thousandths of a degree.
    assert np.max(twists, axis=0)[:3].max() < 5e-4
    assert np.max(twists, axis=0)[3:].max() < 8e-2
    assert max(tilts) < np.radians(0.01)


@pytest.mark.parametrize(("clearance", "chamfer"), [(1e-4, 5e-4), (2e-4, 7.5e-4), (1.5e-4, 1e-3)])
def test_a_nut_out_of_phase_rests_where_the_chamfers_meet(clearance, chamfer):
    fixture = Fixture(clearance=clearance, chamfer=chamfer)
    fixture.place(depth=-5e-4, yaw=HALF_PITCH)
    fixture.run(0.3, [0.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    truth = fixture.truth()
    assert truth.depth == pytest.approx(SPLINE.rest_depth(clearance, chamfer), abs=2e-5)
    assert not truth.meshed
    assert truth.force == pytest.approx(1.0 + MASS * GRAVITY, rel=0.02)


def test_a_nut_out_of_phase_drops_in_when_it_is_turned():
    fixture = Fixture(friction=0.1)
    fixture.place(depth=0.0, yaw=HALF_PITCH)
    press = [0.0, 0.0, -2.0, 0.0, 0.0, 0.0]
    fixture.run(0.2, press)
    assert not fixture.truth().meshed
    for _ in range(100):
        fixture.run(0.01, [*press[:5], 2e-3])
        if fixture.truth().meshed:
            break
    fixture.run(0.3, press)
    truth = fixture.truth()
    assert truth.meshed
    assert truth.gap < 5e-5


def tip_over(fixture, couple):
    """Apply a growing couple across the axis: all at once, 7 g would be flung through the wall."""
    for share in np.linspace(0.005, 1.0, 40):
        fixture.run(0.005, [0.0, 0.0, 0.0, 0.0, share * couple, 0.0])


@pytest.mark.parametrize("clearance", [2e-4, 1e-4])
def test_a_tilted_nut_wedges_at_two_points(clearance):
    # Friction keeps the nut from creeping out. The flanks are straight up to the ends, chamfer or
    # not, so the whole depth counts.
    fixture = Fixture(clearance=clearance, friction=0.8, gravity=False)
    fixture.place(depth=7e-3)
    tip_over(fixture, 0.01)
    truth = fixture.truth()
    expected = SPLINE.wedge_tilt(clearance + truth.penetration, truth.depth)
    assert 5.5e-3 < truth.depth < 7.5e-3
    assert truth.tilt == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize(("friction", "stuck"), [(0.05, False), (0.5, True)])
def test_a_wedged_nut_stays_if_friction_can_carry_the_push_and_goes_home_untilted(friction, stuck):
    fixture = Fixture(friction=friction, gravity=False)
    fixture.place(depth=4e-3)
    tip_over(fixture, 0.005)
    fixture.run(0.3, [0.0, 0.0, -1.0, 0.0, 0.005, 0.0])
    assert (fixture.truth().gap > 2e-3) == stuck
    fixture.run(0.3, [0.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    assert fixture.truth().gap < 2e-5


# Let go of so far before the tip, in m, the magnet, in N, throws it on at up to 3 m/s.
THROWN = [(5.0, 2e-3, 16.0), (10.0, 2e-3, 16.0), (10.0, 5e-4, 20.0), (10.0, 4e-3, 20.0)]


@pytest.mark.parametrize(("magnet", "gap", "yaw"), [*THROWN, (5.0, 2e-3, 30.0)])
def test_a_nut_that_the_magnet_throws_onto_the_pin_does_not_pass_through_its_teeth(
    magnet, gap, yaw
):
    fixture = Fixture(magnet=magnet)
    fixture.place(depth=-gap, yaw=np.radians(yaw))
    fastest = 0.0
    for _ in range(300):
        fixture.run(1e-3)
        fastest = max(fastest, -fixture.world.twist_world_body("nut")[2])
    assert fastest > 0.5
    truth = fixture.truth()
    assert not truth.meshed
    assert truth.depth == pytest.approx(SPLINE.rest_depth(1.5e-4, 7.5e-4), abs=2e-5)


def test_a_nut_in_flight_reaches_the_pin_when_steps_of_a_tenth_say_so():
    times = []
    for dt in (1e-3, 1e-4):
        fixture = Fixture(magnet=5.0, dt=dt)
        fixture.place(depth=-6e-3, yaw=HALF_PITCH)
        start = fixture.world.time
        fixture.run(dt)
        while not fixture.truth().touching:
            fixture.run(dt)
        times.append(fixture.world.time - start)
    assert times[0] == pytest.approx(times[1], abs=1e-3)


@pytest.mark.parametrize(("offset", "yaw"), [(1e-4, 0.0), (3e-4, 0.2), (4e-3, 0.0)])
def test_a_dropped_nut_gains_no_energy(offset, yaw):
    fixture = Fixture(clearance=2e-4)
    fixture.place(depth=-10e-3, offset=offset, yaw=yaw)
    energies = [fixture.energy()]
    for _ in range(500):
        fixture.run(1e-3)
        energies.append(fixture.energy())
    lost = energies[0] - energies[-1]
    assert lost > 0.5 * MASS * GRAVITY * 9e-3
    # Bullet's own half step of gravity is 3e-7 J at this speed.
    assert np.diff(energies).max() < 0.005 * lost


def test_a_nut_on_its_side_is_left_to_bullet():
    fixture = Fixture()
    lying = Pose.from_rotation_vector([0.0, 0.5 * np.pi, 0.0], [0.0, 12e-3, 8e-3])
    fixture.world.set_pose("nut", lying)
    fixture.fit.reset()
    fixture.run(0.3)
    height = fixture.world.pose_world_body("nut").position[2]
    assert height == pytest.approx(SPLINE.nut_radius, abs=2e-4)
    assert not fixture.truth().touching


def test_a_nut_that_misses_the_pin_stands_beside_it_on_the_plate():
    fixture = Fixture()
    fixture.place(depth=7e-3, offset=10.5e-3)
    fixture.run(0.3)
    truth = fixture.truth()
    assert abs(truth.gap) < 2e-5
    assert not truth.meshed


def test_a_nut_beside_the_pin_does_not_pass_through_its_side():
    fixture = Fixture()
    fixture.place(depth=8e-3, offset=10.5e-3)
    fixture.run(0.3, [-1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    across = fixture.world.pose_world_body("nut").position[:2]
    assert np.linalg.norm(across) > SPLINE.nut_radius + SPLINE.tip_radius - 2e-4


def test_a_seated_nut_that_rests_feels_the_pull_that_lifts_it():
    fixture = Fixture(magnet=0.74)
    fixture.place(depth=8e-3)
    fixture.run(0.3)
    fixture.run(0.3, [0.0, 0.0, 1.5, 0.0, 0.0, 0.0])
    assert fixture.truth().gap < 2e-5
    fixture.run(0.3, [0.0, 0.0, 4.0, 0.0, 0.0, 0.0])
    assert fixture.truth().gap > 5e-3


def test_the_other_end_of_the_nut_fits_as_well():
    fixture = Fixture(magnet=2.0)
    turned = Pose.from_rotation_vector([np.pi, 0.0, 0.0], [0.0, 0.0, 16e-3])
    fixture.world.set_pose("nut", turned)
    fixture.fit.reset()
    fixture.run(0.4)
    assert abs(fixture.truth().gap) < 2e-5
    assert fixture.truth().meshed


@pytest.mark.parametrize(("magnet", "tilt"), [(0.74, 0.0), (3.7, 0.04)])
def test_a_hand_seats_the_nut_and_the_magnet_keeps_it(tmp_path, magnet, tilt):
    fixture = Fixture(HORIZONTAL, magnet=magnet)
    hand = Hand(fixture, tmp_path, friction=0.3)
    askew = Pose.from_rotation_vector([0.0, tilt, 0.0])
    hand.reference = Pose.translation([0.0, 3e-4, 3e-4]) @ hand.reference @ askew
    hand.push = 4.0
    hand.advance(13e-3, 0.65)
    fixture.run(0.3)
    assert fixture.truth().held
    assert fixture.truth().gap < 3e-4
    hand.push, hand.grip = 0.0, -GRIP
    fixture.run(0.3)
    hand.advance(-40e-3, 0.4)
    fixture.run(0.5)
    truth = fixture.truth()
    assert not truth.held
    assert abs(truth.gap) < 5e-5
    assert truth.meshed
    assert truth.tilt < np.radians(0.2)


def test_a_hand_that_pushes_40_n_does_not_drive_teeth_through_teeth(tmp_path):
    fixture = Fixture(HORIZONTAL)
    hand = Hand(fixture, tmp_path, friction=0.9, yaw=HALF_PITCH)
    hand.advance(5e-3 + SPLINE.rest_depth(1.5e-4, 7.5e-4), 0.3)
    for step in range(800):
        hand.push = min(40.0, 0.2 * step)
        fixture.world.tick()
    forces = []
    for _ in range(100):
        fixture.world.tick()
        forces.append(fixture.truth().force)
    truth = fixture.truth()
    assert np.mean(forces) == pytest.approx(40.0, rel=0.1)
    assert np.std(forces) < 0.5
    assert not truth.meshed
    assert truth.depth < SPLINE.rest_depth(1.5e-4, 7.5e-4) + 3e-4
    assert truth.penetration < 1.5e-4


@pytest.mark.parametrize("friction", [0.1, 0.4])
def test_a_gripped_nut_neither_creeps_nor_spins_and_slips_at_twice_mu_n(tmp_path, friction):
    fixture = Fixture(HORIZONTAL)
    hand = Hand(fixture, tmp_path, friction=friction)
    # Away from the pin: only the moment of inertia that the fit gives it is not the nut's own.
    hand.advance(-0.1, 0.5)
    fixture.run(0.3)

    def pose_tool_nut() -> Pose:
        return hand.pose_world_tool().inverse() @ fixture.world.pose_world_body("nut")

    start = pose_tool_nut()
    fixture.run(0.3)
    assert np.abs(pose_tool_nut().position - start.position).max() < 2e-5
    limit = 2.0 * friction * GRIP
    for pull in np.linspace(0.0, 1.2 * limit, 240):
        fixture.run(2e-3, [0.0, 0.0, -pull, 0.0, 0.0, 0.0])
        if np.abs(pose_tool_nut().position - start.position).max() > 3e-4:
            break
    assert pull == pytest.approx(limit, rel=0.06)


def test_a_free_nut_that_hits_something_gives_it_no_more_than_its_own_momentum():
    fixture = Fixture(gravity=False)
    above = SPLINE.nut_length + SPLINE.pin_height
    fixture.world.add_body(
        "block",
        [Box((20e-3, 20e-3, 5e-3))],
        mass=0.05,
        pose_world_body=Pose.translation([0.0, 0.0, above + 7e-3]),
        friction=0.5,
    )
    fixture.place(depth=2e-3)
    client = fixture.world.client
    client.resetBaseVelocity(fixture.world.body("nut"), [0.0, 0.0, 1.0], [0.0, 0.0, 0.0])
    fixture.run(0.02)
    block, nut = (fixture.world.twist_world_body(name)[2] for name in ("block", "nut"))
    assert block > 0.1
    assert 0.05 * block + MASS * nut == pytest.approx(MASS * 1.0, rel=0.05)


@pytest.mark.parametrize(("before", "touching"), [(0.002, False), (0.012, True)])
def test_a_stored_contact_is_continued_to_the_bit(before, touching):
    fixture = Fixture(magnet=3.0)
    fixture.place(depth=-1e-3, offset=3e-4, yaw=0.3, tilt=0.1)
    fixture.run(before)
    state, pull = fixture.fit.state(), fixture.magnet.state()
    assert fixture.truth().touching == touching
    fixture.world.save()
    ends = []
    for _ in range(2):
        fixture.world.restore()
        fixture.fit.restore(state)
        fixture.magnet.restore(pull)
        fixture.run(0.05)
        pose = fixture.world.pose_world_body("nut")
        ends.append(np.concatenate([pose.position, pose.quaternion, fixture.fit.state()]))
    assert np.array_equal(ends[0], ends[1])


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"clearance": 0.0}, "clearance"),
        ({"clearance": 1e-3}, "clearance"),
        ({"chamfer": 0.0}, "chamfer"),
        ({"friction": -0.1}, "friction"),
    ],
)
def test_values_that_make_no_fit_are_refused_by_name(values, name):
    good = {"clearance": 1e-4, "chamfer": 5e-4, "friction": 0.2}
    with pytest.raises(ValueError, match=name):
        Fixture().fit.configure(**{**good, **values})


def test_a_nut_that_is_not_there_is_named():
    fixture = Fixture()
    fixture.run(1e-3)
    with pytest.raises(UnknownName, match="nut"):
        fixture.fit.truth("nvt")


def test_a_nut_that_comes_into_play_later_has_its_own_mass_on_the_pin_and_more_inertia_off_it():
    fixture = Fixture(magnet=2.0)
    world, client, body = fixture.world, fixture.world.client, fixture.world.body("nut")
    world.set_away("nut", True)
    fixture.run(0.05)
    assert client.getDynamicsInfo(body, -1)[0] == pytest.approx(MASS)
    world.set_away("nut", False)
    fixture.place(depth=-1e-3)
    fixture.run(0.3)
    assert abs(fixture.truth().gap) < 2e-5
    info = client.getDynamicsInfo(body, -1)
    assert (info[0], *info[2]) == pytest.approx((MASS, *INERTIA))
    world.set_pose("nut", Pose.translation([0.0, 0.0, 0.5]))
    fixture.run(2e-3)
    assert client.getDynamicsInfo(body, -1)[2][0] > 1e-5
