"""What a learned correction asks of the observation, and the bounds that it keeps to."""

import dataclasses

import numpy as np
import pytest

from policies.residual import ResidualPolicy
from policies.residual_config import ResidualConfig
from tests.policies.test_residual import ARMS, RuleCell, contract, residual, zero_network


class Noting(dict):
    """An observation that knows what was read of it."""

    def __init__(self, values):
        super().__init__(values)
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)


@pytest.mark.parametrize("sees", [(), ("contact", "elapsed")])
def test_it_needs_of_the_observation_what_it_reads(sees):
    policy, cell = residual(ResidualConfig(sees=sees)), RuleCell()
    pads = {f"{arm}_tactile": np.zeros((2, 11, 9), np.float32) for arm in ARMS}
    observation = Noting(cell.observe() | pads)
    for key, shape in policy.needs.items():
        assert observation[key].shape == shape
    observation.read.clear()
    policy.reset(cell.brief)
    policy.act(observation)
    # What is not shown to the network may be missing.
    optional = set() if not sees else set(pads)
    assert observation.read - optional <= set(policy.needs)
    assert ("left_tactile" in policy.needs) is (not sees)


def test_bounds_that_were_changed_in_its_file_are_refused():
    config = ResidualConfig()
    promised = contract(config)
    wider = dataclasses.replace(config.authority, translation_m=(0.05, 0.05, 0.03))
    with pytest.raises(ValueError, match=r"translation was taught as .*0\.003.*it is .*0\.05"):
        ResidualPolicy(
            dataclasses.replace(config, authority=wider), promised, zero_network(promised)
        )
    other = dataclasses.replace(config.authority, motions=config.authority.motions[::-1])
    with pytest.raises(ValueError, match=r"contract\.observation: motion was taught as"):
        ResidualPolicy(
            dataclasses.replace(config, authority=other), promised, zero_network(promised)
        )
