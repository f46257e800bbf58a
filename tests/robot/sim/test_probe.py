from __future__ import annotations

import numpy as np

from robot.spatial import Pose
from tests.robot.sim.gantry import Gantry


def test_a_probe_says_what_bullet_says_of_each_joint_and_link(tmp_path):
    gantry = Gantry(tmp_path)
    robot, client = gantry.robot, gantry.world.client
    names = list(robot.joint_index)
    first = robot.probe.joints([robot.joint(names[0])])
    others = robot.probe.joints([robot.joint(name) for name in names[1:]])
    tool = robot.link("tool_left")
    link = robot.probe.link(tool)
    for _ in range(3):
        gantry.world.tick()
        assert first() == (client.getJointState(robot.body, robot.joint(names[0])),)
        assert others() == tuple(
            client.getJointState(robot.body, robot.joint(name)) for name in names[1:]
        )
        assert link() == client.getLinkState(robot.body, tool, 1)


def test_a_robot_that_is_put_elsewhere_is_read_where_it_is(tmp_path):
    gantry = Gantry(tmp_path)
    posture = np.array([0.01, -0.02, 0.03, 0.4])
    gantry.world.tick()
    gantry.driver.place(posture, Pose.translation([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(gantry.driver.read().joint_position, posture, atol=1e-3)
