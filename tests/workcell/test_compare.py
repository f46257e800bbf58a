from pathlib import Path

import pytest

from robot.errors import ConfigError
from tasks.task import Operation
from tests.workcell.fake_runner import record
from workcell.compare import compare
from workcell.stored_run import StoredRun
from workcell.terminal import comparison_table


def stored(records, task="nut_insertion", first=0, cycles=100, **values):
    names = {"task": task, "level": "factory", "robot": "talos", "cell": "sim", "policy": "script"}
    config = {kind: {"name": name, "values": {}} for kind, name in names.items()}
    config["task"]["values"] = values
    config["run"] = {"cycles": cycles, "seed": first, "overrides": [], "factory": "a:b"}
    return StoredRun(Path(f"runs/{task}-{first}"), config, tuple(records))


def outcomes(good, n=20, seconds=10.0, first=0):
    return [record(first + i, success=i in good, cycle_time_s=seconds) for i in range(n)]


def test_pairs_are_counted_by_seed_whatever_their_order():
    a = stored(outcomes({*range(10)}))
    b = stored(reversed(outcomes({*range(4, 18)})))
    found = compare(a, b)
    pairs = found.cycles.pairs
    assert (pairs.both, pairs.only_a, pairs.only_b, pairs.neither) == (6, 4, 8, 2)
    assert found.cycles.difference == pytest.approx(0.2)
    assert found.cycles.interval[0] < 0.0 < found.cycles.interval[1]
    assert found.cycles.verdict() == "no difference shown"


def test_a_difference_that_is_no_chance_is_called_one():
    a, b = stored(outcomes({*range(10)})), stored(outcomes({*range(18)}))
    assert compare(a, b).cycles.verdict() == "B succeeds more often"
    assert compare(b, a).cycles.verdict("one", "other") == "one succeeds more often"
    assert compare(a, b).cycles.p_value == pytest.approx(2 / 2**8)


def test_seeds_without_a_partner_are_left_out_and_said():
    a = stored(outcomes({*range(20)}))
    b = stored(outcomes({*range(20)}, first=15))
    found = compare(a, b)
    assert found.n == 5
    assert found.unpaired_a == tuple(range(15))
    assert found.unpaired_b == tuple(range(20, 35))


def test_runs_that_share_no_seed_are_told_what_to_do():
    a, b = stored(outcomes({1})), stored(outcomes({1}, first=500), first=500)
    with pytest.raises(
        ConfigError, match=r"\(0 to 19\).*\(500 to 519\) share no seeds.*--seed 0 --episodes 100"
    ):
        compare(a, b)


def test_a_cycle_that_did_not_begin_is_a_failed_cycle_without_operations():
    def not_begun(seed):
        return record(seed, success=False, failure="setup: too far", operations={})

    found = compare(stored([record(1), not_begun(2)]), stored([not_begun(1), record(2)]))
    assert (found.cycles.pairs.only_a, found.cycles.pairs.only_b) == (1, 1)
    # No seed has the same piece of work in both.
    assert found.operations == {}


def test_pairs_of_which_one_never_began_are_said_to_be_left_out():
    """However often one fails before it begins, what it did do is compared, and said to be that."""
    done = {"insert": Operation("insert", True)}
    a = [record(seed, operations=done) for seed in range(10)]
    b = [
        record(seed, operations=done)
        if seed < 7
        else record(seed, success=False, failure="setup: too far", operations={})
        for seed in range(10)
    ]
    found = compare(stored(a), stored(b))
    inserted = found.operations["insert"]
    assert (inserted.pairs.n, inserted.left_out, found.cycles.left_out) == (7, 3, 0)
    told = str(comparison_table(found))
    assert "percentage points, n = 7; 3 pairs left out, of which one never began" in told
    assert "percentage points, n = 10\n" in told


def test_two_tasks_are_not_compared():
    with pytest.raises(ConfigError, match=r"a run of nut_insertion and .* one of hv_plugging"):
        compare(stored(outcomes({1})), stored(outcomes({1}), task="hv_plugging"))


def test_times_are_compared_where_both_succeeded():
    a = [record(i, success=i < 8, cycle_time_s=10.0 + i) for i in range(10)]
    b = [record(i, success=i > 1, cycle_time_s=9.0 + i + 0.1 * (i % 2)) for i in range(10)]
    time = compare(stored(a), stored(b)).cycles.time
    assert time.n == 6
    assert time.mean_s == pytest.approx(-0.95)
    assert time.mean_interval_s[0] <= -0.95 <= time.mean_interval_s[1] < 0.0
    assert (time.median_a_s, time.median_b_s) == pytest.approx((14.5, 13.55))


def test_without_a_common_success_there_is_no_time():
    assert compare(stored(outcomes({1})), stored(outcomes({2}))).cycles.time is None


def test_operations_of_a_kind_count_as_one_per_episode():
    def plugs(seed, *done):
        operations = {
            f"plug_{i}": Operation("plug", good, None if good else "jam", 2.0 if good else None)
            for i, good in enumerate(done)
        }
        return record(seed, operations=operations)

    a = stored([plugs(1, True, True), plugs(2, True, True)])
    b = stored([plugs(1, True, False), plugs(2, True, True)])
    found = compare(a, b).operations["plug"]
    assert (found.pairs.both, found.pairs.only_a, found.pairs.n) == (1, 1, 2)
    assert found.time.mean_s == 0.0


def test_what_differs_in_the_configuration_is_told():
    a, b = stored(outcomes({1}), nut="m8"), stored(outcomes({1}), nut="m6", tries=2)
    assert compare(a, b).changes == {"task.nut": ("m8", "m6"), "task.tries": (None, 2)}


def test_of_two_kinds_of_policy_only_what_both_have_is_told():
    a, b = stored(outcomes({1})), stored(outcomes({1}))
    a.config["policy"]["values"] = {"retries": 4, "use_touch": True}
    b.config["policy"] = {
        "name": "learned",
        "values": {"history": 6, "scripted": {"retries": 2, "use_touch": True}},
    }
    told = {"policy.name": ("script", "learned"), "policy.retries": (4, 2)}
    assert compare(a, b).changes == told
    mirrored = {key: (other, one) for key, (one, other) in told.items()}
    assert compare(b, a).changes == mirrored


def test_the_same_seed_with_another_draw_is_said():
    a = stored([record(1, layout={"x": 1.0}), record(2)])
    b = stored([record(1, layout={"x": 2.0}), record(2)])
    assert compare(a, b).other_draws == 1


def test_the_comparison_is_plain_values():
    import json

    plain = compare(stored(outcomes({1})), stored(outcomes({1, 2}))).as_json()
    assert json.loads(json.dumps(plain))["cycles"]["verdict"] == "no difference shown"
