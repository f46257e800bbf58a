"""Whether the station says, now and positively, that hands may be in its zones."""

from __future__ import annotations

import numpy as np

from robot.cell_state import CellState
from robot.keep_out import ZoneConfig
from robot.station import Signal

NOT_YET = "closed: no beat of the station's heart yet"
"""Why zones are closed at first."""


class ZonePermission:
    """Looks at safety chain, heartbeat and opening signals; whatever is missing means no."""

    def __init__(self, config: ZoneConfig) -> None:
        """Know nothing yet.

        Args:
            config: Which signals open zones, and how often the heartbeat has to change.
        """
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Forget what the station said."""
        # The heartbeat's last value, since when it has it, and whether it has changed before.
        self._beat: tuple[Signal, float, bool] | None = None
        self._answer: tuple[CellState, str | None] | None = None

    def withheld(self, state: CellState) -> str | None:
        """Return why the zones are closed, or None if they are open.

        Args:
            state: What was measured; to be asked every control tick, or the heartbeat is missed.
        """
        if self._answer is None or self._answer[0] is not state:
            self._answer = (state, self._reason(state))
        return self._answer[1]

    def _reason(self, state: CellState) -> str | None:
        station, config = state.station, self._config
        if config.heartbeat is not None and not self._beats(config.heartbeat, state):
            if self._waits_for_a_beat(state):
                return NOT_YET
            return f"closed: heartbeat '{config.heartbeat}' of the station is missing or stands"
        if station.safe is not True:
            return "closed: the safety chain is open"
        for name in config.open_signals:
            value = station.signals.get(name)
            # A number is a wiring error, not a yes.
            if not isinstance(value, bool | np.bool_):
                return f"closed: the station does not say '{name}'"
            if not value:
                return f"closed: '{name}' is false"
        return None

    def _beats(self, name: str, state: CellState) -> bool:
        value, now = state.station.signals.get(name), state.time
        # A number that is none differs from itself.
        if value is None or value != value:
            self._beat = None
            return False
        if self._beat is None or now < self._beat[1]:
            # One value is not a beat yet.
            self._beat = (value, now, False)
        elif value != self._beat[0]:
            self._beat = (value, now, True)
        return self._beat[2] and now - self._beat[1] <= self._config.heartbeat_timeout

    def _waits_for_a_beat(self, state: CellState) -> bool:
        """Return whether the heartbeat was seen for the first time a moment ago."""
        if self._beat is None or self._beat[2]:
            return False
        return state.time - self._beat[1] <= self._config.heartbeat_timeout
