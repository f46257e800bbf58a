"""Walks the script and corrects it, as a trained policy does and the environment that trains it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from policies.correction import Heading, Offset
from policies.policy import Action, Brief, Observation
from policies.residual_config import ResidualConfig
from policies.residual_view import ArmView, columns_of
from policies.scripted import ScriptedPolicy
from policies.sense import Sense, Wish, encode, sense_of
from robot.arrays import Array
from robot.spatial import Pose
from tasks.phases import Motion, Phase

# Numbers of an action for each arm, and where its stiffness stands.
_PER_ARM, _OPENING, _STIFFNESS = 9, 6, 7
# What may be corrected of a motion that pushes or pulls hard: all but the place along the push and
# the stiffness. How hard it pushes is then the script's alone, whose limits hold.
_NOT_HARDER = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0])


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

    def reset(self, brief: Brief, force_limit: float | None = None, learning: bool = False) -> None:
        """Begin an episode.

        Args:
            brief: As for any policy.
            force_limit: What the network is told, in N; as configured if omitted.
            learning: Whether all is corrected, rather than what a trained policy is trusted with:
                see `attempts` and `search_s` of `ResidualConfig`.
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
        self._attempts = math.inf if learning else config.attempts
        self._search_s = math.inf if learning else config.search_s
        # How long the search under way has been, in s.
        self._searched = dict.fromkeys(self.arms, 0.0)

    def look(self, observation: Observation) -> NDArray[np.float32]:
        """Let the script decide, and return what there is to see. Shape (arms, size)."""
        time = self._steps * self._brief.dt
        self._steps += 1
        script_sees = dict(observation)
        for arm, offset in self._offsets.items():
            if not offset.none:
                _without(script_sees, arm, offset)
        self._action = self.script.act(script_sees)
        self._hand_over_searches()
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
        """Whether it is corrected in this attempt and for so long, too. Shape (arms,)."""
        return self.active & [
            self.script.attempt(arm) <= self._attempts and self._searched[arm] <= self._search_s
            for arm in self.arms
        ]

    def _hand_over_searches(self) -> None:
        """Let searches that were corrected for too long begin anew without."""
        for arm, time in self._searched.items():
            phase = self.phase(arm)
            searching = phase is not None and phase.motion is Motion.SEARCH
            now = time + self._brief.dt if searching else 0.0
            self._searched[arm] = now
            if time <= self._search_s < now and not self._offsets[arm].none:
                self.script.search_anew(arm)

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
