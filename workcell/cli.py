"""The command `workcell`. The only place that talks to a person and ends the process.

Exit codes: 0 the command itself worked (cycles may have failed), 1 it broke, 2 something in the
question was wrong and nothing was started, 3 a claim was not shown, 130 it was interrupted, by
Ctrl-C or by `kill`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from typer.exceptions import TyperException

from robot.errors import ConfigError, UnknownName, WorkcellError
from robot.log import set_up
from workcell.cli_balance import add_balance_commands
from workcell.cli_measure import add_commands
from workcell.cli_policy import add_policy_commands
from workcell.cli_speed import add_speed_commands
from workcell.cli_touch import add_touch_commands
from workcell.cli_train import add_train_command
from workcell.console import (
    INTERRUPTED,
    WRONG_QUESTION,
    Json,
    Overrides,
    Robot,
    open_output,
    show_run,
)

app = typer.Typer(
    help="A humanoid that assembles, in simulation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="Name of the task; see `workcell list`.")],
    cycles: Annotated[int, typer.Option(help="How many cycles.")] = 5,
    level: Annotated[str, typer.Option(help="How much varies from cycle to cycle.")] = "factory",
    seed: Annotated[
        int, typer.Option(help="Of the first cycle; below 1000000 is for tuning and training.")
    ] = 1_000_000,
    robot: Robot = "talos",
    policy: Annotated[str, typer.Option(help="Who acts: a name, or a folder.")] = "scripted",
    gui: Annotated[bool, typer.Option("--gui", help="Open a window.")] = False,
    video: Annotated[Path | None, typer.Option(help="Write a video (.mp4).")] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the cycles.")] = 1,
    overrides: Overrides = None,
    run_dir: Annotated[Path | None, typer.Option(help="New folder for the results.")] = None,
    as_json: Json = False,
) -> int:
    """Run cycles of a task and report how they went."""
    from workcell.catalog import Choice
    from workcell.run import FACTORY, RunSpec

    spec = RunSpec(
        choice=Choice(task, level, robot, policy),
        cycles=cycles,
        seed=seed,
        workers=workers,
        overrides=tuple(overrides or ()),
        gui=gui,
        video=video,
        run_dir=run_dir,
        factory=context.obj or FACTORY,
    )
    with open_output(as_json) as output:
        result = show_run(spec, output)
        output.result(result.as_json())
    return INTERRUPTED if result.interrupted else 0


@app.command("list")
def list_names(as_json: Json = False) -> int:
    """List the names of tasks, levels, robots, policies and benchmarks."""
    from workcell.catalog import known_names
    from workcell.suites import suite_names

    with open_output(as_json) as output:
        names = {**known_names(), "benchmark": suite_names()}
        for kind, known in names.items():
            output.console.print(f"{kind}: {', '.join(known)}", markup=False)
        output.result({kind: list(known) for kind, known in names.items()})
    return 0


@app.command()
def doctor(
    robot: Annotated[list[str] | None, typer.Option(help="Robots to measure; repeatable.")] = None,
    measure: Annotated[bool, typer.Option(help="Measure the speed of this machine.")] = True,
    task: Annotated[
        list[str] | None,
        typer.Option(help="Jobs of which to time a whole episode, part by part; repeatable."),
    ] = None,
    evaluation: Annotated[
        bool, typer.Option("--evaluation", help="Measure what evaluating costs; takes minutes.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Show versions, what is missing, and whether this machine holds the control rate."""
    asked = {"--robot": robot, "--task": task, "--evaluation": evaluation}
    unasked = [name for name, value in asked.items() if value and not measure]
    if unasked:
        raise ConfigError(
            f"{unasked[0]}: says what to measure, and --no-measure not to; leave one out"
        )
    from workcell.doctor import examine
    from workcell.terminal import two_columns

    with open_output(as_json) as output:
        robots = tuple(robot or ("talos", "talos_fixed")) if measure else ()
        with output.console.status("measuring"):
            tasks = tuple(task or ()) if measure else ()
            report = examine(robots, tasks, evaluation and measure)
        output.console.print(two_columns(report.rows()))
        output.result(report.as_json())
    return 0 if report.healthy else 1


@app.command()
def standing(
    robot: Robot = "talos",
    noise: Annotated[str, typer.Option(help="Level of the sensors' noise.")] = "B",
    seed: Annotated[int, typer.Option(help="Of the sensors' noise.")] = 0,
    as_json: Json = False,
) -> int:
    """Measure how well a robot stands, holds its hands and takes shoves."""
    import dataclasses

    from workcell.catalog import load_robot
    from workcell.standing import TrialResult, measure_standing

    config = load_robot(robot)
    with open_output(as_json) as output:

        def show(trial: TrialResult) -> None:
            output.console.print(
                f"{trial.name:<31} {'ok  ' if trial.passed else 'FAIL'}  hand error rms "
                f"{trial.error_rms_mm:.2f} max {trial.error_max_mm:.2f} mm  effort "
                f"{100.0 * trial.effort_share:.0f} %  unsolved {trial.unsolved_ticks}"
            )

        with output.console.status("standing"):
            trials = measure_standing(config, noise=noise, seed=seed, progress=show)
        results = [dataclasses.asdict(trial) for trial in trials]
        output.result({"robot": robot, "noise": noise, "seed": seed, "trials": results})
    return 0


add_commands(app)
add_policy_commands(app)
add_balance_commands(app)
add_speed_commands(app)
add_train_command(app)
add_touch_commands(app)


def main(argv: Sequence[str] | None = None, factory: str | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: Words after `workcell`; those of the process if omitted.
        factory: Import path of what builds the runner of the cycles, see `crew.RunnerSpec`; the
            simulated cell if omitted.
    """
    # Before numpy is imported: several pools of threads on few cores slow each other down tenfold,
    # and the matrices here are too small to share.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    set_up(logging.WARNING)
    before = _end_in_order_when_killed()
    try:
        code = app(argv, standalone_mode=False, prog_name="workcell", obj=factory)
    except TyperException as error:
        return _complain(error.format_message(), error.exit_code)
    except (ConfigError, UnknownName) as error:
        return _complain(str(error), WRONG_QUESTION)
    except WorkcellError as error:
        return _complain(f"{type(error).__name__}: {error}", 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    # `--help` and a command without a result return nothing.
    return code if isinstance(code, int) else 0


def _end_in_order_when_killed() -> signal.Handlers | Callable[..., object] | int | None:
    """Let SIGTERM do what Ctrl-C does: robots are halted, and what has ended is kept.

    Returns:
        What it did before; None if it is not this thread's to say.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        # One is enough: what comes while things are put in order must not end that.
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGTERM, interrupt)


def _complain(message: str, code: int) -> int:
    for line in message.splitlines():
        print(f"workcell: {line}", file=sys.stderr)
    return code
