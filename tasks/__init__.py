"""The job: parts, plans, judgement, reward. `TASKS` is where a new one is listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from robot.errors import UnknownName
from tasks.hv_config import HvPluggingConfig
from tasks.hv_inspection import HvInspection, HvInspectionConfig
from tasks.hv_inspection_layout import HV_INSPECTION_LEVELS
from tasks.hv_packs import PackModel
from tasks.hv_plugging import HvPlugging
from tasks.hv_variation import HV_LEVELS
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.nut_variation import NUT_LEVELS
from tasks.parts.hv_connector import ConnectorType
from tasks.task import Task
from tasks.variation import Variation


@dataclass(frozen=True)
class TaskEntry:
    """A task that can be asked for by name.

    Attributes:
        config: Its configuration class.
        make: Builds it from a configuration and a level of variation.
        levels: Its levels of variation, by name; the same names for every task.
        fixture: What simulates its station, as `module:class`, a `tasks.sim_scene.SimFixture` made
            of the robot's hands and the task. Imported when asked for: it brings the physics along.
        libraries: Fields of the configuration that are filled from a folder of files, one entry per
            file and named after it: folder and class of an entry, by field.
    """

    config: type[Any]
    make: Callable[[Any, Any], Task]
    levels: Mapping[str, Variation]
    fixture: str
    libraries: Mapping[str, tuple[str, type[Any]]] = field(default_factory=dict)


_HV_LIBRARIES: Mapping[str, tuple[str, type[Any]]] = {
    "connectors": ("connector", ConnectorType),
    "packs": ("pack", PackModel),
}

TASKS: Mapping[str, TaskEntry] = {
    NutInsertion.name: TaskEntry(
        NutInsertionConfig, NutInsertion, NUT_LEVELS, "tasks.nut_fixture:NutFixture"
    ),
    HvPlugging.name: TaskEntry(
        HvPluggingConfig,
        HvPlugging,
        HV_LEVELS,
        "tasks.hv_fixture:HvFixture",
        _HV_LIBRARIES,
    ),
    HvInspection.name: TaskEntry(
        HvInspectionConfig,
        HvInspection,
        HV_INSPECTION_LEVELS,
        "tasks.hv_inspection_fixture:HvInspectionFixture",
        _HV_LIBRARIES,
    ),
}


def task_named(name: str) -> TaskEntry:
    """Return how to build a task.

    Raises:
        UnknownName: If there is none of that name.
    """
    if name not in TASKS:
        raise UnknownName("task", name, TASKS)
    return TASKS[name]
