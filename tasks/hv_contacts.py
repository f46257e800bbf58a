"""What a tester sees of plugs and hands, and the watch over what must never happen there.

A bus is live while a source is on it or its voltage is above 60 V. While it is, no interlock opens,
no power contacts part, and no hand is in the zone. At any time, power contacts part at least 0.1 s
after the plug's own interlock opened: the time contactors may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

VIOLATIONS = (
    "interlock_opened_under_voltage",
    "unplugged_under_voltage",
    "hand_under_voltage",
    "short_dwell",
)


@dataclass(frozen=True)
class PlugContacts:
    """What the contacts and switches of one port say.

    Attributes:
        mated: The plug is at its depth and latched.
        locked: Its secondary lock is in.
        interlock: Its interlock contact is closed.
        power: Its power contacts touch.
    """

    mated: bool = False
    locked: bool = False
    interlock: bool = False
    power: bool = False


_EMPTY = PlugContacts()


@dataclass(frozen=True)
class HvInputs:
    """What a tester sees at one scan; what is not said is not so.

    Attributes:
        pack_in_place: A pack stands in the station.
        plugs: What each port says, by name; a port that is absent is empty.
        hands_clear: No hand is near the pack, nor can be before it could stop: see
            `robot.zones.HandScanner`.
        requested: The robot's `plugs_mated`.
    """

    pack_in_place: bool
    plugs: Mapping[str, PlugContacts]
    hands_clear: bool
    requested: bool

    def at(self, port: str) -> PlugContacts:
        """Return what a port says."""
        return self.plugs.get(port, _EMPTY)


NOTHING = HvInputs(pack_in_place=False, plugs={}, hands_clear=False, requested=False)


@dataclass(frozen=True)
class Violation:
    """Something that must never happen, and did.

    Attributes:
        time: When, in s.
        kind: One of `VIOLATIONS`.
        port: Where; empty for the whole pack.
        voltage: Of the bus, in V.
    """

    time: float
    kind: str
    port: str
    voltage: float


class ContactWatch:
    """Looks at every port and at the hands, scan by scan, and remembers what was wrong.

    Attributes:
        violations: In order.
        dwells: Time from opened interlock to parted power contacts of the last unplugging of each
            port, by its name, in s. A plug that never closed its interlock has none.
    """

    def __init__(self, ports: Iterable[str], dwell: float) -> None:
        """Start with empty ports.

        Args:
            ports: To look at.
            dwell: Least time from an opened interlock to parted power contacts, in s.
        """
        self._ports = tuple(ports)
        self._least = dwell
        self._before = NOTHING
        self._opened: dict[str, float] = {}
        self._hand_in = False
        self.violations: list[Violation] = []
        self.dwells: dict[str, float] = {}

    def look(self, now: float, inputs: HvInputs, live: bool, voltage: float) -> None:
        """Compare a scan with the one before.

        Args:
            now: In s.
            inputs: What is seen now.
            live: Whether the bus is live, before this scan changes anything.
            voltage: Of the bus, in V.
        """
        for port in self._ports:
            before, contacts = self._before.at(port), inputs.at(port)
            if contacts == before:
                continue
            if contacts.interlock or (contacts.power and not before.power):
                self._opened.pop(port, None)
            if before.interlock and not contacts.interlock:
                self._opened[port] = now
                if live:
                    self._record(now, "interlock_opened_under_voltage", port, voltage)
            if before.power and not contacts.power:
                if live:
                    self._record(now, "unplugged_under_voltage", port, voltage)
                self._parted(now, port, contacts.interlock, voltage)
        hand_in = live and not inputs.hands_clear
        if hand_in and not self._hand_in:
            self._record(now, "hand_under_voltage", "", voltage)
        self._hand_in = hand_in
        self._before = inputs

    def counts(self) -> dict[str, float]:
        """Return how often each violation occurred, by its kind."""
        counts = dict.fromkeys(VIOLATIONS, 0.0)
        for violation in self.violations:
            counts[violation.kind] += 1.0
        return counts

    def _parted(self, now: float, port: str, interlock: bool, voltage: float) -> None:
        opened = self._opened.pop(port, None)
        if opened is None and not interlock:
            return
        # An interlock that is still closed opens after the power contacts: no dwell at all.
        self.dwells[port] = dwell = 0.0 if opened is None else now - opened
        if dwell < self._least - 1e-9:
            self._record(now, "short_dwell", port, voltage)

    def _record(self, now: float, kind: str, port: str, voltage: float) -> None:
        self.violations.append(Violation(now, kind, port, voltage))
