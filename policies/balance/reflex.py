"""The balance policy in the control loop: a look at the stance, a gate, references that move."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import override

from policies.balance.stance import ACTION, OBSERVATION, OBSERVATION_UNITS, ReflexConfig
from policies.contract import Contract, Entry
from policies.learned import LearnedPolicy, PolicySource
from policies.network import Float32, Mlp
from policies.policy import Action, Brief, Observation
from robot.arrays import Array
from robot.control.reflex import Reflex, StanceSense
from robot.errors import ConfigError
from robot.state import BodyTarget

TASK = "standing"
"""What a balance policy is made for; no job, so that none is taken over by it."""

_STANCE = "stance"


@dataclass(frozen=True)
class BalanceConfig:
    """What a balance policy's numbers mean on its robot.

    Attributes:
        reflex: When it acts and how far it may go.
        frequency: Natural frequency of the robot as a pendulum, sqrt(g / h), in 1/s.
        torso_stiffness: Of the controller, in 1/s^2.
        source: Which file it was read from.
    """

    reflex: ReflexConfig
    frequency: float
    torso_stiffness: float
    source: PolicySource = field(default_factory=PolicySource)

    def __post_init__(self) -> None:
        """Refuse a pendulum and a torso that no robot has."""
        for name in ("frequency", "torso_stiffness"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")


def contract_of(robot: str, period: float) -> Contract:
    """Return the contract of a balance policy.

    Args:
        robot: Which it was trained for.
        period: Between two looks, in s.
    """
    return Contract(
        task=TASK,
        robots=(robot,),
        arms=(),
        dt=period,
        observation=tuple(Entry(name, (size,), text) for name, size, text in OBSERVATION),
        action=tuple(Entry(name, (size,), text) for name, size, text in ACTION),
    )


class BalancePolicy(LearnedPolicy):
    """A network from how a robot stands to where its references go."""

    def __init__(self, config: BalanceConfig, contract: Contract, network: Mlp) -> None:
        super().__init__(config, contract, network)
        self.config = config

    @property
    @override
    def needs(self) -> Mapping[str, tuple[int, ...]]:
        # No environment observes it: the policy acts below the ones that environments ask.
        return {_STANCE: (self.network.spec.inputs,)}

    @override
    def reset(self, brief: Brief) -> None:
        # Nothing of the past is kept.
        pass

    @override
    def act(self, observation: Observation) -> Action:
        return self.network(observation[_STANCE])


class BalanceReflex(Reflex):
    """Asks a balance policy while the capture point is too far from where it should be.

    The gate is exactly closed below `ReflexConfig.gate_opens`: nothing is asked, and the controller
    does what it would do alone. Above, what the policy wants counts by

        gate = (|error| - gate_opens) / (gate_full - gate_opens), at most 1,

    and from a gate of 1 until it closes the arms hold their posture in place of their targets.

    Attributes:
        asked: How often the policy was asked since the last reset.
    """

    def __init__(self, policy: BalancePolicy, robot: str) -> None:
        """Join a policy and a robot.

        Args:
            policy: What it learned.
            robot: Name of the robot.

        Raises:
            ConfigError: If the policy was made for another robot, or for a job.
        """
        policy.contract.refuse_other(TASK, robot)
        config = policy.config
        if config.reflex.period != policy.contract.dt:
            raise ConfigError(
                f"reflex.period: expected the contract's {policy.contract.dt:g} s, "
                f"got {config.reflex.period:g} s"
            )
        self._network = policy.network
        self._config, self._reflex = config, config.reflex
        self._units = np.array(OBSERVATION_UNITS)
        self.reset()

    @override
    def reset(self) -> None:
        self.asked = 0
        self._since = self._reflex.period
        self._action: Array | None = None
        self._gate, self._yielding = 0.0, False

    @override
    def react(self, sense: StanceSense, dt: float) -> BodyTarget | None:
        # Half a tick of tolerance: the time since is a sum of rounded periods.
        if self._since >= self._reflex.period - 0.5 * dt:
            self._since = 0.0
            self._look(sense)
        self._since += dt
        if self._action is None:
            return None
        return self._target(self._action, self._gate)

    def _look(self, sense: StanceSense) -> None:
        reflex = self._reflex
        error = capture_error(sense, self._config.frequency)
        distance = float(np.hypot(error[0], error[1]))
        if distance <= reflex.gate_opens:
            self._action, self._gate, self._yielding = None, 0.0, False
            return
        self._gate = min(
            1.0, (distance - reflex.gate_opens) / (reflex.gate_full - reflex.gate_opens)
        )
        self._yielding = self._yielding or self._gate == 1.0
        self._action = self._network(self._observe(sense, error)).astype(np.float64)
        self.asked += 1

    def _observe(self, sense: StanceSense, error: Array) -> Float32:
        height = sense.position_com[2] - sense.reference_com[2]
        tilt, rate = sense.tilt_torso, sense.rate_torso
        seen = np.array(
            [
                *error,
                *sense.position_com[:2],
                *sense.velocity_com[:2],
                tilt[1],
                -tilt[0],
                rate[1],
                -rate[0],
                height,
                sense.velocity_com[2],
            ]
        )
        counted: Float32 = (seen / self._units).astype(np.float32)
        return counted

    def _target(self, action: Array, gate: float) -> BodyTarget:
        reflex, config = self._reflex, self._config
        # A lean ahead is a turn about y, one to the left a turn about -x.
        turn = np.array([-action[1], action[0]])
        return BodyTarget(
            position_shift_com=reflex.shift_limit * gate * action[2:4],
            acceleration_torso=config.torso_stiffness * reflex.lean_limit * gate * turn,
            # Hands held in place would hold the trunk back, and turn the wrists too fast.
            yielding=self._yielding,
            height_shift_com=reflex.height_limit * gate * float(action[4]),
        )


def capture_error(sense: StanceSense, frequency: float) -> Array:
    """Return the capture point from where the centre of mass should be, in m. Shape (2,).

    c + v / omega - c_wanted (Pratt et al. 2006).

    Args:
        sense: How the robot stands.
        frequency: omega = sqrt(g / h), in 1/s.
    """
    error: Array = sense.position_com[:2] + sense.velocity_com[:2] / frequency
    error -= sense.reference_com[:2]
    return error
