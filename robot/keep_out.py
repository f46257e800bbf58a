"""Boxes that hands are kept out of, and how wide a berth hands give: data, without any watching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robot.arrays import Array, frozen, read_only
from robot.spatial import Pose


@dataclass(frozen=True, eq=False)
class KeepOut:
    """A box around something that no hand may be near while its zone is closed.

    Attributes:
        name: For messages, e.g. the port.
        pose_world_box: Its centre and axes, where they are believed to be.
        half_extents: Half its edges, in m. Shape (3,).
    """

    name: str
    pose_world_box: Pose
    half_extents: Array

    def __post_init__(self) -> None:
        """Refuse a box without volume."""
        half = frozen("half_extents", self.half_extents, (3,))
        if not np.all(half > 0.0):
            raise ValueError(f"half_extents of zone '{self.name}': expected positive, got {half}")
        object.__setattr__(self, "half_extents", half)


@dataclass(frozen=True)
class ZoneConfig:
    """How wide a berth hands give, and what opens a zone.

    Attributes:
        margin: Boxes grow by this on every side, so that an error of belief does not matter, in m.
        hand_points: Centres of the spheres that a hand is made of, in its tool frame, in m: ahead
            for what it holds, behind for fingers and gripper. The tool's origin always is one.
        hand_radius: Of these spheres, in m.
        buffer: Targets are kept this much further away than measured hands, in m.
        reaction: Time from a signal to a hand that brakes, in s: scan of the PLC, control period,
            measuring of the speed, lag of the arm.
        deceleration: What a braking hand can be trusted with, in m/s^2.
        unknown_speed: A hand seen for the first time is taken to be this fast, in m/s.
        rest_speed: A hand slower than this has come to rest, in m/s.
        near: A hand this near a closed zone exerts no wrench, and is held stiffly, in m.
        hold_stiffness: Of a held hand: N/m, N·m/rad.
        entry_depth: A measured hand this deep in a closed zone stops the robot, in m.
        rest_distance: So does a hand that was inside when it closed and moves by this much, in m.
        open_signals: Boolean inputs of the station, all of which must say true for zones to open.
        heartbeat: Boolean input that must keep changing for zones to open; None for none.
        heartbeat_timeout: Longest time between two of its changes, in s.
    """

    margin: float = 0.03
    hand_points: tuple[tuple[float, float, float], ...] = (
        (0.0, 0.0, 0.05),
        (0.0, 0.0, -0.08),
        (0.0, 0.0, -0.16),
    )
    hand_radius: float = 0.04
    buffer: float = 0.01
    reaction: float = 0.03
    deceleration: float = 4.0
    unknown_speed: float = 1.0
    rest_speed: float = 0.05
    near: float = 0.05
    hold_stiffness: tuple[float, float] = (1500.0, 50.0)
    entry_depth: float = 0.01
    rest_distance: float = 0.02
    open_signals: tuple[str, ...] = ("hv_off", "unplug_allowed")
    heartbeat: str | None = None
    heartbeat_timeout: float = 0.1

    def __post_init__(self) -> None:
        """Refuse zones that would not protect."""
        if not self.open_signals:
            raise ValueError("open_signals: expected at least one, or nothing would open a zone")
        for name in ("margin", "hand_radius", "reaction", "near", "entry_depth", "rest_distance"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        for name in ("buffer", "deceleration", "unknown_speed", "rest_speed", "heartbeat_timeout"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")

    @property
    def stop_distance(self) -> float:
        """How far from a zone a hand of unknown speed must be to count as clear, in m."""
        speed = self.unknown_speed
        return speed * (self.reaction + 0.5 * speed / self.deceleration)

    def points(self) -> Array:
        """Return the spheres' centres in the tool frame, its origin first. Shape (n, 3)."""
        return read_only(np.array([(0.0, 0.0, 0.0), *self.hand_points]))

    def boxes(self, zones: Sequence[KeepOut]) -> Array:
        """Return boxes grown by margin and radius as `robot.zone_kernel` takes them."""
        grown = self.margin + self.hand_radius
        rows = [
            np.concatenate(
                [
                    zone.pose_world_box.rotation.T.ravel(),
                    zone.pose_world_box.position,
                    zone.half_extents + grown,
                ]
            )
            for zone in zones
        ]
        return read_only(np.array(rows).reshape(-1, 15))
