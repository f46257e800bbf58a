"""Cycles on a Ray cluster of two nodes on this machine; left out where Ray is not installed."""

import json
import os
import signal
import time

import pytest

from robot.errors import ConfigError
from tests.workcell.fake_runner import BREAKS, DIES, FAILS, HANGS
from tests.workcell.test_cli import run_words, two_cycles_later
from workcell.catalog import Choice
from workcell.crew import CycleCrashed
from workcell.records import read_records
from workcell.run import RunSpec, run_cycles

ray = pytest.importorskip("ray")
# Ray leaves sockets and files to its own processes.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(180)]

FACTORY = "tests.workcell.fake_runner:build"
SLOW = "tests.workcell.fake_runner:build_slow"


@pytest.fixture
def cluster(monkeypatch):
    """Start two nodes of one core each; runs of the test use them."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def spec(tmp_path, **changes):
    values = {
        "cycles": 6,
        "seed": FAILS - 3,
        "workers": 2,
        "backend": "ray",
        "run_dir": tmp_path / "run",
        "factory": FACTORY,
    }
    return RunSpec(Choice("nut_insertion"), **{**values, **changes})


def test_two_nodes_give_the_figures_of_one_process(tmp_path, cluster):
    alone = run_cycles(spec(tmp_path, backend="local", workers=1, run_dir=tmp_path / "alone"))
    result = run_cycles(spec(tmp_path))
    assert result.summary == alone.summary
    assert result.records == alone.records


def test_a_cycle_that_breaks_ends_the_run_by_its_seed(tmp_path, cluster):
    with pytest.raises(CycleCrashed, match=f"seed {BREAKS}.*the gripper does not answer"):
        run_cycles(spec(tmp_path, seed=BREAKS - 2, cycles=4))
    assert read_records(tmp_path / "run" / "records.jsonl")


def test_a_seed_that_takes_every_worker_down_is_named_and_the_others_are_kept(tmp_path, cluster):
    with pytest.raises(CycleCrashed, match=f"seed {DIES}"):
        run_cycles(spec(tmp_path, seed=DIES - 3, cycles=6))
    kept = {record.seed for record in read_records(tmp_path / "run" / "records.jsonl")}
    assert {DIES - 3, DIES - 2, DIES - 1} <= kept


def test_seeds_of_a_lost_node_are_run_by_the_others(tmp_path, cluster):
    lost = cluster.list_all_nodes()[-1]
    began = time.monotonic()

    def on_record(record):
        if record.seed == 204:
            cluster.remove_node(lost, allow_graceful=False)

    result = run_cycles(spec(tmp_path, seed=200, cycles=12, factory=SLOW), on_record)
    assert [record.seed for record in result.records] == list(range(200, 212))
    assert time.monotonic() - began < 120.0


def test_more_workers_than_cores_are_refused_before_anything_is_written(tmp_path, cluster):
    with pytest.raises(ConfigError, match="at most the 2 cores"):
        run_cycles(spec(tmp_path, workers=3))
    assert not (tmp_path / "run").exists()


def test_a_cell_that_cannot_be_built_says_why(tmp_path, cluster):
    with pytest.raises(ConfigError, match="example-robot-data is not installed"):
        run_cycles(spec(tmp_path, factory="tests.workcell.fake_runner:refuse"))
    assert not (tmp_path / "run").exists()


def test_kill_ends_in_order_with_what_was_finished(tmp_path, cluster):
    words = ["evaluate", *run_words(tmp_path, "--seed", str(HANGS - 2))[1:], "--episodes", "3"]
    with two_cycles_later(
        [*words, "--workers", "2", "--backend", "ray", "--json"], tmp_path
    ) as run:
        os.kill(run.pid, signal.SIGTERM)
        out, err = run.communicate(timeout=60.0)
    assert run.returncode == 130
    assert json.loads(out)["n"] == 2
    assert "interrupted after 2 of 3 cycles" in err
    assert "Traceback" not in err
