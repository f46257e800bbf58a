import math

import numpy as np
import pytest

from robot.arrays import Array
from robot.signals.tactile import contact_patch, estimate_in_hand
from robot.sim.pad_image import cylinder_image
from robot.sim.tactile import HeldShape, TactilePad
from robot.sim.taxels import TactileConfig
from robot.spatial import Pose
from tests.robot.sim.gripper import LENGTH, MASS, RADIUS, Gripper

QUIET = TactileConfig(gain_spread=0.0, drift=0.0, noise=0.0, shear_noise=0.0)
Z = np.array([0.0, 0.0, 1.0])
TAXEL = 1.1e-3**2


def image(position=(0.0, 0.0, 5.5e-3), axis=Z, force=(20.0, 20.0), **options) -> Array:
    return cylinder_image(np.array(position), axis, RADIUS, LENGTH, force, **options)


def test_the_pressures_of_each_pad_add_up_to_its_force():
    pads = image(axis=Pose.from_rotation_vector([0.03, 0.05, 0.0]).rotation @ Z, force=(20.0, 7.0))
    np.testing.assert_allclose(pads.sum(axis=(1, 2)) * TAXEL, [20.0, 7.0], rtol=1e-6)


def test_nothing_is_felt_without_force_or_without_a_part_over_the_pad():
    assert not image(force=(0.0, 0.0)).any()
    assert not image(position=(0.0, 0.0, 0.03)).any()


def test_a_straight_cylinder_presses_its_line_of_contact_and_stops_at_its_end():
    pad = image()[0]
    assert (pad.argmax(axis=1)[3:] == 4).all()
    # The rear end is at z = -2 mm; row 2 of 11 lies at -3.3 mm and ends at -2.75 mm.
    assert not pad[:3].any()
    np.testing.assert_allclose(pad, pad[:, ::-1])
    np.testing.assert_allclose(pad[4], pad[10])


def test_a_half_covered_row_is_felt_half():
    pad = image(position=(0.0, 0.0, -2.2e-3 + 0.5 * LENGTH), rays=4)[0]
    assert pad[3].sum() / pad[4].sum() == pytest.approx(0.5)


def test_pressure_across_the_contact_is_a_parabola_to_second_order():
    # Half-width a of a cylinder in a bed: depth = a^2 / 2R, force per length = 2/3 k a^3 / R.
    stiffness, length = 1e9, 9 * 1.1e-3
    pad = image(position=(0.0, 0.0, 0.0), stiffness=stiffness, rays=8)[0]
    depth = pad[5].max() / stiffness
    half_width = math.sqrt(2.0 * RADIUS * depth)
    force = 2.0 / 3.0 * stiffness * half_width**3 / RADIUS * (11 / 9 * length)
    assert force == pytest.approx(20.0, rel=0.05)


def test_a_tilt_presses_one_end_into_one_pad_and_the_other_into_the_other():
    tilted = Pose.from_rotation_vector([0.02, 0.0, 0.0]).rotation @ Z
    first, second = image(position=(0.0, 0.0, 0.0), axis=tilted)
    assert np.sign(contact_patch(first).z) == -np.sign(contact_patch(second).z)
    assert abs(contact_patch(first).z) > 5e-4


def test_a_cylinder_across_the_pads_is_felt_by_its_flat_ends():
    pads = cylinder_image(np.zeros(3), np.array([0.0, 1.0, 0.0]), 3e-3, LENGTH, (20.0, 20.0))
    pressed = pads[0][pads[0] > 0.0]
    assert pressed.size * TAXEL == pytest.approx(math.pi * 3e-3**2, rel=0.35)


@pytest.fixture(scope="module")
def gripper(tmp_path_factory) -> Gripper:
    held = Gripper(tmp_path_factory.mktemp("gripper"), Pose.translation([0.0, 0.0, 2e-3]))
    held.settle()
    return held


def pads(gripper: Gripper, config: TactileConfig = QUIET) -> TactilePad:
    shape = HeldShape(RADIUS, LENGTH)
    return TactilePad(gripper.world, gripper.robot, "left", {"nut": shape}, config)


def test_a_held_part_is_felt_with_the_force_of_the_fingers(gripper):
    reading = pads(gripper).read()
    for pressure in reading.pressure:
        assert contact_patch(pressure).force == pytest.approx(20.0, rel=0.05)


def test_a_held_part_is_felt_where_it_is(gripper):
    felt = estimate_in_hand(pads(gripper).read(), LENGTH)
    truth = gripper.pose_tool_nut()
    x, _, z = truth.rotation[:, 2]
    assert felt.valid
    assert felt.shift_x == pytest.approx(truth.position[0], abs=0.15e-3)
    assert felt.shift_z == pytest.approx(truth.position[2], abs=0.4e-3)
    assert felt.angle_y == pytest.approx(math.atan2(x, z), abs=math.radians(1.5))


def test_shear_is_what_the_part_does_to_the_pads(tmp_path):
    held = Gripper(tmp_path, Pose.translation([0.0, 0.0, 2e-3]))
    held.settle()
    touch = pads(held)
    push_tool = np.array([0.0, 0.0, 3.0])
    push = np.concatenate([held.pose_world_tool.rotation @ push_tool, np.zeros(3)])
    for _ in range(100):
        held.world.add_wrench("nut", push)
        held.world.tick()
    x, z = touch.read().shear.sum(axis=0)
    # The tool's x axis points up here, and the weight down.
    assert held.pose_world_tool.rotation[2, 0] == pytest.approx(1.0)
    assert z == pytest.approx(3.0, abs=0.4)
    assert x == pytest.approx(-9.81 * MASS, abs=0.2)


def test_what_bears_on_the_tips_of_the_fingers_is_not_on_the_pads(tmp_path):
    beyond = Gripper(tmp_path, Pose.translation([0.0, 0.0, 7e-3 + 0.5 * LENGTH]))
    touch = pads(beyond)
    # Closed, or the nut would slip in between.
    for side in "ab":
        joint = beyond.robot.joint(f"gripper_left_finger_{side}")
        beyond.world.client.resetJointState(beyond.robot.body, joint, 0.0)
    push = np.concatenate([beyond.pose_world_tool.rotation @ [0.0, 0.0, -5.0], np.zeros(3)])
    for _ in range(100):
        beyond.world.add_wrench("nut", push)
        beyond.world.tick()
    client, nut = beyond.world.client, beyond.world.body("nut")
    borne = sum(point[9] for point in client.getContactPoints(nut, beyond.robot.body))
    assert borne == pytest.approx(5.0, rel=0.1)
    assert not touch.loads().normal.any()
    reading = touch.read()
    assert not reading.pressure.any()
    assert not reading.shear.any()


def test_an_empty_hand_feels_nothing(tmp_path):
    empty = Gripper(tmp_path, Pose.translation([0.0, 0.0, 0.5]))
    reading = pads(empty).read()
    assert not reading.pressure.any()
    assert not reading.shear.any()


def test_samples_come_at_their_rate_and_are_held_between(tmp_path):
    touch = pads(held := Gripper(tmp_path, Pose.translation([0.0, 0.0, 2e-3])))
    times = []
    for _ in range(200):
        held.world.tick()
        times.append(touch.read().time)
    np.testing.assert_allclose(np.diff(sorted(set(times))), 0.02)
    assert touch.read() is touch.read()


def test_pressure_is_quantized_and_limited_to_eight_bits(gripper):
    config = TactileConfig(full_scale=2e5)
    counts = pads(gripper, config).read().pressure * (255 / config.full_scale)
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)
    assert counts.max() == pytest.approx(255.0)


def test_an_episode_draws_its_taxels_from_its_seed(gripper):
    touch = pads(gripper, TactileConfig())
    images = []
    for seed in (1, 1, 2):
        touch.reset(np.random.default_rng(seed))
        images.append(touch.read().pressure)
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()


def test_a_dead_taxel_feels_nothing(gripper):
    touch = pads(gripper, TactileConfig(dead_share=1.0))
    touch.reset(np.random.default_rng(0))
    assert not touch.read().pressure.any()
