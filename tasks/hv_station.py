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
from robot.keep_out import KeepOut
from robot.spatial import Pose
from tasks.hv_packs import SLOTS, PackModel, Port
from tasks.hv_station_config import HvStationConfig
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
BARS = "bars"
_CASE: Color = (0.60, 0.63, 0.66, 1.0)
_BRACKET: Color = (0.45, 0.47, 0.50, 1.0)
# What is not used waits here, in m, each this far from the next.
_PARKED = (0.0, 0.0, -5.0)
_PARKED_APART = 0.25
# From a header's mouth to the end of the bracket that carries it, in m, and half its edge.
_BRACKET_END, _BRACKET_HALF = 0.06, 0.016
# From a dock's mouth to the bar that carries it, below and behind it, in m; a bar is half as thick
# as this, and ends over the bench, so far behind its front edge.
_BAR_BEGIN = (0.024, 0.0, 0.020)
_BAR_HALF = 0.008
_BAR_OVER = 0.03
# A zone begins where the rear of a mated plug is, in m behind its grip, and ends behind the mouth.
_PLUG_REAR = NECK[2] + 0.005
_ZONE_BEHIND = 0.02


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
        parts = [*self._bench(), *(_pack_part(pack, connectors) for pack in self.packs)]
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
        return places | {BENCH: Pose.identity(), BARS: Pose.identity()}

    def zones(self, pose_world_headers: Mapping[str, Pose], pack: PackModel) -> tuple[KeepOut, ...]:
        """Return where no hand may be while high voltage may be on: about every header and plug.

        Args:
            pose_world_headers: Where the header of each slot is, or is believed to be.
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
                    pose_world_headers[slot] @ middle,
                    np.array([*kind.opening, half]),
                )
            )
        return tuple(zones)

    def _bench(self) -> tuple[Part, Part]:
        """Return the bench with its posts, and the bars on them that carry docks and clips."""
        config = self.config
        x = config.bench_front + _BAR_OVER
        begins = [self.pose_world_dock[slot].transform(_BAR_BEGIN) for slot in SLOTS]
        clips = [self.pose_world_clip[slot].position for slot in SLOTS]
        ends = [(x, float(y), float(z)) for _, y, z in (*begins, *clips)]
        bench = bench_part(BENCH, config.bench_height, ends, config.bench_front)
        # From the top of each post forwards to its dock or clip; cables are not in their way.
        bars = tuple(
            Box(
                (0.5 * (x + _BAR_HALF - float(begin[0])), _BAR_HALF, _BAR_HALF),
                Pose.translation([0.5 * (x + _BAR_HALF + float(begin[0])), begin[1], begin[2]]),
                color=_BRACKET,
                collides=False,
            )
            for begin in (*begins, *clips)
        )
        return bench, Part(name=BARS, shapes=bars, fixed=True)

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
