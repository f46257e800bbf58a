"""A parallel gripper bolted to the world, for tests of what it feels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robot.geometry import Cylinder
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.spatial import Pose

_FINGER = """
  <link name="gripper_left_finger_{side}_link">
    <inertial><mass value="0.05"/>
      <inertia ixx="1e-5" iyy="1e-5" izz="1e-5" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><origin xyz="0 0.005 0"/><geometry><box size="0.012 0.010 0.014"/></geometry>
    </collision></link>
  <joint name="gripper_left_finger_{side}" type="prismatic"><parent link="tool_left"/>
    <child link="gripper_left_finger_{side}_link"/><origin rpy="0 0 {turn}"/><axis xyz="0 1 0"/>
    <limit lower="0" upper="0.025" effort="60" velocity="0.2"/></joint>"""
_URDF = (
    """<robot name="gripper"><link name="tool_left"><inertial><mass value="1.0"/>
    <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial></link>"""
    + _FINGER.format(side="a", turn=0.0)
    + _FINGER.format(side="b", turn=np.pi)
    + "\n</robot>"
)
RADIUS, LENGTH, MASS = 6e-3, 15e-3, 7e-3
FRICTION = 0.8


class Gripper:
    """Holds a cylinder with a force, at the world's origin, its tool axes along the world's.

    Attributes:
        world: With the robot `gripper` and the body `nut`.
        robot: The gripper.
        force: Of each finger, in N.
    """

    def __init__(self, folder: Path, pose_tool_nut: Pose, force: float = 20.0) -> None:
        path = folder / "gripper.urdf"
        path.write_text(_URDF)
        self.world = World(dt=1e-3)
        # The tool's x axis up, so that gravity pulls along -x, within the pads' plane.
        self.pose_world_tool = Pose.from_rotation_vector([0.0, -0.5 * np.pi, 0.0], [0.0, 0.0, 1.0])
        self.robot: SimRobot = self.world.load_robot("gripper", path, self.pose_world_tool, True)
        for side in "ab":
            joint = f"gripper_left_finger_{side}"
            self.world.client.resetJointState(
                self.robot.body, self.robot.joint(joint), RADIUS + 2e-4
            )
        self.world.add_body(
            "nut",
            [Cylinder(RADIUS, LENGTH)],
            mass=MASS,
            pose_world_body=self.pose_world_tool @ pose_tool_nut,
            friction=FRICTION,
        )
        self.force = force
        write = self.robot.effort_writer(["gripper_left_finger_a", "gripper_left_finger_b"])
        self.world.add_actuator(lambda: write([-self.force, -self.force]))

    def settle(self, ticks: int = 300) -> None:
        for _ in range(ticks):
            self.world.tick()

    def pose_tool_nut(self) -> Pose:
        return self.pose_world_tool.inverse() @ self.world.pose_world_body("nut")
