"""What a person reads about a learned policy, and what its file keeps of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from envs.residual_env import TRAINING_SEEDS
from policies.residual_config import ResidualConfig
from robot.errors import ConfigError
from tasks.phases import Motion
from workcell.config import plain
from workcell.policy_folder import StoredPolicy
from workcell.policy_manifest import EvaluationRecord, Manifest
from workcell.rates import interval
from workcell.report_words import mixtures
from workcell.run import FIRST_EVALUATION_SEED
from workcell.statistics import wilson
from workcell.stored_run import StoredRun


def policy_rows(stored: StoredPolicy) -> list[tuple[str, str]]:
    """Return what a policy is, for a table of two columns."""
    manifest = stored.manifest
    contract, network, training = manifest.contract, manifest.network, manifest.training
    weights = sum(array.size for array in stored.network.tensors.values())
    layers = " x ".join(str(n) for n in (network.inputs, *network.hidden, network.outputs))
    rows = [
        ("policy", str(stored.path)),
        ("kind", manifest.kind),
        ("what it is", manifest.description or "not said"),
        ("task", contract.task),
        ("robots", ", ".join(contract.robots)),
        ("arms", ", ".join(contract.arms)),
        ("period", f"{contract.dt:g} s"),
        ("network", f"{layers}, {network.activation}, {weights} numbers"),
        *(
            ("sees" if i == 0 else "", f"{entry.name} {list(entry.shape)}: {entry.meaning}")
            for i, entry in enumerate(contract.observation)
        ),
        *(
            ("does" if i == 0 else "", f"{entry.name} {list(entry.shape)}: {entry.meaning}")
            for i, entry in enumerate(contract.action)
        ),
        *_bounds(stored),
        ("trained by", training.command),
        (
            "",
            f"{training.algorithm}, {training.steps} steps, seed {training.seed}, "
            f"{training.wall_s / 60.0:.1f} min, level {training.level} on {training.robot}",
        ),
        *_evaluations(manifest),
        ("fingerprint", manifest.fingerprint),
    ]
    return rows


def _bounds(stored: StoredPolicy) -> Iterator[tuple[str, str]]:
    """Yield how far a correction of a script may go, as it is in force."""
    if isinstance(stored.config, ResidualConfig):
        bounds, tries = stored.config.authority, stored.config.attempts
        searches = Motion.SEARCH.value in bounds.motions
        when = "in the first attempt" if tries == 1 else f"in the first {tries} attempts"
        yield (
            "corrects by",
            f"at most {list(bounds.translation_m)} m and {list(bounds.rotation_rad)} rad, "
            f"stiffness by {bounds.stiffness:g}, within {bounds.rise_s:g} s, while it does "
            f"{', '.join(bounds.motions)}, {when}"
            + (f", a search for {stored.config.search_s:g} s" if searches else ""),
        )


def evaluation_of(run: StoredRun, stored: StoredPolicy) -> EvaluationRecord:
    """Return what a policy's file keeps of an evaluation.

    Args:
        run: An evaluation of that very policy, with every episode ended.
        stored: The policy.

    Raises:
        ConfigError: If it is of another policy, of this one with changes, not complete, or on seeds
            that the policy may have been trained on.
    """
    section = run.config["policy"]
    if section.get("values") != plain(stored.config):
        raise ConfigError(
            f"{run.path}: expected an evaluation of {stored.path} as it is, got one of "
            f"{section['name']} with other values; see `policy` in its config.yaml"
        )
    if not run.complete:
        raise ConfigError(
            f"{run.path}: expected {run.cycles} episodes, got {len(run.records)}; go on with "
            f"`workcell evaluate --resume {run.path}`"
        )
    for mixed in mixtures(run):
        raise ConfigError(f"{run.path}: {mixed} Evaluate the policy again in one go")
    if run.seeds.start < TRAINING_SEEDS:
        raise ConfigError(
            f"{run.path}: expected seeds that nothing is trained on, got them from "
            f"{run.seeds.start}, and training draws those below {TRAINING_SEEDS}; evaluate the "
            f"policy again without --seed, which begins at {FIRST_EVALUATION_SEED}"
        )
    summary = run.summary
    return EvaluationRecord(
        level=run.choice.level,
        robot=run.choice.robot,
        first_seed=run.seeds.start,
        episodes=summary.n,
        successes=summary.successes,
        cycle_time_median_s=summary.cycle_time_median_s,
        commit=run.records[0].commit or "unknown",
        overrides=tuple(map(str, run.asked["overrides"])),
        config_hash=run.config_hash,
    )


def _evaluations(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield what is known of how a policy did; what it was chosen by is called so."""
    chosen = _chosen_on(manifest)
    before = ""
    for record in manifest.evaluation:
        # Whatever else ran on those seeds, whoever chose has seen them.
        seen = max(chosen.start, record.seeds.start) < min(chosen.stop, record.seeds.stop)
        name = "chosen on" if seen else "evaluated"
        yield (
            name if name != before else "",
            evaluation_words(record) + ("" if seen else _use(record)),
        )
        before = name


def _chosen_on(manifest: Manifest) -> range:
    """Return the seeds by which a policy was chosen; none if that is not known."""
    # `workcell train` writes a policy with what chose it, and adds what it measures later.
    if manifest.evaluation and manifest.training.command.startswith("workcell train "):
        first = manifest.evaluation[0]
        if TRAINING_SEEDS <= first.first_seed < FIRST_EVALUATION_SEED:
            return first.seeds
    return range(0)


def _use(record: EvaluationRecord) -> str:
    """Return what else the seeds of an evaluation are for, if they are not for measuring alone."""
    if record.first_seed < TRAINING_SEEDS:
        return " (it may have been trained on them)"
    if record.first_seed < FIRST_EVALUATION_SEED:
        return " (validation seeds)"
    return ""


def evaluation_words(record: EvaluationRecord) -> str:
    """Return for people how a policy did, and under which conditions."""
    low, high = wilson(record.successes, record.episodes)
    median = record.cycle_time_median_s
    time = "" if median is None else f", median {median:.1f} s"
    changes = f" with {' '.join(record.overrides)}" if record.overrides else ""
    return (
        f"{record.successes} of {record.episodes} ({interval(low, high)} %){time}, "
        f"level {record.level} on {record.robot}{changes}, seeds from {record.first_seed}"
    )
