"""A touch network at work: how a part lies in the hand, how sure that is, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from policies.contract import Contract
from policies.learned import LearnedPolicy, PolicySource
from policies.network import Float32, Mlp
from policies.policy import Action, Brief, Observation
from policies.tactile.features import (
    ACTION,
    LOG_SIGMA_HALF,
    LOG_SIGMA_MIDDLE,
    OBSERVATION,
    features,
    felt_by_both,
)
from robot.arrays import Array, frozen
from robot.spatial import Pose

_TOUCH = "touch"
_AXES = 3


class InHandEstimator(Protocol):
    """Says how parts lie in hands: what a script asks instead of trusting `<arm>_in_hand`."""

    def forget(self) -> None:
        """Begin an episode: what was felt before is the past."""

    def corrected(self, observation: Observation) -> Observation:
        """Return an observation with other entries `<arm>_in_hand`; all else is as it was."""


@dataclass(frozen=True)
class TouchConfig:
    """What the numbers of a touch network mean, and when they count.

    Attributes:
        shift_scale_m: A shift of one, in m.
        angle_scale_rad: An angle of one, in rad.
        shift_sigma_m: A shift counts while its standard deviation is at most this, in m.
        angle_sigma_rad: The same for the angle, in rad.
        parts: What it was trained to feel.
        source: Which file it was read from.
    """

    shift_scale_m: float = 0.010
    angle_scale_rad: float = 0.35
    shift_sigma_m: float = 0.0008
    angle_sigma_rad: float = 0.05
    parts: tuple[str, ...] = ()
    source: PolicySource = field(default_factory=PolicySource)

    def __post_init__(self) -> None:
        """Refuse scales and gates that are not positive."""
        for name in ("shift_scale_m", "angle_scale_rad", "shift_sigma_m", "angle_sigma_rad"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")

    @property
    def scale(self) -> Array:
        """What one means on each axis, in m, m and rad. Shape (3,)."""
        return np.array([self.shift_scale_m, self.shift_scale_m, self.angle_scale_rad])

    @property
    def gate(self) -> Array:
        """Largest standard deviation with which each axis counts. Shape (3,)."""
        return np.array([self.shift_sigma_m, self.shift_sigma_m, self.angle_sigma_rad])


@dataclass(frozen=True, eq=False)
class InHandEstimate:
    """How a part lies in the hand, compared with a nominal grasp.

    Attributes:
        mean: Shift along tool x and z, in m, and angle about tool y, in rad. Shape (3,).
        sigma: Standard deviation of each. Shape (3,).
    """

    mean: Array
    sigma: Array

    def __post_init__(self) -> None:
        """Check the shapes and make the arrays read-only."""
        for name in ("mean", "sigma"):
            object.__setattr__(self, name, frozen(name, getattr(self, name), (_AXES,)))

    def pose_tool_part(self, nominal: Pose) -> Pose:
        """Return where the part is in the tool frame.

        Args:
            nominal: Where it would be in a nominal grasp.
        """
        shift_x, shift_z, angle = self.mean
        turn = Pose.from_rotation_vector((0.0, angle, 0.0))
        position = nominal.position + np.array([shift_x, 0.0, shift_z])
        return Pose(position, (turn @ nominal).quaternion)


def contract_of(task: str, robots: tuple[str, ...], dt: float) -> Contract:
    """Return the contract of a touch network.

    Args:
        task: Whose parts it feels.
        robots: On whose pads.
        dt: Between two looks, in s.
    """
    return Contract(
        task=task, robots=robots, arms=(), dt=dt, observation=OBSERVATION, action=ACTION
    )


class TouchPolicy(LearnedPolicy):
    """A network from what two pads feel to how the part lies between them."""

    def __init__(self, config: TouchConfig, contract: Contract, network: Mlp) -> None:
        super().__init__(config, contract, network)
        for name, promised, made in (
            ("observation", contract.observation, OBSERVATION),
            ("action", contract.action, ACTION),
        ):
            shapes = [(entry.name, entry.shape) for entry in promised]
            if shapes != [(entry.name, entry.shape) for entry in made]:
                raise ValueError(
                    f"contract.{name}: expected that of a touch network, got {shapes}. "
                    "Train it again with this version"
                )
        self.config = config

    @property
    @override
    def needs(self) -> Mapping[str, tuple[int, ...]]:
        # No environment observes it: a script asks, not whoever runs the policy.
        return {_TOUCH: (self.network.spec.inputs,)}

    @override
    def reset(self, brief: Brief) -> None:
        # Nothing of the past is kept.
        pass

    @override
    def act(self, observation: Observation) -> Action:
        return self.network(observation[_TOUCH])

    def estimates(self, seen: Float32) -> tuple[Array, Array]:
        """Return means and standard deviations of many readings at once.

        Args:
            seen: As `features` returns it. Shape (n, inputs).

        Returns:
            In m, m and rad; each of shape (n, 3).
        """
        numbers = self.network(seen).astype(np.float64)
        scale = self.config.scale
        log_share = LOG_SIGMA_MIDDLE + LOG_SIGMA_HALF * numbers[:, _AXES:]
        return numbers[:, :_AXES] * scale, np.exp(log_share) * scale

    def estimate(self, pressure_kpa: NDArray[np.float32], opening: float) -> InHandEstimate | None:
        """Return how the part lies in the hand, or None if not both pads feel one.

        Args:
            pressure_kpa: Of the taxels. Shape (2, 11, 9).
            opening: Distance between the pads, in m.
        """
        if not felt_by_both(pressure_kpa):
            return None
        mean, sigma = self.estimates(features(pressure_kpa, opening)[None])
        return InHandEstimate(mean[0], sigma[0])


class TouchEstimator:
    """Puts a touch network's estimates where the script looks for them, while they are sure enough.

    An axis that is not is told as it last was in this grasp: under a hard push a network is less
    sure than it was before, and a part that seemed to jump in the hand would have it follow. One
    that never was is told as zero, which is what a plan assumes; if neither the sideways shift nor
    the angle ever was, the part counts as not felt.
    """

    def __init__(self, policy: TouchPolicy, arms: tuple[str, ...]) -> None:
        """Join a network and arms.

        Args:
            policy: What it learned.
            arms: Whose pads it reads.
        """
        self._policy = policy
        self._gate = policy.config.gate
        self._arms = arms
        self.forget()

    def forget(self) -> None:
        """Begin an episode: what was felt before is the past."""
        # What each arm was last sure of in this grasp; not a number where it never was.
        self._sure = {arm: np.full(_AXES, np.nan) for arm in self._arms}

    def corrected(self, observation: Observation) -> Observation:
        """Return an observation with the network's entries `<arm>_in_hand`.

        An arm whose pads are not observed keeps its entry.

        Args:
            observation: Holds `<arm>_tactile` and `<arm>_gripper_opening`.
        """
        changed = dict(observation)
        for arm in self._arms:
            pressure = observation.get(f"{arm}_tactile")
            if pressure is not None:
                opening = float(observation[f"{arm}_gripper_opening"][0])
                changed[f"{arm}_in_hand"] = self._in_hand(arm, pressure, opening)
        return changed

    def _in_hand(self, arm: str, pressure_kpa: NDArray[np.float32], opening: float) -> Float32:
        felt = self._policy.estimate(pressure_kpa, opening)
        if felt is None:
            # The hand is empty: what it takes next lies otherwise.
            self._sure[arm][:] = np.nan
            return np.zeros(1 + _AXES, np.float32)
        sure = felt.sigma <= self._gate
        self._sure[arm][sure] = felt.mean[sure]
        known = ~np.isnan(self._sure[arm])
        valid = bool(known[0] or known[2])
        told = np.where(known, self._sure[arm], 0.0) if valid else np.zeros(_AXES)
        return np.concatenate([[float(valid)], told]).astype(np.float32)
