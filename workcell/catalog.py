"""What can be named on the command line, and the configuration class behind each name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policies import POLICIES
from robot.errors import ConfigError, UnknownName
from robot.robot_config import RobotConfig
from tasks import TASKS, TaskEntry
from tasks.variation import LEVELS
from workcell.config import RunConfig, Section, config_folder, file_names, load, load_named, resolve
from workcell.imports import imported
from workcell.policy_folder import MANIFEST, StoredPolicy, read_policy

if TYPE_CHECKING:
    from workcell.robot_cell import CellConfig


@dataclass(frozen=True)
class Choice:
    """What a run is made of, by name.

    Attributes:
        task: As in `TASKS`.
        level: As in `LEVELS`.
        robot: Name of a file in `configs/robot`.
        policy: As in `POLICIES`, or a learned one: a folder in `configs/policy`, or anywhere.
    """

    task: str
    level: str = "factory"
    robot: str = "talos"
    policy: str = "scripted"


def known_names(folder: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Return every name there is, by kind.

    Args:
        folder: Of the YAML files; the project's own if omitted.
    """
    folder = folder or config_folder()
    learned = (folder / "policy").glob(f"*/{MANIFEST}")
    return {
        "task": tuple(sorted(TASKS)),
        "level": tuple(LEVELS),
        "robot": file_names("robot", folder),
        "policy": tuple(sorted({*POLICIES, *(file.parent.name for file in learned)})),
    }


def resolve_choice(
    choice: Choice,
    overrides: Sequence[str] = (),
    folder: Path | None = None,
    more: Mapping[str, Section] | None = None,
) -> RunConfig:
    """Return every value of what was chosen by name.

    Args:
        choice: The names.
        overrides: Of the form `task.time_limit=60`.
        folder: Of the YAML files; the project's own if omitted.
        more: Sections besides those of every run.

    Raises:
        UnknownName: If one of the names does not exist; names the closest one.
        ConfigError: With one line for each mistake in a file or an override.
    """
    folder = folder or config_folder()
    names = dataclasses.asdict(choice)
    for kind, known in known_names(folder).items():
        if names[kind] not in known and not (kind == "policy" and _is_path(names[kind])):
            raise UnknownName(kind, names[kind], known)
    config = resolve({**_sections(names, folder), **(more or {})}, overrides)
    return dataclasses.replace(config, values={**config.values, "cell": _with_networks(config)})


def _with_networks(config: RunConfig) -> CellConfig:
    """Return the cell with the files of the networks that act in it."""
    cell: CellConfig = config.values["cell"]
    paths = {}
    # What trains them comes along with these modules, which most runs need not wait for.
    if cell.senses.touch == "network":
        from workcell.touch_network import shipped_touch

        paths["touch"] = shipped_touch(config.names["task"])
    if cell.balance:
        from workcell.balance import shipped_balance

        paths["balance"] = shipped_balance(config.names["robot"])
    # One that is missing is said where it is needed, with what to do about it.
    stored = {name: read_policy(path) for name, path in paths.items() if path.is_dir()}
    networks = {name: policy.config.source for name, policy in stored.items()}
    return dataclasses.replace(cell, networks=networks)


def learned_policy(name: str, folder: Path | None = None) -> StoredPolicy | None:
    """Return a policy that is a folder, read and checked, or None for one that is code.

    Args:
        name: As in `Choice`.
        folder: Of the YAML files; the project's own if omitted.

    Raises:
        UnknownName: If there is none of that name.
        ConfigError: If the folder does not hold a sound policy.
    """
    if name in POLICIES:
        return None
    known = known_names(folder)["policy"]
    if name in known:
        return read_policy((folder or config_folder()) / "policy" / name)
    if not _is_path(name):
        raise UnknownName("policy", name, known)
    return read_policy(Path(name))


def _is_path(name: str) -> bool:
    """Return whether a policy's name is that of a folder: one that is there, or spelled as one."""
    return "/" in name or Path(name).is_dir()


def load_robot(name: str) -> RobotConfig:
    """Return the configuration of a robot by name.

    Raises:
        UnknownName: If there is none.
        ConfigError: With one line for each mistake in its file.
    """
    return load_named("robot", name, RobotConfig)


def _sections(names: Mapping[str, str], folder: Path) -> dict[str, Section]:
    # Brings the controller and the physics with it, which a misspelled name need not wait for.
    from workcell.robot_cell import CellConfig

    def section(kind: str, name: str, config: type[Any], base: Any) -> Section:
        return Section(name, config, folder / kind / f"{name}.yaml", base)

    entry = TASKS[names["task"]]
    level = entry.levels[names["level"]]
    return {
        "task": section("task", names["task"], entry.config, _task_base(entry, folder)),
        "level": section("level", names["level"], type(level), level),
        "robot": section("robot", names["robot"], RobotConfig, None),
        "cell": section("cell", "sim", CellConfig, CellConfig()),
        "policy": _policy_section(names, folder),
    }


def _policy_section(names: Mapping[str, str], folder: Path) -> Section:
    name = names["policy"]
    learned = learned_policy(name, folder)
    if learned is None:
        config = _policy_config(name)
        return Section(name, config, folder / "policy" / f"{name}.yaml", config())
    try:
        learned.manifest.contract.refuse_other(names["task"], names["robot"])
    except ConfigError as error:
        raise ConfigError(f"--policy {name}: {error}") from None
    return Section(name, type(learned.config), None, learned.config)


def _task_base(entry: TaskEntry, folder: Path) -> Any:
    """Return a task's configuration as its libraries fill it, before its own file is read."""
    libraries = {
        field: {file.stem: load(file, kind) for file in sorted((folder / name).glob("*.yaml"))}
        for field, (name, kind) in entry.libraries.items()
    }
    try:
        return entry.config(**libraries)
    except ValueError as error:
        # Each file alone is sound: what it says contradicts another.
        files = ", ".join(str(folder / name) for name, _ in entry.libraries.values())
        raise ConfigError(f"{files}: {error}") from None


def _policy_config(name: str) -> type[Any]:
    """Return a policy's configuration class: `<Name>Config` in the module of `<Name>Policy`."""
    config: type[Any] = imported(POLICIES[name].removesuffix("Policy") + "Config")
    return config
