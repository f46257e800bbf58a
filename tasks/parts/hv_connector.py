"""A family of high-voltage connectors from one description: sizes, key, strokes and forces.

No maker publishes its force tables; the ranges are those of the ergonomics and USCAR-type figures
for hand plugs: 7 to 16 mm from the first touch of the contacts to home, 45 to 100 N to mate, 20 to
100 N to unmate, a lock that goes in with 22 N and latches that hold 110 N. As in plugs that are
safe against being held askew, the header guides the nose before the contacts touch.

Frames:
    plug: origin at the centre of its grip neck, which is its centre of mass; +z the direction of
        mating, +y across the neck, +x the side where the cable leaves.
    header, dock: origin at the centre of the mouth, +z inwards, x and y as the plug's when mated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from robot.mating import Engagement, MatingProfile
from robot.spatial import Pose

KeyCode = Literal["A", "B", "C", "D", "E", "F"]
KEY_CODES: tuple[KeyCode, ...] = ("A", "B", "C", "D", "E", "F")

# The grip, the same for every type: half of the neck along x, y, z; and its two collars, in m.
NECK: tuple[float, float, float] = (0.012, 0.008, 0.0095)
COLLAR_THICKNESS = 0.005
COLLAR_RIM = 0.006
# Of the rear collar to the sides: pads hook behind it, and stand out of their fingers by 6 mm.
REAR_RIM = 0.005
# The collars' walls stand so far from the neck's middle, in m, so high, and end in a chamfer so
# wide: pads of 14 mm that close up to 2 mm off slide down a chamfer until they sit between both
# walls, where they cannot turn by more than 2.4 degrees.
FLAT = 0.00725
WALL = 0.0015
CHAMFER = 0.0025
# The key rib begins so far behind the nose's tip, in m: where a wrong key stops.
KEY_START = 3e-3
# From the outermost keys' middle to the nose's edge, as a share of its width: a slot nearer to the
# corner of the mouth would catch the corner of a nose that is turned a little.
_KEY_EDGE = 0.2
# A dock's detent and friction, in N, and drag, in N·s/m.
_DOCK_DETENT = 12.0
_DOCK_FRICTION = 3.0
_DOCK_DRAG = 50.0
# The straight part of a nose is in the header by so much before contacts touch, in m: no nose that
# is held askew may get at the pins.
_GUIDED = 5e-3
# Room between the front collar and the header when all is home, in m.
_COLLAR_ROOM = 1e-3


@dataclass(frozen=True)
class Nose:
    """What goes into the header: a box with a tapered tip and a key rib on its -x side.

    Attributes:
        width: Along y, in m.
        height: Along x, in m.
        length: From the front collar to the tip, in m.
        taper: By how much the tip is smaller on each side, in m: what the header captures.
        taper_length: Over which, in m.
        clearance: To the header's walls on each side, in m.
    """

    width: float
    height: float
    length: float
    taper: float
    taper_length: float
    clearance: float

    def __post_init__(self) -> None:
        """Refuse a nose that does not fit its plug or header."""
        _between("width", self.width, 0.026, 0.06, "m")
        _between("height", self.height, 0.014, 0.04, "m")
        _between("length", self.length, 0.010, 0.04, "m")
        _between("taper", self.taper, 5e-4, 0.25 * self.height, "m, a quarter of the height")
        _between("taper_length", self.taper_length, self.taper, 0.5 * self.length, "m")
        _between("clearance", self.clearance, 1e-4, 1e-3, "m")


@dataclass(frozen=True)
class ConnectorType:
    """One type of connector.

    Attributes:
        name: As in the configuration.
        poles: Power contacts, or signal contacts of a low-voltage plug.
        voltage: `hv` for the traction circuit, `lv` for signals.
        key: Lateral place of the rib.
        held_out: Whether it is kept for tests of generalization.
        nose: What goes in.
        mating: Strokes and forces in its own header.
        mass: Of the plug without its cable, in kg.
    """

    name: str
    poles: int
    voltage: Literal["hv", "lv"]
    key: KeyCode
    nose: Nose
    mating: MatingProfile
    mass: float
    held_out: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or leaves the family."""
        if self.poles < 1:
            raise ValueError(f"poles: expected at least 1, got {self.poles}")
        if self.key not in KEY_CODES:
            raise ValueError(f"key: expected one of {', '.join(KEY_CODES)}, got {self.key}")
        _between("mass", self.mass, 0.25, 0.45, "kg")
        m = self.mating
        if not (m.latches and m.lock_stroke > 0.0):
            raise ValueError("mating: expected a latch and a lock, got a profile without")
        family = (
            ("stroke less engage_depth", m.stroke - m.engage_depth, 7e-3, 16e-3, "m of contact"),
            ("peak_force", m.peak_force, 45.0, 100.0, "N"),
            ("unmating_force", m.unmating_force, 20.0, 100.0, "N"),
        )
        for name, value, low, high, unit in family:
            if not low <= value <= high:
                raise ValueError(
                    f"mating: {name}: expected {low:g} to {high:g} {unit}, got {value}"
                )
        if m.key_depth < KEY_START + 1e-3:
            raise ValueError(
                f"mating: key_depth: expected at least {KEY_START + 1e-3:g} m, behind the rib's "
                f"front, got {m.key_depth}"
            )
        guided = m.engage_depth - self.nose.taper_length
        if guided < _GUIDED:
            raise ValueError(
                f"mating: engage_depth: expected at least {self.nose.taper_length + _GUIDED:g} m, "
                f"so that {_GUIDED:g} m behind the taper guide the nose before pins are touched, "
                f"got {m.engage_depth}"
            )
        if self.nose.length < m.full_depth + _COLLAR_ROOM:
            raise ValueError(
                f"nose: length: expected at least {m.full_depth + _COLLAR_ROOM:g} m, or the collar "
                f"meets the header before stroke and lock are through, got {self.nose.length}"
            )
        collar = 2.0 * (NECK[1] + COLLAR_RIM)
        if self.nose.width < collar - 0.01:
            raise ValueError(
                f"nose: width: expected at least {collar - 0.01:g} m to carry the collar, "
                f"got {self.nose.width}"
            )

    @property
    def tip(self) -> float:
        """From the plug's origin to the nose's tip along z, in m."""
        return NECK[2] + COLLAR_THICKNESS + self.nose.length

    @property
    def key_offset(self) -> float:
        """Where the middle of the key rib is along y, in m."""
        return key_offset(self, self.key)

    @property
    def opening(self) -> tuple[float, float]:
        """Half of the header's mouth along x and y, in m."""
        gap = self.nose.clearance
        return (0.5 * self.nose.height + gap, 0.5 * self.nose.width + gap)

    @property
    def inertia(self) -> tuple[float, float, float]:
        """Principal moments of a plug that fills its collars' box, in kg·m^2."""
        x, y = 2.0 * (NECK[0] + COLLAR_RIM), 2.0 * (NECK[1] + COLLAR_RIM)
        z = 2.0 * (NECK[2] + COLLAR_THICKNESS) + self.nose.length
        third = self.mass / 12.0
        return (third * (y**2 + z**2), third * (x**2 + z**2), third * (x**2 + y**2))

    @property
    def dock(self) -> MatingProfile:
        """Strokes and forces of the plug in its dock: a light detent, no latch, no lock."""
        m = self.mating
        return replace(
            m,
            peak_force=_DOCK_DETENT,
            peak_depth=m.stroke - 4e-3,
            engage_depth=m.stroke - 6e-3,
            friction=_DOCK_FRICTION,
            drag=_DOCK_DRAG,
            unmating_force=_DOCK_DETENT,
            latches=False,
            click_drop=0.0,
            lock_stroke=0.0,
            power_depth=m.stroke,
            pin_depth=m.stroke,
            pin_force=m.max_force,
            key_depth=min(m.key_depth, m.stroke - 6e-3),
        )

    def pose_header_plug(self, engagement: Engagement = Engagement.LOCKED) -> Pose:
        """Return where the plug is in the header frame.

        Args:
            engagement: How far in.
        """
        return Pose.translation((0.0, 0.0, self.mating.depth(engagement) - self.tip))

    @property
    def pose_dock_plug(self) -> Pose:
        """Where the plug is in the dock frame when it rests there."""
        return Pose.translation((0.0, 0.0, self.dock.depth(Engagement.MATED) - self.tip))

    @property
    def pose_plug_cable(self) -> Pose:
        """Where the cable leaves the plug: +z along it, outwards, which is the plug's +x."""
        rear = -(NECK[2] + 0.5 * COLLAR_THICKNESS)
        return Pose.from_rotation_vector(
            (0.0, 0.5 * math.pi, 0.0), (NECK[0] + COLLAR_RIM, 0.0, rear)
        )

    def depth_of(self, pose_header_plug: Pose) -> float:
        """Return the depth of the nose's tip behind the mouth, in m.

        Args:
            pose_header_plug: Where the plug is in the frame of a header or dock.
        """
        return float(pose_header_plug.transform((0.0, 0.0, self.tip))[2])

    def mates_with(self, other: ConnectorType) -> bool:
        """Return whether the plug goes into the other type's header: same nose and same key."""
        return self.key == other.key and self.nose == other.nose and self.mating == other.mating


POSE_TOOL_PLUG = Pose.identity()
"""Where a plug is in a nominal grasp: the pads' middle on the neck's middle."""


def key_offset(kind: ConnectorType, code: KeyCode) -> float:
    """Return where the rib of a key code is along y on a type's nose, in m.

    Args:
        kind: Whose nose.
        code: From A, at -y, to F, at +y.
    """
    reach = (0.5 - _KEY_EDGE) * kind.nose.width
    return reach * (2.0 * KEY_CODES.index(code) / (len(KEY_CODES) - 1) - 1.0)


def with_key(kind: ConnectorType, code: KeyCode) -> ConnectorType:
    """Return the same connector with another key: for a header that must be refused.

    Args:
        kind: Which.
        code: The other key.
    """
    return replace(kind, key=code)


def _between(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low:.6g} to {high:.6g} {unit}, got {value}")
