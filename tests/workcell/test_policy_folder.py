"""Policies on the disk: what comes back, and what is refused before anything runs."""

import dataclasses
import hashlib
import json
import pickle
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from policies.contract import Workplace
from policies.learned import ActorConfig
from robot.errors import ConfigError
from tests.workcell.policies import CONTRACT, SCALE, TRAINING, network, write
from workcell.policy_folder import WEIGHTS, add_evaluation, read_policy, write_policy
from workcell.policy_manifest import EvaluationRecord

OBSERVED = np.random.default_rng(5).normal(size=CONTRACT.inputs).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "policy", description="holds [ 1 ] nut")
    return tmp_path / "policy"


def change(folder, **changes):
    """Change values of `policy.json` by dotted keys, double underscores for dots."""
    file = folder / "policy.json"
    data = json.loads(file.read_text())
    for key, value in changes.items():
        *parents, last = key.split("__")
        inner = data
        for parent in parents:
            inner = inner[parent]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    file.write_text(json.dumps(data))


def rehash(folder):
    """Make the manifest believe in the weights as they are, as a careful forger would."""
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    change(folder, files={WEIGHTS: digest})


def refusal(folder):
    with pytest.raises(ConfigError) as raised:
        read_policy(folder)
    (line,) = str(raised.value).splitlines()
    assert len(line) < 400
    return line


def test_what_is_written_comes_back(folder):
    stored = read_policy(folder)
    assert stored.manifest.contract == CONTRACT
    assert stored.manifest.description == "holds [ 1 ] nut"
    assert np.array_equal(stored.network(OBSERVED), network()(OBSERVED))
    policy = stored.policy()
    observation = {"left_wrench_tool": OBSERVED[:6], "left_tactile": OBSERVED[6:].reshape(2, 11, 9)}
    assert np.array_equal(policy.act(observation), network()(OBSERVED))
    assert policy.act(observation).dtype == np.float32


def test_the_fingerprint_is_that_of_what_the_policy_does(folder, tmp_path):
    first = read_policy(folder)
    assert first.config.source.fingerprint == first.manifest.fingerprint
    assert first.config.source.files == first.manifest.files
    record = EvaluationRecord("factory", "talos", 1_000_000, 100, 99, 8.1)
    noted = add_evaluation(folder, record)
    assert noted.manifest.evaluation == (record,)
    assert noted.manifest.fingerprint == first.manifest.fingerprint
    other = write(tmp_path / "other", seed=1, description="holds [ 1 ] nut")
    assert other.manifest.fingerprint != first.manifest.fingerprint


def test_nothing_is_overwritten_without_being_told(folder, tmp_path):
    before = (folder / WEIGHTS).read_bytes()
    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        write(folder, seed=1)
    assert (folder / WEIGHTS).read_bytes() == before
    write(folder, seed=1, overwrite=True)
    assert (folder / WEIGHTS).read_bytes() != before
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="no policy's folder"):
        write(tmp_path / "thesis", overwrite=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy", "thesis"]


@pytest.mark.parametrize(
    "words", [("balance", "train"), ("touch", "train", "nut_insertion")], ids=lambda words: words[0]
)
def test_nothing_is_taught_for_a_folder_that_may_not_be_replaced(
    workcell, tmp_path, monkeypatch, words
):
    taught = []
    monkeypatch.setattr("policies.balance.train.Trainer.run", taught.append)
    monkeypatch.setattr("workcell.touch._training_data", lambda *_: taught.append("touch"))
    write(tmp_path / "policy")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name, more, answer in (
        ("policy", [], "exists and is not overwritten"),
        ("link", [], "exists and is not overwritten"),
        ("link", ["--overwrite"], "is no policy's folder"),
        ("thesis", ["--overwrite"], "is no policy's folder"),
    ):
        code, _, err = workcell(*words, str(tmp_path / name), *more)
        assert code == 2
        assert f"{tmp_path / name}: {answer}" in err
    assert not taught


def test_a_policy_that_does_not_fit_leaves_nothing_behind(tmp_path):
    wrong = dataclasses.replace(CONTRACT, action=CONTRACT.action * 2)
    with pytest.raises(ConfigError, match=r"network.outputs: the contract has 36 numbers, the net"):
        write_policy(tmp_path / "p", "actor", ActorConfig(), wrong, network(), TRAINING)
    assert not list(tmp_path.iterdir())


def test_tampered_weights_are_found_out(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    assert "expected SHA-256" in refusal(folder)


def test_weights_that_are_exchanged_together_with_their_hash_are_found_out(folder):
    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "layers.1.bias": tensors["layers.1.bias"] + 1.0}, folder / WEIGHTS)
    rehash(folder)
    assert "answer to the probe is off by" in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"layers.0.bias": np.zeros(3, np.float32)}, "layers.0.bias: expected shape (8,), got"),
        ({"layers.0.bias": np.zeros(8)}, "layers.0.bias: expected float32, got float64"),
        ({"layers.0.bias": np.full(8, np.nan, np.float32)}, "layers.0.bias: expected finite"),
        ({"extra": np.zeros(1, np.float32)}, "unknown ['extra']"),
    ],
)
def test_arrays_that_do_not_fit_are_named(folder, changes, answer):
    save_file({**load_file(folder / WEIGHTS), **changes}, folder / WEIGHTS)
    rehash(folder)
    assert answer in refusal(folder)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"version": 2}, "version: expected 1, got 2; it was written by another version"),
        ({"format": "zip"}, "format: expected 'workcell-policy', got 'zip'"),
        ({"kind": "actr"}, "kind: no kind of policy named 'actr'. Did you mean 'actor'?"),
        ({"kind": "residual"}, "contract.observation: expected side (1,) with this config"),
        ({"contract__task": None}, "policy.contract.task: required, and not given"),
        ({"contract__tsk": "x"}, "policy.contract.tsk: unknown key. Did you mean 'task'?"),
        ({"network__architecture": "conv"}, "policy.network.architecture: expected 'mlp', got"),
        ({"network__hidden": [8] * 99}, "policy.network.hidden: expected at most 8 widths"),
        ({"normalization__std": [0.0]}, "policy.normalization.std: expected as many numbers"),
        ({"files": {}}, "files: expected a hash of weights.safetensors, got none"),
        ({"files": {"../up": "0" * 64, WEIGHTS: "0" * 64}}, "files: expected plain names"),
        ({"probe": {"observation": [], "action": []}}, "probe: expected 204 and 18 numbers"),
        ({"config": {"speed": 1}}, "config.speed: unknown key"),
        ({"config": {"source": {}}}, "config.source: unknown key"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(folder, changes, answer):
    change(folder, **changes)
    line = refusal(folder)
    assert line.startswith(str(folder))
    assert answer in line


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{", "expected JSON"),
        ("[]", "format: expected 'workcell-policy', got 'list'"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": NaN}', "NaN is no number"),
        ("[" * 100_000, "expected JSON"),
    ],
)
def test_a_manifest_that_is_none_is_refused(folder, text, answer):
    (folder / "policy.json").write_text(text)
    assert answer in refusal(folder)


def test_missing_files_are_named(folder, tmp_path):
    assert "expected the folder of a policy" in refusal(tmp_path / "nothing")
    (folder / WEIGHTS).unlink()
    assert f"{WEIGHTS}: missing" in refusal(folder)
    (folder / "policy.json").unlink()
    assert "policy.json: missing" in refusal(folder)


def test_pickles_are_refused_and_never_loaded(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (folder / "optimizer.pkl").write_bytes(pickle.dumps(Trap()))
    assert "optimizer.pkl: a file of this kind can run code" in refusal(folder)
    (folder / "optimizer.pkl").rename(folder / "model.zip")
    assert "model.zip" in refusal(folder)
    (folder / "model.zip").replace(folder / WEIGHTS)
    rehash(folder)
    assert "expected safetensors" in refusal(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path):
    shutil.move(folder / WEIGHTS, tmp_path / "elsewhere")
    (folder / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    assert "expected a regular file" in refusal(folder)


def test_a_file_of_pure_numbers_is_read_by_a_person(folder):
    lines = (folder / "policy.json").read_text().splitlines()
    assert len(lines) < 120
    assert any(line.lstrip().startswith('"mean": [0.5, 0.5') for line in lines)


def test_the_contract_is_held_against_where_the_policy_is_to_act():
    needs = {entry.name: entry.shape for entry in CONTRACT.observation}
    here = Workplace("nut_insertion", "talos", ("left", "right"), 0.04, needs, SCALE, ())
    here.refuse(CONTRACT, needs)
    for changes, answer in (
        ({"task": "hv_plugging"}, "task: made for nut_insertion, asked to do hv_plugging"),
        ({"robot": "g1"}, "robot: made for talos_fixed, talos, asked to drive g1"),
        ({"arms": ("left",)}, "arms: made for left, right, the task has left"),
        ({"dt": 0.05}, "policy period: made for 0.04 s, the cell has 0.05 s"),
        ({"observation": {"left_tactile": (2, 11, 9)}}, "left_wrench_tool of shape"),
        ({"observation": {**needs, "left_tactile": (2, 5, 5)}}, "here it is (2, 5, 5)"),
        ({"action_scale": {**SCALE, "push_n": 60.0}}, "made for push_n = 30.0, here it is 60.0"),
    ):
        with pytest.raises(ConfigError) as raised:
            dataclasses.replace(here, **changes).refuse(CONTRACT, needs)
        assert answer in str(raised.value)
