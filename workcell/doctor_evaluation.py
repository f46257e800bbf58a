"""What an evaluation costs beyond the episodes themselves, and what a second worker gains."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from robot.sim.stopwatch import Stopwatch
from workcell.catalog import Choice, resolve_choice
from workcell.crew import shares
from workcell.doctor_task import QUIET_SHARE
from workcell.records import CycleRecord, RunFolder
from workcell.report import write_report
from workcell.run import RunSpec, run_cycles
from workcell.stored_run import StoredRun
from workcell.traces import ForceWatch

# Of the range that is tuned on; each worker's first episode compiles and fills caches, and is not
# counted.
_SEEDS = range(41, 49)
_WORKERS = 2
_REPORTED = 600
# So many of them are called failures, so that the page shows failures too.
_FAILED_ONE_IN = 20
_MOST_OVERHEAD = 0.05
_LEAST_GAIN = 1.8
_LONGEST_REPORT = 20.0


@dataclass(frozen=True)
class EvaluationFigures:
    """What evaluating costs on this machine.

    Attributes:
        what: Task, level and robot.
        episodes: How many were counted.
        overhead: Time for records, traces, forces and handshake over that of the environment.
        policy: Time of the policy over that of the environment.
        gain: Simulated seconds per second of two workers, over those of one.
        gain_quiet: What that would be if each worker had a core of its own: from the time that
            they worked. Below 2 because they share memory and caches.
        core_share: How much of a core each of two workers was given.
        report_s: What the report about `reported` episodes took, in s.
        report_core_s: How long the process worked for it, in s.
        reported: Copies of the episodes, with seeds of their own, one in twenty called a failure.
    """

    what: str
    episodes: int
    overhead: float
    policy: float
    gain: float
    gain_quiet: float
    core_share: float
    report_s: float
    report_core_s: float
    reported: int = _REPORTED

    def rows(self) -> list[tuple[str, str]]:
        """Return the figures as names and values."""
        busy = ""
        if self.core_share < QUIET_SHARE:
            busy = f"; busy: each was given {100.0 * self.core_share:.0f} % of a core"
        return [
            (
                f"evaluation of {self.what}: overhead",
                f"{100.0 * self.overhead:.2f} % of the environment's time, n = {self.episodes} "
                f"({100.0 * _MOST_OVERHEAD:.0f} wanted)",
            ),
            ("evaluation: policy", f"{100.0 * self.policy:.2f} % of the environment's time"),
            (
                "evaluation: two workers over one",
                f"{self.gain:.2f} times; {self.gain_quiet:.2f} by the time they worked "
                f"({_LEAST_GAIN} wanted{busy})",
            ),
            (
                f"report of {self.reported} episodes, copied",
                f"{self.report_s:.1f} s, {self.report_core_s:.1f} s of own time "
                f"({_LONGEST_REPORT:.0f} wanted)",
            ),
        ]


def measure_evaluation(
    task: str = "nut_insertion", level: str = "factory", robot: str = "talos"
) -> EvaluationFigures:
    """Run the same episodes alone and with two workers, and write a large report about them.

    Args:
        task: Name of the task.
        level: How much varies.
        robot: Who does it.

    Raises:
        UnknownName: If there is no such task, level or robot.
    """
    choice = Choice(task, level=level, robot=robot)
    with tempfile.TemporaryDirectory() as scratch:
        alone, overhead, policy = _one_worker(choice, Path(scratch) / "alone")
        spec = RunSpec(choice, len(_SEEDS), _SEEDS.start, _WORKERS, run_dir=Path(scratch) / "both")
        both = run_cycles(spec).records
        report_s, report_core_s = _report(Path(scratch) / "both")
    # The first episode of each worker is left out.
    counted = [share[1:] for share in shares(_SEEDS, _WORKERS)]
    gain, gain_quiet, core_share = gain_of_workers(
        [_of(alone, seeds) for seeds in counted], [_of(both, seeds) for seeds in counted]
    )
    return EvaluationFigures(
        what=f"{task}, {level}, {robot}",
        episodes=sum(map(len, counted)),
        overhead=overhead,
        policy=policy,
        gain=gain,
        gain_quiet=gain_quiet,
        core_share=core_share,
        report_s=report_s,
        report_core_s=report_core_s,
    )


def gain_of_workers(
    alone: Sequence[Sequence[CycleRecord]], together: Sequence[Sequence[CycleRecord]]
) -> tuple[float, float, float]:
    """Return what several workers gain over one that runs the same cycles.

    Each worker is counted at its own rate: at the end of its share it waits for nobody.

    Args:
        alone: The cycles of each worker's share, as one worker ran them.
        together: The same cycles, as each worker ran its share beside the others.

    Returns:
        Their simulated seconds per real second over those of one; the same per second that they
        worked, which is what it would be if each had a core of its own; and how much of a core
        each was given.
    """
    one = [record for share in alone for record in share]
    two = [record for share in together for record in share]
    rate = sum(_sum("sim_s", share) / _sum("wall_s", share) for share in together)
    return (
        rate * _sum("wall_s", one) / _sum("sim_s", one),
        len(together) * _sum("core_s", one) / _sum("core_s", two),
        _sum("core_s", two) / _sum("wall_s", two),
    )


def _sum(name: str, records: Sequence[CycleRecord]) -> float:
    return float(sum(getattr(record, name) for record in records))


def _of(records: Sequence[CycleRecord], seeds: Sequence[int]) -> list[CycleRecord]:
    return [record for record in records if record.seed in seeds]


def _one_worker(choice: Choice, folder: Path) -> tuple[list[CycleRecord], float, float]:
    """Run the episodes in this process; return them, and overhead and policy over environment."""
    # Brings the physics with it, which an examination alone does not need.
    from workcell.build import build_cycle
    from workcell.robot_cell import CellConfig

    config = resolve_choice(choice)
    runner = build_cycle(config)
    watch = Stopwatch(time.process_time)
    runner.time_parts(watch)
    # What keeps the forces is called inside the environment, and is no part of it: a second one
    # takes as long as the first.
    loop = runner.env.loop
    second = ForceWatch(loop.cell.guard.config.force_limit, config.get("cell", CellConfig).dt)
    loop.add_listener(watch.timed("forces", second))
    records = []
    total = written = 0.0
    with RunFolder(folder) as stored:
        for number, seed in enumerate(_SEEDS):
            if number == 1:
                # The first episode compiles what is compiled, and fills the caches.
                watch.seconds.update(dict.fromkeys(watch.seconds, 0.0))
                total = written = 0.0
            second.reset()
            worked = time.process_time()
            records.append(runner.run(seed))
            total += time.process_time() - worked
            # By the clock on the wall, because it waits for the disk.
            began = time.perf_counter()
            stored.add(records[-1])
            written += time.perf_counter() - began
    runner.close()
    return records, *beyond(total, written, watch.seconds)


def beyond(total: float, written: float, parts: Mapping[str, float]) -> tuple[float, float]:
    """Return what the books and the policy took, as shares of what the bare environment took.

    Args:
        total: What the cycles took, writing left out, in s.
        written: What writing took, in s.
        parts: Of that: `environment`, in which forces were kept twice, `policy`, and `forces`,
            which is what keeping them took once, in s.
    """
    forces, policy = parts["forces"], parts["policy"]
    bare = parts["environment"] - 2.0 * forces
    # Forces are kept for the books, but only once.
    books = total - parts["environment"] - policy + forces + written
    return books / bare, policy / bare


def _report(folder: Path) -> tuple[float, float]:
    """Write a page about many copies of a run's cycles; return real and own time, in s."""
    run, large = StoredRun.read(folder), folder.with_name("large")
    with RunFolder(large) as stored:
        stored.write("config.yaml", (folder / "config.yaml").read_text(encoding="utf-8"))
        for number in range(_REPORTED):
            record = run.records[number % len(run.records)]
            copy = dataclasses.replace(
                record, seed=_SEEDS.start + number, trace=run.trace(record.seed)
            )
            if number % _FAILED_ONE_IN == 0:
                copy = dataclasses.replace(copy, success=False, failure="called_failed")
            stored.add(copy)
    began, worked = time.perf_counter(), time.process_time()
    write_report([StoredRun.read(large)], large / "report.html")
    return time.perf_counter() - began, time.process_time() - worked
