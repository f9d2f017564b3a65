"""CP018: one class is so frequent that accuracy says little of the others."""

from collections.abc import Iterable, Mapping
from typing import Any, final

import numpy as np
import polars as pl

from counterpoint.diagnose.check import Check, Finding, rounded
from counterpoint.diagnose.inputs import Primary
from counterpoint.measures.comparison_tables import Modalities, compared_contenders
from counterpoint.measures.held_out_rows import correct_shares
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.schema import Frame

MAJORITY_AT = 0.85
"""Of the rows, counted and not estimated.  At four to one a fifth of the rows speak for the smaller class, enough to
see its recall; at nine to one a tenth do, and naming the larger class is right nine times in ten."""
GAP = 0.05
"""Accuracy less balanced accuracy: five points that come from the frequent class alone.  They hide something only where
accuracy is what decides."""
SUBJECT = "classes"


@final
class Imbalance(Check):
    """Look at the shares of the classes, and at accuracy beside balanced accuracy of the contenders compared."""

    code = "CP018"
    title = "Imbalance hides errors"
    needs = ("pairs", "predictions", "primary", "modalities", "metric")

    def run(
        self, *, pairs: Frame, predictions: Frame, primary: Primary | None, modalities: Modalities, metric: str
    ) -> Finding:
        """Return the finding on the shares, or on the widest gap of a contender that is compared."""
        shares = pairs["label"].value_counts(name="n").sort("n", "label", descending=[True, False])
        if len(shares) < 2:
            return self.not_applicable(SUBJECT, "There is one class only.")
        largest, n_largest = shares.row(0)
        majority = n_largest / len(pairs)
        compared = compared_contenders(primary, modalities)
        tested = {name: rows for name in compared if len(rows := _test_rows(predictions, name))}
        gaps = {name: _gap(rows) for name, rows in tested.items()}
        table = rounded([_row(name, rows, gaps[name]) for name, rows in tested.items()])
        evidence = {"majority": round(majority, 4), "smallest_class": shares.row(-1)[1], "table": table[:12]}
        most = f"{majority:.0%} of the pairs are {largest}"
        if majority >= MAJORITY_AT:
            always = f"always saying so is right that often{_few(tested.values())}"
            advice = "Judge by balanced accuracy, weigh classes."
            return self.finding("warn", SUBJECT, f"{most}: {always}. {advice}", **evidence)
        severity, explanation = _hidden(gaps, metric)
        return self.finding(severity, SUBJECT, f"{most}{explanation}", **evidence)


def _hidden(gaps: Mapping[str, Estimate], metric: str) -> tuple[str, str]:
    """Return the severity and the explanation of *gaps* between accuracy and balanced accuracy."""
    hidden = [name for name, gap in gaps.items() if gap.low > GAP]
    if not hidden:
        return "info", ": accuracy hides no class."
    worst = max(hidden, key=lambda name: gaps[name].value)
    above = f", and the accuracy of {worst} is {gaps[worst].value:.3f} above its balanced accuracy: "
    if metric == "accuracy":
        advice = "the smaller classes are read worse than it shows. Judge by balanced accuracy, and weigh classes."
        return "warn", above + advice
    return "info", f"{above}{metric.replace('_', ' ')}, which decides here, is the one to quote."


def _few(tested: Iterable[Frame]) -> str:
    smallest = [min(rows["label"].value_counts(name="n")["n"].to_list()) for rows in tested]
    return f", and the smallest class has {min(smallest):,} test rows" if smallest else ""


def _test_rows(predictions: Frame, name: str) -> Frame:
    return correct_shares(predictions.filter((pl.col("part") == "test") & (pl.col("contender") == name)), name)


def _gap(rows: Frame) -> Estimate:
    """Return accuracy less balanced accuracy, and its interval over draws of groups."""
    correct = rows["hit"].to_numpy()
    balanced = mean_by_class(correct, (rows["label"].rank("dense").to_numpy() - 1).astype(np.intp))
    groups = rows.select(pl.coalesce("group", "id")).to_series()
    return estimated(lambda weights: weights @ correct / weights.sum(axis=1) - balanced(weights), groups, draws=500)


def _row(name: str, rows: Frame, gap: Estimate) -> dict[str, Any]:
    recalls = rows.group_by("label").agg(pl.col("hit").mean()).sort("label")
    return {
        "contender": name,
        "accuracy": rows["hit"].mean(),
        "balanced accuracy": recalls["hit"].mean(),
        "accuracy less balanced": gap.value,
        **{f"recall of {label}": value for label, value in recalls.head(6).iter_rows()},
    }
