"""Files that are whole or not there, and folders that one process writes."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from robot.errors import ConfigError


def refuse_existing(path: Path, option: str = "--run-dir") -> None:
    """Raise `ConfigError` if a run's folder exists: results are never mixed with older ones."""
    if path.exists():
        raise ConfigError(
            f"{option}: {path} exists and is not overwritten; name one that does not exist"
        )


def new_folder(name: str) -> Path:
    """Return a folder in `runs` that does not exist yet, named after what is run and when."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    first = Path("runs") / f"{name}-{stamp}"
    path, number = first, 2
    while path.exists():
        path, number = first.with_name(f"{first.name}-{number}"), number + 1
    return path


def write_onto_disk(path: Path, data: bytes) -> None:
    """Write a file, and return when it is on the disk.

    Args:
        path: Of the file.
        data: What it is to hold.

    Raises:
        OSError: If it cannot be written.
    """
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that exists is replaced, or stays.

    Args:
        path: Of the file; it is known by its name only once it is whole.
        data: What it is to hold.

    Raises:
        OSError: If it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        write_onto_disk(unfinished, data)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_asked(path: Path, data: bytes, option: str) -> None:
    """Write a file that was asked for as `replace_file` does.

    Args:
        path: Of the file.
        data: What it is to hold.
        option: What asked for it, for the message.

    Raises:
        ConfigError: If it cannot be written.
    """
    try:
        replace_file(path, data)
    except OSError as error:
        raise ConfigError(f"{option}: cannot write {path}: {error.strerror}") from None


def lock(stream: IO[str], path: Path) -> None:
    """Keep other processes out of a folder while a file in it is open.

    Args:
        stream: The file; it is closed if another process holds it.
        path: Of the folder.

    Raises:
        ConfigError: If so.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise ConfigError(f"{path}: is being written by another process") from None
