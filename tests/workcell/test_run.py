import json
import multiprocessing
import re
import threading
import time
from pathlib import Path

import pytest
import yaml

from robot.errors import ConfigError, DeviceFault
from tests.workcell import fake_runner
from tests.workcell.fake_runner import BREAKS, DIES, FAILS, FakeRunner
from workcell.catalog import Choice
from workcell.config import RunConfig
from workcell.crew import CycleCrashed, RunnerSpec, _work
from workcell.provenance import commit, versions
from workcell.ray_crew import _Worker
from workcell.records import RunFolder, read_records
from workcell.run import FIRST_EVALUATION_SEED, RunSpec, run_cycles
from workcell.stored_run import StoredRun

FACTORY = "tests.workcell.fake_runner:build"


def spec(tmp_path, **changes):
    values = {"cycles": 4, "seed": 100, "run_dir": tmp_path / "run", "factory": FACTORY}
    return RunSpec(Choice("nut_insertion"), **{**values, **changes})


def seeds_on_disk(tmp_path):
    return sorted(found.seed for found in read_records(tmp_path / "run" / "records.jsonl"))


def test_each_cycle_is_told_as_it_ends_after_it_was_written(tmp_path):
    told = []

    def on_record(record):
        assert record.seed in seeds_on_disk(tmp_path)
        told.append(record.seed)

    result = run_cycles(spec(tmp_path), on_record)
    assert told == [100, 101, 102, 103]
    assert [record.seed for record in result.records] == told


@pytest.mark.parametrize(("cycles", "workers"), [(7, 3), (2, 9)])
def test_workers_run_every_seed_once_and_figures_do_not_depend_on_them(tmp_path, cycles, workers):
    alone = run_cycles(spec(tmp_path, cycles=cycles, run_dir=tmp_path / "alone"))
    result = run_cycles(spec(tmp_path, cycles=cycles, workers=workers))
    assert seeds_on_disk(tmp_path) == list(range(100, 100 + cycles))
    assert result.summary == alone.summary
    assert result.records == alone.records


def test_the_folder_holds_configuration_records_and_summary(tmp_path):
    result = run_cycles(spec(tmp_path, cycles=6, overrides=("task.time_limit=60",)))
    folder = result.run_dir
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["task"] == {"name": "nut_insertion", "values": config["task"]["values"]}
    assert config["task"]["values"]["time_limit"] == 60.0
    assert config["run"]["seed"] == 100
    assert config["versions"]["numpy"]
    assert config["commit"]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["complete"] is True
    assert (summary["n"], summary["successes"]) == (6, 5)
    assert summary["failures"] == {"dropped": 1}


def test_without_a_name_every_run_gets_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {run_cycles(spec(tmp_path, cycles=1, run_dir=None)).run_dir for _ in range(3)}
    assert len(folders) == 3
    assert all(folder.name.startswith("nut_insertion-talos-factory-") for folder in folders)
    assert all(folder.parent == Path("runs") for folder in folders)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_crash_keeps_what_had_ended(tmp_path, workers):
    with pytest.raises(CycleCrashed, match=f"seed {BREAKS}.*the gripper does not answer"):
        run_cycles(spec(tmp_path, seed=BREAKS - 4, cycles=6, workers=workers))
    # Those before it in its own process; how far the other process came is a matter of luck.
    assert {BREAKS - 4, BREAKS - 2} <= set(seeds_on_disk(tmp_path))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["complete"] is False
    assert summary["n"] == len(seeds_on_disk(tmp_path))


def test_a_process_that_dies_is_noticed_by_its_seed(tmp_path):
    with pytest.raises(CycleCrashed, match=rf"seed {DIES}.*died \(exit code 3\)"):
        run_cycles(spec(tmp_path, seed=DIES - 2, cycles=3, workers=2))


def test_an_interrupt_keeps_what_had_ended(tmp_path):
    def on_record(record):
        if record.seed == 101:
            raise KeyboardInterrupt

    result = run_cycles(spec(tmp_path), on_record)
    assert result.interrupted
    assert [record.seed for record in result.records] == [100, 101] == seeds_on_disk(tmp_path)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["complete"] is False


def test_no_process_outlives_its_run(tmp_path):
    def on_record(record):
        raise KeyboardInterrupt

    began, threads = time.monotonic(), threading.active_count()
    run_cycles(spec(tmp_path, seed=fake_runner.HANGS - 1, cycles=2, workers=2), on_record)
    assert time.monotonic() - began < 30.0
    assert threading.active_count() == threads


@pytest.mark.parametrize("workers", [1, 2])
def test_what_cannot_be_built_leaves_no_folder(tmp_path, workers):
    refused = spec(tmp_path, workers=workers, factory="tests.workcell.fake_runner:refuse")
    with pytest.raises(ConfigError, match="pip install"):
        run_cycles(refused)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cycles": 0}, "--cycles: expected 1 or more, got 0"),
        ({"workers": 0}, "--workers: expected 1 or more, got 0"),
        ({"seed": -1}, "--seed: expected 0 or more, got -1"),
        ({"workers": 2, "gui": True}, "--workers: expected 1 with --gui, got 2"),
        ({"workers": 2, "video": Path("a.mp4")}, "--workers: expected 1 with --video, got 2"),
        ({"video": Path("a.gif")}, "--video: expected a new file ending in .mp4, got a.gif"),
        ({"run_dir": Path("tests")}, "--run-dir: tests exists and is not overwritten"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(tmp_path, changes, problem):
    with pytest.raises(ConfigError, match=problem):
        spec(tmp_path, **changes)


def test_the_json_result_has_the_documented_keys(tmp_path):
    result = run_cycles(spec(tmp_path, seed=FAILS - 3))
    assert " ".join(result.as_json()) == (
        "task level robot policy seed seeds_hash config_hash complete "
        "n successes success_rate wilson_low wilson_high exact_low exact_high lower_bound "
        "cycle_time_median_s cycle_time_p90_s cycle_time_p99_s good_parts_per_hour retries falls "
        "guard_stops max_force_n failures real_time_factor claim run_dir"
    )


class Broken(FakeRunner):
    """Breaks in its first cycle and notes that it was closed."""

    closed = 0

    def run(self, seed):
        raise DeviceFault("the gripper does not answer")

    def close(self):
        Broken.closed += 1


def build_broken(config, *, gui, video):
    return Broken()


def test_a_process_whose_cycle_breaks_closes_its_cell():
    here, there = multiprocessing.Pipe()
    here.send(True)
    _work(there, RunnerSpec(f"{__name__}:build_broken", RunConfig({}, {})), [FIRST_EVALUATION_SEED])
    assert here.recv() is None
    assert isinstance(here.recv(), CycleCrashed)
    assert Broken.closed == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"commit": "f" * 40}, "other software: commit "),
        ({"numpy": "0.1"}, "other software: numpy .* instead of 0.1"),
    ],
)
def test_a_machine_with_other_code_or_libraries_is_refused(change, told):
    origin = {"commit": commit(), **versions()} | change
    worker = _Worker(RunnerSpec(FACTORY, RunConfig({}, {})), origin.pop("commit"), origin)
    assert re.search(told, str(worker.build()))
    same = _Worker(RunnerSpec(FACTORY, RunConfig({}, {})), commit(), versions())
    assert same.build() is None


def test_a_process_begins_no_cycle_before_the_last_one_is_written_down():
    here, there = multiprocessing.Pipe()
    work = (there, RunnerSpec(FACTORY, RunConfig({}, {})), [100, 101])
    process = threading.Thread(target=_work, args=work, daemon=True)
    process.start()
    assert here.recv() is None
    for seed in (100, 101):
        assert not here.poll(0.2)
        here.send(True)
        assert here.recv().seed == seed
    process.join(10.0)
    assert not process.is_alive()


def test_what_could_not_be_written_is_not_counted(tmp_path, monkeypatch):
    add, written = RunFolder.add, []

    def fail_at_the_last(folder, record):
        if len(written) == 3:
            raise OSError("no space left on device")
        written.append(record.seed)
        add(folder, record)

    monkeypatch.setattr(RunFolder, "add", fail_at_the_last)
    with pytest.raises(OSError, match="no space"):
        run_cycles(spec(tmp_path, claim=0.1))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["n"], summary["complete"]) == (3, False)
    assert seeds_on_disk(tmp_path) == written


def test_a_summary_names_the_code_that_made_its_records(tmp_path, monkeypatch):
    run_cycles(spec(tmp_path))
    monkeypatch.setattr("workcell.run.commit", lambda: "f" * 40)
    run_cycles(spec(tmp_path, resume=True))
    made = read_records(tmp_path / "run" / "records.jsonl")[0].commit
    file = tmp_path / "run" / "summary.json"
    assert json.loads(file.read_text())["commit"] == made
    lines = (tmp_path / "run" / "records.jsonl").read_text().splitlines()
    (tmp_path / "run" / "records.jsonl").write_text("\n".join(lines[:2]) + "\n")
    run_cycles(spec(tmp_path, resume=True))
    assert json.loads(file.read_text())["commit"] == "; ".join(sorted([made, "f" * 40]))


@pytest.mark.parametrize(
    ("section", "key", "told"),
    [
        ("run", "cycles", "run.cycles: expected a whole number, got None"),
        ("run", "workers", "run.workers: expected a whole number, got None"),
        ("run", "factory", "run.factory: expected a name, got None"),
        ("task", "name", "task: expected the name of what was chosen and its values, found values"),
        ("policy", "values", "policy: expected the name of what was chosen and its values, found"),
    ],
)
def test_a_configuration_that_lacks_something_is_named_in_one_line(tmp_path, section, key, told):
    run_cycles(spec(tmp_path))
    file = tmp_path / "run" / "config.yaml"
    config = yaml.safe_load(file.read_text())
    del config[section][key]
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError) as raised:
        StoredRun.read(tmp_path / "run")
    assert str(raised.value).startswith(f"{file}: {told}")
    assert "\n" not in str(raised.value)
