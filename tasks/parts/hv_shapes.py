"""What plugs, headers and docks look like and collide as, from the numbers of their type.

Few shapes, since every pair of them costs: a plug is three boxes and two hulls, a socket's walls
are blocks as thick as its flange is wide, with the mouth between them.
"""

from __future__ import annotations

from robot.geometry import Box, Color, ConvexHull, Cylinder, Shape
from robot.spatial import Pose
from tasks.parts.hv_connector import (
    CHAMFER,
    COLLAR_RIM,
    COLLAR_THICKNESS,
    FLAT,
    KEY_START,
    NECK,
    REAR_RIM,
    WALL,
    ConnectorType,
)
from tasks.parts.shapes import Part

ORANGE: Color = (0.93, 0.42, 0.06, 1.0)
SIGNAL: Color = (0.16, 0.32, 0.55, 1.0)
NOSE: Color = (0.20, 0.20, 0.22, 1.0)
HEADER: Color = (0.13, 0.13, 0.15, 1.0)
POCKET: Color = (0.03, 0.03, 0.03, 1.0)
DOCK: Color = (0.62, 0.64, 0.66, 1.0)
COPPER: Color = (0.78, 0.50, 0.28, 1.0)
LOCK: Color = (0.85, 0.12, 0.10, 1.0)

# The engine grows hulls, not boxes, by this collision margin, in m; so they are drawn smaller.
_MARGIN = 1e-4
# Key rib: half its width, its height, how much narrower its front is on each side and over what
# length; and the room of its slot on each side, in m. Every slot is wider than the front by more
# than the nose can be off to the side when the rib gets there.
_RIB_HALF_WIDTH = 2e-3
_RIB_HEIGHT = 2.5e-3
_RIB_TAPER = 1.5e-3
_RIB_TAPER_LENGTH = 3e-3
_SLOT_ROOM = 3e-4
# A searching nose slides on so much flange around the mouth, in m.
_FLANGE = 0.018
# Walls go on behind the deepest plug, in m.
_BEHIND = 2e-3
# A dock's clearance above the nose, below it and to each side, in m: gravity and cable press a
# docked plug against the upper wall with its nose and on a shelf with its front collar, so both are
# flush, and one held askew has room below. The shelf has a ramp before it.
_DOCK_ABOVE, _DOCK_BELOW, _DOCK_BESIDE = 5e-5, 2.5e-4, 3e-4
_SHELF_GAP = 1e-4
_SHELF_THICKNESS = 6e-3
_SHELF_HALF_WIDTH = 8e-3
_RAMP_LENGTH, _RAMP_DROP = 6e-3, 4e-3


def plug_part(name: str, kind: ConnectorType, friction: float = 0.5) -> Part:
    """Return a plug in its own frame.

    Args:
        name: Unique in the scene.
        kind: Its type.
        friction: Its share of the friction with pads and sockets.
    """
    color = ORANGE if kind.voltage == "hv" else SIGNAL
    x, y, z = NECK
    shapes: list[Shape] = [
        Box(NECK, color=color),
        _collar(COLLAR_RIM, 1.0, color),
        _collar(REAR_RIM, -1.0, color),
        _nose(kind),
        _rib(kind),
        # The slide's red edge on top, the gland below, and contacts in the tip.
        Box(
            (1e-3, 0.5 * y, 0.7 * z),
            Pose.translation((-x - 1e-3, 0.0, 0.0)),
            color=LOCK,
            collides=False,
        ),
        Cylinder(0.008, 0.006, kind.pose_plug_cable, color=NOSE, collides=False),
    ]
    shapes += _contacts(kind, kind.tip, 2e-4, COPPER)
    return Part(
        name=name,
        shapes=tuple(shapes),
        fixed=False,
        mass=kind.mass,
        inertia=kind.inertia,
        friction=friction,
    )


def header_part(name: str, kind: ConnectorType, friction: float = 0.5) -> Part:
    """Return a header: a flange flush with the mouth, pocket and key slot behind it.

    Args:
        name: Unique in the scene.
        kind: Its type.
        friction: Its share of the friction with plugs.
    """
    depth = kind.mating.full_depth + _BEHIND
    gap = kind.nose.clearance
    shapes = _walls(kind, (gap, gap, gap), depth, HEADER)
    half_x, half_y = kind.opening
    shapes += [
        Box(
            (half_x, half_y, 5e-4),
            Pose.translation((0.0, 0.0, depth)),
            color=POCKET,
            collides=False,
        ),
        # A rim of the type's colour says what belongs here.
        Box(
            (5e-4, half_y, 2e-4),
            Pose.translation((half_x + 4e-3, 0.0, 0.0)),
            color=ORANGE if kind.voltage == "hv" else SIGNAL,
            collides=False,
        ),
    ]
    shapes += _contacts(kind, 0.6 * depth, 0.4 * depth, COPPER)
    return Part(name=name, shapes=tuple(shapes), fixed=True, friction=friction)


def dock_part(name: str, kind: ConnectorType, friction: float = 0.2) -> Part:
    """Return a dock: a wider pocket of the same kind, and a shelf under the front collar.

    The shelf is on the +x side, where a plug held level or nose down is heavy; pads come from the
    sides and the cable leaves behind it.

    Args:
        name: Unique in the scene.
        kind: Type of the plug it is for.
        friction: Its share of the friction with the plug: smooth, since a plug that comes askew has
            to slide up the ramp.
    """
    gaps = (_DOCK_ABOVE, _DOCK_BELOW, _DOCK_BESIDE)
    shapes = _walls(kind, gaps, kind.dock.full_depth + _BEHIND, DOCK)
    # The front collar reaches so far out of the mouth.
    rear = kind.dock.stroke - kind.nose.length - COLLAR_THICKNESS
    top = NECK[0] + COLLAR_RIM + _SHELF_GAP
    profile = (
        (top + _MARGIN, -_MARGIN),
        (top + _MARGIN, rear),
        (top + _MARGIN + _RAMP_DROP, rear - _RAMP_LENGTH),
        (top + _SHELF_THICKNESS, rear - _RAMP_LENGTH),
        (top + _SHELF_THICKNESS, -_MARGIN),
    )
    shapes.append(
        ConvexHull(
            tuple((x, y, z) for x, z in profile for y in (-_SHELF_HALF_WIDTH, _SHELF_HALF_WIDTH)),
            color=DOCK,
        )
    )
    return Part(name=name, shapes=tuple(shapes), fixed=True, friction=friction)


def _collar(rim: float, side: float, color: Color) -> ConvexHull:
    """Return a collar with a chamfer towards the neck, along which pads slide into their place.

    Args:
        rim: How far it stands out of the neck to the sides, in m.
        side: 1 for the front collar, -1 for the rear one.
        color: Of both.
    """
    x, y = NECK[0] + COLLAR_RIM - _MARGIN, NECK[1]
    rear = NECK[2] + COLLAR_THICKNESS - _MARGIN
    outline = (
        (y - _MARGIN, FLAT + _MARGIN),
        (y + WALL, FLAT + _MARGIN),
        (y + rim - _MARGIN, FLAT + CHAMFER + _MARGIN),
        (y + rim - _MARGIN, rear),
    )
    return ConvexHull(
        tuple(
            (sx * x, sy * across, side * along)
            for across, along in outline
            for sx in (-1.0, 1.0)
            for sy in (-1.0, 1.0)
        ),
        color=color,
    )


def _nose(kind: ConnectorType) -> ConvexHull:
    """Return the nose: a box whose tip is smaller."""
    nose = kind.nose
    half_x, half_y = 0.5 * nose.height - _MARGIN, 0.5 * nose.width - _MARGIN
    base = NECK[2] + COLLAR_THICKNESS
    levels = (
        (base, 0.0),
        (kind.tip - nose.taper_length, 0.0),
        (kind.tip - _MARGIN, nose.taper),
    )
    return ConvexHull(
        tuple(
            (sx * (half_x - cut), sy * (half_y - cut), z)
            for z, cut in levels
            for sx in (-1.0, 1.0)
            for sy in (-1.0, 1.0)
        ),
        color=NOSE,
    )


def _rib(kind: ConnectorType) -> ConvexHull:
    """Return the key rib on the nose's -x side, its front narrower."""
    inner = -0.5 * kind.nose.height + kind.nose.taper + _MARGIN
    outer = -0.5 * kind.nose.height - _RIB_HEIGHT + _MARGIN
    half, middle = _RIB_HALF_WIDTH - _MARGIN, kind.key_offset
    front = kind.tip - KEY_START - _MARGIN
    levels = (
        (NECK[2] + COLLAR_THICKNESS, half),
        (front - _RIB_TAPER_LENGTH, half),
        (front, half - _RIB_TAPER),
    )
    return ConvexHull(
        tuple(
            (x, middle + side * width, z)
            for z, width in levels
            for x in (inner, outer)
            for side in (-1.0, 1.0)
        ),
        color=NOSE,
    )


def _walls(
    kind: ConnectorType, gaps: tuple[float, float, float], depth: float, color: Color
) -> list[Shape]:
    """Return five blocks about a mouth, one side of it cut by the key's slot.

    Args:
        kind: Whose nose goes in.
        gaps: From the nose to the walls on the -x side, the +x side and each y side, in m.
        depth: Of the blocks, in m.
        color: Of the blocks.
    """
    above, below = -0.5 * kind.nose.height - gaps[0], 0.5 * kind.nose.height + gaps[1]
    side = 0.5 * kind.nose.width + gaps[2]
    edge, top, bottom = side + _FLANGE, above - _FLANGE, below + _FLANGE
    half_slot = _RIB_HALF_WIDTH + _SLOT_ROOM + gaps[2] - kind.nose.clearance
    left, right = kind.key_offset - half_slot, kind.key_offset + half_slot
    # Above the rib the slot is closed to the eye only: no rib reaches so far.
    closed = above - 2.0 * _RIB_HEIGHT

    def block(x: tuple[float, float], y: tuple[float, float], collides: bool = True) -> Box:
        return Box(
            (0.5 * (x[1] - x[0]), 0.5 * (y[1] - y[0]), 0.5 * depth),
            Pose.translation((0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1]), 0.5 * depth)),
            color=color,
            collides=collides,
        )

    return [
        block((below, bottom), (-edge, edge)),
        block((above, below), (side, edge)),
        block((above, below), (-edge, -side)),
        block((top, above), (right, edge)),
        block((top, above), (-edge, left)),
        block((top, closed), (left, right), collides=False),
    ]


def _contacts(kind: ConnectorType, z: float, half: float, color: Color) -> list[Shape]:
    """Return as many discs as the type has poles, up to four, side by side; they are only seen."""
    count = min(kind.poles, 4)
    pitch = 0.6 * kind.nose.width / count
    return [
        Cylinder(
            0.3 * pitch if kind.voltage == "hv" else 1.2e-3,
            2.0 * half,
            Pose.translation((0.0, pitch * (i - 0.5 * (count - 1)), z)),
            color=color,
            collides=False,
        )
        for i in range(count)
    ]
