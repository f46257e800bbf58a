"""A pin with its plate, a nut, and a floating hand that holds it, for tests of fit and magnet."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robot.geometry import Box, Cylinder
from robot.sim.fit import SplineFit
from robot.sim.magnet import Magnet
from robot.sim.world import World
from robot.spatial import Pose
from robot.spline import Spline

SPLINE = Spline(
    teeth=6,
    root_radius=3.3e-3,
    tip_radius=4.0e-3,
    tip_half_angle=np.radians(12.0),
    root_half_angle=np.radians(17.0),
    pin_height=8e-3,
    nut_length=15e-3,
    nut_radius=6e-3,
    plate_half_width=20e-3,
)
MASS = 7e-3
INERTIA = (2.2e-7, 2.2e-7, 1.7e-7)
GRAVITY = 9.81
GRIP = 30.0
UP = Pose.identity()
# The pin's tip points along -x: a robot that looks along +x inserts horizontally.
HORIZONTAL = Pose.from_rotation_vector([0.0, -0.5 * np.pi, 0.0], [0.5, 0.0, 1.0])

_PAD = (
    '<collision><origin xyz="0 0.005 0"/>'
    '<geometry><box size="0.012 0.010 0.014"/></geometry></collision>'
)
_FINGER = (
    '<link name="f{n}"><inertial><mass value="0.05"/>'
    '<inertia ixx="1e-5" iyy="1e-5" izz="1e-5" ixy="0" ixz="0" iyz="0"/></inertial>'
    + _PAD
    + '</link>\n<joint name="f{n}" type="prismatic"><parent link="palm"/><child link="f{n}"/>'
    '<origin rpy="0 0 {turn}"/><axis xyz="0 1 0"/>'
    '<limit lower="0" upper="0.025" effort="100" velocity="1"/></joint>\n'
)
_HAND = (
    '<robot name="hand"><link name="palm"><inertial><mass value="1.4"/>'
    '<inertia ixx="3e-3" iyy="3e-3" izz="3e-3" ixy="0" ixz="0" iyz="0"/></inertial></link>\n'
    + _FINGER.format(n="a", turn=0.0)
    + _FINGER.format(n="b", turn=np.pi)
    + "</robot>"
)


class Fixture:
    """One pin, one nut, and what pushes on it.

    Attributes:
        world: Steps of `dt`, 1 ms unless said, so that a tick is a physics step.
        fit: Of the pin and the nut.
        magnet: Of the pin.
        pose_world_pin: Where the pin is.
    """

    def __init__(
        self,
        pose_world_pin: Pose = UP,
        *,
        clearance: float = 1.5e-4,
        chamfer: float = 7.5e-4,
        friction: float = 0.2,
        magnet: float = 0.0,
        gravity: bool = True,
        dt: float = 1e-3,
    ) -> None:
        self.world = World(dt=dt, physics_dt=dt)
        if not gravity:
            self.world.client.setGravity(0.0, 0.0, 0.0)
        half = SPLINE.plate_half_width
        shapes = [
            Box((half, half, 4e-3), Pose.translation([0.0, 0.0, -4e-3])),
            Cylinder(
                SPLINE.tip_radius,
                SPLINE.pin_height,
                Pose.translation([0.0, 0.0, 0.5 * SPLINE.pin_height]),
            ),
        ]
        self.pose_world_pin = pose_world_pin
        self.world.add_body(
            "pin", shapes, mass=0.0, pose_world_body=pose_world_pin, friction=friction
        )
        self.world.add_body(
            "nut",
            [Cylinder(SPLINE.nut_radius, SPLINE.nut_length)],
            mass=MASS,
            inertia=INERTIA,
            pose_world_body=pose_world_pin @ Pose.translation([0.0, 0.0, 0.3]),
            friction=1.0,
        )
        self.magnet = Magnet("pin", ["nut"], SPLINE)
        self.magnet.configure(force_at_contact=magnet)
        self.fit = SplineFit("pin", ["nut"], SPLINE, magnet=self.magnet)
        self.fit.configure(clearance=clearance, chamfer=chamfer, friction=friction)
        self.world.add_element(self.magnet)
        self.world.add_element(self.fit)

    def place(self, depth: float, offset: float = 0.0, yaw: float = 0.0, tilt: float = 0.0) -> None:
        """Put the nut at rest with the pin's tip so deep inside it, m and rad, in the pin frame."""
        height = SPLINE.pin_height - depth + 0.5 * SPLINE.nut_length
        turn = Pose.from_rotation_vector([0.0, tilt, 0.0]) @ Pose.from_rotation_vector(
            [0.0, 0.0, yaw]
        )
        pose_pin_nut = Pose.translation([offset, 0.0, height]) @ turn
        self.world.set_pose("nut", self.pose_world_pin @ pose_pin_nut)
        self.fit.reset()
        self.magnet.reset()

    def run(self, seconds: float, wrench_pin=None) -> None:
        """Let time pass, with a wrench (along the pin's axes) on the nut or none."""
        rotation = self.pose_world_pin.rotation
        for _ in range(round(seconds / self.world.dt)):
            if wrench_pin is not None:
                wrench = np.asarray(wrench_pin).reshape(2, 3) @ rotation.T
                self.world.add_wrench("nut", wrench.ravel())
            self.world.tick()

    def truth(self):
        return self.fit.truth("nut")

    def energy(self) -> float:
        """Return the nut's kinetic and potential energy, with the moments Bullet has, in J."""
        pose, twist = self.world.pose_world_body("nut"), self.world.twist_world_body("nut")
        moments = np.array(self.world.client.getDynamicsInfo(self.world.body("nut"), -1)[2])
        spin = pose.rotation.T @ twist[3:]
        kinetic = 0.5 * MASS * float(twist[:3] @ twist[:3]) + 0.5 * float(moments @ spin**2)
        return kinetic + MASS * GRAVITY * float(pose.position[2])


class Hand:
    """A floating palm with two pads, held by springs at a reference pose; it weighs nothing.

    Attributes:
        reference: Where the springs pull the tool.
        push: Force along the tool's z axis on top of the springs, in N.
        grip: Force of each finger, in N; negative opens.
    """

    STIFFNESS = np.array([1000.0, 1000.0, 1000.0, 5.0, 5.0, 1.0])
    INERTIA = np.array([1.5, 1.5, 1.5, 3e-3, 3e-3, 3e-3])

    def __init__(self, fixture: Fixture, folder: Path, friction: float, yaw: float = 0.0) -> None:
        path = folder / "hand.urdf"
        path.write_text(_HAND)
        self.fixture, world = fixture, fixture.world
        pose_tool_nut = Pose.from_rotation_vector([np.pi, 0.0, 0.0], [0.0, 0.0, 5.5e-3])
        above = Pose.translation([0.0, 0.0, SPLINE.pin_height + 5e-3 + 0.5 * SPLINE.nut_length])
        turned = Pose.from_rotation_vector([0.0, 0.0, yaw])
        pose_world_nut = fixture.pose_world_pin @ above @ turned
        self.reference = pose_world_nut @ pose_tool_nut.inverse()
        self.robot = world.load_robot("hand", path, self.reference, False)
        self.push = 0.0
        self.grip = 2.0
        client, body = world.client, self.robot.body
        self._joints = [self.robot.joint("fa"), self.robot.joint("fb")]
        for joint in self._joints:
            client.resetJointState(body, joint, SPLINE.nut_radius + 1e-4)
            client.changeDynamics(
                body, joint, lateralFriction=friction, spinningFriction=1.5e-3, frictionAnchor=1
            )
        y, origin = [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]
        gear = client.createConstraint(
            body, self._joints[0], body, self._joints[1], client.JOINT_GEAR, y, origin, origin
        )
        client.changeConstraint(gear, gearRatio=-1.0, erp=0.2, maxForce=1e4)
        world.set_pose("nut", pose_world_nut)
        world.add_actuator(self._act)
        # Gently: pads that hit a 7 g nut at speed throw it out.
        while self.grip < GRIP:
            self.fixture.world.tick()
            self.grip += 0.5
        self.grip = GRIP
        self.fixture.run(0.1)

    def pose_world_tool(self) -> Pose:
        return self.robot.pose_world_base()

    def advance(self, distance: float, seconds: float) -> None:
        """Move the reference along the tool's z axis at an even speed."""
        steps = round(seconds / self.fixture.world.dt)
        for _ in range(steps):
            self.reference = self.reference @ Pose.translation([0.0, 0.0, distance / steps])
            self.fixture.world.tick()

    def _act(self) -> None:
        world = self.fixture.world
        client, body = world.client, self.robot.body
        pose, twist = self.robot.pose_world_base(), self.robot.twist_world_base()
        rotation = pose.rotation
        error = np.concatenate(
            [
                rotation.T @ (self.reference.position - pose.position),
                (pose.inverse() @ self.reference).rotation_vector(),
            ]
        )
        speed = np.concatenate([rotation.T @ twist[:3], rotation.T @ twist[3:]])
        damping = 2.0 * np.sqrt(self.STIFFNESS * self.INERTIA)
        wrench = self.STIFFNESS * error - damping * speed
        wrench[2] += self.push
        force = rotation @ wrench[:3] + [0.0, 0.0, self.INERTIA[0] * GRAVITY]
        torque = rotation @ wrench[3:]
        position = pose.position.tolist()
        client.applyExternalForce(body, -1, force.tolist(), position, client.WORLD_FRAME)
        client.applyExternalTorque(body, -1, torque.tolist(), client.WORLD_FRAME)
        states = client.getJointStates(body, self._joints)
        effort = -self.grip - 40.0 * 0.5 * (states[0][1] + states[1][1])
        client.setJointMotorControlArray(
            body, self._joints, client.TORQUE_CONTROL, forces=[effort, effort]
        )
