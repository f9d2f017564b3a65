"""CP003: rows that are lost more often in one class than in another, so that the rest is a biased sample."""

from typing import Any, final

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.data.clean import ON_PURPOSE
from counterpoint.diagnose.check import Check, Finding
from counterpoint.metrics.contingency import Independence, cross_counts, independence
from counterpoint.schema import Frame

P_LOST = 0.01
"""A loss of 20 % of one class and 10 % of the other, in a thousand rows, is found in 97 of 100 draws.  At .005 it is
found in 95."""
P_REASON = 0.001
"""The test of reasons by class is a second test, and must not add to the false alarms of the first."""
LEAST_V = 0.05
"""Below it, a difference that only a very large table shows changes the class shares too little to matter."""
HOST_V = 0.3
SURVIVED = ("balance", "limit", "train_limit")
"""Reasons of usable rows that were left out to balance the classes or to reduce the set.  These rows count as kept."""
LABELLED = ("align", "split")
"""Stages after labelling.  Their dropped rows have a label, so a class counts even if none of its rows are kept."""
KEPT, OTHER = "kept", "other"
SUBJECT = "dropped rows"
MOST_HOSTS, MOST_REASONS = 20, 6


@final
class LostRows(Check):
    """Compare lost with kept rows by class and by host, except for rows that were left out on purpose."""

    code = "CP003"
    title = "Rows missing not at random"
    advice = (
        "Find the reason for the lost rows, and bring them back if you can. "
        "If you cannot, report the loss of each class with the scores."
    )
    needs = ("pairs", "dropped")

    def run(self, *, pairs: Frame, dropped: Frame) -> Finding:
        """Return the finding on losses by class, or by host if lost rows have no label."""
        lost = dropped.filter(~pl.col("reason").is_in(ON_PURPOSE))
        if lost.is_empty():
            return self.finding(
                "info", SUBJECT, "No row was lost, except for rows that were left out on purpose.", lost=0
            )
        rows = _kept_and_lost(pairs, dropped, lost)
        labelled = dropped.filter(pl.col("stage").is_in(LABELLED))["label"]
        outcomes = _outcomes(rows, "label", {*pairs["label"].unique(), *labelled.drop_nulls().unique()})
        by_host = _by_host(rows, pairs, lost)
        n = outcomes.filter(pl.col("outcome") != KEPT).height
        evidence: dict[str, Any] = {"lost": len(lost), "lost_with_label": n, **_independence("host", by_host)}
        lost_or_not = independence(cross_counts(outcomes.with_columns(pl.col("outcome") == KEPT), "outcome", "of"))
        if n == 0 or lost_or_not is None:
            return self._without_labels(len(lost), by_host, evidence)
        by_reason = independence(cross_counts(outcomes, "outcome", "of"))
        evidence |= _independence("label", lost_or_not) | _independence("reason", by_reason)
        evidence["table"] = _table(outcomes)
        severity, explanation = _explained(evidence["table"], lost_or_not, by_reason, by_host)
        return self.finding(severity, SUBJECT, explanation, **evidence)

    def _without_labels(self, n: int, by_host: Independence | None, evidence: dict[str, Any]) -> Finding:
        explanation = (
            f"{numbers.count(n)} rows were lost before they had a label. It is unknown whether the class matters."
        )
        is_uneven = by_host is not None and by_host.p < P_REASON and by_host.v >= HOST_V
        if is_uneven:
            explanation += f"{_on_hosts(by_host)} If hosts differ in class, the remaining rows are a biased sample."
        return self.finding("warn" if is_uneven else "not_applicable", SUBJECT, explanation, **evidence)


def _explained(
    table: list[dict[str, Any]], lost_or_not: Independence, by_reason: Independence | None, by_host: Independence | None
) -> tuple[str, str]:
    """Return the severity and the explanation."""
    measured = f"{_shares(table)} ({numbers.p_equals(lost_or_not.p)}, Cramér's V {numbers.score(lost_or_not.v)})."
    if lost_or_not.p < P_LOST and lost_or_not.v >= LEAST_V:
        advice = "Find the reason, report it with the scores, and weight the classes as they were before."
        return "warn", f"{measured} The remaining rows are a biased sample of the classes. {advice}"
    if by_reason and by_reason.p < P_REASON and by_reason.v >= LEAST_V:
        reasons = f"The reasons differ by class (Cramér's V {numbers.score(by_reason.v)})."
        advice = "A reason that affects one class may be a property of it: compare the reasons in the table."
        return "warn", f"{measured} {reasons} {advice}"
    return "info", f"{measured} No class clearly lost more rows than another.{_on_hosts(by_host)}"


def _kept_and_lost(pairs: Frame, dropped: Frame, lost: Frame) -> Frame:
    """Return the label, the host if known, and the ``outcome`` (kept, or the reason) of each row."""
    survived = dropped.filter(pl.col("reason").is_in(SURVIVED))
    kept = [rows.with_columns(outcome=pl.lit(KEPT)) for rows in (pairs, survived)]
    columns = [name for name in ("label", "host") if name in pairs.columns]
    every = [*kept, lost.with_columns(outcome="reason")]
    return pl.concat([rows.select(*columns, "outcome") for rows in every])


def _outcomes(rows: Frame, column: str, known: set[Any]) -> Frame:
    """Return ``of`` (class or host) and ``outcome`` of each row whose *column* is one of *known*."""
    return rows.select("outcome", of=column).filter(pl.col("of").is_in(list(known)))


def _by_host(rows: Frame, pairs: Frame, lost: Frame) -> Independence | None:
    if "host" not in pairs.columns or not lost["host"].count():
        return None
    hosts = pl.concat([pairs["host"], lost["host"]]).drop_nulls().value_counts(name="n")
    most = set(hosts.sort("n", "host", descending=[True, False])["host"].head(MOST_HOSTS))
    outcomes = _outcomes(rows, "host", set(hosts["host"]))
    named = pl.when(pl.col("of").is_in(list(most))).then("of").otherwise(pl.lit(OTHER))
    return independence(
        cross_counts(outcomes.with_columns(of=named, outcome=pl.col("outcome") == KEPT), "outcome", "of")
    )


def _independence(name: str, test: Independence | None) -> dict[str, float]:
    return {f"p_{name}": test.p, f"v_{name}": test.v} if test else {}


def _on_hosts(test: Independence | None) -> str:
    if test is None or test.p >= P_REASON or test.v < HOST_V:
        return ""
    return f" The loss depends on the host (Cramér's V {numbers.score(test.v)}), as it does if sites are dead."


def _table(outcomes: Frame) -> list[dict[str, Any]]:
    """Return one row a class: the kept rows, the share of lost rows, and the lost rows by the most frequent reasons."""
    lost = pl.col("outcome") != KEPT
    reasons = (
        outcomes.filter(lost)["outcome"]
        .value_counts(name="n")
        .sort("n", "outcome", descending=[True, False])["outcome"]
    )
    counts = [(pl.col("outcome") == reason).sum().alias(reason) for reason in sorted(reasons.head(MOST_REASONS))]
    table = outcomes.group_by("of").agg((~lost).sum().alias(KEPT), lost.mean().round(4).alias("share lost"), *counts)
    return table.rename({"of": "class"}).sort("class").head(12).to_dicts()


def _shares(table: list[dict[str, Any]]) -> str:
    most, least = (pick(table, key=lambda row: row["share lost"]) for pick in (max, min))
    more, fewer = (numbers.share(row["share lost"], decimals=1) for row in (most, least))
    return f"Class {most['class']} lost {more} of its rows, class {least['class']} lost {fewer}"
