import numpy as np
import pytest

from robot.spatial import (
    Pose,
    interpolate,
    move_wrench,
    multiply_quaternions,
    quaternion_from_rotation,
    quaternion_from_rotation_vector,
    rotate,
    rotate_six,
    rotation_from_quaternion,
    rotation_vector_from_quaternion,
)

SEEDS = range(30)


def random_pose(rng: np.random.Generator) -> Pose:
    return Pose.from_rotation_vector(random_vector(rng), rng.normal(size=3))


def random_vector(rng: np.random.Generator) -> np.ndarray:
    """Return a rotation vector of up to half a turn."""
    direction = rng.normal(size=3)
    return direction / np.linalg.norm(direction) * rng.uniform(0.0, np.pi - 1e-3)


def assert_same(first: Pose, second: Pose) -> None:
    np.testing.assert_allclose(first.position, second.position, atol=1e-12)
    # Not by the angle: its arc cosine or tangent is blind below 1e-8.
    np.testing.assert_allclose(first.rotation, second.rotation, atol=1e-12)


@pytest.fixture(params=SEEDS)
def rng(request) -> np.random.Generator:
    return np.random.default_rng(request.param)


def test_an_inverse_undoes(rng):
    pose = random_pose(rng)
    assert_same(pose @ pose.inverse(), Pose.identity())
    assert_same(pose.inverse() @ pose, Pose.identity())


def test_composition_is_associative_and_moves_points_as_its_parts_do(rng):
    a, b, c = (random_pose(rng) for _ in range(3))
    point = rng.normal(size=3)
    assert_same((a @ b) @ c, a @ (b @ c))
    np.testing.assert_allclose((a @ b).transform(point), a.transform(b.transform(point)))


def test_rotations_are_rotations_and_agree_with_quaternions(rng):
    pose = random_pose(rng)
    rotation = pose.rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    vector = rng.normal(size=3)
    np.testing.assert_allclose(rotate(pose.quaternion, vector), rotation @ vector, atol=1e-12)
    back = quaternion_from_rotation(rotation)
    assert abs(back @ pose.quaternion) == pytest.approx(1.0)
    assert back[3] >= 0.0


def test_a_rotation_vector_survives_the_way_there_and_back(rng):
    vector = random_vector(rng)
    quaternion = quaternion_from_rotation_vector(vector)
    np.testing.assert_allclose(rotation_vector_from_quaternion(quaternion), vector, atol=1e-9)
    np.testing.assert_allclose(rotation_vector_from_quaternion(-quaternion), vector, atol=1e-9)


@pytest.mark.parametrize("axis", range(3))
def test_half_turns_and_tiny_turns_are_no_exception(axis):
    for angle in (0.0, 1e-12, 1e-7, np.pi - 1e-9, np.pi):
        vector = angle * np.eye(3)[axis]
        quaternion = quaternion_from_rotation(
            rotation_from_quaternion(quaternion_from_rotation_vector(vector))
        )
        turned = rotation_vector_from_quaternion(quaternion)
        assert np.linalg.norm(turned) == pytest.approx(angle, abs=2e-8)


def test_a_quarter_turn_about_z_takes_x_to_y():
    pose = Pose.from_rotation_vector([0.0, 0.0, np.pi / 2], [1.0, 2.0, 3.0])
    np.testing.assert_allclose(pose.transform([1.0, 0.0, 0.0]), [1.0, 3.0, 3.0], atol=1e-12)
    np.testing.assert_allclose(pose.quaternion, [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)])


def test_the_product_of_quaternions_is_the_product_of_rotations(rng):
    a, b = random_pose(rng), random_pose(rng)
    product = rotation_from_quaternion(multiply_quaternions(a.quaternion, b.quaternion))
    np.testing.assert_allclose(product, a.rotation @ b.rotation, atol=1e-12)


def test_an_angle_is_symmetric_and_blind_to_the_sign_of_a_quaternion(rng):
    a, b = random_pose(rng), random_pose(rng)
    flipped = Pose(b.position, -b.quaternion)
    assert a.angle_to(b) == pytest.approx(b.angle_to(a))
    assert a.angle_to(b) == pytest.approx(a.angle_to(flipped))
    assert 0.0 <= a.angle_to(b) <= np.pi


def test_the_power_of_a_wrench_does_not_depend_on_where_it_is_taken(rng):
    force, torque, angular, linear = (rng.normal(size=3) for _ in range(4))
    offset = rng.normal(size=3)
    moved = move_wrench(np.concatenate([force, torque]), offset)
    # From the new point to the old one is `offset`, so the old one moves at v + w x offset.
    power_old = force @ (linear + np.cross(angular, offset)) + torque @ angular
    assert moved[:3] @ linear + moved[3:] @ angular == pytest.approx(power_old)


def test_moving_a_wrench_back_undoes(rng):
    wrench, offset = rng.normal(size=6), rng.normal(size=3)
    np.testing.assert_allclose(move_wrench(move_wrench(wrench, offset), -offset), wrench)


def test_turning_a_wrench_keeps_its_lengths(rng):
    wrench, rotation = rng.normal(size=6), random_pose(rng).rotation
    turned = rotate_six(rotation, wrench)
    np.testing.assert_allclose(turned[:3], rotation @ wrench[:3])
    assert np.linalg.norm(turned[3:]) == pytest.approx(np.linalg.norm(wrench[3:]))


def test_interpolation_begins_and_ends_at_its_poses_and_turns_evenly(rng):
    start, end = random_pose(rng), random_pose(rng)
    assert_same(interpolate(start, end, 0.0), start)
    assert_same(interpolate(start, end, 1.0), end)
    middle = interpolate(start, end, 0.5)
    assert start.angle_to(middle) == pytest.approx(0.5 * start.angle_to(end))
    np.testing.assert_allclose(middle.position, 0.5 * (start.position + end.position))


def test_a_quaternion_is_normalized_and_one_that_is_none_is_refused():
    pose = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.05]))
    assert np.linalg.norm(pose.quaternion) == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"quaternion: expected norm 1, got 2"):
        Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 2.0]))


def test_a_pose_cannot_be_changed_by_its_reader(rng):
    start, end = random_pose(rng), random_pose(rng)
    for pose in (Pose.identity(), start, start.inverse(), start @ end):
        for array in (pose.position, pose.quaternion):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1.0


def test_poses_made_of_many_poses_keep_their_norm(rng):
    step = pose = random_pose(rng)
    for _ in range(2000):
        pose = pose @ step
    assert np.linalg.norm(pose.quaternion) == pytest.approx(1.0, abs=1e-15)
