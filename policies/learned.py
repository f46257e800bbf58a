"""Policies made of a file: what every kind of them has, and the plainest kind."""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from policies.contract import Contract
from policies.network import Mlp
from policies.policy import Action, Brief, Observation, Policy
from robot.errors import ConfigError, UnknownName

KINDS: Mapping[str, str] = {
    "actor": "policies.learned:ActorPolicy",
    "balance": "policies.balance.reflex:BalancePolicy",
    "residual": "policies.residual:ResidualPolicy",
    "touch": "policies.tactile.estimator:TouchPolicy",
}
"""What a policy file may call its kind, as `module:class`; imported when it is asked for.

The class is a `LearnedPolicy`; its configuration is `<Name>Config` in the same module, a dataclass
with a field `source`.
"""


@dataclass(frozen=True)
class PolicySource:
    """Which file a learned policy was read from, for the records of what it does.

    Attributes:
        fingerprint: SHA-256 of `policy.json`, which names the hashes of all else; empty for a
            policy that was not read from a file.
        files: SHA-256 of every other file, by name.
    """

    fingerprint: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def refuse_unless(self, expected: PolicySource | None, where: Path) -> None:
        """Refuse a file that was found if it is another one than when a run began.

        Args:
            expected: Which one it must be; any if None.
            where: Its folder.

        Raises:
            ConfigError: Names both.
        """
        if expected is not None and self != expected:
            raise ConfigError(
                f"{where}: expected the policy {expected.fingerprint[:12]}, found "
                f"{self.fingerprint[:12]}: it was written again since the run began"
            )


class LearnedPolicy(Policy):
    """A policy that is a configuration, a contract and a network.

    Attributes:
        contract: What it was made for.
        network: What it learned.
    """

    def __init__(self, config: Any, contract: Contract, network: Mlp) -> None:
        """Check that the network fits the contract.

        Args:
            config: Of the kind's configuration class.
            contract: What the policy was made for.
            network: What it learned.

        Raises:
            ValueError: If something does not fit together.
        """
        for name, promised, found in (
            ("inputs", contract.inputs, network.spec.inputs),
            ("outputs", contract.outputs, network.spec.outputs),
        ):
            if promised != found:
                raise ValueError(
                    f"network.{name}: the contract has {promised} numbers, the network {found}"
                )
        self.contract = contract
        self.network = network

    @property
    @abstractmethod
    def needs(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of each array of the environment's observation that is read, by key."""


def kind_named(kind: str) -> tuple[type[LearnedPolicy], type[Any]]:
    """Return the class of a kind of learned policy, and that of its configuration.

    Raises:
        UnknownName: If there is none of that name.
    """
    if kind not in KINDS:
        raise UnknownName("kind of policy", kind, KINDS)
    module, _, name = KINDS[kind].partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, name), getattr(loaded, name.removesuffix("Policy") + "Config")


@dataclass(frozen=True)
class ActorConfig:
    """Of a policy that needs no other configuration.

    Attributes:
        source: Which file it was read from.
    """

    source: PolicySource = field(default_factory=PolicySource)


class ActorPolicy(LearnedPolicy):
    """A network from observation to action, with nothing in between.

    The observation's arrays are laid out row by row, one after the other in the order of the
    contract, which is what Stable-Baselines3 does with a dictionary of vectors.
    """

    def __init__(self, config: ActorConfig, contract: Contract, network: Mlp) -> None:
        super().__init__(config, contract, network)
        self.config = config

    @property
    @override
    def needs(self) -> Mapping[str, tuple[int, ...]]:
        return {entry.name: entry.shape for entry in self.contract.observation}

    @override
    def reset(self, brief: Brief) -> None:
        # Nothing of the past is kept.
        pass

    @override
    def act(self, observation: Observation) -> Action:
        vector = np.concatenate([observation[key].ravel() for key in self.needs])
        return self.network(vector.astype(np.float32))
