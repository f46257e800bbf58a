"""A PLC derived from the world: it scans its inputs, answers requests, and asks for cycles.

It names no task. What an input says comes from a function it is given; which output is answered by
which input, and after how long, is data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from robot.clock import Clock
from robot.errors import ConfigError, UnknownName
from robot.station import Direction, Signal, SignalSpec, Station, StationInputs, StationOutputs


@dataclass(frozen=True)
class SimStationConfig:
    """How fast the PLC is.

    Attributes:
        scan_period: Time between two looks at its inputs, in s.
        start_delay: Time from `ready`, with a cycle wanted, to `start`, in s.
    """

    scan_period: float = 0.01
    start_delay: float = 0.05


@dataclass(frozen=True)
class Answer:
    """An input that answers a request of the robot.

    Attributes:
        request: The output that is answered, e.g. `tighten`.
        delay: Time from the request to the answer, in s; the answer falls with the request.
        condition: What must hold from the request to the answer, e.g. that a nut is seated. If it
            fails, the time begins anew.
    """

    request: str
    delay: float = 1.5
    condition: Callable[[], bool] = lambda: True


class SimStation(Station):
    """A simulated PLC: handshake, process signals and answers.

    `start` rises some time after the robot is `ready` and a cycle is wanted, and falls when the
    robot is `done` or the cycle is wanted no more. Time is the clock's, so nothing happens between
    two ticks, and a world that was set back sets the PLC back when `reset()` is called.
    """

    def __init__(
        self,
        clock: Clock,
        signals: Sequence[SignalSpec],
        inputs: Mapping[str, Callable[[], Signal] | Answer],
        config: SimStationConfig | None = None,
    ) -> None:
        """Wire a PLC.

        Args:
            clock: Whose time delays are measured on.
            signals: What the task declares.
            inputs: What each process input says: a function that looks at the world, or an answer
                to a request.
            config: How fast it is; the defaults if omitted.

        Raises:
            ConfigError: If an input is not wired, or an answer's request is no declared output.
        """
        self.signals = tuple(signals)
        self._clock = clock
        self._config = config or SimStationConfig()
        self._kinds = {s.name: s.kind for s in signals if s.direction is Direction.INPUT}
        self._requests = {s.name for s in signals if s.direction is Direction.OUTPUT}
        if set(inputs) != set(self._kinds):
            raise ConfigError(
                f"station: declared inputs {sorted(self._kinds)}, wired inputs {sorted(inputs)}"
            )
        self._providers: dict[str, Callable[[], Signal]] = {}
        for name, source in inputs.items():
            if isinstance(source, Answer) and source.request not in self._requests:
                raise ConfigError(
                    f"station: '{name}' answers '{source.request}', which is none of the declared "
                    f"outputs {sorted(self._requests)}"
                )
            self._providers[name] = (
                self._answering(name, source) if isinstance(source, Answer) else source
            )
        self._safe = True
        self.reset()

    def reset(self) -> None:
        """Start from scratch: no cycle wanted, no outputs, a closed safety chain, a fresh scan."""
        self._outputs = StationOutputs()
        self._wanted = False
        self._started = False
        self._safe = True
        self._ready_since = math.inf
        self._waiting: dict[str, float] = {}
        self._inputs: StationInputs | None = None
        self._scanned = -math.inf

    def request_start(self, wanted: bool = True) -> None:
        """Want a cycle, or want it no more; on the floor the line does this."""
        self._wanted = wanted
        self._shake_hands()

    def open_safety_chain(self) -> None:
        """Open the safety chain: somebody opened the door; closed again by `reset()`."""
        self._safe = False

    @property
    def outputs(self) -> StationOutputs:
        """What the robot last told the PLC."""
        return self._outputs

    @override
    def read(self) -> StationInputs:
        now = self._clock.time
        # Rounding of a sum of periods must not delay a scan by a tick.
        due = self._scanned + self._config.scan_period - 1e-9
        if self._inputs is None or not self._scanned <= now < due:
            self._scanned = now
            self._shake_hands()
            self._inputs = StationInputs(
                safe=self._safe,
                start=self._started,
                signals={name: self._kinds[name](get()) for name, get in self._providers.items()},
            )
        return self._inputs

    @override
    def write(self, outputs: StationOutputs) -> None:
        for name in outputs.signals:
            if name not in self._requests:
                raise UnknownName("output signal", name, self._requests)
        if outputs.ready and not self._outputs.ready:
            self._ready_since = self._clock.time
        self._outputs = outputs
        self._shake_hands()

    def _shake_hands(self) -> None:
        if not self._wanted or self._outputs.done:
            self._started = False
        elif self._outputs.ready:
            waited = self._clock.time - self._ready_since
            self._started |= waited >= self._config.start_delay - 1e-9

    def _answering(self, name: str, answer: Answer) -> Callable[[], bool]:
        def get() -> bool:
            now = self._clock.time
            if not self._outputs.signals.get(answer.request, False) or not answer.condition():
                self._waiting.pop(name, None)
                return False
            return now - self._waiting.setdefault(name, now) >= answer.delay - 1e-9

        return get
