from __future__ import annotations

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.sim.shove import Shove
from robot.sim.world import World
from robot.spatial import Pose

MASS = 4.0
_LUMP = f"""<robot name="lump"><link name="torso"><inertial><origin xyz="0.1 0 0"/>
<mass value="{MASS}"/><inertia ixx="0.1" iyy="0.1" izz="0.1" ixy="0" ixz="0" iyz="0"/></inertial>
</link></robot>"""


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "lump.urdf"
    path.write_text(_LUMP)
    world = World()
    robot = world.load_robot("lump", path, Pose.translation([0.0, 0.0, 5.0]), fixed=False)
    world.client.setGravity(0.0, 0.0, 0.0)
    shove = Shove(robot, "torso", duration=0.1)
    world.add_element(shove)
    yield world, shove, robot
    world.close()


def run(world, seconds):
    for _ in range(round(seconds / world.dt)):
        world.tick()
    return world.twist_world_body("lump")


def test_a_shove_gives_its_impulse_at_its_time(scene):
    world, shove, _ = scene
    impulse = np.array([3.0, -2.0, 1.0])
    shove.schedule(0.05, impulse)
    np.testing.assert_array_equal(run(world, 0.05), 0.0)
    # Force on the centre of mass: it moves and does not turn.
    half = run(world, 0.05)
    np.testing.assert_allclose(half[:3], 0.5 * impulse / MASS, rtol=1e-9)
    after = run(world, 0.3)
    np.testing.assert_allclose(after[:3], impulse / MASS, rtol=1e-9)
    np.testing.assert_allclose(after[3:], 0.0, atol=1e-12)


def test_a_shove_has_begun_when_its_time_has_come(scene):
    _, shove, _ = scene
    assert not shove.begun(9.0), "nothing is scheduled"
    shove.schedule(0.05, [5.0, 0.0, 0.0])
    assert not shove.begun(0.04)
    assert shove.begun(0.05)
    shove.schedule(0.05, np.zeros(3))
    assert not shove.begun(9.0)


def test_a_reset_cancels_a_shove(scene):
    world, shove, _ = scene
    shove.schedule(0.0, [5.0, 0.0, 0.0])
    run(world, 0.02)
    shove.reset()
    moving = run(world, 0.0)
    np.testing.assert_array_equal(run(world, 0.2), moving)
    np.testing.assert_array_equal(shove.state(), 0.0)


def test_nothing_pushes_until_something_is_scheduled(scene):
    world, _, _ = scene
    np.testing.assert_array_equal(run(world, 0.2), 0.0)


def test_an_unknown_link_is_answered_with_the_closest_name(scene):
    with pytest.raises(UnknownName, match="torso"):
        Shove(scene[2], "torse")
