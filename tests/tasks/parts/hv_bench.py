"""A header on a bench, a plug, and an impedance hand that holds the plug, for tests of contact."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from robot.mating import Engagement, Socket
from robot.sim.latch import MatingElement
from robot.sim.world import World
from robot.spatial import Pose
from tasks.parts.hv_connector import ConnectorType
from tasks.parts.hv_shapes import dock_part, header_part, plug_part
from workcell.config import config_folder, load

TYPES = {
    file.stem: load(file, ConnectorType) for file in (config_folder() / "connector").glob("*.yaml")
}
# The approach of the task: 30 degrees below the horizontal, plug +x down.
APPROACH = Pose.from_rotation_vector([0.0, np.radians(120.0), 0.0], [0.6, 0.2, 0.9])
SOFT = (2000.0, 30.0)
STIFF = (2e4, 400.0)
GRAVITY = np.array([0.0, 0.0, -9.81])
HAND_MASS = 0.8
HAND_INERTIA = 5e-3


class Bench:
    """One plug before one socket.

    Attributes:
        world: Steps of 1 ms, so that a tick is a physics step.
        element: Of the plug.
        reference: Where the hand's springs pull the plug, in the socket frame.
        held: Whether the hand holds the plug.
        stiffness: Along each axis and about each, in N/m and N·m/rad.
        cap: Largest axial force of the hand, in N.
        force: The hand's axial force at the last step, in N.
        cable: Force on the contact body along the socket's axis, in N.
    """

    def __init__(
        self,
        kind: ConnectorType,
        *,
        header: ConnectorType | None = None,
        dock: bool = False,
        start: Engagement = Engagement.FREE,
        friction: float = 0.2,
        **options,
    ) -> None:
        header = header or kind
        self.kind, self.world = kind, World(dt=1e-3)
        make = dock_part if dock else header_part
        self.pose_world_socket = APPROACH
        for part, pose in (
            (make("socket", header), APPROACH),
            (plug_part("plug", kind), APPROACH @ Pose.translation([0.0, 0.0, -0.2])),
        ):
            self.world.add_body(
                part.name,
                part.shapes,
                mass=part.mass,
                inertia=part.inertia,
                pose_world_body=pose,
                friction=np.sqrt(friction),
            )
        socket = Socket(
            "socket",
            kind.dock if dock else kind.mating,
            header.opening,
            matches=kind.mates_with(header),
            **options,
        )
        self.cable = 0.0
        self.element = MatingElement("plug", kind.tip, [socket], self._cable)
        started = start != Engagement.FREE
        self.element.configure([socket], "socket" if started else None, start)
        self.element.reset()
        self.world.add_element(self.element)
        self.world.add_actuator(self._act)
        if started:
            self.world.set_pose("plug", self.element.pose_world_plug(self.world))
        self.reference = self.pose_socket_plug()
        self.stiffness, self.cap = SOFT, 110.0
        self.hold(True)
        self.force = 0.0

    def pose_socket_plug(self) -> Pose:
        return self.pose_world_socket.inverse() @ self.world.pose_world_body("plug")

    def depth(self) -> float:
        return self.kind.depth_of(self.pose_socket_plug())

    def hold(self, held: bool) -> None:
        """Take the plug into the hand, which moves with it as one body, or let it go."""
        self.held = held
        part = plug_part("plug", self.kind)
        moments = [moment + held * HAND_INERTIA for moment in part.inertia]
        self.world.client.changeDynamics(
            self.world.body("plug"),
            -1,
            mass=part.mass + held * HAND_MASS,
            localInertiaDiagonal=moments,
        )

    def place(self, depth: float, offset=(0.0, 0.0), turn=(0.0, 0.0, 0.0)) -> None:
        """Put nose and hand so deep, off the axis and turned about the tip, at rest."""
        nose = Pose.from_rotation_vector(turn, [*offset, depth])
        self.reference = nose @ Pose.translation([0.0, 0.0, -self.kind.tip])
        self.world.set_pose("plug", self.pose_world_socket @ self.reference)

    def advance(self, distance: float, speed: float = 0.03) -> list[float]:
        """Move the hand's reference along the socket's axis; return its force at each step."""
        forces = []
        for _ in range(round(abs(distance) / speed * 1e3)):
            step = Pose.translation([0.0, 0.0, np.sign(distance) * speed * 1e-3])
            self.reference = step @ self.reference
            self.world.tick()
            forces.append(self.force)
        return forces

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 1e3)):
            self.world.tick()

    def relax(self) -> None:
        """Let the hand stop pushing where it is, long enough for the latch to spring back."""
        self.reference = self.pose_socket_plug()
        self.run(0.1)

    def lock(self) -> None:
        """Mate, relax, and push the slide in."""
        self.push_until(lambda truth: truth.latched)
        self.relax()
        self.push_until(lambda truth: truth.locked)
        self.relax()

    def push_until(self, done, most: float = 0.12, speed: float = 0.03) -> None:
        """Push on until something is true; fails if it never is."""
        for _ in range(round(most / speed * 1e3)):
            if done(self.element.truth()):
                return
            self.advance(speed * 1e-3, speed)
        raise AssertionError(self.element.truth())

    def first(self, what: str, value: bool = True):
        return next(e for e in self.element.events if e.what == what and e.value == value)

    def deepest_penetration(self) -> float:
        world = self.world
        points = world.client.getContactPoints(world.body("plug"), world.body("socket"))
        return max((-point[8] for point in points), default=0.0)

    def _cable(self):
        return self.cable * self.pose_world_socket.rotation[:, 2]

    def _act(self) -> None:
        world, rotation = self.world, self.pose_world_socket.rotation
        if self.cable:
            world.add_wrench("plug", [*self._cable(), 0.0, 0.0, 0.0])
        self.force = 0.0
        if not self.held:
            return
        pose, twist = self.pose_socket_plug(), world.twist_world_body("plug")
        linear, angular = self.stiffness
        error = self.reference.position - pose.position
        turn = pose.rotation @ (pose.inverse() @ self.reference).rotation_vector()
        mass = HAND_MASS + self.kind.mass
        damping = 2.0 * np.sqrt(linear * mass), 2.0 * np.sqrt(angular * HAND_INERTIA)
        force = linear * error - damping[0] * (rotation.T @ twist[:3])
        torque = angular * turn - damping[1] * (rotation.T @ twist[3:])
        force[2] = np.clip(force[2], -self.cap, self.cap)
        self.force = float(force[2])
        weight = -mass * GRAVITY
        world.add_wrench("plug", [*(rotation @ force + weight), *(rotation @ torque)])


def config_path(name: str) -> Path:
    return config_folder() / "connector" / f"{name}.yaml"
