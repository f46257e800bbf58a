"""Every robot in `configs/robot`, on an empty floor under the whole-body controller."""

import importlib.metadata

import numpy as np
import pytest

from robot.loop import ControlLoop
from robot.mock import MockStation
from robot.state import Target
from workcell.catalog import known_names, load_robot
from workcell.robot_cell import CellConfig, build_cell, build_controller, build_robot
from workcell.standing import tool_target

CELL = CellConfig(cameras=True)


@pytest.fixture(params=known_names()["robot"])
def robot(request):
    config = load_robot(request.param)
    package = config.description.package
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"needs the optional package {package}: python -m pip install {package}")
    return config


def test_every_robot_builds_sees_and_stands(robot):
    parts = build_robot(robot, CELL)
    try:
        cell = build_cell(parts, MockStation(), CELL)
        controller = build_controller(robot, parts.model, CELL, parts.driver.spec)
        loop = ControlLoop(cell, controller)
        parts.driver.place(*parts.start_posture)
        loop.reset(np.random.default_rng(0))
        body, links = parts.body, robot.tool_frames
        height = body.pose_world_base().position[2]
        start = {arm: body.pose_world_link(link) for arm, link in links.items()}
        target = Target({arm: tool_target(pose) for arm, pose in start.items()})
        state = loop.run(target, round(0.5 / CELL.dt))
        assert abs(body.pose_world_base().position[2] - height) < 0.01
        for arm, link in links.items():
            moved = body.pose_world_link(link).position - start[arm].position
            assert np.linalg.norm(moved) < 5e-3, arm
        assert controller.unsolved == 0
        assert {f"wrist_{arm}" for arm in links} < state.readings.keys()
        for camera in ("head", "left_wrist", "right_wrist"):
            assert state.readings[f"camera_{camera}"].rgb.shape == (96, 128, 3)
    finally:
        parts.close()
