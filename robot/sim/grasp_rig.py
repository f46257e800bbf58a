"""A gripper bolted to the world that grasps one part again and again: touch without a robot."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from robot.arrays import Array
from robot.descriptions import add_fingers
from robot.geometry import Shape
from robot.kinematic_tree import Inertial, Link, Tree
from robot.robot_config import PadConfig
from robot.sim.client import GRAVITY
from robot.sim.gripper import SimGripper, SimGripperConfig
from robot.sim.tactile import HeldShape, PadLoads, TactilePad
from robot.sim.world import World
from robot.spatial import Pose
from robot.urdf import write_urdf

_ARM, _PART = "left", "part"
# The fingers begin this far off the part on each side, in m.
_GAP = 0.0015
# Closing and coming to rest, then the load, in physics steps of 1 ms.
_CLOSING, _LOADED = 120, 60
# Of the hand, in kg: bolted down, it only has to have one.
_HAND_MASS = 1.0


@dataclass(frozen=True, eq=False)
class RigPart:
    """What is grasped.

    Attributes:
        shapes: What it collides as, in its own frame.
        mass: In kg.
        inertia: Principal moments, in kg·m^2. Shape (3,).
        held: What the pads feel of it.
        width: Between the faces that are grasped, in m.
    """

    shapes: Sequence[Shape]
    mass: float
    inertia: tuple[float, float, float]
    held: HeldShape
    width: float


@dataclass(frozen=True, eq=False)
class Attempt:
    """One grasp that is to be made.

    Attributes:
        pose_tool_part: Where the part is before the fingers close.
        force: With which each finger squeezes, in N.
        pad_friction: The pads' factor of Coulomb's coefficient; the part's is 1.
        pad_spinning: The pads' factor of the spinning friction, in m.
        load_tool: Force and torque on the part once it is held, along the tool axes, in N and N·m.
            Shape (6,).
    """

    pose_tool_part: Pose
    force: float
    pad_friction: float
    pad_spinning: float
    load_tool: Array = field(default_factory=lambda: np.zeros(6))


@dataclass(frozen=True, eq=False)
class Grasped:
    """What came of it.

    Attributes:
        pose_tool_part: How the part lies in the hand, truly.
        opening: Distance between the pads, in m.
        loads: What the pads bear.
    """

    pose_tool_part: Pose
    opening: float
    loads: PadLoads

    @property
    def held(self) -> bool:
        """Whether both pads press on the part."""
        return None not in self.loads.held


class GraspRig:
    """The pads and fingers of a robot, alone in a world with one part that weighs nothing.

    The part lies where it is put until the fingers take it, as if in a nest that gives way. What
    pulls at it afterwards, its weight included, is the load.
    """

    def __init__(self, pads: PadConfig, part: RigPart) -> None:
        """Build the gripper.

        Args:
            pads: Fingers and pads.
            part: What is grasped.
        """
        self._world = World(dt=1e-3)
        hand = Link(f"tool_{_ARM}", Inertial(_HAND_MASS, inertia=1e-2 * np.eye(3)))
        tree = Tree("gripper", {hand.name: hand}, {})
        add_fingers(tree, _ARM, pads, moving=True)
        with tempfile.TemporaryDirectory() as folder:
            urdf = Path(folder) / "gripper.urdf"
            urdf.write_text(write_urdf(tree, shapes=True), encoding="utf-8")
            self._robot = self._world.load_robot("gripper", urdf, Pose.identity(), True)
        joints = (f"gripper_{_ARM}_finger_a", f"gripper_{_ARM}_finger_b")
        self._gripper = SimGripper(
            self._world,
            self._robot,
            joints,
            SimGripperConfig(pads.opening_max, pads.speed_max, force_max=pads.force_max),
        )
        self._read = self._robot.joint_reader(joints)
        write = self._robot.effort_writer(joints)

        def actuate() -> None:
            a, b = self._read()
            write(list(self._gripper.efforts((a[0], a[1]), (b[0], b[1]))))

        self._world.add_actuator(actuate)
        self._part = part
        self._world.add_body(
            _PART,
            part.shapes,
            mass=part.mass,
            inertia=part.inertia,
            pose_world_body=Pose.identity(),
            friction=1.0,
        )
        self._pads = TactilePad(self._world, self._robot, _ARM, {_PART: part.held})

    def grasp(self, attempt: Attempt) -> Grasped:
        """Close on the part, load it, and return how it came to lie.

        Args:
            attempt: What to do.
        """
        gripper, world = self._gripper, self._world
        joints = gripper.reset(self._part.width + 2.0 * _GAP)
        self._robot.reset(joints, Pose.identity())
        gripper.set_force(attempt.force)
        gripper.set_pad_friction(attempt.pad_friction, attempt.pad_spinning)
        gripper.move_to(0.0)
        world.set_pose(_PART, attempt.pose_tool_part)
        weight = np.array([0.0, 0.0, self._part.mass * GRAVITY, 0.0, 0.0, 0.0])
        for step in range(_CLOSING + _LOADED):
            world.add_wrench(_PART, weight)
            if step >= _CLOSING:
                share = min(1.0, 2.0 * (step - _CLOSING + 1) / _LOADED)
                world.add_wrench(_PART, share * attempt.load_tool)
            world.tick()
        # The tool is at the world's origin, its axes along the world's.
        pose, opened = world.pose_world_body(_PART), sum(sample[0] for sample in self._read())
        return Grasped(pose, float(opened), self._pads.loads())

    def close(self) -> None:
        """End the simulation."""
        self._world.close()
