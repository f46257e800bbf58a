"""Everything bolted to the floor: one read, one write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from robot.agreement import check_agreement
from robot.cell_state import CellState
from robot.clock import Clock
from robot.driver import Driver, StopCategory
from robot.errors import SafetyStop
from robot.guard import Guard
from robot.model import RobotModel
from robot.sensor import Reading, Sensor
from robot.state import RobotCommand
from robot.station import Station

# A command lives for this many control periods, so that one late tick does not drop the robot.
_COMMAND_LIFE_PERIODS = 10.0


@dataclass(frozen=True)
class Cell:
    """One robot with its sensors, its station, its clock and its guard.

    A simulated cell and a real one differ in what is put in here, and in nothing else.

    Attributes:
        model: The robot's kinematics and limits.
        driver: The robot's joints.
        sensors: The sensors, by name.
        station: The PLC.
        clock: What lets time pass.
        guard: What no command and no measurement gets around.
    """

    model: RobotModel
    driver: Driver
    sensors: Mapping[str, Sensor[Reading]]
    station: Station
    clock: Clock
    guard: Guard
    _stamp: dict[str, int] = field(default_factory=lambda: {"sequence": 0}, repr=False)

    def __post_init__(self) -> None:
        """Compare what the driver says of itself with what is built on top of it.

        Raises:
            ConfigError: Names what differs, what was expected and what to do.
        """
        check_agreement(self.driver.spec, self.model, self.clock.dt)

    def reset(self, rng: np.random.Generator) -> None:
        """Start an episode: let every sensor take its zero.

        Args:
            rng: The episode's generator.
        """
        for sensor in self.sensors.values():
            sensor.reset(rng)
        self.guard.reset()

    def read(self) -> CellState:
        """Sample everything once.

        Raises:
            SafetyStop: If the guard refuses what was measured; the robot has been halted.
            DeviceFault: If a device stopped answering.
        """
        state = CellState(
            robot=self.driver.read(),
            readings={name: sensor.read() for name, sensor in self.sensors.items()},
            station=self.station.read(),
        )
        try:
            self.guard.check(state, self.clock.time)
        except SafetyStop:
            self.driver.stop(StopCategory.HOLD)
            raise
        return state

    def write(self, command: RobotCommand, state: CellState) -> RobotCommand:
        """Pass a command through the guard, stamp it and send it.

        Args:
            command: What the controller wants.
            state: What was measured when it was made. Its epoch is that of the command: one made
                before a stop is refused, even if somebody has switched the servos on again since.

        Returns:
            The command that was sent, which the guard may have bent. Record this one.

        Raises:
            CommandRejected: If the driver refuses it, one of an old epoch among them.
            WrongLifecycle: If the servos are off.
        """
        self._stamp["sequence"] += 1
        now = self.clock.time
        stamped = self.guard.clamp(command, state).stamped(
            sequence=self._stamp["sequence"],
            time=now,
            valid_until=now + _COMMAND_LIFE_PERIODS * self.clock.dt,
            epoch=state.robot.epoch,
        )
        self.driver.write(stamped)
        return stamped
