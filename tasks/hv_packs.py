"""Models of battery packs: which connectors their headers are of, where, and which arm plugs them.

Frame of a pack: origin at the middle of the lower front edge of its body, x away from the robot,
y to the robot's left, z up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from robot.errors import UnknownName
from robot.spatial import Pose
from tasks.hv_figures import LEAST_CHARGED, TOUCHABLE
from tasks.parts.hv_connector import ConnectorType
from tasks.places import ARMS, tool_orientation

SLOTS = tuple(f"{arm}_{i}" for arm in ARMS for i in range(2))
"""What signals, docks and operations are named after: an arm and the order of its plugs."""

# Nearer to each other than this, a hand at one header touches the plug in the other, in m.
NEIGHBOUR_DISTANCE = 0.085
_PER_ARM = 2


@dataclass(frozen=True)
class Port:
    """One header of a pack.

    Attributes:
        name: Unique in the pack, e.g. `inverter`.
        connector: Its type, as in `configs/connector`.
        arm: Which arm plugs it.
        position: Of the middle of its mouth in the pack frame, in m.
        tilt_deg: How far the plug's way in points below the horizontal.
        yaw_deg: How far that way is turned to the left, seen from above.
    """

    name: str
    connector: str
    arm: Literal["left", "right"]
    position: tuple[float, float, float]
    tilt_deg: float = 30.0
    yaw_deg: float = 0.0

    @property
    def pose_pack_header(self) -> Pose:
        """The header as seen from the pack: +z is the plug's way in."""
        yaw = Pose.from_rotation_vector((0.0, 0.0, math.radians(self.yaw_deg)))
        way_in = yaw @ tool_orientation(math.radians(self.tilt_deg))
        return Pose(np.array(self.position), way_in.quaternion)


@dataclass(frozen=True)
class PackModel:
    """One model of pack.

    Attributes:
        name: As in the configuration.
        voltage: Of the charged pack, in V.
        body_size: Along x, y and z, in m.
        ports: Its headers, those of an arm in the order in which it plugs them.
    """

    name: str
    voltage: float
    body_size: tuple[float, float, float]
    ports: tuple[Port, ...]

    def __post_init__(self) -> None:
        """Refuse packs that two hands cannot plug."""
        if not (LEAST_CHARGED * self.voltage > TOUCHABLE and self.voltage <= 1000.0):
            raise ValueError(
                f"pack '{self.name}': voltage: expected more than {TOUCHABLE:g} V, below which "
                f"nothing is high voltage, at {LEAST_CHARGED:.0%} of it, and at most 1000 V, "
                f"got {self.voltage}"
            )
        if not min(self.body_size) > 0.0:
            raise ValueError(
                f"pack '{self.name}': body_size: expected three positive lengths in m, "
                f"got {self.body_size}"
            )
        if not self.ports:
            raise ValueError(f"pack '{self.name}': ports: expected at least one")
        for i, port in enumerate(self.ports):
            self._check_port(port, self.ports[:i])
        for arm in ARMS:
            number = sum(port.arm == arm for port in self.ports)
            if number > _PER_ARM:
                raise ValueError(
                    f"pack '{self.name}': ports: expected at most {_PER_ARM} for the {arm} arm, "
                    f"got {number}"
                )

    @property
    def slots(self) -> Mapping[str, Port]:
        """Which port each slot in use has."""
        return {
            f"{arm}_{i}": port
            for arm in ARMS
            for i, port in enumerate(port for port in self.ports if port.arm == arm)
        }

    def check_connectors(self, connectors: Mapping[str, ConnectorType]) -> None:
        """Refuse a connector that does not exist; names pack and port.

        Args:
            connectors: Every type there is, by name.
        """
        for port in self.ports:
            if port.connector not in connectors:
                unknown = UnknownName("connector", port.connector, connectors)
                raise ValueError(f"pack '{self.name}', port '{port.name}': {unknown}")

    def is_held_out(self, connectors: Mapping[str, ConnectorType]) -> bool:
        """Return whether it has a connector that is kept for tests of generalization."""
        return any(connectors[port.connector].held_out for port in self.ports)

    def _check_port(self, port: Port, others: tuple[Port, ...]) -> None:
        where = f"pack '{self.name}', port '{port.name}'"
        side = 1.0 if port.arm == "left" else -1.0
        if side * port.position[1] <= 0.0:
            raise ValueError(
                f"{where}: position: expected y on the {port.arm} arm's side, "
                f"got {port.position[1]} m"
            )
        for other in others:
            if other.name == port.name:
                raise ValueError(f"{where}: name: expected each name once")
            distance = math.dist(port.position, other.position)
            if distance < NEIGHBOUR_DISTANCE:
                raise ValueError(
                    f"{where}: position: expected at least {NEIGHBOUR_DISTANCE} m from port "
                    f"'{other.name}', got {distance:.3f} m: two headers in one place"
                )
