"""The command that learns: `train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robot.errors import ConfigError
from workcell.console import INTERRUPTED, Json, Output, Overrides, open_output

if TYPE_CHECKING:
    from workcell.train import TrainResult
    from workcell.trainer import Progress
    from workcell.training_folder import Row, Standing
    from workcell.validation import Margin, Trial


def add_train_command(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(train)


def train(
    context: typer.Context,
    task: Annotated[
        str | None, typer.Argument(help="Name of the task; see `workcell list`.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the weights and of every draw. \\[default: 0]")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New folder; \\[default: one in runs]")] = None,
    steps: Annotated[
        int | None, typer.Option(help="End after so many steps of all simulations together.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="End after so much time. \\[default: as the task's configuration says]"),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Simulations at once. \\[default: 1]")] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="ppo, sac or crossq. \\[default: ppo]")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="How much varies between episodes. \\[default: factory]")
    ] = None,
    overrides: Overrides = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the training in this folder.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Learn to correct a task's script; keep what does best on seeds that were not learned from.

    With --resume everything is as it was; --steps or --minutes, of the whole training, may be more,
    and hold from then on.
    """
    from workcell.benches import FACTORY
    from workcell.train import train as learn
    from workcell.train_spec import TrainSpec, stored_spec

    asked = {
        "seed": seed,
        "workers": workers,
        "algorithm": algorithm,
        "level": level,
        "overrides": tuple(overrides) if overrides else None,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    factory = context.obj or FACTORY
    if resume is not None:
        _refuse_more({"task": task, "--out": out, **{f"--{name}": given[name] for name in given}})
        spec = stored_spec(resume, steps, minutes, factory)
    elif task is None:
        raise ConfigError("task: expected the name of one; see `workcell list`")
    else:
        spec = TrainSpec(task, steps=steps, minutes=minutes, factory=factory, **given)  # type: ignore[arg-type]  # by name
    begun = 0
    with open_output(as_json) as output:
        with output.console.status("building the simulations") as status:

            def on_start(path: Path, standing: Standing) -> None:
                nonlocal begun
                begun = standing.segment
                before = f", {standing.segment} segments done before" if standing.segment else ""
                output.console.print(f"{spec.command} into {path}{before}", markup=False)

            def on_progress(now: Progress) -> None:
                status.update(_status(now))

            def on_script(trials: Sequence[Trial]) -> None:
                output.console.print(_script(trials), markup=False)

            def on_segment(row: Row, found: Margin | None) -> None:
                output.console.print(_segment(row), markup=False)
                if found is not None:
                    output.console.print(f"  validation: {found.sentence()}", markup=False)

            result = learn(spec, out, resume, on_start, on_progress, on_segment, on_script)
        if 0 < begun == result.standing.segment and not result.interrupted:
            output.console.print("it had ended; --steps or --minutes of the whole gives it more")
        _show(result, output)
        output.result(result.as_json())
    return INTERRUPTED if result.interrupted else 0


def _refuse_more(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            option = "--set" if name == "--overrides" else name
            raise ConfigError(f"{option}: leave it out; --resume goes on as it was begun")


def _status(now: Progress) -> str:
    """Return the line that changes while one waits."""
    left = now.wall_s * (1.0 - now.share) / now.share if now.share > 0.0 else 0.0
    rate = f", {now.steps_per_s:.0f}/s" if now.steps_per_s > 0.0 else ""
    return (
        f"{now.doing}: {now.steps} steps{rate}, {100.0 * now.share:.0f} %, "
        f"{left / 60.0:.0f} min left"
    )


def _script(trials: Sequence[Trial]) -> str:
    """Return the line that stays of what is to be beaten."""
    from workcell.validation import median_time

    done, median = sum(trial.success for trial in trials), median_time(trials)
    time = "" if median is None else f", median {median:.2f} s"
    return f"the script alone: {done} of {len(trials)} validation episodes succeeded{time}"


def _segment(row: Row) -> str:
    """Return the line that stays of a segment."""
    told = [f"segment {row['segment']}: {row['steps']} steps, {row['episodes']} episodes"]
    for name, text in (
        ("success_rate", "{:.0%} succeeded"),
        ("time_s", "{:.2f} s"),
        ("force_n", "{:.1f} N"),
        ("reward", "reward {:+.2f}"),
        ("wall_s", "{:.0f} s so far"),
    ):
        value = row[name]
        if value is not None:
            told.append(text.format(value))
    return ", ".join(told)


def _show(result: TrainResult, output: Output) -> None:
    """Say what came of it, and how to go on."""
    lines = []
    if result.validation is not None:
        told = result.validation.sentence()
        lines.append(f"best policy, on the seeds it was chosen on: {told}")
        if not result.validation.ahead:
            lines.append("nothing that was learned does better than the script alone")
    sure = result.confirmation
    if sure is not None:
        verdict = "better than the script" if sure.better else "not shown to be better"
        lines.append(f"on other seeds: {sure.sentence()}: {verdict}")
    if result.interrupted:
        lines.append(f"interrupted; go on with: workcell train --resume {result.path}")
    if result.policy is not None:
        lines.append(f"next: workcell evaluate {result.spec.task} --policy {result.policy}")
    for line in lines:
        output.console.print(line, markup=False)
