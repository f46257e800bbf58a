"""High voltage comes last, after everything that it needs, in whatever order that comes."""

import itertools

import numpy as np
import pytest

from tasks.hv_contacts import PlugContacts
from tasks.hv_tester import Stage
from tests.tasks.hv_line import EXPECTED, IN, OUT, SCAN, UNLOCKED, Line, kinds, live

CONDITIONS = {
    "pack_in_place": False,
    "hands_clear": False,
    "requested": False,
    "a": OUT,
    "b": PlugContacts(mated=True, locked=False, interlock=True, power=True),
}


@pytest.mark.parametrize("order", tuple(itertools.permutations(CONDITIONS)), ids="-".join)
def test_high_voltage_comes_last_whatever_the_order_of_what_it_needs(order):
    line = Line()
    met = dict(line.seen)
    line.seen |= CONDITIONS
    for name in order:
        for _ in range(40):
            line.scan()
            assert not live(line.tester)
            assert line.tester.hv_off
            assert line.tester.waiting_for is not None
        line.seen[name] = met[name]
    last = line.scans * SCAN
    assert line.until(live) - last >= 0.2 - 1e-9


@pytest.mark.parametrize(
    "lacking",
    [
        dict.fromkeys(names)
        for size in (1, 2, 5)
        for names in itertools.combinations(CONDITIONS, size)
    ],
    ids="-".join,
)
def test_high_voltage_does_not_come_while_anything_is_missing(lacking):
    line = Line()
    line.seen |= {name: CONDITIONS[name] for name in lacking}
    for _ in range(200):
        line.scan()
        assert not live(line.tester)
        assert line.tester.bus_voltage == 0.0
    assert line.says("unplug_allowed")


@pytest.mark.parametrize("missing", ["mated", "locked", "interlock", "power"])
def test_every_contact_of_every_plug_is_needed(missing):
    for port in EXPECTED:
        line = Line()
        line.seen[port] = PlugContacts(
            **{name: name != missing for name in ("mated", "locked", "interlock", "power")}
        )
        for _ in range(100):
            assert not live(line.scan())
        assert f"'{port}'" in line.tester.waiting_for


def test_a_port_that_says_nothing_is_empty():
    line = Line()
    del line.seen["b"]
    for _ in range(100):
        assert not live(line.scan())
    assert line.tester.waiting_for == "interlock of 'b' open"
    assert not line.says("interlock_closed")
    assert line.says("lock_in_a")
    assert not line.says("lock_in_b")


def test_without_a_pack_or_without_plugs_nothing_is_tested():
    for line in (Line(pack=None), Line(expected=())):
        for _ in range(100):
            assert not live(line.scan())
            assert line.tester.bus_voltage == 0.0
    assert not line.says("interlock_closed")


def test_hands_are_told_to_keep_out_before_high_voltage_comes():
    line = Line()
    told = None
    while not live(line.tester):
        if told is None and not line.tester.unplug_allowed:
            told = line.scans * SCAN
        line.scan()
    assert line.scans * SCAN - told >= 0.2 - 1e-9


def test_a_hand_that_comes_while_arming_starts_it_anew():
    line = Line()
    for _ in range(15):
        line.scan()
    assert line.tester.stage is Stage.ARMING
    line.scan(hands_clear=False)
    assert line.tester.unplug_allowed
    back = line.scans * SCAN
    line.seen["hands_clear"] = True
    assert line.until(live) - back >= 0.2 - 1e-9
    assert kinds(line.tester) == []


def test_random_inputs_never_get_past_the_order():
    rng = np.random.default_rng(11)
    line = Line()
    met = dict(line.seen)
    changes = {name: (met[name], CONDITIONS[name]) for name in met}
    changes["a"] = (IN, UNLOCKED, OUT, PlugContacts(power=True))
    in_order_since, tests = None, 0
    for _ in range(30000):
        was_live = live(line.tester)
        was_high = was_live or line.tester.bus_voltage > 60.0
        power_before = line.seen["a"].power
        parted_before = kinds(line.tester).count("unplugged_under_voltage")
        if rng.random() < 0.02:
            name = str(rng.choice(list(changes)))
            options = changes[name]
            line.seen[name] = options[int(rng.integers(len(options)))]
        elif rng.random() < 0.02:
            line.seen |= met
        tester = line.scan()
        now = line.scans * SCAN
        in_order = line.seen == met
        in_order_since = (in_order_since or now) if in_order else None
        if live(tester):
            assert in_order
            assert was_live or now - in_order_since >= 0.2 - 1e-9
            tests += not was_live
        assert not (tester.hv_off and (live(tester) or tester.bus_voltage >= 60.0))
        assert not (tester.unplug_allowed and not tester.hv_off)
        parted = was_high and power_before and not line.seen["a"].power
        recorded = kinds(tester).count("unplugged_under_voltage") - parted_before
        assert recorded == int(parted)
    assert tests > 20
    assert len(tester.contacts.violations) > 20
