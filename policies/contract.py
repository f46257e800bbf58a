"""What a learned policy was made for, and whether that is where it is about to act."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from robot.errors import ConfigError


@dataclass(frozen=True)
class Entry:
    """Some numbers of an observation or an action.

    Attributes:
        name: What they are called; for an observation of the environment, its key.
        shape: Of the array; laid out row by row where entries are put in one vector.
        meaning: What they are, with units and frames.
    """

    name: str
    shape: tuple[int, ...]
    meaning: str

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Contract:
    """What a policy was made for.

    Attributes:
        task: Name of the task.
        robots: Names of the robots that it may drive.
        arms: The arms it moves, in the order of the action.
        dt: The policy period, in s.
        observation: What the network is given, in order.
        action: What the network returns, in order, each number in [-1, 1].
        action_scale: What an action of one means, by name with unit.
        signals: Process signals in the order of the observation's `signals`.
    """

    task: str
    robots: tuple[str, ...]
    arms: tuple[str, ...]
    dt: float
    observation: tuple[Entry, ...]
    action: tuple[Entry, ...]
    action_scale: Mapping[str, float] = field(default_factory=dict)
    signals: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        """How many numbers the network is given."""
        return sum(entry.size for entry in self.observation)

    @property
    def outputs(self) -> int:
        """How many numbers the network returns."""
        return sum(entry.size for entry in self.action)

    def refuse_other(self, task: str, robot: str) -> None:
        """Refuse another task or robot, which takes no simulation to tell.

        Raises:
            ConfigError: In one line.
        """
        if task != self.task:
            raise ConfigError(
                f"task: made for {self.task}, asked to do {task}. Choose a policy of that task"
            )
        if robot not in self.robots:
            raise ConfigError(
                f"robot: made for {', '.join(self.robots)}, asked to drive {robot}. "
                f"Choose --robot {self.robots[0]}, or a policy for that robot"
            )


@dataclass(frozen=True)
class Workplace:
    """Where a policy is about to act, as far as a contract can say something about it.

    Attributes:
        task: Name of the task.
        robot: Name of the robot.
        arms: The arms of the task, in the order of the action.
        dt: The policy period, in s.
        observation: Shape of each array of the observation, by key.
        action_scale: What an action of one means, by name with unit.
        signals: Process signals in the order of the observation's `signals`.
    """

    task: str
    robot: str
    arms: tuple[str, ...]
    dt: float
    observation: Mapping[str, tuple[int, ...]]
    action_scale: Mapping[str, float]
    signals: tuple[str, ...]

    def refuse(self, contract: Contract, needs: Mapping[str, tuple[int, ...]]) -> None:
        """Refuse a policy that was made for something else, before it acts.

        Args:
            contract: Of the policy.
            needs: Shape of each array of the observation that it reads, by key.

        Raises:
            ConfigError: In one line: what was expected, what is there, what to do.
        """
        contract.refuse_other(self.task, self.robot)
        unknown = [arm for arm in contract.arms if arm not in self.arms]
        if unknown:
            raise ConfigError(
                f"arms: made for {', '.join(contract.arms)}, the task has {', '.join(self.arms)}"
            )
        if not math.isclose(contract.dt, self.dt, rel_tol=1e-9):
            raise ConfigError(
                f"policy period: made for {contract.dt:g} s, the cell has {self.dt:g} s. Set "
                "cell.ticks_per_step and cell.dt back to what the policy was trained with"
            )
        for key, shape in needs.items():
            if key not in self.observation:
                raise ConfigError(
                    f"observation: made for {key} of shape {shape}, which is not observed here. "
                    f"Observed: {', '.join(sorted(self.observation))}"
                )
            if tuple(shape) != tuple(self.observation[key]):
                raise ConfigError(
                    f"observation: made for {key} of shape {shape}, here it is "
                    f"{tuple(self.observation[key])}. It was trained on another task or sensor"
                )
        if "signals" in needs and contract.signals != self.signals:
            raise ConfigError(
                f"signals: made for {', '.join(contract.signals)}, "
                f"here they are {', '.join(self.signals)}"
            )
        self._refuse_scale(contract)

    def _refuse_scale(self, contract: Contract) -> None:
        for name in sorted({*contract.action_scale, *self.action_scale}):
            made, here = contract.action_scale.get(name), self.action_scale.get(name)
            if made is None or here is None or not math.isclose(made, here, rel_tol=1e-9):
                raise ConfigError(
                    f"action scale: made for {name} = {made}, here it is {here}. "
                    f"Set cell.action.{name} back to what the policy was trained with"
                )
