"""Nut, pin and nest fit each other and the pads, in every size."""

from __future__ import annotations

import numpy as np
import pytest

from robot.geometry import Box
from robot.sim.world import World
from robot.spatial import Pose
from tasks.parts.nut import (
    GRASP_LENGTH,
    NUT_SIZES,
    PAD_HALF_LENGTH,
    nest_part,
    nut_part,
    pin_part,
)

SIZES = list(NUT_SIZES.values())
# The nest's x axis up and its z axis (out of the nest) along -x: a robot that looks along +x.
LEVEL = Pose.from_rotation_vector([0.0, -0.5 * np.pi, 0.0], [0.0, 0.0, 1.0])
EACH_SIZE = pytest.mark.parametrize("size", SIZES, ids=[size.name for size in SIZES])


def add(world: World, part, pose: Pose) -> None:
    world.add_body(
        part.name,
        part.shapes,
        mass=part.mass,
        inertia=None if part.fixed else part.inertia,
        pose_world_body=pose,
        friction=part.friction,
    )


def nested(size, friction: float, down: float) -> World:
    """Return a world with a nut in its nest, for an approach so far below the horizontal."""
    world = World(dt=1e-3)
    pose = Pose.from_rotation_vector([0.0, down, 0.0]) @ LEVEL
    add(world, nest_part("nest", size, friction), pose)
    add(world, nut_part("nut", size, 1.0), pose @ Pose.from_rotation_vector([0.0, 0.0, 0.4]))
    return world


def pose_nest_nut(world: World) -> Pose:
    return world.pose_world_body("nest").inverse() @ world.pose_world_body("nut")


def run(world: World, seconds: float) -> None:
    for _ in range(round(seconds / world.dt)):
        world.tick()


@EACH_SIZE
def test_the_bore_leaves_a_wall_and_the_pin_room_for_the_pads(size):
    spline = size.spline
    assert spline.nut_radius - spline.tip_radius > 1.5e-3
    rear = size.pose_tool_nut.position[2] - 0.5 * spline.nut_length
    assert PAD_HALF_LENGTH - rear == pytest.approx(GRASP_LENGTH)
    # The pads hold the rear, so a seated nut keeps them off the plate.
    assert spline.nut_length - GRASP_LENGTH > 2e-3


@EACH_SIZE
def test_a_held_nut_looks_back_along_the_tool(size):
    assert size.pose_tool_nut.rotation[:, 2] == pytest.approx([0.0, 0.0, -1.0], abs=1e-12)


@EACH_SIZE
def test_a_seated_nut_stands_on_the_seat(size):
    front = size.pose_pin_nut.transform([0.0, 0.0, -0.5 * size.spline.nut_length])
    assert front == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)


@EACH_SIZE
def test_the_moments_are_those_of_a_tube(size):
    across, _, axial = size.inertia
    radius, length = size.spline.nut_radius, size.spline.nut_length
    assert 0.5 * size.mass * radius**2 < axial < size.mass * radius**2
    assert across - 0.5 * axial == pytest.approx(size.mass * length**2 / 12.0)


@EACH_SIZE
@pytest.mark.parametrize(("down_deg", "friction"), [(10.0, 0.1), (45.0, 0.1), (0.0, 0.4)])
def test_a_nut_stays_in_its_nest_as_it_was_put(size, down_deg, friction):
    world = nested(size, friction, np.radians(down_deg))
    run(world, 0.5)
    pose = pose_nest_nut(world)
    assert np.abs(pose.position).max() < 1e-4
    assert pose.rotation[2, 2] > np.cos(np.radians(1.0))


@EACH_SIZE
def test_a_nut_is_pulled_out_towards_the_robot_with_its_weight(size):
    world = nested(size, 0.4, 0.0)
    run(world, 0.1)
    out = world.pose_world_body("nest").rotation[:, 2]
    for _ in range(200):
        world.add_wrench("nut", [*(size.mass * 9.81 * out), 0.0, 0.0, 0.0])
        world.tick()
    assert pose_nest_nut(world).position[2] > 10e-3


@EACH_SIZE
def test_pads_that_close_on_the_nut_stay_clear_of_the_nest(size):
    world = World(dt=1e-3)
    add(world, nest_part("nest", size), Pose.identity())
    pose_nest_tool = size.pose_tool_nut.inverse()
    for side in (-1.0, 1.0):
        # As low as a grasp that is 1 mm off; the pad's face touches the nut.
        pad = Pose.translation([1e-3, side * (size.spline.nut_radius + 5e-3), 0.0])
        name = f"pad{side}"
        world.add_body(
            name,
            [Box((6e-3, 5e-3, 7e-3))],
            mass=0.0,
            pose_world_body=pose_nest_tool @ pad,
            friction=0.5,
        )
        near = world.client.getClosestPoints(world.body("nest"), world.body(name), 0.02)
        assert min(point[8] for point in near) > 3e-4


@EACH_SIZE
def test_what_collides_of_the_pin_is_inside_its_spline(size):
    spline = size.spline
    for shape in pin_part("pin", size).shapes[2:]:
        top = shape.pose_body_shape.position[2] + (
            shape.half_extents[2] if isinstance(shape, Box) else 0.5 * shape.length
        )
        assert top <= spline.pin_height + 1e-12
        reach = np.linalg.norm(shape.pose_body_shape.position[:2]) + (
            shape.half_extents[0] if isinstance(shape, Box) else shape.radius
        )
        assert reach <= spline.tip_radius + 1e-12
