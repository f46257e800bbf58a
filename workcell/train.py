"""A training from its beginning, or from where it was left, to its result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.curves import Curves
from workcell.benches import Benches
from workcell.files import new_folder, refuse_existing
from workcell.policy_folder import refuse_taken
from workcell.provenance import commit, other_code, versions
from workcell.stored_run import differing_keys, refuse_changes
from workcell.train_spec import TrainSpec
from workcell.trainer import Progress, Trainer, best_margin
from workcell.training_config import make_learner, resolve_training
from workcell.training_folder import Row, Standing, TrainingFolder
from workcell.validation import Margin, Trial, margin

# Sections of the configuration of a training; a checkpoint is of no use with other values.
_SECTIONS = (
    *("task", "level", "robot", "cell", "policy", "residual", "reward", "training"),
    *("validation_robot", "validation_cell"),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What came of a training.

    Attributes:
        spec: What was asked.
        path: Folder of the training.
        policy: Folder of the best policy, or None if none was validated yet.
        standing: How far it has come.
        interrupted: It was stopped before its end.
    """

    spec: TrainSpec
    path: Path
    policy: Path | None
    standing: Standing
    interrupted: bool

    @property
    def validation(self) -> Margin | None:
        """What the best policy is worth on the seeds that it was chosen on."""
        return best_margin(self.standing)

    @property
    def confirmation(self) -> Margin | None:
        """What it is worth on seeds that nothing was chosen on."""
        standing = self.standing
        best = standing.best
        # What was measured may be the best of before, if this one is new.
        if best is None or not standing.confirm or standing.confirmed != best.segment:
            return None
        return margin(standing.confirm_script, standing.confirm)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        found, sure = self.validation, self.confirmation
        return {
            "task": self.spec.task,
            "level": self.spec.level,
            "algorithm": self.spec.algorithm,
            "seed": self.spec.seed,
            "command": self.spec.command,
            "folder": str(self.path),
            "policy": str(self.policy) if self.policy else None,
            "interrupted": self.interrupted,
            "segments": self.standing.segment,
            "steps": self.standing.steps,
            "wall_s": self.standing.wall_s,
            "validation": found.as_json() if found else None,
            "confirmation": sure.as_json() if sure else None,
        }


def train(
    spec: TrainSpec,
    out: Path | None = None,
    resume: Path | None = None,
    on_start: Callable[[Path, Standing], None] = lambda path, standing: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_segment: Callable[[Row, Margin | None], None] = lambda row, found: None,
    on_script: Callable[[Sequence[Trial]], None] = lambda trials: None,
) -> TrainResult:
    """Learn, validate, keep the best, and write all of it down.

    `KeyboardInterrupt` ends the training: what is on the disk is its result.

    Args:
        spec: What to learn; as `stored_spec` returns it for one that is gone on with.
        out: New folder; one in `runs` if omitted.
        resume: Folder of the training to go on with.
        on_start: Called with the folder and how far the training had come.
        on_progress: Called every few seconds.
        on_segment: Called after each segment with its line of the curves, and how what was learned
            did against the script if it was tried.
        on_script: Called with the trials of the script alone, before anything is learned.

    Raises:
        UnknownName: If a name does not exist.
        ConfigError: If a value is out of range, something is not installed, or the training was
            begun with another configuration. Nothing has been written.
        TrainingCrashed: If a simulation died.
    """
    config = resolve_training(spec.task, spec.level, spec.overrides)
    if resume is None and out is not None:
        refuse_existing(out, "--out")
    origin = {"commit": commit(), "versions": versions()}
    with ExitStack() as stack:
        if resume is not None:
            folder = stack.enter_context(TrainingFolder(resume, resume=True))
            changes = differing_keys(folder.config(), config.as_json(), _SECTIONS)
            refuse_changes("--resume", resume, changes, "Set it back, or start a new training")
            changed = other_code(folder.config(), origin)
            if changed:
                logger.warning(
                    "%s: was begun by other code: %s. What it comes to is not what either would",
                    resume,
                    changed,
                )
            # What is learned from here on replaces it.
            refuse_taken(folder.policy, overwrite=True)
        benches = stack.enter_context(Benches(config, spec.workers, spec.factory))
        learner = make_learner(spec.algorithm, config, benches.sizes(), spec.seed)
        if resume is None:
            name = f"{spec.task}-{spec.algorithm}-{spec.seed}"
            folder = stack.enter_context(TrainingFolder(out or new_folder(name), resume=False))
            folder.write_config({"run": spec.asked(), **config.as_json(), **origin})

        def tell(row: Row, found: Margin | None) -> None:
            curves.add(trainer.standing.steps, row)
            on_segment(row, found)

        trainer = Trainer(spec, config, folder, benches, learner, on_progress, tell, on_script)
        if resume is not None:
            # Another end than it was begun with holds from here on, also if this is interrupted.
            folder.ask(spec.asked())
        curves = Curves(folder.path / "tensorboard", trainer.standing.steps)
        stack.callback(curves.close)
        on_start(folder.path, trainer.standing)
        interrupted = False
        try:
            trainer.run()
        except KeyboardInterrupt:
            interrupted = True
        stored = folder.load()
        standing = stored[0] if stored else trainer.standing
        policy = folder.policy if standing.best else None
        return TrainResult(spec, folder.path, policy, standing, interrupted)
