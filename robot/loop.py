"""The only place where a control tick happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from robot.cell import Cell
from robot.cell_state import CellState
from robot.control.controller import Controller
from robot.driver import stop_after
from robot.state import RobotCommand, Target
from robot.zones import ZoneGuard


@dataclass(frozen=True, eq=False)
class Tick:
    """What one control tick measured, wanted and sent.

    Attributes:
        state: What was measured at its start.
        target: What the tools should do, as far as the zones let them.
        sent: The command the driver accepted.
    """

    state: CellState
    target: Target
    sent: RobotCommand


class ControlLoop:
    """Runs a controller on a cell, in simulation and on hardware alike."""

    def __init__(
        self,
        cell: Cell,
        controller: Controller,
        listeners: Sequence[Callable[[Tick], None]] = (),
        zones: ZoneGuard | None = None,
    ) -> None:
        """Join a cell and a controller.

        Args:
            cell: Where to read and write.
            controller: What to run.
            listeners: Called after every tick, e.g. to record it.
            zones: What hands are kept out of while the station does not let them in.
        """
        self.zones = zones
        self.cell = cell
        self.controller = controller
        self._listeners = tuple(listeners)
        self._state: CellState | None = None

    def close(self) -> None:
        """End whatever goes on between two runs: nothing, here. Idempotent."""

    def add_listener(self, listener: Callable[[Tick], None]) -> None:
        """Call a function after every tick from now on."""
        self._listeners = (*self._listeners, listener)

    def reset(self, rng: np.random.Generator) -> CellState:
        """Start an episode from the present posture.

        Args:
            rng: The episode's generator.

        Returns:
            The first measurement.
        """
        # Should the reset fail, nothing may go on from what was measured before.
        self._state = None
        self.cell.reset(rng)
        state = self.cell.read()
        self.controller.reset(state)
        self._state = state
        return state

    def run(self, target: Target, ticks: int) -> CellState:
        """Track a target for some control periods.

        Whatever error ends it has halted the robot, and the loop must be reset before it goes on:
        what was measured before is the past.

        Args:
            target: What each arm's tool should do.
            ticks: How many control periods.

        Returns:
            The measurement at the end of the last period.

        Raises:
            RuntimeError: If the loop was not reset, or not since it ended in an error.
            SafetyStop: If the guard refuses what was measured, or a hand is where none may be; the
                robot has been halted.
        """
        if self._state is None:
            raise RuntimeError(
                "ControlLoop.run() before reset(), or after an error: there is no measurement to "
                "go on from; reset() first"
            )
        try:
            return self._track(target, ticks, self._state)
        except BaseException as error:
            # Nobody sends commands any more: the robot must not follow the last one meanwhile.
            self._state = None
            stop_after(error, self.cell.driver)
            raise

    def _track(self, target: Target, ticks: int, state: CellState) -> CellState:
        """Let control periods pass from a measurement on; return the last one."""
        cell = self.cell
        for _ in range(ticks):
            allowed = self._allowed(target, state)
            command = self.controller.update(state, allowed, cell.clock.dt)
            sent = cell.write(command, state)
            if self._listeners:
                tick = Tick(state, allowed, sent)
                for listener in self._listeners:
                    listener(tick)
            cell.clock.tick()
            state = cell.read()
            self._state = state
        return state

    def _allowed(self, target: Target, state: CellState) -> Target:
        """Return the target as far as the zones let hands go; `SafetyStop` if they are in one."""
        if self.zones is None:
            return target
        self.zones.check(state)
        return self.zones.limit(target, state)
