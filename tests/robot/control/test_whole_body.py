import numpy as np
import pytest

from robot.cell_state import CellState
from robot.control.whole_body import WholeBodyController
from robot.control.whole_body_config import WholeBodyConfig
from robot.driver import JointLimits
from robot.errors import NoSolution
from robot.kinematics import base_at_rest
from robot.sensor import WrenchReading
from robot.spatial import Pose
from robot.state import RobotState, Target, ToolTarget
from robot.station import StationInputs
from tests.robot.robots import robot_config, robot_model

DT = 2e-3
STIFFNESS = np.array([1000.0] * 3 + [60.0] * 3)


class Stand:
    """A robot in its start posture, and a controller that has been reset in it."""

    def __init__(self, name, config=None, limits=None, grippers=None):
        self.config, self.model = robot_config(name), robot_model(name)
        self.position = self.model.joint_position(self.config.posture)
        self.velocity = np.zeros(self.model.n)
        self.base = (
            base_at_rest(Pose.translation(self.config.base.position))
            if self.model.floating
            else None
        )
        self.wrenches = {}
        self.controller = WholeBodyController(
            self.model,
            self.config.torso_link,
            self.config.foot_half_sizes,
            config,
            limits=limits,
            grippers=grippers,
        )
        self.controller.reset(self.state())

    def state(self):
        robot = RobotState(
            0.0, self.position, self.velocity, np.zeros(self.model.n), {"left": 0.03}, self.base
        )
        readings = {name: WrenchReading(0.0, wrench) for name, wrench in self.wrenches.items()}
        return CellState(robot, readings, StationInputs())

    def configuration(self):
        return self.model.at(self.position, self.velocity, self.base)

    def targets(self, offset=(0.0, 0.0, 0.0), arms=("left", "right")):
        here = self.configuration()
        poses = {arm: here.pose_world(self.model.tool_frames[arm]) for arm in arms}
        return Target(
            {
                arm: ToolTarget(
                    Pose(pose.position + offset, pose.quaternion), np.zeros(6), STIFFNESS, 0.02
                )
                for arm, pose in poses.items()
            }
        )

    def update(self, target):
        return self.controller.update(self.state(), target, DT)

    def step(self, command):
        """Move a bolted-down robot as its equations of motion say."""
        here = self.configuration()
        effort = command.joint_effort - here.bias_effort()
        self.velocity = self.velocity + DT * np.linalg.solve(here.mass_matrix(), effort)
        self.position = self.position + DT * self.velocity


@pytest.mark.parametrize("name", ["talos", "talos_fixed", "g1"])
def test_efforts_stay_within_limits_wherever_the_target_is(name):
    stand, rng = Stand(name), np.random.default_rng(2)
    for _ in range(40):
        command = stand.update(stand.targets(rng.uniform(-2.0, 2.0, 3)))
        assert np.all(np.abs(command.joint_effort) <= 0.95 * stand.model.effort_limits + 1e-3)
    assert stand.controller.unsolved == 0


def test_the_limits_of_the_device_hold_where_they_are_narrower_than_the_models():
    """Hands that are led far away stop at what the driver accepts, in place, speed and effort."""
    model, start = robot_model("talos_fixed"), Stand("talos_fixed").position
    limits = JointLimits(
        np.array([start - 0.25, start + 0.25]),
        0.2 * model.velocity_limits,
        0.5 * model.effort_limits,
    )
    stand = Stand("talos_fixed", limits=limits)
    target = stand.targets((0.3, 0.0, 0.3))
    fastest = np.zeros(model.n)
    for _ in range(600):
        command = stand.update(target)
        assert np.all(np.abs(command.joint_effort) <= 0.5 * model.effort_limits + 1e-3)
        stand.step(command)
        fastest = np.maximum(fastest, np.abs(stand.velocity))
    assert np.all(np.abs(stand.position - start) <= 0.25 + 1e-3)
    assert np.abs(stand.position - start).max() > 0.2
    assert np.all(fastest <= 0.2 * model.velocity_limits * 1.01)


def test_a_standing_robot_carries_its_weight_on_its_feet():
    stand = Stand("talos")
    command = stand.update(stand.targets())
    here = stand.configuration()
    # Whatever the joints do not explain of gravity must be a wrench of the feet.
    rows = [here.jacobian(frame) for frame in stand.model.contact_frames.values()]
    feet = np.vstack(rows)
    missing = here.bias_effort() - np.concatenate([np.zeros(6), command.joint_effort])
    wrench, *_ = np.linalg.lstsq(feet.T, missing, rcond=None)
    assert np.abs(feet.T @ wrench - missing).max() < 1.0
    assert wrench[2] + wrench[8] == pytest.approx(stand.model.mass * 9.81, rel=0.01)


def test_an_arm_at_its_target_needs_what_gravity_needs():
    stand = Stand("talos_fixed")
    command = stand.update(stand.targets())
    assert command.joint_effort == pytest.approx(stand.configuration().gravity_effort(), abs=0.05)


def test_a_tool_reaches_its_target_and_the_other_arm_holds_its_posture():
    stand = Stand("talos_fixed")
    start = stand.position.copy()
    target = stand.targets([0.03, 0.0, 0.05], arms=("left",))
    for _ in range(600):
        stand.step(stand.update(target))
    here = stand.configuration()
    goal = target.tools["left"].pose_world_tool
    reached = here.pose_world(stand.model.tool_frames["left"])
    assert np.linalg.norm(reached.position - goal.position) < 2e-4
    assert reached.angle_to(goal) < 1e-3
    other = stand.controller.arms["right"].joints
    assert np.abs(stand.position - start)[other].max() < 2e-3


def test_a_felt_wrench_drops_out_of_the_efforts_that_move_the_tool():
    felt, unfelt = Stand("talos_fixed"), Stand("talos_fixed")
    felt.wrenches["wrist_left"] = np.array([2.0, -1.0, -30.0, 0.0, 0.0, 0.0])
    felt.controller.reset(felt.state())
    target = felt.targets()
    difference = felt.update(target).joint_effort - unfelt.update(target).joint_effort
    here, arm = felt.configuration(), felt.controller.arms["left"]
    jacobian = here.jacobian(arm.frame)
    moved = jacobian @ np.linalg.solve(here.mass_matrix(), difference)
    # What the wrench itself would do to the tool if nothing answered it.
    rotation = np.kron(np.eye(2), here.rotation_world(arm.frame))
    load = rotation @ felt.wrenches["wrist_left"]
    unanswered = jacobian @ np.linalg.solve(here.mass_matrix(), jacobian.T @ load)
    # The rest is the trunk, which is not part of the arm's inertia.
    assert np.linalg.norm(moved) < 0.15 * np.linalg.norm(unanswered)


def test_a_tick_without_a_solution_holds_posture_and_ten_stop(monkeypatch):
    stand = Stand("talos")
    target = stand.targets()
    before = stand.update(target)
    monkeypatch.setattr(stand.controller._program, "solve", lambda: None)
    held = stand.update(target)
    assert held.joint_effort == pytest.approx(before.joint_effort)
    assert held.joint_position == pytest.approx(stand.position)
    assert np.all(held.stiffness > 0.0)
    for _ in range(8):
        stand.update(target)
    assert stand.controller.unsolved == 9
    with pytest.raises(NoSolution, match="10 ticks"):
        stand.update(target)


def test_one_solution_starts_the_count_anew(monkeypatch):
    stand = Stand("talos")
    target, solve = stand.targets(), stand.controller._program.solve
    for _ in range(3):
        monkeypatch.setattr(stand.controller._program, "solve", lambda: None)
        for _ in range(9):
            stand.update(target)
        monkeypatch.setattr(stand.controller._program, "solve", solve)
        stand.update(target)
    assert stand.controller.unsolved == 27


def test_grippers_keep_what_they_were_told_last():
    stand = Stand("talos_fixed")
    assert stand.update(Target({})).gripper_opening == {"left": 0.03}
    stand.update(stand.targets(arms=("left",)))
    assert stand.update(Target({})).gripper_opening == {"left": 0.02}


def test_a_gripper_that_is_found_wider_than_it_goes_is_not_asked_to_stay_so():
    stand = Stand("talos_fixed", grippers={"left": 0.0299, "right": 0.05})
    assert stand.update(Target({})).gripper_opening == {"left": 0.0299}


def test_the_same_states_give_the_same_commands_after_a_reset():
    stand = Stand("talos", WholeBodyConfig())
    first = [stand.update(stand.targets([0.0, 0.0, 0.02])).joint_effort for _ in range(5)]
    stand.controller.reset(stand.state())
    again = [stand.update(stand.targets([0.0, 0.0, 0.02])).joint_effort for _ in range(5)]
    assert np.array_equal(first, again)
