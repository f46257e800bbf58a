import pytest

from robot.errors import ConfigError
from robot.mock import MockStation
from robot.station import Direction, SignalSpec, StationInputs, StationOutputs, require_signals

SEATED = SignalSpec("seated", Direction.INPUT, bool, "a part sits")
TIGHTEN = SignalSpec("tighten", Direction.OUTPUT, bool, "tighten it")


def test_nothing_said_means_not_safe_and_no_start():
    inputs = StationInputs()
    assert not inputs.safe
    assert not inputs.start
    assert not StationOutputs().ready


def test_a_station_with_everything_that_is_needed_passes():
    require_signals(MockStation([SEATED, TIGHTEN]), [TIGHTEN])


@pytest.mark.parametrize(
    "wired",
    [
        SignalSpec("seatd", Direction.INPUT, bool, "misspelled"),
        SignalSpec("seated", Direction.OUTPUT, bool, "the wrong way"),
        SignalSpec("seated", Direction.INPUT, float, "of another kind"),
    ],
)
def test_a_station_that_lacks_a_signal_is_refused_with_both_lists(wired):
    with pytest.raises(ConfigError) as refused:
        require_signals(MockStation([wired]), [SEATED, TIGHTEN])
    message = str(refused.value)
    assert "missing signals ['seated', 'tighten']" in message
    assert f"has ['{wired.name}']" in message


def test_a_mock_station_shows_what_was_written_and_says_what_was_set():
    station = MockStation([SEATED])
    outputs = StationOutputs(busy=True)
    station.write(outputs)
    assert station.outputs is outputs
    assert station.read().signals == {"seated": False}
    station.set(seated=True)
    assert station.read().signals == {"seated": True}
    assert station.read().safe
