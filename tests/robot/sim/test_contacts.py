from __future__ import annotations

import numpy as np
import pytest

from robot.geometry import Box
from robot.sim.client import GRAVITY
from robot.sim.contacts import ContactMonitor, contact_normal_force
from robot.sim.world import World
from robot.spatial import Pose

MASS = 2.0


@pytest.fixture
def scene():
    world = World()
    for name, x in (("table", 0.0), ("shelf", 5.0)):
        world.add_body(
            name,
            [Box((0.5, 0.5, 0.1))],
            mass=0.0,
            pose_world_body=Pose.translation([x, 0.0, -0.1]),
            friction=0.5,
        )
    world.add_body(
        "crate",
        [Box((0.1, 0.1, 0.1))],
        mass=MASS,
        pose_world_body=Pose.translation([0.0, 0.0, 0.1]),
        friction=0.5,
    )
    yield world, ContactMonitor(world, [("table", "crate"), ("shelf", "crate")])
    world.close()


def run(world, seconds):
    for _ in range(round(seconds / world.dt)):
        world.tick()


def test_a_resting_weight_presses_with_its_weight(scene):
    world, monitor = scene
    run(world, 0.3)
    monitor.reset()
    run(world, 0.1)
    assert contact_normal_force(world, "table", "crate") == pytest.approx(MASS * GRAVITY, rel=1e-3)
    assert monitor.peaks()["table", "crate"] == pytest.approx(MASS * GRAVITY, rel=1e-2)
    assert monitor.peaks()["shelf", "crate"] == 0.0


def test_a_short_peak_counts_by_its_impulse(scene):
    world, monitor = scene
    run(world, 0.3)
    monitor.reset()
    # 100 N for the one step of two in which an added wrench acts.
    world.add_wrench("crate", [0.0, 0.0, -100.0, 0.0, 0.0, 0.0])
    run(world, 0.05)
    assert monitor.take_peak() == pytest.approx(MASS * GRAVITY + 100.0 / 10.0, rel=0.05)


def test_a_peak_is_taken_once(scene):
    world, monitor = scene
    run(world, 0.3)
    assert monitor.take_peak() > 0.0
    assert monitor.take_peak() == 0.0


def test_what_no_longer_touches_is_forgotten(scene):
    world, monitor = scene
    run(world, 0.3)
    world.set_pose("crate", Pose.translation([0.0, 0.0, 50.0]))
    run(world, 0.1)
    monitor.take_peak()
    run(world, 0.1)
    assert monitor.take_peak() == 0.0
    np.testing.assert_array_equal(list(monitor.peaks().values()), 0.0)


class Felt:
    """A world of which only the forces matter."""

    physics_dt = 1e-3

    def __init__(self):
        self.client, self.force = self, 0.0

    def body(self, name):
        return {"table": 0, "crate": 1}[name]

    def add_sampler(self, sample):
        self.sample = sample

    def getContactPoints(self, body):
        return [(0, body, 0, *(None,) * 6, self.force)]


def test_a_peak_does_not_depend_on_what_was_before_the_reset():
    forces = np.random.default_rng(0).uniform(1.0, 60.0, 300)

    def peaks(before):
        world = Felt()
        monitor = ContactMonitor(world, [("table", "crate")])
        for _ in range(before):
            world.sample()
        monitor.reset()
        found = []
        for world.force in forces.tolist():
            world.sample()
            found.append(monitor.take_peak())
        return found

    first = peaks(0)
    assert all(peaks(before) == first for before in range(1, 12))
