"""One robot on an empty floor that is shoved, or pulled at a hand, again and again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from policies.balance.reflex import BalanceReflex
from robot.errors import NoSolution, SafetyStop
from robot.loop import ControlLoop, Tick
from robot.mock.devices import MockStation
from robot.robot_config import RobotConfig
from robot.sim.shove import Shove
from robot.spatial import Pose
from robot.state import Target
from workcell.robot_cell import CellConfig, build_cell, build_controller, build_robot
from workcell.standing import tool_target

Kind = Literal["shove", "load"]
# Time before the disturbance, in which the robot settles, and after its end, in s.
_SETTLE, _AFTER = 0.5, 2.2
_SHOVE_TIME, _LOAD_TIME = 0.1, 1.5
# A base that sank by more than this, in m, has fallen.
_FALL_HEIGHT = 0.2
# How trials of one cell differ: direction, in rad, start, in s, and the place of the hands, in m.
_TURN, _WAIT, _REACH = math.radians(5.0), 0.04, 0.02


@dataclass(frozen=True)
class PushTrial:
    """What is done to the robot once.

    Attributes:
        kind: A shove at the torso, or a load that is put on a hand at once and let go at once.
        direction_deg: Of the push, from the world's x axis to its y axis.
        size: Impulse in N·s, or force in N.
        seed: Of the noise, and of how this trial differs from others of its cell.
        reflex: Whether the balance policy may act.
    """

    kind: Kind
    direction_deg: float
    size: float
    seed: int
    reflex: bool


@dataclass(frozen=True)
class PushResult:
    """What came of it.

    Attributes:
        survived: The robot stands, and nothing had to stop it.
        hand_error_mm: Largest position error of either hand.
        asked: How often the policy was asked.
        reason: Why it did not survive; empty if it did.
    """

    survived: bool
    hand_error_mm: float
    asked: int
    reason: str


def push_cell(cell: CellConfig | None = None) -> CellConfig:
    """Return the cell in which a robot is pushed.

    Args:
        cell: Periods and controller; the defaults if omitted.
    """
    cell = cell or CellConfig()
    # The wrists feel the load, which is harder than any part may be pushed.
    guard = dataclasses.replace(cell.guard, force_limit=400.0, force_peak=800.0)
    return dataclasses.replace(cell, guard=guard)


class PushBench:
    """A robot that stands up again after every trial."""

    def __init__(
        self,
        robot: RobotConfig,
        reflex: BalanceReflex | None,
        noise: str = "B",
        cell: CellConfig | None = None,
    ) -> None:
        """Build the robot, once with the policy and once without.

        Args:
            robot: Who stands.
            reflex: The balance policy in the loop; None to try the controller alone.
            noise: Name of the noise level.
            cell: Periods and controller; the defaults if omitted.
        """
        cell = push_cell(cell)
        self._parts = build_robot(robot, cell, noise)
        world = self._parts.world
        self._shove = Shove(self._parts.body, robot.torso_link, _SHOVE_TIME)
        hand = next(iter(robot.tool_frames.values()))
        self._load = Shove(self._parts.body, hand, _LOAD_TIME)
        for element in (self._shove, self._load):
            world.add_element(element)
        self._frames, self._reflex = robot.tool_frames, reflex
        self._error = 0.0
        self._wanted: dict[str, Pose] = {}
        joined = build_cell(self._parts, MockStation(), cell)
        self._loops = {
            with_reflex: ControlLoop(
                joined,
                build_controller(
                    robot,
                    self._parts.model,
                    cell,
                    self._parts.driver.spec,
                    reflex if with_reflex else None,
                ),
                [self._look],
            )
            for with_reflex in (False, True)
        }
        self._step = cell.ticks_per_step
        world.save()

    def close(self) -> None:
        """End the simulation."""
        self._parts.close()

    def run(self, trial: PushTrial) -> PushResult:
        """Push once; the same trial gives the same result, whatever was before."""
        rng = np.random.default_rng(trial.seed)
        turn, wait = rng.uniform(-_TURN, _TURN), rng.uniform(0.0, _WAIT)
        reach = {arm: rng.uniform(-_REACH, _REACH, 3) for arm in self._frames}
        parts, world = self._parts, self._parts.world
        world.restore()
        parts.driver.place(*parts.start_posture, seed=trial.seed)
        loop = self._loops[trial.reflex]
        loop.reset(np.random.default_rng(trial.seed))
        height = parts.body.pose_world_base().position[2]
        poses = {arm: parts.body.pose_world_link(frame) for arm, frame in self._frames.items()}
        self._wanted = {
            arm: Pose(pose.position + reach[arm], pose.quaternion) for arm, pose in poses.items()
        }
        target = Target({arm: tool_target(pose) for arm, pose in self._wanted.items()})
        angle = math.radians(trial.direction_deg) + turn
        along = np.array([math.cos(angle), math.sin(angle), 0.0])
        element, lasting = self._shove, _SHOVE_TIME
        size = trial.size
        if trial.kind == "load":
            element, lasting = self._load, _LOAD_TIME
            size = trial.size * lasting
        reason = ""
        try:
            self._run(loop, target, _SETTLE)
            self._error = 0.0
            element.schedule(world.time + wait, size * along)
            for _ in range(round((wait + lasting + _AFTER) / (self._step * world.dt))):
                loop.run(target, self._step)
                if height - parts.body.pose_world_base().position[2] > _FALL_HEIGHT:
                    reason = "fell"
                    break
        except (NoSolution, SafetyStop) as error:
            reason = str(error).partition(":")[0]
        asked = self._reflex.asked if trial.reflex and self._reflex is not None else 0
        return PushResult(not reason, 1e3 * self._error, asked, reason)

    def _run(self, loop: ControlLoop, target: Target, seconds: float) -> None:
        loop.run(target, round(seconds / self._parts.world.dt))

    def _look(self, tick: Tick) -> None:
        for arm, wanted in self._wanted.items():
            place = self._parts.body.pose_world_link(self._frames[arm]).position
            self._error = max(self._error, float(np.linalg.norm(place - wanted.position)))


def trials(
    kind: Kind,
    directions_deg: Sequence[float],
    sizes: Sequence[float],
    seeds: Sequence[int],
) -> list[PushTrial]:
    """Return every trial of a map, seed by seed, so that a part of them is a map already."""
    return [
        PushTrial(kind, direction, size, seed, reflex)
        for seed in seeds
        for direction in directions_deg
        for size in sizes
        for reflex in (False, True)
    ]
