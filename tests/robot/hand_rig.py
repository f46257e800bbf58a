"""One hand in front of two keep-out zones, and policies that want to get in."""

import math

import numpy as np

from robot.cell_state import CellState
from robot.control.reference import ReferenceConfig, ToolReference
from robot.spatial import Pose
from robot.state import RobotState, Target, ToolTarget
from robot.station import StationInputs
from robot.zones import KeepOut, ZoneConfig, ZoneGuard

DT = 2e-3
OPEN = {"hv_off": True, "unplug_allowed": True}
CLOSED = {"hv_off": False, "unplug_allowed": False}
# The front of a pack, tilted as the headers are, and one header beside it.
TILT = Pose.from_rotation_vector([0.0, math.radians(30.0), 0.0])
ZONES = (
    KeepOut("port_a", Pose(np.array([0.7, 0.1, 0.9]), TILT.quaternion), np.array([0.05] * 3)),
    KeepOut("port_b", Pose(np.array([0.7, -0.1, 0.9]), TILT.quaternion), np.array([0.05] * 3)),
)
CONFIG = ZoneConfig()
# From the centre of a zone to where a tool pointing at it from behind must stop.
BERTH = 0.05 + CONFIG.margin + CONFIG.hand_radius + CONFIG.hand_points[0][2]
AHEAD = Pose.from_rotation_vector([0.0, math.pi / 2.0, 0.0])


def wanted(position, *, wrench=(0.0,) * 6, opening=0.03, stiffness=(1500.0, 50.0), turn=AHEAD):
    pose = Pose(np.asarray(position, dtype=float), turn.quaternion)
    return ToolTarget(pose, np.asarray(wrench), np.repeat(stiffness, 3), opening)


# Of its fingers, in m.
WIDEST = 0.05


def one(tool: ToolTarget) -> Target:
    return Target({"left": tool})


class Rig:
    """One hand of 5 kg on springs behind the reference filter of the whole-body controller."""

    def __init__(self, position, *, signals=CLOSED, config=CONFIG, zones=ZONES, velocity=None):
        self.position = np.asarray(position, dtype=float)
        self.velocity = np.zeros(3) if velocity is None else np.asarray(velocity, dtype=float)
        self.reference = ToolReference(ReferenceConfig())
        self.reference.reset(Pose(self.position, AHEAD.quaternion))
        self.reference.twist[:3] = self.velocity
        self.opening, self.time, self.safe = 0.03, 0.0, True
        self.signals = dict(signals)
        # What the guard measures is off by this much, in m.
        self.noise, self.noise_rng = 0.0, np.random.default_rng(1)
        self.guard = ZoneGuard(lambda state: {"left": self.measured()}, config, {"left": WIDEST})
        self.guard.reset(zones)
        self.boxes = config.boxes(zones)
        self.points = config.points()
        self.seen = self.state()

    @property
    def pose(self) -> Pose:
        return Pose(self.position, self.reference.quaternion)

    def measured(self) -> Pose:
        error = self.noise_rng.normal(0.0, self.noise, 3) if self.noise else np.zeros(3)
        return Pose(self.position + error, self.reference.quaternion)

    def state(self) -> CellState:
        none = np.zeros(2)
        robot = RobotState(self.time, none, none, none, {"left": self.opening})
        return CellState(robot, {}, StationInputs(safe=self.safe, signals=dict(self.signals)))

    def depth(self) -> float:
        """How deep the hand is, computed another way than the guard does."""
        points = self.points @ self.pose.rotation.T + self.position
        deepest = -np.inf
        for zone in ZONES:
            along = (points - zone.pose_world_box.position) @ zone.pose_world_box.rotation
            grown = zone.half_extents + CONFIG.margin + CONFIG.hand_radius
            deepest = max(deepest, float((grown - np.abs(along)).min(axis=1).max()))
        return deepest

    def tick(self, target: Target) -> Target:
        """Let the hand follow what the guard leaves of a target for one control period."""
        state = self.seen
        self.guard.check(state)
        allowed = self.guard.limit(target, state)
        tool = allowed.tools["left"]
        self.reference.advance(tool.pose_world_tool, DT)
        stiffness, mass = tool.stiffness[0], 5.0
        damping = 2.0 * math.sqrt(mass * max(stiffness, 150.0))
        spring = np.clip(stiffness * (self.reference.position - self.position), -100.0, 100.0)
        slip = self.reference.twist[:3] - self.velocity
        force = spring + damping * slip + tool.wrench_world_tool[:3]
        self.velocity = self.velocity + DT * (self.reference.acceleration[:3] + force / mass)
        self.position = self.position + DT * self.velocity
        step = np.clip(tool.gripper_opening - self.opening, -0.1 * DT, 0.1 * DT)
        self.opening += float(step)
        self.time += DT
        self.seen = self.state()
        return allowed


def outside(rng, least=0.02, **options):
    """Draw a place at rest that is outside of both zones."""
    while True:
        rig = Rig(rng.uniform([0.3, -0.5, 0.5], [1.1, 0.5, 1.3]), **options)
        if rig.depth() < -least:
            return rig


def scripted(rng, rig):
    way = np.linspace(rig.position, [0.7, 0.1, 0.9], 40)
    return lambda k: wanted(way[min(k // 20, 39)])


def uniform(rng, rig):
    drawn = []
    # From a change every 2 ms to one every 200 ms.
    hold = rng.choice([1, 5, 20, 100])

    def target(k):
        if k % hold == 0:
            drawn.append(
                wanted(
                    rng.uniform([0.5, -0.3, 0.7], [0.9, 0.3, 1.1]),
                    wrench=rng.normal(0.0, 30.0, 6),
                    stiffness=rng.uniform(0.0, [3000.0, 100.0]),
                    turn=Pose.from_rotation_vector(rng.normal(0.0, 2.0, 3)),
                    opening=rng.uniform(0.0, 0.05),
                )
            )
        return drawn[-1]

    return target


def far_beyond(rng, rig):
    direction = np.array([0.7, 0.1, 0.9]) - rig.position
    return lambda k: wanted(rig.position + 30.0 * direction)


def from_the_side(rng, rig):
    """Past one zone at full speed, then straight into it."""
    return lambda k: wanted([0.7, 0.6, 0.9] if k < 60 else [0.7, 0.1, 0.9])


def from_below(rng, rig):
    rig.position[:] = [0.7, 0.1, 0.4]
    rig.reference.reset(Pose(rig.position, AHEAD.quaternion))
    rig.seen = rig.state()
    return lambda k: wanted([0.7, 0.1, 0.9 + 0.2 * math.sin(0.02 * k)])


def tiny_steps(rng, rig):
    def target(k):
        way = np.array([0.7, 0.1, 0.9]) - rig.position
        return wanted(rig.position + 0.4e-3 * way / np.linalg.norm(way))

    return target


def by_wrench(rng, rig):
    """No target but where the hand is, no stiffness, and as hard a push as can be asked for."""

    def target(k):
        way = np.array([0.7, 0.1, 0.9]) - rig.position
        push = np.append(60.0 * way / np.linalg.norm(way), np.zeros(3))
        return wanted(rig.position, wrench=push, stiffness=(0.0, 0.0))

    return target


def by_turning(rng, rig):
    """A hand beside a zone that swings its back into it."""
    return lambda k: wanted(
        [0.7, 0.35, 0.9], turn=Pose.from_rotation_vector([0.1 * (k // 20), 0.0, 0.0])
    )


def by_turns(rng, rig):
    """Full speed ahead for three policy periods, back for one."""
    start = rig.position.copy()
    return lambda k: wanted(start if (k // 20) % 4 == 3 else [0.7, 0.1, 0.9], wrench=(50.0,) * 6)


def by_stutter(rng, rig):
    return lambda k: wanted([0.7, 0.1, 0.9] if k % 3 else rig.position)


POLICIES = (
    scripted,
    uniform,
    far_beyond,
    from_the_side,
    from_below,
    tiny_steps,
    by_wrench,
    by_turning,
    by_turns,
    by_stutter,
)
