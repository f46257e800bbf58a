"""What robot and tester tell each other."""

from __future__ import annotations

from collections.abc import Iterable

from robot.station import Direction, SignalSpec

# The one output of the robot.
REQUEST = "plugs_mated"

_FLAGS = (
    ("pack_in_place", "a pack stands in the station"),
    ("interlock_closed", "the interlock loop through every expected plug is closed"),
    ("testing", "high voltage is on, coming or going"),
    ("test_done", "a test has ended and high voltage is off; falls with another pack or test"),
    ("test_passed", "that test found the pack good"),
    ("hv_off", "contactors are open and the bus was confirmed below 60 V"),
    ("unplug_allowed", "high voltage is off and will not come: hands may go to the pack"),
    ("heartbeat", "changes with every scan of the tester that the PLC sees"),
)
# Measured by the tester; all but the first stand still from their measurement to the next test.
FIGURES = (
    ("bus_voltage_v", "voltage of the bus, V"),
    ("insulation_ohm_per_v", "insulation resistance of the tested pack, ohm/V"),
    ("pack_voltage_v", "voltage of the tested pack, V"),
    ("ocv_spread_mv", "spread of its cells' open-circuit voltages, mV"),
    ("dcr_mohm", "dV/dI of its 10 s pulse, mohm"),
)


def hv_signals(ports: Iterable[str]) -> tuple[SignalSpec, ...]:
    """Return the process signals between robot and tester.

    Args:
        ports: Every port of every pack model.
    """
    return (
        *(SignalSpec(name, Direction.INPUT, bool, meaning) for name, meaning in _FLAGS),
        *(
            SignalSpec(f"lock_in_{port}", Direction.INPUT, bool, f"the lock of port {port} is in")
            for port in ports
        ),
        *(SignalSpec(name, Direction.INPUT, float, meaning) for name, meaning in FIGURES),
        SignalSpec(
            REQUEST,
            Direction.OUTPUT,
            bool,
            "all plugs are mated: test; a fall breaks a test off, another one needs another rise",
        ),
    )
