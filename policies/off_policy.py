"""SAC and CrossQ of Stable-Baselines3, from chunks of experience.

They learn from fewer steps than PPO and spend more time on each. Haarnoja et al., "Soft
Actor-Critic", 2018, arXiv 1801.01290; Bhatt et al., "CrossQ", 2024, arXiv 1902.05605.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.sac.policies import SACPolicy
from torch import nn
from typing_extensions import override

from policies.decisions import Decisions
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
from policies.rollout import Chunk, Explorer, Float32, Seen
from policies.sb3_export import Layer, actor_modules, folded, network_of
from policies.sb3_model import (
    Elsewhere,
    adam_tensors,
    array,
    module_tensors,
    restore_adam,
    restore_module,
    vector_space,
)
from policies.sb3_policies import FirstEntries, seeing_all
from robot.errors import ConfigError

_OPTIMIZERS = ("actor", "critic")
# Arrays of the replay memory.
_REMEMBERED = (
    *("observations", "next_observations", "actions", "rewards", "dones", "timeouts"),
    "discounts",
)


@dataclass(frozen=True)
class OffPolicyConfig:
    """How they learn.

    Attributes:
        learning_rate: Of Adam, for actor, critic and the weight of the entropy.
        rollout: Steps of each environment between two updates.
        updates_per_step: Gradient steps for each decision of an arm, see `policies.decisions`.
        batch: Transitions in a minibatch.
        memory: Transitions that are remembered.
        warm_up: Transitions that are collected before the first update.
        hidden: Widths of the hidden layers of actor and critics.
        log_std: Logarithm of the first standard deviation of the actions, before they are
            squashed: small, because what is corrected already works.
        entropy: First weight of the entropy, which is learned.
        persistence: Of the noise of the actions from step to step, see `policies.rollout.Explorer`.
    """

    learning_rate: float = 3e-4
    rollout: int = 64
    updates_per_step: float = 0.5
    batch: int = 256
    memory: int = 100_000
    warm_up: int = 1_000
    hidden: tuple[int, ...] = (256, 256)
    log_std: float = -1.5
    entropy: float = 0.01
    persistence: float = 0.8

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned with."""
        for name in ("learning_rate", "updates_per_step", "entropy"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        for name, least in (("rollout", 1), ("batch", 2), ("warm_up", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected {least} or more, got {getattr(self, name)}")
        refuse_persistence(self.persistence)
        if self.memory < self.batch:
            raise ValueError(f"memory: expected batch = {self.batch} or more, got {self.memory}")
        refuse_no_layers(self.hidden)


class OffPolicyLearner(Learner):
    """SAC or CrossQ; the actor sees the first entries of what the critics see.

    An arm learns from its decisions alone, see `policies.decisions`.
    """

    def __init__(
        self, algorithm: str, config: OffPolicyConfig, sizes: Sizes, discount: float, seed: int
    ) -> None:
        """Build the networks.

        Args:
            algorithm: `sac` or `crossq`.
            config: How it learns.
            sizes: What there is to see and to do.
            discount: Per step; the potentials of the reward are shaped with it too.
            seed: Of the weights and of every draw.

        Raises:
            ConfigError: If sb3-contrib, which has CrossQ, is not installed.
        """
        torch.set_num_threads(1)
        self.steps = config.rollout
        self._config = config
        self._sizes = sizes
        self._seed = seed
        self._scale = Scale(sizes.observation)
        # CrossQ takes no dictionaries: what the actor sees comes first, the rest is the critics'.
        self._keys = ("policy", *(key for key in sizes.observation if key != "policy"))
        kind, policy = _classes(algorithm)
        self._model = kind(
            policy,
            Elsewhere(1, vector_space(sum(sizes.observation.values())), sizes.action),
            learning_rate=config.learning_rate,
            buffer_size=config.memory,
            replay_buffer_class=_Memory,
            batch_size=config.batch,
            gamma=discount,
            ent_coef=f"auto_{config.entropy}",
            policy_kwargs={
                "net_arch": list(config.hidden),
                "features_extractor_class": FirstEntries,
                "features_extractor_kwargs": {"size": sizes.observation["policy"]},
            },
            seed=seed,
            device="cpu",
        )
        self._model.set_logger(Logger(None, []))
        self._memory.scaled = self._scaled
        self._decisions = Decisions(discount)
        self._collected = 0
        _begin_small(self._model.actor, config.log_std)

    @override
    def begin(self, segment: int) -> None:
        set_random_seed(generator_seed(self._seed, segment))
        self._decisions.forget()

    @property
    @override
    def explorer(self) -> Explorer:
        layers, activation, last = self._actor()
        actor = self._model.actor
        log_std = folded([*actor.latent_pi, actor.log_std])[0][-1]
        both = (np.vstack([last[0], log_std[0]]), np.concatenate([last[1], log_std[1]]))
        scale = self._scale.normalization("policy")
        network = network_of([*layers, both], activation, scale, True)
        return Explorer(network, squashed=True, persistence=self._config.persistence)

    def _actor(self) -> tuple[list[Layer], Any, Layer]:
        """Return hidden layers, activation and last layer of the means."""
        layers, activation = folded(actor_modules(self._model.policy)[0])
        return layers[:-1], activation, layers[-1]

    @override
    def update(self, chunks: Sequence[Chunk]) -> Mapping[str, float]:
        self._scale.add_decisions(chunks)
        transitions = sum(self._remember(i, chunk) for i, chunk in enumerate(chunks))
        self._collected += transitions
        if self._collected < max(self._config.warm_up, self._config.batch):
            return {"actor_loss": 0.0, "critic_loss": 0.0, "entropy_weight": self._config.entropy}
        updates = max(1, round(self._config.updates_per_step * transitions))
        self._model.train(updates, self._config.batch)
        said = self._model.logger.name_to_value
        # CrossQ moves its actor every third time only.
        return {
            "actor_loss": float(said.get("train/actor_loss", 0.0)),
            "critic_loss": float(said["train/critic_loss"]),
            "entropy_weight": float(said["train/ent_coef"]),
        }

    def _remember(self, environment: int, chunk: Chunk) -> int:
        """Put what came of the arms' decisions into the memory; return of how many."""
        memory, count = self._memory, 0
        for one in self._decisions.of(environment, chunk):
            memory.discounts[memory.pos] = one.discount
            memory.add(
                self._flat(one.seen),
                self._flat(one.after),
                one.action,
                np.array(one.reward, np.float32),
                np.array(one.ended, np.float32),
                [{"TimeLimit.truncated": one.truncated}],
            )
            count += 1
        return count

    def _scaled(self, rows: Float32) -> Float32:
        """Return drawn rows as the networks are given them."""
        cuts = np.cumsum([self._sizes.observation[key] for key in self._keys])[:-1]
        parts = dict(zip(self._keys, np.split(rows, cuts, axis=-1), strict=True))
        return self._flat(self._scale.scaled(parts))

    def _flat(self, seen: Seen) -> Float32:
        return np.concatenate([seen[key] for key in self._keys], axis=-1)

    @property
    def _memory(self) -> _Memory:
        memory = self._model.replay_buffer
        assert isinstance(memory, _Memory)  # as the model was told
        return memory

    @override
    def network(self) -> Mlp:
        layers, activation, last = self._actor()
        return network_of(
            [*layers, last], activation, self._scale.normalization("policy"), squashed=True
        )

    @override
    def state(self) -> LearnerState:
        model, memory = self._model, self._memory
        filled = memory.size()
        tensors = {
            **module_tensors("policy", model.policy),
            "entropy": array(model.log_ent_coef),
            **adam_tensors("adam.entropy", model.ent_coef_optimizer),
            **self._scale.tensors("seen"),
            **{f"memory.{name}": getattr(memory, name)[:filled].copy() for name in _REMEMBERED},
        }
        for name in _OPTIMIZERS:
            tensors |= adam_tensors(f"adam.{name}", getattr(model, name).optimizer)
        return LearnerState(
            tensors,
            {
                "updates": int(model._n_updates),
                "collected": self._collected,
                "next": memory.pos,
                "full": int(memory.full),
            },
        )

    @override
    def restore(self, state: LearnerState) -> None:
        model, memory, given = self._model, self._memory, state.tensors
        own = {n: v for n, v in self.state().tensors.items() if not n.startswith("memory.")}
        refuse_other_tensors(own, given)
        restore_module("policy", model.policy, given)
        with torch.no_grad():
            model.log_ent_coef.copy_(torch.tensor(given["entropy"]))
        restore_adam("adam.entropy", model.ent_coef_optimizer, given)
        for name in _OPTIMIZERS:
            restore_adam(f"adam.{name}", getattr(model, name).optimizer, given)
        self._scale.restore("seen", given)
        filled = len(given["memory.rewards"])
        for name in _REMEMBERED:
            getattr(memory, name)[:filled] = given[f"memory.{name}"]
        memory.pos, memory.full = state.counters["next"], bool(state.counters["full"])
        model._n_updates = state.counters["updates"]
        self._collected = state.counters["collected"]


class _Memory(ReplayBuffer):
    """Scales what was seen when it is drawn, as is known by then, and knows of idle times.

    Attributes:
        scaled: Does so. Shapes (N, size).
        discounts: Of what comes after each transition. Shape (size of the memory, 1).
    """

    scaled: Callable[[Float32], Float32]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.discounts = np.zeros_like(self.rewards)

    @override
    def _get_samples(self, batch_inds: NDArray[np.int_], env: Any = None) -> ReplayBufferSamples:
        samples = super()._get_samples(batch_inds, env)
        return samples._replace(discounts=self.to_torch(self.discounts[batch_inds]))

    @override
    def _normalize_obs(self, obs: Any, env: Any = None) -> Any:  # type: ignore[override]  # static
        return self.scaled(obs)


def _classes(algorithm: str) -> tuple[Any, Any]:
    """Return the class of the model, and of a policy whose critics see more than its actor.

    Raises:
        ConfigError: If the library that has it is not installed.
    """
    if algorithm == "sac":
        return SAC, seeing_all(SACPolicy)
    try:
        crossq = importlib.import_module("sb3_contrib.crossq")
    except ModuleNotFoundError:
        raise ConfigError(
            "--algorithm: crossq needs sb3-contrib, which is not installed: "
            ".venv/bin/pip install -c constraints.txt -e '.[crossq]'"
        ) from None
    return crossq.CrossQ, seeing_all(crossq.policies.CrossQPolicy)


def _begin_small(actor: Any, log_std: float) -> None:
    """Let an actor begin with next to no correction, and little noise."""
    with torch.no_grad():
        for layer, bias in ((actor.mu, 0.0), (actor.log_std, log_std)):
            layer.weight.mul_(0.01)
            nn.init.constant_(layer.bias, bias)
