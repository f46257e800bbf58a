"""Two runs side by side, seed by seed: which succeeds more often, and which is faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from robot.errors import ConfigError
from workcell.records import CycleRecord
from workcell.statistics import Paired, bootstrap_interval, difference_interval, mcnemar
from workcell.stored_run import StoredRun, differing_keys

# Below this probability of chance a difference is called one.
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class TimeDifference:
    """By how much the second run took longer where both succeeded; negative is faster.

    Attributes:
        n: In how many episodes both succeeded.
        median_a_s: Time of the first run in them, median, in s.
        median_b_s: Time of the second run in them, median, in s.
        mean_s: Mean of the differences, in s.
        mean_interval_s: Its 95 % interval by bootstrap, or None for fewer than two episodes.
        median_s: Median of the differences, in s.
        median_interval_s: Its 95 % interval by bootstrap, or None.
    """

    n: int
    median_a_s: float
    median_b_s: float
    mean_s: float
    mean_interval_s: tuple[float, float] | None
    median_s: float
    median_interval_s: tuple[float, float] | None


@dataclass(frozen=True)
class RateDifference:
    """By how much the second run succeeds more often, on episodes that both ran.

    Attributes:
        pairs: How often both, one or none succeeded.
        rate_a: Success rate of the first run on these episodes.
        rate_b: Success rate of the second run on them.
        difference: `rate_b` less `rate_a`.
        interval: Its 95 % interval, paired, see `statistics.difference_interval`.
        p_value: How likely so uneven pairs are by chance, see `statistics.mcnemar`.
        time: Difference of the times, or None if both succeeded in no episode or took no time.
        left_out: In how many pairs more one of the two never began, so that it had nothing to do.
    """

    pairs: Paired
    rate_a: float
    rate_b: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    time: TimeDifference | None
    left_out: int = 0

    def verdict(self, name_a: str = "A", name_b: str = "B") -> str:
        """Return what can be said of the rates, in words."""
        if self.p_value >= _SIGNIFICANT:
            return "no difference shown"
        return f"{name_b if self.difference > 0.0 else name_a} succeeds more often"


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task.

    Attributes:
        run_a: Folder of the first.
        run_b: Folder of the second.
        task: The task.
        n: How many seeds both ran.
        unpaired_a: Seeds that the first alone ran; they are left out.
        unpaired_b: Seeds that the second alone ran; likewise.
        other_draws: In how many pairs the same seed drew something else, because the
            configurations draw differently; such pairs are two unrelated episodes.
        changes: Values in which the configurations differ, by dotted key.
        commits: Of the code, by run; more than one for a run that was gone on with.
        versions: Of libraries, where they are not the same, by name, of each run.
        cycles: Whole cycles.
        operations: Episodes in which all of a kind of operation was done, by kind.
    """

    run_a: str
    run_b: str
    task: str
    n: int
    unpaired_a: tuple[int, ...]
    unpaired_b: tuple[int, ...]
    other_draws: int
    changes: Mapping[str, tuple[Any, Any]]
    commits: tuple[tuple[str, ...], tuple[str, ...]]
    versions: Mapping[str, tuple[str, str]]
    cycles: RateDifference
    operations: Mapping[str, RateDifference]

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        plain = asdict(self)
        plain["cycles"]["verdict"] = self.cycles.verdict()
        for kind, difference in self.operations.items():
            plain["operations"][kind]["verdict"] = difference.verdict()
        return plain


def compare(run_a: StoredRun, run_b: StoredRun, seed: int = 0) -> Comparison:
    """Return how two runs differ on the seeds they share.

    Args:
        run_a: What is compared with.
        run_b: What is compared.
        seed: Of the bootstrap.

    Raises:
        ConfigError: If the runs are of two tasks or share no seed.
    """
    tasks = run_a.choice.task, run_b.choice.task
    if tasks[0] != tasks[1]:
        raise ConfigError(
            f"{run_a.path} is a run of {tasks[0]} and {run_b.path} one of {tasks[1]}; "
            "only runs of one task can be compared"
        )
    records_a = {record.seed: record for record in run_a.records}
    records_b = {record.seed: record for record in run_b.records}
    shared = sorted(records_a.keys() & records_b.keys())
    if not shared:
        raise ConfigError(
            f"{run_a.path} ({_span(run_a)}) and {run_b.path} ({_span(run_b)}) share no seeds; "
            f"run one of them again with --seed {run_a.seeds.start} --episodes {run_a.cycles}"
        )
    pairs = [(records_a[s], records_b[s]) for s in shared]
    kinds = dict.fromkeys(op.kind for a, b in pairs for op in a.operations.values())
    # A cycle that did not begin has no operations; so two runs may have none of a kind in common.
    told = {kind: [(_all_of(kind, a), _all_of(kind, b)) for a, b in pairs] for kind in kinds}
    worked = {
        kind: [(one, other) for one, other in both if one and other] for kind, both in told.items()
    }
    alone = {
        kind: sum((one is None) != (other is None) for one, other in told[kind]) for kind in told
    }
    return Comparison(
        run_a=str(run_a.path),
        run_b=str(run_b.path),
        task=tasks[0],
        n=len(shared),
        unpaired_a=tuple(sorted(records_a.keys() - records_b.keys())),
        unpaired_b=tuple(sorted(records_b.keys() - records_a.keys())),
        other_draws=sum(a.layout != b.layout for a, b in pairs),
        changes=_changes(run_a, run_b),
        commits=(_commits(run_a), _commits(run_b)),
        versions=_other_versions(run_a, run_b),
        cycles=_difference([(_cycle(a), _cycle(b)) for a, b in pairs], seed),
        operations={
            kind: replace(_difference(both, seed), left_out=alone[kind])
            for kind, both in worked.items()
            if both
        },
    )


# Whether one episode succeeded, and how long it took if that is known.
_Episode = tuple[bool, float | None]


def _cycle(record: CycleRecord) -> _Episode:
    return record.success, record.cycle_time_s


def _all_of(kind: str, record: CycleRecord) -> _Episode | None:
    """Return whether an episode's operations of a kind were all done, and their mean time.

    Operations of one episode share its draw and say little about each other's chance; so it is
    episodes that are counted.
    """
    operations = [op for op in record.operations.values() if op.kind == kind]
    if not operations:
        return None
    times = [op.time_s for op in operations if op.time_s is not None]
    mean = float(np.mean(times)) if len(times) == len(operations) else None
    return all(op.success for op in operations), mean


def _changes(run_a: StoredRun, run_b: StoredRun) -> dict[str, tuple[Any, Any]]:
    """Return in which values two configurations differ, by dotted key.

    Two kinds of policy have different values altogether, which their names say better; so only
    those are told that both have, and those of the script, which a learned policy has inside.
    """
    changes = differing_keys(run_a.config, run_b.config)
    if "policy.name" not in changes:
        return changes
    changes = {
        key: values
        for key, values in changes.items()
        if not key.startswith("policy.") or None not in values
    }
    one, other = (run.config["policy"]["values"] for run in (run_a, run_b))
    one, other = one.get("scripted", one), other.get("scripted", other)
    for key in (key for key in one if key in other):
        if one[key] != other[key]:
            changes[f"policy.{key}"] = (one[key], other[key])
    return changes


def _difference(episodes: Sequence[tuple[_Episode, _Episode]], seed: int) -> RateDifference:
    outcomes = [(a[0], b[0]) for a, b in episodes]
    pairs = Paired(
        both=outcomes.count((True, True)),
        only_a=outcomes.count((True, False)),
        only_b=outcomes.count((False, True)),
        neither=outcomes.count((False, False)),
    )
    times = [(a[1], b[1]) for a, b in episodes if a[0] and b[0]]
    known = [(one, other) for one, other in times if one is not None and other is not None]
    return RateDifference(
        pairs=pairs,
        rate_a=(pairs.both + pairs.only_a) / pairs.n,
        rate_b=(pairs.both + pairs.only_b) / pairs.n,
        difference=pairs.difference,
        interval=difference_interval(pairs),
        p_value=mcnemar(pairs),
        time=_time_difference(np.array(known), seed) if known else None,
    )


def _time_difference(times: np.ndarray[Any, np.dtype[np.float64]], seed: int) -> TimeDifference:
    """Return the difference of paired times. Shape (n, 2)."""
    longer = times[:, 1] - times[:, 0]
    return TimeDifference(
        n=len(times),
        median_a_s=float(np.median(times[:, 0])),
        median_b_s=float(np.median(times[:, 1])),
        mean_s=float(longer.mean()),
        mean_interval_s=bootstrap_interval(longer, np.mean, seed),
        median_s=float(np.median(longer)),
        median_interval_s=bootstrap_interval(longer, np.median, seed),
    )


def _span(run: StoredRun) -> str:
    if not run.records:
        return "no cycle ended"
    return f"{run.records[0].seed} to {run.records[-1].seed}"


def _commits(run: StoredRun) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record.commit or "unknown" for record in run.records))


def _other_versions(run_a: StoredRun, run_b: StoredRun) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys(
        name for run in (run_a, run_b) for record in run.records for name in record.versions
    )
    told = {name: (_version(run_a, name), _version(run_b, name)) for name in names}
    return {name: (one, other) for name, (one, other) in told.items() if one != other}


def _version(run: StoredRun, name: str) -> str:
    found = dict.fromkeys(str(record.versions.get(name)) for record in run.records)
    return "; ".join(found)
