"""Everything that is raised on purpose.

One class per way out, not per place: who handles an error decides its class.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from typing_extensions import override


class WorkcellError(Exception):
    """Base of every deliberate exception of this project."""


class ConfigError(WorkcellError):
    """A value in a file or on the command line is unknown, missing or out of range."""


class UnknownName(WorkcellError):
    """A frame, joint, task, robot or policy that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Answer a wrong name with the closest right one and the list.

        Args:
            kind: What was looked for, e.g. `frame`.
            name: What was asked.
            known: Every name there is.
        """
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        super().__init__(f"no {kind} named '{name}'.{hint} Known: {', '.join(names) or 'none'}")
        self.kind = kind
        self.name = name
        self.known = tuple(names)

    @override
    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, tuple[str, ...]]]:
        """Let worker processes hand this error to their parent."""
        return (type(self), (self.kind, self.name, self.known))


class NotConnected(WorkcellError):
    """A device was used before `configure()` or after `cleanup()`."""


class WrongLifecycle(WorkcellError):
    """A device was used in a state in which the call makes no sense."""


class CommandRejected(WorkcellError):
    """A driver refused a command; the device has not seen it."""


class StaleState(WorkcellError):
    """A device's sample is older than its specification allows."""


class DeviceFault(WorkcellError):
    """A device answered with a fault or not at all."""


class StationTimeout(WorkcellError):
    """The station did not answer a handshake in time; nothing is broken yet."""


class SafetyStop(WorkcellError):
    """A limit that is not clamped away was crossed; the robot has been halted."""


class Toppled(SafetyStop):
    """The base leans further than that of a robot that stands; it has been halted as it falls."""


class NoSolution(WorkcellError):
    """A solver found no solution for too many ticks in a row."""


def stop_reason(error: SafetyStop | NoSolution) -> str:
    """Return why work ended, for its record: a word, and after a colon what happened."""
    if isinstance(error, NoSolution):
        return "no_solution"
    return f"{'fell' if isinstance(error, Toppled) else 'guard_stop'}: {error}"


class EpisodeSetupError(WorkcellError):
    """This draw of a layout cannot be brought about."""


NOT_BEGUN = (EpisodeSetupError, SafetyStop, NoSolution)
"""What may end an episode before it begins, and leaves a cell fit for the next one."""
