from __future__ import annotations

import numpy as np
import pytest

from robot.errors import UnknownName
from robot.sim.noise import NOISE_LEVELS
from robot.sim.wrench import WristWrench
from robot.spatial import Pose
from robot.state import RobotCommand
from tests.robot.sim.gantry import FINGER_MASS, HAND_MASS, Gantry

N = 4


class Wrist:
    """The gantry with a sensor in its wrist; the tool hangs 0.1 m below it."""

    def __init__(self, folder, noise="none", seed=0):
        self.gantry = Gantry(folder)
        self.world = self.gantry.world
        self.sensor = WristWrench(
            self.world, self.gantry.robot, "wrist", "tool_left", NOISE_LEVELS[noise]
        )
        self.wrench_world = np.zeros(6)
        self.world.add_actuator(self._push)
        self.sensor.reset(np.random.default_rng(seed))

    def _push(self):
        client, robot = self.world.client, self.gantry.robot
        link = robot.link("tool_left")
        position = robot.pose_world_link("tool_left").position.tolist()
        force, torque = self.wrench_world[:3].tolist(), self.wrench_world[3:].tolist()
        client.applyExternalForce(robot.body, link, force, position, client.WORLD_FRAME)
        client.applyExternalTorque(robot.body, link, torque, client.WORLD_FRAME)

    def run(self, seconds, path=lambda _: np.zeros(N)):
        """Move along a path and return every reading. Shape (ticks, 6)."""
        zero, dt, readings = np.zeros(N), self.world.dt, []
        for tick in range(round(seconds / dt)):
            command = RobotCommand(
                path(tick * dt),
                zero,
                self.gantry.model.at(zero).gravity_effort(),
                np.array([1e5, 1e5, 1e5, 300.0]),
                np.array([2e3, 2e3, 2e3, 5.0]),
                epoch=self.gantry.driver.epoch,
            )
            self.gantry.driver.write(command)
            self.world.tick()
            readings.append(self.sensor.read().wrench_tool)
        return np.array(readings)


@pytest.mark.parametrize("angle", [0.0, 1.0, -2.5])
def test_a_hand_at_rest_feels_nothing_whatever_its_orientation(tmp_path, angle):
    wrist = Wrist(tmp_path)
    posture = np.array([0.0, 0.0, 0.0, angle])
    wrist.gantry.driver.place(posture, Pose.translation([0.0, 0.0, 1.0]))
    readings = wrist.run(0.5, lambda _: posture)
    np.testing.assert_allclose(readings[-1], 0.0, atol=2e-3)


@pytest.mark.parametrize("row", range(6))
@pytest.mark.parametrize("angle", [0.0, 1.0])
def test_each_component_is_felt_with_its_sign_in_the_tool_frame(tmp_path, row, angle):
    wrist = Wrist(tmp_path)
    posture = np.array([0.0, 0.0, 0.0, angle])
    wrist.gantry.driver.place(posture, Pose.translation([0.0, 0.0, 1.0]))
    rotation = wrist.gantry.robot.pose_world_link("tool_left").rotation
    applied_tool = np.zeros(6)
    applied_tool[row] = 10.0 if row < 3 else 0.5
    wrist.wrench_world = (applied_tool.reshape(2, 3) @ rotation.T).ravel()
    readings = wrist.run(0.6, lambda _: posture)
    # The posture gives way by up to 0.5/300 rad to the torque and by
    # 1/300 rad to the force, which then turns by 0.03 N.
    np.testing.assert_allclose(readings[-1], applied_tool, atol=0.04)


def test_a_force_on_one_finger_is_felt_in_full(tmp_path):
    wrist = Wrist(tmp_path)
    wrist.gantry.gripper.move_to(0.02)
    wrist.run(0.4)
    client, robot = wrist.world.client, wrist.gantry.robot
    link = robot.joint_child["gripper_left_finger_a"]

    def push():
        place = robot.pose_world_link("tool_left").position.tolist()
        client.applyExternalForce(robot.body, link, [0.0, 8.0, 0.0], place, client.WORLD_FRAME)

    wrist.world.add_actuator(push)
    readings = wrist.run(0.4)
    np.testing.assert_allclose(readings[-1], [0.0, 8.0, 0.0, 0.0, 0.0, 0.0], atol=0.03)


@pytest.mark.parametrize("swing", np.diag([0.08, 0.08, 0.08, 0.4]))
def test_a_hand_that_moves_freely_feels_nothing(tmp_path, swing):
    wrist = Wrist(tmp_path)
    readings = wrist.run(1.2, lambda time: swing * 0.5 * (1.0 - np.cos(2.0 * np.pi * time)))[50:]
    # Uncompensated it would be 1.1 kg times 1.6 m/s^2.
    assert np.abs(readings[:, :3]).max() < 0.02
    assert np.abs(readings[:, 3:]).max() < 0.002


def test_turning_while_moving_leaves_less_than_the_coriolis_force(tmp_path):
    wrist = Wrist(tmp_path)
    swing = np.array([0.0, 0.08, 0.08, 0.4])
    readings = wrist.run(1.2, lambda time: swing * 0.5 * (1.0 - np.cos(2.0 * np.pi * time)))[50:]
    turning, speed = 0.2 * 2.0 * np.pi, 0.04 * 2.0 * np.pi * 2.0**0.5
    assert np.abs(readings[:, :3]).max() < 1.1 * turning * speed


def test_the_payload_is_everything_beyond_the_joint(tmp_path):
    payload = Wrist(tmp_path).sensor.payload
    assert payload.mass == pytest.approx(HAND_MASS + 2 * FINGER_MASS)
    # Hand at (0.01, 0, -0.02), fingers' joints 0.1 m below the wrist.
    moment = HAND_MASS * np.array([0.01, 0.0, -0.02 + 0.1])
    # Bullet's parser rounds to single precision.
    np.testing.assert_allclose(payload.center_tool, moment / payload.mass, atol=1e-6)


def test_noise_and_bias_have_the_size_of_their_level(tmp_path):
    wrist = Wrist(tmp_path, noise="B")
    readings = wrist.run(2.0)[100:]
    level = NOISE_LEVELS["B"]
    # Two samples averaged, then a first-order low pass of share s leaves a variance of s / (2 - s).
    share = 1.0 - np.exp(-2.0 * np.pi * 100.0 * 2e-3)
    left = (share / (2.0 - share)) ** 0.5
    weighed = wrist.sensor.payload.mass * level.acceleration
    force = np.hypot(level.force / 2.0**0.5, weighed) * left
    assert readings[:, :3].std(axis=0).mean() == pytest.approx(force, rel=0.1)
    # About z the weight has hardly a lever.
    assert readings[:, 5].std() == pytest.approx(level.torque / 2.0**0.5 * left, rel=0.1)
    biases = []
    for seed in range(200):
        wrist.sensor.reset(np.random.default_rng(seed))
        biases.append(wrist.sensor.read().wrench_tool)
    assert np.std(biases, axis=0)[:3].mean() == pytest.approx(level.force_bias, rel=0.15)
    assert np.std(biases, axis=0)[3:].mean() == pytest.approx(level.torque_bias, rel=0.15)


def test_a_push_is_felt_after_the_delay_and_not_before(tmp_path):
    wrist = Wrist(tmp_path, noise="C")
    quiet = wrist.run(0.3)[-1]
    wrist.wrench_world = np.array([50.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    readings = wrist.run(0.05)[:, 0] - quiet[0]
    # The delay of level C is one control period.
    assert abs(readings[0]) < 2.0
    assert readings[1] > 10.0
    assert wrist.world.time - wrist.sensor.read().time == pytest.approx(2e-3)


def test_a_seed_fixes_what_a_sensor_reads(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = Wrist(tmp_path / "a", noise="B", seed=4).run(0.05)
    np.testing.assert_array_equal(Wrist(tmp_path / "b", noise="B", seed=4).run(0.05), first)


def test_an_unknown_joint_is_answered_with_the_closest_name(tmp_path):
    gantry = Gantry(tmp_path)
    with pytest.raises(UnknownName, match="wrist"):
        WristWrench(gantry.world, gantry.robot, "wirst", "tool_left")
