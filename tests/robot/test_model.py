"""Derivatives by finite differences, dynamics against energy and gravity, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from robot.arrays import Array
from robot.errors import UnknownName
from robot.model import Configuration, RobotModel
from robot.spatial import Pose, multiply_quaternions, quaternion_from_rotation_vector
from robot.state import BaseState, RobotState
from tests.robot.robots import INSTALLED, robot_config, robot_model

# A central difference over this time, in s, leaves an error of about 1e-8 times the third
# derivative: far below the tolerances.
STEP = 1e-4
ROBOTS = pytest.mark.parametrize("name", INSTALLED)


class Motion:
    """A robot somewhere, moving: positions and velocities drawn at random."""

    def __init__(self, model: RobotModel, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.model = model
        low, high = model.position_limits
        self.position = low + rng.uniform(0.3, 0.7, model.n) * (high - low)
        self.velocity = rng.normal(0.0, 0.5, model.n)
        self.base = None
        if model.floating:
            pose = Pose.from_rotation_vector(rng.normal(0.0, 0.5, 3), rng.normal(0.0, 1.0, 3))
            self.base = BaseState(pose, rng.normal(0.0, 0.5, 6), np.zeros(3))

    def at(self, time: float = 0.0) -> Configuration:
        """Return the configuration after a time with the generalized velocity held."""
        if self.base is None:
            return self.model.at(self.position + time * self.velocity, self.velocity)
        pose, twist = self.base.pose_world_base, self.base.twist_world_base
        linear, angular = pose.rotation.T @ twist[:3], pose.rotation.T @ twist[3:]
        turn = quaternion_from_rotation_vector(time * angular)
        # A body that keeps its own velocity moves on a screw: the middle of it is exact enough.
        half = multiply_quaternions(
            pose.quaternion, quaternion_from_rotation_vector(0.5 * time * angular)
        )
        here = Pose(
            pose.position + time * (Pose(np.zeros(3), half).rotation @ linear),
            multiply_quaternions(pose.quaternion, turn),
        )
        rotation = here.rotation
        moved = BaseState(
            here, np.concatenate([rotation @ linear, rotation @ angular]), np.zeros(3)
        )
        return self.model.at(self.position + time * self.velocity, self.velocity, moved)


def frames_of(model: RobotModel) -> tuple[str, ...]:
    return (*model.tool_frames.values(), *model.contact_frames.values())


def difference(motion: Motion, quantity: str) -> Array:
    after, before = getattr(motion.at(STEP), quantity)(), getattr(motion.at(-STEP), quantity)()
    return np.asarray((after - before) / (2.0 * STEP))


@ROBOTS
def test_the_jacobian_maps_the_generalized_velocity_to_how_a_pose_changes(name: str) -> None:
    motion = Motion(robot_model(name))
    here = motion.at()
    for frame in frames_of(motion.model):
        after, before = motion.at(STEP).pose_world(frame), motion.at(-STEP).pose_world(frame)
        linear = (after.position - before.position) / (2.0 * STEP)
        turn = before.rotation @ (before.inverse() @ after).rotation_vector() / (2.0 * STEP)
        expected = np.concatenate([linear, turn])
        np.testing.assert_allclose(here.jacobian(frame) @ here.velocity, expected, atol=1e-6)
        np.testing.assert_allclose(here.twist_world(frame), expected, atol=1e-6)


@ROBOTS
def test_the_drift_is_how_a_twist_changes_while_no_coordinate_accelerates(name: str) -> None:
    motion = Motion(robot_model(name))
    here = motion.at()
    for frame in frames_of(motion.model):
        after, before = motion.at(STEP).twist_world(frame), motion.at(-STEP).twist_world(frame)
        drift = (after - before) / (2.0 * STEP)
        np.testing.assert_allclose(here.jacobian_drift(frame), drift, atol=1e-5)


@ROBOTS
def test_the_drift_is_unchanged_by_asking_for_the_dynamics_first(name: str) -> None:
    motion = Motion(robot_model(name))
    frame = motion.model.tool_frames["left"]
    plain = motion.at().jacobian_drift(frame)
    here = motion.at()
    here.mass_matrix(), here.bias_effort(), here.com(), here.com_jacobian(), here.gravity_effort()
    np.testing.assert_array_equal(here.jacobian_drift(frame), plain)


@ROBOTS
def test_centre_of_mass_velocity_and_drift_agree_with_its_jacobian(name: str) -> None:
    motion = Motion(robot_model(name))
    here = motion.at()
    velocity = difference(motion, "com")
    np.testing.assert_allclose(here.com_velocity(), velocity, atol=1e-7)
    np.testing.assert_allclose(here.com_jacobian() @ here.velocity, velocity, atol=1e-7)
    np.testing.assert_allclose(here.com_drift(), difference(motion, "com_velocity"), atol=1e-6)


@ROBOTS
def test_bias_and_mass_matrix_obey_the_balance_of_power(name: str) -> None:
    # With no acceleration, the bias torques' power is what kinetic and potential energy gain.
    motion = Motion(robot_model(name))

    def energy(here: Configuration) -> float:
        kinetic = 0.5 * here.velocity @ here.mass_matrix() @ here.velocity
        return float(kinetic + 9.81 * motion.model.mass * here.com()[2])

    gained = (energy(motion.at(STEP)) - energy(motion.at(-STEP))) / (2.0 * STEP)
    here = motion.at()
    assert here.bias_effort() @ here.velocity == pytest.approx(gained, rel=1e-5, abs=1e-4)
    np.testing.assert_allclose(here.mass_matrix(), here.mass_matrix().T, atol=1e-12)


def test_gravity_of_a_floating_robot_is_its_weight() -> None:
    model = robot_model("talos")
    motion = Motion(model)
    assert motion.base is not None
    force = motion.base.pose_world_base.rotation @ motion.at().gravity_effort()[:3]
    np.testing.assert_allclose(force, [0.0, 0.0, 9.81 * model.mass], atol=1e-9)


def test_an_older_configuration_is_not_changed_by_newer_ones() -> None:
    motion = Motion(robot_model("talos"))
    old = motion.at()
    before = (old.mass_matrix(), old.jacobian("tool_left"), old.pose_world("tool_left").position)
    newer = [Motion(motion.model, seed).at() for seed in range(1, 4)]
    for here in newer:
        here.mass_matrix(), here.jacobian("tool_left")
    np.testing.assert_array_equal(old.mass_matrix(), before[0])
    np.testing.assert_array_equal(old.jacobian("tool_left"), before[1])
    np.testing.assert_array_equal(old.pose_world("tool_left").position, before[2])


def test_a_result_survives_its_configuration() -> None:
    motion = Motion(robot_model("talos"))
    here = motion.at()
    kept = [here.mass_matrix(), here.com(), here.bias_effort(), here.position_world("tool_left")]
    copies = [array.copy() for array in kept]
    del here
    # Takes over the work space of the one that is gone.
    other = Motion(motion.model, 5).at()
    other.mass_matrix(), other.com(), other.position_world("tool_left")
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_a_bolted_base_stands_where_the_configuration_says() -> None:
    config, model = robot_config("talos_fixed"), robot_model("talos_fixed")
    here = model.at(model.joint_position(config.posture))
    np.testing.assert_allclose(here.position_world("base_link"), config.base.position, atol=1e-12)
    assert not model.floating
    assert model.nv == model.n == 16


def test_only_the_joints_of_an_arm_support_its_tool() -> None:
    model = robot_model("talos")
    moves = model.supporting_joints("tool_left")
    names = {name for name, flag in zip(model.joint_names, moves, strict=True) if flag}
    assert names == {"torso_1_joint", "torso_2_joint"} | {
        f"arm_left_{number}_joint" for number in range(1, 8)
    }


def test_a_misspelled_frame_is_answered_with_the_right_one() -> None:
    here = Motion(robot_model("talos")).at()
    with pytest.raises(UnknownName, match="Did you mean 'tool_left'"):
        here.jacobian("tool_lft")


def test_a_base_is_asked_for_if_and_only_if_it_floats() -> None:
    floating, fixed = robot_model("talos"), robot_model("talos_fixed")
    with pytest.raises(ValueError, match="needs its base"):
        floating.at(np.zeros(floating.n))
    base = BaseState(Pose.identity(), np.zeros(6), np.zeros(3))
    with pytest.raises(ValueError, match="takes no base"):
        fixed.at(np.zeros(fixed.n), base=base)


def test_a_velocity_of_the_wrong_length_is_refused() -> None:
    model = robot_model("talos_fixed")
    with pytest.raises(ValueError, match="joint_velocity"):
        model.at(np.zeros(model.n), np.zeros(model.n + 1))


def measurement(motion: Motion) -> RobotState:
    """Return what is measured of a robot."""
    effort = np.zeros(motion.model.n)
    return RobotState(0.0, motion.position, motion.velocity, effort, base=motion.base)


@ROBOTS
def test_a_measurement_is_put_through_the_kinematics_once(name: str) -> None:
    model = robot_model(name)
    first, second = (measurement(Motion(model, seed)) for seed in (0, 1))
    here = model.measured(first)
    assert model.measured(first) is here
    arm = model.arms[0]
    tool = model.tool_frames[arm]
    there = model.measured(second)
    for state, asked in ((first, here), (second, there)):
        fresh = model.at(state.joint_position, state.joint_velocity, state.base)
        np.testing.assert_array_equal(asked.position_world(tool), fresh.position_world(tool))
        np.testing.assert_array_equal(asked.jacobian(tool), fresh.jacobian(tool))


@ROBOTS
def test_the_motion_of_a_frame_is_written_as_its_parts_say(name: str) -> None:
    here = Motion(robot_model(name)).at()
    frame = here.model.tool_frames[here.model.arms[0]]
    motion = np.empty((6, 3))
    here.write_motion(frame, motion)
    np.testing.assert_array_equal(motion[0], here.position_world(frame))
    np.testing.assert_array_equal(motion[1:3].ravel(), here.twist_world(frame))
    np.testing.assert_array_equal(motion[3:], here.rotation_world(frame))
