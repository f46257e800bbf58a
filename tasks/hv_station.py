"""Where high-voltage plugging happens: packs, docks, clips, bench, and which part is used for what.

Packs of every model and plugs of every type are in the world at once; an episode uses one pack and
as many docks and plugs as it has ports, and the rest is parked far below.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from robot.geometry import Box, Color, Shape
from robot.spatial import Pose
from robot.zone_watch import KeepOut
from tasks.hv_packs import SLOTS, PackModel, Port
from tasks.hv_variation import Fault
from tasks.parts.bench import bench_part
from tasks.parts.hv_connector import (
    KEY_CODES,
    NECK,
    POSE_TOOL_PLUG,
    ConnectorType,
    with_key,
)
from tasks.parts.hv_shapes import dock_part, header_part, plug_part
from tasks.parts.shapes import Part
from tasks.places import ARMS, both_sides, tool_orientation

BENCH = "bench"
_CASE: Color = (0.30, 0.32, 0.36, 1.0)
_BRACKET: Color = (0.45, 0.47, 0.50, 1.0)
# What is not used waits here, in m, each this far from the next.
_PARKED = (0.0, 0.0, -5.0)
_PARKED_APART = 0.25
# From a header's mouth to the end of the bracket that carries it, in m, and half its edge.
_BRACKET_END, _BRACKET_HALF = 0.06, 0.016
# From a dock's mouth to the top of its post, below and behind it, in m.
_POST_TOP = (0.036, 0.0, 0.012)
# A zone begins where the rear of a mated plug is, in m behind its grip, and ends behind the mouth.
_PLUG_REAR = NECK[2] + 0.005
_ZONE_BEHIND = 0.02
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
        (0.56, 0.345, 0.70),
        (0.54, 0.445, 0.70),
    )
    clip_direction: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    home_position: tuple[float, float, float] = (0.46, 0.30, 0.95)
    clear_position: tuple[float, float, float] = (0.44, 0.38, 0.95)
    bench_height: float = 0.62
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


@dataclass(frozen=True, eq=False)
class Assigned:
    """What a slot has to do with in one episode, and which bodies play the parts.

    Attributes:
        slot: Arm and order.
        port: Of the pack.
        kind: Type the port is known to have.
        plug_kind: What lies in the dock; of another key if that is the fault.
        header_kind: What the header is; likewise.
        fault: What is wrong.
        header: Name of the header's part.
        dock: Name of the dock's part.
        plug: Name of the plug's part.
    """

    slot: str
    port: Port
    kind: ConnectorType
    plug_kind: ConnectorType
    header_kind: ConnectorType
    fault: Fault
    header: str
    dock: str
    plug: str


class HvStation:
    """The nominal station with everything that may stand in it.

    Attributes:
        packs: The models that may come, in the order of `pack_index`.
        pose_world_home: Where each tool waits, by arm name.
        pose_world_clear: Where it waits out of the zone, by arm name.
        pose_world_dock: Where each dock is believed to be, by slot.
        pose_world_clip: Where each harness is clipped, by slot; +z along it, outwards.
        parts: Everything that stands or lies there, or is parked.
        plugs: Names of the plugs among them.
    """

    def __init__(
        self,
        config: HvStationConfig,
        packs: Sequence[PackModel],
        connectors: Mapping[str, ConnectorType],
        faults: Sequence[Fault] = (),
    ) -> None:
        """Set it up.

        Args:
            config: Where things stand.
            packs: The models that may come.
            connectors: Every type, by name.
            faults: What may be wrong; bodies with another key are there only if they may be needed.
        """
        self.config = config
        self.packs = tuple(packs)
        self._connectors = connectors
        way_in = tool_orientation(math.radians(config.dock_tilt_deg))
        self.pose_world_home = both_sides(config.home_position, way_in)
        self.pose_world_clear = both_sides(config.clear_position, way_in)
        docks = [both_sides(position, way_in) for position in config.dock_positions]
        self.pose_world_dock = {f"{a}_{i}": docks[i][a] for a in ARMS for i in range(2)}
        self.pose_world_clip = {f"{a}_{i}": self._clip(a, i) for a in ARMS for i in range(2)}
        used = [(slot, port) for pack in self.packs for slot, port in pack.slots.items()]
        kinds = sorted({port.connector for _, port in used})
        parts = [self._bench(), *(_pack_part(pack, connectors) for pack in self.packs)]
        parts += [
            header_part(f"header_{pack.name}_{slot}", connectors[port.connector])
            for pack in self.packs
            for slot, port in pack.slots.items()
        ]
        parts += [
            dock_part(f"dock_{slot}_{kind}", connectors[kind])
            for slot, kind in sorted({(slot, port.connector) for slot, port in used})
        ]
        most: Counter[str] = Counter()
        for pack in self.packs:
            most |= Counter(port.connector for port in pack.ports)
        plugs = [
            plug_part(f"plug_{kind}_{i}", connectors[kind])
            for kind in kinds
            for i in range(most[kind])
        ]
        for kind in kinds:
            other = other_key(connectors[kind])
            if Fault.WRONG_HEADER in faults:
                parts.append(header_part(f"header_other_{kind}", other))
            if Fault.WRONG_PLUG in faults:
                parts.append(dock_part(f"dock_other_{kind}", other))
                plugs.append(plug_part(f"plug_other_{kind}", other))
        self.parts: tuple[Part, ...] = (*parts, *plugs)
        self.plugs = tuple(part.name for part in plugs)

    def pack(self, parameters: Mapping[str, float]) -> PackModel:
        """Return the model of an episode.

        Args:
            parameters: Of a layout: `pack_index`.
        """
        return self.packs[int(parameters["pack_index"])]

    def assigned(self, parameters: Mapping[str, float]) -> dict[str, Assigned]:
        """Return what every slot in use has to do with, by slot.

        Args:
            parameters: Of a layout: `pack_index` and `fault_<slot>`.
        """
        pack = self.pack(parameters)
        taken: Counter[str] = Counter()
        found = {}
        for slot, port in pack.slots.items():
            name = port.connector
            kind = self._connectors[name]
            fault = Fault(int(parameters.get(f"fault_{slot}", 0.0)))
            wrong_plug, wrong_header = fault is Fault.WRONG_PLUG, fault is Fault.WRONG_HEADER
            found[slot] = Assigned(
                slot=slot,
                port=port,
                kind=kind,
                plug_kind=other_key(kind) if wrong_plug else kind,
                header_kind=other_key(kind) if wrong_header else kind,
                fault=fault,
                header=f"header_other_{name}" if wrong_header else f"header_{pack.name}_{slot}",
                dock=f"dock_other_{name}" if wrong_plug else f"dock_{slot}_{name}",
                plug=f"plug_other_{name}" if wrong_plug else f"plug_{name}_{taken[name]}",
            )
            taken[name] += 1
        return found

    def parked(self) -> dict[str, Pose]:
        """Return where each part waits while it is not used; the bench stands where it stands."""
        across = math.ceil(math.sqrt(len(self.parts)))
        places = {
            part.name: Pose.translation(
                np.array(_PARKED)
                + _PARKED_APART * np.array([i // across - 0.5 * across, i % across, 0.0])
            )
            for i, part in enumerate(self.parts)
        }
        return places | {BENCH: Pose.identity()}

    def zones(self, pose_world_pack: Pose, pack: PackModel) -> tuple[KeepOut, ...]:
        """Return where no hand may be while high voltage may be on: about every header and plug.

        Args:
            pose_world_pack: Where the pack is believed to be.
            pack: Its model.
        """
        zones = []
        for slot, port in pack.slots.items():
            kind = self._connectors[port.connector]
            front = kind.mating.full_depth - kind.tip - _PLUG_REAR
            half = 0.5 * (_ZONE_BEHIND - front)
            middle = Pose.translation((0.0, 0.0, front + half))
            zones.append(
                KeepOut(
                    slot,
                    pose_world_pack @ port.pose_pack_header @ middle,
                    np.array([*kind.opening, half]),
                )
            )
        return tuple(zones)

    def _bench(self) -> Part:
        ends = []
        for slot in SLOTS:
            x, y, z = self.pose_world_dock[slot].transform(_POST_TOP).tolist()
            ends.append((x, y, z))
        return bench_part(BENCH, self.config.bench_height, ends)

    def _clip(self, arm: str, slot: int) -> Pose:
        side = np.array([1.0, 1.0 if arm == "left" else -1.0, 1.0])
        z = np.array(self.config.clip_direction) * side
        z /= np.linalg.norm(z)
        # Any axis across the cable will do; the one nearest to the world's y.
        x = np.cross((0.0, 1.0, 0.0) if abs(z[1]) < 0.9 else (1.0, 0.0, 0.0), z)
        x /= np.linalg.norm(x)
        rotation = np.stack([x, np.cross(z, x), z], axis=1)
        return Pose.from_rotation(rotation, np.array(self.config.clip_positions[slot]) * side)


def other_key(kind: ConnectorType) -> ConnectorType:
    """Return the same connector with a key that is far from its own."""
    code = KEY_CODES[(KEY_CODES.index(kind.key) + len(KEY_CODES) // 2) % len(KEY_CODES)]
    return with_key(kind, code)


def tool_in(socket: Pose, pose_socket_plug: Pose) -> Pose:
    """Return the tool pose in which a plug, held as planned, is in a socket.

    Args:
        socket: Header or dock, world.
        pose_socket_plug: The plug in it.
    """
    return socket @ pose_socket_plug @ POSE_TOOL_PLUG.inverse()


def _pack_part(pack: PackModel, connectors: Mapping[str, ConnectorType]) -> Part:
    """Return a pack's body with the brackets that carry its headers."""
    x, y, z = (0.5 * length for length in pack.body_size)
    shapes: list[Shape] = [Box((x, y, z), Pose.translation((x, 0.0, z)), color=_CASE)]
    for port in pack.ports:
        begin = connectors[port.connector].mating.full_depth + 2e-3
        half = 0.5 * (_BRACKET_END - begin)
        shapes.append(
            Box(
                (_BRACKET_HALF, _BRACKET_HALF, half),
                port.pose_pack_header @ Pose.translation((0.0, 0.0, begin + half)),
                color=_BRACKET,
                collides=False,
            )
        )
    return Part(name=f"pack_{pack.name}", shapes=tuple(shapes), fixed=True)
