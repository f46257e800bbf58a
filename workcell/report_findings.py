"""What a report says of findings: every anomaly with its evidence, and what was confused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workcell.records import CycleRecord
from workcell.report_page import Html, fold, heading, paragraph, table

# Anomalies that are listed; the others are in the records.
_MOST_LISTED = 500
# What a finding says besides its evidence.
_NO_EVIDENCE = ("verdict", "anomaly", "place")
# A piece of work of this name, and what was looked at, is done if that was told right; its kind is
# this and what it is.
_LOOK = "inspect "


def findings_sections(records: Sequence[CycleRecord]) -> Iterator[Html]:
    """Yield what was found out in some cycles; nothing if nothing was looked for.

    Args:
        records: Of one run.
    """
    if not any(record.findings for record in records):
        return
    yield heading(3, "Findings")
    yield from _confusions(records)
    rows = [
        (
            str(record.seed),
            str(finding.get("place", name)),
            str(finding["verdict"]),
            "yes" if record.operations[_LOOK + name].success else _truth(record, name),
            evidence(finding),
        )
        for record in records
        for name, finding in record.findings.items()
        if finding.get("anomaly") and _LOOK + name in record.operations
    ]
    if not rows:
        yield paragraph("No anomaly was reported.")
        return
    head = ("seed", "place", "anomaly", "right", "evidence")
    parts = [table(head, rows[:_MOST_LISTED], numbers=(0,))]
    if len(rows) > _MOST_LISTED:
        parts.append(paragraph(f"{len(rows) - _MOST_LISTED} more are in the records.", "pale"))
    yield fold(f"{len(rows)} reported anomalies", parts)


def evidence(finding: Mapping[str, Any]) -> str:
    """Return what a finding rests on, in words; what was not found out is left out."""
    told = []
    for name, value in finding.items():
        if name in _NO_EVIDENCE or value is None:
            continue
        quantity, _, unit = name.rpartition("_")
        words = name.replace("_", " ")
        if isinstance(value, bool):
            told.append(words if value else f"not {words}")
        else:
            told.append(f"{quantity.replace('_', ' ')} {value:g} {unit}" if quantity else words)
    return ", ".join(told)


def _confusions(records: Sequence[CycleRecord]) -> Iterator[Html]:
    """Yield a table of what was said of what."""
    said = Counter(
        (_truth(record, name), str(finding["verdict"]))
        for record in records
        for name, finding in record.findings.items()
        if _LOOK + name in record.operations
    )
    truths, verdicts = (sorted({pair[i] for pair in said}) for i in (0, 1))
    yield paragraph("What was said (across) of what (down):", "pale")
    rows = [(truth, *(str(said[truth, v] or "") for v in verdicts)) for truth in truths]
    yield table(("", *verdicts), rows, numbers=range(1, len(verdicts) + 1))


def _truth(record: CycleRecord, name: str) -> str:
    return record.operations[_LOOK + name].kind.removeprefix(_LOOK)
