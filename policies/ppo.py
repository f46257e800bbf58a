"""PPO of Stable-Baselines3, cut into pieces that can be written down and gone on with exactly.

Training is a sequence of segments. Each begins with environments that are reset and generators
that are seeded from the number of the segment, so that all there is to know between two segments
are arrays and a few numbers: a run that was killed and goes on learns to the bit what it would have
learned. (Schulman et al., "Proximal Policy Optimization Algorithms", 2017, arXiv 1707.06347.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, VecNormalize
from typing_extensions import override

from policies.network import Mlp
from policies.sb3_arms import ArmsVecEnv
from policies.sb3_export import mlp_of
from policies.sb3_policies import AsymmetricPolicy

# Over how many of the last episodes the shown averages go.
_RECENT = 100


@dataclass(frozen=True)
class PpoConfig:
    """How it learns.

    Attributes:
        learning_rate: Of Adam.
        rollout: Steps of each environment between two updates.
        batch: Transitions in a minibatch.
        epochs: How often an update goes through what was collected.
        gamma: Discount per step; the potentials of the reward are shaped with it too.
        gae_lambda: Of the advantage estimate.
        clip: Largest change of a probability that is still rewarded.
        entropy: Weight of the entropy in the loss.
        value: Weight of the critic's error in the loss.
        gradient_norm: Gradients are scaled down to it.
        target_kl: An update ends early beyond 1.5 times this; never if None.
        hidden: Widths of the hidden layers of actor and critic.
        log_std: Logarithm of the first standard deviation of the actions: small, because what is
            corrected already works.
    """

    learning_rate: float = 3e-4
    rollout: int = 128
    batch: int = 64
    epochs: int = 10
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.0
    value: float = 0.5
    gradient_norm: float = 0.5
    target_kl: float | None = None
    hidden: tuple[int, ...] = (128, 128)
    log_std: float = -1.5

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned with."""
        for name in ("learning_rate", "clip", "gradient_norm"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        for name, least in (("rollout", 2), ("batch", 2), ("epochs", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected {least} or more, got {getattr(self, name)}")
        for name in ("entropy", "value"):
            if getattr(self, name) < 0.0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        for name in ("gamma", "gae_lambda"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected more than 0, at most 1, got {self.gamma}")
        if self.target_kl is not None and not self.target_kl > 0.0:
            raise ValueError(f"target_kl: expected more than 0 or null, got {self.target_kl}")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"hidden: expected widths of 1 or more, got {list(self.hidden)}")


@dataclass(frozen=True)
class Update:
    """How things stand after one update; averages are over the last 100 episodes.

    Attributes:
        steps: Of all environments together, since the beginning.
        episodes: That have ended, since the beginning.
        mean_return: Undiscounted, not normalized; None before the first episode has ended.
        success_rate: Share of the episodes in which the job was done; None likewise.
        mean_length: In steps; None likewise.
        policy_loss: Of the last update.
        value_loss: Of the last update.
        entropy_loss: Of the last update.
        approx_kl: How far the last update moved the policy.
        std: Mean standard deviation of the actions.
    """

    steps: int
    episodes: int
    mean_return: float | None
    success_rate: float | None
    mean_length: float | None
    policy_loss: float
    value_loss: float
    entropy_loss: float
    approx_kl: float
    std: float


@dataclass(frozen=True)
class LearnerState:
    """All that a learner is between two segments.

    Attributes:
        tensors: Weights, optimizer and statistics, by name.
        counters: Numbers and lists of numbers, as JSON can hold them.
    """

    tensors: Mapping[str, NDArray[Any]]
    counters: Mapping[str, Any]


class PpoLearner:
    """One network for all arms, and its critic, which knows where the parts are."""

    def __init__(self, config: PpoConfig, environments: VecEnv, arms: int, seed: int) -> None:
        """Build the networks.

        Args:
            config: How it learns.
            environments: With the observation and the `info` of `ArmsVecEnv`.
            arms: How many arms each corrects.
            seed: Of the weights and of every draw.

        Raises:
            ValueError: If the last minibatch of an update would hold a single transition.
        """
        collected = config.rollout * environments.num_envs * arms
        if collected % config.batch == 1:
            raise ValueError(
                f"batch: {config.batch} leaves a single one of the {collected} transitions of an "
                "update over, from which no advantage can be normalized; choose another"
            )
        torch.set_num_threads(1)
        self._environments = environments
        self._arms = arms
        self._seed = seed
        monitored = ArmsVecEnv(VecMonitor(environments), arms)
        self._normalized = VecNormalize(monitored, gamma=config.gamma)
        self._model = PPO(
            AsymmetricPolicy,
            self._normalized,
            learning_rate=config.learning_rate,
            n_steps=config.rollout,
            batch_size=min(config.batch, collected),
            n_epochs=config.epochs,
            gamma=config.gamma,
            gae_lambda=config.gae_lambda,
            clip_range=config.clip,
            ent_coef=config.entropy,
            vf_coef=config.value,
            max_grad_norm=config.gradient_norm,
            target_kl=config.target_kl,
            policy_kwargs={"net_arch": list(config.hidden), "log_std_init": config.log_std},
            seed=seed,
            device="cpu",
        )
        self._model.set_logger(Logger(None, []))
        self._episodes = _Episodes(arms)
        self._collected = collected

    def begin(self, segment: int, first_seed: int) -> None:
        """Begin a segment: what comes depends on nothing before it but the state.

        Args:
            segment: Its number.
            first_seed: Of the first environment's first episode; each of the others has the next.
        """
        drawn = np.random.SeedSequence((self._seed, segment)).generate_state(1)
        # Of torch, which draws actions, and of numpy's global generator, which shuffles minibatches.
        set_random_seed(int(drawn[0]))
        self._environments.seed(first_seed)
        # Makes the model reset its environments before the next step.
        self._model._last_obs = None

    def update(self) -> Update:
        """Collect, and learn from it once."""
        # Without an interval the log is not emptied, and what the update says of itself stays.
        self._model.learn(
            self._collected, self._episodes, log_interval=None, reset_num_timesteps=False
        )
        said, recent = self._model.logger.name_to_value, np.array(self._episodes.recent)
        returns, lengths, successes = recent.mean(0).tolist() if len(recent) else (None,) * 3
        return Update(
            steps=self.steps,
            episodes=self._episodes.count,
            mean_return=returns,
            success_rate=successes,
            mean_length=lengths,
            policy_loss=float(said["train/policy_gradient_loss"]),
            value_loss=float(said["train/value_loss"]),
            entropy_loss=float(said["train/entropy_loss"]),
            approx_kl=float(said["train/approx_kl"]),
            std=float(said["train/std"]),
        )

    @property
    def steps(self) -> int:
        """Steps of all environments together."""
        return int(self._model.num_timesteps) // self._arms

    def network(self) -> Mlp:
        """Return what the actor does when it does not explore."""
        return mlp_of(self._model, self._normalized)

    def state(self) -> LearnerState:
        """Return all there is to know between two segments."""
        weights = self._model.policy.state_dict().items()
        tensors = {f"policy.{name}": _array(value) for name, value in weights}
        for index, moments in self._model.policy.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": _array(value) for name, value in moments.items()}
        for name, statistics in self._statistics().items():
            tensors[f"{name}.mean"] = np.array(statistics.mean)
            tensors[f"{name}.var"] = np.array(statistics.var)
            tensors[f"{name}.count"] = np.array(statistics.count)
        counters = {
            "transitions": int(self._model.num_timesteps),
            "epochs": int(self._model._n_updates),
            "episodes": self._episodes.count,
            "recent": [list(episode) for episode in self._episodes.recent],
        }
        return LearnerState(tensors, counters)

    def restore(self, state: LearnerState) -> None:
        """Become what another learner was.

        Args:
            state: Of a learner with the same configuration.

        Raises:
            ValueError: If something is missing, or has another shape.
        """
        own, given = self.state(), state.tensors
        for name, value in own.tensors.items():
            if name not in given or given[name].shape != value.shape:
                found = given[name].shape if name in given else "nothing"
                raise ValueError(f"{name}: expected an array of {value.shape}, found {found}")
        policy = self._model.policy
        policy.load_state_dict(
            {name: torch.tensor(given[f"policy.{name}"]) for name in policy.state_dict()}
        )
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in given.items():
            kind, _, rest = name.partition(".")
            if kind == "adam":
                index, _, moment = rest.partition(".")
                moments.setdefault(int(index), {})[moment] = torch.tensor(value)
        policy.optimizer.load_state_dict({**policy.optimizer.state_dict(), "state": moments})
        for name, statistics in self._statistics().items():
            statistics.mean = given[f"{name}.mean"].copy()
            statistics.var = given[f"{name}.var"].copy()
            statistics.count = float(given[f"{name}.count"])
        self._model.num_timesteps = int(state.counters["transitions"])
        self._model._n_updates = int(state.counters["epochs"])
        self._episodes.count = int(state.counters["episodes"])
        self._episodes.recent.extend(tuple(episode) for episode in state.counters["recent"])

    def _statistics(self) -> dict[str, Any]:
        """Return the running statistics of observations and returns, by name."""
        seen = self._normalized.obs_rms
        return {**{f"seen.{key}": seen[key] for key in seen}, "returns": self._normalized.ret_rms}


class _Episodes(BaseCallback):
    """Remembers how the last episodes went; all arms of an environment end theirs at once."""

    def __init__(self, arms: int) -> None:
        super().__init__()
        self._arms = arms
        self.count = 0
        self.recent: deque[tuple[float, float, float]] = deque(maxlen=_RECENT)

    @override
    def _on_step(self) -> bool:
        for info in self.locals["infos"][:: self._arms]:
            if "episode" in info:
                ended = info["episode"]
                self.count += 1
                self.recent.append((ended["r"], ended["l"], float(info["is_success"])))
        return True


def _array(value: torch.Tensor) -> NDArray[Any]:
    array: NDArray[Any] = value.detach().cpu().numpy().copy()
    return array
