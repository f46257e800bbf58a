"""The folder of a map of pushes: how it grows, what is mixed in it, and who may write it."""

import csv
import dataclasses
import json
import logging

import pytest

from robot.errors import ConfigError
from tests.workcell.pretended_bench import Pretended
from workcell import push_map
from workcell.files import lock
from workcell.provenance import versions
from workcell.push_folder import read_trials
from workcell.push_map import MapPlan, run_map

PLAN = MapPlan(directions_deg=(0.0, 90.0), sizes=(20.0, 30.0, 40.0), trials=10, seed=5)
MORE = dataclasses.replace(PLAN, directions_deg=(180.0,))


def subject_of(folder):
    return json.loads((folder / "subject.json").read_text())


def commits(folder):
    with (folder / "trials.csv").open(newline="") as lines:
        return [row["commit"] for row in csv.DictReader(lines)]


def as_of_an_earlier_version(folder):
    """Take out of a map what earlier versions did not write."""
    subject = subject_of(folder)
    names = ("robot", "policy", "kind", "seed", "noise")
    (folder / "subject.json").write_text(json.dumps({name: subject[name] for name in names}))
    table = folder / "trials.csv"
    lines = table.read_text().splitlines()
    table.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))


def test_an_interrupted_map_goes_on_where_it_was(tmp_path, pretended):
    whole = run_map(PLAN, tmp_path / "map")
    table = tmp_path / "map" / "trials.csv"
    text = table.read_text()
    lines = text.splitlines(keepends=True)
    table.write_text("".join(lines[:51]) + lines[51][:9])
    Pretended.ran = 0
    again = run_map(PLAN, tmp_path / "map")
    assert Pretended.ran == 120 - 50
    assert again.results == whole.results


@pytest.mark.parametrize("torn", ["shove,0.0,2", "shove,0.0,20.0,5,False,True,1.0,0,fe", "kin"])
def test_what_is_added_never_follows_a_torn_line(tmp_path, pretended, torn):
    """Each of them may be cut in any place, also where it looks whole, or in the first line."""
    whole = run_map(PLAN, tmp_path)
    table = tmp_path / "trials.csv"
    kept = "" if torn == "kin" else "".join(table.read_text().splitlines(keepends=True)[:51])
    table.write_text(kept + torn)
    assert len(read_trials(table)) == (50 if kept else 0)
    assert run_map(PLAN, tmp_path).results == whole.results
    assert read_trials(table) == whole.results


def test_a_folder_is_written_by_one_process(tmp_path, pretended):
    run_map(PLAN, tmp_path)
    before = (tmp_path / "trials.csv").read_bytes()
    with (tmp_path / "trials.csv").open("a") as held:
        lock(held, tmp_path)
        with pytest.raises(ConfigError, match="is being written by another process"):
            run_map(MORE, tmp_path)
    assert (tmp_path / "trials.csv").read_bytes() == before
    run_map(MORE, tmp_path)


def test_a_folder_of_another_robot_policy_or_push_is_left_alone(tmp_path, pretended):
    run_map(PLAN, tmp_path)
    before = (tmp_path / "trials.csv").read_bytes()
    with pytest.raises(ConfigError, match="another kind and seed"):
        run_map(dataclasses.replace(PLAN, kind="load", seed=6), tmp_path)
    (tmp_path / "subject.json").write_text("{")
    with pytest.raises(ConfigError, match="not of a map"):
        run_map(PLAN, tmp_path)
    (tmp_path / "subject.json").unlink()
    with pytest.raises(ConfigError, match="says of which policy"):
        run_map(PLAN, tmp_path)
    assert (tmp_path / "trials.csv").read_bytes() == before


@pytest.mark.parametrize("where", ["robot", "cell"])
def test_a_map_does_not_grow_with_other_values(tmp_path, pretended, monkeypatch, where):
    run_map(PLAN, tmp_path)
    before = (tmp_path / "trials.csv").read_bytes()
    if where == "robot":
        robot = push_map.load_robot("talos")
        turned = dataclasses.replace(robot, torso_link="other_link")
        monkeypatch.setattr(push_map, "load_robot", lambda name: turned)
        told = "robot.torso_link was torso_2_link, is other_link"
    else:
        cell = dataclasses.replace(push_map.push_cell(), ticks_per_step=10)
        monkeypatch.setattr(push_map, "push_cell", lambda: cell)
        told = "cell.ticks_per_step was 20, is 10"
    with pytest.raises(ConfigError, match=f"another configuration: {told}. Set it back"):
        run_map(MORE, tmp_path)
    assert (tmp_path / "trials.csv").read_bytes() == before


def test_what_trials_of_other_code_are_is_said_and_noted(tmp_path, pretended, monkeypatch, caplog):
    monkeypatch.setattr(push_map, "commit", lambda: "one")
    run_map(PLAN, tmp_path)
    assert subject_of(tmp_path)["origins"] == [{"commit": "one", "versions": versions()}]
    run_map(MORE, tmp_path)
    assert not caplog.messages
    monkeypatch.setattr(push_map, "commit", lambda: "other")
    monkeypatch.setattr(push_map, "versions", lambda: {**versions(), "numpy": "0.1"})
    # Nothing is tried, so nothing is mixed.
    run_map(MORE, tmp_path)
    assert not caplog.messages
    run_map(dataclasses.replace(MORE, directions_deg=(270.0,)), tmp_path)
    (told,) = caplog.messages
    assert f"commit was one, is other; numpy was {versions()['numpy']}, is 0.1" in told
    assert commits(tmp_path) == ["one"] * 180 + ["other"] * 60
    assert [origin["commit"] for origin in subject_of(tmp_path)["origins"]] == ["one", "other"]


def test_a_map_of_an_earlier_version_can_be_shown_but_not_grow(tmp_path, pretended):
    first = run_map(PLAN, tmp_path)
    as_of_an_earlier_version(tmp_path)
    before = (tmp_path / "trials.csv").read_bytes()
    assert run_map(PLAN, tmp_path).results == first.results
    with pytest.raises(ConfigError, match="of an earlier version: it can be shown"):
        run_map(MORE, tmp_path)
    assert (tmp_path / "trials.csv").read_bytes() == before


def test_what_is_no_map_is_refused(tmp_path):
    file = tmp_path / "trials.csv"
    file.write_text("kind,size\nkick,3\nshove,4\n")
    with pytest.raises(ConfigError, match="line 2: not a trial of a map"):
        read_trials(file)


def test_the_guard_is_silent_while_it_is_tried_and_no_longer(
    tmp_path, pretended, monkeypatch, request
):
    guard = logging.getLogger("robot.guard")
    before, levels = guard.level, []
    guard.setLevel(logging.INFO)
    request.addfinalizer(lambda: guard.setLevel(before))
    monkeypatch.setattr(
        Pretended, "run", lambda self, trial: levels.append(guard.getEffectiveLevel()) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        run_map(PLAN, tmp_path)
    assert levels == [logging.ERROR]
    assert guard.level == logging.INFO
