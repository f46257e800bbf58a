"""Training on a simulation that is none: what is kept, what is gone on with, what is refused."""

import csv
import shutil

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from policies.learner import Learner, LearnerState
from policies.network import Mlp, MlpSpec, Normalization
from policies.rollout import Explorer
from robot.errors import ConfigError
from tests.workcell.fake_bench import BENCH, MOVES, SEEN, SMALL, FakeBench
from workcell.benches import Benches, TrainingCrashed
from workcell.policy_folder import read_policy
from workcell.train import train
from workcell.train_spec import TrainSpec, stored_spec
from workcell.trainer import Trainer, best_margin
from workcell.training_config import (
    resolve_training,
)
from workcell.training_folder import TrainingFolder


def small(**changes):
    values = {"task": "nut_insertion", "steps": 256, "overrides": SMALL, "factory": BENCH}
    return TrainSpec(**{**values, **changes})


def gone_on(path, steps=None):
    return stored_spec(path, steps, None, BENCH)


def rows(path):
    with (path / "progress.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "wall_s"} for row in csv.DictReader(file)]


def stop_in(segment):
    def on_progress(now):
        if now.doing == "learning" and now.standing.segment == segment:
            raise KeyboardInterrupt

    return on_progress


def killed_before_saving(segment, path, monkeypatch):
    """Train until what a segment came to would be written down."""
    write = TrainingFolder.save

    def die(self, standing, learner):
        if standing.segment == segment:
            raise RuntimeError("killed")
        write(self, standing, learner)

    with monkeypatch.context() as patched:
        patched.setattr(TrainingFolder, "save", die)
        with pytest.raises(RuntimeError, match="killed"):
            train(small(), path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(small(), tmp_path_factory.mktemp("trained") / "run")


def test_what_is_learned_beats_the_script_on_seeds_that_were_not_learned_from(trained):
    found, sure = trained.validation, trained.confirmation
    assert (found.n, found.successes, sure.n) == (4, 4, 3)
    assert found.faster_s > 0.01
    assert sure.better
    seeds = [trial.seed for trial in (*trained.standing.best.trials, *trained.standing.confirm)]
    assert seeds == [*range(900_000, 900_004), *range(950_000, 950_003)]


def test_the_policy_says_where_it_came_from(trained):
    manifest = read_policy(trained.policy).manifest
    assert manifest.training.command == trained.spec.command
    assert manifest.training.seed == 0
    assert 0.0 < manifest.training.wall_s < trained.standing.wall_s
    assert [record.first_seed for record in manifest.evaluation] == [900_000, 950_000]
    assert [record.robot for record in manifest.evaluation] == ["talos", "talos"]
    assert manifest.contract.robots == ("talos_fixed", "talos")
    assert "with talos: 4 of 4 succeeded, the script alone 4" in manifest.description
    assert "--set training.segment_steps=64" in trained.spec.command


def test_curves_have_a_line_for_each_segment(trained):
    told = rows(trained.path)
    assert [row["segment"] for row in told] == ["1", "2", "3", "4"]
    assert [row["validation_successes"] for row in told] == ["", "4", "", "4"]
    assert all(float(row["approx_kl"]) >= 0.0 for row in told)


@pytest.mark.parametrize("segment", [0, 1, 3])
def test_what_was_interrupted_comes_to_the_same_result_to_the_bit(trained, tmp_path, segment):
    cut = train(small(), tmp_path / "run", on_progress=stop_in(segment))
    assert (cut.interrupted, cut.standing.segment) == (True, segment)
    again = train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert rows(again.path) == rows(trained.path)
    one, other = (load_file(r.path / "checkpoint.safetensors") for r in (trained, again))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    weights = [read_policy(r.policy).manifest.files for r in (trained, again)]
    assert weights[0] == weights[1]
    assert again.confirmation == trained.confirmation


def test_a_segment_whose_checkpoint_was_not_written_is_done_again(trained, tmp_path, monkeypatch):
    killed_before_saving(2, tmp_path / "run", monkeypatch)
    assert len(rows(tmp_path / "run")) == 2
    again = train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert rows(again.path) == rows(trained.path)


def test_curves_keep_their_head_when_the_first_segment_is_done_again(
    trained, tmp_path, monkeypatch
):
    killed_before_saving(1, tmp_path / "run", monkeypatch)
    assert len(rows(tmp_path / "run")) == 1
    again = train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert rows(again.path) == rows(trained.path)


def test_what_has_ended_can_be_given_more(trained, tmp_path):
    train(small(steps=128), tmp_path / "run")
    longer = train(gone_on(tmp_path / "run", steps=256), resume=tmp_path / "run")
    assert rows(longer.path) == rows(trained.path)


def test_what_was_given_more_remembers_it_when_it_is_interrupted(trained, tmp_path):
    train(small(steps=128), tmp_path / "run")
    before = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    more = gone_on(tmp_path / "run", steps=256)
    train(more, resume=tmp_path / "run", on_progress=stop_in(3))
    after = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (before["run"].pop("steps"), after["run"].pop("steps")) == (128, 256)
    assert after["run"].pop("command") == more.command != before["run"].pop("command")
    assert after == before
    again = train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
    assert again.standing.steps == 256
    assert rows(again.path) == rows(trained.path)


def test_an_end_in_steps_can_become_one_in_minutes(tmp_path):
    train(small(steps=64), tmp_path / "run")
    train(stored_spec(tmp_path / "run", None, 1e-4, BENCH), resume=tmp_path / "run")
    kept = gone_on(tmp_path / "run")
    assert (kept.steps, kept.minutes) == (None, 1e-4)


def test_another_seed_learns_something_else(trained, tmp_path):
    other = train(small(seed=1, steps=64), tmp_path / "run")
    assert rows(other.path)[0]["reward"] != rows(trained.path)[0]["reward"]


class Typed(Learner):
    """Its network's first number after each segment is as a test types it."""

    steps = 16

    def __init__(self, *numbers):
        self.numbers, self.segment = numbers, -1

    def begin(self, segment):
        self.segment = segment

    @property
    def explorer(self):
        return Explorer(network([0.0] * MOVES + [-5.0] * MOVES), squashed=False)

    def update(self, chunks):
        return {}

    def network(self):
        return network([self.numbers[self.segment], 0.0])

    def state(self):
        return LearnerState({}, {})

    def restore(self, state):
        pass


def network(bias):
    spec = MlpSpec(SEEN, (), len(bias))
    weight = np.zeros((len(bias), SEEN), np.float32)
    tensors = {"layers.0.weight": weight, "layers.0.bias": np.array(bias, np.float32)}
    return Mlp(spec, tensors, Normalization.none(SEEN))


def run_typed(path, *numbers):
    overrides = (*SMALL, "training.segment_steps=16", "training.validation.every=1")
    spec = small(steps=16 * len(numbers), overrides=overrides)
    config = resolve_training(spec.task, spec.level, overrides)
    with TrainingFolder(path, resume=False) as folder, Benches(config, 1, BENCH) as benches:
        nothing = lambda *told: None  # noqa: E731
        trainer = Trainer(spec, config, folder, benches, Typed(*numbers), nothing, nothing)
        trainer.run()
    return trainer.standing, read_policy(path / "policy")


def test_the_best_is_kept_not_the_last(tmp_path):
    standing, stored = run_typed(tmp_path / "run", 0.2, 0.9, 0.5)
    assert standing.best.segment == 2
    assert stored.network.tensors["layers.0.bias"][0] == np.float32(0.9)
    assert best_margin(standing).faster_s == pytest.approx(0.04 * (10 - 6))


def test_one_that_fails_is_not_kept_however_fast(tmp_path):
    # At -0.9 the time is over before the job is done.
    standing, _ = run_typed(tmp_path / "run", -0.2, -0.9)
    assert standing.best.segment == 1
    assert best_margin(standing).successes == 4
    assert not best_margin(standing).better
    assert not best_margin(standing).ahead


def test_simulations_in_other_processes_do_what_they_would_do_here(tmp_path):
    explorer = Typed().explorer
    with Benches(resolve_training("nut_insertion", "factory", ()), 2, BENCH) as benches:
        assert benches.sizes().lanes == 4
        benches.each("begin", [(3, 0.0), (4, 0.0)])
        chunks = benches.each("collect", [(explorer, 8)] * 2)
        ends = list(benches.shared("run", [(seed, None) for seed in range(5)]))
    for seed, chunk in zip((3, 4), chunks, strict=True):
        here = FakeBench(None)
        here.begin(seed, 0.0)
        wanted = here.collect(explorer, 8)
        assert np.array_equal(chunk.seen["policy"], wanted.seen["policy"])
        assert np.array_equal(chunk.actions, wanted.actions)
    assert [end.seed for end in ends] == [0, 1, 2, 3, 4]


def test_two_simulations_learn_together(tmp_path):
    one = train(small(workers=2, steps=64), tmp_path / "run")
    assert (one.standing.steps, one.standing.segment) == (64, 1)


def test_a_simulation_that_dies_ends_the_training_and_leaves_it_resumable(tmp_path):
    dying = small(workers=2, factory="tests.workcell.fake_bench:DyingBench")
    with pytest.raises(TrainingCrashed, match="--resume"):
        train(dying, tmp_path / "run")
    assert gone_on(tmp_path / "run").command == dying.command


def test_a_checkpoint_is_gone_on_with_by_one_process_and_as_it_was_begun(trained, tmp_path):
    with (
        TrainingFolder(trained.path, resume=True),
        pytest.raises(ConfigError, match="being written"),
    ):
        gone_on(trained.path)
    other = small(overrides=(*SMALL, "training.ppo.batch=64"))
    with pytest.raises(ConfigError, match=r"training\.ppo\.batch was 32, is 64"):
        train(other, resume=trained.path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"run:\n  seed: [3\ntask: x", "config.yaml:3: not YAML"),
        (b"run: \x00\x00", "config.yaml: not YAML"),
        (b"\xff\xfe", "config.yaml: not YAML"),
        (b"- 1\n", "config.yaml: expected the section"),
        (b"", "config.yaml: expected the section"),
    ],
)
def test_a_damaged_configuration_is_named_in_one_line(tmp_path, content, told):
    train(small(steps=64), tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        gone_on(tmp_path / "run")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_policy_that_cannot_be_replaced_is_refused_before_anything_is_learned(tmp_path):
    train(small(steps=64), tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "policy")
    (tmp_path / "run" / "policy").mkdir()
    told = []
    with pytest.raises(ConfigError, match="no policy's folder"):
        train(
            gone_on(tmp_path / "run", steps=128),
            resume=tmp_path / "run",
            on_start=lambda *_: told.append("begun"),
        )
    assert not told


def test_a_damaged_checkpoint_is_named(tmp_path):
    train(small(steps=64), tmp_path / "run")
    (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"not this")
    with pytest.raises(ConfigError, match=r"checkpoint\.safetensors: expected the checkpoint"):
        train(gone_on(tmp_path / "run"), resume=tmp_path / "run")
