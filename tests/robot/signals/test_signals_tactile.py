import math

import numpy as np
import pytest

from robot.arrays import Array
from robot.sensor import TactileReading
from robot.signals.tactile import contact_patch, estimate_in_hand
from robot.sim.pad_image import cylinder_image
from robot.spatial import Pose

RADIUS, LENGTH, NOMINAL_Z = 6e-3, 15e-3, 5.5e-3


def held(shift_x=0.0, shift_z=0.0, angle_y=0.0, tilt=0.0, force=25.0) -> Array:
    turned = Pose.from_rotation_vector([0.0, angle_y, 0.0]).rotation
    tilted = Pose.from_rotation_vector([tilt, 0.0, 0.0]).rotation
    position = np.array([shift_x, 0.0, NOMINAL_Z + shift_z])
    axis = turned @ tilted @ np.array([0.0, 0.0, 1.0])
    return cylinder_image(position, axis, RADIUS, LENGTH, (force, force))


def reading(pressure: Array) -> TactileReading:
    return TactileReading(0.0, pressure, np.zeros((2, 2)))


def noisy(pressure: Array, rng: np.random.Generator) -> Array:
    """Return an image with 5 % gain spread, one count of noise, and 8 bits over 1 MPa."""
    counts = pressure * rng.normal(1.0, 0.05, pressure.shape) * 255e-6
    counts += rng.normal(0.0, 1.0, pressure.shape)
    return np.clip(counts.round(), 0, 255) / 255e-6


def test_a_nominal_grasp_is_felt_as_one():
    felt = estimate_in_hand(reading(held()), LENGTH, NOMINAL_Z)
    assert felt.valid
    assert felt.end_felt
    assert felt.shift_x == pytest.approx(0.0, abs=1e-5)
    assert felt.shift_z == pytest.approx(0.0, abs=0.1e-3)
    assert felt.angle_y == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("move", "sign"), [({"shift_x": 1e-3}, 1), ({"shift_z": 1e-3}, 1), ({"angle_y": 0.05}, 1)]
)
def test_each_estimate_has_the_sign_of_what_moved(move, sign):
    felt = estimate_in_hand(reading(held(**move)), LENGTH, NOMINAL_Z)
    for name, value in move.items():
        assert getattr(felt, name) == pytest.approx(sign * value, rel=0.1)


def test_noisy_images_of_skewed_grasps_are_read_precisely():
    rng, errors = np.random.default_rng(5), []
    for _ in range(300):
        x, z = rng.uniform(-2e-3, 2e-3, 2)
        angle, tilt = np.radians(rng.uniform(-5.0, 5.0)), np.radians(rng.uniform(-1.0, 1.0))
        pressure = noisy(held(x, z, angle, tilt, rng.uniform(20.0, 33.0)), rng)
        felt = estimate_in_hand(reading(pressure), LENGTH, NOMINAL_Z)
        assert felt.valid
        assert felt.end_felt
        errors.append([felt.shift_x - x, felt.shift_z - z, math.degrees(felt.angle_y - angle)])
    root_mean_square = np.sqrt(np.mean(np.square(errors), axis=0))
    # Measured: 0.03 mm, 0.10 mm, 0.4 degrees.
    assert (root_mean_square < [0.15e-3, 0.25e-3, 1.0]).all()


def test_an_end_beyond_the_pad_is_not_known():
    felt = estimate_in_hand(reading(held(shift_z=-5e-3)), LENGTH, NOMINAL_Z)
    assert felt.valid
    assert not felt.end_felt
    assert felt.shift_z == 0.0


@pytest.mark.parametrize(
    "pressure",
    [
        np.zeros((2, 11, 9)),
        np.full((2, 11, 9), 8e3),
        np.stack([held()[0], np.zeros((11, 9))]),
        held(shift_z=6e-3),
    ],
    ids=["nothing", "noise", "one pad", "only the very end"],
)
def test_too_little_contact_is_said_to_be(pressure):
    felt = estimate_in_hand(reading(pressure), LENGTH, NOMINAL_Z)
    assert not felt.valid
    assert (felt.shift_x, felt.shift_z, felt.angle_y) == (0.0, 0.0, 0.0)


def test_the_patch_of_one_taxel_is_that_taxel():
    pressure = np.zeros((11, 9))
    pressure[8, 1] = 1e5
    patch = contact_patch(pressure)
    assert patch.force == pytest.approx(1e5 * 1.1e-3**2)
    assert (patch.x, patch.z) == pytest.approx((-3.3e-3, 3.3e-3))
    assert patch.area == pytest.approx(1.1e-3**2)


def test_an_untouched_pad_has_no_patch():
    assert contact_patch(np.zeros((11, 9))).area == 0.0
