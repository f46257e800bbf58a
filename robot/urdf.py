"""Robot descriptions read from URDF, simplified, and written back."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from robot.arrays import Array
from robot.kinematic_tree import Geometry, Inertial, Joint, Link, Tree
from robot.spatial import Pose


def pose_from_rpy(position: tuple[float, ...], rpy: tuple[float, ...]) -> Pose:
    """Return the pose of a URDF origin: roll, pitch, yaw about fixed x, y, z, in rad."""
    turn = Pose.identity()
    for angle, axis in zip(reversed(rpy), ((0, 0, 1), (0, 1, 0), (1, 0, 0)), strict=True):
        turn = turn @ Pose.from_rotation_vector(angle * np.array(axis, dtype=np.float64))
    return Pose(np.array(position), turn.quaternion)


def rpy_from_pose(pose: Pose) -> tuple[float, float, float]:
    """Return roll, pitch and yaw about fixed x, y, z, in rad."""
    m = pose.rotation
    pitch = math.atan2(-m[2, 0], math.hypot(m[0, 0], m[1, 0]))
    if math.hypot(m[0, 0], m[1, 0]) < 1e-9:
        # At ±90 degrees of pitch roll and yaw turn about one axis; all of it is called roll.
        return math.atan2(math.copysign(1.0, pitch) * m[0, 1], m[1, 1]), pitch, 0.0
    return math.atan2(m[2, 1], m[2, 2]), pitch, math.atan2(m[1, 0], m[0, 0])


def _numbers(element: ET.Element | None, key: str, default: str) -> tuple[float, ...]:
    text = default if element is None else element.get(key, default)
    return tuple(float(word) for word in text.split())


def _origin(element: ET.Element) -> Pose:
    origin = element.find("origin")
    return pose_from_rpy(_numbers(origin, "xyz", "0 0 0"), _numbers(origin, "rpy", "0 0 0"))


def _geometry(element: ET.Element) -> Geometry:
    shape = element.find("geometry/*")
    if shape is None:
        raise ValueError("a visual or collision element without a geometry")
    keys = {"box": ["size"], "sphere": ["radius"], "mesh": ["scale"]}
    size = tuple(
        number
        for key in keys.get(shape.tag, ["radius", "length"])
        for number in _numbers(shape, key, "1 1 1")
    )
    return Geometry(shape.tag, size, _origin(element), shape.get("filename"))


def _inertial(link: ET.Element) -> Inertial:
    element = link.find("inertial")
    mass, inertia = link.find("inertial/mass"), link.find("inertial/inertia")
    if element is None or mass is None or inertia is None:
        return Inertial()
    (xx, xy, xz, yy, yz, zz) = (
        float(inertia.get(key, "0")) for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
    )
    own = Inertial(
        float(mass.get("value", "0")),
        inertia=np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]),
    )
    return own.moved(_origin(element))


def _joint(element: ET.Element) -> Joint:
    parent, child = element.find("parent"), element.find("child")
    if parent is None or child is None:
        raise ValueError(f"joint {element.get('name')}: no parent or child")
    axis = np.array(_numbers(element.find("axis"), "xyz", "1 0 0"))
    norm = float(np.linalg.norm(axis))
    limit = element.find("limit")
    return Joint(
        name=element.get("name", ""),
        kind=element.get("type", "fixed"),
        parent=parent.get("link", ""),
        child=child.get("link", ""),
        pose_parent_child=_origin(element),
        axis=axis / norm if norm > 0.0 else axis,
        limits=(_numbers(limit, "lower", "0")[0], _numbers(limit, "upper", "0")[0]),
        effort=_numbers(limit, "effort", "0")[0],
        speed=_numbers(limit, "velocity", "0")[0],
    )


def read_urdf(path: Path) -> Tree:
    """Read the links and joints of a URDF; materials, mimics and damping are left behind."""
    root = ET.parse(path).getroot()
    links = [
        Link(
            name=element.get("name", ""),
            inertial=_inertial(element),
            visuals=tuple(_geometry(v) for v in element.findall("visual")),
            collisions=tuple(_geometry(c) for c in element.findall("collision")),
        )
        for element in root.findall("link")
    ]
    joints = [_joint(element) for element in root.findall("joint")]
    return Tree(
        root.get("name", "robot"),
        {link.name: link for link in links},
        {joint.name: joint for joint in joints},
    )


def without_frames(path: Path) -> tuple[str, dict[str, tuple[str, Pose]]]:
    """Return a URDF document without its frames, and which link carries each frame, and where.

    A frame is a link behind a fixed joint that weighs nothing and has no shape. All else is left as
    it is written, but what hangs on a frame hangs on the link that carries it.
    """
    root = ET.parse(path).getroot()
    links = {link.get("name", ""): link for link in root.findall("link")}
    carriers: dict[str, tuple[str, Pose]] = {}
    for element in root.findall("joint"):
        joint = _joint(element)
        if joint.kind == "fixed" and _is_frame(links[joint.child]):
            carriers[joint.child] = (joint.parent, joint.pose_parent_child)
            root.remove(element)
            root.remove(links[joint.child])

    def carrier(link: str, pose: Pose) -> tuple[str, Pose]:
        while link in carriers:
            link, pose_link_frame = carriers[link]
            pose = pose_link_frame @ pose
        return link, pose

    for element in root.findall("joint"):
        joint = _joint(element)
        if joint.parent not in carriers:
            continue
        link, pose = carrier(joint.parent, joint.pose_parent_child)
        for tag in ("origin", "parent"):
            for old in element.findall(tag):
                element.remove(old)
        _write_origin(element, pose)
        ET.SubElement(element, "parent", link=link)
    ET.indent(root)
    document = '<?xml version="1.0"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
    return document, {name: carrier(name, Pose.identity()) for name in carriers}


def _is_frame(link: ET.Element) -> bool:
    """Return whether a link weighs nothing and has no shape.

    One without a mass in the file does not count: to PyBullet it weighs 1 kg.
    """
    mass = link.find("inertial/mass")
    bare = link.find("visual") is None and link.find("collision") is None
    return bare and mass is not None and float(mass.get("value", "1")) == 0.0


def _text(numbers: tuple[float, ...] | Array) -> str:
    return " ".join(repr(float(number)) for number in numbers)


def _write_origin(parent: ET.Element, pose: Pose) -> None:
    rpy = rpy_from_pose(pose)
    ET.SubElement(parent, "origin", xyz=_text(pose.position), rpy=_text(rpy))


def _write_geometry(parent: ET.Element, tag: str, shape: Geometry, name: str) -> None:
    element = ET.SubElement(parent, tag)
    _write_origin(element, shape.pose_link_shape)
    geometry = ET.SubElement(element, "geometry")
    if shape.kind == "box":
        ET.SubElement(geometry, "box", size=_text(shape.size))
    elif shape.kind == "sphere":
        ET.SubElement(geometry, "sphere", radius=_text(shape.size))
    elif shape.kind == "mesh":
        ET.SubElement(geometry, "mesh", filename=str(shape.mesh), scale=_text(shape.size))
    else:
        radius, length = shape.size
        ET.SubElement(geometry, shape.kind, radius=repr(radius), length=repr(length))
    if tag == "visual":
        # PyBullet keeps the first colour it sees under a name, so each link has a name of its own.
        material = ET.SubElement(element, "material", name=name)
        ET.SubElement(material, "color", rgba=_text(shape.color))


def write_urdf(tree: Tree, shapes: bool) -> str:
    """Return a URDF document.

    Args:
        tree: What to write.
        shapes: Whether collision and visual elements are written.
    """
    root = ET.Element("robot", name=tree.name)
    for link in tree.links.values():
        element = ET.SubElement(root, "link", name=link.name)
        # Written even when zero: PyBullet gives a link without this element a mass of 1 kg.
        body, m = ET.SubElement(element, "inertial"), link.inertial.inertia
        _write_origin(body, Pose.translation(link.inertial.center))
        ET.SubElement(body, "mass", value=repr(float(link.inertial.mass)))
        entries = (m[0, 0], m[0, 1], m[0, 2], m[1, 1], m[1, 2], m[2, 2])
        keys = ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
        values = {key: repr(float(v)) for key, v in zip(keys, entries, strict=True)}
        ET.SubElement(body, "inertia", attrib=values)
        for number, shape in enumerate(link.visuals if shapes else ()):
            _write_geometry(element, "visual", shape, f"{link.name}_{number}")
        for shape in link.collisions if shapes else ():
            _write_geometry(element, "collision", shape, link.name)
    for joint in tree.joints.values():
        element = ET.SubElement(root, "joint", name=joint.name, type=joint.kind)
        _write_origin(element, joint.pose_parent_child)
        ET.SubElement(element, "parent", link=joint.parent)
        ET.SubElement(element, "child", link=joint.child)
        if joint.kind != "fixed":
            ET.SubElement(element, "axis", xyz=_text(joint.axis))
            ET.SubElement(
                element,
                "limit",
                lower=repr(joint.limits[0]),
                upper=repr(joint.limits[1]),
                effort=repr(joint.effort),
                velocity=repr(joint.speed),
            )
    # PyBullet's parser silently stops at very long lines, so every element gets a line of its own.
    ET.indent(root)
    return '<?xml version="1.0"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
