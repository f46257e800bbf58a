"""The control loop in a thread of its own, for policies that think for longer than a tick."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np
from typing_extensions import override

from robot.cell import Cell
from robot.cell_state import CellState
from robot.control.controller import Controller
from robot.driver import stop_after
from robot.errors import DeviceFault
from robot.loop import ControlLoop, Tick
from robot.state import Target
from robot.zones import ZoneGuard

logger = logging.getLogger(__name__)

_HOLD = Target(tools={})
# A thread that has not ticked for so long hangs in a device, in s; the first tick may compile.
_HANGS_TIME = 10.0


class BackgroundLoop(ControlLoop):
    """A control loop that goes on ticking between two calls of `run()`, tracking the last target.

    The same two methods as its base, for a cell whose clock does not wait for anybody: on hardware
    an arm must not be without commands while a policy thinks. It tracks the last target for as long
    as its patience lasts, and then holds its posture: commands that go on feed a driver's watchdog,
    so a policy that hangs while it pushes would push for ever. Nor does the robot move between
    `reset()` and the first `run()`. Listeners are called in the loop's thread. A policy that keeps
    Python busy delays this thread, too; one that computes for long belongs in a process of its own.

    Use it as a context manager, or call `close()`, to end the thread.
    """

    def __init__(
        self,
        cell: Cell,
        controller: Controller,
        listeners: Sequence[Callable[[Tick], None]] = (),
        zones: ZoneGuard | None = None,
        patience: float = 0.5,
    ) -> None:
        """Join a cell and a controller; nothing ticks yet.

        Args:
            cell: Where to read and write. Nobody else may, until `close()`.
            controller: What to run.
            listeners: Called after every tick, e.g. to record it.
            zones: What hands are kept out of while the station does not let them in; asked in the
                loop's thread.
            patience: How long a target is tracked beyond the ticks that were asked for, while no
                other comes, in s of the cell's clock; longer than a policy thinks.

        Raises:
            ValueError: If the patience is negative or not finite.
        """
        if not 0.0 <= patience < np.inf:
            raise ValueError(f"patience: expected a finite number of at least 0 s, got {patience}")
        super().__init__(cell, controller, listeners, zones)
        self._patience = round(patience / cell.clock.dt)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._target = _HOLD
        self._begun = 0
        self._done = 0
        self._goal = 0
        self._latest: CellState | None = None
        self._error: BaseException | None = None

    @override
    def reset(self, rng: np.random.Generator) -> CellState:
        self.close()
        state = super().reset(rng)
        self._closing = False
        self._target = _HOLD
        self._begun = self._done = self._goal = 0
        self._latest = state
        self._error = None
        self._thread = threading.Thread(target=self._keep_ticking, name="control", daemon=True)
        self._thread.start()
        return state

    @override
    def run(self, target: Target, ticks: int) -> CellState:
        with self._changed:
            if self._thread is None or self._closing:
                raise RuntimeError(
                    "BackgroundLoop.run() before reset(), or after it was closed or interrupted: "
                    "nothing is ticking"
                )
            self._target = target
            goal = self._goal = self._begun + ticks
        try:
            return self._wait(goal)
        except BaseException as error:
            # Ctrl-C, or a thread that hangs: the robot must not follow what nobody looks after.
            if error is not self._error:
                self._closing = True
                stop_after(error, self.cell.driver)
                if not isinstance(error, DeviceFault):
                    # Nor may a last tick of it stop a robot that somebody has recovered meanwhile.
                    self.close()
            raise

    def _wait(self, goal: int) -> CellState:
        """Wait until so many ticks are done; return the last measurement."""
        with self._changed:
            while self._done < goal and self._error is None and not self._closing:
                done = self._done
                if not self._changed.wait(_HANGS_TIME) and self._done == done:
                    raise DeviceFault(
                        f"the control loop has not ticked for {_HANGS_TIME:g} s: a device hangs in "
                        "read() or write(), or listeners or controller do not return"
                    )
            if self._error is not None:
                raise self._error
            if self._done < goal:
                raise RuntimeError("BackgroundLoop was closed while run() waited")
            assert self._latest is not None  # reset() has measured, or there would be no thread
            return self._latest

    @override
    def close(self) -> None:
        """End the thread after the present tick. Idempotent.

        The robot is left with its last command, which dies soon: stop or deactivate it next, not
        before, for whoever switches servos off while commands go on has two masters.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        thread = self._thread
        if thread is not None:
            thread.join(_HANGS_TIME)
            if thread.is_alive():
                logger.error("the control loop does not end: a device hangs in read() or write()")
        self._thread = None

    def __enter__(self) -> BackgroundLoop:
        """Return itself; `reset()` starts the thread."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the thread."""
        self.close()

    def _keep_ticking(self) -> None:
        try:
            while not self._closing:
                with self._changed:
                    if self._begun >= self._goal + self._patience and self._target is not _HOLD:
                        self._target = _HOLD
                        logger.warning("no new target for too long: the robot holds its posture")
                    target = self._target
                    self._begun += 1
                state = super().run(target, 1)
                with self._changed:
                    self._latest = state
                    self._done += 1
                    self._changed.notify_all()
        # Whatever it was, nobody is above this function to catch it: the robot comes to rest here,
        # and the error is raised where somebody waits for the robot.
        except BaseException as error:
            stop_after(error, self.cell.driver)
            with self._changed:
                self._error = error
                self._changed.notify_all()
