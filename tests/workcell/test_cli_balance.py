import pytest


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
    ],
)
def test_a_map_that_makes_no_sense_is_refused_before_anything_is_pushed(
    workcell, option, value, named, tmp_path
):
    code, _, err = workcell("balance", "map", str(tmp_path / "map"), option, value)
    assert code == 2
    assert named in err
    assert not (tmp_path / "map").exists()
