"""Evaluations: the claim, and going on after a run was killed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from robot.errors import ConfigError, UnknownName
from tests.workcell.fake_runner import BREAKS, FAILS, NEVER_BEGINS
from tests.workcell.groups import ends
from workcell.claims import check_claim, least_cycles
from workcell.crew import CycleCrashed
from workcell.evaluate import Question, remarks
from workcell.records import RunFolder, read_records
from workcell.report import render
from workcell.run import run_cycles
from workcell.stored_run import StoredRun, config_hash, differing_keys, seeds_hash

FACTORY = "tests.workcell.fake_runner:build"


def asked(tmp_path, **changes):
    values = {
        "task": "nut_insertion",
        "episodes": 6,
        "seed": 200,
        "run_dir": tmp_path / "run",
        "factory": FACTORY,
    }
    return Question(**{**values, **changes})


def resumed(tmp_path, **changes):
    return Question(resume=tmp_path / "run", **changes).spec()


def interrupt_after(count):
    seen = []

    def on_record(record):
        seen.append(record)
        if len(seen) == count:
            raise KeyboardInterrupt

    return on_record


def test_what_is_left_open_is_the_documented_default():
    spec = Question(task="nut_insertion").spec()
    assert (spec.cycles, spec.seed, spec.workers, spec.claim) == (100, 1_000_000, 1, None)
    assert (spec.choice.policy, spec.choice.level, spec.choice.robot) == (
        "scripted",
        "factory",
        "talos",
    )


def test_every_record_says_what_it_was_made_with(tmp_path):
    result = run_cycles(asked(tmp_path, episodes=2).spec())
    stored = StoredRun.read(tmp_path / "run")
    for record in stored.records:
        assert record.config_hash == result.config_hash == stored.config_hash
        assert record.versions["numpy"]
        assert record.commit
    assert stored.asked["seeds_hash"] == result.as_json()["seeds_hash"] == seeds_hash([200, 201])


def test_hashes_tell_configurations_and_seeds_apart():
    one = {"task": {"name": "nut", "values": {"a": (1.0, 2.0), "b": 1}}}
    same = {"task": {"values": {"b": 1, "a": [1.0, 2.0]}, "name": "nut"}, "commit": "x"}
    other = {"task": {"name": "nut", "values": {"a": (1.0, 2.5), "b": 1}}}
    assert config_hash(one) == config_hash(same) != config_hash(other)
    assert differing_keys(one, same) == {}
    assert differing_keys(one, other) == {"task.a": ([1.0, 2.0], [1.0, 2.5])}
    assert len({seeds_hash(seeds) for seeds in ([1, 2], [2, 1], [12], [1, 2, 3])}) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_evaluation_is_finished_as_if_it_had_never_stopped(tmp_path, workers):
    alone = run_cycles(asked(tmp_path, run_dir=tmp_path / "alone").spec())
    run_cycles(asked(tmp_path).spec(), interrupt_after(2))
    told = []
    result = run_cycles(
        resumed(tmp_path, workers=workers),
        on_start=lambda folder, earlier: told.append(earlier),
    )
    assert told == [2]
    assert result.records == alone.records
    assert result.summary == alone.summary
    assert result.complete
    written = read_records(tmp_path / "run" / "records.jsonl")
    assert sorted(written, key=lambda record: record.seed) == list(alone.records)


def test_a_line_that_was_being_written_is_run_again(tmp_path):
    run_cycles(asked(tmp_path).spec(), interrupt_after(3))
    file = tmp_path / "run" / "records.jsonl"
    file.write_text(file.read_text()[:-30])
    assert [record.seed for record in run_cycles(resumed(tmp_path)).records] == [*range(200, 206)]
    assert len(file.read_text().splitlines()) == 6


def test_a_finished_evaluation_has_nothing_left_to_do(tmp_path):
    run_cycles(asked(tmp_path).spec())
    told = []
    result = run_cycles(resumed(tmp_path), told.append)
    assert told == []
    assert result.complete


@pytest.mark.parametrize("workers", ["1", "2"])
def test_kill_9_loses_the_running_cycles_only(tmp_path, workers):
    words = ["evaluate", "nut_insertion", "--episodes", "30", "--seed", "200"]
    words += ["--run-dir", str(tmp_path / "run"), "--workers", workers]
    code = "import sys; from workcell.cli import main; sys.exit(main(sys.argv[2:], sys.argv[1]))"
    factory = "tests.workcell.fake_runner:build_slow"
    records = tmp_path / "run" / "records.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", code, factory, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            if records.exists() and len(read_records(records)) >= 4:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    # Nobody goes on working for one who is gone.
    assert ends(process.pid)
    kept = {record.seed for record in read_records(records)}
    assert 4 <= len(kept) < 30
    result = run_cycles(resumed(tmp_path, workers=1, factory=FACTORY))
    assert [record.seed for record in result.records] == [*range(200, 230)]
    assert kept <= {record.seed for record in result.records}


def test_a_seed_that_crashed_is_tried_again(tmp_path):
    with pytest.raises(CycleCrashed):
        run_cycles(asked(tmp_path, seed=BREAKS - 2).spec())
    with pytest.raises(CycleCrashed, match=f"seed {BREAKS}"):
        run_cycles(resumed(tmp_path))
    assert len(read_records(tmp_path / "run" / "records.jsonl")) == 2


def test_a_seed_that_cannot_be_set_up_counts_against_the_rate_and_is_gone_past(tmp_path):
    spec = asked(tmp_path, seed=NEVER_BEGINS - 1, episodes=3, claim=0.1).spec()
    summary = run_cycles(spec).summary
    assert (summary.n, summary.successes, summary.failures) == (3, 2, {"setup": 1})
    text = render([StoredRun.read(tmp_path / "run")])
    assert "setup: the plug is too far away" in text
    assert run_cycles(resumed(tmp_path)).complete


def test_another_configuration_is_refused_by_the_key_that_differs(tmp_path):
    run_cycles(asked(tmp_path).spec(), interrupt_after(2))
    before = (tmp_path / "run" / "records.jsonl").read_bytes()
    spec = resumed(tmp_path, overrides=("task.time_limit=60", "level.shove_chance=0.5"))
    with pytest.raises(
        ConfigError,
        match=r"task\.time_limit was 76\.0, is 60\.0; level\.shove_chance was 0\.2, is 0\.5",
    ):
        run_cycles(spec)
    assert (tmp_path / "run" / "records.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"level": "hard"}, "--level: .* begun with factory, got hard"),
        ({"task": "hv_plugging"}, "TASK: .* begun with nut_insertion, got hv_plugging"),
        ({"episodes": 9}, "--episodes: .* begun with 6, got 9"),
        ({"seed": 1}, "--seed: .* begun with 200, got 1"),
        ({"claim": 0.9}, "--claim: .* begun with None, got 0.9"),
    ],
)
def test_an_option_that_does_not_agree_with_what_was_begun_is_named(tmp_path, changes, answer):
    run_cycles(asked(tmp_path, episodes=6).spec(), interrupt_after(1))
    with pytest.raises(ConfigError, match=answer):
        resumed(tmp_path, **changes)
    assert resumed(tmp_path, level="factory", seed=200).resume


def test_what_is_no_run_is_not_gone_on_with(tmp_path):
    with pytest.raises(ConfigError, match=r"expected the folder of a run, which holds a config\.y"):
        resumed(tmp_path)


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
    run_cycles(asked(tmp_path).spec(), interrupt_after(1))
    (tmp_path / "run" / "config.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        resumed(tmp_path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_configuration_without_its_seeds_is_named(tmp_path):
    run_cycles(asked(tmp_path).spec(), interrupt_after(1))
    file = tmp_path / "run" / "config.yaml"
    file.write_text(file.read_text().replace("seed: 200", "seed: many"))
    with pytest.raises(ConfigError, match=r"run\.seed: expected a whole number, got 'many'"):
        resumed(tmp_path)


def test_two_processes_never_write_one_folder(tmp_path):
    run_cycles(asked(tmp_path).spec(), interrupt_after(2))
    with (
        RunFolder(tmp_path / "run", resume=True),
        pytest.raises(ConfigError, match="is being written by another process"),
    ):
        run_cycles(resumed(tmp_path))
    assert run_cycles(resumed(tmp_path)).complete


def test_a_claim_is_shown_refuted_or_open():
    assert check_claim(0.99, 299, 299).shown
    shown = check_claim(0.95, 590, 600)
    assert (shown.verdict, shown.failures) == ("shown", 10)
    assert shown.lower_bound == pytest.approx(0.97189, abs=1e-5)
    still_open = check_claim(0.99, 100, 100)
    assert (still_open.verdict, still_open.needed) == ("open", 299)
    assert "with 0 failures it takes 299 cycles" in still_open.sentence()
    refuted = check_claim(0.99, 90, 100)
    assert refuted.verdict == "refuted"
    assert refuted.sentence().startswith("refuted: at most 94.48 %")


def test_a_part_of_the_cycles_shows_and_refutes_nothing():
    shown, refuted = check_claim(0.9, 310, 310, 600), check_claim(0.9, 10, 310, 600)
    assert (shown.verdict, refuted.verdict) == ("open", "open")
    assert (shown.n, shown.cycles) == (310, 600)
    assert shown.sentence() == "open: not complete, 310 of 600 cycles ended, 90 % claimed"
    assert check_claim(0.9, 600, 600, 600).shown


def test_a_claim_is_open_until_an_interrupted_evaluation_is_finished(tmp_path):
    def claim_on_disk():
        return json.loads((tmp_path / "run" / "summary.json").read_text())["claim"]

    # Five successes would show it, had five been asked for.
    result = run_cycles(asked(tmp_path, claim=0.5, episodes=8, seed=300).spec(), interrupt_after(5))
    assert check_claim(0.5, 5, 5).shown
    assert (result.claim.verdict, claim_on_disk()["verdict"]) == ("open", "open")
    assert (claim_on_disk()["n"], claim_on_disk()["cycles"]) == (5, 8)
    assert run_cycles(resumed(tmp_path)).claim.shown
    assert claim_on_disk()["verdict"] == "shown"


def test_a_claim_is_open_after_a_crash(tmp_path):
    with pytest.raises(CycleCrashed):
        run_cycles(asked(tmp_path, claim=0.3, episodes=6, seed=BREAKS - 4).spec())
    claim = json.loads((tmp_path / "run" / "summary.json").read_text())["claim"]
    assert check_claim(0.3, 4, 4).shown
    assert (claim["verdict"], claim["n"]) == ("open", 4)


def test_a_claim_far_beyond_the_failures_still_gets_an_answer():
    check = check_claim(0.999_99, 500, 600)
    assert (check.needed, check.verdict) == (None, "refuted")


@pytest.mark.parametrize("claim", [0.0, 1.0, 99.0, 0.999_999_999])
def test_a_claim_that_no_run_can_show_is_refused(claim):
    with pytest.raises(ConfigError, match="--claim"):
        Question(task="nut_insertion", claim=claim).spec()


def test_too_few_cycles_and_tuning_seeds_are_remarked_on():
    spec = Question(task="nut_insertion", claim=0.99, episodes=100, seed=5).spec()
    few, tuning = remarks(spec)
    assert few == "100 cycles cannot show 0.99: it takes 299 without a failure"
    assert "for tuning and training" in tuning
    assert remarks(Question(task="nut_insertion", claim=0.99, episodes=299).spec()) == []
    assert least_cycles(0.99) == 299


def test_a_backend_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(UnknownName, match=r"no backend named 'rya'. Did you mean 'ray'"):
        Question(task="nut_insertion", backend="rya").spec()


def test_the_claim_is_in_the_summary_of_the_folder(tmp_path):
    run_cycles(asked(tmp_path, seed=FAILS - 1, episodes=4, claim=0.5).spec())
    claim = json.loads((tmp_path / "run" / "summary.json").read_text())["claim"]
    assert (claim["verdict"], claim["failures"], claim["needed"]) == ("open", 1, 8)
    assert os.listdir(tmp_path / "run" / "traces") == []


def test_without_ray_one_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="--backend ray: ray is not installed; pip install"):
        run_cycles(asked(tmp_path, backend="ray").spec())
    assert not (tmp_path / "run").exists()
