"""What no target gets around while a signal does not say that it may: zones no hand enters.

A zone is open only while the station positively says so: the safety chain is closed, every opening
signal is there and true, and the heartbeat beats. In all other cases it is closed, and then

- a target whose way leads into a zone is cut short in front of it,
- a hand that would not come to rest outside if told to stop now is told to stop now,
- a hand near a zone exerts no commanded wrench, so that nothing is pushed in without a target,
- a hand inside is frozen: pose held, fingers at rest, no wrench, whatever is asked.

This is decided anew every control tick from where the hands are measured to be and how they move,
not from what was asked before, so that no sequence of targets adds up to a way in. A measurement
that says that bending was not enough ends in `SafetyStop`. Like `robot.guard` this is a last gate
in software, not a safety function in the sense of ISO 13849.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from robot.arrays import Array
from robot.cell_state import CellState
from robot.errors import SafetyStop
from robot.keep_out import KeepOut, ZoneConfig
from robot.log import HeldBack
from robot.model import RobotModel
from robot.spatial import Pose, interpolate
from robot.state import Target, ToolTarget
from robot.zone_kernel import SHARE, SHARE_ZONE, reach
from robot.zone_permission import NOT_YET, ZonePermission
from robot.zone_watch import HandScanner, HandWatch

__all__ = ["HandScanner", "KeepOut", "ZoneConfig", "ZoneGuard", "tools_of"]

logger = logging.getLogger(__name__)

# A target is cut this much short of the buffer, in m, so that rounding does not put it inside.
_SHORT = 1e-3
# A smaller share of a way is not worth going.
_LEAST_SHARE = 0.01
# Fingers faster than this are closing or opening, in m/s: above the noise of their encoders.
_FINGERS_MOVE = 0.03


def tools_of(model: RobotModel) -> Callable[[CellState], Mapping[str, Pose]]:
    """Return a function from a measurement to tool poses by arm name."""

    def poses(state: CellState) -> Mapping[str, Pose]:
        configuration = model.measured(state.robot)
        return {arm: configuration.pose_world(name) for arm, name in model.tool_frames.items()}

    return poses


class _Hand:
    """What the guard remembers of one hand while the zones are closed."""

    def __init__(self, config: ZoneConfig) -> None:
        self.watch = HandWatch(config)
        self.pose = Pose.identity()
        # What it was told when it had to stop, until it rests outside.
        self.hold: ToolTarget | None = None
        # Where its points were when the zones closed, while it has been inside ever since.
        self.rest: Array | None = None
        self.seen = False
        # The target that was cut short last, and what it was cut to.
        self.wanted: ToolTarget | None = None
        self.cut: ToolTarget | None = None


class ZoneGuard:
    """Keeps hands out of closed zones.

    Attributes:
        refusals: Control ticks in which a target was bent, since the last `reset()`.
        stops: Stops since the last `reset()`.
    """

    def __init__(
        self,
        pose_world_tools: Callable[[CellState], Mapping[str, Pose]],
        config: ZoneConfig | None = None,
        grippers: Mapping[str, float] | None = None,
    ) -> None:
        """Guard nothing yet; `reset` with zones.

        Args:
            pose_world_tools: Tool poses, by arm name, of a measurement; asked only while a zone is
                closed, because forward kinematics is the costly part.
            config: How wide a berth hands give; the defaults if omitted.
            grippers: Largest opening of each gripper, in m, as in `DriverSpec`: fingers that are
                measured a little wider are not held there.
        """
        self.config = config or ZoneConfig()
        self._pose_world_tools = pose_world_tools
        self._grippers = dict(grippers or {})
        self._stiffness = np.repeat(np.array(self.config.hold_stiffness), 3)
        self._permission = ZonePermission(self.config)
        self._warnings = HeldBack(logger)
        self._reached = np.empty(2)
        self.reset(())

    def reset(self, zones: Sequence[KeepOut]) -> None:
        """Guard the zones of a new episode, and count from zero.

        Args:
            zones: Where they are believed to be; none, and nothing is guarded.
        """
        self._zones = tuple(zones)
        self._boxes = self.config.boxes(zones)
        self._hands: dict[str, _Hand] = {}
        self._looked: CellState | None = None
        self._before: CellState | None = None
        self._last = Target({})
        self._permission.reset()
        self.refusals = 0
        self.stops = 0

    def closed_because(self, state: CellState) -> str | None:
        """Return why the zones are closed, or None if they are open.

        Args:
            state: What was measured; to be asked every control tick, or the heartbeat is missed.
        """
        return self._permission.withheld(state)

    def limit(self, target: Target, state: CellState) -> Target:
        """Return the nearest target that keeps hands out; the same object if nothing is bent.

        Args:
            target: What a policy wants.
            state: What was measured, now.

        Raises:
            SafetyStop: If the tool of an arm that is to move was not measured.
        """
        reason = self.closed_because(state) if self._zones else None
        if reason is None:
            self._hands.clear()
            self._before, self._last = state, target
            return target
        self._look(state)
        for arm in target.tools:
            if arm not in self._hands:
                self._stop(f"tool '{arm}': not measured, but told to move near closed zones")
        tools = {}
        for arm, hand in self._hands.items():
            allowed = self._allowed(arm, hand, target.tools.get(arm), state, reason)
            if allowed is not None:
                tools[arm] = allowed
        self._before = state
        if all(tools[arm] is target.tools.get(arm) for arm in tools):
            self._last = target
            return target
        self.refusals += 1
        self._last = Target(tools, target.body)
        return self._last

    def check(self, state: CellState) -> None:
        """Stop the robot if a hand is in a closed zone in spite of `limit`, or moves in it.

        Args:
            state: What was measured, now.

        Raises:
            SafetyStop: Names the hand, the zone, and why the zone is closed.
        """
        reason = self.closed_because(state) if self._zones else None
        if reason is None:
            self._hands.clear()
            return
        self._look(state)
        for arm, hand in self._hands.items():
            watch = hand.watch
            if hand.rest is not None:
                moved = math.sqrt(float(((watch.points - hand.rest) ** 2).sum(axis=1).max()))
                if moved > self.config.rest_distance:
                    self._stop(
                        f"tool '{arm}': moved by {1e3 * moved:.0f} mm, at most "
                        f"{1e3 * self.config.rest_distance:.0f} is rest, inside {reason}"
                    )
            elif watch.depth > self.config.entry_depth:
                name = self._zones[watch.zone].name
                self._stop(
                    f"tool '{arm}': {1e3 * watch.depth:.0f} mm inside zone '{name}', {reason}"
                )

    def _stop(self, complaint: str) -> None:
        self.stops += 1
        raise SafetyStop(complaint)

    def _look(self, state: CellState) -> None:
        if state is self._looked:
            return
        self._looked = state
        for arm, pose in self._pose_world_tools(state).items():
            hand = self._hands.get(arm)
            if hand is None:
                hand = self._hands[arm] = _Hand(self.config)
            hand.pose = pose
            hand.watch.look(pose, state.time, self._boxes)
            if hand.watch.depth <= 0.0:
                hand.rest = None
            elif not hand.seen:
                hand.rest = hand.watch.points
            hand.seen = True

    def _allowed(
        self, arm: str, hand: _Hand, wanted: ToolTarget | None, state: CellState, reason: str
    ) -> ToolTarget | None:
        watch = hand.watch
        if watch.enters:
            if hand.hold is None:
                hand.hold = self._held(arm, hand, wanted, state)
            # Until a second look a hand outside is held in case it is fast: nothing to look at.
            if watch.depth > 0.0:
                self._warn(arm, watch.enters_zone, "frozen in", state, reason)
            elif watch.knows_speed:
                self._warn(arm, watch.enters_zone, "stopped in front of", state, reason)
            return hand.hold
        if hand.hold is not None and watch.speed > self.config.rest_speed:
            return hand.hold
        hand.hold = None
        return None if wanted is None else self._cut(arm, hand, wanted, state, reason)

    def _held(
        self, arm: str, hand: _Hand, wanted: ToolTarget | None, state: CellState
    ) -> ToolTarget:
        """Return a target to be where the hand is now.

        Not where it will have come to rest: the reference filter of the controller approaches a new
        target in a hurry, and a target ahead would first speed a slow hand up.
        """
        return ToolTarget(
            hand.pose,
            np.zeros(6),
            self._stiffness,
            self._opening_at_rest(arm, wanted, state),
        )

    def _opening_at_rest(self, arm: str, wanted: ToolTarget | None, state: CellState) -> float:
        """Return the opening that stops moving fingers, and lets fingers at rest squeeze on."""
        measured = state.robot.gripper_opening.get(arm)
        last = self._last.tools.get(arm)
        if measured is None:
            # Without a measurement fingers are left at what they were last told.
            source = last or wanted
            return source.gripper_opening if source is not None else 0.0
        measured = min(max(measured, 0.0), self._grippers.get(arm, measured))
        before = self._before
        if last is None or before is None or arm not in before.robot.gripper_opening:
            return measured
        elapsed = state.time - before.time
        moved = abs(measured - before.robot.gripper_opening[arm])
        return last.gripper_opening if moved <= _FINGERS_MOVE * elapsed else measured

    def _cut(
        self, arm: str, hand: _Hand, wanted: ToolTarget, state: CellState, reason: str
    ) -> ToolTarget:
        """Return a target in front of the zones, without wrench near them."""
        if hand.cut is not None and wanted is hand.wanted:
            # While a policy's target stays the same, so does what became of it.
            share, _ = self._reach(hand, hand.cut.pose_world_tool)
            if share >= 1.0:
                return hand.cut
        hand.cut = None
        share, zone = self._reach(hand, wanted.pose_world_tool)
        allowed = wanted
        if share < 1.0:
            self._warn(arm, zone, "kept out of", state, reason)
            allowed = dataclasses.replace(
                wanted, pose_world_tool=self._part_of_the_way(hand, wanted.pose_world_tool, share)
            )
        if hand.watch.depth > -self.config.near and wanted.wrench_world_tool.any():
            self._warn(arm, hand.watch.zone, "not pushed near", state, reason)
            allowed = dataclasses.replace(
                allowed,
                wrench_world_tool=np.zeros(6),
                stiffness=np.maximum(wanted.stiffness, self._stiffness),
            )
        if allowed is not wanted:
            hand.wanted, hand.cut = wanted, allowed
        return allowed

    def _part_of_the_way(self, hand: _Hand, goal: Pose, share: float) -> Pose:
        """Return a pose on the way to a goal, at most a share of it, that can be reached."""
        way = goal.position - hand.pose.position
        share -= _SHORT / max(math.sqrt(float(way @ way)), _SHORT)
        # Points of a turning hand leave the straight ways that the share was found on.
        while share > _LEAST_SHARE:
            pose = interpolate(hand.pose, goal, share)
            if self._reach(hand, pose)[0] >= 1.0:
                return pose
            share *= 0.5
        return hand.pose

    def _reach(self, hand: _Hand, goal: Pose) -> tuple[float, int]:
        reach(
            hand.watch.points,
            hand.watch.placed(goal),
            self._boxes,
            self.config.buffer,
            self._reached,
        )
        return float(self._reached[SHARE]), int(self._reached[SHARE_ZONE])

    def _warn(self, arm: str, zone: int, what: str, state: CellState, reason: str) -> None:
        if reason == NOT_YET:
            # So begins every episode; nothing a person should look at.
            return
        name = self._zones[zone].name
        self._warnings.warning(
            f"{arm} {what} {name}",
            state.time,
            "tool '%s' %s zone '%s', %s",
            arm,
            what,
            name,
            reason,
        )
