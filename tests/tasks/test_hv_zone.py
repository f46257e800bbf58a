import itertools

import numpy as np
import pytest

from robot.errors import SafetyStop
from robot.mock import ManualClock
from robot.sim.station import SimStation
from robot.station import Direction, StationOutputs, require_signals
from robot.zones import HandScanner, ZoneConfig
from tasks.hv_signals import REQUEST, hv_signals
from tasks.hv_tester import HvTesterConfig
from tests.robot.hand_rig import POLICIES, ZONES, Rig, one, outside, wanted
from tests.tasks.hv_line import (
    PORTS,
    Line,
    done,
    kinds,
    live,
)


def test_a_simulated_station_takes_its_signals_and_its_request():
    line = Line()
    station = SimStation(ManualClock(2e-3), line.tester.signals, line.tester.inputs())
    require_signals(station, hv_signals(PORTS))
    station.write(StationOutputs(busy=True, signals={REQUEST: True}))
    assert station.outputs.signals[REQUEST]
    line.until(live)
    signals = station.read().signals
    names = {s.name for s in hv_signals(PORTS) if s.direction is Direction.INPUT}
    assert set(signals) == names
    assert signals["testing"]
    assert not signals["hv_off"]
    assert signals["bus_voltage_v"] == 1000.0


def test_the_heart_beats_with_the_scans_and_stands_without():
    line = Line()
    clock = ManualClock(2e-3)
    station = SimStation(clock, line.tester.signals, line.tester.inputs())
    beats = []
    for k in range(40):
        if k < 20:
            line.scan()
        beats.append(station.read().signals["heartbeat"])
        for _ in range(5):
            clock.tick()
    assert all(a != b for a, b in itertools.pairwise(beats[:20]))
    assert len(set(beats[20:])) == 1


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_high_voltage_is_never_on_with_a_hand_in_the_zone(policy):
    tests = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        rig = outside(rng, config=ZoneConfig(heartbeat="heartbeat"))
        target = policy(rng, rig)
        line, scanner = Line(), HandScanner()
        scanner.reset(ZONES)
        for k in range(2500):
            if k % 5 == 0:
                # The line wants one test after the other, and hands may go in between.
                requested = (k // 600) % 2 == 0
                closed = not line.tester.unplug_allowed
                clear = scanner.clear({"left": rig.pose}, rig.time, closed)
                was_live = live(line.tester)
                line.scan(hands_clear=clear, requested=requested)
                tests += live(line.tester) and not was_live
                rig.signals = {name: get() for name, get in line.tester.inputs().items()}
                rig.seen = rig.state()
            rig.tick(one(target(k)))
            if line.tester.bus_voltage > 60.0 or live(line.tester):
                assert rig.depth() < 1e-3
        assert "hand_under_voltage" not in kinds(line.tester)
    # A policy that stays in front of the zone may keep the tester waiting for ever.
    assert tests > 0 or policy.__name__ in ("uniform", "by_turns", "by_wrench")


def test_a_hand_shoved_in_under_voltage_breaks_the_test_off_and_stops_the_robot():
    rig = Rig([0.4, 0.1, 0.9])
    line, scanner = Line(HvTesterConfig()), HandScanner()
    scanner.reset(ZONES)

    def run(ticks, shove):
        for k in range(ticks):
            if k % 5 == 0:
                closed = not line.tester.unplug_allowed
                line.scan(hands_clear=scanner.clear({"left": rig.pose}, rig.time, closed))
                rig.signals = {name: get() for name, get in line.tester.inputs().items()}
            rig.position[0] += shove
            rig.seen = rig.state()
            rig.tick(one(wanted([0.4, 0.1, 0.9])))

    run(300, 0.0)
    assert live(line.tester)
    with pytest.raises(SafetyStop, match="inside zone 'port_a'"):
        run(500, 2e-3)
    line.scan(hands_clear=False)
    assert not live(line.tester)
    line.until(done)
    assert line.tester.report.aborted == "a hand near the pack"
