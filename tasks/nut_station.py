"""Where the nut insertion happens: nests, pins, bench, and the signals of its PLC."""

from __future__ import annotations

import math
from dataclasses import dataclass

from robot.spatial import Pose
from robot.station import Direction, SignalSpec
from tasks.parts.bench import bench_part
from tasks.parts.nut import NutSize, nest_part, nut_part, pin_part
from tasks.parts.shapes import Part
from tasks.places import ARMS, both_sides, tool_orientation

BENCH = "bench"

# A nest's x axis points up, a tool's down: half a turn about the axis both share.
HALF_TURN = Pose.from_rotation_vector((0.0, 0.0, math.pi))

# A nut this far below feeder and pin has been dropped, in m; the bench is a little lower still.
_DROPPED_BELOW = 0.045
_BENCH_BELOW = 0.03
# Where the column behind a pin's plate ends, in m.
_COLUMN_END = 0.066


@dataclass(frozen=True)
class StationConfig:
    """Where feeders and fixture stand; the right side mirrors the left.

    Attributes:
        tilt_deg: How far the approach points below the horizontal.
        feeder_position: Of the nut in the left nest, world, in m.
        pin_position: Of the left pin's seat, world, in m.
        home_position: Where the left tool waits, world, in m.
    """

    tilt_deg: float = 30.0
    feeder_position: tuple[float, float, float] = (0.525, 0.38, 0.877)
    pin_position: tuple[float, float, float] = (0.58, 0.26, 0.88)
    home_position: tuple[float, float, float] = (0.46, 0.30, 0.95)

    def __post_init__(self) -> None:
        """Refuse a station that the robot's arms cannot point at."""
        if not 0.0 <= self.tilt_deg <= 45.0:
            raise ValueError(f"tilt_deg: expected 0 to 45, got {self.tilt_deg}")
        for name in ("feeder_position", "pin_position", "home_position"):
            if getattr(self, name)[1] <= 0.05:
                raise ValueError(f"{name}: expected y of the left side above 0.05 m")


class NutStation:
    """The nominal station, both sides of it.

    Attributes:
        size: Dimensions of nut and pin.
        pose_world_nest: Where each nest is, by arm name.
        pose_world_pin: Where each pin is, by arm name.
        pose_world_home: Where each tool waits, by arm name.
        floor: A nut below this height has been dropped, in m.
        parts: Everything that stands or lies there.
        signals: What PLC and robot tell each other.
    """

    def __init__(self, config: StationConfig, size: NutSize, magazine: int) -> None:
        """Set it up.

        Args:
            config: Where things stand.
            size: Dimensions of nut and pin.
            magazine: Nuts per feeder.
        """
        self.size = size
        self._magazine = magazine
        orientation = tool_orientation(math.radians(config.tilt_deg))
        turned = orientation @ Pose.from_rotation_vector((math.pi, 0.0, 0.0))
        self.pose_world_nest = both_sides(config.feeder_position, turned @ HALF_TURN)
        self.pose_world_pin = both_sides(config.pin_position, turned)
        self.pose_world_home = both_sides(config.home_position, orientation)
        lowest = min(config.feeder_position[2], config.pin_position[2])
        self.floor = lowest - _DROPPED_BELOW
        self.parts = (self._bench(), *self._both_sides())
        self.signals = (
            *(
                SignalSpec(f"{name}_{arm}{suffix}", Direction.INPUT, bool, f"{meaning}, {arm} side")
                for arm in ARMS
                for name, suffix, meaning in (
                    ("feeder", "_ready", "a nut lies in the nest"),
                    ("seated", "", "the proximity switch behind the plate sees a nut"),
                    ("tightened", "", "the fixture has tightened the nut"),
                )
            ),
            SignalSpec("tighten", Direction.OUTPUT, bool, "hands are clear, tighten both"),
        )

    def nuts(self, arm: str) -> tuple[str, ...]:
        """Return the names of the nuts in a feeder's magazine, first to last."""
        return tuple(f"nut_{arm}_{i}" for i in range(self._magazine))

    def _bench(self) -> Part:
        """Return the bench, with a post under each pin's column."""
        ends = []
        for arm in ARMS:
            column = self.pose_world_pin[arm].transform((0.0, 0.0, -_COLUMN_END))
            ends.append((float(column[0]), float(column[1]), float(column[2])))
        return bench_part(BENCH, self.floor - _BENCH_BELOW, ends)

    def _both_sides(self) -> tuple[Part, ...]:
        return tuple(
            part
            for arm in ARMS
            for part in (
                pin_part(f"pin_{arm}", self.size),
                nest_part(f"nest_{arm}", self.size),
                *(nut_part(name, self.size) for name in self.nuts(arm)),
            )
        )
