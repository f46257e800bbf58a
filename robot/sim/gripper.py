"""A parallel gripper: two fingers that move together and squeeze with a limited force."""

from __future__ import annotations

from dataclasses import dataclass

from robot.sim.robot_body import SimRobot
from robot.sim.world import World

# Largest force of the coupling between the fingers, in N: more than any load on them.
_COUPLING_FORCE = 1e4


@dataclass(frozen=True)
class SimGripperConfig:
    """What a gripper can do.

    Attributes:
        opening_max: Largest distance between the pad faces, in m.
        speed: At which the opening changes, in m/s.
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
    """Two prismatic fingers, geared to each other, each pushed by the same limited force.

    The gear is Bullet's; without it the fingers drift sideways together with what they hold. The
    force is an external one and not that of Bullet's position motor with a force limit: motors and
    contacts fight over a 7 g nut, and after the solver's 50 iterations the pads are 0.3 to 0.8 mm
    inside it, where it is 0.01 mm this way, at less cost. The force is

        F = clip(k (r - q) - d v, ±force)

    with a reference r that moves at the finger's speed towards half the wanted opening. A part
    narrower than the command by more than 2 force / k is squeezed with the whole force.

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
        """Couple the fingers.

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
        client, origin = world.client, [0.0, 0.0, 0.0]
        gear = client.createConstraint(
            robot.body,
            self._links[0],
            robot.body,
            self._links[1],
            client.JOINT_GEAR,
            [0.0, 1.0, 0.0],
            origin,
            origin,
        )
        # A ratio of -1 keeps the two joint positions equal, and the zero target keeps them so.
        client.changeConstraint(
            gear, gearRatio=-1.0, relativePositionTarget=0.0, erp=0.2, maxForce=_COUPLING_FORCE
        )
        mass = sum(client.getDynamicsInfo(robot.body, link)[0] for link in self._links) / 2.0
        # As stiff and damped as explicit integration allows, with a margin of two.
        self._stiffness: float = 0.4 * mass / world.physics_dt**2
        self._damping: float = 0.9 * mass / world.physics_dt
        self._step = 0.5 * config.speed * world.physics_dt
        self._force = config.force
        self._target = self._reference = 0.5 * config.opening_max
        self.set_pad_friction(config.pad_friction)

    def reset(self) -> dict[str, float]:
        """Forget the past, with open fingers; return where to put the joints, in m."""
        self._target = self._reference = 0.5 * self.opening_max
        return dict.fromkeys(self.joints, self._target)

    def move_to(self, opening: float) -> None:
        """Set the wanted distance between the pad faces, in m."""
        self._target = 0.5 * opening

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

    def set_pad_friction(self, friction: float) -> None:
        """Set the pads' factor of Coulomb's coefficient; the part's factor multiplies it."""
        for link in self._links:
            # Anchors hold what rests between the pads: without them a gripped part creeps by
            # 0.4 mm, and without spinning friction it swings about the line through the pads.
            self._client.changeDynamics(
                self._body,
                link,
                lateralFriction=friction,
                spinningFriction=self._config.pad_spinning,
                frictionAnchor=1,
            )

    def effort(self, position: float, velocity: float) -> float:
        """Return the force on each finger for one physics step; positive opens.

        Args:
            position: Mean of the two finger joints, in m.
            velocity: Mean of their velocities, in m/s.
        """
        # The reference waits for fingers that are held up, so that they let go without delay.
        lead = self._force / self._stiffness
        away = self._target - self._reference
        reference = self._reference + min(max(away, -self._step), self._step)
        self._reference = min(max(reference, position - 2.0 * lead), position + 2.0 * lead)
        force = self._stiffness * (self._reference - position) - self._damping * velocity
        return min(max(force, -self._force), self._force)
