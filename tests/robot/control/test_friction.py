import numpy as np
import pytest

from robot.control.friction import FrictionConfig, FrictionObserver

DT = 2e-3
INERTIA = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]])
JOINTS = np.array([False, True, True])
LIMITS = np.array([100.0, 100.0, 20.0])


def run(friction, seconds=1.0, **options):
    """Return the estimate for three joints that a constant torque holds back unknown."""
    observer = FrictionObserver(JOINTS, LIMITS, FrictionConfig(**options))
    velocity = np.zeros(3)
    for _ in range(round(seconds / DT)):
        observer.observe(velocity, DT)
        known = np.linalg.solve(INERTIA, observer.effort)
        observer.expect(INERTIA, velocity, known, DT)
        velocity = velocity + DT * np.linalg.solve(INERTIA, friction)
    return observer


def test_a_constant_torque_is_found_on_the_observed_joints():
    observer = run(np.array([0.0, -0.5, 0.1]), share=0.05)
    assert observer.effort == pytest.approx([0.0, -0.5, 0.1], abs=1e-6)


def test_no_more_than_a_share_of_the_limit_is_believed():
    assert run(np.array([0.0, -30.0, 9.0]), share=0.01).effort.tolist() == [0.0, -1.0, 0.2]


def test_it_can_be_switched_off():
    assert not run(np.array([0.0, -0.5, 0.1]), cutoff_hz=0.0).effort.any()


def test_a_tick_without_a_solution_teaches_nothing():
    observer = run(np.array([0.0, -0.5, 0.1]), share=0.05)
    before = observer.effort.copy()
    observer.skip()
    observer.observe(np.full(3, 100.0), DT)
    assert observer.effort.tolist() == before.tolist()
