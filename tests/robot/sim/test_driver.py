from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from robot.descriptions import derive
from robot.driver import StopCategory
from robot.errors import StaleState
from robot.estimator import BaseEstimator
from robot.geometry import Box
from robot.sim.client import GRAVITY
from robot.sim.driver import SimDriver, SimDriverConfig
from robot.sim.noise import NOISE_LEVELS
from robot.sim.shove import Shove
from robot.sim.world import World
from robot.spatial import Pose
from robot.state import Lifecycle, RobotCommand
from tests.robot.robots import robot_config, robot_model
from tests.robot.sim.gantry import Gantry

N = 4


def command(gantry, **changes) -> RobotCommand:
    zero = np.zeros(N)
    start = RobotCommand(zero, zero, zero, zero, zero, epoch=gantry.driver.epoch)
    return dataclasses.replace(start, **changes)


def track(gantry, seconds, **changes):
    for _ in range(round(seconds / gantry.world.dt)):
        gantry.driver.write(command(gantry, **changes))
        gantry.world.tick()
    return gantry.driver.read()


def weight(gantry) -> np.ndarray:
    return gantry.model.at(np.zeros(N)).gravity_effort()


def test_gains_that_are_explicitly_unstable_on_a_light_wrist_are_obeyed(tmp_path):
    gantry = Gantry(tmp_path)
    # h kd / I is about 10 at the wrist, where 2 is the explicit law's limit.
    state = track(
        gantry,
        2.0,
        joint_position=np.array([0.1, -0.1, 0.1, 0.5]),
        joint_effort=weight(gantry),
        stiffness=np.full(N, 400.0),
        damping=np.array([150.0, 150.0, 150.0, 40.0]),
    )
    np.testing.assert_allclose(state.joint_position, [0.1, -0.1, 0.1, 0.5], atol=2e-3)
    np.testing.assert_allclose(state.joint_velocity, 0.0, atol=2e-3)


@pytest.mark.parametrize("stiffness", [300.0, 3e4])
def test_a_stiffness_is_what_was_commanded(tmp_path, stiffness):
    gantry = Gantry(tmp_path)
    push = np.array([30.0, 0.0, 0.0, 0.0])
    gains = {"stiffness": np.full(N, stiffness), "damping": np.full(N, 2.0 * stiffness**0.5)}
    state = track(gantry, 2.0, joint_effort=weight(gantry) + push, **gains)
    # Static: the spring carries what was fed forward too much.
    assert state.joint_position[0] == pytest.approx(30.0 / stiffness, rel=1e-3)


def test_a_torque_accelerates_as_the_model_says(tmp_path):
    gantry = Gantry(tmp_path)
    effort = weight(gantry) + np.array([5.0, 0.0, 0.0, 0.0])
    track(gantry, 0.1, joint_effort=effort)
    mass = gantry.model.at(np.zeros(N)).mass_matrix()[0, 0]
    assert gantry.driver.read().joint_velocity[0] == pytest.approx(5.0 * 0.1 / mass, rel=1e-6)


def test_no_servo_gives_more_than_its_limit(tmp_path):
    gantry = Gantry(tmp_path)
    goal = np.array([0.0, 0.0, 0.0, 2.0])
    state = track(gantry, 0.01, joint_position=goal, stiffness=np.array([0.0, 0.0, 0.0, 1e4]))
    assert state.joint_effort[3] == 8.0


def test_friction_takes_its_share_of_a_torque(tmp_path):
    gantry = Gantry(tmp_path, friction=0.01)
    # Coulomb friction of the slide is 1 % of its 500 N.
    effort = weight(gantry) + np.array([15.0, 0.0, 0.0, 0.0])
    state = track(gantry, 0.2, joint_effort=effort)
    mass = gantry.model.at(np.zeros(N)).mass_matrix()[0, 0]
    assert state.joint_velocity[0] == pytest.approx(10.0 * 0.2 / mass, rel=0.02)
    assert state.joint_effort[0] == pytest.approx(10.0)


def test_brakes_hold_a_robot_that_is_switched_off(tmp_path):
    gantry = Gantry(tmp_path)
    gantry.driver.deactivate()
    gantry.run(0.5)
    np.testing.assert_allclose(gantry.driver.read().joint_position, 0.0, atol=0.012)


def test_brakes_after_a_reset_know_nothing_of_the_commands_before(tmp_path):
    gantry = Gantry(tmp_path)

    def braked(commands):
        firm = {"stiffness": np.full(N, 400.0), "damping": np.full(N, 40.0)}
        track(gantry, commands * gantry.world.dt, joint_effort=weight(gantry), **firm)
        gantry.driver.deactivate()
        gantry.driver.place(np.zeros(N), Pose.translation([0.0, 0.0, 1.0]), 0)
        gantry.run(0.1)
        found = gantry.driver.read().joint_position
        gantry.driver.activate()
        return found

    first = braked(0)
    np.testing.assert_array_equal(braked(0), first)
    np.testing.assert_array_equal(braked(7), first)


@pytest.mark.parametrize("opening", [0.0, 0.05])
def test_a_stopped_robot_does_not_move_its_fingers_on(tmp_path, opening):
    gantry = Gantry(tmp_path)
    track(gantry, 0.5, joint_effort=weight(gantry), gripper_opening={"left": 0.025})
    before = track(gantry, 0.06, joint_effort=weight(gantry), gripper_opening={"left": opening})
    gantry.driver.stop(StopCategory.HOLD)
    gantry.run(0.5)
    moved = gantry.driver.read().gripper_opening["left"] - before.gripper_opening["left"]
    assert abs(before.gripper_opening["left"] - 0.025) > 3e-3, "it was on its way"
    assert abs(moved) < 1e-3


def test_noise_has_the_size_of_its_level(tmp_path):
    gantry = Gantry(tmp_path, noise="B")
    states = []
    for _ in range(400):
        gantry.world.tick()
        states.append(gantry.driver.read())
    settled = states[100:]
    level = NOISE_LEVELS["B"]
    still = np.array([state.joint_velocity for state in settled])[:, :2]
    assert still.std() == pytest.approx(level.joint_velocity, rel=0.15)
    position = np.array([state.joint_position for state in settled])[:, :2]
    assert position.std() == pytest.approx(level.joint_position, rel=0.15)
    opening = np.array([state.gripper_opening["left"] for state in settled])
    assert opening.std() == pytest.approx(level.opening, rel=0.2)


def test_a_sample_is_as_old_as_the_delay_says(tmp_path):
    gantry = Gantry(tmp_path, noise="C")
    gantry.run(0.1)
    assert gantry.world.time - gantry.driver.read().time == pytest.approx(2e-3)


def test_reading_twice_in_one_tick_returns_one_sample(tmp_path):
    gantry = Gantry(tmp_path, noise="B")
    gantry.run(0.01)
    assert gantry.driver.read() is gantry.driver.read()


def test_a_sample_older_than_allowed_is_refused(tmp_path):
    gantry = Gantry(tmp_path)
    late = SimDriverConfig(
        noise=dataclasses.replace(NOISE_LEVELS["none"], delay=5e-3), max_state_age=3e-3
    )
    driver = SimDriver(gantry.world, gantry.robot, gantry.model, config=late)
    driver.configure()
    gantry.run(0.01)
    with pytest.raises(StaleState, match=r"0\.005"):
        driver.read()


def test_placing_starts_an_epoch_at_rest_and_recovers_from_a_fault(tmp_path):
    gantry = Gantry(tmp_path)
    track(gantry, 0.1, joint_effort=weight(gantry) + 5.0 * np.eye(N)[0])
    gantry.run(0.2)
    assert gantry.driver.lifecycle is Lifecycle.FAULT
    epoch = gantry.driver.epoch
    goal = np.array([0.1, 0.2, 0.3, 0.4])
    gantry.driver.place(goal, Pose.translation([0.0, 0.0, 1.0]))
    state = gantry.driver.read()
    np.testing.assert_array_equal(state.joint_position, goal)
    np.testing.assert_array_equal(state.joint_velocity, 0.0)
    assert state.lifecycle is Lifecycle.ACTIVE
    assert gantry.driver.epoch > epoch


def test_a_seed_fixes_the_noise_of_an_episode(tmp_path):
    gantry = Gantry(tmp_path, noise="B")
    gantry.world.save()

    def episode(seed):
        gantry.world.restore()
        gantry.driver.place(np.zeros(N), Pose.translation([0.0, 0.0, 1.0]), seed)
        return track(gantry, 0.1, joint_effort=weight(gantry)).joint_position

    first = episode(1)
    assert (episode(2) != first).any()
    np.testing.assert_array_equal(episode(1), first)


def test_a_bolted_robot_takes_no_estimator_and_has_no_base(tmp_path):
    gantry = Gantry(tmp_path)
    assert gantry.driver.read().base is None
    assert gantry.driver.pose_world_base_true() is None


class Humanoid:
    """TALOS on a floor."""

    def __init__(self):
        self.config, self.model = robot_config("talos"), robot_model("talos")
        self.world = World()
        self.world.add_body(
            "floor",
            [Box((2.0, 2.0, 0.1))],
            mass=0.0,
            pose_world_body=Pose.translation([0.0, 0.0, -0.1]),
            friction=0.8,
        )
        self.pose = Pose.translation(self.config.base.position)
        urdf = derive(self.config.description).sim_urdf
        self.robot = self.world.load_robot("talos", urdf, self.pose, fixed=False)
        config = self.config
        estimator = BaseEstimator(self.model, config.foot_half_sizes, config.base.imu_frame)
        self.driver = SimDriver(self.world, self.robot, self.model, estimator=estimator)
        self.driver.configure()
        self.driver.activate()
        self.shove = Shove(self.robot, config.torso_link)
        self.world.add_element(self.shove)
        self.world.save()

    def stand(self, ticks, impulse=(0.0, 0.0, 0.0)):
        """Return what an episode on the brakes measured."""
        self.world.restore()
        self.driver.place(self.model.joint_position(self.config.posture), self.pose)
        self.shove.schedule(0.0, impulse)
        states = []
        for _ in range(ticks):
            self.world.tick()
            states.append(self.driver.read())
        return states


@pytest.fixture(scope="module")
def humanoid():
    made = Humanoid()
    yield made
    made.world.close()


@pytest.fixture(scope="module")
def standing(humanoid):
    states = humanoid.stand(300)
    return humanoid.driver, states, humanoid.robot


def test_a_humanoid_stands_on_its_brakes(standing):
    driver, states, _ = standing
    drop = 1.02 - driver.pose_world_base_true().position[2]
    assert abs(drop) < 5e-3
    assert abs(states[-1].joint_velocity).max() < 0.1


def test_the_base_is_estimated_and_not_told(standing):
    driver, states, _ = standing
    error = states[-1].base.pose_world_base.position - driver.pose_world_base_true().position
    # Near, yet never the truth itself.
    assert 0.0 < np.linalg.norm(error) < 1e-3


def test_the_imu_of_a_robot_at_rest_feels_gravity(standing):
    _, states, _ = standing
    felt = np.mean([state.base.acceleration_base for state in states[100:]], axis=0)
    np.testing.assert_allclose(felt, [0.0, 0.0, GRAVITY], atol=0.15)


def test_an_episode_of_a_humanoid_does_not_depend_on_the_one_before():
    humanoid = Humanoid()

    def measured(states):
        return np.array([state.joint_position for state in states])

    first = measured(humanoid.stand(60))
    # Off its feet: contacts come and go in another order.
    humanoid.stand(300, impulse=(0.0, 90.0, 0.0))
    np.testing.assert_array_equal(measured(humanoid.stand(60)), first)
    humanoid.world.close()


def test_a_floating_robot_without_an_estimator_is_refused(standing):
    _, _, robot = standing
    with pytest.raises(ValueError, match="estimator"):
        SimDriver(World(), robot, robot_model("talos"))
