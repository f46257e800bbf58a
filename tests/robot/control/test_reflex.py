import dataclasses

import numpy as np
import pytest

from robot.control.balance import Balance, BalanceConfig
from robot.control.reflex import Reflex
from robot.control.whole_body import WholeBodyController
from robot.state import BodyTarget
from tests.robot.control.test_whole_body import Stand


class Told(Reflex):
    """Asks for what it is told, and remembers what it was shown."""

    def __init__(self, body=None):
        self.body, self.seen, self.resets = body, [], 0

    def reset(self):
        self.resets += 1

    def react(self, sense, dt):
        self.seen.append(sense)
        return self.body


def standing(reflex, name="talos"):
    stand = Stand(name)
    config = stand.config
    stand.controller = WholeBodyController(
        stand.model, config.torso_link, config.foot_half_sizes, reflex=reflex
    )
    stand.controller.reset(stand.state())
    return stand


def efforts(stand, ticks=5):
    offset = (0.02, 0.0, 0.01)
    return np.array([stand.update(stand.targets(offset)).joint_effort for _ in range(ticks)])


def test_a_reflex_that_asks_for_nothing_changes_no_bit():
    assert (efforts(standing(Told())) == efforts(standing(None))).all()


def test_a_reflex_moves_the_references():
    body = BodyTarget(np.array([0.05, 0.0]), np.array([0.0, 20.0]), False)
    assert np.abs(efforts(standing(Told(body))) - efforts(standing(None))).max() > 5.0


def test_a_lean_that_is_asked_for_bends_the_waist():
    stand = standing(Told(BodyTarget(np.zeros(2), np.array([0.0, 20.0]), False)))
    waist = stand.model.joint_names.index("torso_2_joint")
    command = stand.update(stand.targets())
    upright = standing(None).update(stand.targets())
    assert command.joint_velocity[waist] > upright.joint_velocity[waist] + 1e-3


def test_arms_that_yield_stay_where_they_are_whatever_their_targets():
    stand = standing(Told(BodyTarget(np.zeros(2), np.zeros(2), True)))
    here, far = stand.targets(), stand.targets((0.05, 0.0, 0.05))
    held = [stand.update(here).joint_effort for _ in range(3)]
    pulled = [stand.update(far).joint_effort for _ in range(3)]
    assert np.array(pulled) == pytest.approx(np.array(held), abs=0.05)
    assert np.abs(efforts(standing(None)) - held[-1]).max() > 1.0


def test_arms_that_yielded_go_back_without_a_jump():
    reflex = Told(BodyTarget(np.zeros(2), np.zeros(2), True))
    stand = standing(reflex)
    target = stand.targets((0.05, 0.0, 0.05))
    held = stand.update(target).joint_effort
    reflex.body = None
    assert np.abs(stand.update(target).joint_effort - held).max() < 15.0


def test_what_the_target_asks_of_the_body_comes_first():
    reflex = Told()
    stand = standing(reflex)
    body = BodyTarget(np.zeros(2), np.zeros(2), False)
    stand.update(dataclasses.replace(stand.targets(), body=body))
    assert reflex.seen == []


def test_a_reflex_sees_how_the_robot_stands():
    reflex = Told()
    stand = standing(reflex)
    stand.velocity = np.zeros(stand.model.n)
    stand.velocity[stand.model.joint_names.index("torso_2_joint")] = 0.5
    stand.update(stand.targets())
    sense = reflex.seen[-1]
    assert reflex.resets == 1
    assert sense.position_com == pytest.approx(sense.reference_com, abs=1e-9)
    assert sense.tilt_torso == pytest.approx(np.zeros(2), abs=1e-9)
    assert sense.rate_torso[1] == pytest.approx(0.5, abs=1e-6)
    assert sense.velocity_com[0] > 0.01


def test_a_robot_without_feet_has_no_use_for_a_reflex():
    reflex = Told()
    efforts(standing(reflex, "talos_fixed"))
    assert reflex.seen == []


def test_the_height_a_policy_asks_for_is_bounded():
    balance = Balance(BalanceConfig(height_shift_limit=0.06), 90.0)
    com = np.array([0.0, 0.0, 0.9])
    balance.reset(com, [np.zeros(3)])
    body = BodyTarget(np.zeros(2), np.zeros(2), False, height_shift_com=1.0)
    wanted = balance.com_acceleration(np.add(com, [0.0, 0.0, 0.06]), np.zeros(3), body, 2e-3)
    assert wanted == pytest.approx(np.zeros(3))
