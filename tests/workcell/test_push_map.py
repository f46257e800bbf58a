import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest

from policies.balance.reflex import BalanceConfig, BalancePolicy, BalanceReflex, contract_of
from policies.balance.stance import ReflexConfig
from policies.network import Mlp, MlpSpec, Normalization
from robot.errors import ConfigError
from tests.workcell.pretended_bench import Pretended
from workcell.balance import balance_reflex
from workcell.catalog import load_robot
from workcell.push_figures import Figure
from workcell.push_map import MapPlan, PushMap, run_map, summary
from workcell.push_report import map_table, write_picture
from workcell.push_trial import PushBench, PushResult, PushTrial

PLAN = MapPlan(directions_deg=(0.0, 90.0), sizes=(20.0, 30.0, 40.0), trials=10, seed=5)


def test_a_map_tries_everything_once_and_says_what_the_policy_gains(tmp_path, pretended):
    pushes = run_map(PLAN, tmp_path / "map")
    assert Pretended.ran == 2 * 3 * 10 * 2
    # Nine of ten survive 20 N s alone, so fewer than 95 % do; with the policy all of them.
    assert pushes.survived_sizes()[0.0, False] == Figure(20.0, "<")
    assert pushes.survived_sizes()[0.0, True].value == pytest.approx(25.0)
    assert [cell.n for cell in pushes.cells()] == [10] * 12
    assert len((tmp_path / "map" / "cells.csv").read_text().splitlines()) == 13


def test_a_map_grows_by_what_is_asked_next(tmp_path, pretended):
    first = run_map(PLAN, tmp_path)
    more = dataclasses.replace(PLAN, directions_deg=(180.0,), sizes=(10.0, 40.0))
    Pretended.ran = 0
    pushes = run_map(more, tmp_path)
    assert Pretended.ran == 2 * 10 * 2
    assert first.results.items() < pushes.results.items()
    assert pushes.directions_deg == (0.0, 90.0, 180.0)
    assert map_table(pushes).row_count == 3
    # Below 20 N s nothing was tried ahead; backwards all survive 10 and none 40.
    assert pushes.gains()[0.0].relation == ">"
    assert pushes.gains()[180.0] == Figure(pytest.approx(0.0))


def test_a_robot_without_a_balance_policy_is_told_how_to_get_one(tmp_path):
    with pytest.raises(ConfigError, match="no balance policy comes along for g1"):
        run_map(dataclasses.replace(PLAN, robot="g1"), tmp_path / "map")
    assert not (tmp_path / "map").exists()


def test_a_map_is_shown(tmp_path, pretended):
    pushes = run_map(PLAN, tmp_path)
    table = map_table(pushes)
    assert table.row_count == 2
    # Both sides of what is survived, and 20 N s, which is mixed, alone.
    assert next(iter(table.columns[-2].cells)).startswith("20: 9/10 (59-99 %)")
    assert next(iter(table.columns[-1].cells)).startswith("20: 10/10 (72-100 %), 30: 9/10")
    assert "<svg" in write_picture(pushes, tmp_path / "map.svg").read_text()
    assert map_table(PushMap(PLAN)).row_count == 2


def test_how_many_directions_gain_what_is_wanted_is_told_by_table_and_summary_alike():
    """Ahead a tenth is gained for sure, to the left perhaps; to the back nothing is."""
    sizes = (20.0, 22.0, 26.0)
    counts = {
        0.0: ((50, 25, 0), (50, 50, 50)),
        90.0: ((50, 25, 0), (50, 48, 48)),
        180.0: ((50, 25, 0), (50, 25, 0)),
    }
    pushes = PushMap(dataclasses.replace(PLAN, directions_deg=tuple(counts), sizes=sizes))
    for direction, lines in counts.items():
        for reflex, line in zip((False, True), lines, strict=True):
            for size, total in zip(sizes, line, strict=True):
                for seed in range(50):
                    trial = PushTrial("shove", direction, size, seed, reflex)
                    pushes.results[trial] = PushResult(seed < total, 0.0, 0, "")
    assert summary(pushes)["harder"] == {"wanted": 0.1, "estimated": 2, "confident": 1}
    assert "10 % harder or more in 2 of 3 directions by estimate, in 1 with" in str(
        map_table(pushes).caption
    )


def shown(pushes, tmp_path):
    """Return the first line of the table, the words of the picture, and the first of the JSON."""
    columns = map_table(pushes).columns
    root = ElementTree.fromstring(write_picture(pushes, tmp_path / "map.svg").read_text())
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    return [next(iter(c.cells)) for c in columns], words, summary(pushes)["directions"][0]


def test_what_only_bounds_a_size_is_never_shown_as_measured(tmp_path, pretended):
    few = dataclasses.replace(PLAN, seed=6, directions_deg=(0.0,), sizes=(20.0, 22.0))
    row, words, told = shown(run_map(few, tmp_path / "easy"), tmp_path)
    assert row[1:4] == ["≥ 22", "≥ 22", "not shown"]
    assert words.count("≥ 22") == 2
    assert told["alone"] == told["with_policy"] == {"value": 22.0, "relation": "≥"}
    assert told["gain"] == {"value": None, "relation": "not shown"}
    hard = dataclasses.replace(few, sizes=(30.0, 50.0))
    row, words, told = shown(run_map(hard, tmp_path / "hard"), tmp_path)
    assert row[1:4] == ["< 30", "31.0", "> +3.3 %"]
    assert words.count("< 30") == 1
    assert told["alone"] == {"value": 30.0, "relation": "<"}
    row, words, _ = shown(PushMap(few), tmp_path)
    assert row[1:4] == ["not shown"] * 3
    assert words.count("not shown") == 2


def eager_reflex():
    """Return a reflex that asks for all it may as soon as its gate is open."""
    spec = MlpSpec(12, (), 5)
    tensors = {"layers.0.weight": np.zeros((5, 12)), "layers.0.bias": np.ones(5)}
    network = Mlp(spec, tensors, Normalization.none(12))
    config = BalanceConfig(ReflexConfig(), 3.27, 80.0)
    return BalanceReflex(BalancePolicy(config, contract_of("talos", 0.01), network), "talos")


def test_a_shove_below_the_gate_is_the_same_to_the_last_bit_and_one_above_is_not():
    bench = PushBench(load_robot("talos"), eager_reflex())
    try:
        # The capture point moves by about 0.01 m and by 0.04 m.
        small = [bench.run(PushTrial("shove", 30.0, 4.0, 3, on)) for on in (False, True)]
        large = [bench.run(PushTrial("shove", 30.0, 15.0, 3, on)) for on in (False, True)]
    finally:
        bench.close()
    assert small[0] == small[1]
    assert small[0].hand_error_mm > 0.0
    assert large[1].asked > 0
    assert large[0].hand_error_mm != large[1].hand_error_mm


def test_the_balance_policy_that_comes_along_is_sound_and_for_its_robot_alone():
    assert balance_reflex("talos").asked == 0
    with pytest.raises(ConfigError, match="g1"):
        balance_reflex("g1")
