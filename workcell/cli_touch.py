"""The commands about what hands feel: `touch train`, `test`, `regrasp` and `contact`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from policies.contact_state import ContactState
from robot.errors import ConfigError
from workcell.console import Json, open_output
from workcell.rates import interval, nearest, outwards
from workcell.records import plain_json
from workcell.statistics import wilson

if TYPE_CHECKING:
    from rich.table import Table

    from workcell.contact_figures import Confusion
    from workcell.touch_figures import PartFigures
    from workcell.touch_regrasp import RegraspFigures

# What is wanted: a median position error in mm, a median angle in degrees, and a share inside two
# standard deviations.
_POSITION_MM, _ANGLE_DEG, _INSIDE = 0.3, 2.0, (0.90, 0.98)
# Share of the grasps that are to be led to where they should lie.
_REACHED = 0.95
_FIRST_TEST_SEED = 1_000_000
_LAST_TRAINING_SEED = 899_999

Network = Annotated[
    str,
    typer.Argument(help="Folder of a touch network, or a task: the one that comes along for it."),
]
TestSeed = Annotated[
    int,
    typer.Option(
        min=_LAST_TRAINING_SEED + 1, help="Of the grasps; smaller ones may have been learned from."
    ),
]


def add_touch_commands(app: typer.Typer) -> None:
    """Add the commands of this module, under `touch`."""
    group = typer.Typer(help="How parts lie in the hand, felt by the pads: teaching, measuring.")
    group.command()(train)
    group.command("test")(measure)
    group.command()(regrasp)
    group.command()(contact)
    app.add_typer(group, name="touch")


def train(
    task: Annotated[str, typer.Argument(help="Whose parts: nut_insertion or hv_plugging.")],
    out: Annotated[Path, typer.Argument(help="Folder for the network.")],
    grasps: Annotated[int, typer.Option(min=20, help="Of each part, in the rig.")] = 2000,
    readings: Annotated[int, typer.Option(min=1, help="Of each grasp, by other pads.")] = 12,
    epochs: Annotated[int, typer.Option(min=1, help="How often each reading is seen.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the weights and of every draw.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace a network that is there.")] = False,
    as_json: Json = False,
) -> int:
    """Teach a touch network on simulated grasps; minutes on one core."""
    from policies.tactile.train import TrainConfig
    from workcell.touch import DataConfig, train_touch

    if not 0 <= seed <= _LAST_TRAINING_SEED:
        raise ConfigError(
            f"--seed: expected 0 to {_LAST_TRAINING_SEED}, got {seed}: larger ones are for "
            "measuring"
        )
    command = (
        f"workcell touch train {task} {out.name} --grasps {grasps} --readings {readings} "
        f"--epochs {epochs} --seed {seed}"
    )
    with open_output(as_json) as output, output.console.status("grasping") as status:
        stored = train_touch(
            task,
            out,
            DataConfig(grasps, readings, seed),
            TrainConfig(epochs=epochs, seed=seed),
            command,
            overwrite=overwrite,
            progress=status.update,
        )
        record = stored.manifest.training
        output.console.print(f"{stored.path}: {record.steps} readings in {record.wall_s:.0f} s")
        output.console.print(f"next: workcell touch test {stored.path}", markup=False)
        output.result({"policy": str(stored.path), "fingerprint": stored.manifest.fingerprint})
    return 0


def measure(
    network: Network,
    grasps: Annotated[int, typer.Option(min=10, help="Of each part, in the rig.")] = 500,
    level: Annotated[str, typer.Option(help="How far off the grasps are.")] = "hard",
    seed: TestSeed = _FIRST_TEST_SEED,
    as_json: Json = False,
) -> int:
    """Measure how well a network tells how parts lie in the hand, and whether it knows how well."""
    from workcell.touch_figures import look_ms, measure_touch
    from workcell.touch_network import touch_named

    policy = touch_named(network)
    with open_output(as_json) as output:
        with output.console.status("grasping") as status:
            figures = measure_touch(policy, grasps, seed, level, status.update)
        output.console.print(_touch_table(figures))
        output.console.print(
            f"wanted: position at most {_POSITION_MM} mm, angle at most {_ANGLE_DEG}° in the "
            f"median where felt, {_INSIDE[0]:.0%} to {_INSIDE[1]:.0%} inside two sigma; in "
            "brackets 95 % intervals; the rule is what scripts use without a network. Not told of "
            "any part: where it is across the pads, which centre it; its tilt across them, which "
            "press it flat; its turn about its own axis, round which it feels alike",
            markup=False,
        )
        cost = look_ms(policy)
        output.console.print(f"one look takes {cost:.2f} ms of one core", markup=False)
        output.result({"level": level, "seed": seed, "look_ms": cost, "figures": _plain(figures)})
    return 0


def regrasp(
    network: Network,
    trials: Annotated[
        int, typer.Option(min=10, help="Of each part, with pads of each kind.")
    ] = 100,
    seed: TestSeed = _FIRST_TEST_SEED,
    at_most: Annotated[int, typer.Option(min=1, max=20, help="Re-grasps in one trial.")] = 5,
    as_json: Json = False,
) -> int:
    """Measure how well parts that lie 5 mm and 5° off are led to a grasp that was shown."""
    from policies.tactile.regrasp import RegraspConfig
    from workcell.touch_network import touch_named
    from workcell.touch_regrasp import GOAL, WITHIN, measure_regrasps

    policy = touch_named(network)
    config = RegraspConfig(at_most=at_most)
    with open_output(as_json) as output:
        with output.console.status("grasping") as status:
            figures = measure_regrasps(policy, trials, seed, config, status.update)
        output.console.print(_regrasp_table(figures))
        output.console.print(
            f"reached: within {1e3 * GOAL[0]:g} mm and {math.degrees(GOAL[1]):.1f}° of the grasp "
            f"that was shown after at most {WITHIN} re-grasps, from 5 mm and 5° off; wanted: "
            f"{_REACHED:.0%}; in brackets 95 % intervals",
            markup=False,
        )
        output.result({"seed": seed, "at_most": at_most, "figures": _plain(figures)})
    return 0


def contact(
    task: Annotated[str, typer.Argument(help="nut_insertion.")] = "nut_insertion",
    episodes: Annotated[int, typer.Option(min=1, help="Whole cycles, both arms.")] = 20,
    level: Annotated[str, typer.Option(help="How far episodes differ.")] = "factory",
    robot: Annotated[str, typer.Option(help="Who works.")] = "talos_fixed",
    seed: TestSeed = _FIRST_TEST_SEED,
    as_json: Json = False,
) -> int:
    """Measure how well contact is told: free, touching, on teeth, meshed, wedged, seated."""
    from workcell.catalog import Choice, resolve_choice
    from workcell.contact_figures import STATES, measure_contact

    config = resolve_choice(Choice(task, level=level, robot=robot))
    with open_output(as_json) as output:
        with output.console.status("working") as status:
            found = measure_contact(config, episodes, seed, progress=status.update)
        output.console.print(_contact_table(found))
        output.console.print(_contact_words(found), markup=False)
        output.result(
            {
                "seed": seed,
                "level": level,
                "robot": robot,
                "states": [state.value for state in STATES],
                "counts": found.counts.tolist(),
                "insertions": found.insertions,
            }
        )
    return 0


def _contact_words(found: Confusion) -> str:
    if found.n == 0:
        return (
            "no policy step was judged: no held part came near its pin. Try more episodes, or an "
            "easier --level"
        )
    low, high = wilson(found.right, found.n)
    return (
        f"{nearest(found.right / found.n)} % of {found.n} policy steps told right "
        f"({interval(low, high)} %, as if steps were independent), {found.insertions} parts"
    )


def _contact_table(found: Confusion) -> Table:
    table = _table_of("truly", *(state.value for state in ContactState), "recall", "precision")
    for state, row in zip(ContactState, found.counts, strict=True):
        shares = (found.recall(state), found.precision(state))
        told = (f"{right / of:.0%}" if of else "none" for right, of in shares)
        table.add_row(state.value, *(str(count) for count in row), *told)
    return table


def _plain(figures: Sequence[PartFigures] | Sequence[RegraspFigures]) -> list[Any]:
    return [plain_json(dataclasses.asdict(part)) for part in figures]


def _regrasp_table(figures: list[RegraspFigures]) -> Table:
    table = _table_of("part, pads", "n", "reached", "after 0, 1, 2 … re-grasps", "taken", "end")
    for part in figures:
        low, high = part.interval
        table.add_row(
            f"{part.part}, {part.sensor}",
            str(part.n),
            f"{nearest(part.reached)} % ({interval(low, high)} %)",
            ", ".join(f"{100.0 * share:.0f}" for share in part.after) + " %",
            f"{part.regrasps:.1f}",
            f"{part.position_mm:.2f} mm, {part.angle_deg:.1f}°",
        )
    return table


def _touch_table(figures: list[PartFigures]) -> Table:
    table = _table_of("axis", "median error", "95 % below", "inside 2 sigma", "rule")
    for part in figures:
        low, high = part.position_interval
        table.add_row(f"{part.part}, {part.sensor} pads, n = {part.n}", style="bold")
        table.add_row(
            "position",
            f"{part.position_mm:.2f} ({outwards(low, high)}) mm",
            "",
            "",
            f"{part.rule_position_mm:.2f} mm, tells {part.rule_valid:.0%}",
        )
        for name, axis in part.axes.items():
            unit = "°" if name.startswith("angle") else " mm"
            low, high = axis.interval
            note = "" if axis.felt else f"; not felt, spread {axis.spread:.2f}{unit}"
            inside = axis.inside_interval
            table.add_row(
                name,
                f"{axis.median:.2f} ({outwards(low, high)}){unit}{note}",
                f"{axis.p95:.2f}{unit}",
                f"{nearest(axis.inside)} % ({interval(*inside)} %)",
                f"{axis.by_rule:.2f}{unit}",
            )
    return table


def _table_of(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name)
    return table
