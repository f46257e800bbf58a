"""Curves for TensorBoard, which is an extra."""

import importlib

import pytest

from policies.curves import Curves


def read(folder):
    """Return the curves of a folder: pairs of step and value, by name."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    ).EventAccumulator(str(folder))
    accumulator.Reload()
    names = accumulator.Tags()["scalars"]
    return {name: [(e.step, e.value) for e in accumulator.Scalars(name)] for name in names}


def test_what_was_written_is_what_tensorboard_reads(tmp_path):
    pytest.importorskip("tensorboard")
    curves = Curves(tmp_path)
    curves.add(100, {"reward": 1.5, "validation": None})
    curves.add(200, {"reward": 2.5, "validation": 0.5})
    curves.close()
    assert read(tmp_path) == {"reward": [(100, 1.5), (200, 2.5)], "validation": [(200, 0.5)]}


def test_what_a_killed_training_does_again_is_there_once(tmp_path):
    pytest.importorskip("tensorboard")
    first = Curves(tmp_path)
    for steps in (100, 200, 300):
        first.add(steps, {"reward": float(steps)})
    first.close()
    resumed = Curves(tmp_path, steps=200)
    resumed.add(300, {"reward": -1.0})
    resumed.close()
    assert read(tmp_path)["reward"] == [(100, 100.0), (200, 200.0), (300, -1.0)]


def test_without_tensorboard_nothing_is_written(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    curves = Curves(tmp_path / "curves")
    curves.add(100, {"reward": 1.0})
    curves.close()
    assert not (tmp_path / "curves").exists()
