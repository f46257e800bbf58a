"""What `gymnasium.make` builds: a task on a simulated cell, chosen by names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from envs.assembly_env import AssemblyEnv
from envs.residual_env import ResidualEnv
from envs.residual_reward import ResidualReward
from policies.residual_config import ResidualConfig
from policies.scripted import ScriptedConfig
from policies.senses import SensesConfig
from robot.errors import ConfigError, UnknownName, WorkcellError
from robot.robot_config import RobotConfig
from tasks.task import Task
from tasks.variation import Variation
from workcell.build import build_sim
from workcell.catalog import Choice, resolve_choice
from workcell.config import RunConfig, Section, config_folder, load
from workcell.residual import ScriptGuide
from workcell.robot_cell import CellConfig


def make_environment(
    task: str,
    robot: str,
    level: str = "factory",
    cameras: bool = False,
    render_mode: str | None = None,
    overrides: Sequence[str] = (),
) -> AssemblyEnv:
    """Build a simulated environment; `env.close()` ends its simulation.

    Args:
        task: As `workcell list` names it.
        robot: Also.
        level: Also: how far episodes differ.
        cameras: Whether the pictures of head and wrists are observed; they cost time.
        render_mode: `rgb_array` for pictures of the whole cell from `env.render()`, or None.
        overrides: Values to change, as after `--set`, e.g. `["task.time_limit=20"]`.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range or a robot's package is not installed.
    """
    modes = AssemblyEnv.metadata["render_modes"]
    if render_mode is not None and render_mode not in modes:
        raise UnknownName("render mode", render_mode, modes)
    config = resolve_choice(Choice(task, level=level, robot=robot), overrides)
    env = _built(config, cameras)
    env.render_mode = render_mode
    return env


def make_residual_environment(
    task: str,
    robot: str,
    level: str = "factory",
    arms: Sequence[str] | None = None,
    overrides: Sequence[str] = (),
) -> ResidualEnv:
    """Build a simulated environment with the script inside, whose action corrects the script.

    Args:
        task: As `workcell list` names it.
        robot: Also.
        level: Also: how far episodes differ.
        arms: The arms that are corrected; all that do the task if omitted.
        overrides: Values to change, as after `--set`; besides those of a run there are
            `residual.authority.translation_m`, `reward.time_per_s` and their like.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range or a robot's package is not installed.
    """
    choice = Choice(task, level=level, robot=robot)
    refuse_policy_overrides(overrides)
    return built_residual(resolve_choice(choice, overrides, more=residual_sections(task)), arms)


def refuse_policy_overrides(overrides: Sequence[str]) -> None:
    """Refuse to change a script that is not the one inside.

    Args:
        overrides: As after `--set`.

    Raises:
        ConfigError: If one of them is of the section `policy`.
    """
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key.partition(".")[0] == "policy":
            raise ConfigError(
                f"{key}: the script that is corrected has its values in residual.scripted; say "
                f"residual.scripted{key.removeprefix('policy')}"
            )


def residual_sections(task: str) -> dict[str, Section]:
    """Return what a correction of a task's script has besides the sections of every run.

    Args:
        task: Its name.
    """
    folder = config_folder()
    scripted = load(folder / "policy" / "scripted.yaml", ScriptedConfig)
    base = ResidualConfig(scripted=scripted)
    return {
        "residual": Section("residual", ResidualConfig, folder / "residual" / f"{task}.yaml", base),
        "reward": Section(
            "reward", ResidualReward, folder / "reward" / f"{task}.yaml", ResidualReward()
        ),
    }


def built_residual(config: RunConfig, arms: Sequence[str] | None = None) -> ResidualEnv:
    """Build what a configuration with the sections of `residual_sections` describes.

    Args:
        config: Resolved.
        arms: The arms that are corrected; all that do the task if omitted.

    Raises:
        UnknownName: If there is no such arm.
        ConfigError: If a robot's package is not installed, or the task has no motion that is
            corrected.
    """
    env = _built(config)
    residual = config.get("residual", ResidualConfig)
    try:
        for arm in arms or ():
            if arm not in env.task.arms:
                raise UnknownName("arm", arm, env.task.arms)
        refuse_other_motions(env.task, residual.authority.motions)
    except WorkcellError:
        env.close()
        raise
    guide = ScriptGuide(
        residual,
        tuple(arms or env.task.arms),
        config.names["robot"],
        config.names["level"],
    )
    return ResidualEnv(env, guide, config.get("reward", ResidualReward))


def _built(config: RunConfig, cameras: bool = False) -> AssemblyEnv:
    cell = config.get("cell", CellConfig)
    if cell.senses != SensesConfig():
        raise ConfigError(
            "cell.senses: expected the defaults: an environment shows what its cell feels. "
            "`workcell run` and `evaluate` put other senses before a policy"
        )
    return build_sim(
        config.names["task"],
        config.values["task"],
        config.get("level", Variation),
        config.get("robot", RobotConfig),
        dataclasses.replace(cell, cameras=cameras or cell.cameras),
    ).env


def refuse_other_motions(task: Task, motions: Sequence[str]) -> None:
    """Refuse a correction of motions of which a task has none: no episode would ever begin.

    Args:
        task: That would be corrected.
        motions: As `tasks.phases.Motion` names them.

    Raises:
        ConfigError: If the task has none of them.
    """
    plan = task.phases(task.sample_layout(np.random.default_rng(0)))
    known = list(dict.fromkeys(phase.motion.value for phase in plan))
    if not set(motions) & set(known):
        raise ConfigError(
            f"residual.authority.motions: expected one that this task has, of {', '.join(known)}; "
            f"got {', '.join(motions) or 'none'}"
        )
