"""The queue of a finding: the rows to look at, the worst first.  A study writes each into a file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from counterpoint.schema import Frame

SHOWN = 12
COLUMNS = {"CP004": "standing", "CP020": "label", "CP024": "label", "CP025": "shared"}
"""The value of each row in the file of a queue, by check.  ``exclude`` reads the ids, and ``relabel`` also labels."""


def queue_evidence(rows: Sequence[Mapping[str, Any]], value: str) -> dict[str, Any]:
    """Return the evidence of a queue: its length, all of its rows, and a table of the first ones.

    Parameters
    ----------
    rows
        *rows* are the rows with their ``id``, the worst first.
    value
        *value* is the column with the value of each row.

    Examples
    --------
    >>> queue_evidence([{"id": "b", "standing": 0.1}], "standing")
    {'n_queue': 1, 'queue': {'b': 0.1}, 'table': [{'id': 'b', 'standing': 0.1}]}
    """
    return {"n_queue": len(rows), "queue": {row["id"]: row[value] for row in rows}, "table": list(rows[:SHOWN])}


def queues_of(findings: Frame) -> Iterator[tuple[str, Frame]]:
    """Yield the code of each of the *findings* that has a queue, and the queue as a table of ids and values.

    >>> from counterpoint.schema import FINDINGS, finding
    >>> found = finding("CP004", "info", "pairs", "Aligned.", queue={"b": 0.1})
    >>> [(code, table.rows()) for code, table in queues_of(pl.DataFrame([found], schema=dict(FINDINGS)))]
    [('CP004', [('b', 0.1)])]
    """
    for code, evidence in findings.select("code", "evidence").iter_rows():
        queue = json.loads(evidence or "{}").get("queue") if code in COLUMNS else None
        if queue:
            yield code, pl.DataFrame({"id": list(queue), COLUMNS[code]: list(queue.values())})


def named_rows(findings: Frame) -> dict[str, list[str]]:
    """Return the ids of the rows that the evidence of each finding names, by its code.

    They are the rows of its queue, and those of its tables that have a column ``id``.

    >>> from counterpoint.schema import FINDINGS, finding
    >>> found = finding("CP004", "info", "pairs", "Aligned.", queue={"b": 0.1}, table=[{"id": "c"}])
    >>> named_rows(pl.DataFrame([found], schema=dict(FINDINGS)))
    {'CP004': ['b', 'c']}
    """
    named: dict[str, dict[str, None]] = {}
    for code, evidence in findings.select("code", "evidence").iter_rows():
        ids = dict.fromkeys(_ids_in(_evidence(evidence)))
        if ids:
            named.setdefault(code, {}).update(ids)
    return {code: [*ids] for code, ids in named.items()}


def _evidence(text: str | None) -> Any:
    try:
        return json.loads(text or "{}")
    except json.JSONDecodeError:  # a check from outside may write what it likes
        return {}


def _ids_in(evidence: Any) -> Iterator[str]:
    for name, value in evidence.items() if isinstance(evidence, dict) else ():
        if name == "queue" and isinstance(value, dict):
            yield from value
        elif isinstance(value, list):
            rows = [row for row in value if isinstance(row, dict)]
            yield from (row["id"] for row in rows if isinstance(row.get("id"), str))
