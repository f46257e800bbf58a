"""Training that is gone on with where it does not fit, and what it is written down with."""

import dataclasses

import pytest
import yaml

from robot.errors import ConfigError, UnknownName
from tests.workcell.fake_bench import BENCH, SMALL
from tests.workcell.test_train import (
    gone_on,
    killed_before_saving,
    rows,
    run_typed,
    small,
    stop_in,
)
from workcell import train as train_module
from workcell.environments import make_residual_environment
from workcell.policy_folder import read_policy
from workcell.train import train
from workcell.train_spec import TrainSpec
from workcell.trainer import Trainer
from workcell.training_config import TrainingConfig, resolve_training


def test_what_was_learned_is_validated_where_its_end_is_moved_to(tmp_path):
    """Of six segments to a validation four were learned, and that is to be all."""
    seldom = small(overrides=(*SMALL, "training.validation.every=6"), steps=6 * 64)
    cut = train(seldom, tmp_path / "run", on_progress=stop_in(4))
    assert (cut.interrupted, cut.standing.segment, cut.policy) == (True, 4, None)
    ended = train(gone_on(tmp_path / "run", steps=4 * 64), resume=tmp_path / "run")
    assert ended.standing.best.segment == ended.standing.validated == 4
    assert read_policy(ended.policy).manifest.training.steps == 4 * 64
    assert ended.confirmation.n == 3
    assert len(rows(tmp_path / "run")) == 4
    again = train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert again.standing == dataclasses.replace(ended.standing, wall_s=again.standing.wall_s)


def test_a_policy_that_the_checkpoint_does_not_know_is_not_measured_for_the_best(
    tmp_path, monkeypatch, caplog
):
    """Killed between writing the policy of segment 4 and writing down that it did."""
    killed_before_saving(4, tmp_path / "run", monkeypatch)
    assert read_policy(tmp_path / "run" / "policy").manifest.training.steps == 256
    ended = train(gone_on(tmp_path / "run", steps=192), resume=tmp_path / "run")
    assert "expected the best policy of segment 2, found another one" in caplog.text
    stored = read_policy(ended.policy).manifest
    assert stored.training.steps == 192
    assert ended.standing.best.segment == ended.standing.confirmed == 3
    assert stored.fingerprint == ended.standing.best.fingerprint


def test_how_the_best_of_before_did_is_not_said_of_a_new_one(tmp_path):
    def stop(now):
        if now.doing.startswith("confirmation"):
            raise KeyboardInterrupt

    before = train(small(steps=128), tmp_path / "run")
    assert before.confirmation.n == 3
    cut = train(gone_on(tmp_path / "run", steps=256), resume=tmp_path / "run", on_progress=stop)
    assert (cut.interrupted, cut.standing.best.segment, cut.confirmation) == (True, 4, None)
    ended = train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert ended.standing.confirmed == 4
    assert ended.confirmation.n == 3


def test_a_checkpoint_of_another_learner_is_named(tmp_path):
    train(small(steps=64), tmp_path / "run")
    file = tmp_path / "run" / "config.yaml"
    file.write_text(file.read_text().replace("algorithm: ppo", "algorithm: sac"))
    with pytest.raises(ConfigError, match=r"checkpoint\.safetensors: does not fit what"):
        train(gone_on(tmp_path / "run"), resume=tmp_path / "run")


def test_going_on_by_other_code_is_warned_of(tmp_path, monkeypatch, caplog):
    train(small(steps=64), tmp_path / "run")
    train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert "other code" not in caplog.text
    monkeypatch.setattr(train_module, "commit", lambda: "0ther")
    train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert "was begun by other code: commit was " in caplog.text
    assert ", is 0ther. " in caplog.text


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"task": {"name": "nut_insertion"}}))
    before = list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="expected the section run of a training"):
        gone_on(tmp_path)
    assert list(tmp_path.iterdir()) == before


def test_what_was_changed_of_the_episodes_is_written_beside_how_it_did_on_them(tmp_path):
    changed = ("level.shove_chance=0", "task.time_limit=30")
    ended = train(small(overrides=(*SMALL, *changed), steps=64), tmp_path / "run")
    chosen, confirmed = read_policy(ended.policy).manifest.evaluation
    assert chosen.overrides == confirmed.overrides == changed


def test_another_robot_to_try_it_on_is_another_training(tmp_path):
    train(small(steps=64), tmp_path / "run")
    bolted = small(overrides=(*SMALL, "training.validation.robot=talos_fixed"))
    with pytest.raises(ConfigError, match=r"training\.validation\.robot was talos, is talos_fixed"):
        train(bolted, resume=tmp_path / "run")


def test_the_script_inside_is_changed_where_it_is_said_to_be():
    for section in ("policy.use_contact=false", "policy=scripted"):
        with pytest.raises(ConfigError, match=r"^policy.*say residual\.scripted"):
            resolve_training("nut_insertion", "factory", (section,))
    with pytest.raises(ConfigError, match=r"^policy\.retries: .*say residual\.scripted\.retries"):
        make_residual_environment("nut_insertion", "talos_fixed", overrides=["policy.retries=0"])


def test_a_policy_drives_the_robot_that_it_was_trained_on():
    with pytest.raises(ConfigError, match=r"training\.drives: expected g1 among them, which is"):
        resolve_training("nut_insertion", "factory", ("training.robot=g1",))
    with pytest.raises(UnknownName, match="nobody"):
        resolve_training("nut_insertion", "factory", ("training.drives=[talos_fixed, nobody]",))
    alone = ("training.robot=g1", "training.drives=[]")
    with pytest.raises(ConfigError, match=r"validation\.robot: expected .* g1, got talos; say"):
        resolve_training("nut_insertion", "factory", alone)
    alone = (*alone, "training.validation.robot=g1")
    config = resolve_training("nut_insertion", "factory", alone)
    assert (config.get("training", TrainingConfig).drives, config.names["robot"]) == ((), "g1")


def test_without_others_a_policy_drives_the_robot_it_was_trained_on_alone(tmp_path, monkeypatch):
    robots = []
    write = Trainer._write_policy

    def keep(self, network, trials, found):
        told = self._benches.one

        def one(name, *given):
            robots.append(given[-1].robots)
            return told(name, *given)

        monkeypatch.setattr(self._benches, "one", one)
        return write(self, network, trials, found)

    monkeypatch.setattr(Trainer, "_write_policy", keep)
    spec = TrainSpec(
        "nut_insertion",
        steps=64,
        overrides=(*SMALL, "training.drives=[]", "training.validation.robot=null"),
        factory=BENCH,
    )
    ended = train(spec, tmp_path / "alone")
    records = read_policy(ended.policy).manifest.evaluation
    assert [record.robot for record in records] == ["talos_fixed", "talos_fixed"]
    run_typed(tmp_path / "both", 0.2)
    assert robots == [("talos_fixed",), ("talos_fixed", "talos")]
