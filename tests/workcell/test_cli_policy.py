"""Learned policies on the command line, and in what a run writes down."""

import dataclasses
import json

import onnx
import pytest
import yaml

from robot.errors import ConfigError, UnknownName
from tests.workcell.policies import CONTRACT, write
from workcell.briefing import policy_of
from workcell.build import build_cycle
from workcell.catalog import Choice, known_names, learned_policy, load_robot, resolve_choice
from workcell.config import config_folder
from workcell.environments import make_environment
from workcell.stored_run import StoredRun


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "policy")
    return tmp_path / "policy"


def test_show_and_verify_tell_what_a_policy_is(workcell, folder):
    code, out, _ = workcell("policy", "show", str(folder))
    assert code == 0
    assert "204 x 8 x 18, tanh, 1802 numbers" in out
    assert "PPO, 1000 steps, seed 3" in out
    code, out, _ = workcell("policy", "verify", str(folder), "--json")
    result = json.loads(out)
    assert (code, result["sound"]) == (0, True)
    assert len(result["files"]["weights.safetensors"]) == 64


def test_export_writes_the_network_once_with_what_it_is_for(workcell, folder, tmp_path):
    target = tmp_path / "policy.onnx"
    code, out, _ = workcell("policy", "export", str(folder), str(target), "--json")
    model = onnx.load(target)
    notes = {prop.key: prop.value for prop in model.metadata_props}
    assert (code, json.loads(out)["fingerprint"]) == (0, notes["fingerprint"])
    assert json.loads(notes["contract"])["task"] == CONTRACT.task
    before = target.read_bytes()
    for path, words in ((target, "is not overwritten"), (tmp_path / "no" / "x", "is no folder")):
        code, out, err = workcell("policy", "export", str(folder), str(path))
        assert (code, out) == (2, "")
        assert words in err
    assert target.read_bytes() == before


@pytest.mark.parametrize("command", ["show", "verify"])
def test_what_is_no_policy_is_said_in_one_line(workcell, tmp_path, command):
    for name, answer in (
        ("scriptd", "no policy named 'scriptd'. Did you mean 'scripted'?"),
        ("scripted", "scripted: is written by hand"),
        (f"{tmp_path}/none", f"{tmp_path}/none: expected the folder of a policy"),
    ):
        code, out, err = workcell("policy", command, name)
        assert (code, out) == (2, "")
        assert err.startswith(f"workcell: {answer}")
        assert err.count("\n") == 1


def test_a_run_carries_the_hashes_of_its_policy(workcell, folder, tmp_path):
    words = ["run", "nut_insertion", "--cycles", "2", "--run-dir", str(tmp_path / "run")]
    code, _, _ = workcell(*words, "--policy", str(folder))
    assert code == 0
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    stored = learned_policy(str(folder))
    assert config["policy"]["name"] == str(folder)
    assert config["policy"]["values"]["source"] == {
        "fingerprint": stored.manifest.fingerprint,
        "files": stored.manifest.files,
    }


def test_a_run_is_not_gone_on_with_by_another_policy_of_the_same_name(
    workcell,
    folder,
    tmp_path,
):
    words = ["evaluate", "nut_insertion", "--episodes", "2", "--run-dir", str(tmp_path / "run")]
    workcell(*words, "--policy", str(folder))
    (tmp_path / "run" / "records.jsonl").write_text("")
    write(folder, seed=1, overwrite=True)
    code, _, err = workcell("evaluate", "--resume", str(tmp_path / "run"))
    assert code == 2
    assert "policy.source.fingerprint was" in err


def test_an_evaluation_is_noted_in_the_policys_file(workcell, folder, tmp_path):
    words = ["evaluate", "nut_insertion", "--episodes", "3"]
    workcell(*words, "--run-dir", str(tmp_path / "run"), "--policy", str(folder))
    assert workcell("policy", "note", str(folder), str(tmp_path / "run"))[0] == 0
    (record,) = learned_policy(str(folder)).manifest.evaluation
    assert (record.episodes, record.successes, record.first_seed) == (3, 3, 1_000_000)
    assert "3 of 3 (43.8-100.0 %)" in workcell("policy", "show", str(folder))[1]
    workcell(*words, "--run-dir", str(tmp_path / "other"))
    code, _, err = workcell("policy", "note", str(folder), str(tmp_path / "other"))
    assert code == 2
    assert "expected an evaluation of" in err
    # The run goes on to be one of this policy: how it was evaluated is no part of what it is.
    assert workcell("evaluate", "--resume", str(tmp_path / "run"))[0] == 0


def test_an_evaluation_by_two_commits_is_warned_of_and_not_noted(
    workcell, folder, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    words = ["evaluate", "nut_insertion", "--episodes", "3", "--policy", str(folder)]
    workcell(*words, "--run-dir", str(run))
    lines = (run / "records.jsonl").read_text().splitlines(keepends=True)
    (run / "records.jsonl").write_text("".join(lines[:2]))
    monkeypatch.setattr("workcell.run.commit", lambda: "0ther")
    code, _, err = workcell("evaluate", "--resume", str(run))
    assert code == 0
    assert "was begun by other code: commit was " in err
    code, _, err = workcell("policy", "note", str(folder), str(run))
    assert code == 2
    assert "The cycles were run by 2 commits: " in err
    assert err.endswith("Evaluate the policy again in one go\n")
    assert learned_policy(str(folder)).manifest.evaluation == ()


def test_an_evaluation_is_noted_once_and_with_what_was_changed(workcell, folder, tmp_path):
    changes = ("--set", "level.shove_chance=0", "--set", "task.nut=m6")
    words = ["evaluate", "nut_insertion", "--episodes", "3", "--policy", str(folder)]
    workcell(*words, "--run-dir", str(tmp_path / "plain"))
    workcell(*words, *changes, "--run-dir", str(tmp_path / "changed"))
    for name in ("changed", "plain", "changed", "plain"):
        assert workcell("policy", "note", str(folder), str(tmp_path / name))[0] == 0
    changed, unchanged = learned_policy(str(folder)).manifest.evaluation
    assert changed.overrides == ("level.shove_chance=0", "task.nut=m6")
    assert changed.config_hash == StoredRun.read(tmp_path / "changed").config_hash
    assert (unchanged.overrides, len(unchanged.config_hash)) == ((), 16)
    assert unchanged.config_hash != changed.config_hash
    _, out, _ = workcell("policy", "show", str(folder))
    assert "on talos with level.shove_chance=0 task.nut=m6, seeds from 1000000" in out
    assert "on talos, seeds from 1000000" in out


def test_what_was_noted_without_its_conditions_gets_them_in_its_place(workcell, folder, tmp_path):
    words = ["evaluate", "nut_insertion", "--episodes", "3", "--policy", str(folder)]
    workcell(*words, "--run-dir", str(tmp_path / "run"))
    workcell("policy", "note", str(folder), str(tmp_path / "run"))
    file = folder / "policy.json"
    written = json.loads(file.read_text())
    (record,) = written["evaluation"]
    # As an older version wrote it, and something after it.
    old = {key: value for key, value in record.items() if key not in ("overrides", "config_hash")}
    file.write_text(json.dumps({**written, "evaluation": [old, {**old, "first_seed": 2_000_000}]}))
    assert learned_policy(str(folder)).manifest.evaluation[0].config_hash == ""
    workcell("policy", "note", str(folder), str(tmp_path / "run"))
    first, second = learned_policy(str(folder)).manifest.evaluation
    assert (first.config_hash, first.first_seed) == (record["config_hash"], 1_000_000)
    assert second.first_seed == 2_000_000


def test_what_seeds_are_for_is_told_and_those_of_training_are_refused(workcell, folder, tmp_path):
    words = ["evaluate", "nut_insertion", "--episodes", "3", "--policy", str(folder)]
    for seed in ("5", "899999", "900000", "999999"):
        workcell(*words, "--seed", seed, "--run-dir", str(tmp_path / seed))
    for seed in ("5", "899999"):
        code, _, err = workcell("policy", "note", str(folder), str(tmp_path / seed))
        assert code == 2
        assert f"expected seeds that nothing is trained on, got them from {seed}" in err
    assert learned_policy(str(folder)).manifest.evaluation == ()
    for seed in ("900000", "999999"):
        assert workcell("policy", "note", str(folder), str(tmp_path / seed))[0] == 0
    _, out, _ = workcell("policy", "show", str(folder))
    assert out.count("(validation seeds)") == 2


def test_the_seeds_that_a_policy_was_chosen_on_are_called_so(workcell):
    _, out, _ = workcell("policy", "show", "nut_residual")
    lines = out.splitlines()
    chosen = next(line for line in lines if line.startswith("chosen on"))
    assert "40 of 40" in chosen
    assert "seeds from 900000" in chosen
    held_out = next(line for line in lines if "seeds from 950000" in line)
    assert held_out.startswith("evaluated")
    assert held_out.endswith("(validation seeds)")
    measured = next(line for line in lines if "seeds from 1202000" in line)
    assert "600 of 600" in measured
    assert "validation" not in measured
    corrects = next(line for line in lines if line.startswith("corrects by"))
    assert "in the first attempt, a search for 0.8 s" in corrects


def test_another_task_or_robot_is_refused_before_anything_is_built(folder):
    with pytest.raises(ConfigError, match="task: made for nut_insertion, asked to do hv_plugging"):
        resolve_choice(Choice("hv_plugging", policy=str(folder)))
    with pytest.raises(ConfigError, match="robot: made for talos_fixed, talos, asked to drive g1"):
        resolve_choice(Choice("nut_insertion", robot="g1", policy=str(folder)))
    with pytest.raises(UnknownName, match="Did you mean 'scripted'"):
        resolve_choice(Choice("nut_insertion", policy="scriptde"))


def test_a_policy_that_comes_along_is_known_by_its_name(tmp_path):
    shelf = tmp_path / "configs"
    shelf.mkdir()
    for part in config_folder().iterdir():
        if part.name != "policy":
            (shelf / part.name).symlink_to(part)
    write(shelf / "policy" / "nut_learned")
    assert known_names(shelf)["policy"] == ("nut_learned", "scripted")
    config = resolve_choice(Choice("nut_insertion", policy="nut_learned"), folder=shelf)
    assert config.values["policy"].source.fingerprint


def test_a_policy_acts_in_the_cell_it_was_made_for_and_in_no_other(folder, tmp_path):
    choice = Choice("nut_insertion", robot="talos_fixed", policy=str(folder))
    runner = build_cycle(resolve_choice(choice, ["task.time_limit=0.4"]))
    try:
        assert runner.run(5).failure == "time_out"
    finally:
        runner.close()
    for override, answer in (
        ("cell.ticks_per_step=10", "policy period: made for 0.04 s, the cell has 0.02 s"),
        ("cell.action.translation_m=0.01", "made for translation_m = 0.02, here it is 0.01"),
    ):
        with pytest.raises(ConfigError, match=answer):
            build_cycle(resolve_choice(choice, [override]))


def test_a_policy_that_is_exchanged_after_the_run_was_resolved_is_refused(folder):
    config = resolve_choice(Choice("nut_insertion", robot="talos_fixed", policy=str(folder)))
    write(folder, seed=1, overwrite=True)
    env = make_environment("nut_insertion", "talos_fixed")
    try:
        with pytest.raises(ConfigError, match="it was written again since the run began"):
            policy_of(config, env)
    finally:
        env.close()


def test_verify_holds_the_contract_against_a_cell(workcell, folder, tmp_path):
    code, out, _ = workcell("policy", "verify", str(folder), "--robot", "talos_fixed")
    assert code == 0
    assert "contract with nut_insertion on talos_fixed" in out
    wrong = dataclasses.replace(CONTRACT, dt=0.05)
    write(tmp_path / "wrong", wrong)
    code, _, err = workcell("policy", "verify", str(tmp_path / "wrong"), "--robot", "talos_fixed")
    assert code == 2
    assert "policy period: made for 0.05 s, the cell has 0.04 s" in err


@pytest.mark.parametrize(
    ("kind", "name", "robot", "held"),
    [
        ("balance", "talos", "talos", "robot talos"),
        ("touch", "nut_insertion", "g1", "pads of g1"),
        ("touch", "hv_plugging", "talos", "pads of talos"),
    ],
)
def test_what_drives_no_environment_is_held_against_the_robot_itself(
    workcell, kind, name, robot, held
):
    folder = str(config_folder() / kind / name)
    code, out, err = workcell("policy", "verify", folder, "--robot", robot)
    assert (code, err) == (0, "")
    assert f"answers, {held})" in out
    code, _, err = workcell("policy", "verify", folder, "--robot", "tallos")
    assert code == 2
    assert "no robot named 'tallos'. Did you mean 'talos'?" in err


def test_what_drives_no_environment_is_refused_for_another_robot(workcell, monkeypatch):
    folder = str(config_folder() / "balance" / "talos")
    code, _, err = workcell("policy", "verify", folder, "--robot", "g1")
    assert code == 2
    assert "robot: made for talos, asked to drive g1" in err
    pads = load_robot("talos").description.pads
    monkeypatch.setattr("workcell.policy_fit.touch_pads", lambda: (pads, ("talos",)))
    folder = str(config_folder() / "touch" / "nut_insertion")
    code, _, err = workcell("policy", "verify", folder, "--robot", "g1")
    assert code == 2
    assert "those of g1 differ. Choose one of talos" in err
