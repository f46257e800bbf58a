"""A parallel gripper: two fingers that move together and squeeze with a limited force."""

from __future__ import annotations

from dataclasses import dataclass

from robot.sim.robot_body import SimRobot
from robot.sim.world import World

# How far a finger may get beyond its range, in m.
_BEYOND = 0.005


@dataclass(frozen=True)
class SimGripperConfig:
    """What a gripper can do.

    Attributes:
        opening_max: Largest distance between the pad faces, in m.
        speed: At which the opening changes, in m/s; each finger moves at half of it.
        force: With which each finger squeezes unless told otherwise, in N.
        force_max: Largest force of each finger, in N.
        pad_friction: The pads' factor of Coulomb's coefficient.
        pad_spinning: The pads' factor of the resistance to turning on a contact, in m: a third of
            the radius of the contact area.
    """

    opening_max: float = 0.05
    speed: float = 0.1
    force: float = 30.0
    force_max: float = 60.0
    pad_friction: float = 0.894
    pad_spinning: float = 1.5e-3


class SimGripper:
    """Two prismatic fingers, coupled to each other, each pushed by the same limited force.

    With q the mean of the two joints, each of which moves half the opening, and e half their
    difference,

        F = clip(k (r - q) - d v, ±force) ± (k' e + d' de/dt)

    The first part squeezes; r moves at the finger's speed towards half the wanted opening, so a
    part wider than the command by 2 force / k is squeezed with the whole force. The second is the
    coupling: without it the fingers drift sideways together with what they hold. It gives way by
    50 um for each newton that pushes both pads of 50 g fingers sideways.

    Neither is left to Bullet. Its position motors with a force limit fight the contacts over a
    7 g nut, and after the solver's 50 iterations the pads are 0.3 to 0.8 mm inside it, where it is
    0.01 mm this way, at less cost. Its gear constraint couples well, but does not appear in joint
    reactions: a wrist would feel 15 % too little of what pushes a finger sideways.

    Attributes:
        joints: The two finger joints; each moves half the opening.
        opening_max: Largest distance between the pad faces, in m.
    """

    def __init__(
        self,
        world: World,
        robot: SimRobot,
        joints: tuple[str, str],
        config: SimGripperConfig | None = None,
    ) -> None:
        """Take charge of the fingers.

        Args:
            world: Where they are.
            robot: Whose they are.
            joints: The two finger joints.
            config: What the gripper can do.

        Raises:
            UnknownName: If the robot has no such joint.
        """
        self._config = config = config or SimGripperConfig()
        self._client, self._body = world.client, robot.body
        self.joints = joints
        self.opening_max = config.opening_max
        self._links = (robot.joint(joints[0]), robot.joint(joints[1]))
        masses = [world.client.getDynamicsInfo(robot.body, link)[0] for link in self._links]
        mass = sum(masses) / 2.0
        # In shares of m/h^2 and m/h, with which a free finger comes to rest within a step. The
        # coupling also moves the hand, which may be light at the pads: it keeps a margin of four.
        h = world.physics_dt
        self._stiffness: float = 0.4 * mass / h**2
        self._damping: float = 0.9 * mass / h
        self._coupling_stiffness: float = 0.2 * mass / h**2
        self._coupling_damping: float = 0.4 * mass / h
        self._step = 0.5 * config.speed * world.physics_dt
        self._force = config.force
        self._target = self._reference = 0.5 * config.opening_max
        for link in self._links:
            # The coupling gives way, and a stop in its way makes both ring.
            self._client.changeDynamics(
                self._body,
                link,
                jointLowerLimit=-_BEYOND,
                jointUpperLimit=0.5 * config.opening_max + _BEYOND,
            )
        self.set_pad_friction(config.pad_friction)

    def reset(self, opening: float | None = None) -> dict[str, float]:
        """Forget the past; return where to put the joints, in m.

        Args:
            opening: Distance between the pad faces, in m; as far as it goes if omitted.
        """
        self._target = self._reference = 0.5 * (self.opening_max if opening is None else opening)
        return dict.fromkeys(self.joints, self._target)

    def move_to(self, opening: float) -> None:
        """Set the wanted distance between the pad faces, in m."""
        self._target = 0.5 * opening

    def hold(self) -> None:
        """Stay where it is: a part that is held goes on being squeezed, none is let go or taken."""
        self._target = self._reference

    def set_force(self, force: float) -> None:
        """Set the largest force of each finger.

        Args:
            force: In N.

        Raises:
            ValueError: If the gripper is too weak.
        """
        if not 0.0 <= force <= self._config.force_max:
            raise ValueError(f"grip force: expected 0 to {self._config.force_max} N, got {force}")
        self._force = force

    def set_pad_friction(self, friction: float, spinning: float | None = None) -> None:
        """Set the pads' factors of friction; the part's factor multiplies them.

        Without spinning friction a part swings about the line through the pads, unless its form
        keeps it from that. Where it does, do without: joint reactions in Bullet leave spinning
        friction out, so that a wrist feels a torque about that line that is not there.

        Args:
            friction: Factor of Coulomb's coefficient.
            spinning: Factor of the spinning friction, in m; the configured one if omitted.
        """
        spinning = self._config.pad_spinning if spinning is None else spinning
        for link in self._links:
            self._client.changeDynamics(
                self._body,
                link,
                lateralFriction=friction,
                spinningFriction=spinning,
            )

    def efforts(self, a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
        """Return the force on each finger for one physics step, in N; positive opens.

        Args:
            a: Position and velocity of the first finger joint, in m and m/s.
            b: The same of the second.
        """
        position, velocity = 0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])
        away = self._target - self._reference
        reference = self._reference + min(max(away, -self._step), self._step)
        # The reference waits for fingers that are held up, so that they let go without delay.
        lead = 2.0 * self._force / self._stiffness
        self._reference = min(max(reference, position - lead), position + lead)
        force = self._stiffness * (self._reference - position) - self._damping * velocity
        force = min(max(force, -self._force), self._force)
        coupling = 0.5 * (
            self._coupling_stiffness * (a[0] - b[0]) + self._coupling_damping * (a[1] - b[1])
        )
        return force - coupling, force + coupling
