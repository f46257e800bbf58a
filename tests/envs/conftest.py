"""An assembly environment without physics: a planar two-armed robot that holds still."""

import numpy as np
import pinocchio as pin
import pytest
from typing_extensions import override

from envs.assembly_env import AssemblyEnv
from robot.control.controller import Controller
from robot.loop import ControlLoop
from robot.mock_cell import mock_cell
from robot.model import RobotModel
from robot.state import RobotCommand
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_variation import NUT_LEVELS
from tasks.scene import Scene


class HoldStill(Controller):
    """Holds every joint where it is and opens the grippers as asked."""

    @override
    def reset(self, state):
        self.targets = []

    @override
    def update(self, state, target, dt):
        self.targets.append(target)
        q = state.robot.joint_position
        zeros = np.zeros_like(q)
        openings = {arm: tool.gripper_opening for arm, tool in target.tools.items()}
        return RobotCommand(q, zeros, zeros, zeros, zeros + 1.0, openings)


class TypedScene(Scene):
    """Parts that lie where the layout says, until a test moves them."""

    def __init__(self):
        self.parts = {}
        self.seen = {}
        self.begun = 0

    @override
    def begin(self):
        self.begun += 1

    @override
    def apply(self, layout):
        self.parts = dict(layout.pose_world_parts)
        return layout

    @override
    def pose_world_parts(self):
        return self.parts

    @override
    def events(self):
        return dict(self.seen)


def two_arms():
    """Return a model of two arms of two joints each, its tools at their ends."""
    model = pin.Model()
    for arm, side in (("left", 0.3), ("right", -0.3)):
        parent = 0
        for i in range(2):
            offset = np.array([0.0, side, 0.9]) if i == 0 else np.array([0.25, 0.0, 0.0])
            parent = model.addJoint(
                parent, pin.JointModelRZ(), pin.SE3(np.eye(3), offset), f"{arm}_{i}",
                np.array([50.0]), np.array([5.0]), np.array([-3.0]), np.array([3.0]),
            )  # fmt: skip
            model.appendBodyToJoint(parent, pin.Inertia.FromSphere(1.0, 0.1), pin.SE3.Identity())
        end = pin.SE3(np.eye(3), np.array([0.25, 0.0, 0.0]))
        model.addFrame(pin.Frame(f"tool_{arm}", parent, 0, end, pin.FrameType.BODY))
    return RobotModel(model, {"left": "tool_left", "right": "tool_right"})


@pytest.fixture
def env():
    task = NutInsertion(NutInsertionConfig(time_limit=2.0), NUT_LEVELS["factory"])
    model = two_arms()
    cell = mock_cell(model, np.zeros(model.n), signals=task.signals)
    cell.driver.configure()
    cell.driver.activate()
    yield AssemblyEnv(task, TypedScene(), ControlLoop(cell, HoldStill()))
    cell.driver.cleanup()
