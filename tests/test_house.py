"""The rules of the house that no linter knows."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from workcell.rates import interval
from workcell.statistics import wilson

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("robot", "tasks", "envs", "policies", "workcell")
SOURCES = sorted(file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
# Longer than this, a file does not answer one question any more.
LONGEST = 400
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in found}


def imported_by(file):
    """Return the first words of everything that a file imports, wherever it does so."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(file):
    assert len(file.read_text().splitlines()) <= LONGEST


def test_every_folder_of_sources_and_of_values_is_packaged():
    folders = {".".join(file.parent.relative_to(ROOT).parts) for file in SOURCES}
    configs = {f"workcell.configs.{file.parent.name}" for file in ROOT.glob("configs/*/*.yaml")}
    packaged = {*folders, "workcell.configs", *configs}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packaged


def test_every_dependency_is_pinned_to_a_version_in_its_range():
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned()[requirement.name.lower()]), requirement


def test_every_outside_library_that_is_imported_is_a_dependency():
    modules = {"yaml": "pyyaml", "pinocchio": "pin", "pybullet_utils": "pybullet"}
    project = PROJECT["project"]
    wanted = [*project["dependencies"]]
    for extra, requirements in project["optional-dependencies"].items():
        wanted += requirements if extra != "dev" else []
    known = {Requirement(text).name.replace("-", "_") for text in wanted}
    for file in SOURCES:
        for name in imported_by(file):
            if name in sys.stdlib_module_names or name in LAYERS:
                continue
            assert modules.get(name, name) in known, f"{file.relative_to(ROOT)} imports {name}"


def swallowing(file):
    """Yield the lines where whatever is raised is caught, and neither told nor raised again."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kind = node.type.id if isinstance(node.type, ast.Name) else None
        if node.type is not None and kind not in ("Exception", "BaseException"):
            continue
        inside = [inner for line in node.body for inner in ast.walk(line)]
        raised = any(isinstance(inner, ast.Raise) for inner in inside)
        noted = any(isinstance(i, ast.Attribute) and i.attr == "add_note" for i in inside)
        # To whoever waits for a thread, which has nobody above it.
        handed_on = any(isinstance(i, ast.Attribute) and i.attr == "_error" for i in inside)
        if not (raised or noted or handed_on):
            yield node.lineno


def test_no_error_whatever_it_is_is_swallowed():
    assert not [(file.name, line) for file in SOURCES for line in swallowing(file)]


@pytest.mark.parametrize("head", ["except:", "except Exception:", "except BaseException as e:"])
def test_a_swallowed_error_is_found(tmp_path, head):
    file = tmp_path / "some.py"
    file.write_text(f"try:\n    work()\n{head}\n    pass\n")
    assert list(swallowing(file)) == [3]
    file.write_text(f"try:\n    work()\n{head}\n    stop()\n    raise\n")
    assert list(swallowing(file)) == []


def test_the_licence_and_the_robots_it_does_not_cover_are_there():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    notice = (ROOT / "NOTICE").read_text()
    for file in (ROOT / "configs" / "robot").glob("*.yaml"):
        assert yaml.safe_load(file.read_text())["description"]["package"] in notice
        assert file.stem.split("_")[0].upper() in notice
    assert not [p for p in ROOT.glob("*/**/*.stl") if ".venv" not in p.parts]


def test_every_module_of_the_robot_but_its_simulation_is_kept_from_pybullet():
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (listed,) = (c["source_modules"] for c in contracts if "PyBullet" in c["name"])
    names = {path.stem for path in (ROOT / "robot").iterdir() if path.suffix == ".py"}
    names |= {path.parent.name for path in (ROOT / "robot").glob("*/__init__.py")}
    assert {f"robot.{name}" for name in names - {"__init__", "sim"}} <= set(listed)


# `606 of 607, 99.8 % (95 % Wilson interval 99.0 to 100 %)` and shorter.
RATE = re.compile(
    r"(?P<good>\d+) of (?P<n>\d+)(?:, [\d.]+ %)?"
    r" \((?:95 % Wilson interval )?(?P<low>[\d.]+) to (?P<high>[\d.]+) %"
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def told_rates(text):
    """Return every rate of a page that has an interval, as (606, 607, 99.0, 100.0)."""
    found = [match.groupdict() for match in RATE.finditer(" ".join(text.split()))]
    return [(int(f["good"]), int(f["n"]), float(f["low"]), float(f["high"])) for f in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_interval_on_a_page_is_the_one_that_the_commands_print(page):
    for good, n, low, high in told_rates(page.read_text()):
        wanted = interval(*wilson(good, n))
        assert f"{low:.1f}-{high:.1f}" == wanted, f"{page.name}: {good} of {n}"


def test_rates_on_pages_are_found():
    assert sum(len(told_rates(page.read_text())) for page in PAGES) >= 15
    assert told_rates("98 of\n100, 98.0 % (94 to 99.5 %), 3 of 4 (1 to 2 %)") == [
        (98, 100, 94.0, 99.5),
        (3, 4, 1.0, 2.0),
    ]
