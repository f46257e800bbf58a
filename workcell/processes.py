"""Processes that work for this one: each at the other end of a pipe, gone when it is."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

# How long a process that was told to end may take before it is killed, in s.
_PATIENCE = 3.0
# Of Linux's <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Let this process be killed as soon as its parent is gone, however that came about.

    It would notice by itself only at the end of what it is doing, which may take minutes. Where
    the system cannot do it, nothing is changed.

    Args:
        parent: Number of the process that started this one.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It was gone before anybody could be told.
        os._exit(1)


def _bound(parent: int, work: Callable[..., None], *args: Any) -> None:
    die_with(parent)
    work(*args)


class Helpers:
    """Processes, each with a connection to it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._processes: dict[Connection, BaseProcess] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._processes)

    def start(self, work: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
        """Start one for each of some arguments.

        Args:
            work: Is called in each process with its end of the pipe and its arguments.
            arguments: Of each.
        """
        # Physics, solvers and threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        # Ctrl-C reaches every process of the terminal. It is this one's to act upon, so the others
        # are born deaf to it.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for own in arguments:
                here, there = context.Pipe()
                args = (os.getpid(), work, there, *own)
                process = context.Process(target=_bound, args=args, daemon=True)
                process.start()
                there.close()
                self._processes[here] = process
        finally:
            signal.signal(signal.SIGINT, before)

    def epitaph(self, connection: Connection) -> str:
        """Return the name and the exit code of a process that died."""
        process = self._processes[connection]
        process.join(_PATIENCE)
        return f"process {process.name} died (exit code {process.exitcode})"

    def end(self) -> None:
        """End all of them; whoever is at work is not waited for."""
        for connection in self._processes:
            connection.close()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
        self._processes.clear()
