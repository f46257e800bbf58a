"""How a network that was trained on a task's own environment is written down as a policy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envs.assembly_env import AssemblyEnv
from policies.contract import Contract, Entry
from policies.learned import ActorConfig
from policies.network import Mlp
from robot.errors import UnknownName
from workcell.briefing import workplace_of
from workcell.policy_folder import StoredPolicy, write_policy
from workcell.policy_manifest import EvaluationRecord, TrainingRecord
from workcell.provenance import commit, versions


def save_actor(
    path: Path,
    env: AssemblyEnv,
    network: Mlp,
    keys: Sequence[str],
    *,
    robot: str,
    level: str,
    algorithm: str,
    steps: int,
    seed: int,
    wall_s: float,
    command: str,
    robots: Sequence[str] = (),
    evaluation: Sequence[EvaluationRecord] = (),
    description: str = "",
    overwrite: bool = False,
) -> StoredPolicy:
    """Write a policy that is a network from an environment's observation to its action.

    Args:
        path: Its folder.
        env: Where it was trained.
        network: What it learned, with the normalization it learned it with.
        keys: Arrays of the observation that it is given, row by row and one after the other; see
            `policies.sb3_export.observation_keys`.
        robot: Name of the robot it was trained on.
        level: Name of the level it was trained on.
        algorithm: What learned, e.g. `PPO`.
        steps: How many steps of the environment it was trained on.
        seed: Of everything that was drawn.
        wall_s: How long it took, in s.
        command: What was typed.
        robots: Robots it may drive; the one it was trained on if omitted.
        evaluation: How it did on seeds that it was not trained on.
        description: For people, in one line.
        overwrite: Whether a policy that is there may be replaced.

    Raises:
        UnknownName: If the environment observes nothing of such a name.
        ConfigError: If something is there that may not be replaced, or the network does not fit.
    """
    here, meanings = workplace_of(env, robot), env.meanings
    for key in keys:
        if key not in here.observation:
            raise UnknownName("observation", key, here.observation)
    (outputs,) = env.action_space.shape or ()
    contract = Contract(
        task=here.task,
        robots=tuple(robots) or (robot,),
        arms=here.arms,
        dt=here.dt,
        observation=tuple(Entry(key, here.observation[key], meanings[key]) for key in keys),
        action=(Entry("action", (outputs,), "nine numbers for each arm, see envs.actions"),),
        action_scale=here.action_scale,
        signals=here.signals,
    )
    training = TrainingRecord(
        command, algorithm, seed, steps, wall_s, level, robot, commit(), versions()
    )
    return write_policy(
        path,
        "actor",
        ActorConfig(),
        contract,
        network,
        training,
        evaluation=evaluation,
        description=description,
        overwrite=overwrite,
    )
