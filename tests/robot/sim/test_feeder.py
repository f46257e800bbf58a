import math

import numpy as np
import pytest

from robot.geometry import Box, Cylinder
from robot.sim.feeder import Feeder, FeederConfig, ProximityConfig, ProximitySwitch
from robot.sim.world import World
from robot.spatial import Pose

RADIUS, LENGTH = 6e-3, 15e-3
MAGAZINE = Pose.translation([0.0, -0.3, 0.8])
NEST = Pose.translation([0.2, 0.0, 1.0 + 0.5 * LENGTH])
AWAY = Pose.translation([0.5, 0.0, 1.0 + 0.5 * LENGTH])
PARTS = ("nut_0", "nut_1", "nut_2")


def bench() -> World:
    world = World()
    table = [Box((1.0, 0.25, 0.05))]
    world.add_body(
        "table", table, mass=0.0, pose_world_body=Pose.translation([0, 0, 0.95]), friction=0.3
    )
    for name in PARTS:
        world.add_body(
            name,
            [Cylinder(RADIUS, LENGTH)],
            mass=7e-3,
            pose_world_body=Pose.identity(),
            friction=0.3,
        )
    return world


def run(world: World, feeder: Feeder, seconds: float) -> list[bool]:
    ready = []
    for _ in range(round(seconds / world.dt)):
        world.tick()
        ready.append(feeder.ready())
    return ready


def filled(wait: float = 0.0, clear=lambda: True) -> tuple[World, Feeder]:
    world = bench()
    feeder = Feeder(world, PARTS, MAGAZINE, FeederConfig(index_time=1.0), clear)
    feeder.reset([NEST] * 3, wait)
    return world, feeder


def test_the_first_part_lies_in_the_nest_and_stays_there():
    world, feeder = filled()
    assert all(run(world, feeder, 0.5))
    assert feeder.presented == "nut_0"
    np.testing.assert_allclose(world.pose_world_body("nut_0").position, NEST.position, atol=2e-4)


def test_parts_in_the_magazine_hang_where_they_are():
    world, feeder = filled()
    before = [world.pose_world_body(name).position for name in PARTS[1:]]
    run(world, feeder, 0.5)
    for name, position in zip(PARTS[1:], before, strict=True):
        np.testing.assert_array_equal(world.pose_world_body(name).position, position)


def test_the_next_part_comes_the_index_time_after_the_last_was_taken():
    world, feeder = filled()
    run(world, feeder, 0.1)
    world.set_pose("nut_0", AWAY)
    ready = run(world, feeder, 1.5)
    assert ready.index(True) * world.dt == pytest.approx(1.0, abs=0.01)
    assert all(ready[ready.index(True) :])
    assert (feeder.presented, feeder.left) == ("nut_1", 1)
    np.testing.assert_allclose(world.pose_world_body("nut_1").position, NEST.position, atol=2e-4)


def test_a_presented_part_can_fall():
    world, feeder = filled()
    world.set_pose("nut_0", AWAY)
    run(world, feeder, 1.2)
    world.set_pose("nut_1", Pose.translation([0.5, 0.1, 1.2]))
    run(world, feeder, 0.5)
    assert world.pose_world_body("nut_1").position[2] < 1.01


def test_nothing_is_presented_while_a_hand_is_in_the_way():
    hand = [True]
    world, feeder = filled(clear=lambda: not hand[0])
    world.set_pose("nut_0", AWAY)
    assert not any(run(world, feeder, 2.0))
    hand[0] = False
    assert run(world, feeder, 0.1)[0]


def test_a_jammed_feeder_presents_its_first_part_when_the_jam_is_over():
    world, feeder = filled(wait=0.5)
    ready = run(world, feeder, 1.0)
    assert ready.index(True) * world.dt == pytest.approx(0.5, abs=0.01)
    assert feeder.presented == "nut_0"


def test_an_empty_magazine_stays_empty():
    world, feeder = filled()
    for name in PARTS:
        assert feeder.presented == name
        world.set_pose(name, Pose.translation([0.9, 0.03 * int(name[-1]), 1.0 + 0.5 * LENGTH]))
        run(world, feeder, 1.1)
    assert not any(run(world, feeder, 2.0))


def test_a_reset_refills_the_magazine_and_repeats_to_the_bit():
    world, feeder = filled()
    world.save()

    def episode() -> bytes:
        world.restore()
        feeder.reset([NEST @ Pose.translation([0.0, 1e-4, 1e-3])] * 3)
        run(world, feeder, 0.2)
        world.set_pose("nut_0", AWAY)
        run(world, feeder, 1.3)
        return np.concatenate([world.pose_world_body(name).position for name in PARTS]).tobytes()

    first = episode()
    assert feeder.presented == "nut_1"
    assert episode() == first


def test_as_many_poses_as_parts_are_needed():
    _, feeder = filled()
    with pytest.raises(ValueError, match="expected 3, got 1"):
        feeder.reset([NEST])


def switch(world: World, **config: float) -> ProximitySwitch:
    plate = Pose.translation([0.2, 0.0, 1.0])
    return ProximitySwitch(world, lambda: plate, PARTS, LENGTH, ProximityConfig(**config))


def at_gap(world: World, gap: float) -> None:
    world.set_pose("nut_1", Pose.translation([0.2, 0.0, 1.0 + 0.5 * LENGTH + gap]))


def test_a_switch_closes_near_the_plate_and_opens_further_away():
    world, states = bench(), []
    proximity = switch(world, on=0.4e-3, hysteresis=0.15e-3)
    for gap in (1.0e-3, 0.5e-3, 0.35e-3, 0.5e-3, 0.65e-3, 0.5e-3):
        at_gap(world, gap)
        states.append(proximity())
    assert states == [False, False, True, True, False, False]


def test_a_switch_sees_distances_in_steps():
    world = bench()
    proximity = switch(world, on=0.4e-3, resolution=0.2e-3)
    at_gap(world, 0.49e-3)
    assert proximity()


def test_a_switch_may_be_off():
    world = bench()
    proximity = switch(world, on=0.4e-3)
    at_gap(world, 0.3e-3)
    proximity.reset(offset=0.3e-3)
    assert not proximity()


def test_a_switch_sees_neither_what_is_beside_it_nor_what_is_far():
    world = bench()
    proximity = switch(world)
    world.set_pose("nut_1", Pose.translation([0.205, 0.0, 1.0 + 0.5 * LENGTH]))
    assert proximity.distance() == math.inf
    assert not proximity()


def test_a_switch_sees_either_end_of_a_part():
    world = bench()
    turned = Pose.from_rotation_vector([math.pi, 0.0, 0.0], [0.2, 0.0, 1.0 + 0.5 * LENGTH + 1e-3])
    world.set_pose("nut_2", turned)
    assert switch(world).distance() == pytest.approx(1e-3)
