"""Whether a stored policy fits a robot: what its kind is held against, short of running it."""

from __future__ import annotations

from policies.balance.reflex import BalancePolicy, BalanceReflex
from policies.tactile.estimator import TouchPolicy
from robot.errors import ConfigError
from workcell.briefing import workplace_of
from workcell.catalog import load_robot
from workcell.environments import make_environment
from workcell.policy_folder import StoredPolicy
from workcell.touch import touch_pads


def refuse_unfit(stored: StoredPolicy, robot: str) -> str:
    """Refuse a policy that was made for another robot, and return what it was held against.

    One that drives an environment is held against the robot's simulated cell. One for balance acts
    below every task, and one for touch moves nothing: they are held against the robot and its pads.

    Args:
        stored: The policy.
        robot: Name of the robot.

    Raises:
        UnknownName: If there is no such robot.
        ConfigError: In one line: what was expected, what is there, what to do.
    """
    # A name that is none is not one that the policy was not made for.
    load_robot(robot)
    policy = stored.policy()
    task = policy.contract.task
    policy.contract.refuse_other(task, robot)
    if isinstance(policy, BalancePolicy):
        BalanceReflex(policy, robot)
        return f"robot {robot}"
    if isinstance(policy, TouchPolicy):
        pads, robots = touch_pads()
        if robot not in robots:
            raise ConfigError(
                f"pads: taught on pads of {pads.size} m that open {pads.opening_max:g} m, those of "
                f"{robot} differ. Choose one of {', '.join(robots)}, or teach another network"
            )
        return f"pads of {robot}"
    env = make_environment(task, robot)
    try:
        workplace_of(env, robot).refuse(policy.contract, policy.needs)
    finally:
        env.close()
    return f"contract with {task} on {robot}"
