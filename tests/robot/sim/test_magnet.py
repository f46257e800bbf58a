"""The magnet's wrench against its energy, and what it does to a nut."""

from __future__ import annotations

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.sim.magnet import Magnet
from robot.spatial import Pose
from tests.robot.sim.fixture import HORIZONTAL, SPLINE, Fixture

HOME = 0.5 * SPLINE.nut_length
TOUCH = HOME + SPLINE.pin_height
STEP = 1e-6


@pytest.fixture
def magnet():
    magnet = Magnet("pin", ["nut"], SPLINE)
    magnet.configure(force_at_contact=6.0)
    return magnet


@pytest.mark.parametrize(
    "pose",
    [
        Pose.translation([0.0, 0.0, HOME]),
        Pose.from_rotation_vector([0.1, 0.2, 0.3], [1e-3, -5e-4, TOUCH]),
        Pose.from_rotation_vector([-0.5, 0.8, 0.0], [6e-3, 2e-3, 2e-2]),
    ],
)
def test_force_and_torque_are_minus_the_gradient_of_the_energy(magnet, pose):
    numeric = []
    for axis in np.eye(3):
        ahead = magnet.energy(Pose.translation(STEP * axis) @ pose)
        behind = magnet.energy(Pose.translation(-STEP * axis) @ pose)
        numeric.append(-(ahead - behind) / (2.0 * STEP))
    for axis in np.eye(3):
        energies = []
        for sign in (1.0, -1.0):
            turn = Pose.from_rotation_vector(sign * 1e-4 * axis)
            turned = Pose(pose.position, (turn @ Pose(np.zeros(3), pose.quaternion)).quaternion)
            energies.append(magnet.energy(turned))
        numeric.append(-(energies[0] - energies[1]) / 2e-4)
    assert magnet.wrench(pose) == pytest.approx(np.array(numeric), rel=1e-4, abs=1e-7)


def test_the_pull_at_first_touch_is_what_was_asked_for(magnet):
    wrench = magnet.wrench(Pose.translation([0.0, 0.0, TOUCH]))
    assert wrench == pytest.approx([0.0, 0.0, -6.0, 0.0, 0.0, 0.0], abs=1e-6)


def test_the_pull_is_always_inwards_and_dies_out_fast(magnet):
    heights = np.linspace(HOME, TOUCH + 40e-3, 60)
    pulls = np.array([-magnet.wrench(Pose.translation([0.0, 0.0, z]))[2] for z in heights])
    assert pulls.min() > 0.0
    assert 2.0 * 6.0 < pulls[0] < 4.0 * 6.0
    assert np.interp(TOUCH + 5e-3, heights, pulls) < 0.25 * 6.0
    assert pulls[-1] < 1e-3


def test_a_tilted_nut_at_the_tip_is_tilted_further(magnet):
    tilted = Pose.from_rotation_vector([0.0, 0.1, 0.0], [0.0, 0.0, TOUCH])
    assert magnet.wrench(tilted)[4] > 0.0


def test_a_nut_let_go_before_the_tip_snaps_home_without_help():
    fixture = Fixture(HORIZONTAL, magnet=5.0)
    fixture.place(depth=-5e-4)
    fixture.run(0.2)
    assert abs(fixture.truth().gap) < 2e-5


def test_a_badly_held_nut_is_snapped_off_the_axis():
    fixture = Fixture(HORIZONTAL, magnet=10.0)
    fixture.place(depth=-1e-3, offset=4e-3)
    fixture.run(0.3)
    truth = fixture.truth()
    assert not truth.meshed
    assert truth.gap > 3e-3 or truth.tilt > 0.2


def test_a_seated_nut_stays_where_it_was_left():
    fixture = Fixture(HORIZONTAL, magnet=2.0)
    fixture.place(depth=8e-3)
    fixture.run(0.5)
    assert abs(fixture.truth().gap) < 1e-5
    assert np.linalg.norm(fixture.magnet.applied("nut")[:3]) > 2.0


def test_a_nut_out_of_range_feels_nothing():
    fixture = Fixture(magnet=10.0, gravity=False)
    fixture.run(0.05)
    assert not fixture.magnet.applied("nut").any()
    assert not fixture.world.twist_world_body("nut").any()


def test_what_makes_no_magnet_is_refused(magnet):
    with pytest.raises(ValueError, match="force_at_contact"):
        magnet.configure(force_at_contact=-1.0)
    with pytest.raises(UnknownName, match="nut"):
        magnet.applied("nvt")
