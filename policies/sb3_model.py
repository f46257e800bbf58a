"""Models of Stable-Baselines3 that learn from arrays alone, and what they are as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override


class Elsewhere(VecEnv):
    """What Stable-Baselines3 wants to know of environments that somebody else steps."""

    def __init__(self, lanes: int, seen: spaces.Space[Any], action: int) -> None:
        """Describe them.

        Args:
            lanes: How many there are for a learner.
            seen: Space of the observations.
            action: Length of an action.
        """
        super().__init__(lanes, seen, spaces.Box(-1.0, 1.0, (action,), np.float32))

    @override
    def reset(self) -> Any:
        raise NotImplementedError("stepped elsewhere")

    @override
    def step_async(self, actions: NDArray[Any]) -> None:
        raise NotImplementedError("stepped elsewhere")

    @override
    def step_wait(self) -> Any:
        raise NotImplementedError("stepped elsewhere")

    @override
    def close(self) -> None:
        # There is nothing to close.
        pass

    @override
    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    @override
    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("stepped elsewhere")

    @override
    def env_method(self, method_name: str, *args: Any, indices: Any = None, **more: Any) -> Any:
        raise NotImplementedError("stepped elsewhere")

    @override
    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


def vector_space(size: int) -> spaces.Box:
    """Return the space of vectors of any numbers."""
    return spaces.Box(-np.inf, np.inf, (size,), np.float32)


def module_tensors(name: str, module: torch.nn.Module) -> dict[str, NDArray[Any]]:
    """Return a module's parameters and buffers as arrays, by name."""
    return {f"{name}.{key}": array(value) for key, value in module.state_dict().items()}


def restore_module(name: str, module: torch.nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Give a module the parameters and buffers of another."""
    module.load_state_dict(
        {key: torch.tensor(tensors[f"{name}.{key}"]) for key in module.state_dict()}
    )


def adam_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, NDArray[Any]]:
    """Return what Adam remembers of every parameter, by name; nothing before its first step."""
    found: dict[str, NDArray[Any]] = {}
    for index, moments in optimizer.state_dict()["state"].items():
        found |= {f"{name}.{index}.{key}": array(value) for key, value in moments.items()}
    return found


def restore_adam(
    name: str, optimizer: torch.optim.Optimizer, tensors: Mapping[str, NDArray[Any]]
) -> None:
    """Let Adam remember what another did."""
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"{name}."):
            index, _, moment = key.removeprefix(f"{name}.").partition(".")
            moments.setdefault(int(index), {})[moment] = torch.tensor(value)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})


def array(value: torch.Tensor) -> NDArray[Any]:
    """Return a copy of a tensor as an array."""
    copied: NDArray[Any] = value.detach().cpu().numpy().copy()
    return copied
