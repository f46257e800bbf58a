"""The command that measures speed beside other projects: `side-by-side`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workcell.console import Json, open_output


def add_speed_commands(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("side-by-side")(side_by_side)


def side_by_side(
    peer: Annotated[
        list[str] | None,
        typer.Option(help="Whom to measure; repeatable. \\[default: all in configs/peer]"),
    ] = None,
    seconds: Annotated[float, typer.Option(help="Of each turn.")] = 3.0,
    rounds: Annotated[int, typer.Option(help="How many turns each has.")] = 5,
    venvs: Annotated[
        Path | None,
        typer.Option(help="Where virtual environments are kept. \\[default: in the user's cache]"),
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="New folder for the results. \\[default: one in runs/]")
    ] = None,
    as_json: Json = False,
) -> int:
    """Measure environment steps per second of this project and of others, on this machine.

    Each of the others is installed into a virtual environment of its own, which takes minutes,
    a gigabyte and a network the first time. One that cannot be is named, and the rest is measured.
    """
    from workcell.files import new_folder
    from workcell.peers import default_venvs, load_peer, peer_names
    from workcell.side_by_side import Plan, compare_speed

    plan = Plan(seconds, rounds)
    peers = {name: load_peer(name) for name in peer or peer_names()}
    folder = run_dir or new_folder("side-by-side")
    with open_output(as_json) as output:
        output.console.print(f"{', '.join(peers)} into {folder}", markup=False)
        with output.console.status("installing") as status:
            found = compare_speed(peers, plan, venvs or default_venvs(), folder, status.update)
        output.console.print(found.table(), markup=False)
        output.result({**found.as_json(), "run_dir": str(folder)})
    return 0 if found.rates else 1
