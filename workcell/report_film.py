"""Pictures of failed cycles: filmed again, which also shows whether they fail again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
from numpy.typing import NDArray

from workcell.catalog import resolve_choice
from workcell.crew import RunnerSpec
from workcell.files import replace_file
from workcell.metrics import failure_reason
from workcell.provenance import commit
from workcell.records import CycleRecord
from workcell.stored_run import StoredRun, differing_keys, refuse_changes

# Pictures of a cycle, spread evenly over it, and how much smaller than the video they are.
_FRAMES, _SHRINK = 8, 2


@dataclass(frozen=True)
class Filmstrip:
    """Pictures of a cycle.

    Attributes:
        frames: Each as its time and a `data:` address; none if the video cannot be read.
        remark: Where they are from, or why there are none.
    """

    frames: Sequence[tuple[str, str]]
    remark: str


Films = Mapping[int, Filmstrip]


def filmstrips(run: StoredRun) -> dict[int, Filmstrip]:
    """Return pictures of every cycle of a run that there is a video of, by seed."""
    return {
        int(file.stem): _filmstrip(file, {record.commit for record in run.records})
        for file in sorted((run.path / "videos").glob("*.mp4"))
        if file.stem.isdigit()
    }


def film_failures(
    run: StoredRun,
    most: int,
    factory: str | None = None,
    on_film: Callable[[CycleRecord, CycleRecord], None] = lambda wanted, got: None,
) -> None:
    """Run failed cycles of a run again and film them into its folder `videos`.

    A cycle that has a video is not filmed again.

    Args:
        run: The run.
        most: How many at most, one of each reason first.
        factory: Import path of what builds the runner; that of the run if omitted.
        on_film: Called with the record of each cycle and the one of its repetition.

    Raises:
        ConfigError: If the configuration is no longer what it was.
    """
    wanted = [r for r in varied(run) if not _video(run, r.seed).exists()][:most]
    if not wanted:
        return
    config = resolve_choice(run.choice, tuple(run.asked["overrides"]))
    changes = differing_keys(run.config, config.as_json())
    refuse_changes("--film", run.path, changes, "Check out the commit that the report names")
    (run.path / "videos").mkdir(exist_ok=True)
    for record in wanted:
        path = _video(run, record.seed)
        # Known by its name only once it is whole.
        unfinished = path.with_name(f"unfinished-{path.name}")
        unfinished.unlink(missing_ok=True)
        runner = RunnerSpec(factory or str(run.asked["factory"]), config, video=unfinished).build()
        try:
            got = runner.run(record.seed)
        finally:
            runner.close()
        if unfinished.exists():
            unfinished.replace(path)
            ended = {"success": got.success, "failure": got.failure, "commit": commit()}
            replace_file(path.with_suffix(".json"), json.dumps(ended).encode())
        on_film(record, got)


def varied(run: StoredRun) -> list[CycleRecord]:
    """Return the failed cycles, the first of each reason before the second of any."""
    seen: dict[str, int] = {}
    ranked = []
    for record in run.records:
        if not record.success:
            reason = failure_reason(record)
            seen[reason] = seen.get(reason, 0) + 1
            ranked.append((seen[reason], record.seed, record))
    return [record for _, _, record in sorted(ranked, key=lambda item: item[:2])]


def _video(run: StoredRun, seed: int) -> Path:
    return run.path / "videos" / f"{seed}.mp4"


def _filmstrip(file: Path, commits: Collection[str]) -> Filmstrip:
    """Return pictures of a video; one damaged file is no reason to show nothing of the others."""
    try:
        return _frames(file, commits)
    except (OSError, RuntimeError, ValueError, IndexError, KeyError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Filmstrip((), f"{file} cannot be read: {why}. Remove it, and film the cycle again")


def _frames(file: Path, commits: Collection[str]) -> Filmstrip:
    reader: Any = imageio.get_reader(file)
    try:
        fps = float(reader.get_meta_data()["fps"])
        total = int(reader.count_frames())
        chosen = {round(place) for place in np.linspace(0, total - 1, _FRAMES)}
        # One after the other: to jump to a picture, the reader would start anew.
        frames = [
            (f"{i / fps:.1f} s", _address(picture))
            for i, picture in enumerate(reader.iter_data())
            if i in chosen
        ]
    finally:
        reader.close()
    return Filmstrip(
        frames, f"From {file}, filmed when the cycle was run again{_ended(file, commits)}"
    )


def _ended(video: Path, commits: Collection[str]) -> str:
    """Return how a cycle that was run again to be filmed ended, as the end of a sentence."""
    other = ""
    try:
        told = json.loads(video.with_suffix(".json").read_text(encoding="utf-8"))
        success, failure = bool(told["success"]), told["failure"]
        # What was filmed before that was written down, is not known to be by other code.
        if "commit" in told and told["commit"] not in commits:
            other = f" by other code, {told['commit']}"
    except (OSError, ValueError, TypeError, KeyError):
        return "; how that ended is not known."
    if success:
        return f"{other}, and succeeded" + ("." if other else ": it did not fail again.")
    return f"{other}, and failed: {failure}."


def _address(picture: NDArray[np.uint8]) -> str:
    """Return a picture as an address that needs no file. Shape (height, width, 3)."""
    height, width = (size - size % _SHRINK for size in picture.shape[:2])
    blocks = picture[:height, :width].reshape(
        height // _SHRINK, _SHRINK, width // _SHRINK, _SHRINK, 3
    )
    small = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    jpeg: bytes = imageio.imwrite("<bytes>", small, format="jpeg", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
