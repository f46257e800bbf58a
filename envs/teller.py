"""Tells a station where the cycle stands, and what the task asks of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from robot.station import Signal, Station, StationOutputs


class Teller:
    """Writes to a station what has changed since it was last told.

    Attributes:
        outputs: What is to be told, without the task's own requests.
    """

    def __init__(self, station: Station) -> None:
        """Begin with nothing told.

        Args:
            station: Whom to tell.
        """
        self._station = station
        self.outputs = StationOutputs()
        self._told: StationOutputs | None = None
        self._asks = False

    @property
    def asks(self) -> bool:
        """Whether requests may still stand: what was not acknowledged may have arrived."""
        return self._asks

    def forget(self) -> None:
        """Begin anew: whatever is told next is written."""
        self.outputs, self._told = StationOutputs(), None

    def withdraw(self) -> None:
        """Take all requests back; the rest of what was told stands."""
        self.tell(dataclasses.replace(self.outputs, signals={}), {})

    def tell(self, outputs: StationOutputs, requests: Mapping[str, Signal]) -> None:
        """Tell the station, unless it knows.

        Args:
            outputs: What is to be told from now on.
            requests: What the task asks for now. It goes along while a cycle is under way, not
                before it nor after it: nobody would take it back.
        """
        self.outputs = outputs
        asked: dict[str, Signal] = dict(outputs.signals)
        if not (outputs.ready or outputs.done):
            asked |= requests
        wanted = dataclasses.replace(outputs, signals=asked)
        if wanted != self._told:
            # One that is not acknowledged may have arrived or not: the next one is written again.
            self._told, self._asks = None, self._asks or bool(asked)
            self._station.write(wanted)
            self._told, self._asks = wanted, bool(asked)
