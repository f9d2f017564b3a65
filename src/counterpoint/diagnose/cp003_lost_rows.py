"""CP003: rows that were lost more often in one class than in another, so that what is left is no fair sample."""

from typing import Any

import polars as pl

from counterpoint.data.clean import ON_PURPOSE
from counterpoint.diagnose.case import Case
from counterpoint.metrics.contingency import Independence, cross_counts, independence, p_phrase
from counterpoint.schema import Frame, finding

TITLE = "Rows missing not at random"
P_LOST = 0.01
"""A loss of 20 % against 10 % in a thousand rows is found so in 97 of 100 draws, at .005 in 95."""
P_REASON = 0.001
"""Which of the reasons depends on the class is a second question, and must not add to the false alarms of the first."""
LEAST_V = 0.05
"""Below, a difference that only a very large table can show moves the shares of the classes too little to matter."""
HOST_V = 0.3
SURVIVED = ("balance", "limit", "train_limit")
"""Rows that were fit to use, and left out to make the classes equal or the set smaller: they count as kept."""
LABELLED = ("align", "split")
"""Stages behind the labels: a class of which they left no row is one all the same."""
KEPT, OTHER = "kept", "other"
MOST_HOSTS, MOST_REASONS = 20, 6


def look(case: Case) -> dict[str, str]:
    """Look at why rows left, by their class and by their host; what was left out on purpose does not count."""
    lost = case.dropped.filter(~pl.col("reason").is_in(ON_PURPOSE))
    if lost.is_empty():
        return finding("CP003", "info", "dropped rows", "No row was lost but those left out on purpose.", lost=0)
    labelled = case.dropped.filter(pl.col("stage").is_in(LABELLED))["label"]
    fates = _fates(case, lost, "label", {*case.pairs["label"].unique(), *labelled.drop_nulls().unique()})
    by_host = _by_host(case, lost)
    n = fates.filter(pl.col("fate") != KEPT).height
    evidence = {"lost": len(lost), "lost_with_label": n, **_told("host", by_host)}
    lost_or_not = independence(cross_counts(fates.with_columns(pl.col("fate") == KEPT), "fate", "of"))
    if n == 0 or lost_or_not is None:
        return _without_labels(len(lost), by_host, evidence)
    by_reason = independence(cross_counts(fates, "fate", "of"))
    evidence |= _told("label", lost_or_not) | _told("reason", by_reason)
    table = _table(fates)
    said = f"{_said(table)} ({p_phrase(lost_or_not.p)}, Cramér's V {lost_or_not.v:.2f})"
    if lost_or_not.p < P_LOST and lost_or_not.v >= LEAST_V:
        said += ": what is left is no fair sample of the classes. See why these rows fail, and report it; weigh them."
        return finding("CP003", "warn", "dropped rows", said, **evidence, table=table)
    if by_reason and by_reason.p < P_REASON and by_reason.v >= LEAST_V:
        said += f"; but the reasons differ by class (V {by_reason.v:.2f}): a fault of one class may be a trait of it."
        return finding("CP003", "warn", "dropped rows", said, **evidence, table=table)
    said += f": no class is lost more than chance explains{_host_said(by_host)}."
    return finding("CP003", "info", "dropped rows", said, **evidence, table=table)


def _fates(case: Case, lost: Frame, column: str, known: set[Any]) -> Frame:
    """Return ``of`` (class or host) and ``fate`` (kept, or why not) of each row of which *column* is known."""
    survived = case.dropped.filter(pl.col("reason").is_in(SURVIVED))
    kept = [rows.select(of=column, fate=pl.lit(KEPT)) for rows in (case.pairs, survived)]
    fates = pl.concat([*kept, lost.select(of=column, fate="reason")])
    return fates.filter(pl.col("of").is_in(list(known)))


def _by_host(case: Case, lost: Frame) -> Independence | None:
    if "host" not in case.pairs.columns or not lost["host"].count():
        return None
    hosts = pl.concat([case.pairs["host"], lost["host"]]).drop_nulls().value_counts(name="n")
    most = set(hosts.sort("n", "host", descending=[True, False])["host"].head(MOST_HOSTS))
    fates = _fates(case, lost, "host", set(hosts["host"]))
    named = pl.when(pl.col("of").is_in(list(most))).then("of").otherwise(pl.lit(OTHER))
    return independence(cross_counts(fates.with_columns(of=named, fate=pl.col("fate") == KEPT), "fate", "of"))


def _told(name: str, found: Independence | None) -> dict[str, float]:
    return {f"p_{name}": found.p, f"v_{name}": found.v} if found else {}


def _host_said(found: Independence | None) -> str:
    if found is None or found.p >= P_REASON or found.v < HOST_V:
        return ""
    return f"; it depends on the host (V {found.v:.2f}), as dead sites make it"


def _without_labels(n: int, by_host: Independence | None, evidence: dict[str, Any]) -> dict[str, str]:
    said = f"{n:,} rows were lost before they had a label: whether it depends on the class cannot be told"
    is_uneven = by_host is not None and by_host.p < P_REASON and by_host.v >= HOST_V
    if is_uneven:
        said += f"{_host_said(by_host)}: if hosts differ in class, what is left is no fair sample"
    return finding("CP003", "warn" if is_uneven else "not_applicable", "dropped rows", f"{said}.", **evidence)


def _table(fates: Frame) -> list[dict[str, Any]]:
    """Return one row a class: how many were kept, how many were lost, and to which of the most frequent reasons."""
    lost = pl.col("fate") != KEPT
    reasons = fates.filter(lost)["fate"].value_counts(name="n").sort("n", "fate", descending=[True, False])["fate"]
    counts = [(pl.col("fate") == reason).sum().alias(reason) for reason in sorted(reasons.head(MOST_REASONS))]
    table = fates.group_by("of").agg((~lost).sum().alias(KEPT), lost.mean().round(4).alias("share lost"), *counts)
    return table.rename({"of": "class"}).sort("class").head(12).to_dicts()


def _said(table: list[dict[str, Any]]) -> str:
    most, least = (pick(table, key=lambda row: row["share lost"]) for pick in (max, min))
    return f"Of class {most['class']} {most['share lost']:.1%} of the rows were lost, of {least['class']} " + (
        f"{least['share lost']:.1%}"
    )
