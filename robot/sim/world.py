"""The physics: the only file that steps PyBullet, and the clock of a simulated cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import override

from robot.arrays import Array
from robot.clock import Clock, whole_multiple
from robot.errors import UnknownName
from robot.geometry import Shape
from robot.sim.bodies import keep_from_itself, make_body, set_meets, set_sleep
from robot.sim.client import GRAVITY, physics_server
from robot.sim.force_element import ForceElement
from robot.sim.picture import Lens, Painter, Picture, View, take
from robot.sim.robot_body import SimRobot
from robot.sim.stopwatch import Stopwatch
from robot.spatial import Pose

# Further than anything reaches, in m.
_APART = 100.0


class World(Clock):
    """Bodies, a robot or several, what pushes on them, and time.

    Bodies added by shape have their frame at the centre of mass, so Bullet's poses are theirs;
    robots translate (`SimRobot`). Steps are counted, so that time is a multiple of the period.

    Attributes:
        client: The physics server, for elements and sensors.
        physics_dt: The physics period, in s.
        dt: The control period, in s.
    """

    def __init__(self, dt: float = 2e-3, physics_dt: float = 1e-3, gui: bool = False) -> None:
        """Make an empty world with gravity along -z.

        Args:
            dt: Control period, in s.
            physics_dt: Physics period, in s.
            gui: Whether to open PyBullet's window.

        Raises:
            ValueError: If the first is not a whole multiple of the second.
        """
        self._substeps = whole_multiple(dt, physics_dt, ("control period", "physics period"))
        self.dt = dt
        self.physics_dt = physics_dt
        self.client = physics_server(physics_dt, gui)
        self._step = self.client.stepSimulation
        self._steps = 0
        self._bodies: dict[str, int] = {}
        self._fixed: list[int] = []
        self._robots: dict[str, SimRobot] = {}
        self._actuators: list[Callable[[], None]] = []
        self._samplers: list[Callable[[], None]] = []
        self._elements: list[ForceElement] = []
        self._pushes: list[Callable[[World], None]] = []
        self._painters: list[Painter] = []
        self._saved: tuple[int, int] | None = None
        self._asleep: set[str] = set()
        self._away: set[str] = set()

    @property
    @override
    def time(self) -> float:
        return self._steps * self.physics_dt

    @property
    def steps(self) -> int:
        """Physics steps since the start."""
        return self._steps

    @override
    def tick(self) -> None:
        for _ in range(self._substeps):
            for actuate in self._actuators:
                actuate()
            for push in self._pushes:
                push(self)
            self._step()
            self._steps += 1
            for sample in self._samplers:
                sample()

    def add_actuator(self, function: Callable[[], None]) -> None:
        """Call a function before the elements and each physics step: a servo."""
        self._actuators.append(function)

    def add_element(self, element: ForceElement) -> None:
        """Let an element push before each physics step."""
        self._elements.append(element)
        self._pushes.append(element.apply)

    def add_sampler(self, function: Callable[[], None]) -> None:
        """Call a function after each physics step: a sensor."""
        self._samplers.append(function)

    def add_painter(self, function: Painter) -> None:
        """Call a function with every picture that is taken: something seen that is no body."""
        self._painters.append(function)

    def time_parts(self, watch: Stopwatch) -> None:
        """Let a stopwatch time what steps are made of: the engine, and what was added so far.

        Args:
            watch: Counts what was added by the name of its class, the engine as `Bullet`.
        """
        self._step = watch.timed("Bullet", self._step)
        self._actuators = [watch.timed_method(function) for function in self._actuators]
        self._pushes = [watch.timed_method(function) for function in self._pushes]
        self._samplers = [watch.timed_method(function) for function in self._samplers]

    def load_robot(self, name: str, urdf: Path, pose_world_base: Pose, fixed: bool) -> SimRobot:
        """Put a robot into the world, its joints at zero and without motors.

        Args:
            name: What to call it.
            urdf: Its simulation URDF.
            pose_world_base: Where its base link's frame is.
            fixed: Whether the base is bolted to the world.

        Raises:
            ValueError: If the name is taken.
        """
        self._require_new(name)
        robot = SimRobot(self.client, name, urdf, pose_world_base, fixed)
        keep_from_itself(self.client, robot.body, len(self._robots), fixed)
        self.add_sampler(robot.probe.sample)
        self._bodies[name] = robot.body
        self._robots[name] = robot
        return robot

    def add_body(
        self,
        name: str,
        shapes: Sequence[Shape],
        *,
        mass: float,
        inertia: ArrayLike | None = None,
        pose_world_body: Pose,
        friction: float,
        spinning_friction: float = 0.0,
    ) -> int:
        """Put a rigid body into the world and return Bullet's number of it.

        Args:
            name: What to call it.
            shapes: What it looks like and collides as, placed in its frame.
            mass: In kg; 0 for a body that never moves.
            inertia: Moments about the frame's axes, which must be principal, in kg·m^2; from the
                shapes if omitted. Shape (3,).
            pose_world_body: Where its frame, whose origin is the centre of mass, is.
            friction: Its factor of Coulomb's coefficient: Bullet multiplies those of both bodies.
            spinning_friction: Its factor of the resistance to turning on a contact, as a length, in
                m: the torque of a contact is its force times the sum of each body's length times
                the other's friction.

        Raises:
            ValueError: If the name is taken.
        """
        self._require_new(name)
        body = make_body(self.client, shapes, mass, inertia, pose_world_body)
        self._bodies[name] = body
        if mass == 0.0:
            self._fixed.append(body)
        self.set_friction(name, friction, spinning_friction)
        return body

    def body(self, name: str) -> int:
        """Return Bullet's number of a body or robot.

        Raises:
            UnknownName: If there is none of this name.
        """
        if name not in self._bodies:
            raise UnknownName("body", name, self._bodies)
        return self._bodies[name]

    def pose_world_body(self, name: str) -> Pose:
        """Return where a body's frame is; a robot's is its base link's."""
        body = self.body(name)
        if name in self._robots:
            return self._robots[name].pose_world_base()
        position, quaternion = self.client.getBasePositionAndOrientation(body)
        return Pose(np.array(position), np.array(quaternion))

    def twist_world_body(self, name: str) -> Array:
        """Return a body's velocity, linear of its origin, then angular. Shape (6,)."""
        body = self.body(name)
        if name in self._robots:
            return self._robots[name].twist_world_base()
        linear, angular = self.client.getBaseVelocity(body)
        return np.array([*linear, *angular])

    def set_pose(self, name: str, pose_world_body: Pose) -> None:
        """Put a body somewhere, at rest.

        Raises:
            ValueError: If the name is a robot's: `SimRobot.reset` places those.
        """
        if name in self._robots:
            raise ValueError(f"{name} is a robot: place it with SimRobot.reset()")
        body = self.body(name)
        self.client.resetBasePositionAndOrientation(
            body, pose_world_body.position, pose_world_body.quaternion
        )
        self.client.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))

    def set_asleep(self, name: str, asleep: bool) -> None:
        """Put a body to sleep, or wake it; one that sleeps stays where it is and costs nothing.

        Bullet falls asleep and wakes one step late, and wakes what something awake comes near to.
        So go on pushing with what held it: a body that is awake in Bullet then rests as before.

        Args:
            name: A body that was added by shape and is at rest.
            asleep: Whether to put it to sleep.
        """
        set_sleep(self.client, self.body(name), asleep)
        (self._asleep.add if asleep else self._asleep.discard)(name)

    def set_away(self, name: str, away: bool) -> None:
        """Take a body out of play, or bring it back; one that is away hangs still, untouchable.

        It keeps its mass. Without one it would hang still as well, but Bullet takes a body that
        loses or gains its mass off its list and puts it on again at the end, and the order of the
        list, which no restore brings back, is one in which contacts are solved.

        Args:
            name: A body that was added by shape, has mass and is at rest.
            away: Whether to take it out.
        """
        if away == (name in self._away):
            return
        self.set_asleep(name, away)
        if away:
            # It falls asleep one step late and has to be carried until then.
            mass = self.client.getDynamicsInfo(self.body(name), -1)[0]
            self.add_wrench(name, [0.0, 0.0, mass * GRAVITY, 0.0, 0.0, 0.0])
        set_meets(self.client, self.body(name), not away)
        (self._away.add if away else self._away.discard)(name)

    def set_friction(
        self, name: str, friction: float, spinning: float | None = None, link: str | None = None
    ) -> None:
        """Set a body's factors of friction, as in `add_body`; `restore` does not undo it.

        Args:
            name: The body.
            friction: Factor of Coulomb's coefficient.
            spinning: Factor of the spinning friction, in m; unchanged if omitted.
            link: Link of a robot; the base if omitted.
        """
        index = -1 if link is None else self._robots[name].link(link)
        # Anchors on one of two bodies hold a contact; without them a gripped part sags by 0.4 mm.
        self.client.changeDynamics(
            self.body(name), index, lateralFriction=friction, frictionAnchor=1
        )
        if spinning is not None:
            self.client.changeDynamics(self.body(name), index, spinningFriction=spinning)

    def add_wrench(self, name: str, wrench_world: ArrayLike) -> None:
        """Push on a body during the next physics step only.

        Args:
            name: A body that was added by shape.
            wrench_world: Force at its centre of mass and torque, along the world axes. Shape (6,).
        """
        body, wrench = self.body(name), np.asarray(wrench_world, dtype=np.float64).tolist()
        position, _ = self.client.getBasePositionAndOrientation(body)
        frame = self.client.WORLD_FRAME
        self.client.applyExternalForce(body, -1, wrench[:3], position, frame)
        self.client.applyExternalTorque(body, -1, wrench[3:], frame)

    def save(self) -> None:
        """Remember the present as what `restore` returns to."""
        if self._saved is not None:
            self.client.removeState(self._saved[0])
        self._saved = (self.client.saveState(), self._steps)

    def restore(self) -> None:
        """Return to what `save` remembered, contacts and time included, and reset the elements.

        After it, what happens depends on what is done next and on nothing that was done before,
        to the bit. Everybody is awake and in play. Friction and masses are not remembered.

        Raises:
            RuntimeError: If nothing was saved.
        """
        if self._saved is None:
            raise RuntimeError("World.restore() before save(): there is nothing to return to")
        state, self._steps = self._saved
        for name in sorted(self._away):
            self.set_away(name, False)
        for name in sorted(self._asleep):
            self.set_asleep(name, False)
        # The boxes about what sleeps do not follow a restored state.
        for body in self._fixed:
            set_sleep(self.client, body, False)
        # Bullet keeps contacts in the order in which they came about and solves them in that order.
        # So part everything first, where no two bodies meet, and let the contacts form anew.
        for number, body in enumerate(self._bodies.values()):
            apart = (0.0, 0.0, _APART * (1 + number))
            self.client.resetBasePositionAndOrientation(body, apart, (0.0, 0.0, 0.0, 1.0))
        # A whole step, because Bullet falls asleep and wakes one step late.
        self._step()
        self.client.restoreState(state)
        for body in self._fixed:
            set_sleep(self.client, body, True)
        for element in self._elements:
            element.reset()

    def picture(self, pose_world_camera: Pose, lens: Lens) -> Picture:
        """Return a picture of the world, drawn without a display.

        Args:
            pose_world_camera: Optical frame: +z ahead, +x right, +y down.
            lens: Of the camera.
        """
        return take(self.client, pose_world_camera, lens, self._painters)

    def render(self, width: int, height: int, view: View) -> NDArray[np.uint8]:
        """Return a picture from a place in the world. Shape (height, width, 3).

        Args:
            width: In pixels.
            height: In pixels.
            view: From where.
        """
        return self.picture(view.pose_world_camera, Lens(width, height, view.field_of_view)).rgb

    def close(self) -> None:
        """Shut the physics server down."""
        if self.client.isConnected():
            self.client.disconnect()

    def _require_new(self, name: str) -> None:
        if name in self._bodies:
            raise ValueError(f"the world already has a body named '{name}'")
