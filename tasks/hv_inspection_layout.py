"""Connections of a pack that were left as they should be, or not: what is drawn of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum

import numpy as np
from typing_extensions import override

from robot.mating import Engagement, MatingProfile
from robot.spatial import Pose
from tasks.hv_layout import draw_layout
from tasks.hv_station import HvStation
from tasks.hv_variation import HV_LEVELS, Fault, HvVariation
from tasks.parts.hv_connector import KEY_START, ConnectorType
from tasks.task import Layout
from tasks.variation import between


class Connection(Enum):
    """How a connection was left."""

    LOCKED = "locked"
    """As it should be: seated, latched, its lock in, its cable hanging free."""

    NOT_LOCKED = "not locked"
    """Seated and latched, but its lock is out."""

    HALF = "half-plugged"
    """Between the first touch of the contacts and the latch."""

    WRONG_PORT = "wrong port"
    """A plug with another key, jammed in the mouth."""

    MISSING = "missing"
    """Nothing is plugged; the plug lies in its dock."""

    OVER_BENT = "over-bent"
    """Locked, but its cable is tied back beside the plug, too narrowly."""


CONNECTIONS = tuple(Connection)
"""In the order of the numbers that stand for them in a layout."""

ANOMALIES = tuple(item for item in CONNECTIONS if item is not Connection.LOCKED)

# Of the stroke: where a half-plugged plug may be. Below, not every contact touches; above, a latch
# that is about to click draws it in.
_HALF = (0.55, 0.8)
# A jammed plug is so far before the depth at which its key meets the header, in m.
_BEFORE_KEY = 2e-4
# What pulls a jammed plug out, in N.
_JAM_FORCE = 20.0
# Of the allowed bend radius: to what cables are over-bent.
_BENT = (0.45, 0.95)
# How much longer than half a circle a cable is that is tied back, how far to either side of the
# plug it goes, and what is left of its stiffness: it lost some when it was forced so narrow.
_SLACK = (1.15, 1.3)
_ASIDE = math.radians(60.0)
_LEFT = (0.25, 0.5)


@dataclass(frozen=True)
class HvInspectionVariation(HvVariation):
    """The ranges of one level; every draw is uniform inside them.

    Attributes:
        anomaly_share: Chance of each connection that it is an anomaly, each kind as likely.
    """

    anomaly_share: float = 0.4

    @override
    def __post_init__(self) -> None:
        """Refuse a share that is none, and faults of plugging, which are not looked for here."""
        super().__post_init__()
        if not 0.0 <= self.anomaly_share <= 1.0:
            raise ValueError(f"anomaly_share: expected 0 to 1, got {self.anomaly_share}")
        if any(self.fault_chances.values()):
            raise ValueError(
                f"chances of a fault: expected 0, as nothing is plugged, got {self.fault_chances}"
            )


def _level(plugging: HvVariation) -> HvInspectionVariation:
    """Return a level of inspection that differs from plugging in nothing but the connections."""
    ranges = {item.name: getattr(plugging, item.name) for item in fields(plugging)}
    none = {name: 0.0 for name in ranges if name.endswith("_chance") and name != "shove_chance"}
    return HvInspectionVariation(**ranges | none)


HV_INSPECTION_LEVELS: Mapping[str, HvInspectionVariation] = {
    name: _level(level) for name, level in HV_LEVELS.items()
}


def connection_of(parameters: Mapping[str, float], slot: str) -> Connection:
    """Return how a connection was left.

    Args:
        parameters: Of a layout: `connection_<slot>`.
        slot: Which.
    """
    return CONNECTIONS[int(parameters[f"connection_{slot}"])]


def jammed(mating: MatingProfile) -> MatingProfile:
    """Return the law of a plug that is wedged in the mouth of a header with another key.

    Args:
        mating: Of its type in its own header.
    """
    stroke = KEY_START - _BEFORE_KEY
    return replace(
        mating,
        stroke=stroke,
        engage_depth=0.2 * stroke,
        peak_depth=0.3 * stroke,
        peak_force=mating.key_force,
        friction=mating.key_force,
        unmating_force=_JAM_FORCE,
        latches=False,
        click_drop=0.0,
        lock_stroke=0.0,
        power_depth=stroke,
        key_depth=0.5 * stroke,
        pin_depth=stroke,
    )


def engagement_of(connection: Connection) -> Engagement:
    """Return how far in the plug of a connection is, in its header or, if missing, in its dock."""
    return {
        Connection.LOCKED: Engagement.LOCKED,
        Connection.OVER_BENT: Engagement.LOCKED,
        Connection.HALF: Engagement.HALF,
    }.get(connection, Engagement.MATED)


def profile_of(
    connection: Connection, kind: ConnectorType, parameters: Mapping[str, float], slot: str
) -> MatingProfile:
    """Return the law of a plug in the header it is in.

    Args:
        connection: How it was left.
        kind: Its type.
        parameters: Of a layout: `half_share_<slot>`.
        slot: Which.
    """
    if connection is Connection.WRONG_PORT:
        return jammed(kind.mating)
    if connection is Connection.HALF:
        return replace(kind.mating, half_share=parameters[f"half_share_{slot}"])
    return kind.mating


def draw_inspection(
    rng: np.random.Generator, station: HvStation, v: HvInspectionVariation
) -> Layout:
    """Draw an episode: a pack as for plugging, its plugs as somebody left them.

    Args:
        rng: The episode's generator.
        station: With the packs that may come.
        v: The level.
    """
    layout = draw_layout(rng, station, v)
    parameters = dict(layout.parameters)
    docked = station.assigned(parameters)
    jams: set[str] = set()
    for slot, assigned in docked.items():
        connection = _draw_connection(rng, v)
        if connection is Connection.WRONG_PORT and assigned.port.connector in jams:
            # There is one plug with another key of each type.
            connection = Connection.HALF
        wrong = connection is Connection.WRONG_PORT
        jams |= {assigned.port.connector} if wrong else set()
        parameters |= {
            f"connection_{slot}": float(CONNECTIONS.index(connection)),
            f"fault_{slot}": float(Fault.WRONG_PLUG if wrong else Fault.NONE),
            f"half_share_{slot}": between(rng, _HALF),
            f"bent_share_{slot}": between(rng, _BENT),
            f"bent_slack_{slot}": between(rng, _SLACK),
            f"bent_bending_{slot}_nm2": parameters[f"harness_bending_{slot}_nm2"]
            * between(rng, _LEFT),
            f"bent_side_{slot}_deg": math.degrees(rng.uniform(-_ASIDE, _ASIDE))
            + (180.0 if rng.uniform() < 0.5 else 0.0),
        }
    parts = dict(layout.pose_world_parts)
    for slot, assigned in station.assigned(parameters).items():
        before, connection = docked[slot], connection_of(parameters, slot)
        if connection is Connection.MISSING:
            continue
        if assigned.plug != before.plug:
            # The plug with another key takes the place of the right one, which is not there.
            for here, there in ((assigned.plug, before.plug), (assigned.dock, before.dock)):
                parts[here], parts[there] = parts[there], parts[here]
        kind = assigned.plug_kind
        profile = profile_of(connection, kind, parameters, slot)
        depth = profile.depth(engagement_of(connection))
        parts[assigned.plug] = parts[assigned.header] @ Pose.translation(
            (0.0, 0.0, depth - kind.tip)
        )
    return replace(layout, pose_world_parts=parts, parameters=parameters)


def _draw_connection(rng: np.random.Generator, v: HvInspectionVariation) -> Connection:
    anomalous, which = float(rng.uniform()), int(rng.integers(len(ANOMALIES)))
    return ANOMALIES[which] if anomalous < v.anomaly_share else Connection.LOCKED


def tie_back(
    pose_world_cable: Pose, bend_limit: float, parameters: Mapping[str, float], slot: str
) -> tuple[Pose, float]:
    """Return where a cable is tied that is bent back beside its plug, and its length up to there.

    Half a circle and a little: it leaves the tie in the direction in which it leaves the plug.

    Args:
        pose_world_cable: Where it leaves the plug; +z along it, outwards.
        bend_limit: The narrowest bend that does no harm, in m.
        parameters: Of a layout.
        slot: Which.
    """
    radius = bend_limit * parameters[f"bent_share_{slot}"]
    angle = math.radians(parameters[f"bent_side_{slot}_deg"])
    aside = 2.0 * radius * np.array([math.sin(angle), math.cos(angle), 0.0])
    length = math.pi * radius * parameters[f"bent_slack_{slot}"]
    return pose_world_cable @ Pose.translation(aside), length
