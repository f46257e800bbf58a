"""Where a result came from: the commit, the versions, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

# What a figure may depend on, by the name pip knows it by.
DISTRIBUTIONS = (
    "numpy",
    "pybullet",
    "pin",
    "proxsuite",
    "numba",
    "example-robot-data",
    "gymnasium",
    "torch",
    "stable-baselines3",
    "pydantic",
    "scipy",
)

# What a figure may depend on, of this repository.
_CODE = ("robot", "tasks", "envs", "policies", "workcell", "configs", "pyproject.toml")


def commit() -> str:
    """Return the checkout's commit, `+changes` if its code may differ, `unknown` without git."""
    folder = Path(__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return "unknown"
    head = _git(folder, "rev-parse", "HEAD")
    # A new file is a change, too, where it may be imported or read.
    changes = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", *_CODE)
    if head is None:
        return "unknown"
    # Where git did not answer, nobody knows that there are none.
    return head if changes == "" else f"{head}+changes"


def versions() -> dict[str, str | None]:
    """Return the version of Python and of each library; None for one that is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def other_code(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return in words where commit and libraries of two results differ; empty if nowhere.

    Args:
        before: Holds `commit`, and `versions` by library, as of the functions above.
        after: Likewise.
    """
    one, two = (
        {"commit": of.get("commit"), **(of.get("versions") or {})} for of in (before, after)
    )
    changes = [
        f"{name} was {one.get(name)}, is {two.get(name)}"
        for name in {**one, **two}
        if one.get(name) != two.get(name)
    ]
    return "; ".join(changes)


def machine() -> str:
    """Return what this machine is: processor, cores, operating system."""
    model = platform.machine()
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        told = []
    names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    words = (*names[:1], model, f"{os.cpu_count()} cores", platform.platform(terse=True))
    return ", ".join(words)


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
