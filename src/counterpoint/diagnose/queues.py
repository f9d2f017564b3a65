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
