"""What does not fit together is refused before anything is built."""

import dataclasses

import pytest

from policies.learned import PolicySource
from robot.errors import ConfigError
from workcell.build import build_cycle
from workcell.catalog import Choice, resolve_choice
from workcell.stored_run import config_hash


@pytest.mark.parametrize(
    ("choice", "override", "told"),
    [
        (Choice("nut_insertion"), "cell.action.push_n=10", "set task.demands.push_force, now 30.0"),
        (Choice("hv_plugging"), "cell.action.push_n=10", "set task.demands.push_force, now 115.0"),
        (Choice("hv_plugging"), "cell.guard.force_limit=20", "would stop a push of 115.0 N"),
        (
            Choice("nut_insertion", robot="talos_fixed"),
            "cell.balance=true",
            "talos_fixed is bolted to the floor",
        ),
    ],
)
def test_a_cell_that_contradicts_job_or_robot_is_refused(choice, override, told):
    with pytest.raises(ConfigError, match=told):
        build_cycle(resolve_choice(choice, [override]))


@pytest.mark.parametrize(
    ("network", "override"),
    [("touch", "cell.senses.touch=network"), ("balance", "cell.balance=true")],
)
def test_a_run_knows_the_networks_below_its_policy_and_keeps_to_them(network, override):
    plain, config = (resolve_choice(Choice("nut_insertion"), o) for o in ((), (override,)))
    assert plain.values["cell"].networks == {}
    (name, source), *more = config.values["cell"].networks.items()
    assert (name, more, len(source.fingerprint)) == (network, [], 64)
    assert config_hash(config.as_json()) != config_hash(plain.as_json())
    # The file that was written again since.
    other = {network: PolicySource("0" * 64, source.files)}
    cell = dataclasses.replace(config.values["cell"], networks=other)
    changed = dataclasses.replace(config, values={**config.values, "cell": cell})
    with pytest.raises(ConfigError, match="expected the policy 000000000000, found"):
        build_cycle(changed)
