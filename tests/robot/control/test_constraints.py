import numpy as np
import pytest

from robot.control.constraints import LimitConfig, felt_limits, take_felt, write_joint_box
from robot.spatial import Pose


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


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"effort_share": 5.0}, "effort_share: expected more than 0 and at most 1, got 5.0"),
        ({"felt_share": -0.1}, "felt_share: expected 0 to 1, got -0.1"),
        ({"velocity_share": float("nan")}, "velocity_share: expected more than 0 and at most 1"),
        ({"position_margin": -1.0}, "position_margin: expected 0 to 0.5 rad, got -1.0"),
        ({"horizon": 0.0}, "horizon: expected more than 0 and at most 1 s, got 0.0"),
        ({"acceleration": 1e9}, "acceleration: expected more than 0 and at most 5000 rad/s"),
    ],
)
def test_limits_that_limit_nothing_are_refused(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        LimitConfig(**changes)


# A tool turned by a quarter about the vertical: its x axis is the world's y axis.
TURNED = Pose.from_rotation_vector([0.0, 0.0, np.pi / 2.0]).rotation


def taken(wrench_tool, jacobian, limits, lever=(0.0, 0.0, 0.0)):
    bias, load = np.zeros(jacobian.shape[1]), np.zeros(6)
    wrench = np.array(wrench_tool, dtype=float)
    take_felt(wrench, TURNED, jacobian, limits, np.array(lever), bias, load)
    return -bias, load


def test_a_felt_wrench_reaches_the_joints_along_world_axes():
    jacobian = np.zeros((6, 2))
    jacobian[1, 0], jacobian[5, 1] = 2.0, 1.0
    effort, _ = taken([3.0, 0.0, 0.0, 0.0, 0.0, 4.0], jacobian, np.full(2, np.inf))
    assert effort == pytest.approx([6.0, 4.0])


def test_a_felt_wrench_loads_the_feet_with_its_lever():
    _, load = taken([3.0, 0, 0, 0, 0, 4.0], np.zeros((6, 1)), np.ones(1), (0.5, 0.0, 1.0))
    # A push of 3 N along y, half a metre ahead and one up.
    assert load == pytest.approx([0.0, 3.0, 0.0, -3.0, 0.0, 5.5])


def test_an_overloaded_arm_bears_its_share_and_the_trunk_the_rest():
    limits = felt_limits(np.array([False, True, True]), np.array([1.0, 8.0, 200.0]), 4)
    jacobian = np.zeros((6, 4))
    jacobian[2] = [50.0, 100.0, -100.0, 3.0]
    effort, _ = taken([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], jacobian, limits)
    assert effort.tolist() == [50.0, 100.0, -8.0, 3.0]
