"""The summary of a finished study on a terminal, from its results.json alone, and the summary of a finished sweep."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from counterpoint import number_formats as numbers
from counterpoint.report.sweep import GAP, Swept, short_key
from counterpoint.safe_text import page_line
from counterpoint.schema import ALARMS, NOTE, TEST_PARTS

SECONDARY_METRICS = ("accuracy", "roc_auc")
"""Metrics that are shown next to the primary one."""


def study_summary(results: Mapping[str, Any], primary: str) -> Iterator[RenderableType]:
    """Yield the test scores as a table, the best in *primary* first, the answer, the findings that warn, and CP000."""
    yield _scores(results, primary)
    answer = results["answer"]
    yield Text(" ".join(filter(None, [answer["headline"], answer.get("doubt")])), style="bold")
    yield from map(Text, [*answer["reasons"], *filter(None, [answer["recommendation"], answer.get("untried")])])
    yield ""
    for finding in results["findings"]:
        if finding["severity"] in ALARMS or finding["code"] == NOTE:
            yield Text(f"{finding['code']} {finding['severity']}: {finding['explanation']}")


def _scores(results: Mapping[str, Any], primary: str) -> Table:
    tested = [row for row in results["scores"] if row["part"] in TEST_PARTS]
    cells = {(row["contender"], row["metric"]): row for row in tested}
    computed = {row["metric"] for row in tested}
    metrics = [primary, *(name for name in SECONDARY_METRICS if name != primary and name in computed)]
    values = {name: cells[name, primary]["value"] for name in dict.fromkeys(row["contender"] for row in tested)}
    rows = results["rows"]
    n_pairs, n_dropped = numbers.count(rows["pairs"]), numbers.count(sum(rows["dropped"].values()))
    title = f"{results['study']}: test rows; {n_pairs} pairs, {n_dropped} rows dropped"
    table = Table("contender", box=SIMPLE_HEAD, title=title, title_justify="left")
    for name in metrics:
        table.add_column(name.replace("_", " "), justify="right")
    for contender in sorted(values, key=lambda name: -(values[name] or 0.0)):
        table.add_row(contender, *(_score(cells[contender, name]) for name in metrics))
    return table


def _score(row: Mapping[str, Any]) -> str:
    return numbers.narrow_score(row["value"], row["low"], row["high"])


def sweep_summary(swept: Swept) -> Iterator[RenderableType]:
    """Yield a table and a sentence for each variant and contender. Bold rows have an interval without 0."""
    for changes in swept.changes:
        own = [changes.own] if changes.own else []
        yield _points(swept, f"from {changes.variant}: {changes.contender}", "change", [*own, *changes.rows])
    for curve in swept.curves:
        yield _points(swept, f"on {curve.variant}: {curve.contender}", short_key(curve.key), curve.rows)
    yield from (Text(page_line(sentence, most=1000), style="bold") for sentence in swept.sentences)


def _points(swept: Swept, title: str, first: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    heading = Text(page_line(f"{title}, {swept.metric.name_within}"), style="italic")
    table = Table(box=SIMPLE_HEAD, title=heading, title_justify="left", collapse_padding=True, pad_edge=False)
    table.add_column(Text(page_line(first)))
    for name in ("train", "valid.", "test", "difference", "p"):
        table.add_column(name, justify="right", no_wrap=name != "difference")
    for row in rows:
        table.add_row(*_cells(row), style="bold" if row["is_clear"] or row["choice"] is None else "")
    if any(row["is_gap"] for row in rows):
        table.caption, table.caption_justify = f"▲ validation {GAP} or more below training", "left"
    return table


def _cells(row: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text(page_line(row["value"] or row["choice"] or "as it is"))
    yield numbers.score(row["train"])
    yield f"{'▲ ' if row['is_gap'] else ''}{numbers.score(row['validation'])}"
    yield numbers.narrow_score(row["score"], row["low"], row["high"])
    yield numbers.narrow_signed(row["difference"], row["difference_low"], row["difference_high"])
    yield numbers.p_value(row["p"])
