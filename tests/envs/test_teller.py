"""What a station is told, and what may still stand with it after a write that failed."""

import pytest

from envs.teller import Teller
from robot.errors import DeviceFault
from robot.station import StationOutputs

BUSY, ASKED = StationOutputs(busy=True), {"tighten": True}


class Station:
    """Keeps what it is told; while it fails, it may have been told or not."""

    def __init__(self):
        self.told, self.arrives, self.fails = [], True, False

    def write(self, outputs):
        if self.arrives:
            self.told.append(outputs)
        if self.fails:
            raise DeviceFault("the PLC does not answer")


@pytest.fixture
def station():
    return Station()


@pytest.fixture
def teller(station):
    return Teller(station)


def test_what_it_knows_it_is_not_told_again(station, teller):
    for _ in range(3):
        teller.tell(BUSY, ASKED)
    assert station.told == [StationOutputs(busy=True, signals=ASKED)]
    teller.forget()
    teller.tell(BUSY, ASKED)
    assert len(station.told) == 2


@pytest.mark.parametrize("outputs", [StationOutputs(ready=True), StationOutputs(done=True)])
def test_nothing_is_asked_before_a_cycle_nor_after_it(station, teller, outputs):
    teller.tell(outputs, ASKED)
    assert station.told == [outputs]
    assert not teller.asks


def test_requests_are_taken_back_and_the_rest_stands(station, teller):
    assert not teller.asks
    teller.tell(BUSY, ASKED)
    assert teller.asks
    teller.withdraw()
    assert not teller.asks
    assert station.told[-1] == BUSY


@pytest.mark.parametrize("arrives", [True, False])
def test_requests_that_were_not_acknowledged_may_stand_until_they_are_taken_back(
    station, teller, arrives
):
    station.fails, station.arrives = True, arrives
    for withdraw in (lambda: teller.tell(BUSY, ASKED), teller.withdraw, teller.withdraw):
        with pytest.raises(DeviceFault):
            withdraw()
        assert teller.asks
    station.fails, station.arrives = False, True
    teller.withdraw()
    assert not teller.asks
    assert station.told[-1].signals == {}


def test_what_was_asked_before_a_write_failed_may_stand_as_well(station, teller):
    teller.tell(BUSY, ASKED)
    station.fails = True
    with pytest.raises(DeviceFault):
        teller.tell(BUSY, {})
    assert teller.asks


def test_a_write_that_asked_for_nothing_leaves_nothing_asked(station, teller):
    station.fails = True
    with pytest.raises(DeviceFault):
        teller.tell(BUSY, {})
    assert not teller.asks
    station.fails = False
    teller.tell(BUSY, {})
    assert station.told == [BUSY, BUSY]
