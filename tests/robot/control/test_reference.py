import numpy as np
import pytest

from robot.control.reference import ReferenceConfig, ToolReference
from robot.spatial import Pose

DT, POLICY_TICKS = 2e-3, 20
CONFIG = ReferenceConfig()


def follow(targets, reference):
    """Yield the time at the start of each tick, after advancing to it."""
    for number, target in enumerate(targets):
        for tick in range(POLICY_TICKS):
            reference.advance(target, DT)
            yield (number * POLICY_TICKS + tick) * DT


def at_rest():
    reference = ToolReference(CONFIG)
    reference.reset(Pose.identity())
    return reference


def test_a_straight_motion_has_no_lag_when_the_policy_period_ends():
    reference, speed, period = at_rest(), 0.1, POLICY_TICKS * DT
    targets = [Pose.translation([speed * period * (i + 1), 0, 0]) for i in range(25)]
    lag = [speed * time - reference.position[0] for time in follow(targets, reference)]
    assert len(lag) == 500
    assert np.abs(lag[250:]).max() < 1e-5
    assert reference.twist[0] == pytest.approx(speed, rel=1e-3)


def test_a_stop_overshoots_less_than_the_clearance_of_a_part():
    reference, period = at_rest(), POLICY_TICKS * DT
    ends = [0.02 * period * min(i + 1, 10) for i in range(30)]
    reached = [
        reference.position[0]
        for _ in follow(map(Pose.translation, [[e, 0, 0] for e in ends]), reference)
    ]
    assert max(reached) - ends[-1] < 1.5e-4
    assert reached[-1] == pytest.approx(ends[-1], abs=1e-6)


def test_a_large_step_stays_within_speed_and_acceleration_and_arrives():
    reference, goal = at_rest(), Pose.from_rotation_vector([0.0, 2.0, 0.0], [0.5, -0.4, 0.3])
    speeds, turns, accelerations = [], [], []
    for _ in follow([goal] * 60, reference):
        speeds.append(np.linalg.norm(reference.twist[:3]))
        turns.append(np.linalg.norm(reference.twist[3:]))
        accelerations.append(np.linalg.norm(reference.acceleration[:3]))
    assert max(speeds) < CONFIG.linear_speed * 1.01
    assert max(turns) < CONFIG.angular_speed * 1.01
    assert max(accelerations) < CONFIG.linear_acceleration * 1.001
    assert np.allclose(reference.position, goal.position, atol=1e-5)
    assert Pose(reference.position, reference.quaternion).angle_to(goal) < 1e-4


def test_a_large_step_overshoots_by_less_than_a_hundredth():
    reference = at_rest()
    reached = [
        reference.position[0] for _ in follow([Pose.translation([0.5, 0, 0])] * 60, reference)
    ]
    assert max(reached) < 0.505


def test_a_roll_at_sixty_degrees_a_second_is_followed():
    reference, period = at_rest(), POLICY_TICKS * DT
    rate = np.radians(60.0)
    targets = [Pose.from_rotation_vector([0, 0, rate * period * (i + 1)]) for i in range(16)]
    for time in follow(targets, reference):
        angle = 2.0 * np.arctan2(reference.quaternion[2], reference.quaternion[3])
        if time > 0.3:
            assert angle == pytest.approx(rate * time, abs=np.radians(0.1))
    assert time > 0.6


def test_position_twist_and_acceleration_agree():
    reference = at_rest()
    goal = Pose.translation([0.2, 0.1, 0.0])
    before, checked = None, 0
    for _ in follow([goal] * 10, reference):
        if before is not None:
            position, twist, acceleration = before
            assert np.allclose(reference.twist, twist + DT * acceleration, atol=1e-12)
            middle = 0.5 * (twist[:3] + reference.twist[:3])
            assert np.allclose(reference.position, position + DT * middle, atol=1e-12)
            checked += 1
        before = reference.position.copy(), reference.twist.copy(), reference.acceleration.copy()
    assert checked > 100
