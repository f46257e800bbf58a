"""A small robot for tests: three slides, a light wrist and a gripper, bolted to the world.

Its tool axes are the world's at zero wrist angle: x sideways, y the closing direction, z up.
"""

from __future__ import annotations

from pathlib import Path

import pinocchio as pin

from robot.model import RobotModel
from robot.sim.driver import SimDriver, SimDriverConfig
from robot.sim.gripper import SimGripper, SimGripperConfig
from robot.sim.noise import NOISE_LEVELS
from robot.sim.robot_body import SimRobot
from robot.sim.world import World
from robot.spatial import Pose

HAND_MASS = 1.0
FINGER_MASS = 0.05
WRIST_INERTIA = 2e-3
FINGERS = ("gripper_left_finger_a", "gripper_left_finger_b")

_LINK = """<link name="{name}"><inertial><origin xyz="{center}"/><mass value="{mass}"/>
<inertia ixx="{i}" iyy="{i}" izz="{i}" ixy="0" ixz="0" iyz="0"/></inertial>{shape}</link>"""
_JOINT = """<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>
<origin xyz="{xyz}" rpy="0 0 {yaw}"/><axis xyz="{axis}"/>
<limit lower="{low}" upper="{high}" effort="{effort}" velocity="2"/></joint>"""
_PAD = """<collision><origin xyz="0 0.005 0"/>
<geometry><box size="0.012 0.010 0.014"/></geometry></collision>"""


def _link(name: str, mass: float, i: float, center: str = "0 0 0", shape: str = "") -> str:
    return _LINK.format(name=name, mass=mass, i=i, center=center, shape=shape)


def _slide(name: str, parent: str, child: str, axis: str, effort: float = 500.0) -> str:
    return _JOINT.format(
        name=name,
        kind="prismatic",
        parent=parent,
        child=child,
        xyz="0 0 0",
        yaw=0,
        axis=axis,
        low=-1,
        high=1,
        effort=effort,
    )


def urdf(fingers: bool) -> str:
    """Return the description; the fingers are left out of the model's, as for every robot."""
    parts = [
        _link("rail", 1.0, 0.01),
        _slide("slide_x", "rail", "carriage_x", "1 0 0"),
        _link("carriage_x", 3.0, 0.01),
        _slide("slide_y", "carriage_x", "carriage_y", "0 1 0"),
        _link("carriage_y", 2.0, 0.01),
        _slide("slide_z", "carriage_y", "carriage_z", "0 0 1"),
        _link("carriage_z", 2.0, 0.01),
        _JOINT.format(
            name="wrist",
            kind="revolute",
            parent="carriage_z",
            child="wrist_link",
            xyz="0 0 0",
            yaw=0,
            axis="1 0 0",
            low=-3,
            high=3,
            effort=8,
        ),
        # A centre of mass off the joint and off the tool shows every mistake in a lever.
        _link("wrist_link", HAND_MASS, WRIST_INERTIA, center="0.01 0.0 -0.02"),
        _JOINT.format(
            name="tool_mount",
            kind="fixed",
            parent="wrist_link",
            child="tool_left",
            xyz="0 0 -0.1",
            yaw=0,
            axis="1 0 0",
            low=0,
            high=0,
            effort=0,
        ),
        _link("tool_left", 0.0 if fingers else 2 * FINGER_MASS, 0.0),
    ]
    if fingers:
        for name, yaw in zip(FINGERS, (0.0, 3.141592653589793), strict=True):
            parts += [
                _JOINT.format(
                    name=name,
                    kind="prismatic",
                    parent="tool_left",
                    child=f"{name}_link",
                    xyz="0 0 0",
                    yaw=yaw,
                    axis="0 1 0",
                    low=0,
                    high=0.025,
                    effort=60,
                ),
                _link(f"{name}_link", FINGER_MASS, 1e-5, shape=_PAD),
            ]
    return '<robot name="gantry">' + "\n".join(parts) + "</robot>"


class Gantry:
    """The robot in a world, with a driver and one gripper.

    Attributes:
        world: Where.
        robot: In the world.
        model: Without the fingers.
        driver: Configured and active.
        gripper: Of the arm `left`.
    """

    def __init__(
        self,
        folder: Path,
        noise: str = "none",
        friction: float = 0.0,
        gripper: SimGripperConfig | None = None,
    ) -> None:
        path = folder / "gantry.urdf"
        path.write_text(urdf(fingers=True))
        self.world = World()
        base = Pose.translation([0.0, 0.0, 1.0])
        self.robot: SimRobot = self.world.load_robot("gantry", path, base, True)
        pin_model = pin.buildModelFromXML(urdf(fingers=False))
        self.model = RobotModel(pin_model, {"left": "tool_left"})
        self.gripper = SimGripper(self.world, self.robot, FINGERS, gripper)
        self.driver = SimDriver(
            self.world,
            self.robot,
            self.model,
            grippers={"left": self.gripper},
            config=SimDriverConfig(
                noise=NOISE_LEVELS[noise], viscous_friction=0.0, coulomb_friction=friction
            ),
        )
        self.driver.configure()
        self.driver.activate()

    def run(self, time: float) -> None:
        """Let time pass."""
        for _ in range(round(time / self.world.dt)):
            self.world.tick()
