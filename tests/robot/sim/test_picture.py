import numpy as np
import pytest

from robot.geometry import Box, ConvexHull, Cylinder
from robot.sim.picture import Lens, View, take
from robot.sim.world import World
from robot.spatial import Pose

RED = (1.0, 0.0, 0.0, 1.0)


@pytest.fixture
def world():
    world = World()
    shape = Box((0.1, 0.1, 0.1), color=RED)
    world.add_body("red", [shape], mass=0.0, pose_world_body=Pose.identity(), friction=1.0)
    yield world
    world.close()


def test_depth_is_measured_along_the_axis_and_far_where_nothing_is(world):
    pose = View((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)).pose_world_camera
    lens = Lens(64, 48, 0.6, near=0.05, far=7.0)
    depth = take(world.client, pose, lens, []).depth
    # The face towards the camera, also where the line of sight is longer than the depth.
    assert depth[24, 32] == pytest.approx(0.9, abs=1e-4)
    assert depth[19, 27] == pytest.approx(0.9, abs=1e-4)
    assert depth[0, 0] == pytest.approx(7.0, abs=1e-3)


def test_a_view_looks_at_its_target_with_the_vertical_upright():
    view = View((1.0, 2.0, 3.0), (0.2, -0.4, 0.5))
    pose = view.pose_world_camera
    target = pose.inverse().transform(view.target)
    assert target[:2] == pytest.approx(0.0, abs=1e-12)
    assert target[2] == pytest.approx(np.linalg.norm(np.subtract(view.target, view.eye)))
    # Right is level, down is down.
    assert pose.rotation[2, 0] == pytest.approx(0.0, abs=1e-12)
    assert pose.rotation[2, 1] < 0.0


def test_painters_paint_in_turn_what_every_camera_of_the_world_sees(world):
    def blacken(picture):
        picture.rgb[:10] = 0

    def whiten(picture):
        assert not picture.rgb[:10].any()
        picture.rgb[:5] = 255

    world.add_painter(blacken)
    world.add_painter(whiten)
    view = View((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.3)
    rgb = world.render(64, 48, view)
    assert (rgb[:5] == 255).all()
    assert not rgb[5:10].any()
    assert rgb[24, 32, 0] > 100


def test_a_picture_does_not_depend_on_how_many_were_drawn_before():
    world, rng = World(), np.random.default_rng(0)
    names = [f"stone{number}" for number in range(12)]
    for number, name in enumerate(names):
        points = rng.normal(size=(24, 3))
        points *= 0.1 / np.linalg.norm(points, axis=1)[:, None]
        color = (0.75, 0.76, 0.78, 1.0)
        hull = ConvexHull(tuple(map(tuple, points.tolist())), color=color)
        shape = hull if number % 2 else Cylinder(0.09, 0.2, color=color)
        world.add_body(name, [shape], mass=0.0, pose_world_body=Pose.identity(), friction=1.0)
    pose, lens = View((0.0, -0.2, 1.0), (0.0, 0.0, 0.0)).pose_world_camera, Lens(96, 72, 0.8)
    for _ in range(50):
        for number, name in enumerate(names):
            place = (0.25 * (number % 4) - 0.38, 0.25 * (number // 4) - 0.25, 0.0)
            world.set_pose(name, Pose.from_rotation_vector(rng.normal(size=3), place))
        first, second = (take(world.client, pose, lens, []).rgb for _ in range(2))
        assert np.array_equal(first, second)
    world.close()
