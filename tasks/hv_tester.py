"""The end-of-line tester of battery packs and its PLC: when high voltage comes, and when it goes.

Order
    High voltage comes on only if the robot asks for it, a pack is in place, every expected plug is
    mated and locked, the interlock loop through all of them is closed and all hands are clear, and
    all of that for `arm_time`, during which hands are already told to keep out. It stays on only as
    long as all of that holds: whatever is lost, the contactors open within the same scan, the test
    is broken off and reported. Then the bus discharges; `hv_off` rises when the contactors are open
    and the bus has been confirmed below 60 V, and only then `unplug_allowed`.

Everything is a function of the scans: no physics, no device, no clock of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from robot.errors import UnknownName
from robot.station import Signal
from tasks.hv_contacts import NOTHING, ContactWatch, HvInputs
from tasks.hv_figures import TOUCHABLE, HvReport, PackFigures, judge
from tasks.hv_signals import FIGURES, REQUEST, hv_signals


@dataclass(frozen=True)
class HvTesterConfig:
    """How the tester goes about it.

    Attributes:
        arm_time: How long everything must be in order before high voltage comes on, in s; longer
            than a hand takes to stop.
        insulation_time: Of the insulation test, in s.
        insulation_voltages: It is made at the lowest of these that is not below the pack's, in V.
        voltage_time: Of the check of voltages, in s. With the insulation test, the EOL station.
        pulse_time: Of the current pulse, in s: the DCR station.
        pulse_current: In A.
        touch_voltage: Above it the bus is live, in V.
        confirm_time: How long the bus must be seen below it, in s.
        dwell: Least time from an opened interlock to parted power contacts, in s.
    """

    arm_time: float = 0.2
    insulation_time: float = 1.8
    insulation_voltages: tuple[float, ...] = (500.0, 1000.0)
    voltage_time: float = 1.2
    pulse_time: float = 10.0
    pulse_current: float = 150.0
    touch_voltage: float = TOUCHABLE
    confirm_time: float = 0.05
    dwell: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what would not be a test, or not a safe one."""
        for name in ("arm_time", "insulation_time", "voltage_time", "pulse_time", "pulse_current"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        if not 0.0 < self.touch_voltage <= TOUCHABLE:
            raise ValueError(
                f"touch_voltage: expected at most {TOUCHABLE:g} V, got {self.touch_voltage}"
            )
        if not self.dwell >= 0.1:
            raise ValueError(f"dwell: expected at least 0.1 s, got {self.dwell}")
        if not self.insulation_voltages or min(self.insulation_voltages) <= 0.0:
            raise ValueError(
                f"insulation_voltages: expected positive ones, got {self.insulation_voltages}"
            )


class Stage(Enum):
    """Where the tester stands."""

    WAITING = "waiting"
    ARMING = "arming"
    INSULATION = "insulation"
    VOLTAGE = "voltage"
    PULSE = "pulse"
    DISCHARGING = "discharging"
    DONE = "done"


_LIVE = (Stage.INSULATION, Stage.VOLTAGE, Stage.PULSE)


class HvTester:
    """The tester and its PLC, scan by scan.

    Attributes:
        stage: Where it stands.
        bus_voltage: At the last scan, in V.
        hv_off: Contactors are open and the bus was confirmed below the touch voltage.
        report: Of the last test that has ended, or None.
        contacts: What was wrong at ports and hands since the last `reset()`, and the dwells.
        waiting_for: What is missing before a test can begin or go on, in words, or None.
    """

    def __init__(self, ports: Iterable[str], config: HvTesterConfig | None = None) -> None:
        """Wire a tester.

        Args:
            ports: Every port of every pack model.
            config: How it goes about it; the defaults if omitted.
        """
        self.config = config or HvTesterConfig()
        self.ports = tuple(ports)
        self.signals = hv_signals(self.ports)
        self.reset(0.0, (), None)

    def reset(self, now: float, expected: Iterable[str], pack: PackFigures | None) -> None:
        """Start from scratch, with another pack: contactors open, bus discharged.

        Args:
            now: On the cell's clock, in s.
            expected: Ports of this pack that get a plug; none, and nothing is ever tested.
            pack: What it is like; None, and nothing is ever tested.

        Raises:
            UnknownName: If one of them is no port of the tester.
        """
        self._expected = tuple(expected)
        for port in self._expected:
            if port not in self.ports:
                raise UnknownName("port", port, self.ports)
        self._pack = pack
        self.stage = Stage.WAITING
        self.hv_off = True
        self.bus_voltage = 0.0
        self.report: HvReport | None = None
        self.contacts = ContactWatch(self.ports, self.config.dwell)
        self.waiting_for: str | None = "a first scan"
        self._now = self._since = self._started = now
        self._opened_at, self._opened_voltage = now, 0.0
        self._below_since: float | None = now
        self._discharge = 0.0
        self._served = False
        self._inputs = NOTHING
        self._figures: dict[str, float] = {}
        self._aborted: str | None = None
        self._scans = self._seen_scans = 0
        self._heartbeat = False

    @property
    def contactors_closed(self) -> bool:
        """Whether a source is on the bus."""
        return self.stage in _LIVE

    @property
    def unplug_allowed(self) -> bool:
        """High voltage is off and will not come on: hands may go to the pack."""
        return self.hv_off and self.stage in (Stage.WAITING, Stage.DONE)

    def scan(self, now: float, inputs: HvInputs) -> None:
        """Look at everything once and go on.

        The more often, the sooner what is lost is seen and the finer the dwell is measured; at most
        0.01 s apart is meant.

        Args:
            now: On the cell's clock, in s; not before the last scan.
            inputs: What there is to see.

        Raises:
            ValueError: If time went back without a `reset()`.
        """
        if now < self._now:
            raise ValueError(
                f"scan at {now} s after one at {self._now} s: a clock that was set back needs "
                "a reset() of the tester"
            )
        self._now = now
        self._scans += 1
        self.bus_voltage = self._voltage(now)
        live = self.contactors_closed or self.bus_voltage > self.config.touch_voltage
        self.contacts.look(now, inputs, live, self.bus_voltage)
        self._inputs = inputs
        self._served = self._served and inputs.requested
        self.waiting_for = self._missing(inputs)
        if self.waiting_for is not None:
            if self.contactors_closed:
                self._open(self.waiting_for)
            elif self.stage is Stage.ARMING:
                self.stage = Stage.WAITING
        self._go_on()
        # A source that came on or went off in this scan is on or off at its end.
        self.bus_voltage = self._voltage(now)
        self._confirm()

    def inputs(self) -> dict[str, Callable[[], Signal]]:
        """Return what each input of a station says, by the name in `signals`.

        Call `scan` before the station looks; one look at all of them is one beat of the heart.
        """
        inputs: dict[str, Callable[[], Signal]] = {
            "pack_in_place": lambda: self._inputs.pack_in_place,
            "interlock_closed": self._interlock_closed,
            "testing": lambda: self.stage not in (Stage.WAITING, Stage.DONE),
            "test_done": lambda: self.report is not None,
            "test_passed": lambda: self.report is not None and self.report.passed,
            "hv_off": lambda: self.hv_off,
            "unplug_allowed": lambda: self.unplug_allowed,
            "heartbeat": self._beat,
            "bus_voltage_v": lambda: self.bus_voltage,
        }
        inputs |= {f"lock_in_{port}": partial(self._lock_in, port) for port in self.ports}
        inputs |= {name: partial(self._figures_now, name) for name, _ in FIGURES[1:]}
        return inputs

    def events(self) -> dict[str, float]:
        """Return how often each violation occurred and the shortest dwell, for a judgement."""
        dwells = self.contacts.dwells.values()
        return self.contacts.counts() | ({"shortest_dwell_s": min(dwells)} if dwells else {})

    def _beat(self) -> bool:
        # A tester that is not scanned any more has no heartbeat, though its PLC goes on looking.
        if self._scans != self._seen_scans:
            self._seen_scans = self._scans
            self._heartbeat = not self._heartbeat
        return self._heartbeat

    def _lock_in(self, port: str) -> bool:
        return self._inputs.at(port).locked

    def _figures_now(self, name: str) -> float:
        return self._figures.get(name, 0.0)

    def _interlock_closed(self) -> bool:
        return bool(self._expected) and all(
            self._inputs.at(port).interlock for port in self._expected
        )

    def _missing(self, inputs: HvInputs) -> str | None:
        if self._pack is None or not inputs.pack_in_place:
            return "no pack in place"
        for port in self._expected:
            contacts = inputs.at(port)
            if not contacts.interlock:
                return f"interlock of '{port}' open"
            if not (contacts.mated and contacts.power):
                return f"plug of '{port}' not mated"
            if not contacts.locked:
                return f"lock of '{port}' not in"
        if not self._expected:
            return "no plugs expected"
        if not inputs.hands_clear:
            return "a hand near the pack"
        if not inputs.requested:
            return f"'{REQUEST}' not set"
        return None

    def _voltage(self, now: float) -> float:
        pack = self._pack
        if pack is None:
            return 0.0
        if self.stage is Stage.INSULATION:
            return self._insulation_voltage(pack)
        if self.stage is Stage.VOLTAGE:
            return pack.voltage
        if self.stage is Stage.PULSE:
            return pack.voltage - pack.drop(self.config.pulse_current, now - self._since)
        return self._opened_voltage * math.exp(-(now - self._opened_at) / pack.bus_time)

    def _insulation_voltage(self, pack: PackFigures) -> float:
        voltages = sorted(self.config.insulation_voltages)
        return next((v for v in voltages if v >= pack.voltage), voltages[-1])

    def _enter(self, stage: Stage) -> None:
        self.stage, self._since = stage, self._now

    def _go_on(self) -> None:
        config, pack = self.config, self._pack
        if self.stage in (Stage.WAITING, Stage.DONE):
            if self.waiting_for is None and not self._served:
                self._enter(Stage.ARMING)
            return
        elapsed = self._now - self._since + 1e-9
        if self.stage is Stage.ARMING and elapsed >= config.arm_time:
            self._served = True
            self._started, self._aborted = self._now, None
            self.report, self._figures = None, {}
            self.hv_off, self._below_since = False, None
            self._enter(Stage.INSULATION)
        elif pack is None:
            return
        elif self.stage is Stage.INSULATION and elapsed >= config.insulation_time:
            self._measure(insulation_ohm_per_v=pack.insulation * (1.0 + pack.current_error))
            self._enter(Stage.VOLTAGE)
        elif self.stage is Stage.VOLTAGE and elapsed >= config.voltage_time:
            self._measure(
                pack_voltage_v=pack.voltage * (1.0 + pack.voltage_error),
                ocv_spread_mv=1e3 * pack.ocv_spread,
            )
            self._enter(Stage.PULSE)
        elif self.stage is Stage.PULSE and elapsed >= config.pulse_time:
            drop = pack.drop(config.pulse_current, config.pulse_time) * (1.0 + pack.voltage_error)
            current = config.pulse_current * (1.0 + pack.current_error)
            self._measure(dcr_mohm=1e3 * drop / current)
            self._open(None)

    def _measure(self, **figures: float) -> None:
        self._figures |= figures

    def _open(self, aborted: str | None) -> None:
        """Open the contactors, at the end of a test or because it must be broken off."""
        self._aborted = aborted
        self._opened_at, self._opened_voltage = self._now, self._voltage(self._now)
        self._enter(Stage.DISCHARGING)

    def _confirm(self) -> None:
        if self.contactors_closed:
            return
        if self.bus_voltage >= self.config.touch_voltage:
            self._below_since = None
            return
        if self._below_since is None:
            self._below_since = self._now
            self._discharge = self._now - self._opened_at
        if self._now - self._below_since < self.config.confirm_time - 1e-9:
            return
        self.hv_off = True
        if self.stage is Stage.DISCHARGING:
            assert self._pack is not None  # without a pack there is no test to end
            self._measure(discharge_s=self._discharge)
            failures = judge(self._figures, self._pack) if self._aborted is None else ()
            self.report = HvReport(
                self._started, self._now, self._aborted, dict(self._figures), failures
            )
            self._enter(Stage.DONE)
