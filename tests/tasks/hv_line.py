"""A tester at the end of the line, scanned with whatever plugs say."""

from tasks.hv_contacts import HvInputs, PlugContacts
from tasks.hv_figures import PackFigures
from tasks.hv_tester import HvTester, HvTesterConfig, Stage

PORTS = ("a", "b", "spare")
EXPECTED = ("a", "b")
SCAN = 0.01
IN = PlugContacts(mated=True, locked=True, interlock=True, power=True)
OUT = PlugContacts()
# Interlock opened, as the lock is pulled back; power contacts still touch.
UNLOCKED = PlugContacts(mated=True, locked=False, interlock=False, power=True)
SHORT = HvTesterConfig(insulation_time=0.05, voltage_time=0.05, pulse_time=0.1)
PACK = PackFigures(
    voltage=700.0,
    bms_voltage=701.0,
    insulation=5000.0,
    ocv_spread=0.01,
    ocv_spread_limit=0.05,
    resistance=0.12,
    resistance_limit=0.2,
)


class Line:
    """A tester that is scanned every 10 ms with whatever is set."""

    def __init__(self, config=SHORT, pack=PACK, expected=EXPECTED):
        self.tester = HvTester(PORTS, config)
        self.tester.reset(0.0, expected, pack)
        self.scans = 0
        self.seen = {
            "pack_in_place": True,
            "hands_clear": True,
            "requested": True,
            "a": IN,
            "b": IN,
        }

    def scan(self, **changes):
        self.seen |= changes
        self.scans += 1
        flags = {k: self.seen[k] for k in ("pack_in_place", "hands_clear", "requested")}
        plugs = {port: self.seen[port] for port in PORTS if port in self.seen}
        self.tester.scan(self.scans * SCAN, HvInputs(plugs=plugs, **flags))
        return self.tester

    def until(self, condition, limit=20.0):
        for _ in range(round(limit / SCAN)):
            if condition(self.scan()):
                return self.scans * SCAN
        raise AssertionError(f"not within {limit} s: {self.tester.stage}")

    def says(self, name):
        return self.tester.inputs()[name]()


def live(tester):
    return tester.contactors_closed


def done(tester):
    return tester.stage is Stage.DONE


def kinds(tester):
    return [violation.kind for violation in tester.contacts.violations]
