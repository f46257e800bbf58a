"""What `gymnasium.make` builds: a task on a simulated cell, chosen by names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from envs.assembly_env import AssemblyEnv
from robot.errors import UnknownName
from robot.robot_config import RobotConfig
from tasks.variation import Variation
from workcell.build import CellConfig, build_sim
from workcell.catalog import Choice, resolve_choice


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
    cell = config.get("cell", CellConfig)
    env = build_sim(
        task,
        config.values["task"],
        config.get("level", Variation),
        config.get("robot", RobotConfig),
        dataclasses.replace(cell, cameras=cameras or cell.cameras),
    ).env
    env.render_mode = render_mode
    return env
