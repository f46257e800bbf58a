"""Gymnasium environments: importing this registers one of each kind for every task.

`workcell/<Task>-v0` is the standing robot, `workcell/<Task>FixedPelvis-v0` the one whose pelvis is
bolted down, which is cheaper to train on. `workcell/<Task>Residual-v0` and
`workcell/<Task>ResidualFixedPelvis-v0` have the script inside and take corrections of it, see
`envs.residual_env`. Whether an inspection succeeds is told by what is said of the plugs at its end,
which `workcell run` asks of the policy: its environment ends by harm or by time. What is behind a
name is built by the application: an environment cannot know the robots it may be given.
"""

from __future__ import annotations

import gymnasium

from tasks import TASKS

ROBOTS = {"": "talos", "FixedPelvis": "talos_fixed"}
"""Robot of each kind of environment, by the suffix of its name."""

ENVIRONMENTS = tuple(
    f"workcell/{task.title().replace('_', '')}{suffix}-v0" for task in TASKS for suffix in ROBOTS
)
"""Every name that `gymnasium.make` takes."""

CORRECTED = ("nut_insertion", "hv_plugging")
"""Tasks in whose scripts there is something to correct."""

RESIDUAL_ENVIRONMENTS = tuple(
    f"workcell/{task.title().replace('_', '')}Residual{suffix}-v0"
    for task in CORRECTED
    for suffix in ROBOTS
)
"""Names of the environments with the script inside."""

for _name, (_task, _robot) in zip(
    ENVIRONMENTS, ((task, robot) for task in TASKS for robot in ROBOTS.values()), strict=True
):
    # Without a limit of Gymnasium's own: the task has one, in seconds, and says `truncated` itself.
    gymnasium.register(
        _name,
        entry_point="workcell.environments:make_environment",
        kwargs={"task": _task, "robot": _robot},
    )

for _name, (_task, _robot) in zip(
    RESIDUAL_ENVIRONMENTS,
    ((task, robot) for task in CORRECTED for robot in ROBOTS.values()),
    strict=True,
):
    gymnasium.register(
        _name,
        entry_point="workcell.environments:make_residual_environment",
        kwargs={"task": _task, "robot": _robot},
    )
