import numpy as np
import pytest

from robot.errors import UnknownName
from robot.geometry import Box
from robot.sim.camera import Camera, CameraConfig
from robot.sim.world import World
from robot.spatial import Pose
from tests.robot.sim.gripper import Gripper

RED, GREEN = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)


@pytest.fixture
def gripper(tmp_path) -> Gripper:
    return Gripper(tmp_path, Pose.translation([0.0, 0.0, 5.5e-3]))


def block(world: World, name: str, pose: Pose, color) -> None:
    shape = Box((0.05, 0.05, 0.05), color=color)
    world.add_body(name, [shape], mass=0.0, pose_world_body=pose, friction=0.5)


def seen(image, channel: int) -> np.ndarray:
    """Return rows and columns of the pixels in which one colour dominates. Shape (n, 2)."""
    others = [c for c in range(3) if c != channel]
    strong = image[:, :, channel].astype(int) - image[:, :, others].max(axis=2)
    return np.argwhere(strong > 60)


def camera(gripper: Gripper, **options) -> Camera:
    mounted = Pose.translation([0.0, 0.0, 0.1])
    config = CameraConfig("tool_left", mounted, width=64, height=48, **options)
    return Camera(gripper.world, gripper.robot, config)


def test_what_is_ahead_right_and_below_is_drawn_there(gripper):
    # In the optical frame: ahead is +z, right is +x, below is +y.
    ahead = gripper.pose_world_tool
    block(gripper.world, "right", ahead @ Pose.translation([0.2, 0.0, 0.7]), RED)
    block(gripper.world, "below", ahead @ Pose.translation([0.0, 0.2, 0.7]), GREEN)
    image = camera(gripper).read().rgb
    assert image.shape == (48, 64, 3)
    red, green = seen(image, 0), seen(image, 1)
    assert len(red) > 10
    assert len(green) > 10
    row, column = red.mean(axis=0)
    assert abs(row - 24) < 3
    assert column > 42
    row, column = green.mean(axis=0)
    assert row > 34
    assert abs(column - 32) < 3


def test_what_is_behind_is_not_seen(gripper):
    block(gripper.world, "back", gripper.pose_world_tool @ Pose.translation([0, 0, -0.5]), RED)
    assert len(seen(camera(gripper).read().rgb, 0)) == 0


def test_pictures_come_at_the_camera_rate(gripper):
    eye = camera(gripper, rate_hz=50.0)
    times = set()
    for _ in range(100):
        gripper.world.tick()
        times.add(eye.read().time)
    np.testing.assert_allclose(np.diff(sorted(times)), 0.02)


def test_a_reset_draws_afresh(gripper):
    eye = camera(gripper)
    first = eye.read()
    assert eye.read() is first
    eye.reset(np.random.default_rng(0))
    assert eye.read() is not first


def test_an_unknown_link_is_refused_by_name(gripper):
    with pytest.raises(UnknownName, match="tool_left"):
        Camera(gripper.world, gripper.robot, CameraConfig("tool_lft"))


def test_depth_is_how_far_ahead_a_surface_is_with_the_noise_that_is_asked_for(gripper):
    ahead = gripper.pose_world_tool
    block(gripper.world, "wall", ahead @ Pose.translation([0.0, 0.0, 0.85]), RED)
    assert camera(gripper).read().depth is None
    exact = camera(gripper, depth_noise=0.0).read()
    # The camera is 0.1 m before the tool, the block's near face 0.05 m before its middle.
    assert exact.depth[24, 32] == pytest.approx(0.7, abs=2e-3)
    assert exact.focal == pytest.approx(24.0 / np.tan(0.5))
    noisy = camera(gripper, depth_noise=0.01).read()
    wall = np.abs(exact.depth - 0.7) < 5e-3
    errors = (noisy.depth - exact.depth)[wall]
    assert errors.std() == pytest.approx(0.01 * 0.7**2, rel=0.25)


def test_a_picture_says_where_its_camera_is_mounted(gripper):
    reading = camera(gripper).read()
    assert reading.link == "tool_left"
    assert np.array_equal(reading.pose_link_camera.position, [0.0, 0.0, 0.1])
