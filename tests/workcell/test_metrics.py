import pytest

from tasks.task import Operation
from tests.workcell.fake_runner import record
from workcell.metrics import summarize
from workcell.records import SideRecord
from workcell.statistics import wilson
from workcell.terminal import summary_table


def test_cycle_times_are_those_of_successes():
    records = [record(1, cycle_time_s=t) for t in (10.0, 20.0, 30.0)]
    records.append(record(2, success=False, cycle_time_s=76.0))
    summary = summarize(records)
    assert summary.cycle_time_median_s == 20.0
    assert summary.cycle_time_p90_s == pytest.approx(28.0)
    assert summary.success_rate == 0.75


def test_failures_are_counted_by_reason_the_most_frequent_first():
    reasons = ["fell", "guard_stop: 61 N at left", "guard_stop: 70 N at right"]
    summary = summarize([record(1, success=False, failure=reason) for reason in reasons])
    assert list(summary.failures.items()) == [("guard_stop", 2), ("fell", 1)]


def test_retries_are_counted_by_arm():
    one = record(1, sides={"left": SideRecord({"jam": 2}), "right": SideRecord()})
    two = record(2, sides={"left": SideRecord({"jam": 1, "drop": 1})})
    summary = summarize([one, two])
    assert summary.side_retries == {"left": {"jam": 3, "drop": 1}, "right": {}}
    assert summary.retries == 4


def test_operations_are_counted_by_kind_with_their_interval_time_and_reasons():
    one = {"a": Operation("plug", True, time_s=4.0), "b": Operation("plug", True, time_s=6.0)}
    two = {
        "a": Operation("plug", False, "wrong_key"),
        "b": Operation("plug", False),
        "c": Operation("unplug", True),
    }
    found = summarize([record(1, operations=one), record(2, operations=two)]).operations
    assert (found["plug"].n, found["plug"].successes, found["plug"].success_rate) == (4, 2, 0.5)
    assert (found["plug"].wilson_low, found["plug"].wilson_high) == wilson(2, 4)
    assert found["plug"].time_median_s == 5.0
    assert found["plug"].failures == {"wrong_key": 1, "unfinished": 1}
    assert found["unplug"].time_median_s is None


def test_cycles_whose_work_nobody_knows_are_told_beside_it():
    work = {"a": Operation("plug", True)}
    stopped = record(2, success=False, failure="setup: no place", operations={})
    begun = record(1, operations=work)
    assert summarize([begun, stopped, stopped]).never_begun == 2
    assert "the work of 2 cycles, never begun" in str(
        summary_table(summarize([begun, stopped, stopped]))
    )
    assert summarize([begun]).never_begun == 0
    # A task whose work is not counted piece by piece hides nothing.
    assert summarize([record(1), record(2)]).never_begun == 0


def test_signals_that_were_wrong_are_counted_by_name():
    records = [record(1, disagreements=["seated_left"]), record(2, disagreements=["seated_left"])]
    assert summarize(records).disagreements == {"seated_left": 2}


def test_a_success_with_a_retry_is_none_at_the_first_attempt():
    records = [record(1), record(2, first_attempt=False), record(3, success=False)]
    assert summarize(records).first_attempts == 1


def test_the_worst_force_is_kept():
    summary = summarize([record(1, max_force_n=12.0), record(2, max_force_n=34.0)])
    assert summary.max_force_n == 34.0


def test_the_real_time_factor_weighs_cycles_by_their_length():
    records = [record(1, wall_s=1.0, sim_s=2.0), record(2, wall_s=3.0, sim_s=10.0)]
    assert summarize(records).real_time_factor == 3.0


def test_no_cycle_gives_no_figures_and_no_error():
    summary = summarize([])
    assert (summary.n, summary.success_rate, summary.cycle_time_median_s) == (0, None, None)
    assert (summary.wilson_low, summary.wilson_high) == (0.0, 1.0)


def test_a_failed_cycle_costs_as_much_as_it_might_have_taken():
    good = [record(i, cycle_time_s=20.0, time_limit_s=70.0) for i in range(4)]
    bad = record(9, success=False, cycle_time_s=3.0, time_limit_s=70.0)
    # Four parts in 4 * 20 + 70 s.
    assert summarize([*good, bad]).good_parts_per_hour == pytest.approx(4 / 150.0 * 3600.0)


def test_phases_are_those_of_successes_by_arm():
    def one(seed, success, time):
        sides = {"left": SideRecord(phase_times_s={"grasp": time})}
        return record(seed, success=success, sides=sides)

    records = [one(1, True, 1.0), one(2, True, 3.0), one(3, False, 60.0)]
    assert summarize(records).phase_times_s == {"left": {"grasp": 2.0}}


def test_forces_are_told_over_cycles():
    records = [record(i, max_force_n=float(i), force_limit_n=90.0) for i in range(101)]
    summary = summarize(records)
    assert (summary.peak_force_median_n, summary.peak_force_p95_n) == (50.0, 95.0)
    assert summary.cycles_above_limit == 10


def test_a_rate_is_told_with_its_exact_interval_and_bound():
    summary = summarize([record(seed) for seed in range(299)])
    assert summary.lower_bound == pytest.approx(0.99003, abs=1e-5)
    assert summary.exact_low == pytest.approx(0.98774, abs=1e-5)
    assert summary.exact_high == 1.0
