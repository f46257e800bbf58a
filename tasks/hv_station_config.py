"""Where things stand in high-voltage plugging, and how far arms reach there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from robot.spatial import Pose
from tasks.hv_packs import PackModel

# An inner header is out of reach turned outwards more than this, in rad: the elbow is in the way.
_INNER, _INNER_YAW = 0.18, math.radians(4.0)


@dataclass(frozen=True)
class HvStationConfig:
    """Where things stand; the right side mirrors the left.

    Attributes:
        pack_position: Of a pack's frame, world, in m.
        dock_tilt_deg: How far a plug's way into its dock points below the horizontal.
        dock_positions: Of the mouths of the left docks, world, in m, one per slot.
        clip_positions: Where the left harnesses are clipped, world, in m, one per slot.
        clip_direction: Of a left harness where it leaves its clip, world; any length.
        home_position: Where the left tool waits, world, in m.
        clear_position: Where it waits out of the pack's zone, world, in m.
        bench_height: Of the bench's upper face, in m.
        bench_front: How far ahead its front edge is, in m; harnesses hang before it.
        reach_low: Smallest x, y and z of the mouth of a left header, world, in m.
        reach_high: Largest.
        reach_tilt_deg: Smallest and largest tilt of a header.
        reach_yaw_deg: Largest turn of a header to either side.
    """

    pack_position: tuple[float, float, float] = (0.64, 0.0, 0.62)
    dock_tilt_deg: float = 30.0
    dock_positions: tuple[tuple[float, float, float], ...] = (
        (0.52, 0.345, 0.90),
        (0.50, 0.445, 0.90),
    )
    clip_positions: tuple[tuple[float, float, float], ...] = (
        (0.60, 0.30, 0.72),
        (0.60, 0.44, 0.72),
    )
    clip_direction: tuple[float, float, float] = (0.0, 0.0, -1.0)
    home_position: tuple[float, float, float] = (0.46, 0.30, 0.95)
    clear_position: tuple[float, float, float] = (0.44, 0.38, 0.95)
    bench_height: float = 0.62
    bench_front: float = 0.62
    reach_low: tuple[float, float, float] = (0.56, 0.08, 0.88)
    reach_high: tuple[float, float, float] = (0.64, 0.32, 0.96)
    reach_tilt_deg: tuple[float, float] = (20.0, 40.0)
    reach_yaw_deg: float = 15.0

    def __post_init__(self) -> None:
        """Refuse a station without a place for every plug."""
        for name in ("dock_positions", "clip_positions"):
            places = getattr(self, name)
            if len(places) != 2 or any(y <= 0.05 for _, y, _ in places):
                raise ValueError(
                    f"{name}: expected two places of the left side, y above 0.05 m, got {places}"
                )
        if not any(self.clip_direction):
            raise ValueError("clip_direction: expected a direction, got zero")
        if not 0.0 <= self.dock_tilt_deg <= 45.0:
            raise ValueError(f"dock_tilt_deg: expected 0 to 45, got {self.dock_tilt_deg}")

    @property
    def pose_world_pack(self) -> Pose:
        """Where packs stand."""
        return Pose.translation(self.pack_position)

    def check_reach(self, pack: PackModel) -> None:
        """Refuse a pack with a header that the arms cannot push into; names pack and port."""
        for port in pack.ports:
            where = f"pack '{pack.name}', port '{port.name}'"
            side = 1.0 if port.arm == "left" else -1.0
            pose = self.pose_world_pack @ port.pose_pack_header
            mouth = pose.position * np.array([1.0, side, 1.0])
            low, high = np.array(self.reach_low), np.array(self.reach_high)
            if np.any(mouth < low - 1e-9) or np.any(mouth > high + 1e-9):
                raise ValueError(
                    f"{where}: position: out of reach, expected the mouth of the mirrored header "
                    f"within {low.tolist()} and {high.tolist()} in the world, "
                    f"got {mouth.round(4).tolist()}"
                )
            lowest, highest = self.reach_tilt_deg
            if not lowest <= port.tilt_deg <= highest:
                raise ValueError(
                    f"{where}: tilt_deg: expected {lowest} to {highest}, got {port.tilt_deg}"
                )
            outwards = side * port.yaw_deg
            most = math.degrees(_INNER_YAW) if mouth[1] < _INNER else self.reach_yaw_deg
            if not -self.reach_yaw_deg <= outwards <= most:
                raise ValueError(
                    f"{where}: yaw_deg: expected {-self.reach_yaw_deg:g} to {most:g} outwards "
                    f"there, got {outwards}"
                )
