"""What evaluating costs: the sums, and the books of one cycle on the mock cell."""

import pytest

from tests.envs.conftest import env  # noqa: F401
from tests.workcell.fake_runner import record
from tests.workcell.test_cycle import runner, said  # noqa: F401
from workcell import build, doctor, doctor_evaluation
from workcell.catalog import Choice
from workcell.doctor import examine
from workcell.doctor_evaluation import EvaluationFigures, beyond, gain_of_workers
from workcell.run import RunSpec, run_cycles

FIGURES = EvaluationFigures("nut_insertion, factory, talos", 6, 0.021, 0.08, 1.2, 1.9, 0.6, 9.5, 9)


def cycles(*wall_and_core):
    return [record(number, wall_s=w, core_s=c) for number, (w, c) in enumerate(wall_and_core)]


def test_two_workers_with_a_core_each_do_twice_as_much():
    one = [cycles((2.0, 2.0), (3.0, 3.0)), cycles((2.0, 2.0), (3.0, 3.0))]
    assert gain_of_workers(one, one) == pytest.approx((2.0, 2.0, 1.0))


def test_two_workers_that_share_a_core_gain_nothing_and_are_known_to():
    one = [cycles((2.0, 2.0)), cycles((2.0, 2.0))]
    two = [cycles((4.0, 2.0)), cycles((4.0, 2.0))]
    assert gain_of_workers(one, two) == pytest.approx((1.0, 2.0, 0.5))


def test_two_workers_that_slow_each_other_down_gain_less_on_any_machine():
    one = [cycles((2.0, 2.0)), cycles((2.0, 2.0))]
    two = [cycles((2.5, 2.5)), cycles((2.5, 2.5))]
    assert gain_of_workers(one, two) == pytest.approx((1.6, 1.6, 1.0))


def test_what_is_wanted_stands_beside_what_was_found(monkeypatch):
    monkeypatch.setattr(doctor, "measure_evaluation", lambda: FIGURES)
    assert examine(()).evaluation is None
    report = examine((), evaluation=True)
    assert [value for _, value in report.rows()[-4:]] == [
        "2.10 % of the environment's time, n = 6 (5 wanted)",
        "8.00 % of the environment's time",
        "1.20 times; 1.90 by the time they worked "
        "(1.8 wanted; busy: each was given 60 % of a core)",
        "9.5 s, 9.0 s of own time (20 wanted)",
    ]
    assert report.as_json()["evaluation"]["overhead"] == 0.021


def test_the_books_are_what_neither_environment_nor_policy_took(
    env,  # noqa: F811
    said,  # noqa: F811
    monkeypatch,
    tmp_path,
):
    monkeypatch.setattr(build, "build_cycle", lambda config: runner(env))
    monkeypatch.setattr(doctor_evaluation, "_SEEDS", range(41, 43))
    records, overhead, policy = doctor_evaluation._one_worker(
        Choice("nut_insertion"), tmp_path / "alone"
    )
    assert [r.seed for r in records] == [41, 42]
    # A mock environment takes next to no time, so the books weigh more than beside physics.
    assert 0.0 < overhead < 10.0
    assert 0.0 < policy < 10.0
    assert records[0].core_s > 0.0


def test_what_is_done_only_to_measure_is_no_part_of_what_it_costs():
    """A hundred seconds of physics and five of policy, one of forces, three of books, two of disk:
    forces are kept twice, and inside the environment."""
    parts = {"environment": 102.0, "policy": 5.0, "forces": 1.0}
    overhead, policy = beyond(102.0 + 5.0 + 3.0, 2.0, parts)
    assert overhead == pytest.approx((1.0 + 3.0 + 2.0) / 100.0)
    assert policy == pytest.approx(0.05)


def test_a_report_is_timed_on_copies_with_seeds_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor_evaluation, "_REPORTED", 12)
    run_cycles(
        RunSpec(
            Choice("nut_insertion"),
            cycles=3,
            run_dir=tmp_path / "run",
            factory="tests.workcell.fake_runner:build_telltale",
        )
    )
    wall_s, core_s = doctor_evaluation._report(tmp_path / "run")
    assert wall_s > 0.0
    assert core_s > 0.0
    page = (tmp_path / "large" / "report.html").read_text(encoding="utf-8")
    assert "11 of 12 cycles succeeded" in page
    assert "called_failed" in page
