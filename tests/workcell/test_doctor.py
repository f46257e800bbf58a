import dataclasses

import pytest

from robot.errors import ConfigError, UnknownName
from workcell import doctor, provenance
from workcell.doctor import DoctorFigures, examine
from workcell.doctor_task import TaskFigures

FAST = DoctorFigures(0.3, 0.8, 150.0, 2.5, 62.0, 25.0, 1.0)


def test_every_library_has_a_version_here():
    report = examine(())
    assert report.healthy
    assert report.versions["python"].startswith("3.11")
    assert all(report.versions.values())


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(provenance, "DISTRIBUTIONS", ("numpy", "no-such-library"))
    report = examine(())
    assert not report.healthy
    assert report.missing == {"no-such-library": "pip install no-such-library"}
    assert ("no-such-library", "MISSING") in report.rows()


def test_a_robot_whose_package_is_missing_is_not_measured(monkeypatch):
    remedy = "x is not installed; pip install x"
    monkeypatch.setattr(doctor, "_package_remedy", lambda package: remedy)
    with pytest.raises(ConfigError, match="robot talos: x is not installed; pip install x"):
        examine(("talos",))
    report = examine(())
    assert report.healthy
    assert report.unusable_robots["talos"] == remedy


def test_a_misspelled_robot_is_answered_before_anything_is_measured():
    with pytest.raises(UnknownName, match="Did you mean 'talos'"):
        examine(("tallos",))


@pytest.mark.parametrize(
    ("figures", "fast_enough"),
    [
        (FAST, True),
        (DoctorFigures(0.3, 1.2, 150.0, 2.5, 62.0, 25.0, 1.0), False),
        (DoctorFigures(0.3, 0.8, 150.0, 1.9, 62.0, 25.0, 1.0), False),
    ],
)
def test_the_verdict_is_about_the_loop_and_its_slowest_ticks(figures, fast_enough):
    assert figures.fast_enough is fast_enough


def test_a_busy_machine_is_no_verdict_on_a_quiet_one(monkeypatch):
    monkeypatch.setattr(doctor, "measure", lambda name: dataclasses.replace(FAST, core_share=0.5))
    assert ("talos: verdict", "holds the control rate (busy: it was given 50 % of a core)") in (
        examine(("talos",)).rows()
    )


def test_a_robot_is_measured(monkeypatch):
    monkeypatch.setattr(doctor, "_MEASURED_TIME", 0.2)
    figures = doctor.measure("talos_fixed")
    assert 0.0 < figures.tick_median_ms <= figures.tick_p99_ms
    assert figures.real_time_factor == pytest.approx(figures.env_steps_per_s / figures.env_rate_hz)
    # Two physics steps and one controller tick are part of the whole, and not all of it.
    parts_ms = 2e-3 * figures.physics_step_us + figures.tick_median_ms
    assert parts_ms < 2.0 / figures.real_time_factor * 1.5


def test_a_misspelled_job_is_answered_before_anything_is_measured():
    with pytest.raises(UnknownName, match="Did you mean 'hv_plugging'"):
        examine((), ("hv_pluging",))


def test_a_job_is_shown_with_its_largest_parts_first_and_the_small_ones_together(monkeypatch):
    parts = {"controller": 200.0, "Bullet": 390.0, "Shove": 4.0, "Magnet": 6.0}
    figures = TaskFigures("factory", 41, 60.0, 1.2, 1.5, 0.5, parts)
    monkeypatch.setattr(doctor, "measure_task", lambda task: figures)
    report = examine((), ("hv_plugging",))
    what = "hv_plugging, factory, seed 41"
    assert report.rows()[-4:] == [
        (
            f"{what}: real-time factor",
            "1.20 over 60 s, too slow, busy: given 50 % of a core (1.5 wanted)",
        ),
        (f"{what}: Bullet", "390 us of 600 per ms"),
        (f"{what}: controller", "200 us of 600 per ms"),
        (f"{what}: other parts", "10 us"),
    ]
    assert report.as_json()["tasks"]["hv_plugging"]["parts_us"]["Bullet"] == 390.0


@pytest.mark.parametrize(
    ("status", "told"),
    [("", "abc"), ("?? configs/robot/new.yaml", "abc+changes"), (None, "abc+changes")],
)
def test_code_is_called_clean_only_if_git_says_so(monkeypatch, status, told):
    def git(folder, command, *more):
        if command == "rev-parse":
            return "abc"
        # New files where code and values are count, too.
        assert "--untracked-files=normal" in more
        assert {"robot", "configs"} <= set(more)
        return status

    monkeypatch.setattr(provenance, "_git", git)
    assert provenance.commit() == told
