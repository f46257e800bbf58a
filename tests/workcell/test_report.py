"""The page of a report: whole, without network, and readable on a phone."""

import json
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import imageio.v2 as imageio
import numpy as np
import pytest

from robot.errors import ConfigError
from tests.workcell.fake_runner import FAILS
from workcell.catalog import Choice
from workcell.compare import compare
from workcell.report import find_runs, render, write_report
from workcell.report_baseline import Baseline, baseline_of
from workcell.report_film import film_failures, filmstrips
from workcell.report_words import doubts, percent, run_command
from workcell.run import RunSpec, run_cycles
from workcell.stored_run import StoredRun
from workcell.suites import Suite, run_suite

FACTORY = "tests.workcell.fake_runner:build_telltale"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
# The reader of videos leaves the pipes of its helper to the garbage collector.
LEAVES_PIPES = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# Elements without an end.
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Keeps what a page is made of, and refuses tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.targets, self.sources, self.words = [], set(), [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        self.targets += [found["href"]] if "href" in found else []
        self.sources += [found["src"]] if "src" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def evaluated(tmp_path, name="run", **changes):
    values = {"cycles": 8, "seed": FAILS - 4, "claim": 0.5, "factory": FACTORY}
    spec = RunSpec(Choice("nut_insertion"), run_dir=tmp_path / name, **{**values, **changes})
    return StoredRun.read(run_cycles(spec).run_dir)


def test_the_page_has_every_section_and_nothing_from_elsewhere(tmp_path):
    page = Page(render([evaluated(tmp_path)]))
    for words in (
        "87.5 %",
        "7 of 8 cycles succeeded",
        "Clopper-Pearson",
        "Claim shown",
        "good parts per hour",
        "takt 76.0 s",
        "a person 99 %",
        "a person, estimated",
        "Failures",
        "dropped",
        "Forces",
        "failure, seed 105",
        "Phases",
        "Operations",
        "How to reproduce it",
    ):
        assert words in page.text.replace("\u00a0", " "), words
    assert all(source.startswith("data:") for source in page.sources)
    assert all(target.startswith("#") for target in page.targets)


def test_every_link_leads_somewhere_on_the_page(tmp_path):
    runs = [evaluated(tmp_path), evaluated(tmp_path, "other", overrides=("task.nut=m6",))]
    page = Page(render(runs))
    assert "#run-A-105" in page.targets
    assert {target[1:] for target in page.targets} <= page.ids


def test_what_is_written_cannot_become_a_part_of_the_page(tmp_path):
    run = evaluated(tmp_path, overrides=("task.time_limit=60",))
    run.config["run"]["overrides"] = ["<script>alert(1)</script>"]
    assert "<script" not in render([run])
    assert "default-src 'none'" in render([run])


def test_several_runs_are_compared_on_the_seeds_they_share(tmp_path):
    one = evaluated(tmp_path)
    other = evaluated(tmp_path, "other", cycles=5, overrides=("task.time_limit=60",))
    text = Page(render([one, other])).text
    assert "B against A" in text
    assert "5 seeds that both ran. 3 cycles without a partner" in text
    assert "task.time_limit 76.0 60.0" in text
    assert "no difference shown" in text


def test_a_run_that_goes_on_has_a_report_that_says_so(tmp_path):
    run = evaluated(tmp_path)
    file = run.path / "records.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[:3]) + "\n")
    text = Page(render([StoredRun.read(run.path)])).text
    assert "3 of 8 cycles have ended" in text
    assert f"--resume {run.path}" in text
    assert "Claim open: not complete, 3 of 8 cycles ended" in text
    assert "not complete" in text[text.index("How many cycles it takes") :]
    file.write_text("")
    assert "No cycle has ended yet" in Page(render([StoredRun.read(run.path)])).text


def test_what_stands_against_the_figures_is_said(tmp_path):
    run = evaluated(tmp_path)
    file = run.path / "records.jsonl"
    text = re.sub(r'"commit": "[^"]*"', '"commit": "abc+changes"', file.read_text(), count=3)
    file.write_text(text.replace('"config_hash": "', '"config_hash": "f', 1))
    found = " ".join(doubts(StoredRun.read(run.path)))
    assert "run by 2 commits" in found
    assert "differed from its commit" in found
    assert "another configuration than `config.yaml` holds" in found


def test_the_command_to_repeat_a_run_is_the_one_that_made_it(tmp_path):
    run = evaluated(tmp_path, overrides=("task.time_limit=60", "level.friction=[0.1, 0.2]"))
    assert run_command(run) == (
        "workcell evaluate nut_insertion --policy scripted --level factory --robot talos "
        "--episodes 8 --seed 101 --set task.time_limit=60 --set 'level.friction=[0.1, 0.2]'"
    )


@LEAVES_PIPES
def test_failed_cycles_are_filmed_once_and_shown(tmp_path):
    run = evaluated(tmp_path)
    filmed = []
    film_failures(run, 3, on_film=lambda wanted, got: filmed.append((wanted.seed, got.failure)))
    film_failures(run, 3, on_film=lambda wanted, got: filmed.append("again"))
    assert filmed == [(FAILS, "dropped")]
    (strip,) = filmstrips(run).values()
    assert [when for when, _ in strip.frames][::7] == ["0.0 s", "1.0 s"]
    page = Page(render([run]))
    assert "filmed when the cycle was run again, and failed: dropped." in page.text
    assert len(page.sources) == 8
    told = run.path / "videos" / f"{FAILS}.json"
    told.write_text('{"success": true, "failure": null}')
    (strip,) = filmstrips(run).values()
    assert "did not fail again" in strip.remark
    told.write_text('{"success": true, "failure": null, "commit": "0ther"}')
    (strip,) = filmstrips(run).values()
    assert strip.remark.endswith("was run again by other code, 0ther, and succeeded.")
    told.unlink()
    (strip,) = filmstrips(run).values()
    assert "not known" in strip.remark
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)


def test_no_cycle_is_filmed_with_another_configuration(tmp_path):
    run = evaluated(tmp_path)
    run.config["task"]["values"]["time_limit"] = 60.0
    with pytest.raises(ConfigError, match=r"--film: .* task\.time_limit was 60\.0, is 76\.0"):
        film_failures(run, 1)
    assert not (run.path / "videos").exists()


def test_a_folder_of_runs_is_all_of_them(tmp_path):
    one, other = evaluated(tmp_path, "set/a"), evaluated(tmp_path, "set/b")
    assert [run.path for run in find_runs([tmp_path / "set"])] == [one.path, other.path]
    assert len(find_runs([one.path, one.path, other.path])) == 2
    with pytest.raises(ConfigError, match="expected the folder of a run"):
        find_runs([tmp_path / "nothing"])


def test_the_runs_of_a_benchmark_are_in_its_order(tmp_path):
    """The first of a task is what the others are compared with."""
    ablations = {"whole": (), "blind": ("level.shove_chance=0",)}
    suite = Suite("two arms", ("nut_insertion",), ablations=ablations, episodes=2, seed=FAILS)
    folder, _ = run_suite("two", suite, run_cycles, run_dir=tmp_path / "set", factory=FACTORY)
    names = [run.path.name.rpartition("-")[2] for run in find_runs([folder])]
    assert names == ["whole", "blind"]


def test_one_damaged_trace_hides_nothing_else(tmp_path):
    run = evaluated(tmp_path)
    file = run.path / "traces" / f"{FAILS}.npz"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"PK")
    text = Page(render([StoredRun.read(run.path)])).text
    assert f"{FAILS}.npz: expected the forces of one cycle" in text
    assert "How many cycles it takes" in text


def test_no_rate_is_told_before_a_cycle_has_ended(tmp_path):
    one, other = evaluated(tmp_path, "one"), evaluated(tmp_path, "other")
    (other.path / "records.jsonl").write_text("")
    page = Page(render([one, StoredRun.read(other.path)])).text
    assert "none yet" in page
    assert "0.0 %" not in Page(render([StoredRun.read(other.path)])).text.partition("Made")[0]


def test_several_versions_of_a_library_stand_against_the_figures(tmp_path):
    run, other = evaluated(tmp_path), evaluated(tmp_path, "other")
    file = run.path / "records.jsonl"
    file.write_text(re.sub(r'"numpy": "[^"]*"', '"numpy": "0.9"', file.read_text(), count=3))
    mixed = StoredRun.read(run.path)
    assert "several versions of numpy" in " ".join(doubts(mixed))
    found = compare(mixed, other).versions
    assert set(found) == {"numpy"}
    assert "; " in found["numpy"][0]
    assert "library" in Page(render([mixed, other])).text


def test_a_page_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--out: cannot write"):
        write_report([evaluated(tmp_path)], tmp_path / "file" / "page.html")


def test_a_rate_near_one_is_told_with_more_digits():
    told = [percent(rate).replace("\u00a0", " ") for rate in (0.5, 0.98, 0.9957, 1.0)]
    assert told == ["50.0 %", "98.0 %", "99.57 %", "100.0 %"]


def test_a_task_without_a_baseline_is_compared_with_nothing(tmp_path):
    assert baseline_of("nut_insertion").takt_s == 76.0
    assert baseline_of("nothing_known", tmp_path) == Baseline()


def with_failures(run, reasons):
    """Replace a run's records by failures, one of each reason, seeds from 101."""
    line = (run.path / "records.jsonl").read_text().splitlines()[-1]
    template = json.loads(line)
    assert template["failure"] == "dropped"
    made = [{**template, "seed": 101 + i, "failure": reason} for i, reason in enumerate(reasons)]
    text = "".join(json.dumps(record) + "\n" for record in made)
    (run.path / "records.jsonl").write_text(text)
    return StoredRun.read(run.path)


def test_a_report_of_many_cycles_shows_some_and_counts_all(tmp_path):
    run = with_failures(evaluated(tmp_path, cycles=5), ["dropped"] * 600)
    write_report(find_runs([run.path]), tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text())
    assert "0 of 600 cycles succeeded" in page.text
    assert "570 more failed cycles are in" in page.text


@LEAVES_PIPES
def test_a_rare_failure_and_what_was_filmed_are_on_the_page_among_many(tmp_path):
    run = with_failures(evaluated(tmp_path, cycles=5), ["time_out"] * 60 + ["fell"])
    (run.path / "videos").mkdir()
    with imageio.get_writer(run.path / "videos" / "150.mp4", fps=25.0, macro_block_size=8) as film:
        for _ in range(10):
            film.append_data(np.zeros((64, 96, 3), np.uint8))
    page = Page(render([run]))
    assert {"run-A-101", "run-A-150", "run-A-161"} <= page.ids
    assert "run-A-149" not in page.ids
    assert {target[1:] for target in page.targets} <= page.ids


@LEAVES_PIPES
def test_one_damaged_video_hides_nothing_else(tmp_path):
    run = evaluated(tmp_path)
    (run.path / "videos").mkdir()
    (run.path / "videos" / f"{FAILS}.mp4").write_bytes(b"")
    text = Page(render([run])).text
    assert f"{FAILS}.mp4 cannot be read" in text
    assert "How many cycles it takes" in text


def test_cycles_that_never_began_are_told_beside_those_that_took_time(tmp_path):
    run = evaluated(tmp_path, cycles=5)
    lines = [json.loads(line) for line in (run.path / "records.jsonl").read_text().splitlines()]
    lines[-1] |= {"failure": "setup: too far away", "cycle_time_s": 0.0}
    (run.path / "records.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    text = Page(render([StoredRun.read(run.path)])).text
    assert "Successes; 1 never began." in text


def test_a_run_is_one_however_it_is_named(tmp_path, monkeypatch):
    paths = [evaluated(tmp_path, name).path for name in ("one", "other")]
    monkeypatch.chdir(tmp_path)
    named = [paths[0], paths[1], Path(paths[0].name), paths[1] / ".." / paths[1].name]
    assert [run.path for run in find_runs(named)] == paths


def test_a_comparison_says_by_how_much_of_how_many_and_by_which_code(tmp_path):
    runs = [evaluated(tmp_path, name) for name in ("one", "other")]
    file = runs[1].path / "records.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(one | {"commit": "0ther"}) + "\n" for one in lines))
    text = Page(render([StoredRun.read(run.path) for run in runs])).text
    assert "B less A, points (95 %)" in text.replace("\u00a0", " ")
    assert "longer by, mean, where both succeeded" in text
    assert "0ther" in text.partition("B against A")[2].partition("Both have the same")[0]


def test_a_page_names_code_that_differs_from_its_commit(tmp_path, monkeypatch):
    monkeypatch.setattr("workcell.report.commit", lambda: f"{'f' * 40}+changes")
    assert "by workcell at ffffffffffff+changes." in Page(render([evaluated(tmp_path)])).text


@LEAVES_PIPES
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_sticks_out_of_the_screen(tmp_path, width):
    runs = [evaluated(tmp_path), evaluated(tmp_path, "other", overrides=("task.nut=m6",))]
    film_failures(runs[0], 1)
    # The page allows no scripts; a page around it measures it.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render(runs))
    inner = escape(text.replace("<details", "<details open"))
    measure = (
        "const root = document.querySelector('iframe').contentDocument.documentElement;"
        "document.title = root.scrollWidth + ' ' + root.clientWidth"
    )
    page = tmp_path / "page.html"
    page.write_text(
        f'<title></title><iframe srcdoc="{inner}" width="{width}" height="800" frameborder="0" '
        f'onload="{measure}"></iframe>'
    )
    words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    words += [f"--user-data-dir={tmp_path}/profile", "--window-size=1400,900", "--dump-dom"]
    done = subprocess.run(
        [*words, page.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    needed, shown = map(int, re.search(r"<title>(\d+) (\d+)</title>", done.stdout).groups())
    assert shown == width
    assert needed <= shown
