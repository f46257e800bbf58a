"""The base estimate against motions whose truth is known by construction."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from robot.arrays import Array
from robot.estimator import BaseEstimator
from robot.kinematics import PostureGoal, base_at_rest, solve_posture
from robot.spatial import Pose
from robot.state import BaseState
from tests.robot.robots import robot_config, robot_model

DT = 2e-3
# Of the central differences that make velocities and accelerations, in s.
STEP = 5e-4
MODEL, CONFIG = robot_model("talos"), robot_config("talos")
START = Pose.translation(CONFIG.base.position)
POSTURE = MODEL.joint_position(CONFIG.posture)
Path = Callable[[float], tuple[Array, Pose]]


def estimator() -> BaseEstimator:
    result = BaseEstimator(MODEL, CONFIG.foot_half_sizes, CONFIG.base.imu_frame)
    result.reset(POSTURE, START)
    return result


def follow(
    path: Path,
    duration: float,
    rng: np.random.Generator | None = None,
    gyro_bias: float = 0.0,
    acceleration_bias: float = 0.0,
) -> Iterator[tuple[BaseState, Pose, Array]]:
    """Yield estimate, true pose and true twist along a path; `rng` adds encoder and IMU noise."""
    observer = estimator()
    noise = rng.normal if rng else lambda scale, size: np.zeros(size)
    for tick in itertools.count(1):
        time = tick * DT
        if time > duration:
            return
        (q0, before), (q, pose), (q1, after) = (path(time + s) for s in (-STEP, 0.0, STEP))
        turn = (before.inverse() @ after).rotation_vector() / (2.0 * STEP)
        linear = (after.position - before.position) / (2.0 * STEP)
        acceleration = (after.position - 2.0 * pose.position + before.position) / STEP**2
        felt = pose.rotation.T @ (acceleration + np.array([0.0, 0.0, 9.81]))
        estimate = observer.update(
            q + noise(scale=5e-5, size=MODEL.n),
            (q1 - q0) / (2.0 * STEP) + noise(scale=5e-3, size=MODEL.n),
            turn + gyro_bias + noise(scale=1e-3, size=3),
            felt + acceleration_bias + noise(scale=0.02, size=3),
            DT,
        )
        yield estimate, pose, np.concatenate([linear, pose.rotation @ turn])


def position_error(estimate: BaseState, pose: Pose) -> float:
    return float(np.max(np.abs(estimate.pose_world_base.position - pose.position)))


def standing(time: float) -> tuple[Array, Pose]:
    return POSTURE, START


def swaying(duration: float) -> Path:
    """Return a path that shifts and bows the base, both feet flat on the floor."""
    there = MODEL.at(POSTURE, base=base_at_rest(START))
    feet = {frame: there.pose_world(frame) for frame in MODEL.contact_frames.values()}

    def base(time: float) -> Pose:
        share = 0.5 - 0.5 * np.cos(2.0 * np.pi * 0.7 * time)
        shift = share * np.array([0.04, 0.03, -0.03])
        return Pose.from_rotation_vector([0.03 * share, 0.06 * share, 0.0], START.position + shift)

    def legs(time: float) -> Array:
        goal = PostureGoal({**feet, "base_link": base(time)}, limit_margin=0.0)
        return solve_posture(MODEL, goal, POSTURE, base(time)).joint_position

    # Between solutions 20 ms apart a spline keeps the feet still to far below a micrometre.
    times = np.arange(-0.1, duration + 0.1, 0.02)
    joints = CubicSpline(times, [legs(time) for time in times])
    return lambda time: (joints(time), base(time))


def rocking(axis: int, sign: float) -> Path:
    """Return a path that tips the stiff robot over an edge of its soles and lets it fall back."""
    there = MODEL.at(POSTURE, base=base_at_rest(START))
    edge = np.mean([there.position_world(f) for f in MODEL.contact_frames.values()], axis=0)
    # Rolling turns about the outer edge of one foot, which lifts the other.
    edge[axis] += sign * (0.105 if axis == 0 else 0.085 + 0.065)

    def path(time: float) -> tuple[Array, Pose]:
        angle = 0.03 * np.sin(np.pi * np.clip((time - 0.2) / 0.5, 0.0, 1.0)) ** 2
        vector = [0.0, sign * angle, 0.0] if axis == 0 else [-sign * angle, 0.0, 0.0]
        turn = Pose.from_rotation_vector(vector)
        return POSTURE, Pose(edge + turn.transform(START.position - edge), turn.quaternion)

    return path


def test_a_standing_robot_is_seen_standing_with_noisy_sensors() -> None:
    run = list(follow(standing, 4.0, np.random.default_rng(0)))[500:]
    positions = np.array([e.pose_world_base.position - pose.position for e, pose, _ in run])
    turns = np.array([e.pose_world_base.rotation_vector() for e, _, _ in run])
    twists = np.array([e.twist_world_base for e, _, _ in run])
    # Noise of a tenth of a millimetre is what the hands were measured to tolerate.
    assert positions.std(axis=0).max() < 5e-5
    assert np.abs(positions.mean(axis=0)).max() < 5e-5
    assert turns.std(axis=0).max() < 5e-5
    assert twists[:, :3].std(axis=0).max() < 2e-3


def test_a_swaying_base_is_followed() -> None:
    errors, twist_errors = [], []
    for estimate, pose, twist in follow(swaying(2.0), 2.0):
        errors.append(position_error(estimate, pose))
        twist_errors.append(np.abs(estimate.twist_world_base - twist).max())
        assert estimate.pose_world_base.angle_to(pose) < 5e-4
    assert len(errors) > 900
    assert max(errors) < 3e-4
    assert max(twist_errors[50:]) < 5e-3


@pytest.mark.parametrize(("axis", "sign"), [(0, 1.0), (0, -1.0), (1, 1.0), (1, -1.0)])
def test_tipping_over_an_edge_is_seen_and_leaves_nothing_behind(axis: int, sign: float) -> None:
    run = list(follow(rocking(axis, sign), 2.0, np.random.default_rng(1)))
    # The base itself moves by 30 mm.
    assert max(position_error(estimate, pose) for estimate, pose, _ in run) < 3e-3
    assert max(e.pose_world_base.angle_to(pose) for e, pose, _ in run) < 3e-3
    assert max(position_error(estimate, pose) for estimate, pose, _ in run[-100:]) < 4e-4
    assert max(e.pose_world_base.angle_to(pose) for e, pose, _ in run[-100:]) < 4e-4


def test_a_foot_that_is_lifted_does_not_move_the_base() -> None:
    # Thigh and shank are of about the same length: the foot goes straight up and stays level.
    lift = MODEL.joint_position(
        {"leg_right_3_joint": -0.2, "leg_right_4_joint": 0.4, "leg_right_5_joint": -0.2}
    )

    def path(time: float) -> tuple[Array, Pose]:
        return POSTURE + lift * np.sin(np.pi * np.clip(time - 0.2, 0.0, 1.0)) ** 2, START

    run = list(follow(path, 1.6))
    assert max(position_error(estimate, pose) for estimate, pose, _ in run) < 1e-3


def test_biases_of_the_inertial_sensors_are_learned() -> None:
    run = list(follow(standing, 15.0, None, gyro_bias=0.01, acceleration_bias=0.1))
    early, late = run[250][0], run[-1][0]
    assert np.abs(late.twist_world_base).max() < 0.1 * np.abs(early.twist_world_base).max()
    assert position_error(late, START) < 5e-5
    assert late.pose_world_base.angle_to(START) < 5e-5


def test_a_reset_forgets() -> None:
    observer = estimator()
    for _ in range(50):
        observer.update(POSTURE, np.zeros(MODEL.n), np.ones(3), np.zeros(3), DT)
    observer.reset(POSTURE, START)
    fresh = estimator()
    level = np.array([0.0, 0.0, 9.81])
    states = [
        o.update(POSTURE, np.zeros(MODEL.n), np.zeros(3), level, DT) for o in (observer, fresh)
    ]
    np.testing.assert_array_equal(
        states[0].pose_world_base.position, states[1].pose_world_base.position
    )
    np.testing.assert_array_equal(states[0].twist_world_base, states[1].twist_world_base)


def test_a_bolted_robot_has_nothing_to_estimate() -> None:
    with pytest.raises(ValueError, match="floating base"):
        BaseEstimator(robot_model("talos_fixed"), {}, "imu")
