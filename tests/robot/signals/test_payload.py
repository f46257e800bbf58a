import numpy as np
import pytest

from robot.signals.wrench import Payload

CENTER = np.array([0.01, -0.02, 0.1])
INERTIA = np.diag([2e-3, 3e-3, 4e-3])
PAYLOAD = Payload(1.5, CENTER, INERTIA)
NOTHING = np.zeros(3)


def test_a_payload_at_rest_weighs_and_tips():
    upwards = np.array([0.0, 0.0, 9.81])
    expected = np.concatenate([1.5 * upwards, np.cross(CENTER, 1.5 * upwards)])
    np.testing.assert_allclose(PAYLOAD.load(upwards, NOTHING, NOTHING), expected, rtol=1e-12)


def test_the_load_is_what_moves_all_its_points():
    # Four point masses, rigidly joined: force and torque on the body are the sums over the points.
    rng = np.random.default_rng(3)
    masses = rng.uniform(0.2, 0.6, 4)
    points = rng.normal(scale=0.1, size=(4, 3))
    center = masses @ points / masses.sum()
    arms = points - center
    inertia = sum(
        m * (a @ a * np.eye(3) - np.outer(a, a)) for m, a in zip(masses, arms, strict=True)
    )
    payload = Payload(float(masses.sum()), center, inertia)
    acceleration, omega, alpha = rng.normal(size=(3, 3))
    # Acceleration of each point of a rigid body whose origin accelerates and which turns.
    each = acceleration + np.cross(alpha, points) + np.cross(omega, np.cross(omega, points))
    force = masses @ each
    torque = sum(m * np.cross(p, a) for m, p, a in zip(masses, points, each, strict=True))
    at_center = acceleration + np.cross(alpha, center) + np.cross(omega, np.cross(omega, center))
    load = payload.load(at_center, omega, alpha)
    np.testing.assert_allclose(load, np.concatenate([force, torque]), rtol=1e-10)


def test_a_payload_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="inertia_tool"):
        Payload(1.0, CENTER, np.zeros(3))
