"""Touch networks on the disk: which one comes along, and whether a folder holds one."""

from __future__ import annotations

from pathlib import Path

from policies.tactile.estimator import TouchPolicy
from robot.errors import ConfigError
from workcell.config import config_folder
from workcell.policy_folder import MANIFEST, read_policy


def shipped_touch(task: str) -> Path:
    """Return the folder of the touch network that comes along for a task."""
    return config_folder() / "touch" / task


def touch_named(name: str) -> TouchPolicy:
    """Return a touch network: that in a folder, or the one that comes along for a task.

    Args:
        name: A folder, or the name of a task.

    Raises:
        ConfigError: If there is none, or it is not sound.
    """
    folder = Path(name)
    return touch_network(folder if folder.is_dir() else shipped_touch(name))


def touch_network(path: Path) -> TouchPolicy:
    """Return a touch network.

    Args:
        path: Its folder.

    Raises:
        ConfigError: If there is none, or it is not sound.
    """
    if not (path / MANIFEST).is_file():
        raise ConfigError(
            f"{path}: expected the folder of a touch network; `workcell touch train` makes one"
        )
    policy = read_policy(path).policy()
    if not isinstance(policy, TouchPolicy):
        raise ConfigError(
            f"{path}: expected a touch network, found a policy for {policy.contract.task}. "
            "`workcell policy show` says what a folder holds"
        )
    return policy
