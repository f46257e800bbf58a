"""The commands about staying on one's feet: `balance train`, `balance map`."""

from __future__ import annotations

import itertools
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from robot.errors import ConfigError
from workcell.console import INTERRUPTED, Json, Robot, open_output

if TYPE_CHECKING:
    from policies.balance.train import Progress
    from workcell.push_map import PushMap
    from workcell.push_trial import PushResult, PushTrial


def add_balance_commands(app: typer.Typer) -> None:
    """Add the commands of this module, under `balance`."""
    group = typer.Typer(help="References that move when the robot is shoved: teaching, measuring.")
    group.command()(train)
    group.command("map")(map_pushes)
    app.add_typer(group, name="balance")


def train(
    out: Annotated[Path, typer.Argument(help="Folder for the policy.")],
    robot: Robot = "talos",
    steps: Annotated[float, typer.Option(help="Policy steps, e.g. 2e8.")] = 2e8,
    seed: Annotated[int, typer.Option(help="Of the weights and of every draw.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace a policy that is there.")] = False,
    as_json: Json = False,
) -> int:
    """Teach a balance policy in the reduced model; minutes on one core."""
    from policies.balance.train import TrainConfig
    from workcell.balance import train_balance
    from workcell.catalog import load_robot

    if not 1.0 <= steps <= 1e11:
        raise ConfigError(f"--steps: expected 1 to 1e11, got {steps:g}")
    if not 0 <= seed < 1_000_000:
        raise ConfigError(
            f"--seed: expected 0 to 999999, got {seed}: larger ones are for measuring"
        )
    config = TrainConfig(steps=int(steps), seed=seed)
    command = f"workcell balance train {out.name} --robot {robot} --steps {steps:g} --seed {seed}"
    last: list[Progress] = []
    with open_output(as_json) as output, output.console.status("teaching") as status:

        def show(now: Progress) -> None:
            last[:] = [now]
            status.update(
                f"{now.steps / 1e6:.0f} of {steps / 1e6:.0f} million steps, "
                f"{now.steps_per_s / 1e6:.2f} million/s, {100.0 * now.survived:.1f} % survived"
            )

        stored = train_balance(
            load_robot(robot), out, config, command, overwrite=overwrite, progress=show
        )
        now = last[-1]
        output.console.print(
            f"{now.steps} steps, {now.steps_per_s / 1e6:.2f} million per second of one core, "
            f"{100.0 * now.survived:.1f} % of the last shoves survived"
        )
        output.console.print(f"next: workcell balance map RUN --policy {stored.path}", markup=False)
        output.result(
            {
                "policy": str(stored.path),
                "fingerprint": stored.manifest.fingerprint,
                "steps": now.steps,
                "steps_per_s": now.steps_per_s,
                "survived": now.survived,
            }
        )
    return 0


def map_pushes(
    run_dir: Annotated[Path, typer.Argument(help="Folder for the results; added to those it has.")],
    robot: Robot = "talos",
    policy: Annotated[
        Path | None,
        typer.Option(help="Folder of the policy. \\[default: the one that comes along]"),
    ] = None,
    loads: Annotated[bool, typer.Option("--loads", help="Pull a hand instead of shoving.")] = False,
    directions: Annotated[
        int | None, typer.Option(min=1, help="Evenly around. \\[default: 8]")
    ] = None,
    angles: Annotated[
        str | None, typer.Option(help="These directions instead, in degrees, e.g. 0,180.")
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            help="FROM:TO:STEP or A,B,..., in N·s or N. \\[default: 22:48:2, loads 60:200:20]"
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Of each cell, with and without.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the first trial of each cell.")] = 1_000_000,
    noise: Annotated[str, typer.Option(help="Level of the sensors' noise.")] = "B",
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the trials.")] = 1,
    as_json: Json = False,
) -> int:
    """Measure which pushes the robot survives, with the balance policy and without it.

    What a folder holds already is not tried again, so that a map can be finished, and grow.
    """
    from workcell.push_map import MapPlan, PushMap, run_map, summary
    from workcell.push_report import map_table, write_picture

    plan = MapPlan(
        robot=robot,
        policy=str(policy) if policy is not None else "",
        kind="load" if loads else "shove",
        directions_deg=_directions(directions, angles),
        sizes=_sizes(sizes or ("60:200:20" if loads else "22:48:2")),
        trials=trials,
        seed=seed,
        noise=noise,
    )
    with open_output(as_json) as output:
        asked = set(plan.all_trials())
        output.console.print(f"{len(asked)} trials into {run_dir}", markup=False)
        pushes = PushMap(plan)
        with output.console.status("standing") as status:

            def show(now: PushMap, trial: PushTrial, result: PushResult) -> None:
                nonlocal pushes
                pushes = now
                status.update(f"{len(asked & now.results.keys())} of {len(asked)} trials")

            try:
                pushes = run_map(plan, run_dir, workers, show)
            except KeyboardInterrupt:
                print("workcell: interrupted; the same command goes on", file=sys.stderr)  # noqa: T201
                return INTERRUPTED
        output.console.print(map_table(pushes))
        picture = write_picture(pushes, run_dir / "map.svg")
        output.console.print(f"picture: {picture}", markup=False)
        output.result(dict(summary(pushes)))
    return 0


def _directions(number: int | None, angles: str | None) -> tuple[float, ...]:
    """Return the directions that are asked for, in degrees."""
    if angles is None:
        number = 8 if number is None else number
        return tuple(360.0 * i / number for i in range(number))
    if number is not None:
        raise ConfigError("--directions: --angles says which ones; leave one of them out")
    return _angles(angles)


def _angles(text: str) -> tuple[float, ...]:
    """Return the directions that `A,B,...` means, in degrees."""
    try:
        angles = tuple(float(word) for word in text.split(","))
    except ValueError:
        raise ConfigError(f"--angles: expected A,B,..., e.g. 0,180, got {text!r}") from None
    if len(set(angles)) < len(angles) or not all(0.0 <= angle < 360.0 for angle in angles):
        raise ConfigError(
            f"--angles: expected different ones from 0 to less than 360, got {text!r}"
        )
    return angles


def _sizes(text: str) -> tuple[float, ...]:
    """Return the sizes that `FROM:TO:STEP`, both ends included, or `A,B,...` means."""
    try:
        if ":" not in text:
            sizes = tuple(float(word) for word in text.split(","))
        else:
            first, last, step = (float(word) for word in text.split(":"))
            if not 0.0 < first <= last < math.inf or step <= 0.0:
                raise ConfigError(f"--sizes: expected 0 < FROM <= TO and STEP > 0, got {text!r}")
            sizes = tuple(first + i * step for i in range(int((last - first) / step + 1e-9) + 1))
    except ValueError:
        raise ConfigError(
            f"--sizes: expected FROM:TO:STEP or A,B,..., e.g. 22:48:2 or 28,29,31, got {text!r}"
        ) from None
    sound = all(0.0 < size < math.inf for size in sizes)
    if not sound or any(one >= other for one, other in itertools.pairwise(sizes)):
        raise ConfigError(f"--sizes: expected positive ones in rising order, got {text!r}")
    return sizes
