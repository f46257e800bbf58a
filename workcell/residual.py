"""Where script and environment meet for training, and how what came of it is written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from typing_extensions import override

from envs.assembly_env import AssemblyEnv
from envs.guide import Float32, Guide
from envs.observations import Observation
from envs.residual_env import ResidualEnv
from policies.contract import Contract
from policies.correction import CORRECTION_SIZE
from policies.corrector import Corrector
from policies.network import Mlp
from policies.residual_config import ResidualConfig
from robot.arrays import Array
from robot.spatial import Pose
from workcell.briefing import brief_of, workplace_of
from workcell.policy_folder import StoredPolicy, write_policy
from workcell.policy_manifest import EvaluationRecord, TrainingRecord
from workcell.provenance import commit, versions


class ScriptGuide(Guide):
    """The script, corrected: what a trained policy does, with the network left out.

    Attributes:
        config: What may be corrected.
        robot: Name of the robot it drives.
        level: Name of the level of variation.
    """

    correction_size = CORRECTION_SIZE

    def __init__(
        self, config: ResidualConfig, arms: tuple[str, ...], robot: str, level: str
    ) -> None:
        """Prepare.

        Args:
            config: What may be corrected.
            arms: The arms that are.
            robot: Name of the robot.
            level: Name of the level.
        """
        self.config = config
        self.robot = robot
        self.level = level
        self._corrector = Corrector(config, arms)
        self._all_arms: tuple[str, ...] = ()
        self.arms = arms
        self.size = self._corrector.size
        self.sensed_size = self._corrector.sensed.shape[1]

    @override
    def begin(self, env: AssemblyEnv, seed: int, force_limit: float, learning: bool = True) -> None:
        brief = brief_of(env, seed)
        self._all_arms = brief.arms
        self._corrector.reset(brief, force_limit, learning)

    @override
    def look(self, observation: Observation) -> Float32:
        return self._corrector.look(observation)

    @override
    def sensed(self) -> Float32:
        return self._corrector.sensed

    @override
    def act(self, correction: Float32) -> Float32:
        return self._corrector.act(correction)

    @override
    def goals(self) -> tuple[Pose | None, ...]:
        phases = [self._corrector.phase(arm) for arm in self.arms]
        return tuple(None if phase is None else phase.pose_world_tool for phase in phases)

    @override
    def walked(self) -> Array:
        return np.array([self._corrector.script.walked(arm) for arm in self.arms])

    @property
    @override
    def finished(self) -> bool:
        report = self._corrector.script.report()
        return all(report[arm]["finished"] for arm in self._all_arms)


def save_residual(
    path: Path,
    env: ResidualEnv,
    network: Mlp,
    *,
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
    """Write a policy that corrects the script with a network that was trained in an environment.

    Args:
        path: Its folder.
        env: Where it was trained.
        network: What it learned. One that sees a single arm's numbers corrects each of the arms
            that were corrected with them; one that sees those of all, corrects them together.
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
        ConfigError: If something is there that may not be replaced, or the network does not fit.
        TypeError: If the environment was not built by `make_residual_environment`.
    """
    guide = env.guide
    if not isinstance(guide, ScriptGuide):
        raise TypeError(f"env.guide: expected a ScriptGuide, got {type(guide).__name__}")
    shared = network.spec.inputs == guide.size
    config = dataclasses.replace(guide.config, shared=shared)
    here = workplace_of(env.env, guide.robot)
    arms = guide.arms
    contract = Contract(
        task=here.task,
        robots=tuple(robots) or (guide.robot,),
        arms=arms,
        dt=here.dt,
        observation=config.observed(arms),
        action=config.corrected(arms),
        action_scale=here.action_scale,
        signals=here.signals,
    )
    training = TrainingRecord(
        command, algorithm, seed, steps, wall_s, guide.level, guide.robot, commit(), versions()
    )
    return write_policy(
        path,
        "residual",
        config,
        contract,
        network,
        training,
        evaluation=evaluation,
        description=description,
        overwrite=overwrite,
    )
