"""What the wrists felt during one cycle: watched at control rate, summed up, and kept thinned."""

from __future__ import annotations

import io
import math
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from robot.errors import ConfigError
from robot.sensor import WrenchReading
from workcell.files import replace_file

if TYPE_CHECKING:
    # Brings the robot's model with it, which whoever only reads records need not wait for.
    from robot.loop import Tick

# A trace keeps the hardest force of each stretch of this length, in s: what a policy sees of it.
_STRETCH = 0.04


@dataclass(frozen=True)
class ForceRecord:
    """What one wrist felt in one cycle.

    Attributes:
        peak_n: Hardest force, in N.
        p95_n: Force that was exceeded for a twentieth of the time, in N.
        above_limit_s: Time with more than the limit, all together, in s.
        longest_above_s: Longest uninterrupted time with more than the limit, in s.
    """

    peak_n: float = 0.0
    p95_n: float = 0.0
    above_limit_s: float = 0.0
    longest_above_s: float = 0.0


@dataclass(frozen=True, eq=False)
class ForceTrace:
    """What each wrist felt over one cycle.

    Attributes:
        dt: Length of a stretch, in s.
        force_n: Hardest force of each stretch, in N, by name of the sensor. Shape (stretches,).
    """

    dt: float
    force_n: Mapping[str, NDArray[np.float32]]

    def write(self, path: Path) -> None:
        """Write a compressed file of numbers: tenths of a newton, so that a cycle takes 1 kB."""
        tenths = {
            name: np.clip(np.rint(10.0 * force), 0, 65535).astype(np.uint16)
            for name, force in self.force_n.items()
        }
        packed = io.BytesIO()
        np.savez_compressed(packed, dt=np.array(self.dt), **tenths)
        replace_file(path, packed.getvalue())

    @classmethod
    def read(cls, path: Path) -> ForceTrace:
        """Return the trace that a file holds.

        Raises:
            ConfigError: If it is no such file.
        """
        try:
            # Opened here: of a damaged one, numpy would leave it open.
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                force = {
                    name: (0.1 * file[name]).astype(np.float32)
                    for name in file.files
                    if name != "dt"
                }
                return cls(float(file["dt"]), force)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise ConfigError(f"{path}: expected the forces of one cycle; {error}") from error


class ForceWatch:
    """A listener that keeps what the wrists feel during a cycle."""

    def __init__(self, limit: float, dt: float) -> None:
        """Watch.

        Args:
            limit: Force above which time is counted, in N.
            dt: Control period, in s.
        """
        self.limit = limit
        self._dt = dt
        self.reset()

    def reset(self) -> None:
        """Forget the last cycle."""
        self._felt: dict[str, array[float]] = {}

    def __call__(self, tick: Tick) -> None:
        """Look at one control tick."""
        for name, reading in tick.state.readings.items():
            if isinstance(reading, WrenchReading):
                x, y, z = reading.wrench_tool[:3].tolist()
                felt = self._felt.get(name)
                if felt is None:
                    felt = self._felt[name] = array("f")
                felt.append(math.sqrt(x * x + y * y + z * z))

    def records(self) -> dict[str, ForceRecord]:
        """Return the figures of the cycle so far, by name of the sensor."""
        return {name: self._record(force) for name, force in self._forces().items()}

    def trace(self) -> ForceTrace:
        """Return the cycle so far."""
        ticks = max(1, round(_STRETCH / self._dt))
        thinned = {
            name: np.maximum.reduceat(force, np.arange(0, len(force), ticks))
            for name, force in self._forces().items()
        }
        return ForceTrace(ticks * self._dt, thinned)

    def _forces(self) -> dict[str, NDArray[np.float32]]:
        return {name: np.array(felt, dtype=np.float32) for name, felt in self._felt.items()}

    def _record(self, force: NDArray[np.float32]) -> ForceRecord:
        above = force > self.limit
        # Where runs of ticks above the limit begin and end.
        edges = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]])))
        longest = int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
        return ForceRecord(
            peak_n=float(force.max()),
            p95_n=float(np.quantile(force, 0.95)),
            above_limit_s=float(above.sum() * self._dt),
            longest_above_s=longest * self._dt,
        )
