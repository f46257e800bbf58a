"""A scene in simulation: what is to happen in an episode counts from where the work begins."""

from types import SimpleNamespace

import numpy as np

from robot.spatial import Pose
from tasks.sim_scene import SimScene
from tasks.task import Layout

BUMP = {"shove_time_s": 2.0, "shove_x_ns": 6.0, "shove_y_ns": -8.0}


class Bumps:
    """Notes what is scheduled."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.time, self.impulse = 0.0, np.zeros(3)

    def schedule(self, time, impulse):
        self.time, self.impulse = time, np.array(impulse)

    def begun(self, time):
        return bool(self.impulse.any()) and time >= self.time


def scene():
    world, bumps = SimpleNamespace(time=0.0), Bumps()
    driver = SimpleNamespace(place=lambda *where: None)
    fixture = SimpleNamespace(apply=lambda layout: None)
    return world, bumps, SimScene(world, driver, (), (np.zeros(1), Pose.identity()), fixture, bumps)


def test_a_bump_comes_so_long_after_the_work_has_begun():
    world, bumps, made = scene()
    made.apply(Layout({}, {}, {}, BUMP))
    assert not bumps.impulse.any(), "the robot comes to rest and waits"
    world.time = 0.3
    made.begin()
    assert bumps.time == 2.3
    np.testing.assert_array_equal(bumps.impulse, [6.0, -8.0, 0.0])
    # Held for longer before it may start.
    world.time = 1.5
    made.begin()
    assert bumps.time == 3.5


def test_a_bump_that_has_begun_comes_once():
    world, bumps, made = scene()
    made.apply(Layout({}, {}, {}, BUMP))
    made.begin()
    world.time = 2.05
    made.begin()
    assert bumps.time == 2.0
    # The next episode is another one.
    made.apply(Layout({}, {}, {}, {}))
    made.begin()
    assert not bumps.impulse.any()
