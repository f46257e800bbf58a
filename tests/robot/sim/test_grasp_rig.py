import math

import numpy as np
import pytest

from robot.geometry import Cylinder
from robot.robot_config import PadConfig
from robot.sim.grasp_rig import Attempt, GraspRig, RigPart
from robot.sim.tactile import HeldShape
from robot.spatial import Pose

RADIUS, LENGTH = 6e-3, 15e-3
PART = RigPart(
    [Cylinder(RADIUS, LENGTH)], 0.02, (1e-5, 1e-5, 1e-5), HeldShape(RADIUS, LENGTH), 2.0 * RADIUS
)


@pytest.fixture(scope="module")
def rig():
    made = GraspRig(PadConfig(), PART)
    yield made
    made.close()


def attempt(start, **changes):
    return Attempt(start, **{"force": 30.0, "pad_friction": 0.8, "pad_spinning": 1.5e-3, **changes})


def test_a_part_is_held_where_it_lay_and_as_hard_as_asked(rig):
    start = Pose.from_rotation_vector([0.0, 0.1, 0.0], [2e-3, 0.0, 1e-3])
    grasped = rig.grasp(attempt(start))
    assert grasped.held
    assert np.linalg.norm(grasped.pose_tool_part.position - start.position) < 0.1e-3
    assert grasped.pose_tool_part.angle_to(start) < math.radians(0.3)
    assert grasped.opening == pytest.approx(2.0 * RADIUS, abs=0.2e-3)
    np.testing.assert_allclose(grasped.loads.normal, 30.0, rtol=0.03)


def test_fingers_centre_a_part_across_and_leave_it_along_the_pads(rig):
    grasped = rig.grasp(attempt(Pose.translation([3e-3, 1e-3, 0.0])))
    x, y, _ = grasped.pose_tool_part.position
    assert x == pytest.approx(3e-3, abs=0.1e-3)
    assert abs(y) < 0.3e-3


def test_a_load_is_borne_by_the_pads(rig):
    load = np.array([0.0, 0.0, 8.0, 0.0, 0.0, 0.0])
    grasped = rig.grasp(attempt(Pose.identity(), load_tool=load))
    assert grasped.held
    assert grasped.loads.shear.sum(axis=0)[1] == pytest.approx(8.0, abs=0.8)


def test_a_part_that_is_elsewhere_is_not_held(rig):
    grasped = rig.grasp(attempt(Pose.translation([0.1, 0.0, 0.0])))
    assert not grasped.held
    assert grasped.loads.held == (None, None)


def test_a_grasp_does_not_depend_on_the_one_before(rig):
    start = Pose.translation([1e-3, 0.0, 2e-3])
    first = rig.grasp(attempt(start)).pose_tool_part.position
    rig.grasp(attempt(Pose.from_rotation_vector([0.0, 0.2, 0.0], [-4e-3, 0.0, 0.0])))
    np.testing.assert_allclose(rig.grasp(attempt(start)).pose_tool_part.position, first, atol=1e-5)
