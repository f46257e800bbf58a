"""Where a policy meets its environment: what it is told, and whether it belongs there."""

from __future__ import annotations

from functools import partial

from envs.actions import stiffness_of
from envs.assembly_env import AssemblyEnv
from policies import policy_named
from policies.contract import Workplace
from policies.learned import PolicySource
from policies.policy import Brief, Policy
from policies.senses import SensesConfig, SensingPolicy
from policies.tactile.estimator import TouchEstimator, TouchPolicy
from robot.errors import ConfigError
from robot.station import Direction
from tasks.task import Task
from workcell.catalog import learned_policy
from workcell.config import RunConfig
from workcell.touch_network import shipped_touch, touch_network
from workcell.touch_parts import touch_cases


def brief_of(env: AssemblyEnv, seed: int) -> Brief:
    """Return what a policy is told before the episode that an environment was just reset to.

    Args:
        env: After `reset()`.
        seed: For whatever the policy draws.
    """
    task = env.task
    assert env.layout is not None  # reset() has drawn it
    return Brief(
        instruction=task.instruction,
        arms=task.arms,
        phases=task.phases(env.layout),
        seed=seed,
        action_scale=env.scale.as_mapping(),
        dt=env.dt,
        signals=_inputs(env),
        stiffness=partial(stiffness_of, scale=env.scale),
    )


def workplace_of(env: AssemblyEnv, robot: str) -> Workplace:
    """Return what a learned policy's contract is held against.

    Args:
        env: Where it would act.
        robot: Name of the robot.
    """
    return Workplace(
        task=env.task.name,
        robot=robot,
        arms=env.task.arms,
        dt=env.dt,
        observation=env.shapes,
        action_scale=env.scale.as_mapping(),
        signals=_inputs(env),
    )


def policy_of(config: RunConfig, env: AssemblyEnv) -> Policy:
    """Return the policy that a configuration names, for an environment it is fit for.

    Args:
        config: With the sections `policy` and `robot`.
        env: Where it will act.

    Raises:
        ConfigError: If a learned policy was made for something else, or its folder changed since
            the configuration was resolved.
    """
    name = config.names["policy"]
    stored = learned_policy(name)
    if stored is None:
        return policy_named(name, config.values["policy"])
    policy = stored.policy(config.values["policy"])
    try:
        workplace_of(env, config.names["robot"]).refuse(policy.contract, policy.needs)
    except ConfigError as error:
        raise ConfigError(f"--policy {name}: {error}") from None
    return policy


def sensing(
    policy: Policy,
    senses: SensesConfig,
    task: Task,
    robot: str,
    source: PolicySource | None = None,
) -> Policy:
    """Return a policy behind its senses; itself if they are those of the cell.

    Args:
        policy: Who acts.
        senses: What it is let feel.
        task: Whose parts it holds.
        robot: Whose pads it feels them by.
        source: Which file the network must be; any if omitted.

    Raises:
        ConfigError: If it is to feel by a network, and none comes along for the task, or it was
            taught on other pads or without some of the parts, or is another file.
    """
    if senses == SensesConfig():
        return policy
    estimator = None
    if senses.touch == "network":
        estimator = TouchEstimator(_touch_for(task.name, robot, source), task.arms)
    return SensingPolicy(policy, senses, estimator)


def _touch_for(task: str, robot: str, source: PolicySource | None) -> TouchPolicy:
    """Return the touch network that comes along for a task, if it can feel its parts."""
    path = shipped_touch(task)
    network = touch_network(path)
    network.config.source.refuse_unless(source, path)
    try:
        network.contract.refuse_other(task, robot)
    except ConfigError as error:
        raise ConfigError(f"cell.senses.touch: {path}: {error}") from None
    unknown = [case.name for case in touch_cases(task, "nominal")]
    unknown = sorted(set(unknown) - set(network.config.parts))
    if unknown:
        raise ConfigError(
            f"cell.senses.touch: {path}: taught to feel {', '.join(network.config.parts)}, not "
            f"{', '.join(unknown)}. Teach it again: workcell touch train {task} {path} --overwrite"
        )
    return network


def _inputs(env: AssemblyEnv) -> tuple[str, ...]:
    """Return the process signals in the order of the observation's `signals`."""
    return tuple(s.name for s in env.task.signals if s.direction is Direction.INPUT)
