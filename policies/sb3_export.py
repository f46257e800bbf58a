"""From a model of Stable-Baselines3 to a network that needs none of it.

A zip of Stable-Baselines3 holds pickles, which run whatever they contain when they are loaded. What
is taken out here are arrays alone. Covered are the actors of PPO, A2C, SAC, TQC, CrossQ, TD3 and
DDPG over vectors and dictionaries of vectors; what cannot be taken out exactly is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor
from stable_baselines3.common.vec_env import VecNormalize
from torch import nn

from policies.network import Mlp, MlpSpec, Normalization
from policies.sb3_policies import KeysExtractor
from policies.torch_network import ACTIVATION_MODULES

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weight and bias of a linear layer."""

# sb3-contrib may not be there to name its class.
_RENORM = "BatchRenorm1d"
_NAMES = {module: name for name, module in ACTIVATION_MODULES.items()}


class CannotExport(ValueError):
    """A model has something that a policy file cannot hold."""


def mlp_of(model: BaseAlgorithm, normalize: VecNormalize | None = None) -> Mlp:
    """Return what a trained model's actor does when it is asked for deterministic actions.

    `mlp(x)` is `model.predict(normalize.normalize_obs(x), deterministic=True)` to rounding, for `x`
    the arrays of `observation_keys` one after the other.

    Args:
        model: A trained model.
        normalize: The statistics it was trained with, if any.

    Raises:
        CannotExport: If the actor is not a fully connected network into [-1, 1].
    """
    policy = model.policy
    space = policy.action_space
    if not isinstance(space, spaces.Box) or not (
        np.all(space.low == -1.0) and np.all(space.high == 1.0)
    ):
        raise CannotExport(f"action space: expected a Box from -1 to 1, got {space}")
    modules, squashed = actor_modules(policy)
    layers, activation = folded(modules)
    normalization = _normalization(policy, normalize, layers[0][0].shape[1])
    return network_of(layers, activation, normalization, squashed)


def network_of(
    layers: Sequence[Layer], activation: Any, normalization: Normalization, squashed: bool
) -> Mlp:
    """Return layers as a network that needs no torch.

    Args:
        layers: First to last.
        activation: Name of what stands between them.
        normalization: Of what the first is given.
        squashed: Whether the last one's numbers are squashed by tanh, not cut.
    """
    spec = MlpSpec(
        inputs=layers[0][0].shape[1],
        hidden=tuple(weight.shape[0] for weight, _ in layers[:-1]),
        outputs=layers[-1][0].shape[0],
        activation=activation,
        output="tanh" if squashed else "clip",
    )
    tensors = {}
    for i, (weight, bias) in enumerate(layers):
        tensors[f"layers.{i}.weight"] = weight
        tensors[f"layers.{i}.bias"] = bias
    return Mlp(spec, tensors, normalization)


def observation_keys(policy: BasePolicy) -> tuple[str, ...]:
    """Return which arrays of a dictionary the actor sees, in order; none for a plain vector.

    Raises:
        CannotExport: If it sees pictures, or through layers of its own.
    """
    extractor = _extractor(policy)
    if isinstance(extractor, FlattenExtractor):
        return ()
    if isinstance(extractor, KeysExtractor):
        return extractor.keys
    if isinstance(extractor, CombinedExtractor):
        pictures = [
            key for key, inner in extractor.extractors.items() if not isinstance(inner, nn.Flatten)
        ]
        if pictures:
            raise CannotExport(f"observation: expected vectors, the actor sees pictures {pictures}")
        return tuple(extractor.extractors)
    raise CannotExport(
        f"features extractor: expected {FlattenExtractor.__name__}, {CombinedExtractor.__name__} "
        f"or {KeysExtractor.__name__}, got {type(extractor).__name__}"
    )


def _extractor(policy: BasePolicy) -> Any:
    if isinstance(policy, ActorCriticPolicy):
        return policy.pi_features_extractor
    return getattr(policy, "actor", policy).features_extractor


def actor_modules(policy: BasePolicy) -> tuple[list[nn.Module], bool]:
    """Return the actor's modules in order, and whether its numbers are squashed by tanh.

    Raises:
        CannotExport: If it is none of those that are covered.
    """
    if isinstance(policy, ActorCriticPolicy):
        if policy.use_sde:
            raise CannotExport("use_sde: expected an actor without state-dependent exploration")
        modules = [*policy.mlp_extractor.policy_net, policy.action_net]
        return modules, bool(policy.squash_output)
    actor: Any = getattr(policy, "actor", None)
    if actor is None:
        raise CannotExport(f"policy: expected one with an actor, got {type(policy).__name__}")
    if getattr(actor, "use_sde", False):
        raise CannotExport("use_sde: expected an actor without state-dependent exploration")
    if hasattr(actor, "latent_pi"):
        return [*actor.latent_pi, actor.mu], True
    # TD3 and DDPG: one sequence that ends in tanh.
    *modules, last = actor.mu
    if not isinstance(last, nn.Tanh):
        raise CannotExport(f"actor: expected Tanh at its end, got {type(last).__name__}")
    return modules, True


def folded(modules: Iterable[nn.Module]) -> tuple[list[Layer], Any]:
    """Return the linear layers as arrays, and the name of what stands between them.

    CrossQ's batch renormalization, which is affine once it is trained, is put into the layer that
    comes after it (Ioffe, "Batch Renormalization", 2017, arXiv 1702.03275).

    Raises:
        CannotExport: If there is something else between them.
    """
    kept: list[nn.Module] = []
    before: dict[int, nn.Module] = {}
    for module in modules:
        if type(module).__name__ == _RENORM:
            before[sum(isinstance(m, nn.Linear) for m in kept)] = module
        else:
            kept.append(module)
    linear, activation = _layers(kept)
    layers = []
    for i, layer in enumerate(linear):
        weight, bias = (p.detach().double() for p in (layer.weight, layer.bias))
        renorm: Any = before.get(i)
        if renorm is not None:
            scale = renorm.scale.double() / torch.sqrt(renorm.ra_var.double() + renorm.eps)
            shift = renorm.bias.double() - renorm.ra_mean.double() * scale
            weight, bias = weight * scale, bias + weight @ shift
        layers.append((_array(weight), _array(bias)))
    return layers, activation


def _layers(modules: Iterable[nn.Module]) -> tuple[list[nn.Linear], Any]:
    """Return the linear layers and the name of what stands between them."""
    linear: list[nn.Linear] = []
    between: set[type[nn.Module]] = set()
    for module in modules:
        if isinstance(module, nn.Linear):
            linear.append(module)
        elif type(module) in _NAMES:
            between.add(type(module))
        else:
            raise CannotExport(
                f"actor: expected Linear and one of {sorted(_NAMES.values())}, "
                f"got {type(module).__name__}"
            )
    if len(between) > 1:
        raise CannotExport(f"actor: expected one activation, got {len(between)}")
    return linear, _NAMES[between.pop()] if between else "tanh"


def _normalization(policy: BasePolicy, normalize: VecNormalize | None, size: int) -> Normalization:
    keys = observation_keys(policy)
    if normalize is None or not normalize.norm_obs:
        return Normalization.none(size)
    statistics = normalize.obs_rms
    if isinstance(statistics, RunningMeanStd):
        pairs = [(statistics.mean, statistics.var)]
    else:
        pairs = [_of_key(statistics, key) for key in keys]
    mean = np.concatenate([np.ravel(m) for m, _ in pairs])
    variance = np.concatenate([np.ravel(v) for _, v in pairs])
    std = np.sqrt(variance + normalize.epsilon)
    return Normalization(tuple(mean.tolist()), tuple(std.tolist()), float(normalize.clip_obs))


def _of_key(
    statistics: Mapping[str, RunningMeanStd], key: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if key not in statistics:
        raise CannotExport(
            f"VecNormalize: expected statistics of every key the actor sees, none of '{key}'; "
            "leave norm_obs_keys out"
        )
    return statistics[key].mean, statistics[key].var


def _array(parameter: torch.Tensor) -> NDArray[np.float32]:
    return parameter.detach().cpu().numpy().astype(np.float32)
