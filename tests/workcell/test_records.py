import json

import numpy as np
import pytest

from robot.errors import ConfigError
from tests.workcell.fake_runner import record
from workcell.records import RunFolder, SideRecord, plain_json, read_records


def full_record(seed):
    side = SideRecord({"jam": 1}, ["jam at 3 mm"], {"pick": 2.5}, "insert")
    layout = {"pose_world_parts": {"nut": [0.1] * 7}}
    return record(
        seed, success=False, sides={"left": side}, layout=layout, measures={"gap_mm": 3.0}
    )


def test_a_record_survives_the_disk(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        folder.add(full_record(1))
    assert read_records(tmp_path / "run" / "records.jsonl") == [full_record(1)]


def test_a_record_is_on_the_disk_before_the_folder_is_closed(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        for seed in (1, 2):
            folder.add(record(seed))
            assert len(read_records(folder.path / "records.jsonl")) == seed


def test_a_line_cut_short_by_a_crash_costs_no_other_cycle(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        folder.add(record(1))
        folder.add(record(2))
    file = tmp_path / "run" / "records.jsonl"
    file.write_text(file.read_text()[:-20])
    assert [found.seed for found in read_records(file)] == [1]


def test_a_line_that_is_no_record_is_named(tmp_path):
    file = tmp_path / "records.jsonl"
    file.write_text(json.dumps({"seed": 1, "sides": {}}) + "\n")
    with pytest.raises(ConfigError, match=r"records\.jsonl:1: expected a record with seed, task"):
        read_records(file)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("cycle_time_s", None, "cycle_time_s: expected float, got None"),
        ("success", "false", "success: expected bool, got 'false'"),
        ("seed", "123", "seed: expected int, got '123'"),
        ("guard_stops", True, "guard_stops: expected int, got True"),
    ],
)
def test_a_line_whose_numbers_are_none_is_named(tmp_path, name, value, told):
    file = tmp_path / "records.jsonl"
    good = json.dumps(record(1).as_json())
    file.write_text(f"{good}\n{json.dumps(record(2).as_json() | {name: value})}\n")
    with pytest.raises(ConfigError, match=r"records\.jsonl:2: expected a record") as raised:
        read_records(file)
    assert told in str(raised.value)


def test_a_cycle_counts_once(tmp_path):
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(record(s).as_json()) + "\n" for s in (1, 2, 1)))
    with pytest.raises(ConfigError, match=r"jsonl:3: expected each seed once, got 1 here"):
        read_records(file)


def test_what_was_cut_within_a_letter_costs_no_other_cycle(tmp_path):
    file = tmp_path / "records.jsonl"
    file.write_bytes(json.dumps(record(1).as_json()).encode() + b'\n{"seed": 2, "task": "\xc3')
    assert [found.seed for found in read_records(file)] == [1]


def test_a_folder_that_exists_is_not_overwritten(tmp_path):
    (tmp_path / "kept").write_text("precious")
    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        RunFolder(tmp_path)
    assert (tmp_path / "kept").read_text() == "precious"


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot make"):
        RunFolder(tmp_path / "file" / "run")


def test_small_files_are_written_whole(tmp_path):
    with RunFolder(tmp_path / "run") as folder:
        folder.write("summary.json", "{}")
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["records.jsonl", "summary.json", "traces"]


def test_numbers_that_json_does_not_have_become_null():
    value = {"a": np.array([1.0, np.nan]), 2: np.float64("inf"), "c": (np.int64(3), True)}
    assert plain_json(value) == {"a": [1.0, None], "2": None, "c": [3, True]}


def test_retries_are_counted_over_all_sides():
    sides = {"left": SideRecord({"jam": 2}), "right": SideRecord({"drop": 1})}
    assert record(1, sides=sides).retries == 3
