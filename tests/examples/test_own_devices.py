import importlib.util
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_devices.py"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("own_devices", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_cycle_runs_on_devices_that_are_not_simulated_by_the_clock_on_the_wall(example):
    record = example.run(time_limit=3.0)
    assert record.failure == "time_out"
    assert record.cycle_time_s == pytest.approx(3.0, abs=0.1)
    assert record.wall_s > record.cycle_time_s
    assert record.guard_stops == 0
    # The hands left for the feeders.
    for side in record.sides.values():
        assert "await_feeder" in {*side.phase_times_s, side.ended_in}
