"""Standing postures: what was asked is fulfilled, limits are kept, the impossible is refused."""

from __future__ import annotations

import numpy as np
import pytest

from robot.errors import NoSolution
from robot.kinematics import Posture, PostureGoal, base_at_rest, solve_posture
from robot.spatial import Pose
from tests.robot.robots import robot_config, robot_model

TILT = np.deg2rad(30.0)
# Closing sideways and pointing forward and down: y is the world's y, z is tilted below x.
DOWN = Pose.from_rotation_vector([0.0, 0.5 * np.pi + TILT, 0.0])


def talos():
    model, config = robot_model("talos"), robot_config("talos")
    posture, base = model.joint_position(config.posture), Pose.translation(config.base.position)
    start = model.at(posture, base=base_at_rest(base))
    feet = {
        frame: Pose.translation([0.0, start.position_world(frame)[1], 0.0])
        for frame in model.contact_frames.values()
    }
    upright = {"base_link": Pose.identity(), config.torso_link: Pose.identity()}
    return model, posture, base, feet, upright


def stand(tools: dict[str, Pose], margin: float = 0.2) -> Posture:
    model, posture, base, feet, upright = talos()
    # The torso stands upright, and that is 0.227 rad from the limit of its pitch.
    goal = PostureGoal({**feet, **tools}, upright, (0.0, 0.0), base.position[2], margin)
    return solve_posture(model, goal, posture, base)


def both(x: float, y: float, z: float, roll: float = 0.0, tilt: float = 0.0) -> dict[str, Pose]:
    turned = (
        DOWN @ Pose.from_rotation_vector([0, 0, roll]) @ Pose.from_rotation_vector([tilt, 0, 0])
    )
    return {
        "tool_left": Pose(np.array([x, y, z]), turned.quaternion),
        "tool_right": Pose(np.array([x, -y, z]), turned.quaternion),
    }


def test_a_standing_posture_fulfils_its_goal() -> None:
    model, *_, feet, upright = talos()
    tools = both(0.58, 0.26, 0.88)
    found = stand(tools)
    here = model.at(found.joint_position, base=base_at_rest(found.pose_world_base))
    for frame, target in {**feet, **tools}.items():
        np.testing.assert_allclose(here.position_world(frame), target.position, atol=2e-6)
        assert here.pose_world(frame).angle_to(target) < 5e-6
    for frame, target in upright.items():
        assert here.pose_world(frame).angle_to(target) < 5e-6
    np.testing.assert_allclose(here.com()[:2], 0.0, atol=2e-6)
    assert found.error < 1e-6


@pytest.mark.parametrize("place", [(0.58, 0.26, 0.88), (0.52, 0.38, 0.88)])
@pytest.mark.parametrize("roll_deg", [-40.0, 40.0])
@pytest.mark.parametrize("tilt_deg", [-8.0, 8.0])
def test_pins_and_feeders_can_be_searched(place, roll_deg: float, tilt_deg: float) -> None:
    found = stand(both(*place, roll=np.deg2rad(roll_deg), tilt=np.deg2rad(tilt_deg)))
    low, high = robot_model("talos").position_limits
    assert np.minimum(found.joint_position - low, high - found.joint_position).min() >= 0.2 - 1e-9


def test_the_start_posture_balances_and_has_flat_feet() -> None:
    model, posture, base, feet, _ = talos()
    here = model.at(posture, base=base_at_rest(base))
    for frame, target in feet.items():
        # The file rounds angles to 1e-4 rad.
        np.testing.assert_allclose(here.position_world(frame), target.position, atol=3e-4)
        assert here.pose_world(frame).angle_to(target) < 3e-4
    np.testing.assert_allclose(here.com()[:2], 0.0, atol=1e-3)


def test_a_tool_out_of_reach_is_refused() -> None:
    with pytest.raises(NoSolution, match="out of reach"):
        stand(both(1.2, 0.3, 1.0))


def test_a_bolted_robot_reaches_with_its_arms_alone() -> None:
    model, config = robot_model("talos_fixed"), robot_config("talos_fixed")
    tools = both(0.55, 0.30, 0.9)
    base = Pose.translation(config.base.position)
    found = solve_posture(model, PostureGoal(tools), model.joint_position(config.posture), base)
    here = model.at(found.joint_position)
    for frame, target in tools.items():
        np.testing.assert_allclose(here.position_world(frame), target.position, atol=2e-6)
    np.testing.assert_array_equal(found.pose_world_base.position, base.position)
