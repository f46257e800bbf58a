"""The commands about policies that are folders: `policy show`, `verify`, `note` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from robot.errors import ConfigError
from workcell.console import Json, open_output

if TYPE_CHECKING:
    from workcell.policy_folder import StoredPolicy

Name = Annotated[str, typer.Argument(help="Name of a learned policy, or its folder.")]


def add_policy_commands(app: typer.Typer) -> None:
    """Add the commands of this module, under `policy`."""
    group = typer.Typer(help="Learned policies: what they are, and whether they are sound.")
    group.command()(show)
    group.command()(verify)
    group.command()(note)
    group.command()(export)
    app.add_typer(group, name="policy")


def show(name: Name, as_json: Json = False) -> int:
    """Show what a policy is for, where it came from and how it did."""
    from workcell.config import plain
    from workcell.policy_report import policy_rows
    from workcell.terminal import two_columns

    stored = _learned(name)
    with open_output(as_json) as output:
        output.console.print(two_columns(policy_rows(stored)))
        identity = {"folder": str(stored.path), "fingerprint": stored.manifest.fingerprint}
        output.result({**identity, **plain(stored.manifest)})
    return 0


def verify(
    name: Name,
    robot: Annotated[
        str | None,
        typer.Option(help="Also hold it against this robot: its simulated cell, or its pads."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Check hashes, shapes, values and the network's answers, without running anything."""
    stored = _learned(name)
    manifest = stored.manifest
    checked = ["format", "values", "hashes", "arrays", "answers"]
    with open_output(as_json) as output:
        if robot is not None:
            from workcell.policy_fit import refuse_unfit

            with output.console.status("holding it against the robot"):
                checked.append(refuse_unfit(stored, robot))
        output.console.print(
            f"{stored.path}: sound ({', '.join(checked)}), {manifest.fingerprint}", markup=False
        )
        output.result(
            {
                "folder": str(stored.path),
                "sound": True,
                "checked": checked,
                "fingerprint": manifest.fingerprint,
                "files": dict(manifest.files),
            }
        )
    return 0


def note(
    name: Name,
    run: Annotated[Path, typer.Argument(help="Folder of an evaluation of this policy.")],
    as_json: Json = False,
) -> int:
    """Note in a policy's file how it did in an evaluation."""
    from workcell.config import plain
    from workcell.policy_folder import add_evaluation
    from workcell.policy_report import evaluation_of, evaluation_words
    from workcell.stored_run import StoredRun

    stored = _learned(name)
    record = evaluation_of(StoredRun.read(run), stored)
    add_evaluation(stored.path, record)
    with open_output(as_json) as output:
        output.console.print(f"{stored.path}: noted {evaluation_words(record)}", markup=False)
        output.result(plain(record))
    return 0


def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A new file, for instance policy.onnx.")],
    as_json: Json = False,
) -> int:
    """Write a policy's network as ONNX, for a controller that runs no Python."""
    import json

    from policies.onnx_export import onnx_model
    from workcell.config import plain
    from workcell.files import refuse_existing, write_asked

    stored = _learned(name)
    refuse_existing(file, "FILE")
    if not file.parent.is_dir():
        raise ConfigError(f"FILE: {file.parent} is no folder; make it first")
    manifest = plain(stored.manifest)
    notes = {key: json.dumps(manifest[key]) for key in ("contract", "config", "training")}
    identity = {"kind": stored.manifest.kind, "fingerprint": stored.manifest.fingerprint}
    data = onnx_model(stored.network, {**identity, **notes})
    with open_output(as_json) as output:
        write_asked(file, data, "FILE")
        output.console.print(
            f"{file}: the network of {stored.path}, {len(data)} bytes, answers alike", markup=False
        )
        output.result({"file": str(file), **identity})
    return 0


def _learned(name: str) -> StoredPolicy:
    from workcell.catalog import learned_policy

    stored = learned_policy(name)
    if stored is None:
        raise ConfigError(f"{name}: is written by hand and has no file; see `workcell list`")
    return stored
