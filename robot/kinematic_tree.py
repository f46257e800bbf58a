"""A robot description as values: links with one inertia, shapes and pictures, a tree of joints.

Only what the derivation needs; `robot/urdf.py` reads it from files and writes it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from robot.arrays import Array
from robot.errors import UnknownName
from robot.spatial import Pose

Color = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Inertial:
    """Mass properties of a link.

    Attributes:
        mass: In kg.
        center: Centre of mass in the link, in m. Shape (3,).
        inertia: About the centre of mass, along the link's axes, in kg·m^2. Shape (3, 3).
    """

    mass: float = 0.0
    center: Array = field(default_factory=lambda: np.zeros(3))
    inertia: Array = field(default_factory=lambda: np.zeros((3, 3)))

    def moved(self, pose_a_b: Pose) -> Inertial:
        """Return the properties given in `b`, seen from `a`."""
        rotation = pose_a_b.rotation
        return Inertial(
            self.mass, pose_a_b.transform(self.center), rotation @ self.inertia @ rotation.T
        )

    def __add__(self, other: Inertial) -> Inertial:
        """Return both bodies as one, by the parallel axis theorem."""
        mass = self.mass + other.mass
        if mass <= 0.0:
            return Inertial()
        center = (self.mass * self.center + other.mass * other.center) / mass
        inertia = np.zeros((3, 3))
        for body in (self, other):
            d = body.center - center
            inertia += body.inertia + body.mass * (d @ d * np.eye(3) - np.outer(d, d))
        return Inertial(mass, center, inertia)

    def scaled(self, factor: float) -> Inertial:
        """Return the same body made of a lighter or heavier material."""
        return Inertial(factor * self.mass, self.center, factor * self.inertia)


@dataclass(frozen=True, eq=False)
class Geometry:
    """A shape on a link.

    Attributes:
        kind: `box`, `capsule`, `cylinder`, `sphere` or `mesh`. Capsules and cylinders lie along z.
        size: Edges of a box; (radius, length) of a capsule or cylinder, the length of a capsule
            without its caps; (radius,) of a sphere; scale of a mesh. In m.
        pose_link_shape: Where the shape is in the link.
        mesh: File of a mesh, None otherwise.
        color: Red, green, blue, alpha, from 0 to 1.
    """

    kind: str
    size: tuple[float, ...]
    pose_link_shape: Pose = field(default_factory=Pose.identity)
    mesh: str | None = None
    color: Color = (0.75, 0.76, 0.78, 1.0)

    def moved(self, pose_a_b: Pose) -> Geometry:
        """Return the shape given in `b`, seen from `a`."""
        return replace(self, pose_link_shape=pose_a_b @ self.pose_link_shape)


@dataclass(frozen=True, eq=False)
class Link:
    """One rigid body."""

    name: str
    inertial: Inertial = field(default_factory=Inertial)
    visuals: tuple[Geometry, ...] = ()
    collisions: tuple[Geometry, ...] = ()


@dataclass(frozen=True, eq=False)
class Joint:
    """A joint between two links.

    Attributes:
        name: Name of the joint.
        kind: `revolute`, `prismatic` or `fixed`.
        parent: Link on the base's side.
        child: Link on the far side.
        pose_parent_child: Where the child is at position zero.
        axis: Unit axis in the child. Shape (3,).
        limits: Lower and upper position, in rad or m.
        effort: Largest effort, in N·m or N.
        speed: Largest speed, in rad/s or m/s.
    """

    name: str
    kind: str
    parent: str
    child: str
    pose_parent_child: Pose
    axis: Array = field(default_factory=lambda: np.array([1.0, 0.0, 0.0]))
    limits: tuple[float, float] = (0.0, 0.0)
    effort: float = 0.0
    speed: float = 0.0

    def frozen_at(self, position: float) -> Joint:
        """Return a fixed joint that holds a revolute one at a position, in rad."""
        turn = Pose.from_rotation_vector(position * self.axis)
        return replace(self, kind="fixed", pose_parent_child=self.pose_parent_child @ turn)


@dataclass
class Tree:
    """Links and joints by name, in the order of the file; edited in place by the derivation."""

    name: str
    links: dict[str, Link]
    joints: dict[str, Joint]

    def joints_below(self, link: str) -> list[Joint]:
        """Return every joint beyond a link, parents before children."""
        below: list[Joint] = []
        for joint in [j for j in self.joints.values() if j.parent == link]:
            below += [joint, *self.joints_below(joint.child)]
        return below

    def add(self, joint: Joint, link: Link) -> None:
        """Hang a new link on an existing one."""
        if joint.parent not in self.links:
            raise UnknownName("link", joint.parent, self.links)
        self.links[link.name] = link
        self.joints[joint.name] = joint

    def merge_fixed(self, keep: set[str]) -> None:
        """Merge every link behind a fixed joint into its parent, except those to keep."""
        for joint in list(self.joints.values()):
            if joint.kind != "fixed" or joint.child in keep:
                continue
            # Joints may have been hung on a merged link since: look the parent up again.
            joint = self.joints.pop(joint.name)
            child = self.links.pop(joint.child)
            parent, pose = self.links[joint.parent], joint.pose_parent_child
            self.links[parent.name] = replace(
                parent,
                inertial=parent.inertial + child.inertial.moved(pose),
                visuals=parent.visuals + tuple(v.moved(pose) for v in child.visuals),
                collisions=parent.collisions + tuple(c.moved(pose) for c in child.collisions),
            )
            for below in [j for j in self.joints.values() if j.parent == child.name]:
                self.joints[below.name] = replace(
                    below,
                    parent=parent.name,
                    pose_parent_child=pose @ below.pose_parent_child,
                )
