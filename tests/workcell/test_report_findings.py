"""What a report says of findings: every anomaly with place and evidence, and what was confused."""

from tasks.task import Operation
from tests.workcell.fake_runner import record
from workcell.report_findings import evidence, findings_sections

HALF = {
    "verdict": "half-plugged",
    "anomaly": True,
    "place": "sedan/charger",
    "felt": True,
    "lock_in": False,
    "depth_mm": 8.1,
    "followed": None,
}
SOUND = {"verdict": "locked", "anomaly": False, "place": "sedan/signals", "felt": True}


def cycle(seed, truth, **findings):
    work = {
        f"inspect {name}": Operation(f"inspect {truth[name]}", truth[name] == finding["verdict"])
        for name, finding in findings.items()
    }
    return record(seed, operations=work, findings=findings)


def text(records):
    return "".join(findings_sections(records))


def test_anomalies_are_listed_with_seed_place_and_evidence():
    page = text([cycle(7, {"a": "half-plugged", "b": "locked"}, a=HALF, b=SOUND)])
    assert "1 reported anomalies" in page
    for words in (
        ">7<",
        "sedan/charger",
        "half-plugged",
        "felt, not lock in, depth 8.1 mm",
        ">yes<",
    ):
        assert words in page
    # What is as it should be is no anomaly.
    assert "sedan/signals" not in page


def test_a_false_alarm_is_listed_with_what_is_true():
    page = text([cycle(8, {"a": "locked"}, a=HALF)])
    assert page.count(">locked<") == 2, "once in the list, once among the confusions"
    assert ">yes<" not in page


def test_confusions_are_counted():
    cycles = [cycle(seed, {"a": "wrong port"}, a=HALF) for seed in range(3)]
    page = text([*cycles, cycle(3, {"a": "half-plugged"}, a=HALF)])
    assert ">3<" in page
    assert ">1<" in page


def test_evidence_leaves_out_what_is_not_known():
    assert evidence(HALF) == "felt, not lock in, depth 8.1 mm"


def test_runs_without_findings_say_nothing_of_them():
    assert text([record(1), record(2)]) == ""


def test_a_run_without_anomalies_says_so():
    assert "No anomaly was reported" in text([cycle(1, {"b": "locked"}, b=SOUND)])
