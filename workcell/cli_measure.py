"""The commands that measure: `evaluate`, `benchmark`, `compare` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from robot.errors import ConfigError
from workcell.console import CLAIM_NOT_SHOWN, INTERRUPTED, Json, Overrides, open_output, show_run


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(evaluate)
    app.command()(benchmark)
    app.command()(compare)
    app.command()(report)


def evaluate(
    context: typer.Context,
    task: Annotated[
        str | None, typer.Argument(help="Name of the task; see `workcell list`.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="Who acts: a name, or a folder. \\[default: scripted]")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="How much varies between episodes. \\[default: factory]")
    ] = None,
    episodes: Annotated[int | None, typer.Option(help="How many. \\[default: 100]")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the first episode. \\[default: 1000000]")
    ] = None,
    robot: Annotated[str | None, typer.Option(help="Name of the robot. \\[default: talos]")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that share the episodes. \\[default: 1]")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="Where they run: local or ray. \\[default: local]")
    ] = None,
    claim: Annotated[
        float | None, typer.Option(help="Success rate to be shown, e.g. 0.99.")
    ] = None,
    overrides: Overrides = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the evaluation in this folder.")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="New folder for the results.")] = None,
    as_json: Json = False,
) -> int:
    """Measure how often and how fast a policy does a task, on a fixed list of seeds.

    With --resume everything that is left out is as it was. Ends with 3 if a claim is not shown, and
    with 130 if it was interrupted, when a claim is still open.
    """
    from workcell.evaluate import Question, remarks

    question = Question(
        task, level, robot, policy, episodes, seed,
        tuple(overrides) if overrides else None,
        claim, workers, backend, run_dir, resume, context.obj,
    )  # fmt: skip
    spec = question.spec()
    with open_output(as_json) as output:
        for remark in remarks(spec):
            output.console.print(f"note: {remark}")
        result = show_run(spec, output)
        if result.claim is not None:
            output.console.print(f"claim {result.claim.sentence()}")
        output.console.print(f"next: workcell report {result.run_dir}", markup=False)
        output.result(result.as_json())
    if result.interrupted:
        return INTERRUPTED
    return CLAIM_NOT_SHOWN if result.claim is not None and not result.claim.shown else 0


def benchmark(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the benchmark; see `workcell list`.")],
    episodes: Annotated[
        int | None, typer.Option(help="Of each evaluation. \\[default: as the benchmark says]")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of the first episode of each. \\[default: as the benchmark says]"),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the episodes.")] = 1,
    backend: Annotated[str, typer.Option(help="Where they run: local or ray.")] = "local",
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the benchmark in this folder.")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="New folder for the results.")] = None,
    as_json: Json = False,
) -> int:
    """Evaluate every combination of tasks, levels, policies and changes that a benchmark names."""
    from workcell.report import comparable
    from workcell.run import FACTORY, RunResult, RunSpec
    from workcell.suites import begun_with, load_suite, run_suite, stored_runs
    from workcell.terminal import comparison_table

    suite = load_suite(name)
    if resume is not None and run_dir is not None:
        raise ConfigError(f"--run-dir: leave it out; --resume goes on in {resume}")
    if resume is not None:
        episodes_before, seed_before = begun_with(resume)
        suite = suite.of(episodes_before, seed_before)
    suite = suite.of(episodes, seed)
    with open_output(as_json) as output:
        console = output.console

        def run(spec: RunSpec) -> RunResult:
            console.rule(spec.run_dir.name if spec.run_dir else "")
            return show_run(spec, output)

        folder, results = run_suite(
            name,
            suite,
            run,
            workers=workers,
            backend=backend,
            run_dir=resume or run_dir,
            resume=resume is not None,
            factory=context.obj or FACTORY,
        )
        comparisons = [item for _, _, item in comparable(stored_runs(folder, results))]
        for comparison in comparisons:
            console.rule()
            console.print(comparison_table(comparison))
        console.print(f"next: workcell report {folder}", markup=False)
        complete = len(results) == len(suite.arms()) and all(r.complete for r in results.values())
        output.result(
            {
                "benchmark": name,
                "run_dir": str(folder),
                "complete": complete,
                "runs": {arm: result.as_json() for arm, result in results.items()},
                "comparisons": [comparison.as_json() for comparison in comparisons],
            }
        )
    return INTERRUPTED if any(result.interrupted for result in results.values()) else 0


def compare(
    run_a: Annotated[Path, typer.Argument(help="Folder of a run.")],
    run_b: Annotated[Path, typer.Argument(help="Folder of the run that is compared with it.")],
    seed: Annotated[int, typer.Option(help="Of the resampling of times.")] = 0,
    as_json: Json = False,
) -> int:
    """Compare two runs of one task, seed by seed."""
    from workcell.compare import compare as compared
    from workcell.stored_run import StoredRun
    from workcell.terminal import comparison_table

    with open_output(as_json) as output:
        comparison = compared(StoredRun.read(run_a), StoredRun.read(run_b), seed)
        output.console.print(comparison_table(comparison))
        output.result(comparison.as_json())
    return 0


def report(
    context: typer.Context,
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs, or of a benchmark.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="The page. \\[default: report.html in the first folder]")
    ] = None,
    film: Annotated[
        int, typer.Option(help="Run so many failed cycles of each run again and film them.")
    ] = 0,
    as_json: Json = False,
) -> int:
    """Write one page about one run or several, which needs no network; also of a run that goes on.

    Comparisons are made with the first run of the same task that shares seeds.
    """
    from workcell.records import CycleRecord
    from workcell.report import find_runs, write_report
    from workcell.report_film import film_failures

    if film < 0:
        raise ConfigError(f"--film: expected 0 or more, got {film}")
    if out is not None and out.exists():
        raise ConfigError(f"--out: {out} exists and is not overwritten; name another file")
    with open_output(as_json) as output:
        console = output.console

        def on_film(wanted: CycleRecord, got: CycleRecord) -> None:
            same = (wanted.success, wanted.failure) == (got.success, got.failure)
            again = "as before" if same else f"as not before: {got.failure or 'success'}"
            console.print(f"filmed seed {wanted.seed}, which ended {again}", markup=False)

        found = find_runs(runs)
        page = out or runs[0] / "report.html"
        with console.status("filming"):
            for run in found if film else ():
                film_failures(run, film, context.obj, on_film)
        write_report(found, page)
        console.print(f"{len(found)} runs in {page}", markup=False)
        figures = [{"run_dir": str(run.path), **run.summary.as_json()} for run in found]
        output.result({"report": str(page), "runs": figures})
    return 0
