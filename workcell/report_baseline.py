"""What people and the line do, to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Gt, Le

from workcell.config import config_folder, load

_Positive = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class Baseline:
    """What a task is compared with; None where nothing is known.

    Attributes:
        takt_s: Time in which the line wants one, in s.
        human_success_rate: Of a skilled person.
        human_time_s: That a skilled person takes, in s.
        note: Where the figures are from and what they are worth.
    """

    takt_s: _Positive | None = None
    human_success_rate: Annotated[float, Gt(0), Le(1)] | None = None
    human_time_s: _Positive | None = None
    note: str = ""


def baseline_of(task: str, folder: Path | None = None) -> Baseline:
    """Return what a task is compared with; nothing is known if it has no file.

    Args:
        task: Its name.
        folder: Of the YAML files; the project's own if omitted.

    Raises:
        ConfigError: With one line for each mistake in the file.
    """
    file = (folder or config_folder()) / "baseline" / f"{task}.yaml"
    return load(file, Baseline) if file.exists() else Baseline()
