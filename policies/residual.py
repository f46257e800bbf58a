"""The script, and a bounded correction of it that was learned.

The script decides what is done; a network moves each arm's tool target a little and makes it softer
or stiffer, while the hand is in contact. (Johannink et al., "Residual Reinforcement Learning for
Robot Control", ICRA 2019, arXiv 1812.03201.) Below both the whole-body controller and the guard
keep every limit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from policies.contract import Contract, Entry
from policies.correction import CORRECTION_SIZE, Authority, Heading, Offset
from policies.learned import LearnedPolicy, PolicySource
from policies.network import Mlp
from policies.policy import Action, Brief, Observation
from policies.residual_view import TOUCH, ArmView, chosen, columns_of, entries
from policies.scripted import ScriptedConfig, ScriptedPolicy
from policies.sense import Sense, Wish, encode, sense_of
from policies.tactile.features import COLUMNS, PADS, ROWS
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Phase

# Numbers of an action for each arm, and where its stiffness stands.
_PER_ARM, _OPENING, _STIFFNESS = 9, 6, 7
# What may be corrected of a motion that pushes or pulls hard: all but the place along the push and
# the stiffness. How hard it pushes is then the script's alone, whose limits hold.
_NOT_HARDER = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0])


@dataclass(frozen=True)
class ResidualConfig:
    """What may be corrected, and what is seen of it.

    Attributes:
        authority: The largest correction.
        history: How many policy periods of force and touch the network sees.
        sees: Which entries of `policies.residual_view.entries` it sees; all if empty. A correction
            that is learned from a thousand episodes cannot depend on a hundred numbers: whatever
            it need not see only adds noise to what is learned. The critic sees them all.
        force_limit_n: Wrist force that should not be exceeded; the network is told, in N.
        shared: One network sees one arm and corrects it, and does so for each; otherwise one sees
            all arms and corrects all.
        attempts: How many attempts at a piece of work a trained policy corrects; whatever is tried
            again, except a grasp, is the next attempt. A hand that was led wrongly once would
            mostly be again: the others are the script's alone. While it is trained all are
            corrected, so that there is more to learn from.
        scripted: What is corrected.
        source: Which file the network was read from.
    """

    authority: Authority = field(default_factory=Authority)
    history: int = 6
    sees: tuple[str, ...] = ()
    force_limit_n: float = 30.0
    shared: bool = True
    attempts: int = 1
    scripted: ScriptedConfig = field(default_factory=ScriptedConfig)
    source: PolicySource = field(default_factory=PolicySource)

    def __post_init__(self) -> None:
        """Refuse no history, no attempt and no force."""
        for name in ("history", "attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        if not self.force_limit_n > 0.0:
            raise ValueError(f"force_limit_n: expected more than 0, got {self.force_limit_n}")
        chosen(self.described, self.sees)

    @property
    def feels_pads(self) -> bool:
        """Whether the network is shown what the pads feel."""
        return not self.sees or TOUCH in self.sees

    @property
    def described(self) -> tuple[Entry, ...]:
        """All that there is to see of one arm, in order."""
        return entries(self.authority.motions, self.history)

    def observed(self, arms: tuple[str, ...]) -> tuple[Entry, ...]:
        """Return what a network sees, in order, if it corrects these arms."""
        return self._of_arms(chosen(self.described, self.sees), arms)

    def corrected(self, arms: tuple[str, ...]) -> tuple[Entry, ...]:
        """Return what a network returns, in order, if it corrects these arms."""
        bounds = self.authority
        of = "of the tool target"
        if bounds.along_motion:
            of += ", ahead, left and along z as it goes"
        moved = (
            Entry("translation", (3,), f"{of}, 1 is {list(bounds.translation_m)} m"),
            Entry("rotation", (3,), f"{of}, 1 is {list(bounds.rotation_rad)} rad"),
            Entry("stiffness", (1,), f"added to the script's, 1 is {bounds.stiffness}"),
        )
        return self._of_arms(moved, arms)

    def _of_arms(self, of_one: tuple[Entry, ...], arms: tuple[str, ...]) -> tuple[Entry, ...]:
        if self.shared:
            return of_one
        return tuple(Entry(f"{arm}_{e.name}", e.shape, e.meaning) for arm in arms for e in of_one)


class Corrector:
    """Walks the script and corrects it with whatever numbers it is given.

    Once every policy period first `look`, then `act`. It is what a trained policy and the
    environment that trains it have in common.

    Attributes:
        arms: The arms that are corrected, in order.
        size: How many numbers are seen of one arm.
        sensed: All that there was to see, of which the network sees some. Shape (arms, all).
        script: What is corrected.
    """

    def __init__(self, config: ResidualConfig, arms: tuple[str, ...]) -> None:
        """Prepare.

        Args:
            config: What may be corrected.
            arms: The arms that are.
        """
        self.config = config
        self.arms = arms
        self._columns = columns_of(config.described, config.sees)
        self.size = len(self._columns)
        self.sensed = np.zeros((len(arms), sum(e.size for e in config.described)), np.float32)
        self.script = ScriptedPolicy(config.scripted)

    def reset(
        self, brief: Brief, force_limit: float | None = None, attempts: float = math.inf
    ) -> None:
        """Begin an episode.

        Args:
            brief: As for any policy.
            force_limit: What the network is told, in N; as configured if omitted.
            attempts: How many attempts at a piece of work are corrected, see `ResidualConfig`.
        """
        config = self.config
        self._brief = brief
        self.script.reset(brief)
        limit = config.force_limit_n if force_limit is None else force_limit
        motions = config.authority.motions
        self._offsets = {arm: Offset(config.authority) for arm in self.arms}
        self._views = {arm: ArmView(arm, motions, config.history, limit) for arm in self.arms}
        self._headings = {arm: Heading() for arm in self.arms}
        self._wanted: dict[str, Pose] = {}
        self._steps = 0
        self._attempts = attempts

    def look(self, observation: Observation) -> NDArray[np.float32]:
        """Let the script decide, and return what there is to see. Shape (arms, size)."""
        time = self._steps * self._brief.dt
        self._steps += 1
        script_sees = dict(observation)
        for arm, offset in self._offsets.items():
            if not offset.none:
                _without(script_sees, arm, offset)
        self._action = self.script.act(script_sees)
        self._observation = observation
        before = self._wanted
        self._wanted = {}
        seen = []
        for arm, view in self._views.items():
            numbers = self._numbers(arm).astype(np.float64)
            felt = sense_of(arm, script_sees, self._brief, time, np.zeros(6))
            sense = replace(felt, contact=self.script.contact(arm))
            wanted = _decoded(numbers, sense, self._brief.action_scale)
            went = before.get(arm, wanted).inverse() @ wanted
            self._wanted[arm] = wanted
            twist = np.concatenate([went.position, went.rotation_vector()]) / self._brief.dt
            self._headings[arm].follow(twist)
            seen.append(
                view.vector(
                    sense,
                    observation,
                    self.phase(arm),
                    wanted,
                    twist,
                    numbers[_OPENING:],
                    self._offsets[arm],
                )
            )
        self.sensed = np.stack(seen)
        return self.sensed[:, self._columns]

    def act(self, correction: NDArray[np.float32]) -> Action:
        """Return the script's action with a correction.

        Args:
            correction: From -1 to 1, shares of the largest; ignored for an arm that is not to be
                corrected now, whose correction is taken back. Shape (arms, 7).
        """
        action = self._action.copy()
        for arm, wanted, trusted in zip(self.arms, correction, self.trusted, strict=True):
            offset = self._offsets[arm]
            idle = offset.none
            offset.move(self._granted(arm, wanted) if trusted else np.zeros(7), self._brief.dt)
            if idle and offset.none:
                # Not a bit is changed where nothing is corrected.
                continue
            start = _PER_ARM * self._brief.arms.index(arm)
            action[start : start + _PER_ARM] = self._corrected(arm, offset)
        return action

    def phase(self, arm: str) -> Phase | None:
        """Return the phase in which an arm is corrected, or None while it is not."""
        phase = self.script.doing(arm)
        known = phase is not None and phase.motion.value in self.config.authority.motions
        return phase if known else None

    @property
    def active(self) -> NDArray[np.bool_]:
        """Whether what an arm does now is corrected. Shape (arms,)."""
        return np.array([self.phase(arm) is not None for arm in self.arms])

    @property
    def trusted(self) -> NDArray[np.bool_]:
        """Whether it is corrected in this attempt, too. Shape (arms,)."""
        return self.active & [self.script.attempt(arm) <= self._attempts for arm in self.arms]

    def _granted(self, arm: str, wanted: NDArray[np.float32]) -> Array:
        """Return what of a correction is allowed in an arm's phase, along the axes. Shape (7,)."""
        phase = self.phase(arm)
        heavy = phase is not None and phase.heavy
        share = wanted * _NOT_HARDER if heavy else wanted.astype(np.float64)
        along = self.config.authority.along_motion
        return self._headings[arm].along_axes(share) if along else share

    def _numbers(self, arm: str) -> NDArray[np.float32]:
        start = _PER_ARM * self._brief.arms.index(arm)
        return self._action[start : start + _PER_ARM]

    def _corrected(self, arm: str, offset: Offset) -> NDArray[np.float32]:
        """Return one arm's nine numbers that lead to the corrected target."""
        numbers = self._numbers(arm).copy()
        sense = sense_of(arm, self._observation, self._brief, 0.0, np.zeros(6))
        target = self._wanted[arm] @ offset.pose_script_target
        step = encode(Wish(target, 0.0, 0.0), sense, self._brief.action_scale)
        numbers[:_OPENING] = step[:_OPENING]
        numbers[_STIFFNESS] = np.clip(numbers[_STIFFNESS] + offset.value[6], -1.0, 1.0)
        return numbers


class ResidualPolicy(LearnedPolicy):
    """The script with a learned correction."""

    def __init__(self, config: ResidualConfig, contract: Contract, network: Mlp) -> None:
        super().__init__(config, contract, network)
        for name, promised, made in (
            ("observation", contract.observation, config.observed(contract.arms)),
            ("action", contract.action, config.corrected(contract.arms)),
        ):
            for told, found in zip(promised, made, strict=False):
                if (told.name, told.shape) != (found.name, found.shape):
                    raise ValueError(
                        f"contract.{name}: expected {found.name} {found.shape} with this "
                        f"configuration, got {told.name} {told.shape}"
                    )
                # What a number means holds the bounds and the motions: a network that was taught
                # with others would be obeyed further, or where it never acted.
                if told.meaning != found.meaning:
                    raise ValueError(
                        f"contract.{name}: {told.name} was taught as '{told.meaning}', with this "
                        f"configuration it is '{found.meaning}'. Train it again with that"
                    )
            if len(promised) != len(made):
                raise ValueError(
                    f"contract.{name}: expected {len(made)} entries, got {len(promised)}"
                )
        self.config = config
        self._corrector = Corrector(config, contract.arms)

    @property
    @override
    def needs(self) -> Mapping[str, tuple[int, ...]]:
        needed: dict[str, tuple[int, ...]] = {}
        for arm in self.contract.arms:
            for name in ("tool", "target"):
                needed[f"{arm}_position_world_{name}"] = (3,)
                needed[f"{arm}_quaternion_world_{name}"] = (4,)
            needed[f"{arm}_gripper_opening"] = (1,)
            needed[f"{arm}_wrench_tool"] = (6,)
            needed[f"{arm}_in_hand"] = (4,)
            if self.config.feels_pads:
                needed[f"{arm}_tactile"] = (PADS, ROWS, COLUMNS)
        needed["signals"] = (len(self.contract.signals),)
        return needed

    @override
    def reset(self, brief: Brief) -> None:
        self._corrector.reset(brief, attempts=self.config.attempts)

    @override
    def act(self, observation: Observation) -> Action:
        corrector = self._corrector
        seen = corrector.look(observation)
        trusted = corrector.trusted
        correction = np.zeros((len(seen), CORRECTION_SIZE), np.float32)
        if self.config.shared:
            for i in np.flatnonzero(trusted):
                correction[i] = self.network(seen[i])
        elif trusted.any():
            # (arms, size) -> (arms * size,) -> (arms, 7)
            wanted = self.network(seen.ravel()).reshape(-1, CORRECTION_SIZE)
            correction[trusted] = wanted[trusted]
        return corrector.act(correction)

    @override
    def report(self) -> Mapping[str, Any]:
        return self._corrector.script.report()


def _without(observation: dict[str, NDArray[np.float32]], arm: str, offset: Offset) -> None:
    """Take a correction out of an arm's target, in place: the script sees its own."""
    keys = (f"{arm}_position_world_target", f"{arm}_quaternion_world_target")
    position, quaternion = (observation[key].astype(np.float64) for key in keys)
    pose = Pose(position, quaternion) @ offset.pose_script_target.inverse()
    observation[keys[0]] = pose.position.astype(np.float32)
    observation[keys[1]] = pose.quaternion.astype(np.float32)


def _decoded(numbers: Array, sense: Sense, scale: Mapping[str, float]) -> Pose:
    """Return the tool target that an arm's numbers ask for; undoes `policies.sense.encode`."""
    step = Pose.from_rotation_vector(
        scale["rotation_rad"] * numbers[3:6], scale["translation_m"] * numbers[:3]
    )
    return sense.pose_world_target @ step
