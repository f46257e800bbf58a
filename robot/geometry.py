"""Geometric primitives: what a part looks like and collides as, without saying where it is used."""

from __future__ import annotations

from dataclasses import dataclass, field

from robot.spatial import Pose

Color = tuple[float, float, float, float]
GREY: Color = (0.6, 0.6, 0.62, 1.0)


@dataclass(frozen=True, eq=False)
class Box:
    """A box centred on its frame.

    Attributes:
        half_extents: Half of each edge, in m.
        pose_body_shape: Where the box is in the body's frame.
        color: Red, green, blue, alpha, from 0 to 1.
        collides: Whether it takes part in contact, or is only seen.
    """

    half_extents: tuple[float, float, float]
    pose_body_shape: Pose = field(default_factory=Pose.identity)
    color: Color = GREY
    collides: bool = True


@dataclass(frozen=True, eq=False)
class Cylinder:
    """A cylinder along the z axis of its frame, centred on it.

    Attributes:
        radius: In m.
        length: In m.
        pose_body_shape: Where the cylinder is in the body's frame.
        color: Red, green, blue, alpha, from 0 to 1.
        collides: Whether it takes part in contact, or is only seen.
    """

    radius: float
    length: float
    pose_body_shape: Pose = field(default_factory=Pose.identity)
    color: Color = GREY
    collides: bool = True


@dataclass(frozen=True, eq=False)
class ConvexHull:
    """The convex hull of points.

    Attributes:
        points: In the shape's frame, in m.
        pose_body_shape: Where that frame is in the body's frame.
        color: Red, green, blue, alpha, from 0 to 1.
        collides: Whether it takes part in contact, or is only seen.
    """

    points: tuple[tuple[float, float, float], ...]
    pose_body_shape: Pose = field(default_factory=Pose.identity)
    color: Color = GREY
    collides: bool = True


Shape = Box | Cylinder | ConvexHull
