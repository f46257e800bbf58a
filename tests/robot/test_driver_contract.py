"""What every driver promises, asked of each in `tests.robot.drivers`."""

import dataclasses

import numpy as np
import pytest

from robot.arrays import Array
from robot.driver import StopCategory
from robot.errors import CommandRejected, DeviceFault, NotConnected, StaleState, WrongLifecycle
from robot.mock import MockDriver
from robot.state import Lifecycle, RobotState
from tests.robot.drivers import DRIVERS, Harness, mock
from tests.robot.planar import BENT, hold


@pytest.fixture(params=DRIVERS.values(), ids=DRIVERS.keys())
def harness(request) -> Harness:
    return request.param()


def assert_at(state: RobotState, position: Array, harness: Harness, within: float = 2e-3) -> None:
    np.testing.assert_allclose(state.joint_position, position, atol=within + harness.noise)


def test_its_specification_is_known_before_it_is_opened(harness):
    spec = harness.driver.spec
    n = len(spec.joint_names)
    assert spec.limits.position.shape == (2, n)
    # Degrees in place of radians would show here.
    assert (np.ptp(spec.limits.position, axis=0) <= 4.0 * np.pi).all()
    assert (spec.limits.velocity <= 50.0).all()
    assert 0.0 < spec.watchdog <= 0.2
    assert spec.stops
    assert harness.driver.lifecycle is Lifecycle.UNCONFIGURED


def test_a_closed_driver_says_so(harness):
    with pytest.raises(NotConnected):
        harness.driver.read()
    with pytest.raises(NotConnected):
        harness.send(hold(BENT))
    with pytest.raises(NotConnected):
        harness.driver.activate()


def test_it_can_be_opened_and_closed_again_and_again(harness):
    for _ in range(3):
        with harness.driver as driver:
            driver.activate()
        assert driver.lifecycle is Lifecycle.UNCONFIGURED
        driver.cleanup()


def test_it_is_closed_after_an_exception(harness):
    def work() -> None:
        with harness.driver as driver:
            driver.activate()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert harness.driver.lifecycle is Lifecycle.UNCONFIGURED


def test_closing_a_moving_robot_brings_it_to_rest(harness):
    harness.activate()
    harness.track(hold(BENT + 0.2), 0.05)
    epoch = harness.driver.epoch
    harness.driver.cleanup()
    assert harness.driver.epoch > epoch
    harness.wait(0.5)
    harness.driver.configure()
    resting = harness.driver.read().joint_position
    harness.wait(0.3)
    assert_at(harness.driver.read(), resting, harness)


def test_it_is_closed_also_if_it_cannot_be_switched_off(harness, monkeypatch):
    stops = []
    monkeypatch.setattr(harness.driver, "stop", stops.append)

    def fail() -> None:
        raise DeviceFault("no answer")

    monkeypatch.setattr(harness.driver, "deactivate", fail)
    with pytest.raises(DeviceFault), harness.driver as driver:
        driver.activate()
    assert stops == [StopCategory.HOLD]
    assert harness.driver.lifecycle is Lifecycle.UNCONFIGURED


def test_it_is_closed_if_opening_it_fails_half_way(harness, monkeypatch):
    configure = harness.driver.configure

    def half_way() -> None:
        configure()
        raise DeviceFault("another firmware")

    monkeypatch.setattr(harness.driver, "configure", half_way)
    with pytest.raises(DeviceFault), harness.driver:
        pass
    assert harness.driver.lifecycle is Lifecycle.UNCONFIGURED


def test_illegal_steps_are_refused(harness):
    harness.driver.configure()
    for step in (harness.driver.configure, harness.driver.deactivate, harness.driver.recover):
        with pytest.raises(WrongLifecycle):
            step()


def test_an_inactive_robot_can_be_read_and_not_commanded(harness):
    harness.driver.configure()
    assert_at(harness.driver.read(), BENT, harness)
    with pytest.raises(WrongLifecycle):
        harness.send(hold(BENT))


def test_switching_on_moves_nothing(harness):
    harness.activate()
    harness.wait(0.3)
    assert_at(harness.driver.read(), BENT, harness)


def test_a_held_posture_is_held(harness):
    harness.activate()
    assert_at(harness.track(hold(BENT), 1.0), BENT, harness)


@pytest.mark.parametrize("joint", [0, 1])
def test_a_step_of_each_joint_is_reached_by_that_joint(harness, joint):
    harness.activate()
    goal = BENT + 0.1 * np.eye(2)[joint]
    assert_at(harness.track(hold(goal), 2.0), goal, harness, within=5e-3)


def test_a_feed_forward_torque_pushes_its_joint_its_way(harness):
    harness.activate()
    soft = {"stiffness": np.zeros(2), "damping": np.full(2, 0.1)}
    push = hold(BENT, joint_effort=np.array([2.0, 0.0]), **soft)
    state = harness.track(push, 0.2)
    assert state.joint_position[0] > BENT[0] + 0.01
    assert state.joint_velocity[0] > 0.0


def test_velocity_is_the_rate_of_position(harness):
    harness.activate()
    harness.track(hold(BENT), 0.1)
    travelled, start = np.zeros(2), harness.driver.read().joint_position
    for _ in range(200):
        harness.send(hold(BENT + 0.2))
        harness.clock.tick()
        travelled += harness.driver.read().joint_velocity * harness.clock.dt
    moved = harness.driver.read().joint_position - start
    assert (moved > 0.1).all()
    np.testing.assert_allclose(travelled, moved, atol=0.01)


def test_samples_carry_rising_times_and_numbers(harness):
    harness.activate()
    states = [harness.track(hold(BENT), harness.clock.dt) for _ in range(5)]
    for name in ("time", "time_device", "sequence"):
        assert (np.diff([getattr(state, name) for state in states]) > 0).all()
    assert states[-1].lifecycle is Lifecycle.ACTIVE
    assert states[-1].epoch == harness.driver.epoch


def test_a_state_says_which_command_it_follows(harness):
    harness.activate()
    harness.send(dataclasses.replace(hold(BENT), sequence=17))
    harness.clock.tick()
    assert harness.driver.read().applied_sequence == 17


def test_a_state_is_a_snapshot_that_its_reader_cannot_change(harness):
    harness.activate()
    state = harness.driver.read()
    before = state.joint_position.copy()
    with pytest.raises(ValueError, match="read-only"):
        state.joint_position[0] = 9.0
    harness.track(hold(BENT + 0.1), 0.2)
    np.testing.assert_array_equal(state.joint_position, before)


def test_a_command_is_copied_when_it_is_made(harness):
    harness.activate()
    goal = BENT.copy()
    command = hold(goal)
    goal += 1.0
    assert_at(harness.track(command, 0.5), BENT, harness)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"joint_position": np.array([0.0, 2.5])}, "joint_position of 'elbow'"),
        ({"joint_velocity": np.array([-4.0, 0.0])}, "joint_velocity of 'shoulder'"),
        ({"joint_effort": np.array([0.0, 51.0])}, "joint_effort of 'elbow'"),
        ({"stiffness": np.array([-1.0, 1.0])}, "stiffness of 'shoulder'"),
        ({"gripper_opening": {"lfet": 0.01}}, "no gripper named 'lfet'"),
    ],
)
def test_a_command_beyond_the_limits_is_refused_and_not_bent(harness, changes, complaint):
    harness.activate()
    before = harness.track(hold(BENT), 0.1)
    with pytest.raises(CommandRejected, match=complaint):
        harness.send(dataclasses.replace(hold(BENT + 0.3), **changes))
    harness.clock.tick()
    assert_at(harness.driver.read(), before.joint_position, harness)


def test_a_command_of_another_size_is_refused(harness):
    harness.activate()
    with pytest.raises(CommandRejected, match="shape"):
        harness.send(hold(np.zeros(3)))


def test_an_expired_command_is_refused(harness):
    harness.activate()
    harness.wait(0.05)
    with pytest.raises(CommandRejected, match="valid_until"):
        harness.send(hold(BENT), valid_until=harness.clock.time - 0.01)


def test_a_command_that_is_valid_until_no_time_is_refused(harness):
    harness.activate()
    with pytest.raises(CommandRejected, match="valid_until"):
        harness.send(hold(BENT), valid_until=np.nan)


def test_a_command_of_an_old_epoch_stays_dead(harness):
    harness.activate()
    old = harness.driver.epoch
    harness.driver.deactivate()
    harness.driver.activate()
    with pytest.raises(CommandRejected, match="epoch"):
        harness.send(hold(BENT), epoch=old)


def test_the_epoch_grows_on_every_entry_to_and_exit_from_active(harness):
    harness.driver.configure()
    epochs = [harness.driver.epoch]
    for step in (
        harness.driver.activate,
        harness.driver.deactivate,
        harness.driver.activate,
        lambda: harness.driver.stop(StopCategory.HOLD),
    ):
        step()
        epochs.append(harness.driver.epoch)
    assert (np.diff(epochs) > 0).all()


def test_silence_trips_the_watchdog_and_the_robot_comes_to_rest(harness):
    harness.activate()
    harness.track(hold(BENT + 0.2), 0.05)
    harness.send(hold(BENT + 0.2), valid_until=np.inf)
    harness.wait(harness.driver.spec.watchdog - 0.01)
    assert harness.driver.lifecycle is Lifecycle.ACTIVE
    harness.wait(0.02)
    assert harness.driver.lifecycle is Lifecycle.FAULT
    assert "watchdog" in harness.driver.read().fault
    harness.wait(0.5)
    resting = harness.driver.read().joint_position
    harness.wait(0.3)
    assert_at(harness.driver.read(), resting, harness)


def test_reading_does_not_feed_the_watchdog(harness):
    harness.activate()
    harness.send(hold(BENT), valid_until=np.inf)
    for _ in range(100):
        harness.clock.tick()
        harness.driver.read()
    assert harness.driver.lifecycle is Lifecycle.FAULT


def test_a_command_dies_when_it_said_it_would(harness):
    harness.activate()
    harness.send(hold(BENT), valid_until=harness.clock.time + 0.01)
    harness.wait(0.03)
    assert harness.driver.lifecycle is Lifecycle.FAULT


@pytest.mark.parametrize("category", StopCategory)
def test_a_stop_halts_and_only_recover_leads_back_to_inactive(harness, category):
    if category not in harness.driver.spec.stops:
        pytest.skip("the device cannot stop this way and says so")
    harness.activate()
    harness.track(hold(BENT + 0.2), 0.1)
    harness.driver.stop(category)
    harness.driver.stop(category)
    assert harness.driver.lifecycle is Lifecycle.FAULT
    with pytest.raises(WrongLifecycle):
        harness.send(hold(BENT))
    with pytest.raises(WrongLifecycle):
        harness.driver.activate()
    harness.driver.recover()
    assert harness.driver.lifecycle is Lifecycle.INACTIVE
    assert harness.driver.read().fault is None


def test_a_released_emergency_stop_moves_nothing_until_it_is_recovered_from():
    # A simulated button exists on the mock only; on hardware a person presses it.
    harness = mock()
    harness.activate()
    driver = harness.driver
    assert isinstance(driver, MockDriver)
    driver.press_estop()
    with pytest.raises(WrongLifecycle, match="still pressed"):
        driver.recover()
    driver.release_estop()
    assert driver.lifecycle is Lifecycle.ESTOP
    driver.recover()
    assert driver.lifecycle is Lifecycle.INACTIVE


def test_a_device_that_falls_silent_is_not_read_from_memory():
    harness = mock()
    harness.activate()
    driver = harness.driver
    assert isinstance(driver, MockDriver)
    driver.freeze()
    harness.track(hold(BENT), 0.02)
    harness.wait(0.01)
    with pytest.raises(StaleState, match=r"0\.03"):
        driver.read()
