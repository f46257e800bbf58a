"""Simulation and control URDFs, derived from an installed robot package into a cache.

No mesh and no description is copied into this project: the package is found where pip put it, and
what is wrong for our purpose is changed on the way into the cache. Two files come out of one tree
of links, so that their masses agree:

* the *simulation* URDF has box feet, capsules or boxes in place of meshes, and parallel grippers
  with two prismatic fingers;
* the *control* URDF has no shapes (pinocchio's parser refuses capsules) and no finger joints; the
  fingers are part of the gripper's mass, closed halfway.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from robot.arrays import Array
from robot.errors import ConfigError, UnknownName
from robot.kinematic_tree import Geometry, Inertial, Joint, Link, Tree
from robot.mesh_shapes import fit_box, fit_capsule, read_stl
from robot.robot_config import DescriptionConfig, GripperConfig, PadConfig
from robot.spatial import Pose
from robot.urdf import pose_from_rpy, read_urdf, write_urdf

# Raise when the derivation changes, so that caches of older versions are not used.
_DERIVATION_VERSION = 2
_TRUNK_COLOR = (0.28, 0.38, 0.50, 1.0)
_GRIPPER_COLOR = (0.16, 0.17, 0.19, 1.0)
_PAD_COLOR = (0.05, 0.05, 0.05, 1.0)
_FOOT_COLOR = (0.25, 0.26, 0.28, 1.0)


@dataclass(frozen=True)
class Description:
    """The two derived files of a robot.

    Attributes:
        sim_urdf: With shapes and finger joints, for the physics.
        control_urdf: Without shapes and finger joints, for the model.
    """

    sim_urdf: Path
    control_urdf: Path

    def collision_shapes(self) -> dict[str, tuple[Geometry, ...]]:
        """Return the box and capsules of each link that has any, fingers included."""
        links = read_urdf(self.sim_urdf).links.values()
        return {link.name: link.collisions for link in links if link.collisions}


def find_urdf(package: str, urdf: str) -> Path:
    """Return where an installed distribution keeps a URDF.

    Args:
        package: Name of the distribution.
        urdf: End of the file's path.

    Raises:
        ConfigError: If the distribution is not installed or has no such file.
    """
    try:
        files = importlib.metadata.files(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(
            f"the robot description package '{package}' is not installed: "
            f"python -m pip install '{package}'"
        ) from error
    known = [file for file in files or [] if file.suffix == ".urdf"]
    for file in known:
        if file.as_posix().endswith(urdf):
            return Path(str(file.locate())).resolve()
    raise UnknownName(f"URDF in package {package}", urdf, [file.name for file in known])


def derive(config: DescriptionConfig) -> Description:
    """Return the derived URDFs of a robot, made now unless they are in the cache.

    Safe against other processes that do the same at the same time: files appear whole or not.

    Raises:
        ConfigError: If the package is not installed.
        UnknownName: If a link or joint in the configuration does not exist.
    """
    source = find_urdf(config.package, config.urdf)
    options = json.dumps(dataclasses.asdict(config), sort_keys=True)
    key = hashlib.sha256(
        f"{_DERIVATION_VERSION}\n{source}\n{options}\n".encode() + source.read_bytes()
    ).hexdigest()[:16]
    folder = _cache_folder() / f"{source.stem}-{key}"
    description = Description(folder / "sim.urdf", folder / "control.urdf")
    if not (description.sim_urdf.is_file() and description.control_urdf.is_file()):
        sim, control = _derive_trees(read_urdf(source), source, config)
        folder.mkdir(parents=True, exist_ok=True)
        _write_atomically(description.sim_urdf, write_urdf(sim, shapes=True))
        _write_atomically(description.control_urdf, write_urdf(control, shapes=False))
    return description


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "workcell" / "descriptions"


def _write_atomically(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def _derive_trees(tree: Tree, source: Path, config: DescriptionConfig) -> tuple[Tree, Tree]:
    """Return the simulation and the control tree."""
    _simplify_shapes(tree, source, config)
    for name, position in config.fixed_joints.items():
        if name not in tree.joints:
            raise UnknownName("joint", name, tree.joints)
        tree.joints[name] = tree.joints[name].frozen_at(position)
    for gripper in config.grippers.values():
        _freeze_linkage(tree, gripper, 2.0 * config.pads.mass)
    for name, frame in config.frames.items():
        _add_frame(tree, name, frame.link, pose_from_rpy(frame.position, frame.rpy))
    for name, foot in config.feet.items():
        bottom = (foot.center[0], foot.center[1], foot.center[2] - 0.5 * foot.size[2])
        _add_frame(tree, f"sole_{name}", foot.link, Pose.translation(bottom))
    for arm, gripper in config.grippers.items():
        _add_frame(tree, f"tool_{arm}", gripper.link, pose_from_rpy(gripper.position, gripper.rpy))
    control = copy.deepcopy(tree)
    for arm in config.grippers:
        add_fingers(tree, arm, config.pads, moving=True)
        add_fingers(control, arm, config.pads, moving=False)
    keep = {*config.kept_links, *config.frames}
    keep |= {f"sole_{name}" for name in config.feet} | {f"tool_{arm}" for arm in config.grippers}
    for derived in (tree, control):
        derived.merge_fixed(keep)
    return tree, control


def _simplify_shapes(tree: Tree, source: Path, config: DescriptionConfig) -> None:
    for name in (*config.boxes, *config.without_shapes, *config.kept_links):
        if name not in tree.links:
            raise UnknownName("link", name, tree.links)
    feet = {foot.link: foot for foot in config.feet.values()}
    hands = {gripper.link for gripper in config.grippers.values()}
    for name, link in tree.links.items():
        visuals = [_with_mesh_path(visual, source) for visual in link.visuals]
        shapes: list[Geometry] = []
        if name in feet:
            pose = Pose.translation(feet[name].center)
            shapes = [Geometry("box", feet[name].size, pose, color=_FOOT_COLOR)]
        elif name not in config.without_shapes:
            # Some makers collide with a few primitives only; what is seen is then what is there.
            solid = [shape for shape in link.collisions if shape.mesh]
            for shape in solid or [shape for shape in visuals if shape.mesh]:
                fit = fit_box if name in config.boxes else fit_capsule
                shapes.append(_fitted(_with_mesh_path(shape, source), fit))
        if name in config.boxes:
            color = _GRIPPER_COLOR if name in hands else _TRUNK_COLOR
            shapes = [replace(shape, color=color) for shape in shapes]
        tree.links[name] = replace(
            link,
            collisions=tuple(shapes),
            visuals=tuple(visuals if config.visuals == "meshes" else shapes),
        )


def _with_mesh_path(shape: Geometry, source: Path) -> Geometry:
    """Return a shape whose mesh is an absolute path: no one resolves `package://` for us."""
    if shape.mesh is None:
        return shape
    # `package://name/path`, `package:///name/path` and plain relative paths are all in use; either
    # way the file is below one of the folders that hold the URDF.
    relative = Path(shape.mesh.split("://")[-1].lstrip("/"))
    for folder in source.parents:
        for candidate in (folder / relative, folder / Path(*relative.parts[1:])):
            if candidate.is_file():
                return replace(shape, mesh=str(candidate.resolve()))
    raise ConfigError(f"{source}: mesh {shape.mesh} not found below any folder above the file")


def _fitted(shape: Geometry, fit: Callable[[Array], Geometry]) -> Geometry:
    """Return the box or capsule that stands for a mesh."""
    points = read_stl(Path(str(shape.mesh))) * np.array(shape.size)
    return fit(points).moved(shape.pose_link_shape)


def _freeze_linkage(tree: Tree, gripper: GripperConfig, finger_mass: float) -> None:
    """Make everything beyond the gripper body rigid, shapeless and lighter by the fingers."""
    if gripper.link not in tree.links:
        raise UnknownName("link", gripper.link, tree.links)
    beyond = tree.joints_below(gripper.link)
    mass = sum(tree.links[joint.child].inertial.mass for joint in beyond)
    body = tree.links[gripper.link]
    if mass + body.inertial.mass <= finger_mass:
        raise ConfigError(
            f"{gripper.link}: two fingers of together {finger_mass} kg are heavier than the "
            f"hand they replace ({mass + body.inertial.mass:.3f} kg): lower pads.mass"
        )
    # The linkage pays for the fingers, and the body for what the linkage cannot.
    left = max(mass - finger_mass, 0.0)
    for joint in beyond:
        tree.joints[joint.name] = joint.frozen_at(0.0)
        child = tree.links[joint.child]
        tree.links[joint.child] = Link(child.name, child.inertial.scaled(left / mass))
    owed = finger_mass - (mass - left)
    tree.links[gripper.link] = replace(
        body, inertial=body.inertial.scaled(1.0 - owed / body.inertial.mass)
    )


def _add_frame(tree: Tree, name: str, parent: str, pose: Pose) -> None:
    tree.add(Joint(f"{name}_frame", "fixed", parent, name, pose), Link(name))


def add_fingers(tree: Tree, arm: str, pads: PadConfig, moving: bool) -> None:
    """Hang two fingers on a link `tool_<arm>`; at joint position zero the pads touch each other.

    Args:
        tree: Changed.
        arm: Whose gripper.
        pads: Fingers and pads.
        moving: Whether the fingers can move; closed halfway otherwise.
    """
    x, y, z = pads.size
    stalk_depth = y - pads.recess
    pad = Geometry("box", pads.size, Pose.translation((0.0, 0.5 * y, 0.0)), color=_PAD_COLOR)
    stalk = Geometry(
        "box",
        (x, stalk_depth, pads.stalk),
        Pose.translation((0.0, pads.recess + 0.5 * stalk_depth, -0.5 * (z + pads.stalk))),
        color=_GRIPPER_COLOR,
    )
    size = np.array([x, y, z + pads.stalk])
    inertia = pads.mass / 12.0 * np.diag(size @ size - size * size)
    inertial = Inertial(pads.mass, np.array([0.0, 0.5 * y, -0.5 * pads.stalk]), inertia)
    middle = 0.25 * pads.opening_max
    for side, turn in (("a", 0.0), ("b", np.pi)):
        name = f"gripper_{arm}_finger_{side}"
        joint = Joint(
            name,
            "prismatic" if moving else "fixed",
            f"tool_{arm}",
            f"{name}_link",
            # Finger b is finger a turned by pi about the approach direction: both open along +y.
            Pose.from_rotation_vector((0.0, 0.0, turn)),
            axis=np.array([0.0, 1.0, 0.0]),
            limits=(0.0, 0.5 * pads.opening_max),
            effort=pads.force_max,
            speed=pads.speed_max,
        )
        if not moving:
            shift = Pose.translation((0.0, middle, 0.0))
            joint = replace(joint, pose_parent_child=joint.pose_parent_child @ shift)
        tree.add(joint, Link(f"{name}_link", inertial, (pad, stalk), (pad, stalk)))
