import dataclasses

import numpy as np
import pytest

from robot.driver import JointLimits, ServoMode, StopCategory
from robot.errors import CommandRejected, ConfigError, DeviceFault, SafetyStop, UnknownName
from robot.mock import MockDriver, MockStation
from robot.sensor import WrenchReading
from robot.state import Lifecycle
from robot.station import Direction, SignalSpec
from tests.robot.planar import BENT, active_cell, hold

SEATED = SignalSpec("seated", Direction.INPUT, bool, "a part sits")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"joint_names": ("elbow", "shoulder")},
            r"joint_names\[0\]: expected shoulder, got elbow; the names are the same",
        ),
        (
            {"joint_names": ("shoulder",)},
            r"joint_names\[1\]: expected elbow, got none; the driver lacks \['elbow'\]",
        ),
        (
            {"modes": frozenset({ServoMode.POSITION})},
            r"modes: expected impedance, got \['position'\]",
        ),
        (
            {"stops": frozenset({StopCategory.CUT_POWER})},
            r"stops: expected HOLD, got \['CUT_POWER'\]",
        ),
        ({"watchdog": 5.0}, "watchdog: expected more than 0 and at most 0.2 s, got 5.0 s"),
        ({"watchdog": np.nan}, "watchdog: expected more than 0 .* got nan s"),
        ({"max_state_age": np.inf}, "max_state_age: expected a finite number .* got inf s"),
        (
            {"limits": JointLimits(np.array([[-1.0, 2.0], [1.0, 1.0]]), np.ones(2), np.ones(2))},
            r"limits.position of 'elbow': .* a lower and a higher one, got \[2\. 1\.\]",
        ),
        (
            {
                "limits": JointLimits(
                    np.array([[-1.0] * 2, [1.0] * 2]), np.ones(2), np.array([9, np.nan])
                )
            },
            "limits.effort of 'elbow': expected finite, more than 0, got nan",
        ),
        ({"state_hz": 100.0}, "state_hz: expected at least 500 Hz, .* got 100 Hz"),
        ({"grippers": {"links": 0.05}}, r"grippers: .*arms \['left'\], got \['links'\]"),
    ],
)
def test_a_driver_that_does_not_fit_is_refused_before_anything_moves(changes, complaint):
    cell = active_cell()
    cell.driver.spec = dataclasses.replace(cell.driver.spec, **changes)
    with pytest.raises(ConfigError, match=f"driver 'mock': {complaint}"):
        dataclasses.replace(cell)


def test_a_driver_that_is_faster_than_the_control_period_fits():
    cell = active_cell()
    cell.driver.spec = dataclasses.replace(cell.driver.spec, state_hz=1000.0)
    dataclasses.replace(cell)


def test_a_reading_of_a_cell_holds_everything_at_one_time():
    cell = active_cell(signals=[SEATED])
    cell.clock.tick()
    state = cell.read()
    assert state.time == state.readings["wrist_left"].time == cell.clock.time
    assert state.station.signals == {"seated": False}
    np.testing.assert_array_equal(state.robot.joint_position, BENT)


def test_a_command_is_stamped_with_number_time_and_epoch():
    cell = active_cell()
    state = cell.read()
    first, second = cell.write(hold(BENT), state), cell.write(hold(BENT), state)
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.epoch == cell.driver.epoch
    assert first.valid_until == pytest.approx(cell.clock.time + 10 * cell.clock.dt)


def test_a_command_made_before_a_stop_is_refused_after_it():
    cell = active_cell()
    before = cell.read()
    cell.driver.stop(StopCategory.HOLD)
    cell.driver.recover()
    cell.driver.activate()
    with pytest.raises(CommandRejected, match="epoch"):
        cell.write(hold(BENT), before)
    cell.write(hold(BENT), cell.read())


def test_what_was_sent_is_returned_bent_and_not_as_asked():
    cell = active_cell()
    sent = cell.write(hold(BENT, joint_effort=np.array([80.0, 0.0])), cell.read())
    assert sent.joint_effort[0] == 50.0
    assert cell.guard.clamps == 1


def test_a_stopped_cell_is_halted_and_stays_so():
    cell = active_cell()
    station = cell.station
    assert isinstance(station, MockStation)
    station.set(safe=False)
    with pytest.raises(SafetyStop, match="safety chain"):
        cell.read()
    assert cell.driver.lifecycle is Lifecycle.FAULT
    station.set(safe=True)
    with pytest.raises(SafetyStop, match="driver fault"):
        cell.read()


def test_a_cell_that_was_placed_anew_works_again():
    cell = active_cell()
    cell.station.set(safe=False)
    with pytest.raises(SafetyStop):
        cell.read()
    cell.station.set(safe=True)
    driver = cell.driver
    assert isinstance(driver, MockDriver)
    driver.place(BENT)
    cell.write(hold(BENT), cell.read())


def test_a_reset_lets_every_sensor_take_its_zero(monkeypatch):
    cell = active_cell(sensors={"tactile_left": lambda time: WrenchReading(time, np.zeros(6))})
    zeroed = []
    for name, sensor in cell.sensors.items():
        monkeypatch.setattr(sensor, "reset", lambda rng, name=name: zeroed.append(name))
    cell.guard.stops = 3
    cell.reset(np.random.default_rng(0))
    assert zeroed == ["wrist_left", "tactile_left"]
    assert cell.guard.stops == 0


def test_a_broken_sensor_is_not_hidden():
    def broken(time: float) -> WrenchReading:
        raise DeviceFault("wrist_left: no answer")

    cell = active_cell(sensors={"wrist_left": broken})
    with pytest.raises(DeviceFault, match="no answer"):
        cell.read()


def test_a_misspelled_input_of_a_mock_station_is_answered_with_the_right_one():
    cell = active_cell(signals=[SEATED])
    station = cell.station
    assert isinstance(station, MockStation)
    with pytest.raises(UnknownName, match="Did you mean 'seated'"):
        station.set(setaed=True)
    station.set(seated=True, start=True)
    state = cell.read().station
    assert state.start
    assert state.signals["seated"]
