import shutil
from dataclasses import dataclass, field
from typing import Annotated

import pytest
from annotated_types import Gt

from robot.errors import ConfigError, UnknownName
from tasks import TASKS
from workcell.catalog import Choice, known_names, load_robot, resolve_choice
from workcell.config import Section, config_folder, load, resolve
from workcell.peers import peer_names
from workcell.suites import suite_names
from workcell.yaml_loader import load_yaml, parse_yaml


@dataclass(frozen=True)
class Plan:
    speed: Annotated[float, Gt(0)] = 0.1
    path: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Job:
    depth: float
    nut: str = "m8"
    tries: int = 3
    plan: Plan = field(default_factory=Plan)
    gains: dict[str, Plan] = field(default_factory=dict)

    def __post_init__(self):
        if self.depth <= 0.0:
            raise ValueError(f"depth: expected a positive number, got {self.depth}")
        if self.nut != "m8":
            raise UnknownName("nut", self.nut, ["m8"])


@pytest.fixture
def section(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text("depth: 0.02\nplan: {speed: 1e-2}\n")
    return Section("job", Job, file)


def mistakes(section, *overrides):
    with pytest.raises(ConfigError) as raised:
        resolve({"task": section}, overrides)
    return str(raised.value).splitlines()


def test_what_a_file_leaves_out_is_the_default(section):
    config = resolve({"task": section})
    assert config.get("task", Job) == Job(0.02, plan=Plan(speed=0.01))


def test_a_file_lies_over_the_base(section):
    base = Job(0.5, tries=7)
    config = resolve({"task": Section("job", Job, section.file, base)})
    assert config.get("task", Job) == Job(0.02, tries=7, plan=Plan(speed=0.01))


def test_a_base_needs_no_file(tmp_path):
    config = resolve({"task": Section("job", Job, tmp_path / "none.yaml", Job(0.5))})
    assert config.get("task", Job) == Job(0.5)


def test_a_missing_file_is_named(tmp_path):
    assert "none.yaml" in mistakes(Section("job", Job, tmp_path / "none.yaml"))[0]


def test_overrides_reach_any_depth_and_change_no_default(section):
    overrides = ["task.plan.path=[2, 3]", "task.gains={left: {speed: 2}}"]
    config = resolve({"task": section}, overrides)
    assert config.get("task", Job).plan.path == (2.0, 3.0)
    assert config.get("task", Job).gains == {"left": Plan(2.0)}
    assert resolve({"task": section}).get("task", Job).plan.path == (0.0, 1.0)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("task.dpeth=1", "--set: task.dpeth: unknown key. Did you mean 'depth'?"),
        ("task.plan.sped=1", "--set: task.plan.sped: unknown key. Did you mean 'speed'?"),
        ("task.gains.left.sped=1", "--set: task.gains.left.sped: unknown key."),
        ("task.plan.speed=-1", "--set: task.plan.speed: expected greater than 0, got -1"),
        ("task.depth=-1", "--set: task.depth: expected a positive number, got -1.0"),
        ("task.depth=deep", '--set: task.depth: expected a valid number, got "deep"'),
        ("task.depth=true", "--set: task.depth: expected a valid number, got true"),
        ("task.depth=.nan", "--set: task.depth: expected a finite number, got nan"),
        ("task.tries=1.5", "--set: task.tries: expected a valid integer, got 1.5"),
        ("task.plan.path=[1]", "--set: task.plan.path.1: required"),
        ("task.nut=m9", "--set: task.nut: no nut named 'm9'. Did you mean 'm8'?"),
        ("tsk.depth=1", "--set: tsk.depth: no section named 'tsk'. Did you mean 'task'?"),
        ("task.depth", "--set: task.depth: expected section.key=value"),
        ("depth=1", "--set: depth=1: expected section.key=value"),
        ("task.depth={", "--set: task.depth: expected a YAML value"),
    ],
)
def test_a_mistake_is_answered_in_one_line(section, override, expected):
    lines = mistakes(section, override)
    assert len(lines) == 1
    assert lines[0].startswith(expected)


def test_all_mistakes_are_listed_at_once_each_with_its_file(section):
    section.file.write_text("dpeth: 1\ntries: many\nplan: {speed: 0}\n")
    lines = mistakes(section, "other.key=1")
    assert [line.split(": ")[:2] for line in lines] == [
        ["--set", "other.key"],
        ["job.yaml", "task.dpeth"],
        ["job.yaml", "task.depth"],
        ["job.yaml", "task.tries"],
        ["job.yaml", "task.plan.speed"],
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("depth: 1\ndepth: 2\n", "job.yaml:2: not YAML: the key 'depth' stands twice"),
        ("depth: [1\n", "job.yaml:2: not YAML"),
        ("depth: \0", "job.yaml: not YAML"),
        ("- 1\n", "job.yaml: expected keys and values, got [1]"),
    ],
)
def test_what_is_not_a_mapping_is_refused_with_its_line(section, text, problem):
    section.file.write_text(text)
    assert mistakes(section)[0].startswith(problem)


def test_an_empty_file_says_nothing(section):
    section.file.write_text("# all defaults\n")
    assert load_yaml(section.file) == {}


def test_numbers_are_numbers():
    parsed = parse_yaml("[1e-3, 1, -2.5, .5, 1., 1e3, m8, 1-2]")
    assert parsed == [0.001, 1, -2.5, 0.5, 1.0, 1000.0, "m8", "1-2"]
    assert isinstance(parsed[1], int)


def test_a_resolved_configuration_can_be_written_and_read_again(section, tmp_path):
    config = resolve({"task": section}, ["task.plan.path=[2, 3]"])
    import yaml

    written = tmp_path / "again.yaml"
    written.write_text(yaml.safe_dump(config.as_json()["task"]["values"]))
    assert load(written, Job) == config.get("task", Job)


def test_a_section_of_another_kind_is_a_bug(section):
    config = resolve({"task": section})
    with pytest.raises(TypeError, match="expected Plan, got Job"):
        config.get("task", Plan)
    with pytest.raises(UnknownName, match="Did you mean 'task'"):
        config.get("tak", Job)


@pytest.mark.parametrize("robot", known_names()["robot"])
@pytest.mark.parametrize("level", known_names()["level"])
def test_every_named_combination_resolves(robot, level):
    config = resolve_choice(Choice("nut_insertion", level, robot))
    assert config.names == {
        "task": "nut_insertion",
        "level": level,
        "robot": robot,
        "cell": "sim",
        "policy": "scripted",
    }
    assert config.values["robot"] == load_robot(robot)


def test_every_file_belongs_to_a_name():
    known = {**known_names(), "benchmark": suite_names(), "cell": ("sim",)}
    known["peer"] = peer_names()
    for kind in ("baseline", "residual", "reward", "training"):
        known[kind] = known["task"]
    # What a task's own configuration is filled from may have any name.
    libraries = {folder for task in TASKS.values() for folder, _ in task.libraries.values()}
    for file in config_folder().rglob("*.yaml"):
        kind = file.parent.name
        assert kind in libraries or file.stem in known[kind], f"{file} is read by nobody"


@pytest.mark.parametrize(
    ("choice", "hint"),
    [
        (Choice("nut_insertin"), "Did you mean 'nut_insertion'"),
        (Choice("nut_insertion", "fatory"), "Did you mean 'factory'"),
        (Choice("nut_insertion", robot="tallos"), "Did you mean 'talos'"),
        (Choice("nut_insertion", policy="script"), "Did you mean 'scripted'"),
    ],
)
def test_a_misspelled_name_is_answered_with_the_nearest(choice, hint):
    with pytest.raises(UnknownName, match=hint):
        resolve_choice(choice)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("pack/suv.yaml", "name: suv", "name: vsu", "pack 'suv': name: expected suv, got vsu"),
        ("pack/suv.yaml", "connector: hv_b", "connector: hv_q", "no connector named 'hv_q'"),
    ],
)
def test_files_that_contradict_each_other_are_refused_with_file_and_reason(
    tmp_path, file, old, new, reason
):
    shutil.copytree(config_folder(), tmp_path / "configs")
    spoilt = tmp_path / "configs" / file
    text = spoilt.read_text()
    assert old in text
    spoilt.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=reason) as caught:
        resolve_choice(Choice("hv_plugging"), folder=tmp_path / "configs")
    assert str(spoilt.parent) in str(caught.value)


def test_a_pack_comes_as_soon_as_its_file_is_there(tmp_path):
    shutil.copytree(config_folder(), tmp_path / "configs")
    text = (tmp_path / "configs" / "pack" / "suv.yaml").read_text()
    (tmp_path / "configs" / "pack" / "van.yaml").write_text(text.replace("name: suv", "name: van"))
    config = resolve_choice(Choice("hv_plugging"), folder=tmp_path / "configs")
    assert "van" in {pack.name for pack in config.values["task"].coming}
