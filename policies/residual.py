"""The script, and a bounded correction of it that was learned.

The script decides what is done; a network moves each arm's tool target a little and makes it softer
or stiffer, while the hand is in contact. (Johannink et al., "Residual Reinforcement Learning for
Robot Control", ICRA 2019, arXiv 1812.03201.) Below both the whole-body controller and the guard
keep every limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from typing_extensions import override

from policies.contract import Contract
from policies.correction import CORRECTION_SIZE
from policies.corrector import Corrector
from policies.learned import LearnedPolicy
from policies.network import Mlp
from policies.policy import Action, Brief, Observation
from policies.residual_config import ResidualConfig
from policies.tactile.features import COLUMNS, PADS, ROWS


class ResidualPolicy(LearnedPolicy):
    """The script with a learned correction."""

    def __init__(self, config: ResidualConfig, contract: Contract, network: Mlp) -> None:
        super().__init__(config, contract, network)
        for name, promised, made in (
            ("observation", contract.observation, config.observed(contract.arms)),
            ("action", contract.action, config.corrected(contract.arms)),
        ):
            for told, found in zip(promised, made, strict=False):
                if (told.name, told.shape) != (found.name, found.shape):
                    raise ValueError(
                        f"contract.{name}: expected {found.name} {found.shape} with this "
                        f"configuration, got {told.name} {told.shape}"
                    )
                # What a number means holds the bounds and the motions: a network that was taught
                # with others would be obeyed further, or where it never acted.
                if told.meaning != found.meaning:
                    raise ValueError(
                        f"contract.{name}: {told.name} was taught as '{told.meaning}', with this "
                        f"configuration it is '{found.meaning}'. Train it again with that"
                    )
            if len(promised) != len(made):
                raise ValueError(
                    f"contract.{name}: expected {len(made)} entries, got {len(promised)}"
                )
        self.config = config
        self._corrector = Corrector(config, contract.arms)

    @property
    @override
    def needs(self) -> Mapping[str, tuple[int, ...]]:
        needed: dict[str, tuple[int, ...]] = {}
        for arm in self.contract.arms:
            for name in ("tool", "target"):
                needed[f"{arm}_position_world_{name}"] = (3,)
                needed[f"{arm}_quaternion_world_{name}"] = (4,)
            needed[f"{arm}_gripper_opening"] = (1,)
            needed[f"{arm}_wrench_tool"] = (6,)
            needed[f"{arm}_in_hand"] = (4,)
            if self.config.feels_pads:
                needed[f"{arm}_tactile"] = (PADS, ROWS, COLUMNS)
        needed["signals"] = (len(self.contract.signals),)
        return needed

    @override
    def reset(self, brief: Brief) -> None:
        self._corrector.reset(brief)

    @override
    def act(self, observation: Observation) -> Action:
        corrector = self._corrector
        seen = corrector.look(observation)
        trusted = corrector.trusted
        correction = np.zeros((len(seen), CORRECTION_SIZE), np.float32)
        if self.config.shared:
            for i in np.flatnonzero(trusted):
                correction[i] = self.network(seen[i])
        elif trusted.any():
            # (arms, size) -> (arms * size,) -> (arms, 7)
            wanted = self.network(seen.ravel()).reshape(-1, CORRECTION_SIZE)
            correction[trusted] = wanted[trusted]
        return corrector.act(correction)

    @override
    def report(self) -> Mapping[str, Any]:
        return self._corrector.script.report()
