import numpy as np
import pytest

from robot.control.self_collision import (
    RoundedBox,
    SelfCollision,
    SelfCollisionConfig,
    pairs_of,
)
from robot.descriptions import derive
from robot.kinematic_tree import Geometry
from robot.kinematics import base_at_rest
from robot.spatial import Pose
from tests.robot.robots import robot_config, robot_model

MODEL = robot_model("talos_fixed")
POSTURE = MODEL.joint_position(robot_config("talos_fixed").posture)
LEFT, RIGHT = (MODEL.tool_frames[arm] for arm in ("left", "right"))


def tip(frame, half_sizes, radius):
    return RoundedBox(frame, np.zeros(3), np.eye(3), np.array(half_sizes), radius)


def checker(pairs, columns=None):
    columns = np.ones(MODEL.nv) if columns is None else columns
    return SelfCollision(pairs, columns, SelfCollisionConfig(attention=5.0))


def points_of(box, configuration, rng, count=4000):
    inside = rng.uniform(-1.0, 1.0, (count, 3)) * box.half_sizes
    local = box.center + inside @ box.rotation.T
    rotation = configuration.rotation_world(box.frame)
    return configuration.position_world(box.frame) + local @ rotation.T


def test_the_distance_is_that_of_the_nearest_points():
    rng = np.random.default_rng(0)
    pair = tip(LEFT, [0.0, 0.0, 0.1], 0.02), tip(RIGHT, [0.05, 0.1, 0.02], 0.01)
    configuration = MODEL.at(POSTURE)
    a, b = (points_of(shape, configuration, rng, 1500) for shape in pair)
    sampled = np.linalg.norm(a[:, None] - b[None], axis=2).min() - 0.03
    found = float(checker([pair]).distances(configuration)[0])
    assert found <= sampled
    assert found == pytest.approx(sampled, abs=0.01)


def test_a_capsule_in_a_box_is_inside_it():
    box = tip(LEFT, [0.1, 0.1, 0.1], 0.0)
    shapes = [box, tip(LEFT, [0.0, 0.0, 0.01], 0.02)]
    found = checker([(shapes[1], box)]).distances(MODEL.at(POSTURE))[0]
    # The core's nearest face is across: 0.1 m away, and the radius reaches towards it.
    assert found == pytest.approx(-0.12, abs=1e-3)


def test_the_capsule_of_a_box_holds_its_corners():
    pose = Pose.from_rotation_vector([0.3, 0.2, -0.5], [0.1, 0.0, 0.2])
    capsule = RoundedBox.of(LEFT, Geometry("box", (0.3, 0.1, 0.06), pose)).as_capsule()
    assert np.count_nonzero(capsule.half_sizes) == 1
    for signs in np.ndindex(2, 2, 2):
        corner = (2.0 * np.array(signs) - 1.0) * [0.15, 0.05, 0.03]
        on_axis = np.clip(corner, -capsule.half_sizes, capsule.half_sizes)
        assert np.linalg.norm(corner - on_axis) <= capsule.radius + 1e-12


def test_a_row_is_the_rate_at_which_the_distance_changes():
    rng = np.random.default_rng(4)
    pair = tip(LEFT, [0.0, 0.0, 0.1], 0.02), tip(RIGHT, [0.05, 0.1, 0.02], 0.0)
    velocity, step = rng.normal(size=MODEL.n), 1e-5
    ahead = checker([pair]).distances(MODEL.at(POSTURE + step * velocity))[0]
    behind = checker([pair]).distances(MODEL.at(POSTURE - step * velocity))[0]
    rows, lower = np.zeros((1, MODEL.nv)), np.zeros(1)
    checker([pair]).write(MODEL.at(POSTURE, velocity), rows, lower, 1.0)
    # The nearest points are found to a tenth of a millimetre along the segment.
    assert rows[0] @ velocity == pytest.approx((ahead - behind) / (2.0 * step), abs=2e-2)


def test_hands_that_approach_must_brake_and_hands_apart_are_free():
    pair = tip(LEFT, [0.0, 0.0, 0.05], 0.02), tip(RIGHT, [0.0, 0.0, 0.05], 0.02)
    configuration = MODEL.at(POSTURE)
    rows, lower = np.zeros((1, MODEL.nv)), np.zeros(1)
    watch = SelfCollision([pair], np.ones(MODEL.nv), SelfCollisionConfig(attention=0.06))
    watch.write(configuration, rows, lower, 1.0)
    assert lower[0] == -np.inf
    near = SelfCollision([pair], np.ones(MODEL.nv), SelfCollisionConfig(attention=5.0, margin=1.0))
    near.write(configuration, rows, lower, 1.0)
    assert lower[0] == SelfCollisionConfig().acceleration


def test_only_the_joints_that_may_obey_are_asked():
    pair = tip(LEFT, [0.0, 0.0, 0.05], 0.02), tip(RIGHT, [0.0, 0.0, 0.05], 0.02)
    arm = MODEL.supporting_joints(LEFT)
    rows, lower = np.zeros((1, MODEL.nv)), np.zeros(1)
    checker([pair], arm).write(MODEL.at(POSTURE), rows, lower, 1.0)
    assert rows[0].any()
    assert not rows[0][arm == 0.0].any()


@pytest.mark.parametrize("name", ["talos", "g1"])
def test_the_start_posture_of_each_robot_is_clear(name):
    config = robot_config(name)
    shapes = derive(config.description).collision_shapes()
    pairs = pairs_of(config.collision_pairs, shapes, list(config.tool_frames.values()))
    assert len(pairs) > len(config.collision_pairs)
    model = robot_model(name)

    configuration = model.at(
        model.joint_position(config.posture), base=base_at_rest(Pose.identity())
    )
    watch = SelfCollision(pairs, np.ones(model.nv), SelfCollisionConfig())
    assert watch.distances(configuration).min() > SelfCollisionConfig().margin
