import pytest

from robot.errors import ConfigError, UnknownName
from robot.mock import ManualClock
from robot.sim.station import Answer, SimStation, SimStationConfig
from robot.station import Direction, SignalSpec, StationOutputs, require_signals

SIGNALS = (
    SignalSpec("seated", Direction.INPUT, bool, "a part sits"),
    SignalSpec("tightened", Direction.INPUT, bool, "the part is tight"),
    SignalSpec("distance", Direction.INPUT, float, "of something"),
    SignalSpec("tighten", Direction.OUTPUT, bool, "tighten the part"),
)


class Bench:
    """A station with a seat that a test fills by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock(2e-3)
        self.seated = False
        self.looks = 0
        self.station = SimStation(
            self.clock,
            SIGNALS,
            {
                "seated": self.look,
                "tightened": Answer("tighten", delay=1.5, condition=lambda: self.seated),
                "distance": lambda: 3,
            },
            SimStationConfig(scan_period=0.01, start_delay=0.05),
        )

    def look(self) -> bool:
        self.looks += 1
        return self.seated

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / self.clock.dt)):
            self.clock.tick()
            self.station.read()

    def first(self, name: str, within: float) -> float | None:
        """Return after which time a signal is on, or None."""
        began = self.clock.time
        while self.clock.time - began < within:
            inputs = self.station.read()
            if inputs.start if name == "start" else inputs.signals[name]:
                return self.clock.time - began
            self.clock.tick()
        return None


def test_inputs_are_what_the_world_says_at_the_last_scan():
    bench = Bench()
    assert bench.station.read().signals == {"seated": False, "tightened": False, "distance": 3.0}
    bench.seated = True
    bench.run(0.006)
    assert bench.station.read().signals["seated"] is False
    bench.run(0.006)
    assert bench.station.read().signals["seated"] is True


def test_the_world_is_looked_at_once_per_scan():
    bench = Bench()
    bench.run(1.0)
    assert bench.looks == pytest.approx(100, abs=2)


def test_a_cycle_starts_when_it_is_wanted_and_the_robot_is_ready():
    bench = Bench()
    bench.station.request_start()
    assert bench.first("start", 0.3) is None
    bench.station.write(StationOutputs(ready=True))
    assert bench.first("start", 0.3) == pytest.approx(0.05, abs=0.011)


def test_a_robot_that_is_ready_is_not_started_before_a_cycle_is_wanted():
    bench = Bench()
    bench.station.write(StationOutputs(ready=True))
    assert bench.first("start", 0.3) is None


def test_start_stays_through_the_cycle_and_falls_when_it_is_done():
    bench = Bench()
    bench.station.write(StationOutputs(ready=True))
    bench.station.request_start()
    bench.run(0.2)
    bench.station.write(StationOutputs(busy=True))
    bench.run(0.2)
    assert bench.station.read().start
    bench.station.write(StationOutputs(done=True, passed=True))
    bench.run(0.02)
    assert not bench.station.read().start


def test_a_request_is_answered_after_its_delay():
    bench = Bench()
    bench.seated = True
    bench.station.write(StationOutputs(busy=True, signals={"tighten": True}))
    assert bench.first("tightened", 3.0) == pytest.approx(1.5, abs=0.011)


def test_an_answer_falls_with_its_request():
    bench = Bench()
    bench.seated = True
    bench.station.write(StationOutputs(signals={"tighten": True}))
    bench.run(2.0)
    bench.station.write(StationOutputs())
    bench.run(0.02)
    assert not bench.station.read().signals["tightened"]


def test_what_is_not_seated_is_not_tightened():
    bench = Bench()
    bench.station.write(StationOutputs(signals={"tighten": True}))
    assert bench.first("tightened", 3.0) is None
    bench.seated = True
    assert bench.first("tightened", 3.0) == pytest.approx(1.5, abs=0.021)


def test_a_reset_forgets_the_cycle_before():
    bench = Bench()
    bench.station.write(StationOutputs(ready=True))
    bench.station.request_start()
    bench.station.open_safety_chain()
    bench.run(0.2)
    assert not bench.station.read().safe
    bench.station.reset()
    inputs = bench.station.read()
    assert inputs.safe
    assert not inputs.start


def test_an_unknown_output_is_refused_by_name():
    with pytest.raises(UnknownName, match="Did you mean 'tighten'"):
        Bench().station.write(StationOutputs(signals={"tigthen": True}))


def test_an_input_that_is_not_wired_is_refused():
    with pytest.raises(ConfigError, match=r"wired inputs \['seated'\]"):
        SimStation(ManualClock(), SIGNALS, {"seated": lambda: True})


def test_an_answer_to_an_unknown_request_is_refused():
    inputs = {"seated": lambda: True, "tightened": Answer("tigthen"), "distance": lambda: 0.0}
    with pytest.raises(ConfigError, match="answers 'tigthen'"):
        SimStation(ManualClock(), SIGNALS, inputs)


def test_it_has_what_it_was_wired_for():
    require_signals(Bench().station, SIGNALS)
