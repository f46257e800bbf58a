import shutil

import pytest

from robot.errors import ConfigError, UnknownName
from workcell.catalog import resolve_choice
from workcell.records import read_records
from workcell.report import comparable
from workcell.run import run_cycles
from workcell.suites import (
    Suite,
    begun_with,
    load_suite,
    run_suite,
    stored_runs,
    suite_names,
)

FACTORY = "tests.workcell.fake_runner:build"
SUITE = Suite(
    "two levels, one change",
    ("nut_insertion",),
    levels=("nominal", "factory"),
    ablations={"base": (), "no_shove": ("level.shove_chance=0",)},
    episodes=3,
    seed=200,
)


def run_here(tmp_path, run=run_cycles, suite=SUITE, **changes):
    return run_suite("two", suite, run, run_dir=tmp_path / "two", factory=FACTORY, **changes)


def test_every_combination_is_run_on_the_same_seeds(tmp_path):
    folder, results = run_here(tmp_path)
    assert list(results) == [
        f"nut_insertion-talos-{level}-scripted-{change}"
        for level in ("nominal", "factory")
        for change in ("base", "no_shove")
    ]
    for arm in results:
        records = read_records(folder / arm / "records.jsonl")
        assert [record.seed for record in records] == [200, 201, 202]


def test_a_change_is_compared_with_the_first_of_its_own_level(tmp_path):
    folder, results = run_here(tmp_path)
    runs = stored_runs(folder, results)
    found = [(one, other) for one, other, _ in comparable(runs)]
    # A level that nothing precedes at its own is compared with the first run there is.
    assert found == [(0, 1), (0, 2), (2, 3)]


def test_an_interrupted_benchmark_is_gone_on_with(tmp_path):
    ended = []

    def run(spec):
        def on_record(record):
            ended.append(record.seed)
            if len(ended) == 5:
                raise KeyboardInterrupt

        return run_cycles(spec, on_record)

    _, results = run_here(tmp_path, run)
    assert len(results) == 2
    assert len(ended) == 5
    assert begun_with(tmp_path / "two") == (3, 200)
    _, results = run_here(tmp_path, run, resume=True)
    assert len(results) == 4
    assert len(ended) == 12
    assert all(result.complete for result in results.values())


def test_another_benchmark_is_not_mixed_in(tmp_path):
    run_here(tmp_path)
    with pytest.raises(ConfigError, match="episodes was 3, is 4"):
        run_here(tmp_path, suite=SUITE.of(4), resume=True)
    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        run_here(tmp_path)
    with pytest.raises(ConfigError, match="is not the folder of a benchmark"):
        run_suite("two", SUITE, run_cycles, run_dir=tmp_path, resume=True)


@pytest.mark.parametrize(
    "content", [b"tasks: [nut\nseed: 3", b"\xff\xfe\x00", b"- 3\n", b"seed: 3\n"]
)
def test_a_damaged_file_of_a_benchmark_is_named_in_one_line(tmp_path, content):
    run_here(tmp_path, suite=SUITE.of(1))
    file = tmp_path / "two" / "suite.yaml"
    file.write_bytes(content)
    for use in (lambda: begun_with(tmp_path / "two"), lambda: run_here(tmp_path, resume=True)):
        with pytest.raises(ConfigError) as raised:
            use()
        assert str(raised.value).startswith(str(file))
        assert "start a new" in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_mistake_in_any_combination_is_found_before_the_first_is_run(tmp_path):
    suite = Suite("wrong", ("nut_insertion",), levels=("nominal", "fctory"))
    with pytest.raises(UnknownName, match="Did you mean 'factory'"):
        run_here(tmp_path, suite=suite)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", suite_names())
def test_every_benchmark_that_is_shipped_can_be_resolved(name):
    suite = load_suite(name)
    assert suite.description
    for spec in suite.arms().values():
        resolve_choice(spec.choice, spec.overrides)


def test_mistakes_in_a_file_are_named(tmp_path):
    (tmp_path / "benchmark").mkdir()
    file = tmp_path / "benchmark" / "mine.yaml"
    file.write_text("description: mine\ntasks: []\nlevel: [factory]\n")
    with pytest.raises(ConfigError) as raised:
        load_suite("mine", tmp_path)
    assert "level: unknown key. Did you mean 'levels'?" in str(raised.value)
    with pytest.raises(UnknownName, match=r"no benchmark named 'mne'. Did you mean 'mine'"):
        load_suite("mne", tmp_path)


def test_no_episode_is_no_benchmark():
    with pytest.raises(ConfigError, match="--episodes: expected 1 or more"):
        SUITE.of(0)


def test_it_can_be_made_on_other_seeds():
    assert {(spec.cycles, spec.seed) for spec in SUITE.of(2, 900).arms().values()} == {(2, 900)}
    assert SUITE.of() == SUITE
    with pytest.raises(ConfigError, match="--seed: expected 0 or more, got -1"):
        SUITE.of(seed=-1)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"backend": "cloud"}])
def test_what_cannot_be_run_leaves_no_folder(tmp_path, wrong):
    with pytest.raises((ConfigError, UnknownName)):
        run_here(tmp_path, **wrong)
    assert not (tmp_path / "two").exists()


def test_an_evaluation_that_was_broken_off_before_it_began_is_begun_anew(tmp_path):
    folder, results = run_here(tmp_path)
    arm = folder / list(results)[1]
    shutil.rmtree(arm)
    arm.mkdir()
    (arm / "records.jsonl").touch()
    _, results = run_here(tmp_path, resume=True)
    assert all(result.complete for result in results.values())
    # One that holds anything is nobody's to take away.
    shutil.rmtree(arm)
    arm.mkdir()
    (arm / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        run_here(tmp_path, resume=True)
    assert (arm / "notes.txt").read_text() == "mine"
