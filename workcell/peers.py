"""Projects that ours is measured beside: what they are, and a virtual environment for each."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from annotated_types import MinLen

from robot.errors import ConfigError, UnknownName, WorkcellError
from workcell.config import file_names, load_named
from workcell.step_rate import INTERFACES

# Written last into a virtual environment: one without it was interrupted and is made anew.
_STAMP = "installed"
_HASH_LENGTH = 12


class PeerFailed(WorkcellError):
    """A peer could not be installed or does not run; says why."""


@dataclass(frozen=True)
class PeerEnvironment:
    """One environment of a peer.

    Attributes:
        make: What its interface knows it by.
        robot: What moves in it, in a few words.
        options: Further arguments it is built with.
    """

    make: str
    robot: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """A project whose environments are measured.

    Attributes:
        description: What it is, in one line.
        interface: How its environments are built, one of `step_rate.INTERFACES`.
        library: Distribution that its environments come from.
        engine: Distribution of the physics engine.
        control_period: Dotted attribute of an environment that is the time of a step, in s.
        physics_period: Likewise that of a physics step, in s.
        contacts: How bodies touch, and what else a step does, in a sentence or two: it decides
            what a step costs.
        environments: What is measured.
        packages: What is installed, each `NAME==VERSION`; nothing for what runs in the
            interpreter that asks.
        imports: Modules that register the environments.
    """

    description: str
    interface: str
    library: str
    engine: str
    control_period: str
    physics_period: str
    contacts: str
    environments: Annotated[tuple[PeerEnvironment, ...], MinLen(1)]
    packages: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be built, or would be another thing tomorrow."""
        if self.interface not in INTERFACES:
            raise UnknownName("interface", self.interface, INTERFACES)
        for package in self.packages:
            name, equals, version = package.partition("==")
            if not (name and equals and version) or name.startswith("-"):
                raise ValueError(f"packages: expected NAME==VERSION, got {package!r}")

    def spec(self, environment: PeerEnvironment, warm_up_s: float) -> dict[str, Any]:
        """Return what `step_rate.build` is told about an environment.

        Args:
            environment: One of this peer's.
            warm_up_s: How long it is stepped before it is measured, in s.
        """
        return {
            "interface": self.interface,
            "imports": list(self.imports),
            "make": environment.make,
            "options": dict(environment.options),
            "control_period": self.control_period,
            "physics_period": self.physics_period,
            "distributions": list(dict.fromkeys((self.library, self.engine))),
            "warm_up_s": warm_up_s,
        }


def peer_names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the name of every peer; the project's own environments come first.

    Args:
        folder: Of the YAML files; the project's own if omitted.
    """
    return tuple(sorted(file_names("peer", folder), key=lambda name: name != "workcell"))


def load_peer(name: str, folder: Path | None = None) -> Peer:
    """Return a peer by name.

    Args:
        name: Of its file in `configs/peer`.
        folder: Of the YAML files; the project's own if omitted.

    Raises:
        UnknownName: If there is none of that name.
        ConfigError: With one line for each mistake in its file.
    """
    return load_named("peer", name, Peer, folder)


def default_venvs() -> Path:
    """Return where virtual environments are kept unless somebody names another folder."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "workcell" / "peers"


def interpreter_of(
    name: str,
    peer: Peer,
    venvs: Path,
    on_install: Callable[[Path], None] = lambda folder: None,
) -> Path:
    """Return the interpreter that a peer runs in, after installing it if it is not there yet.

    Args:
        name: Of the peer.
        peer: What it needs.
        venvs: Folder of the virtual environments; each is named after what is in it.
        on_install: Called with the folder of one before it is made, which takes minutes.

    Raises:
        PeerFailed: If it cannot be installed.
    """
    if not peer.packages:
        return Path(sys.executable)
    told = "\n".join((platform.python_version(), *peer.packages))
    folder = venvs / f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:_HASH_LENGTH]}"
    python = folder / "bin" / "python"
    if (folder / _STAMP).is_file():
        return python
    on_install(folder)
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--venvs: cannot write {folder}: {error.strerror}") from None
    # Filled by the pip of this interpreter: that of a Debian python3 cannot make one with its own.
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], "python -m venv")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", *peer.packages], f"pip install {' '.join(peer.packages)}")
    (folder / _STAMP).write_text(told + "\n", encoding="utf-8")
    return python


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerFailed(f"{what}: {reason_in(done.stderr)}")


def reason_in(words: str) -> str:
    """Return the line of what a program printed that most likely says why it ended.

    Args:
        words: Its standard error.
    """
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    # pip marks its reasons, and adds advice below them; of a traceback it is the last line.
    marked = [line for line in lines if line.startswith("ERROR:")]
    return (marked or lines or ["it said nothing"])[-1]
