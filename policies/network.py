"""Small fully connected networks as data, and running one of them in a control loop.

A network is a specification and named arrays; nothing in here needs torch. At one observation at a
time numpy is several times faster than torch, whose cost per call is larger than that of the
arithmetic; `policies.torch_network` holds the same network for training and for batches.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from robot.arrays import Array, frozen

Float32 = NDArray[np.float32]

ACTIVATIONS = ("tanh", "relu", "elu", "silu")
"""What can stand between two layers."""

# A policy that runs inside a control period has no use for more; a file that asks for more is
# wrong, or meant to exhaust the memory.
_WIDEST, _MOST_LAYERS = 4096, 8


@dataclass(frozen=True)
class MlpSpec:
    """What a fully connected network looks like.

    Every layer is `W x + b`; an activation follows each but the last, whose numbers are brought
    into [-1, 1] by `output`.

    Attributes:
        inputs: Length of what it is given.
        hidden: Width of each hidden layer.
        outputs: Length of what it returns.
        activation: One of `ACTIVATIONS`.
        output: `clip` cuts the last layer's numbers, `tanh` squashes them.
        architecture: What kind of network a file holds.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: Literal["tanh", "relu", "elu", "silu"] = "tanh"
    output: Literal["clip", "tanh"] = "clip"
    architecture: Literal["mlp"] = "mlp"

    def __post_init__(self) -> None:
        """Refuse sizes that no policy has."""
        for name, value in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not 1 <= value <= _WIDEST:
                raise ValueError(f"{name}: expected 1 to {_WIDEST}, got {value}")
        if len(self.hidden) > _MOST_LAYERS or not all(1 <= n <= _WIDEST for n in self.hidden):
            raise ValueError(
                f"hidden: expected at most {_MOST_LAYERS} widths of 1 to {_WIDEST}, "
                f"got {list(self.hidden)}"
            )

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every array of the network, by name, first layer first."""
        widths = (self.inputs, *self.hidden, self.outputs)
        shapes: dict[str, tuple[int, ...]] = {}
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
            shapes[f"layers.{i}.weight"] = (fan_out, fan_in)
            shapes[f"layers.{i}.bias"] = (fan_out,)
        return shapes


@dataclass(frozen=True)
class Normalization:
    """What is done to an observation before the network sees it.

    `clip((observation - mean) / std, ±clip)`, in float64, then rounded to float32, which is what
    `stable_baselines3.common.vec_env.VecNormalize` does with std = sqrt(variance + epsilon).

    Attributes:
        mean: Of each entry.
        std: Of each entry; what an entry is divided by.
        clip: Largest magnitude after that.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    clip: float = 10.0

    def __post_init__(self) -> None:
        """Refuse lists of different lengths and divisions by nothing."""
        if len(self.mean) != len(self.std):
            raise ValueError(
                f"std: expected as many numbers as mean, {len(self.mean)}, got {len(self.std)}"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.std).all()):
            raise ValueError("mean: expected finite numbers, in std too")
        if not all(value > 0.0 for value in (*self.std, self.clip)):
            raise ValueError("std: expected positive numbers, and a positive clip")

    @classmethod
    def none(cls, size: int) -> Normalization:
        """Return the one that leaves an observation as it is, as far as float32 goes."""
        return cls((0.0,) * size, (1.0,) * size, clip=float(np.finfo(np.float32).max))


class Mlp:
    """A fully connected network with its weights, for one observation or a few at a time.

    Attributes:
        spec: What it looks like.
        normalization: What is done to an observation first.
        tensors: Its arrays by name, read-only.
    """

    def __init__(
        self, spec: MlpSpec, tensors: Mapping[str, NDArray[Any]], normalization: Normalization
    ) -> None:
        """Check that everything fits together.

        Args:
            spec: What the network looks like.
            tensors: Its arrays by name, as `spec.tensors()` lists them.
            normalization: Of as many entries as the network has inputs.

        Raises:
            ValueError: If an array is missing, unknown, of another shape or not finite.
        """
        shapes = spec.tensors()
        if set(tensors) != set(shapes):
            missing = sorted(set(shapes) - set(tensors)) or "none"
            unknown = sorted(set(tensors) - set(shapes)) or "none"
            raise ValueError(f"tensors: missing {missing}, unknown {unknown}")
        if len(normalization.mean) != spec.inputs:
            raise ValueError(
                f"normalization: expected {spec.inputs} entries, got {len(normalization.mean)}"
            )
        self.spec = spec
        self.normalization = normalization
        self.tensors: dict[str, Float32] = {}
        for name, shape in shapes.items():
            array = frozen(name, tensors[name], shape).astype(np.float32)
            array.setflags(write=False)
            self.tensors[name] = array
        self._layers = [
            (self.tensors[f"layers.{i}.weight"].T, self.tensors[f"layers.{i}.bias"])
            for i in range(len(spec.hidden) + 1)
        ]
        self._mean: Array = frozen("mean", normalization.mean, (spec.inputs,))
        self._std: Array = frozen("std", normalization.std, (spec.inputs,))

    def normalized(self, observation: Float32) -> Float32:
        """Return what the first layer is given. Shape (..., inputs)."""
        clip = self.normalization.clip
        value = (observation - self._mean) / self._std
        return np.minimum(np.maximum(value, -clip), clip).astype(np.float32)

    def __call__(self, observation: Float32) -> Float32:
        """Return the network's numbers, in [-1, 1].

        Args:
            observation: Shape (..., inputs).

        Returns:
            Shape (..., outputs).
        """
        x = self.unbounded(observation)
        if self.spec.output == "tanh":
            return _tanh(x)
        return np.minimum(np.maximum(x, np.float32(-1.0)), np.float32(1.0))

    def unbounded(self, observation: Float32) -> Float32:
        """Return the last layer's numbers as they are.

        Args:
            observation: Shape (..., inputs).

        Returns:
            Shape (..., outputs).
        """
        x = self.normalized(observation)
        for weight, bias in self._layers[:-1]:
            x = _ACTIVATE[self.spec.activation](x @ weight + bias)
        weight, bias = self._layers[-1]
        return x @ weight + bias


def _elu(x: Float32) -> Float32:
    # expm1 of a large positive number overflows, though its value would not be used.
    low: Float32 = np.expm1(np.minimum(x, np.float32(0.0)))
    return np.where(x > 0.0, x, low)


def _silu(x: Float32) -> Float32:
    # By the half-angle formula: 1 / (1 + exp(-x)) overflows where the sigmoid is merely zero.
    sigmoid: Float32 = np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1.0))
    return x * sigmoid


def _relu(x: Float32) -> Float32:
    return np.maximum(x, np.float32(0.0))


def _tanh(x: Float32) -> Float32:
    y: Float32 = np.tanh(x)
    return y


_ACTIVATE: Mapping[str, Callable[[Float32], Float32]] = {
    "tanh": _tanh,
    "relu": _relu,
    "elu": _elu,
    "silu": _silu,
}
