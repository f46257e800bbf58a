"""The command as its user meets it: words in; exit code, standard output and error out."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.workcell.fake_runner import BREAKS, FAILS, HANGS
from tests.workcell.groups import ends
from workcell.console import open_output
from workcell.records import read_records

FACTORY = "tests.workcell.fake_runner:build"


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
    assert any("66.7 % (95 % interval 20.7-93.9 %)" in line for line in lines)
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
        (["evaluate"], "TASK: expected the name of a task"),
        (["evaluate", "nut_insertin"], "no task named 'nut_insertin'. Did you mean"),
        (["evaluate", "nut_insertion", "--episodes", "0"], "--episodes: expected 1 or more"),
        (["evaluate", "nut_insertion", "--claim", "99"], "--claim: expected a success rate"),
        (["evaluate", "nut_insertion", "--backend", "rya"], "no backend named 'rya'. Did you"),
        (["evaluate", "--resume", "nothing"], "nothing: expected the folder of a run"),
        (["compare", "nothing", "nowhere"], "nothing: expected the folder of a run"),
        (["report", "nothing"], "nothing: expected the folder of a run"),
        (["report", "nothing", "--film", "-1"], "--film: expected 0 or more, got -1"),
        (["benchmark", "qick"], "no benchmark named 'qick'. Did you mean 'quick'?"),
        (["benchmark", "quick", "--episodes", "0"], "--episodes: expected 1 or more, got 0"),
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


def evaluation(workcell, folder, *more):
    words = ["evaluate", "nut_insertion", "--seed", str(FAILS - 2), "--episodes", "4"]
    return workcell(*words, "--run-dir", str(folder), *more)


def test_an_evaluation_says_whether_its_claim_is_shown(workcell, tmp_path):
    code, out, _ = evaluation(workcell, tmp_path / "a", "--claim", "0.2")
    assert code == 0
    assert "claim shown: at least 24.86 % with 95 % confidence, 20 % claimed" in out
    code, out, _ = evaluation(workcell, tmp_path / "b", "--claim", "0.99", "--json")
    assert code == 3
    result = json.loads(out)
    assert (result["claim"]["verdict"], result["claim"]["needed"]) == ("refuted", 473)
    assert (result["complete"], len(result["seeds_hash"])) == (True, 16)


def test_an_evaluation_is_gone_on_with_by_its_folder_alone(workcell, tmp_path):
    evaluation(workcell, tmp_path / "a")
    file = tmp_path / "a" / "records.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:1]))
    code, out, _ = workcell("evaluate", "--resume", str(tmp_path / "a"))
    assert code == 0
    assert "4 cycles, 1 of them done before" in out
    assert [line.split()[0] for line in out.splitlines() if " seed " in line] == [
        "2/4",
        "3/4",
        "4/4",
    ]
    assert len(read_records(file)) == 4


def test_runs_are_compared_and_reported(workcell, tmp_path):
    evaluation(workcell, tmp_path / "a")
    evaluation(workcell, tmp_path / "b", "--set", "task.nut=m6")
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    code, out, _ = workcell("compare", *folders)
    assert code == 0
    assert "task.nut                 m8 in A, m6 in B" in out
    assert "no difference shown" in out
    _, out, _ = workcell("compare", *folders, "--json")
    assert json.loads(out)["cycles"]["pairs"]["both"] == 3
    code, out, _ = workcell("report", *folders, "--json")
    assert code == 0
    assert json.loads(out)["report"] == str(tmp_path / "a" / "report.html")
    assert "B against A" in (tmp_path / "a" / "report.html").read_text()
    code, _, err = workcell("report", *folders, "--out", str(tmp_path / "a" / "report.html"))
    assert code == 2
    assert "is not overwritten" in err


def test_a_benchmark_runs_by_its_name(workcell, tmp_path):
    words = ["benchmark", "nut_levels", "--episodes", "2", "--run-dir", str(tmp_path / "set")]
    code, out, _ = workcell(*words, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["complete"]
    assert [run["level"] for run in result["runs"].values()] == ["nominal", "factory", "hard"]
    assert len(result["comparisons"]) == 2
    code, out, _ = workcell("benchmark", "nut_levels", "--resume", str(tmp_path / "set"))
    assert code == 0
    assert out.count("2 of them done before") == 3


@contextmanager
def two_cycles_later(words, tmp_path):
    """Yield a process of the command, in a group of its own, that hangs in its third cycle."""
    # What is started in the background of a script ignores Ctrl-C, and so would its children.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from workcell.cli import main; sys.exit(main(sys.argv[2:], sys.argv[1]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, FACTORY, *words],
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
        yield process


@pytest.mark.parametrize(
    ("verb", "count", "workers", "how"),
    [
        ("run", "--cycles", "1", signal.SIGINT),
        ("run", "--cycles", "2", signal.SIGINT),
        ("evaluate", "--episodes", "2", signal.SIGINT),
        ("run", "--cycles", "1", signal.SIGTERM),
        ("evaluate", "--episodes", "2", signal.SIGTERM),
    ],
)
def test_ctrl_c_and_kill_end_cleanly_with_what_was_finished(tmp_path, verb, count, workers, how):
    words = [verb, *run_words(tmp_path, "--seed", str(HANGS - 2), count, "3")[1:]]
    words += ["--workers", workers]
    # Two successes would show it, had two been asked for.
    words += ["--claim", "0.2"] if verb == "evaluate" else []
    with two_cycles_later([*words, "--json"], tmp_path) as process:
        # As a terminal does it every process of the group hears it; `kill` names one.
        (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
        out, err = process.communicate(timeout=30.0)
    assert process.returncode == 130
    assert json.loads(out)["n"] == 2
    assert "interrupted after 2 of 3 cycles" in err
    assert ("claim open: not complete, 2 of 3 cycles ended" in err) == (verb == "evaluate")
    assert "Traceback" not in err
    assert ends(process.pid)


def test_nobody_works_on_for_one_who_was_killed(tmp_path):
    words = ["evaluate", *run_words(tmp_path, "--seed", str(HANGS - 2))[1:], "--workers", "2"]
    with two_cycles_later([*words, "--episodes", "3"], tmp_path) as process:
        process.kill()
        process.wait()
        assert ends(process.pid)


def test_what_cannot_be_gone_on_with_says_that_it_was_interrupted(capsys):
    with pytest.raises(KeyboardInterrupt), open_output(as_json=False):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "workcell: interrupted\n"


def test_names_are_listed(workcell):
    code, out, _ = workcell("list")
    assert code == 0
    assert "level: nominal, factory, hard" in out
    code, out, _ = workcell("list", "--json")
    assert "talos" in json.loads(out)["robot"]
    assert "quick" in json.loads(out)["benchmark"]


def test_help_is_help(workcell):
    code, out, _ = workcell("run", "--help")
    assert code == 0
    assert "--cycles" in out


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_help_tells_defaults_that_depend_on_what_is_asked(workcell, command):
    # The terminal's markup has square brackets, too.
    code, out, _ = workcell(command, "--help")
    assert code == 0
    assert "[default: 1]" in out


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


@pytest.mark.parametrize(
    "asked", [["--task", "hv_plugging"], ["--robot", "talos"], ["--evaluation"]]
)
def test_what_is_to_be_measured_is_not_dropped_silently(workcell, asked):
    code, _, err = workcell("doctor", "--no-measure", *asked)
    assert code == 2
    assert f"{asked[0]}: says what to measure, and --no-measure not to" in err
