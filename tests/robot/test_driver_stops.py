"""What every driver promises of stopping, asked of each in `tests.robot.drivers`: it comes to rest,
stays there, and is not set going again by what was commanded before."""

import dataclasses
import threading

import numpy as np
import pytest

from robot.driver import StopCategory
from robot.errors import CommandRejected
from robot.state import Lifecycle
from tests.robot.drivers import DRIVERS, Harness
from tests.robot.planar import BENT, hold
from tests.robot.test_driver_contract import assert_at

AHEAD = BENT + 0.3


@pytest.fixture(params=DRIVERS.values(), ids=DRIVERS.keys())
def moving(request) -> Harness:
    """Return a driver whose robot is on its way, and far from where it was told to be."""
    harness = request.param()
    harness.activate()
    state = harness.track(hold(AHEAD), 0.05)
    assert (state.joint_position < AHEAD - 0.1).all()
    return harness


def assert_rests(harness: Harness) -> None:
    """Assert that a robot comes to rest within half a second, and not where it was told to be."""
    harness.wait(0.5)
    resting = harness.driver.read().joint_position
    for _ in range(3):
        harness.wait(0.1)
        state = harness.driver.read()
        assert_at(state, resting, harness)
    assert np.abs(state.joint_position - AHEAD).max() > 0.02


@pytest.mark.parametrize("category", StopCategory)
def test_a_stopped_robot_comes_to_rest(moving, category):
    if category not in moving.driver.spec.stops:
        pytest.skip("the device cannot stop this way and says so")
    moving.driver.stop(category)
    assert_rests(moving)


def test_a_robot_that_is_switched_off_comes_to_rest(moving):
    moving.driver.deactivate()
    assert moving.driver.lifecycle is Lifecycle.INACTIVE
    assert_rests(moving)


def test_a_robot_that_is_switched_on_again_does_not_go_on(moving):
    """Nor does it jump back to where it was when it was told to stop."""
    moving.driver.stop(StopCategory.HOLD)
    moving.wait(0.5)
    moving.driver.recover()
    resting = moving.driver.read().joint_position
    moving.driver.activate()
    for _ in range(10):
        moving.wait(0.02)
        assert_at(moving.driver.read(), resting, moving)


def test_a_command_from_before_a_stop_is_not_taken_up_again(moving):
    """Also if it said that it is valid for ever, and the servos are on again at once."""
    moving.send(hold(AHEAD), valid_until=np.inf)
    moving.driver.stop(StopCategory.HOLD)
    moving.wait(0.04)
    moving.driver.recover()
    moving.driver.activate()
    before = moving.driver.read().joint_position
    for _ in range(5):
        moving.wait(0.02)
        # It may still come back to where it was told to hold, but not go ahead.
        assert (moving.driver.read().joint_position < before + 0.02 + moving.noise).all()


def test_a_stop_may_come_from_another_thread(moving):
    thread = threading.Thread(target=moving.driver.stop, args=(StopCategory.HOLD,))
    thread.start()
    thread.join(5.0)
    assert not thread.is_alive()
    assert moving.driver.lifecycle is Lifecycle.FAULT
    assert_rests(moving)


def test_a_closed_driver_can_be_told_to_stop_and_stays_closed(moving):
    moving.driver.cleanup()
    for category in moving.driver.spec.stops:
        moving.driver.stop(category)
    assert moving.driver.lifecycle is Lifecycle.UNCONFIGURED


def test_a_command_that_was_refused_does_not_feed_the_watchdog(moving):
    moving.send(hold(AHEAD), valid_until=np.inf)
    low, high = moving.driver.spec.limits.position
    beyond = dataclasses.replace(hold(AHEAD), joint_position=high + 0.1 * (high - low))
    for _ in range(round(moving.driver.spec.watchdog / moving.clock.dt) + 5):
        if moving.driver.lifecycle is Lifecycle.ACTIVE:
            with pytest.raises(CommandRejected):
                moving.send(beyond, valid_until=np.inf)
        moving.clock.tick()
    assert moving.driver.lifecycle is Lifecycle.FAULT
    assert_rests(moving)


def test_torque_is_told_as_it_acts(moving):
    """By its sign and in newton metres: the guard and the estimate of friction rest on it."""
    soft = {"stiffness": np.zeros(2), "damping": np.full(2, 0.1)}
    for push in (3.0, -3.0):
        command = hold(BENT, joint_effort=np.array([push, 0.0]), **soft)
        told = [moving.track(command, 0.01).joint_effort[0] for _ in range(10)]
        assert np.mean(told[2:]) == pytest.approx(push, rel=0.3)


def test_a_gripper_is_told_as_wide_as_it_is(moving):
    widest = moving.driver.spec.grippers
    for share in (0.2, 0.8):
        wanted = {arm: share * width for arm, width in widest.items()}
        state = moving.track(hold(BENT, gripper_opening=wanted), 1.0)
        assert state.gripper_opening.keys() == widest.keys()
        for arm, opening in wanted.items():
            assert state.gripper_opening[arm] == pytest.approx(opening, abs=3e-3)


def test_how_old_a_sample_may_be_is_no_longer_than_a_robot_may_be_blind(moving):
    spec = moving.driver.spec
    assert moving.clock.dt <= spec.max_state_age <= spec.watchdog
