"""The judgement of plugs, on poses and contacts: mated, docked, harmed, and in the right order.

A plug is mated when it is locked in its own header: shell within half a millimetre of where stroke
and lock end, on the axis, straight, latched, its lock in, the interlock closed, and a pull of 15 N
moves it by less than half a millimetre. It is unmated when it has been back in its dock for half a
second, in no hand, and its interlock had opened at least 0.1 s before its power contacts parted,
with no voltage on them. Harm
to plug, header or harness makes a failure of the work in which it came about.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from robot.mating import Engagement
from robot.spatial import Pose
from tasks.hv_station import Assigned
from tasks.hv_variation import Fault
from tasks.parts.hv_connector import ConnectorType
from tasks.task import Operation

HARMS = (
    "over_bent",
    "over_tugged",
    "over_pushed",
    "bent_pin",
    "latch_broken",
    "forced_lock",
    "forced_wrong_key",
    "short_dwell",
    "interlock_opened_under_voltage",
)
"""What an event `<harm>_<slot>` counts, since the episode began."""

UNDER_VOLTAGE = "unplugged_under_voltage"

# Nearer to the mouth than this, a plug has been tried: no error of belief is larger, in m.
_AT_MOUTH = 8e-3


@dataclass(frozen=True)
class Fit:
    """How a plug lies in the frame of a header or dock.

    Attributes:
        depth: Of the nose's tip behind the mouth, in m; negative before it.
        lateral: Distance of the tip from the axis, in m.
        tilt: Angle between the axes, in rad.
        turn: About the axis, in rad.
    """

    depth: float
    lateral: float
    tilt: float
    turn: float


@dataclass(frozen=True)
class PlugRule:
    """When a plug is mated, and when it is unmated.

    Attributes:
        depth: Largest distance from the full depth, either way, in m.
        lateral: Largest distance from the axis, in m.
        tilt: Largest tilt, in rad.
        turn: Largest turn about the axis, in rad.
        pull_play: Largest movement under the pull test, in m.
        dock_depth: Largest distance from the full depth in the dock, in m.
        dock_lateral: Largest distance from the dock's axis, in m.
        dock_tilt: Largest tilt in the dock, in rad.
        dock_turn: Largest turn about the dock's axis, in rad.
        dock_rest: Least time for which it lies there in no hand, in s.
        dwell: Least time from opened interlock to parted power contacts, in s.
    """

    depth: float = 0.5e-3
    lateral: float = 0.5e-3
    tilt: float = math.radians(2.0)
    turn: float = math.radians(2.0)
    pull_play: float = 0.5e-3
    dock_depth: float = 2e-3
    dock_lateral: float = 1.5e-3
    dock_tilt: float = math.radians(4.0)
    dock_turn: float = math.radians(4.0)
    dock_rest: float = 0.5
    dwell: float = 0.1


@dataclass(frozen=True, eq=False)
class PlugFacts:
    """Everything a judgement of one plug rests on at one instant.

    Attributes:
        time: In s.
        free_since: When the arm was free for the next piece of work, in s.
        fit: In its header.
        dock_fit: In its dock.
        held: A closed hand is at it.
        latched: The latch holds it.
        lock_in: Its secondary lock is all the way in.
        interlock: Its interlock contact is closed.
        pull_play: How far it moves under a pull of 15 N, in m; infinite if it is in no socket.
        dwell: From opened interlock to parted power contacts, in s; None if they did not part, or
            the interlock was never closed.
        under_voltage: Its contacts parted under voltage.
        harms: How often each of `HARMS` came about.
    """

    time: float
    free_since: float
    fit: Fit
    dock_fit: Fit
    held: bool
    latched: bool
    lock_in: bool
    interlock: bool
    pull_play: float
    dwell: float | None
    under_voltage: bool
    harms: Mapping[str, float]


def fit_of(pose_socket_plug: Pose, kind: ConnectorType) -> Fit:
    """Return how a plug lies in a header or dock.

    Args:
        pose_socket_plug: The plug in the socket's frame.
        kind: Its type.
    """
    x, y, depth = (float(v) for v in pose_socket_plug.transform((0.0, 0.0, kind.tip)))
    rotation = pose_socket_plug.rotation
    across = math.hypot(float(rotation[0, 2]), float(rotation[1, 2]))
    return Fit(
        depth=depth,
        lateral=math.hypot(x, y),
        tilt=math.atan2(across, float(rotation[2, 2])),
        turn=abs(math.atan2(float(rotation[1, 0]), float(rotation[0, 0]))),
    )


def shortfall(facts: PlugFacts, assigned: Assigned, rule: PlugRule) -> str | None:
    """Return what a plug lacks to be mated, the first that is found, or None if it is mated.

    Args:
        facts: Of an instant.
        assigned: What plug and header are.
        rule: When it is mated.
    """
    fit = facts.fit
    missing = assigned.kind.mating.depth(Engagement.LOCKED) - fit.depth
    checks = (
        ("wrong_key", not assigned.plug_kind.mates_with(assigned.header_kind)),
        ("too_shallow", missing > rule.depth),
        ("too_deep", missing < -rule.depth),
        ("off_axis", fit.lateral > rule.lateral),
        ("tilted", fit.tilt > rule.tilt),
        ("turned", fit.turn > rule.turn),
        ("not_latched", not facts.latched),
        ("not_locked", not facts.lock_in),
        ("interlock_open", not facts.interlock),
        ("not_in_socket", math.isinf(facts.pull_play)),
        ("pulled_loose", facts.pull_play >= rule.pull_play),
    )
    return next((name for name, lacking in checks if lacking), None)


def is_docked(fit: Fit, kind: ConnectorType, rule: PlugRule) -> bool:
    """Return whether a plug lies in its dock.

    Args:
        fit: In the dock.
        kind: Its type.
        rule: When it does.
    """
    full = kind.dock.depth(Engagement.MATED)
    return (
        abs(fit.depth - full) <= rule.dock_depth
        and fit.lateral <= rule.dock_lateral
        and fit.tilt <= rule.dock_tilt
        and fit.turn <= rule.dock_turn
    )


class PlugJudge:
    """Follows one plug through an episode and says how the work on it stands.

    Attributes:
        assigned: What slot, plug and header are.
        lacks: What it lacks to be mated, or None.
        docked: Whether it has come to rest in its dock.
        free_at: When the arm was free again after the last work on it that was done, in s.
    """

    def __init__(self, assigned: Assigned, rule: PlugRule) -> None:
        """Begin with a plug in its dock.

        Args:
            assigned: What slot, plug and header are.
            rule: When it is mated and unmated.
        """
        self.assigned = assigned
        self._rule = rule
        self._taken_at: float | None = None
        self._mated_at: float | None = None
        self._plug_time: float | None = None
        self._plugged = self._unplugged = False
        self._back_at: float | None = None
        self._unplug_time: float | None = None
        self._whole: dict[str, float] = {}
        self._harm_plug: str | None = None
        self._harm_unplug: str | None = None
        self._harms_before: dict[str, float] = dict.fromkeys(HARMS, 0.0)
        self._tried, self._approach = False, 0.0
        self._docked_since = math.inf
        self.lacks: str | None = None
        self.docked, self.free_at = False, 0.0

    @property
    def done(self) -> int:
        """How many of the pieces of work on it have been done."""
        return len(self._whole)

    @property
    def faulty(self) -> bool:
        """Whether the plug must be refused."""
        return self.assigned.fault is not Fault.NONE

    @property
    def progress(self) -> float:
        """How far the work on it got, from 0 to 1."""
        if self._unplugged or (self.faulty and self._refused()):
            return 1.0
        if self._unplug_time is not None:
            return 0.8
        if self._plugged:
            return 0.6
        return self._approach

    def look(self, facts: PlugFacts) -> None:
        """Take in an instant.

        Args:
            facts: Of it.
        """
        rule, now = self._rule, facts.time
        self.lacks = shortfall(facts, self.assigned, rule)
        lies = is_docked(facts.dock_fit, self.assigned.plug_kind, rule) and not facts.held
        self._docked_since = min(self._docked_since, now) if lies else math.inf
        # What a hand has just let go may still be dragged out, by the hand or by the cable.
        self.docked = now - self._docked_since >= rule.dock_rest - 1e-9
        self._look_for_harm(facts)
        if facts.held and self._taken_at is None:
            self._taken_at = now
        self._tried |= facts.fit.depth > -_AT_MOUTH and facts.fit.lateral < 3.0 * _AT_MOUTH
        if not self._plugged:
            self._look_at_mating(facts)
        else:
            self._look_at_unmating(facts)
        self._approach = self._how_near(facts)

    def operations(self) -> dict[str, Operation]:
        """Return the pieces of work on this plug, by name."""
        slot = self.assigned.slot
        if self.faulty:
            return {
                f"refuse {slot}": Operation(
                    "refusal", self._refused() and not self._harm_plug, self._harm_plug
                )
            }
        suffix = " held-out" if self.assigned.kind.held_out else ""
        plug, unplug = self._harm_plug, self._harm_unplug
        return {
            f"plug {slot}": Operation(
                f"plug{suffix}",
                self._plugged and plug is None,
                plug,
                self._plug_time if self._plugged else None,
                self._whole.get("plug"),
            ),
            f"unplug {slot}": Operation(
                f"unplug{suffix}",
                self._unplugged and unplug is None,
                unplug,
                self._unplug_time,
                self._whole.get("unplug"),
            ),
        }

    def _look_for_harm(self, facts: PlugFacts) -> None:
        for harm in HARMS:
            if facts.harms.get(harm, 0.0) <= self._harms_before[harm]:
                continue
            if self._plugged:
                self._harm_unplug = self._harm_unplug or harm
            else:
                self._harm_plug = self._harm_plug or harm
        self._harms_before |= {h: facts.harms.get(h, 0.0) for h in HARMS}
        if facts.under_voltage:
            self._harm_unplug = self._harm_unplug or UNDER_VOLTAGE

    def _look_at_mating(self, facts: PlugFacts) -> None:
        if self.lacks is not None or self.faulty:
            self._mated_at = None
            return
        if self._mated_at is None:
            self._mated_at = facts.time
            began = facts.time if self._taken_at is None else self._taken_at
            self._plug_time = facts.time - began
        # A hand that still holds it may hold it up.
        self._plugged = not facts.held
        if self._plugged:
            self._done("plug", facts.time, facts)

    def _look_at_unmating(self, facts: PlugFacts) -> None:
        if facts.held and self._back_at is None:
            self._back_at = facts.time
        if facts.fit.depth < 0.0 and self._unplug_time is None:
            began = facts.time if self._back_at is None else self._back_at
            self._unplug_time = facts.time - began
            if facts.dwell is None or facts.dwell < self._rule.dwell:
                self._harm_unplug = self._harm_unplug or "short_dwell"
        self._unplugged = self._unplug_time is not None and self.docked
        if self._unplugged:
            self._done("unplug", self._docked_since, facts)

    def _done(self, work: str, at: float, facts: PlugFacts) -> None:
        """Take note of when a piece of work was done, the first time."""
        if work not in self._whole:
            self._whole[work] = at - facts.free_since
            self.free_at = at

    def _refused(self) -> bool:
        """Return whether a plug that cannot be mated was tried and is back in its dock."""
        return self._tried and self.docked

    def _how_near(self, facts: PlugFacts) -> float:
        """Return how far a plug that is not mated yet got, from 0 to 0.5."""
        if self._taken_at is None:
            return 0.0
        full = self.assigned.kind.mating.full_depth
        inside = facts.fit.lateral < 3e-3 and facts.fit.depth > 0.0
        if inside and not self.faulty:
            return 0.3 + 0.2 * min(facts.fit.depth / full, 1.0)
        to_header = math.hypot(facts.fit.depth, facts.fit.lateral)
        to_dock = math.hypot(facts.dock_fit.depth - full, facts.dock_fit.lateral)
        towards = to_dock / (to_dock + to_header + 1e-9)
        # A plug that cannot be mated gets on by being brought back.
        return 0.1 + 0.2 * (1.0 - towards if self.faulty else towards)
