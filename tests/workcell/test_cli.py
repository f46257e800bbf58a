"""The command as its user meets it: words in; exit code, standard output and error out."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.workcell.fake_runner import BREAKS, FAILS, HANGS
from workcell.cli import main
from workcell.records import read_records

FACTORY = "tests.workcell.fake_runner:build"


@pytest.fixture
def workcell(capfd, tmp_path):
    """Run a command; return exit code, standard output and standard error."""

    def command(*words):
        code = main([*words], FACTORY)
        return (code, *capfd.readouterr())

    return command


def run_words(tmp_path, *more):
    return ["run", "nut_insertion", "--run-dir", str(tmp_path / "run"), *more]


def test_a_run_shows_each_cycle_and_the_figures(workcell, tmp_path):
    code, out, _ = workcell(*run_words(tmp_path, "--cycles", "3", "--seed", str(FAILS - 2)))
    assert code == 0
    lines = out.splitlines()
    cycles = [line for line in lines if " seed " in line]
    assert [line.split()[0] for line in cycles] == ["1/3", "2/3", "3/3"]
    assert "FAIL" in cycles[-1]
    assert "dropped" in cycles[-1]
    assert any("2 of 3" in line for line in lines)
    assert any("66.7 % (95 % interval 20.8-93.9 %)" in line for line in lines)
    assert any("failed: dropped" in line for line in lines)


def test_json_is_all_there_is_on_standard_output(workcell, tmp_path):
    code, out, err = workcell(*run_words(tmp_path, "--cycles", "2", "--json"))
    assert code == 0
    assert json.loads(out)["n"] == 2
    assert out.count("\n") == 1
    # What C++ prints, and what is for people, goes elsewhere.
    assert "argv[0]=" in err
    assert "1/2" in err


def test_the_default_seed_is_the_first_that_nobody_tunes_on(workcell, tmp_path):
    _, out, _ = workcell(*run_words(tmp_path, "--cycles", "1", "--json"))
    assert json.loads(out)["seed"] == 1_000_000


def test_overrides_reach_the_run(workcell, tmp_path):
    workcell(*run_words(tmp_path, "--cycles", "1", "--set", "task.nut=m6", "--set", "cell.dt=4e-3"))
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert "nut: m6" in config
    assert "dt: 0.004" in config


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["run", "nut_insertin"], "no task named 'nut_insertin'. Did you mean 'nut_insertion'?"),
        (["run", "nut_insertion", "--level", "fctory"], "no level named 'fctory'. Did you mean"),
        (["run", "nut_insertion", "--robot", "tallos"], "no robot named 'tallos'. Did you mean"),
        (["run", "nut_insertion", "--set", "task.magazin=2"], "--set: task.magazin: unknown key."),
        (["run", "nut_insertion", "--set", "task.magazine=9"], "--set: task.magazine: expected 1"),
        (["run", "nut_insertion", "--cycles", "many"], "Invalid value for '--cycles'"),
        (["run", "nut_insertion", "--cycles", "0"], "--cycles: expected 1 or more, got 0"),
        (["run", "nut_insertion", "--cylces", "3"], "No such option: --cylces"),
        (["run"], "Missing argument"),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["standing", "--robot", "tallos"], "no robot named 'tallos'. Did you mean 'talos'?"),
        (["doctor", "--robot", "tallos"], "no robot named 'tallos'. Did you mean 'talos'?"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_bad_input_is_answered_in_one_line_before_anything_starts(
    workcell, tmp_path, monkeypatch, words, answer, more
):
    monkeypatch.chdir(tmp_path)
    code, out, err = workcell(*words, *(more if words != ["rnu"] else []))
    assert (code, out) == (2, "")
    (line,) = [line for line in err.splitlines() if not line.startswith("pybullet build time")]
    assert line.startswith(f"workcell: {answer}")
    assert not list(tmp_path.iterdir())


def test_a_run_that_breaks_says_why_and_keeps_its_records(workcell, tmp_path):
    words = run_words(tmp_path, "--cycles", "3", "--seed", str(BREAKS - 1), "--json")
    code, out, err = workcell(*words)
    assert (code, out) == (1, "")
    assert f"seed {BREAKS}: DeviceFault: the gripper does not answer" in err
    assert len(read_records(tmp_path / "run" / "records.jsonl")) == 1


def test_an_existing_run_folder_is_refused(workcell, tmp_path):
    (tmp_path / "run").mkdir()
    code, _, err = workcell(*run_words(tmp_path))
    assert code == 2
    assert "is not overwritten" in err


def ends(group):
    """Whether every process of a group is gone soon; Python's own helper leaves a moment later."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_cleanly_with_what_was_finished(tmp_path, workers):
    words = run_words(tmp_path, "--seed", str(HANGS - 2), "--cycles", "3", "--workers", workers)
    code = "import sys; from workcell.cli import main; sys.exit(main(sys.argv[2:], sys.argv[1]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, FACTORY, *words, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        records = tmp_path / "run" / "records.jsonl"
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            if records.exists() and len(read_records(records)) == 2:
                break
            time.sleep(0.05)
        # As a terminal does it: every process of the group hears it.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30.0)
    assert process.returncode == 130
    assert json.loads(out)["n"] == 2
    assert "interrupted after 2 of 3 cycles" in err
    assert "Traceback" not in err
    assert ends(process.pid)


def test_names_are_listed(workcell):
    code, out, _ = workcell("list")
    assert code == 0
    assert "level: nominal, factory, hard" in out
    code, out, _ = workcell("list", "--json")
    assert "talos" in json.loads(out)["robot"]


def test_help_is_help(workcell):
    code, out, _ = workcell("run", "--help")
    assert code == 0
    assert "--cycles" in out


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "workcell", "rnu"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2


def test_asking_does_not_wait_for_physics():
    code = (
        "import sys; from workcell.cli import main; main(['list']);"
        "print(sorted({'pybullet', 'pinocchio', 'torch', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
