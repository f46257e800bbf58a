"""The networks of `policies.network` in torch: for batches, for training on, for export."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import override

from policies.network import Mlp, MlpSpec, Normalization

ACTIVATION_MODULES: Mapping[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "silu": nn.SiLU,
}
"""What stands between two layers, by the name it has in a specification."""


class ActorNetwork(nn.Module):
    """A fully connected network with the normalization of its observations, in torch.

    Its state holds what a policy file holds: `layers.<i>.weight` and `layers.<i>.bias`. The
    normalization is kept in float64, as the statistics it comes from, and is not trained.
    """

    def __init__(self, spec: MlpSpec, normalization: Normalization) -> None:
        """Build the network with torch's initial weights.

        Args:
            spec: What it looks like.
            normalization: Of as many entries as it has inputs.
        """
        super().__init__()
        self.spec = spec
        self.normalization = normalization
        widths = (spec.inputs, *spec.hidden, spec.outputs)
        self.layers = nn.ModuleList(
            nn.Linear(fan_in, fan_out) for fan_in, fan_out in itertools.pairwise(widths)
        )
        self.activation = ACTIVATION_MODULES[spec.activation]()
        # Not among what is saved: a file holds them as numbers, beside their meaning.
        self._mean: Tensor
        self._std: Tensor
        for name, values in (("_mean", normalization.mean), ("_std", normalization.std)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64), persistent=False)

    @classmethod
    def from_mlp(cls, mlp: Mlp) -> ActorNetwork:
        """Return a network with the weights of one that numpy runs."""
        network = cls(mlp.spec, mlp.normalization)
        network.load_state_dict({name: torch.tensor(a) for name, a in mlp.tensors.items()})
        return network

    def as_mlp(self) -> Mlp:
        """Return the network as numpy runs it, with a copy of its weights."""
        return Mlp(self.spec, arrays_of(self), self.normalization)

    @override
    def forward(self, observation: Tensor) -> Tensor:
        """Return the network's numbers, in [-1, 1].

        Args:
            observation: Shape (B, inputs), float32.

        Returns:
            Shape (B, outputs).
        """
        clip = self.normalization.clip
        x = ((observation - self._mean) / self._std).clamp(-clip, clip).to(torch.float32)
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        x = last(x)
        return torch.tanh(x) if self.spec.output == "tanh" else x.clamp(-1.0, 1.0)


def arrays_of(module: nn.Module) -> dict[str, NDArray[Any]]:
    """Return a copy of a module's parameters and buffers by name, as float32 arrays."""
    state = module.state_dict()
    return {name: value.cpu().numpy().astype(np.float32) for name, value in state.items()}
