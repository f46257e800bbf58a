"""What stands around the robot: a feeder that presents parts, a switch that feels them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from robot.sim.world import World
from robot.spatial import Pose, rotate

_AXIS = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class FeederConfig:
    """What a feeder is like.

    Attributes:
        index_time: Time from an empty nest to the next part, in s.
        presence_radius: A part whose origin is this near the nest's is seen there, in m.
    """

    index_time: float = 1.0
    presence_radius: float = 6e-3


class Feeder:
    """A nest and a magazine: puts the next part into the nest when the last one has been taken.

    Parts in the magazine are not yet there: they neither move nor touch anything. The feeder acts
    when it is asked whether it is ready, which a PLC does at every scan.
    """

    def __init__(
        self,
        world: World,
        parts: Sequence[str],
        pose_world_magazine: Pose,
        config: FeederConfig | None = None,
        clear: Callable[[], bool] = lambda: True,
    ) -> None:
        """Load a magazine.

        Args:
            world: Where the parts are bodies already.
            parts: Body names, first to last.
            pose_world_magazine: Where parts wait, out of sight.
            config: What it is like; the defaults if omitted.
            clear: Whether no hand is at the nest; nothing is presented while one is.
        """
        self._world = world
        self._parts = tuple(parts)
        self._pose_world_magazine = pose_world_magazine
        self._config = config or FeederConfig()
        self._clear = clear
        self._bodies = [world.body(name) for name in self._parts]
        self.reset([world.pose_world_body(name) for name in self._parts])

    @property
    def presented(self) -> str | None:
        """The part that was last put into the nest, or None before the first."""
        return self._parts[self._next - 1] if self._next else None

    @property
    def left(self) -> int:
        """How many parts are still in the magazine."""
        return len(self._parts) - self._next

    def reset(self, poses_world_parts: Sequence[Pose], wait: float = 0.0) -> None:
        """Fill the magazine and present the first part.

        Args:
            poses_world_parts: Where each part will lie in the nest, as drawn for this episode.
            wait: How long the feeder is empty or jammed first, in s.
        """
        if len(poses_world_parts) != len(self._parts):
            raise ValueError(
                f"poses_world_parts: expected {len(self._parts)}, got {len(poses_world_parts)}"
            )
        self._poses = tuple(poses_world_parts)
        self._next = 0
        self._empty_since: float | None = None
        self._jammed_until = self._world.time + wait
        for name in self._parts:
            self._store(name)
        if wait <= 0.0:
            self._present()

    def ready(self) -> bool:
        """Return whether a part lies in the nest, and present the next one if it is time to."""
        now = self._world.time
        if now < self._jammed_until:
            return False
        if self._occupied():
            self._empty_since = None
            return True
        if self.left == 0:
            return False
        if self._next == 0:
            # It was jammed, not empty: the first part has waited at the gate all the while.
            self._present()
            return True
        if self._empty_since is None:
            self._empty_since = now
        if now - self._empty_since >= self._config.index_time - 1e-9 and self._clear():
            self._present()
            return True
        return False

    def _occupied(self) -> bool:
        # The nest is where the last part was put; a part beside it, or another one, counts as well.
        if self._next == 0:
            return False
        nest = self._poses[self._next - 1].position
        where = self._world.client.getBasePositionAndOrientation
        return any(
            math.dist(where(body)[0], nest) < self._config.presence_radius
            for body in self._bodies[: self._next]
        )

    def _store(self, name: str) -> None:
        self._world.set_away(name, True)
        self._world.set_pose(name, self._pose_world_magazine)

    def _present(self) -> None:
        name = self._parts[self._next]
        self._world.set_away(name, False)
        self._world.set_pose(name, self._poses[self._next])
        self._next += 1
        self._empty_since = None


@dataclass(frozen=True)
class ProximityConfig:
    """What a switch is like.

    Attributes:
        on: It closes at this distance, in m.
        hysteresis: It opens this much further away, in m.
        resolution: Distances are seen in steps of this, in m.
        radius: A face whose centre is further off its axis than this is not seen, in m.
    """

    on: float = 0.4e-3
    hysteresis: float = 0.15e-3
    resolution: float = 0.05e-3
    radius: float = 3e-3


class ProximitySwitch:
    """An inductive switch behind a plate that closes when a cylinder's face is near.

    Called, it says whether it is closed; that is what a PLC is wired to.
    """

    def __init__(
        self,
        world: World,
        pose_world_switch: Callable[[], Pose],
        parts: Sequence[str],
        length: float,
        config: ProximityConfig | None = None,
    ) -> None:
        """Mount a switch.

        Args:
            world: Where the parts are.
            pose_world_switch: Where the plate is: origin on its surface, +z out of it.
            parts: Cylinders along the z axis of their bodies, by body name.
            length: Of the cylinders, in m.
            config: What it is like; the defaults if omitted.
        """
        self._world = world
        self._pose_world_switch = pose_world_switch
        self._bodies = [world.body(name) for name in parts]
        self._half_length = 0.5 * length
        self._config = config or ProximityConfig()
        self.reset()

    def reset(self, offset: float = 0.0) -> None:
        """Open, and be off by as much as this one switch is.

        Args:
            offset: What it sees more than there is, in m; from the episode's draws.
        """
        self._offset = offset
        self._closed = False

    def distance(self) -> float:
        """Return the distance of the nearest face to the plate, in m; infinite if there is none."""
        pose_world_switch = self._pose_world_switch()
        reach = 4.0 * self._half_length
        where = self._world.client.getBasePositionAndOrientation
        nearest = math.inf
        for body in self._bodies:
            position, quaternion = where(body)
            # A glance at the distance spares the rest for every part that is elsewhere.
            if math.dist(position, pose_world_switch.position) > reach:
                continue
            to_end = rotate(np.array(quaternion), _AXIS) * self._half_length
            pose_switch_world = pose_world_switch.inverse()
            for end in (to_end, -to_end):
                x, y, z = pose_switch_world.transform(np.array(position) + end)
                if math.hypot(x, y) < self._config.radius:
                    nearest = min(nearest, float(z))
        return nearest

    def __call__(self) -> bool:
        """Return whether the switch is closed."""
        config = self._config
        seen = self.distance() + self._offset
        if math.isfinite(seen):
            seen = round(seen / config.resolution) * config.resolution
        self._closed = seen <= config.on + (config.hysteresis if self._closed else 0.0)
        return self._closed
