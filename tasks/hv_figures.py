"""What a battery pack is like electrically, what a tester finds of it, and what is good enough.

Sources: insulation of at least 100 ohm/V for DC, UN R100 5.1.3; spread of open-circuit voltages at
most 50 mV (LFP) or 20 mV (NMC) and pack against BMS voltage within 1 %, usual end-of-line limits;
at most 60 V within 1 s of separation, UN R100; resistance from dV/dI of a 10 s pulse as in the HPPC
method.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from robot.errors import ConfigError

# Resistance of a cell's 10 s pulse that is still good, in ohm.
_CELL_RESISTANCE_LIMIT = 1.0e-3
# Cell voltage and largest spread of open-circuit voltages by chemistry, in V.
_CHEMISTRIES = {"lfp": (3.3, 0.050), "nmc": (3.7, 0.020)}
LEAST_CHARGED = 0.92
"""Share of its charged voltage that a pack has at least when it comes."""

# To all of it; rounded, so that it is the number one writes.
_CHARGE_RANGE = round(1.0 - LEAST_CHARGED, 9)

TOUCHABLE = 60.0
"""Voltage up to which nothing is high voltage, in V."""

_DRAWS = (
    *("chemistry", "voltage", "bms", "insulation", "spread", "cell", "slow", "bus"),
    *("voltmeter", "ammeter", "faulty", "fault", "severity"),
)
_FAULTS = ("insulation", "ocv spread", "resistance")


@dataclass(frozen=True)
class PackFigures:
    """A pack as it is, and by how much the tester's meters are off.

    Attributes:
        voltage: Open-circuit voltage, in V.
        bms_voltage: What its own management system says, in V.
        insulation: Resistance between the high-voltage bus and the case for each volt, in ohm/V.
        ocv_spread: Between its fullest and its emptiest cell, in V.
        ocv_spread_limit: Of a good pack, in V.
        resistance: dV/dI of a 10 s pulse, in ohm.
        resistance_limit: Of a good pack, in ohm.
        polarization_time: Time constant of the slow half of the resistance, in s.
        bus_time: Time constant of the bus when its contactors open, in s.
        voltage_error: Relative error of the tester's voltmeter.
        current_error: Relative error of its ammeter.
    """

    voltage: float
    bms_voltage: float
    insulation: float
    ocv_spread: float
    ocv_spread_limit: float
    resistance: float
    resistance_limit: float
    polarization_time: float = 4.0
    bus_time: float = 0.25
    voltage_error: float = 0.0
    current_error: float = 0.0

    def __post_init__(self) -> None:
        """Refuse figures no pack of this line has."""
        if not TOUCHABLE < self.voltage <= 1000.0:
            raise ValueError(f"voltage: expected above 60 and up to 1000 V, got {self.voltage}")
        for name in ("insulation", "ocv_spread", "resistance", "polarization_time", "bus_time"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, float]) -> PackFigures:
        """Return the pack that `draw_pack` drew.

        Raises:
            ConfigError: Names what is missing.
        """
        missing = [name for name in _PARAMETERS if name not in parameters]
        if missing:
            raise ConfigError(f"pack: missing parameters {missing}, see draw_pack()")
        return cls(
            **{field: scale * parameters[name] for name, (field, scale) in _PARAMETERS.items()}
        )

    def drop(self, current: float, elapsed: float) -> float:
        """Return how far the voltage has fallen during a pulse, in V.

        Half of the resistance acts at once, the other half with its time constant, scaled so that
        `resistance` is what 10 s show.

        Args:
            current: Of the pulse, in A.
            elapsed: Since it began, in s.
        """
        slow = -math.expm1(-elapsed / self.polarization_time)
        slow /= -math.expm1(-10.0 / self.polarization_time)
        return current * self.resistance * 0.5 * (1.0 + slow)


_PARAMETERS: Mapping[str, tuple[str, float]] = {
    "pack_voltage_v": ("voltage", 1.0),
    "pack_bms_voltage_v": ("bms_voltage", 1.0),
    "pack_insulation_ohm_per_v": ("insulation", 1.0),
    "pack_ocv_spread_mv": ("ocv_spread", 1e-3),
    "pack_ocv_spread_limit_mv": ("ocv_spread_limit", 1e-3),
    "pack_resistance_mohm": ("resistance", 1e-3),
    "pack_resistance_limit_mohm": ("resistance_limit", 1e-3),
    "pack_polarization_s": ("polarization_time", 1.0),
    "pack_bus_time_s": ("bus_time", 1.0),
    "tester_voltage_error": ("voltage_error", 1.0),
    "tester_current_error": ("current_error", 1.0),
}


def draw_pack(
    rng: np.random.Generator, charged: float | None = None, fault_chance: float = 0.0
) -> dict[str, float]:
    """Draw a pack as parameters of a layout.

    The same numbers are drawn whether or not the pack is faulty.

    Args:
        rng: The episode's generator.
        charged: Voltage of this model when charged, in V, of which it has 92 to 100 %; if omitted,
            the pack has 350 to 800 V.
        fault_chance: Chance that the pack fails one of the tester's limits.

    Returns:
        Numbers named with their unit; `PackFigures.from_parameters` reads them.
    """
    u = dict(zip(_DRAWS, rng.uniform(size=len(_DRAWS)).tolist(), strict=True))
    cell_voltage, spread_limit = _CHEMISTRIES["lfp" if u["chemistry"] < 0.5 else "nmc"]
    if charged is None:
        voltage = 350.0 + 450.0 * u["voltage"]
    else:
        voltage = charged * (LEAST_CHARGED + _CHARGE_RANGE * u["voltage"])
    cells = max(round(voltage / cell_voltage), 1)
    insulation = 1e3 * 20.0 ** u["insulation"]
    spread = spread_limit * (0.1 + 0.6 * u["spread"])
    limit = cells * _CELL_RESISTANCE_LIMIT
    resistance = limit * (0.4 + 0.4 * u["cell"])
    if u["faulty"] < fault_chance:
        fault = _FAULTS[int(3.0 * u["fault"])]
        if fault == "insulation":
            insulation = 5.0 + 85.0 * u["severity"]
        elif fault == "ocv spread":
            spread = spread_limit * (1.2 + 3.0 * u["severity"])
        else:
            resistance = limit * (1.1 + 0.9 * u["severity"])
    return {
        "pack_voltage_v": voltage,
        "pack_bms_voltage_v": voltage * (1.0 + 4e-3 * (2.0 * u["bms"] - 1.0)),
        "pack_insulation_ohm_per_v": insulation,
        "pack_ocv_spread_mv": 1e3 * spread,
        "pack_ocv_spread_limit_mv": 1e3 * spread_limit,
        "pack_resistance_mohm": 1e3 * resistance,
        "pack_resistance_limit_mohm": 1e3 * limit,
        "pack_polarization_s": 2.0 + 6.0 * u["slow"],
        # From 800 V down to 60 V in 0.4 to 0.8 s.
        "pack_bus_time_s": 0.15 + 0.15 * u["bus"],
        "tester_voltage_error": 1e-3 * (2.0 * u["voltmeter"] - 1.0),
        "tester_current_error": 2e-3 * (2.0 * u["ammeter"] - 1.0),
    }


@dataclass(frozen=True)
class HvReport:
    """What the tester found, or why it did not.

    Attributes:
        started: When high voltage came on, on the cell's clock, in s.
        ended: When it was confirmed to be off, in s.
        aborted: Why the test was broken off, or None.
        figures: What was measured until then, named with its unit.
        failures: Each limit that was missed, in words.
    """

    started: float
    ended: float
    aborted: str | None
    figures: Mapping[str, float]
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything was measured and is good."""
        return self.aborted is None and not self.failures


def judge(figures: Mapping[str, float], pack: PackFigures) -> tuple[str, ...]:
    """Return each limit that measured figures miss, in words.

    Args:
        figures: As in `HvReport`, all of them.
        pack: Whose limits count.
    """
    voltage, bms = figures["pack_voltage_v"], pack.bms_voltage
    limits = (
        ("insulation", figures["insulation_ohm_per_v"], 100.0, "ohm/V", True),
        ("pack against BMS", 100.0 * abs(voltage - bms) / bms, 1.0, "%", False),
        ("OCV spread", figures["ocv_spread_mv"], 1e3 * pack.ocv_spread_limit, "mV", False),
        ("DCR", figures["dcr_mohm"], 1e3 * pack.resistance_limit, "mohm", False),
        ("bus below 60 V after", figures["discharge_s"], 1.0, "s", False),
    )
    return tuple(
        f"{name}: {value:.3g} {unit}, {'at least' if least else 'at most'} {limit:.3g} is good"
        for name, value, limit, unit, least in limits
        if (value < limit if least else value > limit)
    )
