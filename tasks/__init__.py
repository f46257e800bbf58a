"""The job: parts, plans, judgement, reward. `TASKS` is where a new one is listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from robot.errors import UnknownName
from tasks.nut_insertion import NutInsertion, NutInsertionConfig
from tasks.task import Task
from tasks.variation import Variation


@dataclass(frozen=True)
class TaskEntry:
    """A task that can be asked for by name.

    Attributes:
        config: Its configuration class.
        make: Builds it from a configuration and a level of variation.
    """

    config: type[Any]
    make: Callable[[Any, Variation], Task]


TASKS: Mapping[str, TaskEntry] = {
    NutInsertion.name: TaskEntry(NutInsertionConfig, NutInsertion),
}


def task_named(name: str) -> TaskEntry:
    """Return how to build a task.

    Raises:
        UnknownName: If there is none of that name.
    """
    if name not in TASKS:
        raise UnknownName("task", name, TASKS)
    return TASKS[name]
