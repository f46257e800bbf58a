from __future__ import annotations

import time

import pytest

from robot.sim.stopwatch import Stopwatch
from robot.sim.world import World


class _Naps:
    def nap(self, seconds):
        time.sleep(seconds)
        return seconds


def test_times_of_one_name_add_up_and_results_pass_through():
    watch = Stopwatch()
    naps = (watch.timed("naps", _Naps().nap), watch.timed_method(_Naps().nap))
    assert [nap(0.01) for nap in (*naps, naps[0])] == [0.01, 0.01, 0.01]
    assert watch.seconds["naps"] >= 0.02
    # Named after the class, without the underscore that marks it as private.
    assert 0.01 <= watch.seconds["Naps"] < watch.seconds["naps"]


def test_what_raises_is_not_hidden():
    def fail():
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        Stopwatch().timed("failure", fail)()


def test_a_world_says_what_its_steps_are_made_of():
    world = World()
    nap = _Naps().nap
    world.add_sampler(lambda: nap(2e-3) and None)
    watch = Stopwatch()
    world.time_parts(watch)
    world.tick()
    assert watch.seconds["Bullet"] > 0.0
    # Two steps in a tick.
    assert sum(watch.seconds.values()) - watch.seconds["Bullet"] >= 4e-3
    world.close()
