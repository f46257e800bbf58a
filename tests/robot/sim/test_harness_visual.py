import numpy as np
import pytest

from robot.geometry import Box, Cylinder
from robot.sim.camera import Camera, CameraConfig
from robot.sim.harness import Harness
from robot.sim.harness_config import HarnessConfig
from robot.sim.harness_visual import HarnessVisual, paint_tube, smooth
from robot.sim.picture import LIGHT, Lens, View
from robot.sim.world import World
from robot.spatial import Pose
from tests.robot.sim.gripper import Gripper
from tests.robot.sim.harness import Hanging

ORANGE, BLUE = (0.9, 0.4, 0.05, 1.0), (0.1, 0.2, 0.9, 1.0)
# From the side, the whole cable in sight.
VIEW = View((0.225, -1.5, 0.9), (0.225, 0.0, 0.9), 0.6)
LENS = Lens(200, 150, VIEW.field_of_view)


def is_orange(rgb):
    """Return where a picture is orange. Shape (height, width)."""
    red, green, blue = np.moveaxis(rgb.astype(int), 2, 0)
    return (red > green + 30) & (green > blue + 10)


def look(world, view=VIEW):
    return world.picture(view.pose_world_camera, LENS)


def shown(color=ORANGE, **options):
    hanging = Hanging(**options)
    return hanging, HarnessVisual(hanging.world, hanging.harness, color)


def seen(points, view=VIEW):
    """Return rows, columns and depths at which points of the world are seen. Shape (n,) each."""
    camera = view.pose_world_camera.inverse()
    x, y, z = np.array([camera.transform(point) for point in points]).T
    rows = np.round(0.5 * LENS.height - 1.0 + LENS.focal * y / z).astype(int)
    return rows, np.round(0.5 * LENS.width + LENS.focal * x / z).astype(int), z


def straight_tube(pose_world_tube, length, radius):
    def paint(picture):
        camera = picture.pose_world_camera.inverse()
        ends = [pose_world_tube.transform([0.0, 0.0, side * 0.5 * length]) for side in (-1, 1)]
        points = np.array([camera.transform(end) for end in ends])
        light = camera.rotation @ LIGHT
        color = 255.0 * np.array(ORANGE[:3])
        paint_tube(points, radius, color, light, picture.focal, picture.rgb, picture.depth)

    return paint


def test_a_tube_is_seen_where_a_cylinder_of_its_size_is_and_as_bright():
    pose = Pose.from_rotation_vector([0.5, 0.9, 0.2], [0.0, 0.05, 0.1])
    view = View((0.9, 0.5, 0.6), (0.0, 0.0, 0.1), 0.6)
    pictures = []
    for painted in (False, True):
        world = World()
        if painted:
            world.add_painter(straight_tube(pose, 0.5, 0.03))
        else:
            shape = Cylinder(0.03, 0.5, color=ORANGE)
            world.add_body("rod", [shape], mass=0.0, pose_world_body=pose, friction=1.0)
        pictures.append(look(world, view))
        world.close()
    body, tube = pictures
    masks = [is_orange(picture.rgb) for picture in pictures]
    both = masks[0] & masks[1]
    assert both.sum() > 1000
    # Round ends instead of flat ones, and edges of the renderer's cylinder.
    assert (masks[0] | masks[1]).sum() < 1.1 * both.sum()
    assert np.median(np.abs(tube.depth - body.depth)[both]) < 1e-3
    assert tube.rgb[both].mean(axis=0) == pytest.approx(body.rgb[both].mean(axis=0), rel=0.1)


def test_a_harness_is_seen_along_its_nodes_as_thick_as_it_is():
    hanging, _ = shown()
    picture = look(hanging.world)
    rows, columns, depths = seen(hanging.harness.nodes()[:-1])
    assert is_orange(picture.rgb)[rows, columns].all()
    radius = 0.5 * hanging.harness.config.outer_diameter
    assert picture.depth[rows, columns] == pytest.approx(depths - radius, abs=1.5e-3)
    area = hanging.harness.config.length * 2.0 * radius * (LENS.focal / 1.5) ** 2
    assert is_orange(picture.rgb).sum() == pytest.approx(area, rel=0.15)


def test_it_is_hidden_by_what_is_before_it_and_hides_what_is_behind():
    hanging, _ = shown()
    nodes = hanging.harness.nodes()
    for name, node, y in (("before", nodes[5], -0.2), ("behind", nodes[9], 0.2)):
        shape = Box((0.05, 0.01, 0.05), color=BLUE)
        pose = Pose.translation(node + np.array([0.0, y, 0.0]))
        hanging.world.add_body(name, [shape], mass=0.0, pose_world_body=pose, friction=1.0)
    rows, columns, _ = seen(nodes[[5, 9]])
    assert is_orange(look(hanging.world).rgb)[rows, columns].tolist() == [False, True]


def test_it_follows_cable_plug_and_colour_and_goes_when_the_harness_does():
    hanging, visual = shown()
    before = is_orange(look(hanging.world).rgb)
    hanging.harness.configure(HarnessConfig(length=0.9, outer_diameter=8e-3))
    thin = is_orange(look(hanging.world).rgb)
    assert thin.sum() < 0.7 * before.sum()
    hanging.world.set_pose("plug", Pose.translation([0.45, 0.0, 1.1]))
    moved = is_orange(look(hanging.world).rgb)
    assert np.argwhere(moved)[:, 0].min() < np.argwhere(thin)[:, 0].min() - 5
    visual.color = BLUE
    assert not is_orange(look(hanging.world).rgb).any()
    visual.color = ORANGE
    hanging.harness.set_active(False)
    assert not is_orange(look(hanging.world).rgb).any()


def test_a_robots_camera_sees_it(tmp_path):
    gripper = Gripper(tmp_path, Pose.translation([0.0, 0.0, 5.5e-3]))
    start = gripper.pose_world_tool @ Pose.translation([0.2, 0.0, 0.6])
    harness = Harness(gripper.world, "nut", start, Pose.identity(), HarnessConfig(length=0.9))
    HarnessVisual(gripper.world, harness, ORANGE)
    mounted = CameraConfig("tool_left", Pose.translation([0.0, 0.0, 0.1]))
    assert is_orange(Camera(gripper.world, gripper.robot, mounted).read().rgb).sum() > 50


@pytest.mark.parametrize("mass", [0.0, 0.45])
def test_pictures_change_nothing_to_the_bit(mass):
    runs = []
    for pictures in (False, True):
        hanging, _ = shown(mass=mass)
        hanging.world.save()
        states = []
        for episode in range(2):
            hanging.world.restore()
            # Laid anew where the plug is put after a picture, or not.
            if pictures:
                look(hanging.world)
            hanging.world.set_pose("plug", Pose.translation([0.5 + 0.05 * episode, 0.1, 0.95]))
            for _ in range(10):
                if pictures:
                    look(hanging.world)
                wrenches = hanging.run(0.02)
                states += [hanging.harness.state(), wrenches.ravel(), hanging.position()]
        runs.append(np.concatenate(states))
        hanging.world.close()
    assert np.array_equal(*runs)


def test_what_is_behind_the_camera_or_leaves_the_picture_does_no_harm():
    points = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [5.0, 0.0, 1.0], [5.0, 5.0, 1.0]])
    depth = np.full((30, 40), 9.0, dtype=np.float32)
    rgb = np.zeros((30, 40, 3), dtype=np.uint8)
    paint_tube(points, 0.1, np.full(3, 200.0), LIGHT, 40.0, rgb, depth)
    assert (depth < 9.0).any(axis=0)[-1]
    assert not (depth < 9.0).any(axis=1)[[0, -1]].any()


def test_a_smooth_curve_goes_through_its_nodes_without_corners():
    angle = np.linspace(0.0, np.pi, 9)
    nodes = np.stack([np.cos(angle), np.sin(angle), np.zeros(9)], axis=1)
    curve = smooth(nodes)
    assert curve[::4] == pytest.approx(nodes)
    assert np.linalg.norm(curve[4:-4], axis=1) == pytest.approx(1.0, abs=2e-3)
