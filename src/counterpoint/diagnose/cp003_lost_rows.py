"""CP003: rows that were lost more often in one class than in another, so that what is left is no fair sample."""

from typing import Any, final

import polars as pl

from counterpoint.data.clean import ON_PURPOSE
from counterpoint.diagnose.check import Check, Finding
from counterpoint.metrics.contingency import Independence, cross_counts, independence, p_phrase
from counterpoint.schema import Frame

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
SUBJECT = "dropped rows"
MOST_HOSTS, MOST_REASONS = 20, 6


@final
class LostRows(Check):
    """Look at why rows left, by their class and by their host; what was left out on purpose does not count."""

    code = "CP003"
    title = "Rows missing not at random"
    needs = ("pairs", "dropped")

    def run(self, *, pairs: Frame, dropped: Frame) -> Finding:
        """Return the finding on losses by class, or by host where lost rows have no label."""
        lost = dropped.filter(~pl.col("reason").is_in(ON_PURPOSE))
        if lost.is_empty():
            return self.finding("info", SUBJECT, "No row was lost but those left out on purpose.", lost=0)
        rows = _kept_and_lost(pairs, dropped, lost)
        labelled = dropped.filter(pl.col("stage").is_in(LABELLED))["label"]
        fates = _fates(rows, "label", {*pairs["label"].unique(), *labelled.drop_nulls().unique()})
        by_host = _by_host(rows, pairs, lost)
        n = fates.filter(pl.col("fate") != KEPT).height
        evidence: dict[str, Any] = {"lost": len(lost), "lost_with_label": n, **_independence("host", by_host)}
        lost_or_not = independence(cross_counts(fates.with_columns(pl.col("fate") == KEPT), "fate", "of"))
        if n == 0 or lost_or_not is None:
            return self._without_labels(len(lost), by_host, evidence)
        by_reason = independence(cross_counts(fates, "fate", "of"))
        evidence |= _independence("label", lost_or_not) | _independence("reason", by_reason)
        evidence["table"] = _table(fates)
        severity, explanation = _explained(evidence["table"], lost_or_not, by_reason, by_host)
        return self.finding(severity, SUBJECT, explanation, **evidence)

    def _without_labels(self, n: int, by_host: Independence | None, evidence: dict[str, Any]) -> Finding:
        explanation = f"{n:,} rows were lost before they had a label: whether it depends on the class cannot be told"
        is_uneven = by_host is not None and by_host.p < P_REASON and by_host.v >= HOST_V
        if is_uneven:
            explanation += f"{_on_hosts(by_host)}: if hosts differ in class, what is left is no fair sample"
        return self.finding("warn" if is_uneven else "not_applicable", SUBJECT, f"{explanation}.", **evidence)


def _explained(
    table: list[dict[str, Any]], lost_or_not: Independence, by_reason: Independence | None, by_host: Independence | None
) -> tuple[str, str]:
    """Return the severity and the explanation."""
    measured = f"{_shares(table)} ({p_phrase(lost_or_not.p)}, Cramér's V {lost_or_not.v:.2f})"
    if lost_or_not.p < P_LOST and lost_or_not.v >= LEAST_V:
        advice = "what is left is no fair sample of the classes. See why these rows fail, and report it; weigh them."
        return "warn", f"{measured}: {advice}"
    if by_reason and by_reason.p < P_REASON and by_reason.v >= LEAST_V:
        reasons = f"but the reasons differ by class (V {by_reason.v:.2f}): a fault of one class may be a trait of it."
        return "warn", f"{measured}; {reasons}"
    return "info", f"{measured}: no class is lost more than chance explains{_on_hosts(by_host)}."


def _kept_and_lost(pairs: Frame, dropped: Frame, lost: Frame) -> Frame:
    """Return label, host where known, and ``fate`` (kept, or why not) of each row."""
    survived = dropped.filter(pl.col("reason").is_in(SURVIVED))
    kept = [rows.with_columns(fate=pl.lit(KEPT)) for rows in (pairs, survived)]
    columns = [name for name in ("label", "host") if name in pairs.columns]
    every = [*kept, lost.with_columns(fate="reason")]
    return pl.concat([rows.select(*columns, "fate") for rows in every])


def _fates(rows: Frame, column: str, known: set[Any]) -> Frame:
    """Return ``of`` (class or host) and ``fate`` of each row whose *column* is one of *known*."""
    return rows.select("fate", of=column).filter(pl.col("of").is_in(list(known)))


def _by_host(rows: Frame, pairs: Frame, lost: Frame) -> Independence | None:
    if "host" not in pairs.columns or not lost["host"].count():
        return None
    hosts = pl.concat([pairs["host"], lost["host"]]).drop_nulls().value_counts(name="n")
    most = set(hosts.sort("n", "host", descending=[True, False])["host"].head(MOST_HOSTS))
    fates = _fates(rows, "host", set(hosts["host"]))
    named = pl.when(pl.col("of").is_in(list(most))).then("of").otherwise(pl.lit(OTHER))
    return independence(cross_counts(fates.with_columns(of=named, fate=pl.col("fate") == KEPT), "fate", "of"))


def _independence(name: str, found: Independence | None) -> dict[str, float]:
    return {f"p_{name}": found.p, f"v_{name}": found.v} if found else {}


def _on_hosts(found: Independence | None) -> str:
    if found is None or found.p >= P_REASON or found.v < HOST_V:
        return ""
    return f"; it depends on the host (V {found.v:.2f}), as dead sites make it"


def _table(fates: Frame) -> list[dict[str, Any]]:
    """Return one row a class: how many were kept, how many were lost, and to which of the most frequent reasons."""
    lost = pl.col("fate") != KEPT
    reasons = fates.filter(lost)["fate"].value_counts(name="n").sort("n", "fate", descending=[True, False])["fate"]
    counts = [(pl.col("fate") == reason).sum().alias(reason) for reason in sorted(reasons.head(MOST_REASONS))]
    table = fates.group_by("of").agg((~lost).sum().alias(KEPT), lost.mean().round(4).alias("share lost"), *counts)
    return table.rename({"of": "class"}).sort("class").head(12).to_dicts()


def _shares(table: list[dict[str, Any]]) -> str:
    most, least = (pick(table, key=lambda row: row["share lost"]) for pick in (max, min))
    return f"Of class {most['class']} {most['share lost']:.1%} of the rows were lost, of {least['class']} " + (
        f"{least['share lost']:.1%}"
    )
