"""A task with the script inside: the action corrects it, the reward is for doing better."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from envs.assembly_env import AssemblyEnv
from envs.guide import Float32, Guide
from envs.observations import Observation
from envs.privileged import PRIVILEGED_SIZE, privileged
from envs.residual_reward import ResidualReward, Terms
from robot.arrays import Array, clipped
from robot.errors import NOT_BEGUN, ConfigError
from robot.spatial import Pose
from tasks.task import Layout, Outcome

# What is drawn here is drawn apart from the layout, which the same seed decides.
_OWN_DRAWS = 1
# So many are drawn until one begins.
_DRAWS = 10
# No quantity that is seen is larger: millimetres, newtons, shares.
_BOUND = 1e4
CONFIRM_TIME = 1.5
"""A policy that has nothing left to do is given so long for its success to be confirmed, in s."""
TRAINING_SEEDS = 900_000
"""Episodes that are drawn here have smaller seeds; those up to 1000000 are left for choosing among
what was trained, and the larger ones for measuring, see `workcell run`."""


logger = logging.getLogger(__name__)


class ResidualEnv(gym.Env[Observation, Float32]):
    """Corrects a script while its hands are in contact, and lets it alone otherwise.

    ### Action

    For each corrected arm seven numbers in [-1, 1], shares of the largest correction of the tool
    target (3 for its place, 3 for its turn, along its own axes) and of its stiffness. Zero is the
    script itself, to the bit.

    ### Observation

    | key      | shape          | meaning                                                    |
    | -------- | -------------- | ---------------------------------------------------------- |
    | `policy` | (arms * size,) | sensors, plan and beliefs, see `policies.residual_view`    |
    | `critic` | (arms * 20,)   | true poses, see `envs.privileged`; no actor may be given it |
    | `sensed` | (arms * all,)  | all of the first, where an actor is shown only some         |

    A wrist force limit is drawn for every episode and is part of `policy`.

    ### Steps

    One step is one policy period in which at least one arm is corrected. What the script does in
    free air in between passes inside a step: nothing could be learned there. Its reward is the sum
    of what came in that time.

    ### End of an episode

    `terminated` as of the task; when the script gave up or has nothing left to do; and at the time
    limit, which is part of the job: `info["failure"]` is then `time_out`. Nothing is truncated.
    `info["reward_terms"]` holds the terms, `info["reward_by_arm"]` each arm's share of them,
    `info["corrected_by_arm"]` whether the action had any effect on it, `info["force_n"]` the
    hardest wrist force of the step and `info["elapsed_s"]` the time since the episode began.

    ### Where episodes start

    Where the script first touches something: the free way there is the script's and costs nothing.
    With a script that mostly succeeds, starts further in would show nothing that it does not come
    to by itself; what can be made easier is how far episodes differ, see `layouts`.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  as in AssemblyEnv

    def __init__(
        self, env: AssemblyEnv, guide: Guide, reward: ResidualReward | None = None
    ) -> None:
        """Put a script into an environment.

        Args:
            env: The task; it is closed with this one.
            guide: The script.
            reward: What is rewarded.
        """
        self.layouts: Callable[[np.random.Generator], Layout] | None = None
        self.env = env
        self.guide = guide
        self.reward = reward or ResidualReward()
        arms = len(guide.arms)
        sizes = {"policy": guide.size, "critic": PRIVILEGED_SIZE}
        if guide.sensed_size > guide.size:
            sizes["sensed"] = guide.sensed_size
        self.observation_space = spaces.Dict(  # type: ignore[assignment]  # as in AssemblyEnv
            {
                key: spaces.Box(-_BOUND, _BOUND, (arms * size,), np.float32)
                for key, size in sizes.items()
            }
        )
        self.action_space = spaces.Box(-1.0, 1.0, (arms * guide.correction_size,), np.float32)
        self._seen: Float32 = np.zeros((arms, guide.size), np.float32)
        self._outcome: Outcome | None = None
        self._last: Observation = {}
        # What is told of the end of an episode that was over before anything could be corrected.
        self._over: dict[str, Any] | None = None
        self._force_limit = 0.0
        self._learning = True
        self._hardest = 0.0
        self._idle_s = 0.0
        self._periods = 0

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a layout and walk the script to where it can first be corrected.

        Args:
            seed: The episode that `AssemblyEnv` has for this seed, which also seeds what follows;
                without one, an episode of a seed below 900000. If it is over before anything can
                be corrected, the first step says so, whatever its action.
            options: As of `AssemblyEnv`; and `force_limit_n`, in N, instead of a drawn one;
                `learning`, whether all is corrected that can be, true unless said, or what a policy
                that was trained is trusted with; and `draw`, with which the seed decides what is
                drawn, also this episode.

        Raises:
            ConfigError: If ten episodes that were drawn ended before anything could be corrected.
            EpisodeSetupError, SafetyStop, NoSolution: If one that was asked for cannot begin, or
                none of ten that were drawn.
        """
        super().reset(seed=seed)
        if seed is not None:
            self.np_random = np.random.default_rng((seed, _OWN_DRAWS))
        options = dict(options or {})
        limit = options.pop("force_limit_n", None)
        self._learning = bool(options.pop("learning", True))
        draw = bool(options.pop("draw", False))
        if seed is not None and not draw:
            return self._begin(seed, options, limit)
        failed: list[Exception] = []
        for _ in range(_DRAWS):
            episode, given = int(self.np_random.integers(TRAINING_SEEDS)), options
            if self.layouts is not None and not given:
                given = {"layout": self.layouts(np.random.default_rng(episode))}
            try:
                first = self._begin(episode, given, limit)
            except NOT_BEGUN as error:
                # Nothing is learned from it, and the next one may be drawn as well.
                logger.warning("drawn again, since the episode did not begin: %s", error)
                failed.append(error)
                continue
            if self._over is None:
                return first
        if len(failed) == _DRAWS:
            raise failed[-1]
        raise ConfigError(
            f"residual.authority.motions: {_DRAWS} episodes in a row ended before the script was "
            "in one of them; name others, or make the task easier"
        )

    def _begin(
        self, episode: int, options: dict[str, Any], limit: float | None
    ) -> tuple[Observation, dict[str, Any]]:
        """Walk an episode to where it can first be corrected, or to its end."""
        observation, info = self.env.reset(seed=episode, options=options)
        drawn = float(self.np_random.uniform(*self.reward.force_limit_n))
        self._force_limit = drawn if limit is None else float(limit)
        self._hardest, self._periods = 0.0, 0
        self.guide.begin(self.env, episode, self._force_limit, self._learning)
        self._idle_s = 0.0
        self._outcome, self._last, self._over = info["outcome"], observation, None
        self._seen = self.guide.look(observation)
        while self._over is None and not self._correctable:
            _, terminated, ended = self._pass(np.zeros_like(self._zero))
            self._over = ended if terminated else None
        return self._observe(), {**info, "outcome": self._outcome, "seed": episode}

    @override
    def step(self, action: Float32) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Correct the script for one policy period, and walk on to the next in which it can be.

        Args:
            action: Shape (arms * correction_size,).

        Raises:
            RuntimeError: If the environment was not reset.
            ValueError: If the action has another shape or is not finite.
        """
        if self._outcome is None:
            raise RuntimeError("ResidualEnv.step() before reset()")
        numbers = np.asarray(action, dtype=np.float32)
        if numbers.shape != self.action_space.shape or not np.isfinite(numbers).all():
            raise ValueError(
                f"action: expected {self.action_space.shape} finite numbers, got {numbers}"
            )
        if self._over is not None:
            nothing = np.zeros(len(self.guide.arms))
            told = self._told({}, nothing, nothing > 0.0) | self._over
            return self._observe(), 0.0, True, False, told
        correction = np.clip(numbers.reshape(self._zero.shape), -1.0, 1.0)
        before, walked = self._outcome, self.guide.walked()
        self._hardest = 0.0
        corrected = self._corrected
        terms, terminated, ended = self._pass(correction)
        while not (terminated or self._correctable):
            more, terminated, ended = self._pass(np.zeros_like(correction))
            terms = {name: value + more[name] for name, value in terms.items()}
        after: Outcome = self._outcome
        terms |= self.reward.of_correction(corrected, correction)
        terms |= self.reward.shaping(before, after, walked, self.guide.walked(), terminated)
        by_arm = np.sum(list(terms.values()), axis=0)
        told = self._told(terms, by_arm, corrected) | ended
        return self._observe(), float(by_arm.sum()), terminated, False, told

    def _told(self, terms: Terms, by_arm: Array, corrected: NDArray[np.bool_]) -> dict[str, Any]:
        """Return what is told of a step besides its reward."""
        return {
            "reward_terms": {name: float(value.sum()) for name, value in terms.items()},
            "reward_by_arm": by_arm,
            "corrected_by_arm": corrected,
            "force_n": self._hardest,
            # Counted, not read: the difference of two clock times is not the same to the bit.
            "elapsed_s": self._periods * self.env.dt,
        }

    @override
    def close(self) -> None:
        """End what the environment was built on; it can be closed twice."""
        self.env.close()
        super().close()

    @property
    def _correctable(self) -> bool:
        return bool(self._corrected.any())

    @property
    def _corrected(self) -> NDArray[np.bool_]:
        return np.array([goal is not None for goal in self.guide.goals()])

    @property
    def _zero(self) -> Float32:
        return np.zeros((len(self.guide.arms), self.guide.correction_size), np.float32)

    def _pass(self, correction: Float32) -> tuple[Terms, bool, dict[str, Any]]:
        """Let one policy period pass; return each arm's terms, whether it ended, and how."""
        corrected = self._corrected
        observation, _, terminated, truncated, info = self.env.step(self.guide.act(correction))
        self._last = observation
        self._periods += 1
        outcome: Outcome = info["outcome"]
        self._outcome = outcome
        failure = outcome.failure
        if truncated:
            terminated, failure = True, "time_out"
        if not terminated and self.guide.finished:
            self._idle_s += self.env.dt
            if self._idle_s > CONFIRM_TIME:
                terminated, failure = True, "gave_up"
        if not terminated:
            self._seen = self.guide.look(observation)
        forces = [self._force(arm) for arm in self.guide.arms]
        self._hardest = max(self._hardest, *forces)
        shares = [force / self._force_limit for force in forces]
        under_way, failed = self.guide.walked() < 1.0, failure is not None
        terms = self.reward.of_period(outcome, failed, under_way, corrected, shares, self.env.dt)
        ended = {"outcome": outcome, "is_success": outcome.success, "failure": failure}
        return terms, terminated, ended

    def _force(self, arm: str) -> float:
        """Return how hard a wrist is pushed, in N, as the observation has it."""
        wrench = self._last.get(f"{arm}_wrench_tool")
        return 0.0 if wrench is None else float(np.linalg.norm(wrench[:3]))

    def _observe(self) -> Observation:
        assert self._outcome is not None  # reset() has set it
        seen = {"policy": self._seen.ravel().astype(np.float64), "critic": self._privileged()}
        if self.guide.sensed_size > self.guide.size:
            seen["sensed"] = self.guide.sensed().ravel().astype(np.float64)
        return {key: clipped(v, -_BOUND, _BOUND).astype(np.float32) for key, v in seen.items()}

    def _privileged(self) -> Array:
        assert self._outcome is not None  # reset() has set it
        env, progress = self.env, self._outcome.progress
        left = 1.0 - env.elapsed / env.task.time_limit
        parts = env.scene.pose_world_parts()
        tools = [_tool(self._last, arm) for arm in self.guide.arms]
        return np.concatenate(
            [
                privileged(env.task.parts, parts, goal, tool, progress, left)
                for goal, tool in zip(self.guide.goals(), tools, strict=True)
            ]
        )


def _tool(observation: Observation, arm: str) -> Pose:
    keys = (f"{arm}_position_world_tool", f"{arm}_quaternion_world_tool")
    position, quaternion = (observation[key].astype(np.float64) for key in keys)
    return Pose(position, quaternion)
