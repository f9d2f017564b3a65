"""What a finished study says on a terminal, from its results.json alone."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

BESIDE = ("accuracy", "roc_auc")
"""Metrics that are shown beside the primary one."""


def outcome(results: Mapping[str, Any], primary: str) -> Iterator[RenderableType]:
    """Yield the test scores as a table, the best in *primary* first, the answer, and the findings that warn."""
    yield _scores(results, primary)
    yield Text(results["answer"]["sentence"], style="bold")
    yield ""
    for finding in results["findings"]:
        if finding["severity"] in ("warn", "fail"):
            yield Text(f"{finding['code']} {finding['severity']}: {finding['explanation']}")


def _scores(results: Mapping[str, Any], primary: str) -> Table:
    tested = [row for row in results["scores"] if row["fold"] in ("test", "oof")]
    cells = {(row["contender"], row["metric"]): row for row in tested}
    shown = [primary, *(name for name in BESIDE if name != primary and any(row["metric"] == name for row in tested))]
    worth = {name: cells[name, primary]["value"] for name in dict.fromkeys(row["contender"] for row in tested)}
    rows = results["rows"]
    title = f"{results['study']}: test rows; {rows['pairs']:,} pairs, {sum(rows['dropped'].values()):,} rows dropped"
    table = Table("contender", box=SIMPLE_HEAD, title=title, title_justify="left")
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right")
    for contender in sorted(worth, key=lambda name: -(worth[name] or 0.0)):
        table.add_row(contender, *(_with_interval(cells[contender, name]) for name in shown))
    return table


def _with_interval(score: Mapping[str, Any]) -> str:
    """Return a score as people read it.

    >>> _with_interval({"value": 0.5, "low": 0.4, "high": 0.6}), _with_interval({"value": None})
    ('0.500 (0.400–0.600)', '–')
    """
    if score["value"] is None:
        return "–"
    if score["low"] is None:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} ({score['low']:.3f}–{score['high']:.3f})"
