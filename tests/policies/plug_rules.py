"""A hand on springs and a socket made of rules, for tests of scripted motions; no physics.

Along the goal's z axis the tool goes where its spring and its push take it, as through oil, against
what the socket resists with; across, and in its turns, it is where its target is, less what its
load pulls it aside, or where the socket holds it. It feels its load and what the socket does.
"""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from policies.mating import Mate
from policies.recovery import ScriptedConfig
from policies.sense import Sense, Status
from policies.walker import ArmWalker
from robot.spatial import Pose
from tasks.phases import Motion, Phase

DT = 0.04
# Of the hand, in N/m then N·m/rad, whatever the wish; and what it loses in moving, in N·s/m.
STIFFNESS = np.array([3000.0] * 3 + [100.0] * 3)
DAMPING = 60.0
# A target a hair ahead of the tool adds so much to a push, in N.
HAIR = 0.5e-3 * STIFFNESS[2]
SUBSTEPS = 40
FINGER_SPEED = 0.2
OPEN, WIDTH = 0.045, 0.016
# Where things are, in no special direction: what is right only along world axes must not pass.
GOAL = Pose.from_rotation_vector((0.4, -1.1, 0.7), (0.5, 0.2, 1.0))
DOCK = GOAL @ Pose.from_rotation_vector((0.1, 0.0, -0.2), (0.15, 0.05, -0.20))
NOMINAL = Pose.from_rotation_vector((0.0, 0.0, 0.5), (0.002, -0.001, 0.012))
# Openings at which collars stop the fingers, in m.
FRONT, REAR = 0.034, 0.028
GRIP = {"width_mm": 1e3 * WIDTH, "front_mm": 1e3 * FRONT, "rear_mm": 1e3 * REAR, "yield_s": 0.28}
# How far a part goes home from the mouth, and where its tip is ahead of the tool, in m.
STROKE, TIP = 14e-3, 40e-3
AT_MOUTH = Pose.translation((0.0, 0.0, -STROKE))
MATING = {
    "force_n": 110.0,
    "entry_n": 70.0,
    "stroke_mm": 1e3 * STROKE,
    "tip_mm": 1e3 * TIP,
    "time_s": 4.0,
}


def nothing(depth):
    """Resist nothing."""
    return 0.0


def latched(depth):
    """Resist as what does not move."""
    return 300.0


@dataclass
class Socket:
    """What a part meets along the goal's z axis.

    Attributes:
        ahead: Returns how hard it resists being pushed at a depth, in N; 0 m is home.
        back: Returns how hard it resists being pulled.
        wall: Depth beyond which nothing goes, in m.
        holds: How it holds the tool across and in its turns, as seen from the goal; None if not.
    """

    ahead: object = nothing
    back: object = nothing
    wall: float = math.inf
    holds: object = None


class SpringHand:
    """One hand with its part, before a socket or within it.

    Attributes:
        tool: Where it is.
        target: Where it was told to be.
        felt: Force on the socket along the goal's z axis, in N.
        hardest: Largest `felt` so far, in N; `weakest` the smallest, most negative.
        load: What the part weighs, as a wrench along tool axes; felt while something is held.
        width_at: Returns how wide that is, in m, what the fingers find where the tool is.
        draws: Where the hand is while its fingers hold something that does not give way, or None.
        in_hand: How the pads feel the part. Shape (4,).
        signals: As the motion is told; given, or returned by what is given for this hand.
    """

    def __init__(self, goal=GOAL, start=None, socket=None, opening=0.0, **rules):
        self.goal, self.socket = goal, socket or Socket()
        self.tool = self.target = goal if start is None else goal @ start
        self.time, self.opening, self.felt = 0.0, opening, 0.0
        self.hardest = self.weakest = 0.0
        self.load = np.array(rules.get("load", np.zeros(6)), dtype=float)
        self.width_at = rules.get("width_at", lambda hand: 0.0)
        self.draws = rules.get("draws")
        self.in_hand = np.array(rules.get("in_hand", np.zeros(4)), dtype=float)
        self.signals = rules.get("signals", {})
        self.held = 0.0

    @property
    def depth(self):
        return float((self.goal.inverse() @ self.tool).position[2])

    @property
    def weight(self):
        return self.load if self.held else np.zeros(6)

    def sense(self):
        wrench = self.weight + np.array([0.0, 0.0, -self.felt, 0.0, 0.0, 0.0])
        signals = self.signals(self) if callable(self.signals) else self.signals
        return Sense(
            self.time, DT, self.tool, self.target, wrench, self.opening, self.in_hand, signals
        )

    def obey(self, wish):
        self.time += DT
        self.target = wish.pose_world_target
        self._close(wish.opening)
        if self.draws is not None and self.held:
            self.tool = self.draws
            return
        sag = self.weight / STIFFNESS
        led = self.goal.inverse() @ self.target @ Pose.from_rotation_vector(sag[3:], sag[:3])
        depth, aim = self.depth, led.position[2]
        for _ in range(SUBSTEPS):
            force = STIFFNESS[2] * (aim - depth) + wish.push
            ahead = math.inf if depth >= self.socket.wall else self.socket.ahead(depth)
            self.felt = float(np.clip(force, -self.socket.back(depth), ahead))
            depth = min(
                depth + (force - self.felt) / DAMPING * DT / SUBSTEPS,
                max(depth, self.socket.wall),
            )
        self.hardest, self.weakest = max(self.hardest, self.felt), min(self.weakest, self.felt)
        across = led if self.socket.holds is None else self.socket.holds
        self.tool = self.goal @ Pose([*across.position[:2], depth], across.quaternion)

    def _close(self, wanted):
        closing = wanted < self.opening
        step = FINGER_SPEED * DT
        self.opening += float(np.clip(wanted - self.opening, -step, step))
        found = self.held or (self.width_at(self) if closing else 0.0)
        self.held = found if found and self.opening <= found else 0.0
        self.opening = max(self.opening, self.held)


@dataclass
class Step:
    """What was sensed and wished at one step, and in which phase; None while drawing back."""

    sense: Sense
    wish: object
    phase: object = None

    @property
    def opening(self):
        return self.wish.opening


def begin(motion_type, limits, hand, goal=None, signal=None, opening=0.0):
    """Return a motion that begins where a hand is."""
    goal = goal or hand.goal
    kind = Motion[motion_type.__name__.upper()]
    phase = Phase("left", "it", kind, goal, opening, None, signal, limits)
    return motion_type(phase, goal, hand.sense())


def follow(motion, hand, seconds=8.0):
    """Return the steps of a motion until it is done, or fails, or time is up."""
    steps = []
    while hand.time < seconds:
        sense = hand.sense()
        steps.append(Step(sense, motion.step(sense)))
        if steps[-1].wish.status is not Status.RUNNING:
            break
        hand.obey(steps[-1].wish)
    return steps


def play(motion_type, limits, hand, seconds=8.0, **given):
    """Return the steps of a motion from where a hand is."""
    return follow(begin(motion_type, limits, hand, **given), hand, seconds)


def walk(plan, hand, config=None, seconds=40.0, may_push=lambda time: True):
    """Return who walked a plan, and the steps, until its end or time is up."""
    walker = ArmWalker(tuple(plan), config or ScriptedConfig(), lambda share: STIFFNESS)
    steps = []
    while not walker.finished and hand.time < seconds:
        rest, spent = walker.phases[walker.index :], dict(walker.phase_times)
        sense = hand.sense()
        wish = walker.step(sense, may_push(hand.time))
        name = next((n for n, t in walker.phase_times.items() if t > spent.get(n, 0.0)), "")
        steps.append(Step(sense, wish, next((p for p in rest if p.name == name), None)))
        hand.obey(wish)
    return walker, steps


def away(signal=True, **rules):
    """Return an open hand, far from everything; whatever it closes on is a part."""
    rules = {"width_at": lambda hand: WIDTH, "signals": {"lock_in": signal}} | rules
    return SpringHand(GOAL, Pose.translation((0, 0, -0.3)), Socket(wall=0.0), OPEN, **rules)


def turn_of(step):
    """Return how a step's target is turned, as seen from the goal."""
    return (GOAL.inverse() @ step.wish.pose_world_target).rotation_vector()


def side_of(step):
    """Return where a step's target is across the goal's z axis, in m."""
    return (GOAL.inverse() @ step.wish.pose_world_target).position[:2]


def largest_step(steps):
    """Return the longest way that a target went in one step, in m."""
    apart = (s.sense.pose_world_target.inverse() @ s.wish.pose_world_target for s in steps)
    return max(float(np.linalg.norm(step.position)) for step in apart)


def outcome(steps):
    """Return how the last step ended: its status and reason."""
    return steps[-1].wish.status, steps[-1].wish.reason


def assert_same(first, second, position=1e-6, angle=1e-5):
    assert np.linalg.norm(first.position - second.position) < position
    assert first.angle_to(second) < angle


def back(pose, distance):
    return pose @ Pose.translation((0.0, 0.0, -distance))


def empty(name, motion, pose, place="", **given):
    return Phase("left", name, motion, pose, OPEN, place=place, **given)


def held(name, motion, pose, place="", **given):
    return Phase("left", name, motion, pose, 0.0, NOMINAL, place=place, **given)


def plugging(operation="plug"):
    """Return the steps from an empty hand to a locked part and an empty hand."""
    steps = (
        empty("reach", Motion.MOVE, back(DOCK, 0.05)),
        empty("enter_dock", Motion.MOVE, DOCK, "dock"),
        held("grasp", Motion.GRASP, DOCK, "dock", limits=GRIP),
        held("withdraw", Motion.MOVE, back(DOCK, 0.05)),
        held("approach", Motion.MOVE, back(GOAL, 0.02)),
        held("weigh", Motion.ZERO, back(GOAL, 0.02)),
        held("lock", Motion.LOCK, GOAL, limits={"force_n": 50.0}, signal="lock_in"),
        empty("release", Motion.RELEASE, GOAL, "header", limits={"settle_s": 0.2}),
        empty("leave", Motion.MOVE, back(GOAL, 0.05), "header"),
    )
    return tuple(replace(step, operation=operation) for step in steps)


def unplugging(operation="unplug", requires="plug"):
    """Return the steps that undo it."""
    steps = (
        empty("reach", Motion.MOVE, back(GOAL, 0.05), "header"),
        empty("enter_header", Motion.MOVE, GOAL, "header"),
        held("grasp", Motion.GRASP, GOAL, "header", limits=GRIP),
        held("extract", Motion.EXTRACT, GOAL, limits={"depth_mm": 20.0}),
        held("carry", Motion.MOVE, back(DOCK, 0.05), "dock"),
        held("approach", Motion.MOVE, DOCK, "dock"),
        empty("release", Motion.RELEASE, DOCK, "dock"),
        empty("leave", Motion.MOVE, back(DOCK, 0.05), "dock"),
    )
    return tuple(replace(step, operation=operation, requires=requires) for step in steps)


AFTER = empty("next", Motion.MOVE, back(GOAL, 0.1), operation="next")


def order(steps):
    """Return the steps of the plan in the order they were walked, each as (operation, name)."""
    names = [(s.phase.operation, s.phase.name) for s in steps if s.phase is not None]
    return [name for name, _ in itertools.groupby(names)]


def during(steps, name):
    """Return the steps of a phase."""
    return [s for s in steps if s.phase is not None and s.phase.name == name]


def at_end(steps, name):
    """Return the last step of a phase."""
    return during(steps, name)[-1]


def clicking(depth):
    """Resist more and more, most before the click, and then no more."""
    way = (depth + STROKE) / STROKE
    return 75.0 * max(0.0, min(way / 0.7, (1.0 - way) / 0.3))


def mate(hand, limits=None, goal=None):
    return play(Mate, MATING | (limits or {}), hand, goal=goal)


def at_mouth(ahead=clicking, wall=0.0, **rules):
    return SpringHand(start=AT_MOUTH, socket=Socket(ahead, wall=wall), **rules)
