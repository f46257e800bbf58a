"""Several environments in processes of their own, one of which is always broken."""

import json
import re
from pathlib import Path

import pytest

from robot.errors import ConfigError
from workcell.peer_process import PeerProcess
from workcell.peers import Peer, PeerEnvironment, PeerFailed
from workcell.side_by_side import Plan, SideBySide, StepRate, compare_speed

FAKES = ("tests.workcell.fake_env",)
SLOW = PeerEnvironment("tests/Counting-v0", "nobody", {"work_s": 1e-3})
BREAKING = PeerEnvironment("tests/Breaking-v0", "somebody")


def peer(environments=(SLOW,), **changes):
    values = {
        "description": "A fake.",
        "interface": "gymnasium",
        "library": "gymnasium",
        "engine": "numpy",
        "control_period": "dt",
        "physics_period": "physics_dt",
        "contacts": "Nothing touches.",
        "environments": environments,
        "imports": FAKES,
    }
    return Peer(**{**values, **changes})


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Compare an environment that runs, one that breaks, and a peer that cannot be installed."""
    folder = tmp_path_factory.mktemp("side") / "new"
    peers = {
        "fake": peer((SLOW, BREAKING)),
        "absent": peer(packages=("no-such-library==1",)),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        found = compare_speed(peers, Plan(0.05, 2, 0.05), folder.parent / "venvs", folder)
    return found, folder


def test_what_runs_is_measured_in_every_round(compared):
    (rate,), folder = compared[0].rates, compared[1]
    assert (rate.peer, rate.environment) == ("fake", SLOW.make)
    assert len(rate.rounds) == 2
    # A millisecond of work in each step, and Gymnasium's wrappers.
    assert 100.0 < rate.steps_per_s < 1000.0
    assert rate.steps_per_s_with_resets <= max(rate.rates)
    assert rate.real_time_factor == pytest.approx(0.04 * rate.steps_per_s)
    assert json.loads((folder / "result.json").read_text())["environments"] == [rate.as_json()]


def test_what_does_not_run_is_named_with_its_reason(compared):
    failures = compared[0].failures
    assert set(failures) == {"fake: tests/Breaking-v0, somebody", "absent"}
    assert "RuntimeError: the solver diverged" in failures["fake: tests/Breaking-v0, somebody"]
    assert "No matching distribution" in failures["absent"]


def test_what_the_library_prints_is_kept_apart_from_the_answers(compared):
    assert "pybullet build time" in (compared[1] / "fake-0.log").read_text()


def test_the_table_is_printed_and_written(compared):
    found, folder = compared
    assert (folder / "table.txt").read_text() == found.table() + "\n"


def test_results_are_not_written_over(compared):
    with pytest.raises(ConfigError, match="exists"):
        compare_speed({}, Plan(), compared[1], compared[1])


def test_a_process_that_dies_without_a_word_is_said_to(tmp_path):
    log = tmp_path / "log"
    with (
        pytest.raises(PeerFailed, match=r"it said nothing; see .*log"),
        PeerProcess(Path("/usr/bin/false"), {}, log, apart=True),
    ):
        pass


def test_every_figure_has_its_place_in_the_table():
    rounds = (
        {"steps": 100, "resets": 0, "core_s": 1.0, "reset_core_s": 0.0, "wall_s": 1.25},
        {"steps": 100, "resets": 1, "core_s": 1.0, "reset_core_s": 0.5, "wall_s": 1.25},
    )
    versions = {"library": None, "engine": "3.2"}
    rate = StepRate("fake", "Fake-v0", "an arm", versions, 0.04, 0.001, rounds)
    table = SideBySide((rate,), {"absent": "no network"}, {"fake": "Hard.", "absent": "Soft."})
    head, row, absent, contacts = table.table().splitlines()
    assert re.split(" {2,}", head) == [
        *("environment", "robot", "of", "engine", "physics Hz", "actions Hz", "steps/s"),
        *("lowest-highest", "with resets", "simulated s per s"),
    ]
    assert re.split(" {2,}", row) == [
        *("Fake-v0", "an arm", "library checkout", "engine 3.2", "1000", "25", "150"),
        *("100-200", "100", "6.0"),
    ]
    assert absent == "absent is missing: no network"
    assert contacts == "fake: Hard."
    assert rate.core_share == pytest.approx(0.8)


@pytest.mark.parametrize(("values", "named"), [((0.0, 5), "--seconds"), ((1.0, 0), "--rounds")])
def test_a_plan_that_measures_nothing_is_refused(values, named):
    with pytest.raises(ConfigError, match=f"{named}: expected more than 0, got 0"):
        Plan(*values)


def test_a_misspelled_peer_is_answered_before_anything_is_made(workcell, tmp_path):
    folder = tmp_path / "run"
    code, _, err = workcell("side-by-side", "--peer", "mujocco", "--run-dir", str(folder))
    assert code == 2
    assert "no peer named 'mujocco'" in err
    assert not folder.exists()
