"""How hard a harness is pulled, bent and twisted, and when that is counted as harm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from robot.sim.harness_config import HarnessConfig
from robot.spatial import Pose
from tests.robot.sim.harness import BACK, HOME, TAUT, Hanging


def test_tug_is_told_along_the_cable_and_across():
    hanging = Hanging(pose_world_plug=TAUT, pose_plug_cable=BACK, mass=0.0)
    along, across = hanging.harness.tug
    wrench = hanging.harness.wrench()
    assert along == pytest.approx(-wrench[0])
    assert across == pytest.approx(np.linalg.norm(wrench[1:3]))
    assert along > 3.0 * across > 0.0


def test_a_pull_beyond_the_limit_is_one_harm_each_time_and_a_short_one_none():
    config = HarnessConfig(bend_radius_min=20e-3)
    hanging = Hanging(config, TAUT, BACK, mass=0.45)

    def pull(force: float, seconds: float) -> None:
        out = Pose.translation([TAUT.position[0] + force / 1e5, 0.0, 1.0])
        hanging.hold(out, 1e5)
        hanging.run(seconds)

    pull(0.0, 0.1)
    assert math.hypot(*hanging.harness.tug) < config.tug_limit
    far = 1e5 * 15e-3
    pull(far, 0.2)
    assert math.hypot(*hanging.harness.tug) > config.tug_limit
    assert hanging.harness.harm.over_tugged == 1
    assert 0.1 < hanging.harness.harm.tugged_time < 0.2
    pull(0.0, 0.1)
    pull(far, 0.1)
    pull(0.0, 0.1)
    assert hanging.harness.harm.over_tugged == 2
    pull(far, 0.015)
    pull(0.0, 0.1)
    assert hanging.harness.harm.over_tugged == 2
    assert hanging.harness.harm.over_bent == 0
    hanging.harness.reset()
    assert hanging.harness.harm.over_tugged == 0
    assert hanging.harness.harm.tugged_time == 0.0


def test_a_bend_beyond_the_limit_is_harm():
    hanging = Hanging(mass=0.45)
    hanging.hold(HOME)
    hanging.run(0.1)
    assert hanging.harness.bend_radius > hanging.harness.config.bend_limit
    assert hanging.harness.harm.over_bent == 0
    for x in np.linspace(0.45, 0.05, 300):
        hanging.hold(Pose.translation([x, 0.0, 1.0]))
        hanging.run(1e-3)
    hanging.run(0.2)
    assert hanging.harness.bend_radius < hanging.harness.config.bend_limit
    assert hanging.harness.harm.over_bent == 1
    assert hanging.harness.harm.bent_time > 0.02


def test_bend_radius_of_a_half_circle_is_its_own():
    # Weightless, between ends that are two radii apart and look the same way, it is a half circle
    # but for the clamps.
    radius = 0.8 / np.pi
    pose = Pose.translation([0.0, 0.0, 1.0 + 2.0 * radius])
    cable = Pose.from_rotation_vector([0.0, 0.5 * np.pi, 0.0])
    hanging = Hanging(pose_world_plug=pose, pose_plug_cable=cable, mass=0.0, gravity=(0, 0, -1e-3))
    assert hanging.harness.bend_radius == pytest.approx(radius, rel=0.02)
    bending = hanging.harness.config.bending_stiffness / radius
    assert abs(hanging.harness.wrench()[4]) == pytest.approx(bending, rel=0.04)


def test_the_twist_it_is_reset_with_turns_the_plug():
    hanging = Hanging(HarnessConfig(twist=1.0), mass=0.0)
    assert hanging.harness.twist == 1.0
    # The cable arrives at the plug upwards; twisted that way it turns the plug back.
    straight = Hanging(HarnessConfig(), mass=0.0)
    torque = hanging.harness.wrench()[5] - straight.harness.wrench()[5]
    assert torque == pytest.approx(-0.1 / 0.8, rel=0.35)
