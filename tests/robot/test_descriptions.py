"""The derived URDFs agree with each other, with PyBullet, and with what the gripper must be."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pinocchio as pin
import pybullet
import pytest
from pybullet_utils.bullet_client import BulletClient

from robot.descriptions import derive, find_urdf
from robot.errors import ConfigError, UnknownName
from robot.mesh_shapes import fit_box, fit_capsule, read_stl
from robot.robot_config import DescriptionConfig, FrameConfig
from robot.spatial import Pose
from robot.urdf import pose_from_rpy, read_urdf, rpy_from_pose
from tests.robot.robots import INSTALLED, robot_config

ROBOTS = pytest.mark.parametrize("name", INSTALLED)


@pytest.fixture(scope="module")
def client():
    client = BulletClient(connection_mode=pybullet.DIRECT)
    yield client
    client.disconnect()


def load(client, name: str) -> tuple[int, dict[str, int], dict[str, int]]:
    """Return the body, its joints and its links by name."""
    path = derive(robot_config(name).description).sim_urdf
    body = client.loadURDF(str(path), flags=pybullet.URDF_USE_INERTIA_FROM_FILE)
    joints = [client.getJointInfo(body, i) for i in range(client.getNumJoints(body))]
    return (
        body,
        {joint[1].decode(): joint[0] for joint in joints},
        {joint[12].decode(): joint[0] for joint in joints},
    )


def control_model(name: str):
    return pin.buildModelFromUrdf(
        str(derive(robot_config(name).description).control_urdf), pin.JointModelFreeFlyer()
    )


@ROBOTS
def test_both_descriptions_have_the_mass_of_the_source(name: str, client) -> None:
    config = robot_config(name).description
    source = pin.buildModelFromUrdf(
        str(find_urdf(config.package, config.urdf)), pin.JointModelFreeFlyer()
    )
    expected = sum(inertia.mass for inertia in source.inertias)
    assert sum(i.mass for i in control_model(name).inertias) == pytest.approx(expected, abs=1e-6)
    body, joints, _ = load(client, name)
    simulated = sum(client.getDynamicsInfo(body, i)[0] for i in (-1, *joints.values()))
    assert simulated == pytest.approx(expected, abs=1e-6)


@ROBOTS
def test_simulation_and_model_agree_on_every_link(name: str, client) -> None:
    model = control_model(name)
    data = model.createData()
    body, joints, links = load(client, name)
    rng = np.random.default_rng(1)
    low, high = model.lowerPositionLimit[7:], model.upperPositionLimit[7:]
    position = low + rng.uniform(0.2, 0.8, len(low)) * (high - low)
    for joint, value in zip(list(model.names)[2:], position, strict=True):
        client.resetJointState(body, joints[joint], value)
    base = next(iter(read_urdf(derive(robot_config(name).description).sim_urdf).links.values()))
    # PyBullet places the base's centre of mass, along its principal axes.
    inertial = client.getDynamicsInfo(body, -1)[3:5]
    client.resetBasePositionAndOrientation(body, *inertial)
    pin.framesForwardKinematics(model, data, np.concatenate([[0, 0, 0, 0, 0, 0, 1], position]))
    checked = 0
    for frame in model.frames:
        if frame.name in links and "finger" not in frame.name:
            state = client.getLinkState(body, links[frame.name], computeForwardKinematics=True)
            placement = data.oMf[model.getFrameId(frame.name)]
            np.testing.assert_allclose(state[4], placement.translation, atol=1e-6)
            checked += 1
    assert checked > 20
    assert base.inertial.mass > 1.0


@ROBOTS
def test_no_link_is_given_a_mass_by_the_simulator(name: str, client) -> None:
    body, _, links = load(client, name)
    tree = read_urdf(derive(robot_config(name).description).sim_urdf)
    for link, index in links.items():
        assert client.getDynamicsInfo(body, index)[0] == pytest.approx(
            tree.links[link].inertial.mass
        )


@ROBOTS
def test_fingers_close_along_the_tools_y_axis_and_meet_at_zero(name: str, client) -> None:
    config = robot_config(name)
    body, joints, links = load(client, name)
    thickness, opening = config.description.pads.size[1], 0.02
    for arm, fingers in config.finger_joints.items():
        for joint in fingers:
            client.resetJointState(body, joints[joint], 0.5 * opening)
        tool = client.getLinkState(body, links[config.tool_frames[arm]], computeForwardKinematics=1)
        pose_world_tool = Pose(np.array(tool[4]), np.array(tool[5]))
        for joint, sign in zip(fingers, (1.0, -1.0), strict=True):
            state = client.getLinkState(body, joints[joint], computeForwardKinematics=1)
            face = pose_world_tool.inverse() @ Pose(np.array(state[4]), np.array(state[5]))
            np.testing.assert_allclose(face.position, [0.0, 0.5 * sign * opening, 0.0], atol=1e-6)
            # The pad lies on the far side of its face.
            middle = face.transform([0.0, 0.5 * thickness, 0.0])
            assert sign * middle[1] == pytest.approx(0.5 * (opening + thickness), abs=1e-6)


def test_the_tool_of_talos_points_away_from_the_wrist_and_closes_sideways() -> None:
    config, model = robot_config("talos"), control_model("talos")
    data = model.createData()
    q = pin.neutral(model)
    for joint, value in config.posture.items():
        q[model.joints[model.getJointId(joint)].idx_q] = value
    pin.framesForwardKinematics(model, data, q)
    for arm in ("left", "right"):
        rotation = data.oMf[model.getFrameId(f"tool_{arm}")].rotation
        # The start posture has both tools 30 degrees below the horizontal.
        np.testing.assert_allclose(rotation[:, 2], [np.sqrt(0.75), 0.0, -0.5], atol=2e-3)
        np.testing.assert_allclose(rotation[:, 1], [0.0, 1.0, 0.0], atol=2e-3)


def test_feet_are_flat_where_the_contact_frames_are() -> None:
    tree = read_urdf(derive(robot_config("talos").description).sim_urdf)
    for foot in ("left", "right"):
        (box,) = tree.links[f"leg_{foot}_6_link"].collisions
        sole = tree.joints[f"sole_{foot}_frame"].pose_parent_child
        bottom = box.pose_link_shape.position[2] - 0.5 * box.size[2]
        assert box.kind == "box"
        assert sole.position[2] == pytest.approx(bottom)


def test_the_control_description_has_no_shapes_and_no_fingers() -> None:
    tree = read_urdf(derive(robot_config("talos").description).control_urdf)
    assert not any(link.collisions or link.visuals for link in tree.links.values())
    assert not any("finger" in joint for joint in tree.joints)


def test_meshes_can_be_drawn_in_place_of_shapes() -> None:
    config = dataclasses.replace(robot_config("talos").description, visuals="meshes")
    tree = read_urdf(derive(config).sim_urdf)
    meshes = [v.mesh for link in tree.links.values() for v in link.visuals if v.mesh]
    assert len(meshes) > 20
    assert all(Path(mesh).is_absolute() and Path(mesh).is_file() for mesh in meshes)


def test_the_cache_is_used_and_an_option_makes_another_entry(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = robot_config("talos").description
    first = derive(config)
    stamp = first.sim_urdf.stat().st_mtime_ns
    assert first.sim_urdf.is_relative_to(tmp_path)
    assert derive(config).sim_urdf.stat().st_mtime_ns == stamp
    assert derive(dataclasses.replace(config, frames={})).sim_urdf != first.sim_urdf


def _derive_in(folder: str) -> str:
    os.environ["XDG_CACHE_HOME"] = folder
    return derive(robot_config("talos").description).sim_urdf.read_text(encoding="utf-8")


def test_processes_that_derive_at_once_all_read_whole_files(tmp_path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        texts = pool.map(_derive_in, [str(tmp_path)] * 4, chunksize=1)
    assert len(set(texts)) == 1
    assert texts[0].rstrip().endswith("</robot>")
    # Nothing but the two finished files is left.
    (folder,) = (tmp_path / "workcell" / "descriptions").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["control.urdf", "sim.urdf"]


def test_a_missing_package_is_answered_with_the_pip_command() -> None:
    config = DescriptionConfig(package="no-such-robot", urdf="robot.urdf")
    with pytest.raises(ConfigError, match="python -m pip install 'no-such-robot'"):
        derive(config)


def test_a_missing_urdf_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'talos_full_v2\.urdf'"):
        find_urdf("example-robot-data", "talos_ful_v2.urdf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fixed_joints": {"head_9_joint": 0.0}}, "no joint named 'head_9_joint'"),
        ({"boxes": ("torso_3_link",)}, "no link named 'torso_3_link'"),
        ({"frames": {"imu": FrameConfig("base_lnk")}}, "no link named 'base_lnk'"),
    ],
)
def test_a_name_the_source_does_not_have_is_refused(change, message, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = dataclasses.replace(robot_config("talos").description, **change)
    with pytest.raises(UnknownName, match=message):
        derive(config)


def test_fingers_heavier_than_the_hand_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = robot_config("talos").description
    heavy = dataclasses.replace(config, pads=dataclasses.replace(config.pads, mass=1.0))
    with pytest.raises(ConfigError, match=r"lower pads\.mass"):
        derive(heavy)


@pytest.mark.parametrize("pitch", [-np.pi / 2, -0.4, 0.0, 1.1, np.pi / 2])
def test_roll_pitch_yaw_name_the_rotation_they_came_from(pitch: float) -> None:
    pose = pose_from_rpy((0.1, 0.2, 0.3), (0.7, pitch, -2.0))
    again = pose_from_rpy((0.1, 0.2, 0.3), rpy_from_pose(pose))
    np.testing.assert_allclose(again.rotation, pose.rotation, atol=1e-9)


def test_a_capsule_follows_a_slanted_rod() -> None:
    rng = np.random.default_rng(0)
    angle, height = rng.uniform(0, 2 * np.pi, 4000), rng.uniform(-0.2, 0.2, 4000)
    rod = np.column_stack([0.03 * np.cos(angle), 0.03 * np.sin(angle), height])
    pose = Pose.from_rotation_vector([0.3, 0.8, -0.2], [0.1, 0.0, 0.5])
    capsule = fit_capsule(rod @ pose.rotation.T + pose.position)
    radius, length = capsule.size
    assert radius == pytest.approx(0.03, rel=0.02)
    assert length + 2.0 * radius == pytest.approx(0.4, rel=0.02)
    np.testing.assert_allclose(capsule.pose_link_shape.position, pose.position, atol=2e-3)
    along = capsule.pose_link_shape.rotation[:, 2] @ pose.rotation[:, 2]
    assert abs(along) == pytest.approx(1.0, abs=1e-3)


def test_a_box_covers_its_points() -> None:
    points = np.array([[0.0, 0.0, 0.0], [0.2, 0.1, 0.3]])
    box = fit_box(points)
    assert box.size == pytest.approx((0.2, 0.1, 0.3))
    np.testing.assert_allclose(box.pose_link_shape.position, [0.1, 0.05, 0.15])


def test_a_file_that_is_no_binary_stl_is_refused(tmp_path) -> None:
    path = tmp_path / "text.stl"
    path.write_text("solid nothing" + " " * 100)
    with pytest.raises(ConfigError, match="expected a binary STL"):
        read_stl(path)
