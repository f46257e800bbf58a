"""A balance policy in the controller of a cell."""

import pytest

from policies.balance.reflex import BalanceReflex
from robot.errors import ConfigError
from workcell.balance import balance_reflex


def test_the_one_that_comes_along_for_a_robot_is_ready():
    assert isinstance(balance_reflex("talos"), BalanceReflex)


def test_a_robot_without_one_is_named_with_what_to_do():
    with pytest.raises(ConfigError, match=r"for g1; `workcell balance train`"):
        balance_reflex("g1")
