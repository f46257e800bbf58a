"""How far a hand is from being in a box that it is kept out of."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np

from robot.arrays import Array
from robot.keep_out import KeepOut, ZoneConfig
from robot.spatial import Pose
from robot.zone_kernel import DEPTH, DEPTH_ZONE, ENTERS, ENTERS_ZONE, SPEED, deepest, place, watch

# Velocities are differences over this time; after a gap longer than the other nothing is known.
_WINDOW, _GAP = 0.008, 0.03


class HandShape:
    """The spheres that a hand is made of."""

    def __init__(self, config: ZoneConfig) -> None:
        """Take over their centres.

        Args:
            config: What a hand is like.
        """
        self._points_tool = config.points()

    def placed(self, pose_world_tool: Pose) -> Array:
        """Return where the spheres' centres would be, in the world, in m. Shape (n, 3)."""
        points = np.empty_like(self._points_tool)
        place(pose_world_tool.position, pose_world_tool.quaternion, self._points_tool, points)
        return points

    def inside(self, pose_world_tool: Pose, boxes: Array) -> bool:
        """Return whether any sphere would be in any box.

        Args:
            pose_world_tool: Where the hand would be.
            boxes: As from `ZoneConfig.boxes`. Shape (m, 15).
        """
        return bool(deepest(self.placed(pose_world_tool), boxes) > 0.0)


class HandWatch:
    """One hand in front of the zones.

    Attributes:
        points: Its spheres' centres in the world, in m. Shape (n, 3).
        depth: How deep it is in the zone it is deepest in, in m; negative outside.
        zone: Number of that zone, -1 if there are none.
        enters: Whether it would come to rest in a zone if it were told to stop now, or is in one.
        enters_zone: Number of that zone.
        speed: Of its fastest point, in m/s; assumed if it is not known.
        knows_speed: Whether it is known, that is, whether this is not the first look.
    """

    def __init__(self, config: ZoneConfig) -> None:
        """Know nothing yet.

        Args:
            config: What a hand is like.
        """
        self._config = config
        self._shape = HandShape(config)
        self._history: deque[tuple[float, Array]] = deque()
        self._result = np.empty(5)
        self.points = np.zeros_like(config.points())
        self.depth, self.speed = -np.inf, config.unknown_speed
        self.zone = self.enters_zone = -1
        self.enters = self.knows_speed = False

    def placed(self, pose_world_tool: Pose) -> Array:
        """Return where the spheres' centres would be, in the world, in m. Shape (n, 3)."""
        return self._shape.placed(pose_world_tool)

    def look(self, pose_world_tool: Pose, time: float, boxes: Array) -> None:
        """Take in where the hand is.

        Args:
            pose_world_tool: Measured.
            time: When, in s. A second look at one time is none; going back in time, and a long
                gap, forget what was.
            boxes: As from `ZoneConfig.boxes`. Shape (m, 15).
        """
        config, history = self._config, self._history
        if history and time == history[-1][0]:
            return
        if history and not 0.0 < time - history[-1][0] <= _GAP:
            history.clear()
        while len(history) > 1 and history[1][0] <= time - _WINDOW + 1e-9:
            history.popleft()
        self.points = points = self.placed(pose_world_tool)
        since, before = history[0] if history else (time, points)
        history.append((time, points))
        result = self._result
        watch(
            points,
            before,
            time - since,
            boxes,
            config.reaction,
            config.deceleration,
            config.unknown_speed,
            result,
        )
        self.depth, self.zone = float(result[DEPTH]), int(result[DEPTH_ZONE])
        self.enters, self.enters_zone = bool(result[ENTERS]), int(result[ENTERS_ZONE])
        self.speed, self.knows_speed = float(result[SPEED]), since < time


class HandScanner:
    """Says whether all hands are clear of all zones: what a station asks before it is dangerous.

    While zones are open, a hand is clear if it is outside and would stay outside if it were told to
    stop now. A station that finds all hands clear, closes its zones and waits longer than a hand
    takes to stop, therefore finds every hand outside. From then on a hand that was clear remains so
    until it is deeper inside than a hand that is held at the border can sway.
    """

    def __init__(self, config: ZoneConfig | None = None) -> None:
        """Watch nothing yet.

        Args:
            config: What a hand is like; the defaults if omitted.
        """
        self._config = config or ZoneConfig()
        self.reset(())

    def reset(self, zones: Sequence[KeepOut]) -> None:
        """Watch the zones of a new episode.

        Args:
            zones: Where they are.
        """
        self._boxes = self._config.boxes(zones)
        self._hands: dict[str, HandWatch] = {}
        self._clear: dict[str, bool] = {}

    def clear(self, pose_world_tools: Mapping[str, Pose], time: float, closed: bool) -> bool:
        """Return whether all hands are clear.

        Args:
            pose_world_tools: Where they are now, by arm name.
            time: Now, in s.
            closed: Whether hands have already been told to keep out.
        """
        for arm, pose in pose_world_tools.items():
            hand = self._hands.get(arm)
            if hand is None:
                hand = self._hands[arm] = HandWatch(self._config)
            hand.look(pose, time, self._boxes)
            kept_out = closed and self._clear.get(arm, False)
            self._clear[arm] = (
                hand.depth <= self._config.entry_depth if kept_out else not hand.enters
            )
        # Nobody seen is not nobody there.
        return bool(self._clear) and all(self._clear.values())
