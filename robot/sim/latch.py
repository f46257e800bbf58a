"""A push-pull plug in its sockets: mating force, latch, lock, interlock, and what breaks.

Walls, taper and key are Bullet's contacts. What happens along the axis is this element's, by the
law of `robot.mating`: geometry-only detents would have the stiffness of contact for a force.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from robot.arrays import Array
from robot.errors import UnknownName
from robot.mating import (
    Engagement,
    MatingEvent,
    MatingProfile,
    MatingTruth,
    Socket,
)
from robot.sim import latch_kernel as kernel
from robot.sim.force_element import ForceElement
from robot.sim.latch_log import MatingLog
from robot.sim.latch_rows import check_start, row_of
from robot.sim.world import World
from robot.spatial import Pose

# A plug faster than this does not occur, in m/s. Far ones are looked at again when one this fast
# could have come near, at the latest after so many steps.
_FASTEST = 5.0
_LONGEST_SLEEP = 20
# From a nose to a mouth, in m: nearer, each step counts.
_NEAR = 5e-3
# A sleeping plug is looked at every so many steps, and wakes when it was moved by more, in m.
_SLEEP_PERIOD = 4
_MOVED = 2e-5
_NO_TORQUE = (0.0, 0.0, 0.0)


class MatingElement(ForceElement):
    """What holds, brakes and locks one plug in any of its sockets."""

    def __init__(
        self,
        plug: str,
        nose: float,
        sockets: Sequence[Socket],
        cable_force: Callable[[], Array] | None = None,
    ) -> None:
        """Describe the plug; bodies are looked up when the first step is made.

        Args:
            plug: Name of its body, whose z axis is the direction of mating.
            nose: From the body's origin to the nose's tip, in m.
            sockets: What it may come into; they move between resets only.
            cable_force: Returns the force of the cable on the plug in world axes, in N, shape (3,).
                The cable hangs on the contact body, so what it pulls does not load the slide.
        """
        self.plug = plug
        self._nose = nose
        self._cable_force = cable_force
        self._no_force = np.zeros(3)
        self._world: World | None = None
        self._body = -1
        self._other_bodies: list[int] = []
        self._asleep = False
        self._rest = (0.0, 0.0, 0.0)
        self._sleep = 0
        # What pushed on the plug last: along the world axes, where, and about them.
        self._force: Sequence[float] = (0.0, 0.0, 0.0)
        self._point: Sequence[float] = (0.0, 0.0, 0.0)
        self._torque: Sequence[float] = _NO_TORQUE
        self._memory = np.zeros(kernel.MEMORY)
        self._log = MatingLog(self._memory)
        self.configure(sockets)

    def configure(
        self,
        sockets: Sequence[Socket],
        start: str | None = None,
        engagement: Engagement = Engagement.FREE,
    ) -> None:
        """Set what varies from episode to episode; call `reset` before the next step.

        Args:
            sockets: As they are in this episode.
            start: Name of the socket the plug starts in; None if it starts in none. The scene puts
                the body there, at `pose_world_plug`.
            engagement: How far in.

        Raises:
            UnknownName: If there is no such socket.
            ValueError: If it cannot be engaged so there, or two sockets share a name.
        """
        names = [socket.name for socket in sockets]
        if len(set(names)) != len(names):
            raise ValueError(f"sockets: expected each name once, got {names}")
        if start is not None and start not in names:
            raise UnknownName("socket", start, names)
        self._sockets = tuple(sockets)
        self._start = -1 if start is None else names.index(start)
        self._engagement = engagement
        if start is None:
            if engagement != Engagement.FREE:
                raise ValueError(f"engagement: expected a start to be {engagement.value} in")
        else:
            check_start(self._sockets[self._start], engagement)
        self._rows = np.zeros((len(self._sockets), kernel.PARAMETERS))
        for row, socket in zip(self._rows, self._sockets, strict=True):
            row[:] = row_of(socket)

    def pose_world_plug(self, world: World) -> Pose:
        """Return where the plug's body is at the configured start.

        Raises:
            ValueError: If it starts in no socket.
        """
        if self._start < 0:
            raise ValueError(f"{self.plug}: starts in no socket, so the scene has to place it")
        socket = self._sockets[self._start]
        depth = socket.profile.depth(self._engagement)
        return world.pose_world_body(socket.name) @ Pose.translation((0.0, 0.0, depth - self._nose))

    @override
    def reset(self) -> None:
        if self._world is not None:
            self.set_asleep(self._world, False)
        self._sleep = 0
        self._memory[:] = 0.0
        self._memory[kernel.SOCKET] = -1.0
        if self._start >= 0 and self._engagement != Engagement.FREE:
            self._engage(self._sockets[self._start].profile)
        self._log.reset()
        if self._world is not None:
            self._find(self._world)

    @override
    def apply(self, world: World) -> None:
        if self._sleep > 0:
            self._sleep -= 1
            if self._asleep:
                self._push(world.client)
            return
        if self._world is not world:
            self._attach(world)
        client, memory = world.client, self._memory
        position, quaternion = client.getBasePositionAndOrientation(self._body)
        if self._asleep:
            if math.dist(position, self._rest) < _MOVED:
                self._sleep = _SLEEP_PERIOD - 1
                self._push(client)
                return
            self.set_asleep(world, False)
        inside = int(memory[kernel.SOCKET])
        if inside < 0:
            gap = kernel.gap(position, self._rows) - self._nose - _NEAR
            if gap > 0.0:
                self._sleep = min(_LONGEST_SLEEP, int(gap / (_FASTEST * world.physics_dt)))
                return
        cable = self._no_force if self._cable_force is None else self._cable_force()
        fx, fy, fz, px, py, pz = kernel.advance(
            position, quaternion, self._nose, cable, self._walls_push(inside),
            self._rows, memory, world.physics_dt,
        )  # fmt: skip
        if memory[kernel.SOCKET] >= 0.0:
            self._force, self._point = (fx, fy, fz), (px, py, pz)
            self._torque = self._straightening(client, quaternion)
            self._push(client)
        self._log.note(world.time, self._sockets)

    @override
    def state(self) -> Array:
        pushes = (*self._force, *self._point, *self._torque)
        return np.array([self._sleep, self._asleep, *pushes, *self._memory])

    def restore(self, state: Array) -> None:
        """Continue from what `state` returned, with the same configuration.

        Args:
            state: Shape (11 + MEMORY,).
        """
        numbers = state[2:11].tolist()
        self._force, self._point, self._torque = numbers[:3], numbers[3:6], numbers[6:]
        self._memory[:] = state[11:]
        if self._world is not None:
            self.set_asleep(self._world, bool(state[1]))
        self._sleep = int(state[0])
        self._log.go_on()

    def set_asleep(self, world: World, asleep: bool) -> None:
        """Let the plug rest where it is, at no cost; or wake it.

        Wake it before a hand or a cable pulls: what does not touch it moves a sleeping plug not at
        all. Something that bumps into it wakes it within a few steps. What pushed on it last goes
        on pushing, because Bullet falls asleep one step late. It also wakes up one step late, so
        let a step pass between waking it and `World.restore`, or what follows differs in the last
        digits.

        Args:
            world: Where.
            asleep: Whether to put it to sleep.

        Raises:
            ValueError: If it is in no socket, where it would hang in the air.
        """
        if asleep == self._asleep:
            return
        number = int(self._memory[kernel.SOCKET])
        if asleep and number < 0:
            raise ValueError(f"{self.plug}: in no socket, so it cannot sleep there")
        self._asleep, self._sleep = asleep, 0
        world.set_asleep(self.plug, asleep)
        self._rest, _ = world.client.getBasePositionAndOrientation(self._body)

    def truth(self) -> MatingTruth:
        """Return what is true of the plug after the last step."""
        m = self._memory
        number = int(m[kernel.SOCKET])
        socket = self._sockets[number] if number >= 0 else None
        return MatingTruth(
            socket=None if socket is None else socket.name,
            matches=socket is not None and socket.matches,
            depth=float(m[kernel.DEPTH]),
            contact_depth=float(m[kernel.S]),
            slide=float(m[kernel.C]),
            offset=float(m[kernel.OFFSET]),
            tilt=float(m[kernel.TILT]),
            force=float(m[kernel.FORCE]),
            peak_force=float(m[kernel.PEAK]),
            **self._log.flags(),
        )

    @property
    def events(self) -> list[MatingEvent]:
        """What has changed since the last reset, in order."""
        return self._log.events

    @property
    def socket(self) -> str | None:
        """Name of the socket its nose is in; None if in none."""
        number = int(self._memory[kernel.SOCKET])
        return self._sockets[number].name if number >= 0 else None

    @property
    def position(self) -> tuple[float, float, float]:
        """Where the plug's frame is in the world, in m."""
        assert self._world is not None  # Only asked after the first step.
        place: tuple[float, float, float]
        place, _ = self._world.client.getBasePositionAndOrientation(self._body)
        return place

    def pull_play(self, force: float) -> float:
        """Return how far a pull on the contact body would move it out, by the law, in m.

        Nothing is moved. A pull that breaks the latch or overcomes the friction of a plug without
        one takes it all the way out.

        Args:
            force: In N.
        """
        m, number = self._memory, int(self._memory[kernel.SOCKET])
        if number < 0:
            return np.inf
        row = self._rows[number]
        depth = float(m[kernel.S])
        stretch = force / float(row[kernel.STIFFNESS])
        friction = float(np.interp(depth, row[kernel.KNOTS], row[kernel.PULL_AT]))
        latched = bool(m[kernel.LATCHED])
        if force > (row[kernel.RETENTION] if latched else friction):
            return depth
        if latched and force > friction:
            return stretch + max(0.0, depth - float(row[kernel.LATCH_DEPTH]))
        return stretch

    def _push(self, client: Any) -> None:
        """Push on the plug for one step, as the last step that was worked out says."""
        frame = client.WORLD_FRAME
        client.applyExternalForce(self._body, -1, self._force, self._point, frame)
        if self._torque != _NO_TORQUE:
            client.applyExternalTorque(self._body, -1, self._torque, frame)

    def _straightening(self, client: Any, quaternion: Sequence[float]) -> Sequence[float]:
        """Return the torque with which seal and contacts straighten the plug, world axes."""
        row = self._rows[int(self._memory[kernel.SOCKET])]
        depth = float(self._memory[kernel.S])
        if depth <= row[kernel.KNOTS][1] or row[kernel.SEAL] == 0.0:
            return _NO_TORQUE
        _, angular = client.getBaseVelocity(self._body)
        torque: Sequence[float] = kernel.straighten(quaternion, angular, row, depth)
        return torque

    def _walls_push(self, inside: int) -> float:
        """Return what the walls bear of a push, where that can do harm: before the latch, in N."""
        if inside < 0 or self._memory[kernel.LATCHED]:
            return 0.0
        assert self._world is not None  # Only asked during a step.
        other = self._other_bodies[inside]
        axis = self._axes[inside]
        normal, friction = 0.0, 0.0
        for point in self._world.client.getContactPoints(self._body, other):
            nx, ny, nz = point[7]
            normal -= point[9] * (nx * axis[0] + ny * axis[1] + nz * axis[2])
            for size, (ux, uy, uz) in ((point[10], point[11]), (point[12], point[13])):
                friction += size * (ux * axis[0] + uy * axis[1] + uz * axis[2])
        # Bullet loses the sign of friction when it is asked for a pair; a push is what counts.
        return max(0.0, normal) + abs(friction)

    def _engage(self, profile: MatingProfile) -> None:
        """Remember a plug that starts in a socket, at rest."""
        m, engagement = self._memory, self._engagement
        m[kernel.SOCKET] = self._start
        m[kernel.DEPTH] = profile.depth(engagement)
        m[kernel.S] = min(m[kernel.DEPTH], profile.stroke)
        matches = self._sockets[self._start].matches
        m[kernel.POWER] = float(matches and m[kernel.S] > profile.power_depth)
        socket = self._sockets[self._start]
        if engagement in (Engagement.MATED, Engagement.LOCKED) and socket.clicks:
            m[[kernel.LATCHED, kernel.ARMED]] = float(profile.latches)
        if engagement == Engagement.LOCKED:
            m[kernel.C] = profile.lock_stroke
            m[[kernel.LOCKED, kernel.INTERLOCK]] = 1.0

    def _attach(self, world: World) -> None:
        """Look the bodies up, once they exist; compile the kernel before time matters."""
        self._world = world
        self._body = world.body(self.plug)
        self._find(world)
        kernel.gap((0.0, 0.0, 0.0), self._rows)
        kernel.advance(
            (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0), self._nose, self._no_force, 0.0,
            self._rows, self._memory.copy(), world.physics_dt,
        )  # fmt: skip

    def _find(self, world: World) -> None:
        """Read where the sockets are."""
        self._other_bodies = [world.body(socket.name) for socket in self._sockets]
        self._axes = []
        for row, socket in zip(self._rows, self._sockets, strict=True):
            pose = world.pose_world_body(socket.name)
            rotation = pose.rotation
            row[kernel.ORIGIN] = pose.position
            row[kernel.ROTATION] = rotation.ravel()
            self._axes.append(tuple(rotation[:, 2].tolist()))
