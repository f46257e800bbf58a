import math

import numpy as np
import pytest

from robot.errors import UnknownName
from tasks.hv_contacts import PlugContacts
from tasks.hv_figures import PackFigures, draw_pack
from tasks.hv_tester import HvTester, HvTesterConfig, Stage
from tests.tasks.hv_line import (
    EXPECTED,
    IN,
    OUT,
    PACK,
    PORTS,
    SCAN,
    UNLOCKED,
    Line,
    done,
    kinds,
    live,
)


def test_a_pack_that_is_plugged_in_is_tested_and_let_go():
    line = Line(HvTesterConfig())
    on = line.until(live)
    assert on == pytest.approx(0.2 + SCAN)
    off = line.until(done)
    # EOL about 3 s, a pulse of 10 s, less than a second to discharge.
    assert off - on == pytest.approx(13.0 + 0.7, abs=0.2)
    report = line.tester.report
    assert report.passed
    assert report.aborted is None
    assert report.ended - report.started == pytest.approx(off - on)
    for name, value in {"test_done": True, "test_passed": True, "unplug_allowed": True}.items():
        assert line.says(name) is value
    assert not line.says("testing")


def test_figures_are_those_of_the_pack_within_the_error_of_the_meters():
    line = Line(HvTesterConfig())
    line.until(done)
    figures = line.tester.report.figures
    assert figures["pack_voltage_v"] == pytest.approx(700.0, rel=2e-3)
    assert figures["insulation_ohm_per_v"] == pytest.approx(5000.0, rel=5e-3)
    assert figures["ocv_spread_mv"] == pytest.approx(10.0)
    assert figures["dcr_mohm"] == pytest.approx(120.0, rel=5e-3)
    # The bus falls from the pack under load to 60 V with its time constant.
    expected = 0.25 * math.log((700.0 - 150.0 * 0.12) / 60.0)
    assert figures["discharge_s"] == pytest.approx(expected, abs=1.5 * SCAN)


def test_the_bus_shows_insulation_test_pack_and_pulse_in_turn():
    line = Line(HvTesterConfig())
    line.until(live)
    seen = {}
    while line.tester.stage is not Stage.DONE:
        seen.setdefault(line.tester.stage, []).append(line.tester.bus_voltage)
        line.scan()
    assert set(seen[Stage.INSULATION]) == {1000.0}
    assert set(seen[Stage.VOLTAGE]) == {700.0}
    pulse = seen[Stage.PULSE]
    assert pulse[0] == pytest.approx(700.0 - 150.0 * 0.06)
    assert pulse[-1] == pytest.approx(700.0 - 150.0 * 0.12, abs=0.1)
    assert pulse == sorted(pulse, reverse=True)
    low = Line(HvTesterConfig(), PackFigures(400.0, 400.0, 5e3, 0.01, 0.05, 0.1, 0.2))
    low.until(live)
    assert low.tester.bus_voltage == 500.0


@pytest.mark.parametrize(
    ("change", "reason", "violations"),
    [
        ({"pack_in_place": False}, "no pack in place", []),
        ({"requested": False}, "'plugs_mated' not set", []),
        ({"hands_clear": False}, "a hand near the pack", ["hand_under_voltage"]),
        ({"a": UNLOCKED}, "interlock of 'a' open", ["interlock_opened_under_voltage"]),
        (
            {"b": OUT},
            "interlock of 'b' open",
            ["interlock_opened_under_voltage", "unplugged_under_voltage", "short_dwell"],
        ),
        (
            {"b": PlugContacts(mated=True, locked=False, interlock=True, power=True)},
            "lock of 'b' not in",
            [],
        ),
    ],
    ids=["pack", "request", "hand", "interlock", "torn off", "lock"],
)
@pytest.mark.parametrize("after", [0, 3, 8, 15])
def test_whatever_is_lost_opens_the_contactors_in_the_same_scan(change, reason, violations, after):
    line = Line()
    line.until(live)
    for _ in range(after):
        line.scan()
    before = line.tester.bus_voltage
    line.scan(**change)
    assert not live(line.tester)
    assert not line.tester.hv_off
    assert not line.tester.unplug_allowed
    assert kinds(line.tester) == violations
    voltages = [line.tester.bus_voltage]
    while not done(line.tester):
        voltages.append(line.scan().bus_voltage)
    assert voltages == sorted(voltages, reverse=True)
    assert voltages[0] == pytest.approx(before, rel=0.05)
    report = line.tester.report
    assert report.aborted == reason
    assert not report.passed
    assert not line.says("test_passed")
    assert line.says("test_done")


def test_high_voltage_is_off_only_when_seen_below_60_v_for_a_while():
    line = Line()
    line.until(live)
    line.scan(requested=False)
    below = None
    while not line.tester.hv_off:
        assert not line.tester.unplug_allowed
        if below is None and line.tester.bus_voltage < 60.0:
            below = line.scans * SCAN
        line.scan()
    assert line.tester.bus_voltage < 60.0
    assert line.scans * SCAN - below == pytest.approx(0.05)


def test_an_aborted_test_is_not_taken_up_again_without_a_new_request():
    line = Line()
    line.until(live)
    line.scan(hands_clear=False)
    line.until(done)
    line.seen["hands_clear"] = True
    for _ in range(200):
        assert not live(line.scan())
    line.scan(requested=False)
    line.seen["requested"] = True
    line.until(live)
    assert line.tester.report is None
    line.until(done)
    assert line.tester.report.passed
    assert kinds(line.tester) == ["hand_under_voltage"]


def test_unplugging_in_order_is_no_violation_and_its_dwell_is_measured():
    line = Line()
    line.until(done)
    for port, scans in (("a", 10), ("b", 37)):
        line.scan(**{port: UNLOCKED})
        for _ in range(scans - 1):
            line.scan()
        line.scan(**{port: OUT})
    assert line.tester.contacts.dwells == pytest.approx({"a": 0.1, "b": 0.37})
    assert kinds(line.tester) == []
    assert line.tester.events()["shortest_dwell_s"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("first", "scans", "dwell"),
    [
        (UNLOCKED, 9, 0.09),
        # Interlock and power at once, and power first.
        (IN, 5, 0.0),
        (PlugContacts(interlock=True), 5, 0.0),
    ],
)
def test_a_plug_that_is_torn_off_is_a_violation_without_voltage_too(first, scans, dwell):
    line = Line()
    line.until(done)
    line.scan(a=first)
    for _ in range(scans - 1):
        line.scan()
    line.scan(a=OUT)
    assert line.tester.contacts.dwells["a"] == pytest.approx(dwell)
    assert kinds(line.tester) == ["short_dwell"]
    assert line.tester.events()["short_dwell"] == 1.0


def test_a_plug_that_never_closed_its_interlock_has_no_dwell():
    line = Line()
    line.seen |= {"requested": False, "a": OUT}
    for contacts in (OUT, PlugContacts(power=True), OUT):
        line.scan(a=contacts)
    assert line.tester.contacts.dwells == {}
    assert kinds(line.tester) == []


def test_a_lock_pushed_in_again_forgets_that_it_was_open():
    line = Line()
    line.until(done)
    for contacts in (*[UNLOCKED] * 20, IN, UNLOCKED, OUT):
        line.scan(a=contacts)
    assert line.tester.contacts.dwells["a"] == pytest.approx(SCAN)


def test_unplugging_while_the_bus_discharges_is_under_voltage():
    line = Line()
    line.until(live)
    line.scan(a=UNLOCKED)
    for _ in range(15):
        line.scan()
    assert not live(line.tester)
    assert line.tester.bus_voltage > 60.0
    line.scan(a=OUT)
    assert kinds(line.tester) == ["interlock_opened_under_voltage", "unplugged_under_voltage"]
    violation = line.tester.contacts.violations[1]
    assert violation.port == "a"
    assert violation.voltage > 60.0


def test_the_same_inputs_give_the_same_figures_to_the_bit():
    def run():
        rng = np.random.default_rng(3)
        line = Line(HvTesterConfig(), PackFigures.from_parameters(draw_pack(rng)))
        line.until(done)
        return line.tester.report

    assert run() == run()


def test_a_clock_that_goes_back_needs_a_reset():
    line = Line()
    for _ in range(5):
        line.scan()
    line.scans = 0
    with pytest.raises(ValueError, match=r"needs a reset\(\)"):
        line.scan()
    line.tester.reset(0.0, EXPECTED, PACK)
    line.scan()


def test_a_port_nobody_knows_is_refused():
    with pytest.raises(UnknownName, match="no port named 'c'"):
        HvTester(PORTS).reset(0.0, ("c",), PACK)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dwell", 0.05),
        ("touch_voltage", 90.0),
        ("arm_time", 0.0),
        ("insulation_voltages", ()),
        ("pulse_current", -1.0),
    ],
)
def test_a_tester_that_would_not_be_safe_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        HvTesterConfig(**{field: value})
