"""Who acts. `POLICIES` is where a new one is listed; it is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from policies.policy import Action, Brief, Observation, Policy
from robot.errors import UnknownName

POLICIES: Mapping[str, str] = {
    "scripted": "policies.scripted:ScriptedPolicy",
}

__all__ = ["POLICIES", "Action", "Brief", "Observation", "Policy", "policy_named"]


def policy_named(name: str, *args: Any) -> Policy:
    """Build a policy.

    Args:
        name: As in `POLICIES`.
        *args: What its class takes.

    Raises:
        UnknownName: If there is none of that name.
    """
    if name not in POLICIES:
        raise UnknownName("policy", name, POLICIES)
    module, _, attribute = POLICIES[name].partition(":")
    policy: Policy = getattr(importlib.import_module(module), attribute)(*args)
    return policy
