"""What a report says in words: numbers, commands, and what stands against a run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from workcell.rates import at_least, at_most, nearest
from workcell.stored_run import StoredRun

# Between a number and its unit: no line is broken there.
SPACE = "\u00a0"


def doubts(run: StoredRun) -> list[str]:
    """Return what stands against taking a run's figures at their face value."""
    found = []
    if not run.complete:
        found.append(
            f"{len(run.records)} of {run.cycles} cycles have ended: the run is going on or was "
            f"interrupted; `workcell evaluate --resume {run.path}` goes on with it."
        )
    found += mixtures(run)
    if any(record.commit.endswith("+changes") for record in run.records):
        found.append("The code differed from its commit: nobody else can check it out.")
    return found


def mixtures(run: StoredRun) -> list[str]:
    """Return in what a run's cycles are not all of one kind."""
    found = []
    commits = sorted({record.commit or "unknown" for record in run.records})
    if len(commits) > 1:
        found.append(f"The cycles were run by {len(commits)} commits: {', '.join(commits)}.")
    mixed = [
        name
        for name in dict.fromkeys(name for record in run.records for name in record.versions)
        if len({record.versions.get(name) for record in run.records}) > 1
    ]
    if mixed:
        found.append(f"The cycles were run with several versions of {', '.join(mixed)}.")
    if {record.config_hash for record in run.records} - {run.config_hash, ""}:
        found.append("Some cycles were run with another configuration than `config.yaml` holds.")
    strange = [record.seed for record in run.records if record.seed not in run.seeds]
    if strange:
        found.append(f"{len(strange)} cycles have seeds that were not asked for.")
    return found


def run_command(run: StoredRun) -> str:
    """Return the command that makes a run again."""
    return _command(run, "evaluate", ["--episodes", str(run.cycles), "--seed", str(run.seeds[0])])


def cycle_command(run: StoredRun, seed: int) -> str:
    """Return the command that makes one cycle of a run again and films it."""
    more = ["--cycles", "1", "--seed", str(seed), "--video", f"{seed}.mp4"]
    return _command(run, "run", more)


def _command(run: StoredRun, verb: str, more: Sequence[str]) -> str:
    choice = run.choice
    words = ["workcell", verb, choice.task, "--policy", choice.policy, "--level", choice.level]
    words += ["--robot", choice.robot, *more]
    for override in run.asked["overrides"]:
        words += ["--set", override]
    return shlex.join(words)


def percent(rate: float) -> str:
    """Return a rate in percent, with more digits the nearer it is to one."""
    return f"{nearest(rate, _digits(rate))}{SPACE}%"


def bounds(low: float, high: float) -> str:
    """Return an interval of a rate in percent, rounded outwards."""
    ends = (at_least(low, _digits(low)), at_most(high, _digits(high)))
    return " to ".join(f"{end}{SPACE}%" for end in ends)


def lowest(bound: float) -> str:
    """Return a lower bound of a rate in percent, rounded down."""
    return f"{at_least(bound, _digits(bound))}{SPACE}%"


def _digits(rate: float) -> int:
    return 1 if rate <= 0.99 or rate == 1.0 else 2


def seconds(time_s: float | None) -> str:
    """Return a time, or `none`."""
    return "none" if time_s is None else f"{time_s:.1f}{SPACE}s"


def number(value: float | None) -> str:
    """Return a number with as many digits as one can use, or `none`."""
    return "none" if value is None else f"{value:.3g}"
