"""What a finished study says on a terminal, from its results.json alone; and what a finished sweep says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from counterpoint import number_formats as numbers
from counterpoint.report.sweep import GAP, Swept, sentences, short
from counterpoint.safe_text import page_line

BESIDE = ("accuracy", "roc_auc")
"""Metrics that are shown beside the primary one."""


def outcome(results: Mapping[str, Any], primary: str) -> Iterator[RenderableType]:
    """Yield the test scores as a table, the best in *primary* first, the answer, the findings that warn, and CP000."""
    yield _scores(results, primary)
    answer = results["answer"]
    yield Text(answer["headline"], style="bold")
    yield from map(Text, [*answer["reasons"], *filter(None, [answer["recommendation"]])])
    yield ""
    for finding in results["findings"]:
        if finding["severity"] in ("warn", "fail") or finding["code"] == "CP000":
            yield Text(f"{finding['code']} {finding['severity']}: {finding['explanation']}")


def _scores(results: Mapping[str, Any], primary: str) -> Table:
    tested = [row for row in results["scores"] if row["part"] in ("test", "oof")]
    cells = {(row["contender"], row["metric"]): row for row in tested}
    shown = [primary, *(name for name in BESIDE if name != primary and any(row["metric"] == name for row in tested))]
    worth = {name: cells[name, primary]["value"] for name in dict.fromkeys(row["contender"] for row in tested)}
    rows = results["rows"]
    title = f"{results['study']}: test rows; {rows['pairs']:,} pairs, {sum(rows['dropped'].values()):,} rows dropped"
    table = Table("contender", box=SIMPLE_HEAD, title=title, title_justify="left")
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right")
    for contender in sorted(worth, key=lambda name: -(worth[name] or 0.0)):
        table.add_row(contender, *(_score(cells[contender, name]) for name in shown))
    return table


def _score(row: Mapping[str, Any]) -> str:
    return numbers.narrow_score(row["value"], row["low"], row["high"])


def sweep_outcome(swept: Swept) -> Iterator[RenderableType]:
    """Yield a table a variant and contender, what is clear of 0 in bold, and a sentence for each."""
    for changes in swept.changes:
        own = [changes.own] if changes.own else []
        yield _points(swept, f"from {changes.variant}: {changes.contender}", "change", [*own, *changes.rows])
    for curve in swept.curves:
        yield _points(swept, f"on {curve.variant}: {curve.contender}", short(curve.key), curve.rows)
    yield from (Text(page_line(sentence, most=1000), style="bold") for sentence in sentences(swept))


def _points(swept: Swept, title: str, first: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    heading = Text(page_line(f"{title}, {swept.metric.name_within}"), style="italic")
    table = Table(box=SIMPLE_HEAD, title=heading, title_justify="left", collapse_padding=True, pad_edge=False)
    table.add_column(Text(page_line(first)))
    for name in ("train", "valid.", "test", "difference", "p"):
        table.add_column(name, justify="right", no_wrap=name != "difference")
    for row in rows:
        style = "bold" if row["is_clear"] or row["choice"] is None else ""
        scores = (
            numbers.score(row["train"]),
            f"{'▲ ' if row['is_gap'] else ''}{numbers.score(row['validation'])}",
        )
        named = Text(page_line(row["value"] or row["choice"] or "as it is"))
        tested = numbers.narrow_score(row["score"], row["low"], row["high"])
        difference = numbers.narrow_signed(row["difference"], row["difference_low"], row["difference_high"])
        table.add_row(named, *scores, tested, difference, numbers.p_value(row["p"]), style=style)
    if any(row["is_gap"] for row in rows):
        table.caption, table.caption_justify = f"▲ validation {GAP} or more below training", "left"
    return table
