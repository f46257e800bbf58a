from types import SimpleNamespace

import numpy as np
import pytest

from robot.errors import ConfigError
from robot.sensor import WrenchReading
from workcell.traces import ForceRecord, ForceTrace, ForceWatch

DT = 2e-3


def tick(**forces):
    readings = {
        name: WrenchReading(0.0, np.array([0.0, 0.6 * force, 0.8 * force, 9.0, 9.0, 9.0]))
        for name, force in forces.items()
    }
    return SimpleNamespace(state=SimpleNamespace(readings=readings))


def watched(forces):
    watch = ForceWatch(60.0, DT)
    for force in forces:
        watch(tick(wrist_left=force))
    return watch


def test_each_wrist_is_summed_up_by_itself():
    watch = ForceWatch(60.0, DT)
    for left, right in ((10.0, 1.0), (70.0, 2.0), (20.0, 3.0)):
        watch(tick(wrist_left=left, wrist_right=right))
    records = watch.records()
    assert records["wrist_left"].peak_n == pytest.approx(70.0)
    assert records["wrist_right"].peak_n == pytest.approx(3.0)
    assert records["wrist_right"].above_limit_s == 0.0


def test_time_above_the_limit_is_counted_whole_and_in_one_piece():
    record = watched([70.0] * 3 + [1.0] * 2 + [61.0] * 5 + [60.0]).records()["wrist_left"]
    assert record.above_limit_s == pytest.approx(8 * DT)
    assert record.longest_above_s == pytest.approx(5 * DT)


def test_the_95th_percentile_is_exceeded_for_a_twentieth_of_the_time():
    record = watched(np.arange(101.0)).records()["wrist_left"]
    assert record.p95_n == pytest.approx(95.0)


def test_another_cycle_begins_with_nothing_felt():
    watch = watched([70.0])
    watch.reset()
    assert watch.records() == {}
    watch(tick(wrist_left=1.0))
    assert watch.records()["wrist_left"] == ForceRecord(
        pytest.approx(1.0), pytest.approx(1.0), 0.0, 0.0
    )


def test_a_spike_of_one_tick_is_in_the_thinned_trace():
    forces = np.ones(50)
    forces[27] = 33.0
    trace = watched(forces).trace()
    assert trace.dt == pytest.approx(0.04)
    assert trace.force_n["wrist_left"] == pytest.approx([1.0, 33.0, 1.0])


def test_a_trace_survives_the_disk_to_a_tenth_of_a_newton(tmp_path):
    force = np.random.default_rng(0).uniform(0.0, 200.0, 250).astype(np.float32)
    ForceTrace(0.04, {"wrist_left": force, "wrist_right": force[:100]}).write(tmp_path / "1.npz")
    trace = ForceTrace.read(tmp_path / "1.npz")
    assert trace.dt == 0.04
    assert trace.force_n["wrist_left"] == pytest.approx(force, abs=0.051)
    assert len(trace.force_n["wrist_right"]) == 100


def test_a_file_that_is_no_trace_is_named(tmp_path):
    (tmp_path / "1.npz").write_text("no numbers")
    with pytest.raises(ConfigError, match=r"1\.npz: expected the forces of one cycle"):
        ForceTrace.read(tmp_path / "1.npz")


def test_no_pickle_is_loaded_from_a_trace(tmp_path):
    np.savez(tmp_path / "1.npz", dt=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ConfigError, match="expected the forces"):
        ForceTrace.read(tmp_path / "1.npz")


@pytest.mark.parametrize("kept", [0, 40, -30])
def test_a_file_that_was_cut_off_is_named(tmp_path, kept):
    path = tmp_path / "105.npz"
    ForceTrace(0.04, {"wrist_left": np.arange(90, dtype=np.float32)}).write(path)
    assert list(tmp_path.iterdir()) == [path], "nothing else is left behind"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ConfigError, match=r"105\.npz: expected the forces of one cycle"):
        ForceTrace.read(path)
