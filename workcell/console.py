"""What every command of the command line shares: where its words go, and how a run is shown."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from workcell.records import CycleRecord
    from workcell.run import RunResult, RunSpec

# What the process ends with, besides 0 for a command that worked and 1 for one that broke.
WRONG_QUESTION, CLAIM_NOT_SHOWN, INTERRUPTED = 2, 3, 130

Json = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object, and nothing else.")
]
Robot = Annotated[str, typer.Option(help="Name of the robot; see `workcell list`.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="E.g. task.time_limit=60; repeatable."),
]


@dataclass(frozen=True)
class Output:
    """Where a command's words go.

    Attributes:
        console: For people: standard output, or standard error beside JSON.
        stdout: File descriptor of what was standard output when the command began.
        as_json: Whether the result is printed as JSON.
    """

    console: Console
    stdout: int
    as_json: bool

    def result(self, value: dict[str, Any]) -> None:
        """Print the result, if it was asked for as JSON."""
        if self.as_json:
            os.write(self.stdout, (json.dumps(value) + "\n").encode())


@contextmanager
def open_output(as_json: bool) -> Iterator[Output]:
    """Give standard output to JSON alone, if it is asked for.

    What C++ libraries print goes to the file descriptor, past `sys.stdout`; so it is the
    descriptor that is turned away.
    """
    sys.stdout.flush()
    stdout = os.dup(1)
    try:
        if as_json:
            os.dup2(2, 1)
        # Lines are not broken at the 80 columns that a pipe is taken to have.
        console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        yield Output(console, stdout, as_json)
        sys.stdout.flush()
    except KeyboardInterrupt:
        # Of what nobody could take up again: whatever can, says so itself.
        print("workcell: interrupted", file=sys.stderr)  # noqa: T201
        raise
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def show_run(spec: RunSpec, output: Output) -> RunResult:
    """Run cycles; show each as it ends, how long the rest will take, and the figures."""
    from workcell.run import run_cycles
    from workcell.terminal import cycle_line, progress, summary_table

    console, choice = output.console, spec.choice
    ended: list[CycleRecord] = []
    earlier = 0
    began = time.monotonic()
    with console.status("building the cell") as status:

        def on_start(folder: Path, before: int) -> None:
            nonlocal earlier, began
            earlier, began = before, time.monotonic()
            names = f"{choice.task}, {choice.robot}, {choice.level}, {choice.policy}"
            done = f", {before} of them done before" if before else ""
            console.print(f"{names}: {spec.cycles} cycles{done} into {folder}", markup=False)
            status.update(f"cycle {before + 1} of {spec.cycles}")

        def on_record(record: CycleRecord) -> None:
            ended.append(record)
            done = earlier + len(ended)
            console.print(cycle_line(record, done, spec.cycles))
            status.update(progress(ended, earlier, spec.cycles, time.monotonic() - began))

        result = run_cycles(spec, on_record, on_start)
    if result.interrupted:
        console.print(f"interrupted after {len(result.records)} of {spec.cycles} cycles")
    console.print(summary_table(result.summary))
    return result
