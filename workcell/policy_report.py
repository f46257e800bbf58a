"""What a person reads about a learned policy, and what its file keeps of an evaluation."""

from __future__ import annotations

from robot.errors import ConfigError
from workcell.config import plain
from workcell.policy_folder import StoredPolicy
from workcell.policy_manifest import EvaluationRecord
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
        ("trained by", training.command),
        (
            "",
            f"{training.algorithm}, {training.steps} steps, seed {training.seed}, "
            f"{training.wall_s / 60.0:.1f} min, level {training.level} on {training.robot}",
        ),
        *(
            ("evaluated" if i == 0 else "", _evaluation(record))
            for i, record in enumerate(manifest.evaluation)
        ),
        ("fingerprint", manifest.fingerprint),
    ]
    return rows


def evaluation_of(run: StoredRun, stored: StoredPolicy) -> EvaluationRecord:
    """Return what a policy's file keeps of an evaluation.

    Args:
        run: An evaluation of that very policy, with every episode ended.
        stored: The policy.

    Raises:
        ConfigError: If it is of another policy, of this one with changes, or not complete.
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
    summary = run.summary
    return EvaluationRecord(
        level=run.choice.level,
        robot=run.choice.robot,
        first_seed=run.seeds.start,
        episodes=summary.n,
        successes=summary.successes,
        cycle_time_median_s=summary.cycle_time_median_s,
        commit=str(run.config.get("commit", "unknown")),
    )


def _evaluation(record: EvaluationRecord) -> str:
    low, high = wilson(record.successes, record.episodes)
    median = record.cycle_time_median_s
    time = "" if median is None else f", median {median:.1f} s"
    return (
        f"{record.successes} of {record.episodes} ({100.0 * low:.1f}-{100.0 * high:.1f} %){time}, "
        f"level {record.level} on {record.robot}, seeds from {record.first_seed}"
    )
