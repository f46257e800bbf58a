import time as system_time

import pytest

from robot import clock as clock_module
from robot.clock import WallClock, whole_multiple
from robot.mock import ManualClock
from robot.sim.world import World


class Instant:
    """A system clock on which sleeping takes exactly as long as asked, plus some lateness."""

    def __init__(self, lateness: float = 0.0) -> None:
        self.now = 100.0
        self.lateness = lateness
        self.sleeps = 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, pause: float) -> None:
        self.sleeps += 1
        self.now += pause + self.lateness


def test_lateness_does_not_add_up(monkeypatch):
    system = Instant(lateness=3e-4)
    monkeypatch.setattr(clock_module, "system_time", system)
    clock = WallClock(2e-3)
    for _ in range(1000):
        clock.tick()
    assert clock.time == pytest.approx(2.0 + 3e-4, abs=1e-9)
    assert system.sleeps == 1000


def test_a_missed_deadline_is_not_caught_up_by_a_burst(monkeypatch):
    system = Instant()
    monkeypatch.setattr(clock_module, "system_time", system)
    clock = WallClock(2e-3)
    clock.tick()
    system.now += 0.0211
    before = clock.time
    for _ in range(5):
        clock.tick()
    # The tick that was late returns at once and the next when the present period ends; from then
    # on each takes a period. Ten periods were missed, and a burst would be over in no time.
    assert clock.time - before >= 3 * 2e-3
    assert clock.time == pytest.approx(round(clock.time / 2e-3) * 2e-3)


def test_ticks_that_come_late_are_counted_and_warned_of_now_and_then(monkeypatch, caplog):
    system = Instant()
    monkeypatch.setattr(clock_module, "system_time", system)
    clock = WallClock(2e-3)
    for _ in range(100):
        clock.tick()
    assert clock.late == 0
    for _ in range(50):
        system.now += 0.008
        clock.tick()
    assert clock.late == 50
    # Four tenths of a second: one warning, of the first.
    assert caplog.messages == ["tick 6.0 ms late, 1 so far"]


def test_a_wall_clock_waits():
    clock = WallClock(5e-3)
    start = system_time.monotonic()
    for _ in range(4):
        clock.tick()
    assert system_time.monotonic() - start >= 4 * 5e-3 - 1e-3


@pytest.mark.parametrize("make", [WallClock, ManualClock])
def test_a_period_that_is_not_positive_is_refused(make):
    with pytest.raises(ValueError, match="expected a positive period"):
        make(0.0)


@pytest.mark.parametrize("make", [ManualClock, World, WallClock])
def test_every_clock_moves_forward_by_its_period(make):
    clock = make(2e-3)
    before = clock.time
    clock.tick()
    assert clock.dt == 2e-3
    assert clock.time - before >= 2e-3 - 1e-4


def test_a_manual_clock_tells_its_listeners_in_order_after_the_time_has_moved():
    clock, heard = ManualClock(0.5), []
    clock.on_tick(lambda: heard.append(("first", clock.time)))
    clock.on_tick(lambda: heard.append(("second", clock.time)))
    clock.tick()
    assert heard == [("first", 0.5), ("second", 0.5)]


def test_a_manual_clock_collects_no_rounding():
    clock = ManualClock(1e-3)
    for _ in range(10_000):
        clock.tick()
    assert clock.time == 10.0


def test_rates_that_fit_are_counted_and_others_named():
    assert whole_multiple(0.04, 2e-3, ("policy", "control")) == 20
    with pytest.raises(ValueError, match=r"policy = 0\.03 s must be a whole .* control = 0\.02 s"):
        whole_multiple(0.03, 0.02, ("policy", "control"))
    with pytest.raises(ValueError, match="whole multiple"):
        whole_multiple(1e-3, 2e-3, ("short", "long"))
