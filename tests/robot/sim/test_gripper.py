from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from robot.geometry import Cylinder
from robot.sim.contacts import contact_normal_force
from robot.sim.gripper import SimGripperConfig
from robot.spatial import Pose
from robot.state import RobotCommand
from tests.robot.sim.gantry import Gantry

MU = 0.8
RADIUS, LENGTH, MASS = 6e-3, 15e-3, 7e-3
FORCE = 30.0
N = 4
HELD = Pose.translation([0.0, 0.0, 3e-3])


class Holding:
    """The gantry, moving if told, with a nut-like cylinder between its closed fingers."""

    def __init__(self, folder, force=FORCE):
        self.gantry = Gantry(folder, gripper=SimGripperConfig(pad_friction=MU**0.5))
        self.world = self.gantry.world
        self.world.add_body(
            "nut",
            [Cylinder(RADIUS, LENGTH)],
            mass=MASS,
            pose_world_body=self.pose_world_tool() @ HELD,
            friction=MU**0.5,
            spinning_friction=1.5e-3,
        )
        self.gantry.driver.set_grip_force("left", force)
        # The fingers need a moment, in which the nut must not fall.
        self.world.client.setGravity(0.0, 0.0, 0.0)
        self.move(0.6)
        self.world.client.setGravity(0.0, 0.0, -9.81)
        self.move(0.1)

    def pose_world_tool(self):
        return self.gantry.robot.pose_world_link("tool_left")

    def pose_tool_nut(self):
        return self.pose_world_tool().inverse() @ self.world.pose_world_body("nut")

    def move(self, seconds, path=lambda _: np.zeros(N), opening=0.0):
        zero, dt = np.zeros(N), self.world.dt
        for tick in range(round(seconds / dt)):
            command = RobotCommand(
                path(tick * dt),
                zero,
                self.gantry.model.at(zero).gravity_effort(),
                np.array([1e5, 1e5, 1e5, 300.0]),
                np.array([2e3, 2e3, 2e3, 5.0]),
                {"left": opening},
                epoch=self.gantry.driver.epoch,
            )
            self.gantry.driver.write(command)
            self.world.tick()

    def pull(self, axis, most, seconds=1.0):
        """Return the force along a tool axis at which the nut has slipped by 0.5 mm, in N."""
        start = self.pose_tool_nut().position[axis]
        steps = round(seconds / self.world.dt)
        now = {"force": 0.0}
        direction = self.pose_world_tool().rotation[:, axis]

        def push():
            self.world.add_wrench("nut", [*(now["force"] * direction), 0.0, 0.0, 0.0])

        self.world.add_actuator(push)
        for step in range(steps):
            now["force"] = most * step / steps
            self.move(self.world.dt)
            if abs(self.pose_tool_nut().position[axis] - start) > 5e-4:
                return now["force"]
        return None


def test_a_held_part_does_not_drift(tmp_path):
    holding = Holding(tmp_path)
    start = holding.pose_tool_nut()
    holding.move(2.0)
    now = holding.pose_tool_nut()
    np.testing.assert_allclose(now.position, start.position, atol=2e-6)
    assert now.angle_to(start) < 1e-3


def test_a_held_part_does_not_drift_while_the_arm_moves(tmp_path):
    holding = Holding(tmp_path)
    start = holding.pose_tool_nut()

    def path(time):
        # Up to 0.5 m/s and 3 m/s^2 along every axis, half a turn per second at the wrist.
        phase = 2.0 * np.pi * time
        return np.array([0.08, 0.08, 0.08, 0.5]) * (1.0 - np.cos(phase)) / 2.0

    holding.move(2.0, path)
    now = holding.pose_tool_nut()
    np.testing.assert_allclose(now.position, start.position, atol=2e-5)
    assert now.angle_to(start) < 5e-3


@pytest.mark.parametrize("force", [20.0, 30.0])
@pytest.mark.parametrize("axis", [0, 2])
def test_a_part_slips_at_twice_friction_times_force(tmp_path, force, axis):
    holding = Holding(tmp_path, force)
    # The pull along z works against the weight of 0.07 N, which is far below the tolerance.
    slipped = holding.pull(axis, most=2.0 * MU * force * 1.3)
    assert slipped == pytest.approx(2.0 * MU * force, rel=0.1)


def test_pads_press_with_the_grip_force(tmp_path):
    holding = Holding(tmp_path, 25.0)
    pressed = contact_normal_force(holding.world, "gantry", "nut")
    assert pressed == pytest.approx(2.0 * 25.0, rel=0.02)
    holding.gantry.driver.set_grip_force("left", 15.0)
    holding.move(0.2)
    assert contact_normal_force(holding.world, "gantry", "nut") == pytest.approx(30.0, rel=0.02)


def test_pads_hardly_enter_a_held_part(tmp_path):
    holding = Holding(tmp_path)
    assert holding.gantry.driver.read().gripper_opening["left"] == pytest.approx(
        2.0 * RADIUS, abs=5e-5
    )


def test_a_part_that_is_pushed_sideways_takes_the_fingers_along_by_little(tmp_path):
    holding = Holding(tmp_path)
    start = holding.pose_tool_nut().position[1]
    for _ in range(100):
        holding.world.add_wrench("nut", [0.0, 10.0, 0.0, 0.0, 0.0, 0.0])
        holding.move(holding.world.dt)
    # Pushed half of the time: a wrench lasts one of two steps.
    moved = holding.pose_tool_nut().position[1] - start
    assert 0.0 < moved < 6e-5 * 10.0
    holding.move(0.3)
    assert abs(holding.pose_tool_nut().position[1] - start) < 2e-5


@pytest.mark.parametrize(("share", "holds"), [(0.8, True), (1.2, False)])
def test_a_part_turns_about_the_line_through_the_pads_when_friction_gives_way(
    tmp_path, share, holds
):
    holding = Holding(tmp_path)
    start = holding.pose_tool_nut()
    # Each of two contacts resists with its force times both lengths times the other's factor.
    limit = 2.0 * FORCE * 2.0 * 1.5e-3 * MU**0.5
    torque = [0.0, share * limit, 0.0]

    def turn():
        holding.world.add_wrench("nut", [0.0, 0.0, 0.0, *torque])

    holding.world.add_actuator(turn)
    holding.move(0.3)
    turned = holding.pose_tool_nut().angle_to(start)
    assert turned < 0.02 if holds else turned > 0.1


def test_an_opened_gripper_lets_go(tmp_path):
    holding = Holding(tmp_path)
    holding.move(0.2, opening=0.03)
    assert holding.pose_tool_nut().position[2] < HELD.position[2] - 0.01


def test_the_opening_changes_at_the_speed_of_the_gripper(tmp_path):
    gantry = Gantry(tmp_path, gripper=SimGripperConfig(speed=0.1))
    zero = np.zeros(N)
    close = RobotCommand(zero, zero, zero, zero, zero, {"left": 0.01}, epoch=gantry.driver.epoch)
    openings = []
    for _ in range(240):
        gantry.driver.write(close)
        gantry.world.tick()
        openings.append(gantry.driver.read().gripper_opening["left"])
    assert openings[0] == pytest.approx(0.05, abs=1e-3)
    # 30 mm in 0.3 s, and no further than asked.
    assert openings[149] == pytest.approx(0.02, abs=1e-3)
    assert openings[-1] == pytest.approx(0.01, abs=1e-4)
    assert min(openings) > 0.0099


def test_a_force_beyond_the_gripper_is_refused(tmp_path):
    gantry = Gantry(tmp_path)
    with pytest.raises(ValueError, match="grip force"):
        gantry.driver.set_grip_force("left", 61.0)


def test_a_command_to_an_opening_beyond_the_gripper_is_refused(tmp_path):
    gantry = Gantry(tmp_path)
    zero = np.zeros(N)
    wide = RobotCommand(zero, zero, zero, zero, zero, epoch=gantry.driver.epoch)
    with pytest.raises(Exception, match="gripper_opening of 'left'"):
        gantry.driver.write(dataclasses.replace(wide, gripper_opening={"left": 0.06}))
