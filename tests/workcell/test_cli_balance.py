import json

import pytest

from workcell.balance import shipped_balance

SHIPPED = str(shipped_balance("talos"))


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--angles", "0,left", "expected A,B,..., e.g. 0,180, got '0,left'"),
        ("--angles", "0,360", "from 0 to less than 360"),
        ("--angles", "90,90", "expected different ones"),
        ("--sizes", "30:40", "expected FROM:TO:STEP"),
        ("--sizes", "30:20:2", "0 < FROM <= TO"),
        ("--sizes", "30,28", "in rising order"),
        ("--sizes", "28,hard", "expected FROM:TO:STEP or A,B,..."),
        ("--sizes", "28,inf", "expected positive ones"),
        ("--sizes", "nan", "expected positive ones"),
        ("--sizes", "20:inf:2", "0 < FROM <= TO"),
        ("--noise", "X", "noise: expected one of B, C, none, got 'X'"),
        ("--seed", "-1", "seed: expected 0 or more, got -1"),
        ("--robot", "tallos", "no robot named 'tallos'. Did you mean 'talos'?"),
    ],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_map_that_makes_no_sense_is_refused_before_anything_is_pushed(
    workcell, option, value, named, workers, tmp_path
):
    words = ["balance", "map", str(tmp_path / "map"), "--workers", workers, "--policy", SHIPPED]
    code, _, err = workcell(*words, option, value)
    assert code == 2
    assert named in err
    assert not (tmp_path / "map").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_policy_of_another_robot_is_refused_before_anything_is_written(
    workcell, workers, tmp_path
):
    words = ["balance", "map", str(tmp_path / "map"), "--workers", workers, "--policy", SHIPPED]
    code, _, err = workcell(*words, "--robot", "g1")
    assert code == 2
    assert err == (
        "workcell: robot: made for talos, asked to drive g1. Choose --robot talos, or a policy "
        "for that robot\n"
    )
    assert not (tmp_path / "map").exists()


def test_json_holds_bounds_as_bounds(workcell, pretended, tmp_path):
    words = ["balance", "map", str(tmp_path / "map"), "--angles", "0", "--sizes", "20,22"]
    code, out, _ = workcell(*words, "--trials", "2", "--json")
    assert code == 0
    (told,) = json.loads(out)["directions"]
    assert told["alone"] == {"value": 22.0, "relation": "≥"}
    assert told["gain"] == {"value": None, "relation": "not shown"}


def test_directions_beside_angles_are_not_dropped_silently(workcell, tmp_path):
    words = ["balance", "map", str(tmp_path / "map"), "--angles", "0", "--directions", "4"]
    code, _, err = workcell(*words)
    assert code == 2
    assert "--directions: --angles says which ones" in err
    assert not (tmp_path / "map").exists()
