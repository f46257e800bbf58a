from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.geometry import Box, ConvexHull, Cylinder
from robot.sim.client import GRAVITY
from robot.sim.picture import View
from robot.sim.world import World
from robot.spatial import Pose

OFF_CENTRE = """<robot name="lump"><link name="lump"><inertial><origin xyz="0.1 0.2 0.3"/>
<mass value="2"/><inertia ixx="0.03" iyy="0.04" izz="0.05" ixy="0" ixz="0" iyz="0"/></inertial>
<collision><geometry><box size="1 1 1"/></geometry></collision></link></robot>"""
_BODY = """<inertial><mass value="{0}"/>
<inertia ixx="{0}" iyy="{0}" izz="{0}" ixy="0" ixz="0" iyz="0"/></inertial>"""
FRAMES = f"""<robot name="arm"><link name="base">{_BODY.format(3)}</link>
<link name="flange">{_BODY.format(0)}</link><link name="tool">{_BODY.format(0)}</link>
<link name="finger">{_BODY.format(1)}</link>
<joint name="a" type="fixed"><origin xyz="0 0 1" rpy="0.3 0 0"/><parent link="flange"/>
<child link="tool"/></joint>
<joint name="b" type="fixed"><origin xyz="1 0 0" rpy="0 0 0.5"/><parent link="base"/>
<child link="flange"/></joint>
<joint name="slide" type="prismatic"><origin xyz="0 2 0" rpy="0 0.4 0"/><parent link="tool"/>
<child link="finger"/><axis xyz="0 1 0"/><limit lower="0" upper="1" effort="1" velocity="1"/>
</joint></robot>"""
TILTED = Pose.from_rotation_vector([0.3, -0.2, 0.5], [1.0, 2.0, 3.0])


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def floor(world: World, friction: float = 0.8) -> None:
    world.add_body(
        "floor",
        [Box((1.0, 1.0, 0.1), Pose.translation([0.0, 0.0, -0.1]))],
        mass=0.0,
        pose_world_body=Pose.identity(),
        friction=friction,
    )


def box(world: World, name: str, pose: Pose, half: float = 0.02) -> None:
    world.add_body(name, [Box((half,) * 3)], mass=0.1, pose_world_body=pose, friction=1.0)


def test_time_is_an_exact_multiple_of_the_period(world: World) -> None:
    for _ in range(1234):
        world.tick()
    assert world.time == 2468 * 1e-3
    assert world.steps == 2468


def test_periods_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.002.*0\.0015"):
        World(dt=2e-3, physics_dt=1.5e-3)


def test_a_free_body_falls_undamped(world: World) -> None:
    box(world, "stone", Pose.translation([0.0, 0.0, 50.0]))
    for _ in range(1000):
        world.tick()
    assert world.twist_world_body("stone")[2] == pytest.approx(-GRAVITY * 2.0, rel=1e-9)


def test_a_wrench_accelerates_the_centre_of_mass_and_turns_about_it(world: World) -> None:
    world.add_body(
        "stone",
        [Box((0.1, 0.1, 0.1))],
        mass=2.0,
        inertia=(0.1, 0.2, 0.4),
        pose_world_body=Pose.translation([0.0, 0.0, 50.0]),
        friction=1.0,
    )
    world.add_wrench("stone", [3.0, 0.0, 2.0 * GRAVITY, 0.1, 0.2, 0.4])
    world.tick()
    # The wrench acted for the first of two steps.
    expected = [1.5e-3, 0.0, -GRAVITY * 1e-3, 1e-3, 1e-3, 1e-3]
    np.testing.assert_allclose(world.twist_world_body("stone"), expected, atol=1e-8)


def test_two_worlds_share_nothing(world: World) -> None:
    other = World()
    box(world, "stone", Pose.translation([0.0, 0.0, 1.0]))
    box(other, "stone", Pose.translation([0.0, 0.0, 2.0]))
    other.tick()
    assert world.pose_world_body("stone").position[2] == 1.0
    other.close()


def test_an_unknown_body_is_answered_with_the_closest_name(world: World) -> None:
    box(world, "stone", Pose.identity())
    with pytest.raises(UnknownName, match="stone"):
        world.pose_world_body("stne")


def test_a_name_is_given_once(world: World) -> None:
    box(world, "stone", Pose.identity())
    with pytest.raises(ValueError, match="stone"):
        box(world, "stone", Pose.identity())


def test_a_robot_stands_where_its_link_frame_was_put(world: World, tmp_path: Path) -> None:
    path = tmp_path / "lump.urdf"
    path.write_text(OFF_CENTRE)
    robot = world.load_robot("lump", path, TILTED, fixed=False)
    pose = world.pose_world_body("lump")
    np.testing.assert_allclose(pose.position, TILTED.position, atol=1e-12)
    assert pose.angle_to(TILTED) < 1e-7
    np.testing.assert_allclose(robot.pose_world_link("lump").position, TILTED.position, atol=1e-12)


def test_frames_that_weigh_nothing_are_known_but_not_simulated(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "arm.urdf"
    path.write_text(FRAMES)
    robot = world.load_robot("arm", path, TILTED, fixed=True)
    assert world.client.getNumJoints(robot.body) == 1
    # What Bullet makes of the file as it is.
    whole = world.client.loadURDF(str(path), TILTED.position, TILTED.quaternion, useFixedBase=True)
    for body in (robot.body, whole):
        numbers = range(world.client.getNumJoints(body))
        slide = [world.client.getJointInfo(body, i)[1] for i in numbers].index(b"slide")
        world.client.resetJointState(body, slide, 0.7)
    links = {
        world.client.getJointInfo(whole, i)[12].decode(): world.client.getLinkState(
            whole, i, computeForwardKinematics=1
        )
        for i in range(3)
    }
    assert links.keys() == {"flange", "tool", "finger"}
    for name, state in links.items():
        pose = robot.pose_world_link(name)
        np.testing.assert_allclose(pose.position, state[4], atol=1e-7)
        assert pose.angle_to(Pose(np.array(state[4]), np.array(state[5]))) < 1e-6
    assert robot.link("tool") == robot.link("base") == -1
    with pytest.raises(UnknownName, match="tool"):
        robot.pose_link_inertial("tool")


def test_the_twist_of_a_robot_is_that_of_its_link_frame(world: World, tmp_path: Path) -> None:
    path = tmp_path / "lump.urdf"
    path.write_text(OFF_CENTRE)
    robot = world.load_robot("lump", path, TILTED, fixed=False)
    world.client.resetBaseVelocity(robot.body, (0.3, 0.1, 0.0), (1.0, -2.0, 0.5))
    twist = world.twist_world_body("lump")
    before = world.pose_world_body("lump").position
    world.tick()
    moved = (world.pose_world_body("lump").position - before) / world.dt
    # Two steps of free fall; the origin also curves a little around the centre of mass.
    fallen = np.array([0.0, 0.0, -1.5e-3 * GRAVITY])
    np.testing.assert_allclose(twist[:3] + fallen, moved, atol=5e-3)
    np.testing.assert_allclose(twist[3:], [1.0, -2.0, 0.5], atol=1e-9)


def test_inertias_come_from_the_description(world: World, tmp_path: Path) -> None:
    path = tmp_path / "lump.urdf"
    path.write_text(OFF_CENTRE)
    robot = world.load_robot("lump", path, TILTED, fixed=False)
    info = world.client.getDynamicsInfo(robot.body, -1)
    assert sorted(info[2]) == pytest.approx([0.03, 0.04, 0.05])


@pytest.mark.parametrize(
    "shape",
    [
        Box((0.02, 0.02, 0.02)),
        Cylinder(0.02, 0.04),
        ConvexHull(
            tuple((x, y, z) for x in (-0.02, 0.02) for y in (-0.02, 0.02) for z in (-0.02, 0.02))
        ),
    ],
)
def test_a_shape_rests_at_its_own_height(world: World, shape: Box | Cylinder | ConvexHull) -> None:
    floor(world)
    world.add_body(
        "part", [shape], mass=0.1, pose_world_body=Pose.translation([0, 0, 0.021]), friction=1.0
    )
    for _ in range(250):
        world.tick()
    # A hull grows by its collision margin of 0.1 mm.
    assert world.pose_world_body("part").position[2] == pytest.approx(0.02, abs=1.5e-4)


def test_friction_is_the_product_of_the_factors(world: World) -> None:
    floor(world, friction=0.5)
    box(world, "part", Pose.translation([0.0, 0.0, 0.02]))
    world.set_friction("part", 0.4)
    world.client.resetBaseVelocity(world.body("part"), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    for _ in range(100):
        world.tick()
    assert world.twist_world_body("part")[0] == pytest.approx(1.0 - 0.2 * GRAVITY * 0.2, abs=0.02)


def test_an_episode_does_not_depend_on_the_one_before(world: World) -> None:
    floor(world)
    for number in range(4):
        box(world, f"part{number}", Pose.identity())
    world.save()

    def episode(seed: int, ticks: int) -> list[bytes]:
        world.restore()
        rng = np.random.default_rng(seed)
        for number in range(4):
            place = [*rng.uniform(-0.015, 0.015, 2), 0.03 + 0.045 * number]
            world.set_pose(f"part{number}", Pose.from_rotation_vector(rng.normal(size=3), place))
        for _ in range(ticks):
            world.tick()
        return [world.pose_world_body(f"part{n}").position.tobytes() for n in range(4)]

    first = episode(1, 300)
    episode(2, 450)
    assert episode(1, 300) == first
    assert world.time == 0.6
    episode(3, 20)
    assert episode(1, 300) == first


def test_a_pile_of_bodies_of_several_shapes_leaves_no_trace_in_what_follows(world: World) -> None:
    floor(world)
    names = [f"part{number}" for number in range(20)]
    ends = [Box((0.03, 0.01, 0.01), Pose.translation([0.0, y, 0.0])) for y in (-0.02, 0.02)]
    shapes = [*ends, Box((0.01, 0.03, 0.01))]
    for name in names:
        world.add_body(name, shapes, mass=0.1, pose_world_body=Pose.identity(), friction=1.0)
    world.save()

    def episode(seed: int, ticks: int) -> list[bytes]:
        world.restore()
        rng = np.random.default_rng(seed)
        for number, name in enumerate(names):
            turn = rng.normal(size=3)
            place = [*rng.uniform(-0.06, 0.06, 2), 0.3 + 0.03 * number]
            world.set_pose(name, Pose.from_rotation_vector(turn, place))
        for _ in range(ticks):
            world.tick()
        return [world.pose_world_body(name).position.tobytes() for name in names]

    first = episode(1, 400)
    for seed in (2, 3):
        episode(seed, 200)
        assert episode(1, 400) == first


def test_a_body_that_is_away_hangs_still_and_nothing_meets_it(world: World) -> None:
    floor(world)
    box(world, "away", Pose.translation([0.0, 0.0, 0.3]))
    box(world, "stone", Pose.translation([0.0, 0.0, 0.4]))
    world.set_away("away", True)
    for _ in range(200):
        world.tick()
    assert world.pose_world_body("away").position[2] == pytest.approx(0.3, abs=1e-9)
    assert world.pose_world_body("stone").position[2] == pytest.approx(0.02, abs=1e-3)
    world.set_away("away", False)
    for _ in range(200):
        world.tick()
    assert world.pose_world_body("away").position[2] == pytest.approx(0.06, abs=1e-3)


def test_a_body_that_is_away_is_back_in_play_after_a_restore(world: World) -> None:
    floor(world)
    box(world, "part", Pose.translation([0.0, 0.0, 0.1]))
    world.save()
    world.set_away("part", True)
    world.restore()
    for _ in range(200):
        world.tick()
    assert world.pose_world_body("part").position[2] == pytest.approx(0.02, abs=1e-3)


def test_a_body_that_never_moves_is_met_where_it_was_put_and_where_a_restore_returns_it(
    world: World,
) -> None:
    shelf = Box((0.1, 0.1, 0.1), Pose.identity())
    world.add_body("shelf", [shelf], mass=0.0, pose_world_body=Pose.identity(), friction=0.5)
    box(world, "stone", Pose.translation([0.0, 0.0, 0.2]))
    for _ in range(5):
        world.tick()
    world.save()
    world.set_pose("shelf", Pose.translation([1.0, 0.0, 0.3]))
    world.set_pose("stone", Pose.translation([1.0, 0.0, 0.45]))
    for _ in range(200):
        world.tick()
    assert world.pose_world_body("stone").position[2] == pytest.approx(0.42, abs=1e-3)
    world.restore()
    for _ in range(200):
        world.tick()
    assert world.pose_world_body("stone").position[2] == pytest.approx(0.12, abs=1e-3)


def test_restoring_needs_something_saved(world: World) -> None:
    with pytest.raises(RuntimeError, match="save"):
        world.restore()


def test_a_picture_shows_what_is_there(world: World) -> None:
    floor(world)
    world.add_body(
        "red",
        [Box((0.1, 0.1, 0.1), color=(1.0, 0.0, 0.0, 1.0))],
        mass=0.0,
        pose_world_body=Pose.translation([0.0, 0.0, 0.1]),
        friction=1.0,
    )
    picture = world.render(64, 48, View((1.0, 0.5, 0.5), (0.0, 0.0, 0.1), 0.5))
    assert picture.shape == (48, 64, 3)
    red, green, _ = picture[24, 32].astype(int)
    assert red > 2 * green


def test_a_closed_world_may_be_closed_again() -> None:
    world = World()
    world.close()
    world.close()
