"""Actors that see less than their critics, for Stable-Baselines3.

While it is trained in simulation a critic may know what no sensor tells, where the parts really
are; the actor, which has to act on a robot, must not. (Pinto et al., "Asymmetric Actor Critic for
Image-Based Robot Learning", RSS 2018, arXiv 1710.06542.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import (
    BaseFeaturesExtractor,
    FlattenExtractor,
    create_mlp,
)
from torch import Tensor, nn
from typing_extensions import override

ACTOR_KEYS = ("policy",)
"""Arrays of the observation that an actor may see; the rest is for the critic alone."""


class KeysExtractor(BaseFeaturesExtractor):
    """Lays some arrays of a dictionary out in one vector, and drops the rest.

    Attributes:
        keys: Which, in order.
    """

    def __init__(self, observation_space: spaces.Dict, keys: Sequence[str]) -> None:
        """Choose.

        Args:
            observation_space: Of vectors.
            keys: Which of them.
        """
        self.keys = tuple(keys)
        size = sum(spaces.flatdim(observation_space[key]) for key in self.keys)
        super().__init__(observation_space, features_dim=size)

    @override
    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Return the vector. Shape (B, size)."""
        return torch.cat([observations[key].flatten(start_dim=1) for key in self.keys], dim=1)


class TwoNetworks(nn.Module):
    """The hidden layers of actor and critic where the two see vectors of different lengths.

    Attributes:
        policy_net: The actor's.
        value_net: The critic's.
        latent_dim_pi: Width of the actor's last hidden layer.
        latent_dim_vf: Width of the critic's.
    """

    def __init__(
        self, sizes: tuple[int, int], widths: Mapping[str, Sequence[int]], between: type[nn.Module]
    ) -> None:
        """Build both.

        Args:
            sizes: Length of what the actor and the critic see.
            widths: Of the hidden layers: `pi` of the actor, `vf` of the critic.
            between: The activation.
        """
        super().__init__()
        pi, vf = list(widths["pi"]), list(widths["vf"])
        self.policy_net = nn.Sequential(*create_mlp(sizes[0], -1, pi, between))
        self.value_net = nn.Sequential(*create_mlp(sizes[1], -1, vf, between))
        self.latent_dim_pi = pi[-1] if pi else sizes[0]
        self.latent_dim_vf = vf[-1] if vf else sizes[1]

    def forward_actor(self, features: Tensor) -> Tensor:
        """Return the actor's last hidden layer. Shape (B, latent_dim_pi)."""
        latent: Tensor = self.policy_net(features)
        return latent

    def forward_critic(self, features: Tensor) -> Tensor:
        """Return the critic's last hidden layer. Shape (B, latent_dim_vf)."""
        latent: Tensor = self.value_net(features)
        return latent


class AsymmetricPolicy(MultiInputActorCriticPolicy):
    """For PPO and A2C: the actor sees `ACTOR_KEYS`, the critic sees everything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Build both networks; the arguments are those of the base."""
        kwargs.update(share_features_extractor=False, features_extractor_class=KeysExtractor)
        super().__init__(*args, **kwargs)

    @override
    def make_features_extractor(self) -> BaseFeaturesExtractor:
        # The base makes the actor's first and keeps it under this name; then the critic's.
        for_actor = self.features_extractor is None
        space = self.observation_space
        if not isinstance(space, spaces.Dict) or not set(ACTOR_KEYS) <= set(space.spaces):
            raise ValueError(f"observation space: expected a Dict with {ACTOR_KEYS}, got {space}")
        return KeysExtractor(space, ACTOR_KEYS if for_actor else tuple(space.spaces))

    @override
    def _build_mlp_extractor(self) -> None:
        widths = self.net_arch
        if not isinstance(widths, dict):
            widths = {"pi": widths, "vf": widths}
        sizes = (self.pi_features_extractor.features_dim, self.vf_features_extractor.features_dim)
        # The type of the base names its own class; what it uses of it is here.
        self.mlp_extractor = TwoNetworks(sizes, widths, self.activation_fn)  # type: ignore[assignment]


class FirstEntries(BaseFeaturesExtractor):
    """The first entries of a vector."""

    def __init__(self, observation_space: spaces.Box, size: int) -> None:
        """Choose.

        Args:
            observation_space: Of vectors.
            size: How many.
        """
        super().__init__(observation_space, features_dim=size)

    @override
    def forward(self, observations: Tensor) -> Tensor:
        """Return them. Shape (B, size)."""
        return observations[:, : self.features_dim]


def seeing_all(base: Any) -> Any:
    """Return a policy whose critics see the whole vector, not what its actor sees.

    Args:
        base: The policy of SAC or CrossQ; its actor's features extractor is `FirstEntries`.
    """

    class SeeingAll(base):  # type: ignore[misc]  # of one of two classes
        def make_critic(self, features_extractor: Any = None) -> Any:
            return super().make_critic(FlattenExtractor(self.observation_space))

    return SeeingAll
