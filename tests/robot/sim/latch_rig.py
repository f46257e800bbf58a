"""A plug whose depth in a socket is prescribed, for tests of the law along a connector's axis."""

from __future__ import annotations

import numpy as np

from robot.geometry import Box
from robot.mating import Engagement, MatingProfile, Socket
from robot.sim.latch import MatingElement
from robot.sim.world import World
from robot.spatial import Pose

PROFILE = MatingProfile(
    stroke=14e-3,
    engage_depth=6e-3,
    peak_depth=9e-3,
    peak_force=75.0,
    friction=34.0,
    drag=200.0,
    unmating_force=40.0,
    latches=True,
    click_drop=20.0,
    play=3e-4,
    retention=130.0,
    release_stroke=2e-3,
    release_force=45.0,
    lock_stroke=3.5e-3,
    lock_force=22.0,
    unlock_force=22.0,
    blocked_force=140.0,
    arm_force=10.0,
    interlock_slide=2.5e-3,
    power_depth=9.5e-3,
    pin_depth=6.5e-3,
    pin_tilt=0.05,
    pin_offset=1e-3,
    pin_force=60.0,
    key_depth=4.5e-3,
    key_force=80.0,
    max_force=120.0,
)
SOCKET = Socket("socket", PROFILE, (0.0122, 0.0202))
NOSE = 0.0345
POSE = Pose.from_rotation_vector([0.3, 2.0, 0.4], [0.5, 0.2, 0.9])
GHOST = (Box((0.01, 0.01, 0.01), collides=False),)
SLOW = 2e-6


class Rig:
    """A plug without walls that is put where the test says, one step at a time."""

    def __init__(self, socket: Socket = SOCKET, start: Engagement = Engagement.FREE) -> None:
        self.world = World(dt=1e-3)
        for name, pose in (("socket", POSE), ("plug", Pose.translation([0.0, 0.0, 5.0]))):
            self.world.add_body(name, GHOST, mass=1.0, pose_world_body=pose, friction=0.5)
        self.cable = np.zeros(3)
        self.element = MatingElement("plug", NOSE, [socket], lambda: self.cable)
        engaged = start != Engagement.FREE
        self.element.configure([socket], "socket" if engaged else None, start)
        self.element.reset()
        self.depth = socket.profile.depth(start) if engaged else 0.0
        self.tilt, self.offset = 0.0, 0.0

    def at(self, depth: float) -> float:
        """Make one step at a depth; return the force on the plug along its way out."""
        self.depth = depth
        nose = Pose.from_rotation_vector([self.tilt, 0.0, 0.0], [self.offset, 0.0, depth])
        self.world.set_pose("plug", POSE @ nose @ Pose.translation([0.0, 0.0, -NOSE]))
        self.element.apply(self.world)
        return self.element.truth().force

    def go(self, depth: float, step: float = SLOW) -> np.ndarray:
        """Move evenly to a depth; return the force at each step."""
        count = max(1, round(abs(depth - self.depth) / step))
        return np.array([self.at(x) for x in np.linspace(self.depth, depth, count + 1)[1:]])

    def until(self, force: float, step: float = SLOW) -> None:
        """Move until the force on the plug is at least this (or at most, if negative)."""
        for _ in range(50_000):
            now = self.at(self.depth + np.sign(force) * step)
            if (now - force) * np.sign(force) >= 0.0:
                return
        raise AssertionError(f"{force} N were never reached: {self.element.truth()}")

    def relax(self) -> None:
        """Stop pushing for long enough to free the slide."""
        truth = self.element.truth()
        for _ in range(60):
            self.at(truth.contact_depth + truth.slide)

    def times(self, what: str, value: bool = True) -> list[float]:
        return [e.depth for e in self.element.events if e.what == what and e.value == value]

    @property
    def truth(self):
        return self.element.truth()
