"""PPO of Stable-Baselines3, from chunks of experience.

Schulman et al., "Proximal Policy Optimization Algorithms", 2017, arXiv 1707.06347.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import DictRolloutBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import DictRolloutBufferSamples
from stable_baselines3.common.utils import explained_variance, set_random_seed
from typing_extensions import override

from policies.decisions import advantages
from policies.learner import (
    Learner,
    LearnerState,
    Scale,
    Sizes,
    generator_seed,
    refuse_no_layers,
    refuse_other_tensors,
    refuse_persistence,
)
from policies.network import Mlp
from policies.rollout import Chunk, Explorer, Float32
from policies.sb3_export import actor_modules, folded, network_of
from policies.sb3_model import (
    Elsewhere,
    adam_tensors,
    array,
    module_tensors,
    restore_adam,
    restore_module,
    vector_space,
)
from policies.sb3_policies import AsymmetricPolicy


@dataclass(frozen=True)
class PpoConfig:
    """How it learns.

    Attributes:
        learning_rate: Of Adam.
        rollout: Steps of each environment between two updates.
        batch: Transitions in a minibatch, about.
        epochs: How often an update goes through what was collected.
        gae_lambda: Of the advantage estimate.
        clip: Largest change of a probability that is still rewarded.
        entropy: Weight of the entropy in the loss.
        value: Weight of the critic's error in the loss.
        gradient_norm: Gradients are scaled down to it.
        target_kl: An update ends early beyond 1.5 times this; never if None.
        hidden: Widths of the hidden layers of the actor.
        critic_hidden: Of the critic.
        log_std: Logarithm of the first standard deviation of the actions: small, because what is
            corrected already works.
        persistence: Of the noise of the actions from step to step, see `policies.rollout.Explorer`.
    """

    learning_rate: float = 3e-4
    rollout: int = 512
    batch: int = 128
    epochs: int = 8
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy: float = 0.0
    value: float = 0.5
    gradient_norm: float = 0.5
    target_kl: float | None = 0.02
    hidden: tuple[int, ...] = (128, 128)
    critic_hidden: tuple[int, ...] = (128, 128)
    log_std: float = -1.2
    persistence: float = 0.8

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
        refuse_persistence(self.persistence)
        if not 0.0 < self.gae_lambda <= 1.0:
            raise ValueError(f"gae_lambda: expected more than 0, at most 1, got {self.gae_lambda}")
        if self.target_kl is not None and not self.target_kl > 0.0:
            raise ValueError(f"target_kl: expected more than 0 or null, got {self.target_kl}")
        refuse_no_layers(self.hidden)
        refuse_no_layers(self.critic_hidden)


class PpoLearner(Learner):
    """PPO; an arm learns from its decisions alone, see `policies.decisions`."""

    def __init__(self, config: PpoConfig, sizes: Sizes, discount: float, seed: int) -> None:
        """Build the networks.

        Args:
            config: How it learns.
            sizes: What there is to see and to do.
            discount: Per step; the potentials of the reward are shaped with it too.
            seed: Of the weights and of every draw.
        """
        torch.set_num_threads(1)
        self.steps = config.rollout
        self._sizes = sizes
        self._seed = seed
        self._discount = discount
        self._trace = config.gae_lambda
        self._persistence = config.persistence
        self._seen = Scale(sizes.observation)
        # Of the discounted sums of rewards: the critic's errors should be of the size of one.
        self._returns = Scale({"sum": 1})
        self._sums = np.zeros(sizes.lanes)
        vectors: dict[str, spaces.Space[Any]] = {
            key: vector_space(size) for key, size in sizes.observation.items()
        }
        self._model = PPO(
            AsymmetricPolicy,
            Elsewhere(sizes.lanes, spaces.Dict(vectors), sizes.action),
            learning_rate=config.learning_rate,
            n_steps=config.rollout,
            # The real one is set below: how many transitions there are is known only then.
            batch_size=config.rollout * sizes.lanes,
            n_epochs=config.epochs,
            gamma=discount,
            gae_lambda=config.gae_lambda,
            clip_range=config.clip,
            ent_coef=config.entropy,
            vf_coef=config.value,
            max_grad_norm=config.gradient_norm,
            target_kl=config.target_kl,
            rollout_buffer_class=_DecisionsOnly,
            policy_kwargs={
                "net_arch": {"pi": list(config.hidden), "vf": list(config.critic_hidden)},
                "log_std_init": config.log_std,
            },
            seed=seed,
            device="cpu",
        )
        self._model.batch_size = config.batch
        self._model.set_logger(Logger(None, []))

    @override
    def begin(self, segment: int) -> None:
        # Of numpy's global generator, which shuffles minibatches, and torch's.
        set_random_seed(generator_seed(self._seed, segment))
        self._sums = np.zeros(self._sizes.lanes)

    @property
    @override
    def explorer(self) -> Explorer:
        layers, activation = folded(actor_modules(self._model.policy)[0])
        weight, bias = layers[-1]
        # The standard deviations are the same wherever it is: rows of zeros, and a bias.
        log_std = array(self._model.policy.log_std)
        both = (np.vstack([weight, np.zeros_like(weight)]), np.concatenate([bias, log_std]))
        scale = self._seen.normalization("policy")
        network = network_of([*layers[:-1], both], activation, scale, False)
        return Explorer(network, squashed=False, persistence=self._persistence)

    @override
    def update(self, chunks: Sequence[Chunk]) -> Mapping[str, float]:
        rewards = self._scaled_rewards(chunks)
        first = not self._seen.known
        if first:
            # Before anything is known of the scale, all would be fitted to another one than will be
            # used. What the explorer did hardly depended on it yet: its last layer begins small.
            self._seen.add_decisions(chunks)
        explained = self._fill(chunks, rewards)
        if not first:
            # What is seen is scaled in the rollout as the explorer did it, and anew after it.
            self._seen.add_decisions(chunks)
        said: Mapping[str, float] = {}
        if self._buffer.usable.any():
            self._model.train()
            said = self._model.logger.name_to_value
        return {"explained_variance": explained} | {
            name: float(said.get(f"train/{told}", 0.0))
            for name, told in (
                ("policy_loss", "policy_gradient_loss"),
                ("value_loss", "value_loss"),
                ("approx_kl", "approx_kl"),
                ("std", "std"),
            )
        }

    def _scaled_rewards(self, chunks: Sequence[Chunk]) -> list[Float32]:
        """Return rewards by chunk over the standard deviation of their discounted sums."""
        arms, sums = self._sizes.arms, []
        for i, chunk in enumerate(chunks):
            own = self._sums[i * arms : (i + 1) * arms]
            ended = chunk.terminated | chunk.truncated
            for reward, end in zip(chunk.rewards, ended, strict=True):
                own = own * self._discount + reward
                sums.append(own)
                own = own * (not end)
            self._sums[i * arms : (i + 1) * arms] = own
        self._returns.add({"sum": np.concatenate(sums)[:, None]})
        size = self._returns.normalization("sum").std[0]
        return [np.asarray(chunk.rewards / size, dtype=np.float32) for chunk in chunks]

    def _fill(self, chunks: Sequence[Chunk], rewards: Sequence[Float32]) -> float:
        """Lay the chunks side by side in the model's buffer, with what the critic makes of them.

        Returns:
            The share of the variance of the decisions' returns that the critic had foreseen.
        """
        buffer = self._buffer
        buffer.reset()
        # (T, A, size) of each of E chunks -> (T, E * A, size)
        seen = self._seen.scaled(_beside([chunk.seen for chunk in chunks]))
        after = self._seen.scaled(_beside([chunk.after for chunk in chunks]))
        actions = np.concatenate([chunk.actions for chunk in chunks], axis=1)
        corrected = np.concatenate([chunk.corrected for chunk in chunks], axis=1)
        arms = self._sizes.arms
        ended = _by_lane([chunk.terminated | chunk.truncated for chunk in chunks], arms)
        cut = _by_lane([chunk.truncated for chunk in chunks], arms)
        # An episode that was cut off would have gone on.
        paid = np.concatenate(rewards, axis=1) + self._discount * self._values(after) * cut
        starts = np.zeros(ended.shape[1], np.float32)
        policy = self._model.policy
        policy.set_training_mode(False)
        for t in range(len(actions)):
            here = {key: torch.from_numpy(value[t]) for key, value in seen.items()}
            with torch.no_grad():
                values, log_prob, _ = policy.evaluate_actions(here, torch.from_numpy(actions[t]))
            buffer.add(
                {key: value[t] for key, value in seen.items()},
                actions[t],
                paid[t],
                starts,
                values,
                log_prob,
            )
        buffer.advantages, buffer.usable = advantages(
            paid, buffer.values, corrected, ended, self._discount, self._trace
        )
        buffer.returns = buffer.advantages + buffer.values
        usable = buffer.usable
        if usable.sum() < 2:
            return 0.0
        return float(explained_variance(buffer.values[usable], buffer.returns[usable]))

    @property
    def _buffer(self) -> _DecisionsOnly:
        buffer = self._model.rollout_buffer
        assert isinstance(buffer, _DecisionsOnly)  # as the model was told
        return buffer

    def _values(self, seen: Mapping[str, Float32]) -> Float32:
        """Return what the critic expects. Shape (T, lanes)."""
        with torch.no_grad():
            rows = {
                key: torch.from_numpy(value.reshape(-1, value.shape[-1]))
                for key, value in seen.items()
            }
            values = self._model.policy.predict_values(rows)
        return array(values).reshape(-1, self._sizes.lanes)

    @override
    def network(self) -> Mlp:
        layers, activation = folded(actor_modules(self._model.policy)[0])
        return network_of(layers, activation, self._seen.normalization("policy"), False)

    @override
    def state(self) -> LearnerState:
        policy = self._model.policy
        return LearnerState(
            tensors={
                **module_tensors("policy", policy),
                **adam_tensors("adam", policy.optimizer),
                **self._seen.tensors("seen"),
                **self._returns.tensors("returns"),
            },
            counters={"epochs": int(self._model._n_updates)},
        )

    @override
    def restore(self, state: LearnerState) -> None:
        refuse_other_tensors(self.state().tensors, state.tensors)
        policy = self._model.policy
        restore_module("policy", policy, state.tensors)
        restore_adam("adam", policy.optimizer, state.tensors)
        self._seen.restore("seen", state.tensors)
        self._returns.restore("returns", state.tensors)
        self._model._n_updates = state.counters["epochs"]


class _DecisionsOnly(DictRolloutBuffer):
    """Gives out nothing but decisions of which is known what came of them.

    Attributes:
        usable: Which those are. Shape (T, lanes).
    """

    usable: NDArray[np.bool_]

    @override
    def get(  # type: ignore[override]  # as the base, which says so too
        self, batch_size: int | None = None
    ) -> Generator[DictRolloutBufferSamples, None, None]:
        # As the base lays its arrays out, lane by lane.
        usable = np.flatnonzero(self.swap_and_flatten(self.usable[:, :, None]))
        if not self.generator_ready:
            for key, value in self.observations.items():
                self.observations[key] = self.swap_and_flatten(value)
            for name in ("actions", "values", "log_probs", "advantages", "returns"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.generator_ready = True
        order = np.random.permutation(usable)  # noqa: NPY002  seeded by begin()
        # Of equal size, not a few that are left over at the end.
        for rows in np.array_split(order, max(1, round(len(order) / (batch_size or len(order))))):
            yield self._get_samples(rows)


def _beside(seen: Sequence[Mapping[str, Float32]]) -> dict[str, Float32]:
    return {key: np.concatenate([one[key] for one in seen], axis=1) for key in seen[0]}


def _by_lane(flags: Sequence[NDArray[np.bool_]], arms: int) -> NDArray[np.bool_]:
    # (T,) of each of E chunks -> (T, E * arms)
    return np.repeat(np.stack(flags, axis=1), arms, axis=1)
