import numpy as np
import pytest

from robot.errors import ConfigError
from tasks.hv_figures import PackFigures, draw_pack
from tasks.hv_tester import HvTesterConfig
from tests.tasks.hv_line import Line, done


def test_drawn_packs_are_plausible_and_good():
    rng = np.random.default_rng(1)
    drawn = [draw_pack(rng) for _ in range(200)]
    for parameters in drawn[:40]:
        pack = PackFigures.from_parameters(parameters)
        assert 350.0 <= pack.voltage <= 800.0
        assert 100.0 < pack.insulation < 1e5
        assert 0.03 < pack.resistance < 0.25
        line = Line(HvTesterConfig(), pack)
        line.until(done)
        assert line.tester.report.passed, line.tester.report.failures
    voltages = [parameters["pack_voltage_v"] for parameters in drawn]
    assert max(voltages) - min(voltages) > 400.0


def test_a_pack_of_a_known_model_has_nearly_its_voltage():
    rng = np.random.default_rng(2)
    drawn = [draw_pack(rng, charged=450.0)["pack_voltage_v"] for _ in range(100)]
    assert 414.0 <= min(drawn) < 420.0
    assert 444.0 < max(drawn) <= 450.0


def test_faulty_packs_are_found_out_and_draw_as_many_numbers():
    missed = set()
    for seed in range(40):
        rng, same = np.random.default_rng(seed), np.random.default_rng(seed)
        pack = PackFigures.from_parameters(draw_pack(rng, fault_chance=1.0))
        line = Line(HvTesterConfig(), pack)
        draw_pack(same)
        assert rng.random() == same.random()
        line.until(done)
        report = line.tester.report
        assert report.aborted is None
        assert not report.passed
        (failure,) = report.failures
        missed.add(failure.split(":")[0])
    assert missed == {"insulation", "OCV spread", "DCR"}


def test_a_layout_without_a_pack_is_refused_with_what_is_missing():
    with pytest.raises(ConfigError, match="pack_bms_voltage_v"):
        PackFigures.from_parameters({"pack_voltage_v": 400.0})
