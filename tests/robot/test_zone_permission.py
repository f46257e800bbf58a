import numpy as np
import pytest

from robot.zones import ZoneConfig
from tests.robot.hand_rig import DT, OPEN, Rig, one, wanted


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"hv_off": True},
        {"unplug_allowed": True},
        {"hv_off": False, "unplug_allowed": True},
        {"hv_off": True, "unplug_allowed": False},
        {"hv_off": 1.0, "unplug_allowed": True},
    ],
    ids=str,
)
def test_a_zone_is_closed_unless_every_signal_says_open(said):
    rig = Rig([0.66, 0.1, 0.9], signals=said)
    target = one(wanted([0.7, 0.1, 0.9]))
    assert rig.guard.closed_because(rig.seen) is not None
    assert rig.guard.limit(target, rig.seen) is not target


def test_a_zone_is_closed_while_the_safety_chain_is_open():
    rig = Rig([0.66, 0.1, 0.9], signals=OPEN)
    rig.safe = False
    assert "safety chain" in rig.guard.closed_because(rig.state())
    rig.safe = True
    assert rig.guard.closed_because(rig.state()) is None


def test_a_zone_is_closed_while_the_heartbeat_stands():
    config = ZoneConfig(heartbeat="alive", heartbeat_timeout=0.1)
    rig = Rig([0.66, 0.1, 0.9], signals=OPEN, config=config)
    closed = []
    for k in range(200):
        # Beats every 10 ms for 200 ms, then stands.
        rig.signals = {**OPEN, "alive": bool((min(k, 100) // 5) % 2)}
        rig.time = k * DT
        closed.append(rig.guard.closed_because(rig.state()) is not None)
    assert all(closed[:5])
    assert not any(closed[5:150])
    assert all(closed[151:])
    rig.signals = OPEN
    assert "heartbeat" in rig.guard.closed_because(rig.state())


def test_a_heartbeat_that_is_no_number_does_not_beat():
    """It differs from itself."""
    rig = Rig([0.66, 0.1, 0.9], signals=OPEN, config=ZoneConfig(heartbeat="alive"))
    for k in range(100):
        rig.signals, rig.time = {**OPEN, "alive": np.nan}, k * DT
        assert "heartbeat" in rig.guard.closed_because(rig.state())
