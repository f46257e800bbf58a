"""Environment steps per second of this project and of others, on one machine in one go.

Each environment has a process of its own, which is built and warmed up once. Then they take turns,
round after round, while the others wait: whatever else the machine does in the meantime, all of
them see of it. What is counted is the time that a process worked, not the time that passed.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from robot.errors import ConfigError
from workcell.files import refuse_existing, replace_file
from workcell.peer_process import PeerProcess
from workcell.peers import Peer, PeerEnvironment, PeerFailed, interpreter_of
from workcell.provenance import commit, machine


@dataclass(frozen=True)
class Plan:
    """How long is measured.

    Attributes:
        seconds: Own time of a process in each round, in s.
        rounds: How often each has its turn.
        warm_up_s: How long each is stepped before, in s of own time.
    """

    seconds: float = 3.0
    rounds: int = 5
    warm_up_s: float = 3.0

    def __post_init__(self) -> None:
        """Refuse what measures nothing."""
        for name, value in (("--seconds", self.seconds), ("--rounds", self.rounds)):
            if not value > 0:
                raise ConfigError(f"{name}: expected more than 0, got {value:g}")


@dataclass(frozen=True)
class StepRate:
    """How fast one environment stepped with random actions.

    Attributes:
        peer: Name of the project.
        environment: What the project calls it.
        robot: What moves in it.
        versions: Of its library, first, and of its physics engine, last, by distribution.
        control_dt: Time of a step, in s.
        physics_dt: Time of a physics step, in s.
        rounds: What was counted in each turn, as `step_rate.StepLoop.measure` returns it.
    """

    peer: str
    environment: str
    robot: str
    versions: Mapping[str, str | None]
    control_dt: float
    physics_dt: float
    rounds: tuple[Mapping[str, float], ...]

    @property
    def rates(self) -> list[float]:
        """Steps per second of own time in each turn, resets left out."""
        return [r["steps"] / max(r["core_s"] - r["reset_core_s"], 1e-9) for r in self.rounds]

    @property
    def steps_per_s(self) -> float:
        """Their median."""
        return float(np.median(self.rates))

    @property
    def steps_per_s_with_resets(self) -> float:
        """Steps per second of own time over all turns, resets included."""
        return sum(r["steps"] for r in self.rounds) / sum(r["core_s"] for r in self.rounds)

    @property
    def real_time_factor(self) -> float:
        """Simulated seconds per second of own time, resets left out."""
        return self.steps_per_s * self.control_dt

    @property
    def core_share(self) -> float:
        """How much of one core the process was given while it was its turn."""
        return sum(r["core_s"] for r in self.rounds) / sum(r["wall_s"] for r in self.rounds)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints of it."""
        return {
            "peer": self.peer,
            "environment": self.environment,
            "robot": self.robot,
            "versions": dict(self.versions),
            "physics_hz": 1.0 / self.physics_dt,
            "action_hz": 1.0 / self.control_dt,
            "steps_per_s": self.steps_per_s,
            "steps_per_s_low": min(self.rates),
            "steps_per_s_high": max(self.rates),
            "steps_per_s_with_resets": self.steps_per_s_with_resets,
            "real_time_factor": self.real_time_factor,
            "physics_steps_per_s": self.real_time_factor / self.physics_dt,
            "core_share": self.core_share,
            "rounds": [dict(r) for r in self.rounds],
        }


@dataclass(frozen=True)
class SideBySide:
    """What came of a comparison.

    Attributes:
        rates: Of each environment that ran, in the order in which they were asked for.
        failures: Why something did not run, by peer or `peer: environment, robot`.
        contacts: What a step does, by peer.
    """

    rates: tuple[StepRate, ...]
    failures: Mapping[str, str]
    contacts: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints, besides where and when it was measured."""
        return {
            "environments": [rate.as_json() for rate in self.rates],
            "failures": dict(self.failures),
            "contacts": dict(self.contacts),
        }

    def table(self) -> str:
        """Return the figures as lines of text."""
        head = (
            *("environment", "robot", "of", "engine", "physics Hz", "actions Hz"),
            *("steps/s", "lowest-highest", "with resets", "simulated s per s"),
        )
        lines = [head, *(_row(rate) for rate in self.rates)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        text = ["  ".join(_cells(line, widths)).rstrip() for line in lines] if self.rates else []
        text += [f"{name} is missing: {reason}" for name, reason in self.failures.items()]
        measured = {rate.peer for rate in self.rates}
        text += [f"{name}: {said}" for name, said in self.contacts.items() if name in measured]
        return "\n".join(text)


def _row(rate: StepRate) -> tuple[str, ...]:
    versions = [f"{name} {version or 'checkout'}" for name, version in rate.versions.items()]
    return (
        rate.environment,
        rate.robot,
        versions[0],
        versions[-1],
        f"{1.0 / rate.physics_dt:.0f}",
        f"{1.0 / rate.control_dt:.0f}",
        f"{rate.steps_per_s:.0f}",
        f"{min(rate.rates):.0f}-{max(rate.rates):.0f}",
        f"{rate.steps_per_s_with_resets:.0f}",
        f"{rate.real_time_factor:.1f}",
    )


def _cells(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return a line's cells as wide as their columns: words to the left, numbers to the right."""
    words = 4
    return [
        f"{cell:<{width}}" if place < words else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def compare_speed(
    peers: Mapping[str, Peer],
    plan: Plan,
    venvs: Path,
    folder: Path,
    on_progress: Callable[[str], None] = lambda words: None,
) -> SideBySide:
    """Measure every environment of some projects and write the figures into a new folder.

    `result.json` holds every turn of every environment, where and when; `table.txt` the table.

    Args:
        peers: As in `measure_side_by_side`.
        plan: Likewise.
        venvs: Likewise.
        folder: Of the results, what the processes printed among them.
        on_progress: Called with what is being done.

    Raises:
        ConfigError: If the folder exists or cannot be made.
    """
    refuse_existing(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"--run-dir: cannot make {folder}: {error.strerror}") from None
    where = {"machine": machine(), "commit": commit(), "began": time.strftime("%FT%T%z")}
    found = measure_side_by_side(peers, plan, venvs, folder, on_progress)
    result = {**where, "plan": dataclasses.asdict(plan), **found.as_json()}
    replace_file(folder / "result.json", (json.dumps(result, indent=2) + "\n").encode())
    replace_file(folder / "table.txt", (found.table() + "\n").encode())
    return found


def measure_side_by_side(
    peers: Mapping[str, Peer],
    plan: Plan,
    venvs: Path,
    logs: Path,
    on_progress: Callable[[str], None] = lambda words: None,
) -> SideBySide:
    """Measure every environment of some projects; what fails is named, and the others go on.

    Args:
        peers: The projects, by name.
        plan: How long.
        venvs: Folder of the virtual environments, see `peers.interpreter_of`.
        logs: Existing folder, for what the processes print.
        on_progress: Called with what is being done.
    """
    failures: dict[str, str] = {}
    turns: dict[tuple[str, int], PeerProcess] = {}
    counted: dict[tuple[str, int], list[Mapping[str, float]]] = {}
    with ExitStack() as stack:
        for name, peer in peers.items():
            try:
                python = interpreter_of(
                    name, peer, venvs, lambda folder: on_progress(f"installing into {folder}")
                )
            except PeerFailed as error:
                failures[name] = str(error)
                continue
            for number, environment in enumerate(peer.environments):
                on_progress(f"building {environment.make}")
                spec = peer.spec(environment, plan.warm_up_s)
                process = PeerProcess(
                    python, spec, logs / f"{name}-{number}.log", apart=bool(peer.packages)
                )
                try:
                    turns[name, number] = stack.enter_context(process)
                except PeerFailed as error:
                    failures[_named(name, environment)] = str(error)
        for turn in range(plan.rounds):
            for (name, number), process in list(turns.items()):
                environment = peers[name].environments[number]
                on_progress(f"round {turn + 1} of {plan.rounds}: {environment.make}")
                try:
                    rates = counted.setdefault((name, number), [])
                    rates.append(process.measure(plan.seconds))
                except PeerFailed as error:
                    failures[_named(name, environment)] = str(error)
                    del turns[name, number]
    return SideBySide(
        tuple(
            StepRate(
                name,
                peers[name].environments[number].make,
                peers[name].environments[number].robot,
                process.facts["versions"],
                process.facts["control_dt"],
                process.facts["physics_dt"],
                tuple(counted[name, number]),
            )
            for (name, number), process in turns.items()
        ),
        failures,
        {name: peer.contacts for name, peer in peers.items()},
    )


def _named(peer: str, environment: PeerEnvironment) -> str:
    """Return what one environment is called; a peer may have the same one with several robots."""
    return f"{peer}: {environment.make}, {environment.robot}"
