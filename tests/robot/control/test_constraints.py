import numpy as np
import pytest

from robot.control.constraints import (
    ContactConfig,
    LimitConfig,
    bounded_effort,
    contact_cone,
    write_joint_box,
)

HALF = (0.105, 0.065)


@pytest.mark.parametrize(
    ("force", "torque", "allowed"),
    [
        ((0, 0, 450), (0, 0, 0), True),
        ((0, 0, 5), (0, 0, 0), False),
        ((180, 0, 450), (0, 0, 0), True),
        ((0, -200, 450), (0, 0, 0), False),
        ((0, 0, 450), (0, 450 * 0.094, 0), True),
        ((0, 0, 450), (0, 450 * 0.096, 0), False),
        ((0, 0, 450), (450 * -0.056, 0, 0), False),
        ((0, 0, 450), (0, 0, 450 * 0.05), False),
    ],
)
def test_the_cone_holds_what_a_flat_foot_can_bear(force, torque, allowed):
    config = ContactConfig(friction=0.6, sole_margin=0.01, torsion=0.04)
    rows, lower = contact_cone(HALF, config)
    wrench = np.array([*force, *torque]) / config.force_scale
    assert bool(np.all(rows @ wrench >= lower)) is allowed


def box(position, velocity, config=None):
    lower, upper = np.zeros(1), np.zeros(1)
    write_joint_box(
        lower,
        upper,
        np.array([position]),
        np.array([velocity]),
        np.array([[-1.0], [1.0]]),
        np.array([3.0]),
        config or LimitConfig(),
    )
    return float(lower[0]), float(upper[0])


def test_a_joint_driven_at_its_bound_stops_inside_its_limits():
    position, velocity, dt, fastest = 0.0, 0.0, 2e-3, 0.0
    for _ in range(1000):
        _, acceleration = box(position, velocity)
        position += velocity * dt + 0.5 * acceleration * dt * dt
        velocity += acceleration * dt
        fastest = max(fastest, velocity)
        assert position < 1.0
    assert position > 0.97
    assert 2.0 < fastest <= 0.9 * 3.0 + 1e-9


@pytest.mark.parametrize("position", [-1.2, 0.0, 1.2])
@pytest.mark.parametrize("velocity", [-20.0, 0.0, 20.0])
def test_the_box_is_never_empty(position, velocity):
    lower, upper = box(position, velocity)
    assert lower <= upper


def test_a_joint_beyond_its_limit_is_brought_back():
    assert box(1.2, 0.0)[1] < 0.0


def test_an_overloaded_arm_bears_its_share_and_the_trunk_the_rest():
    effort = np.array([50.0, 100.0, -100.0, 3.0])
    joints = np.array([False, True, True])
    bounded = bounded_effort(effort, joints, np.array([1.0, 8.0, 200.0]))
    assert bounded.tolist() == [50.0, 100.0, -8.0, 3.0]
