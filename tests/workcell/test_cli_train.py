"""Training on the command line: what it tells, how it is interrupted, what it refuses."""

import json

import pytest

from tests.workcell.fake_bench import BENCH, SMALL
from workcell.cli import main


@pytest.fixture
def command(capfd):
    def run(*words, bench=BENCH):
        code = main(["train", *map(str, words)], bench)
        return (code, *capfd.readouterr())

    return run


def sets(values):
    return [word for value in values for word in ("--set", value)]


def test_the_command_tells_and_prints_one_object(command, tmp_path):
    words = ("nut_insertion", "--steps", 64, "--out", tmp_path / "run", *sets(SMALL))
    code, printed, told = command(*words, "--json")
    result = json.loads(printed)
    assert (code, result["steps"], result["segments"]) == (0, 64, 1)
    assert result["policy"] == str(tmp_path / "run" / "policy")
    script, segment = told.index("the script alone: "), told.index("segment 1: 64 steps")
    assert script < segment
    assert " validation episodes succeeded, median " in told[script:segment]
    assert f"next: workcell evaluate nut_insertion --policy {tmp_path / 'run' / 'policy'}" in told
    code, printed, _ = command("--resume", tmp_path / "run")
    assert code == 0
    assert "had ended" in printed


def test_what_is_no_better_than_the_script_is_not_said_to_be(command, tmp_path):
    # Nothing is learned in a step of this size.
    sets_small = (*SMALL, "training.ppo.learning_rate=1e-12", "training.ppo.clip=1e-6")
    words = ("nut_insertion", "--steps", 64, "--out", tmp_path / "run", *sets(sets_small))
    assert "nothing that was learned does better than the script alone" in command(*words)[1]


def test_ctrl_c_ends_it_and_says_how_to_go_on(command, tmp_path):
    words = ("nut_insertion", "--steps", 128, "--out", tmp_path / "run", *sets(SMALL))
    code, printed, _ = command(*words, bench="tests.workcell.fake_bench:InterruptedBench")
    assert code == 130
    assert f"go on with: workcell train --resume {tmp_path / 'run'}" in printed
    assert json.loads(command("--resume", tmp_path / "run", "--json")[1])["segments"] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "task: expected the name of one"),
        (("nut_insertoin",), "nut_insertoin"),
        (("hv_inspection",), "no script that is corrected"),
        (("nut_insertion", "--algorithm", "ppp"), "Known: crossq, ppo, sac"),
        (("nut_insertion", "--seed", "900000"), "--seed: expected 0 to 899999"),
        (("nut_insertion", "--steps", "0"), "--steps: expected 1 or more"),
        (("nut_insertion", "--minutes", "0"), "--minutes: expected more than 0"),
        (("nut_insertion", "--steps", "9", "--minutes", "9"), "one of them"),
        (("nut_insertion", "--workers", "0"), "--workers: expected 1 or more"),
        (("nut_insertion", "--level", "harder"), "hard"),
        (("nut_insertion", "--set", "training.ppo.bach=3"), "Did you mean 'batch'?"),
        (("nut_insertion", "--set", "training.ppo.clip=-1"), "--set: training.ppo.clip: expected"),
        (
            ("nut_insertion", "--set", "training.validation.first_seed=1000000"),
            "training.validation.first_seed: expected",
        ),
        (("--resume", "nowhere"), "expected the folder of a training"),
        (("--resume", "nowhere", "--seed", "3"), "--seed: leave it out"),
        (("nut_insertion", "--resume", "nowhere"), "task: leave it out"),
    ],
)
def test_wrong_input_is_refused_in_one_line(command, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    code, printed, complaint = command(*words)
    assert (code, printed) == (2, "")
    assert told in complaint
    assert complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(command, tmp_path):
    (tmp_path / "run").mkdir()
    code, _, complaint = command("nut_insertion", "--out", tmp_path / "run")
    assert code == 2
    assert "exists and is not overwritten" in complaint
    assert list((tmp_path / "run").iterdir()) == []


def test_what_cannot_be_built_is_refused_before_anything_is_written(command, tmp_path):
    words = ("nut_insertion", "--out", tmp_path / "run")
    for workers in (1, 2):
        refuse = "tests.workcell.fake_bench:refuse"
        code, _, complaint = command(*words, "--workers", workers, bench=refuse)
        assert code == 2
        assert "example-robot-data is not installed" in complaint
    assert not (tmp_path / "run").exists()
