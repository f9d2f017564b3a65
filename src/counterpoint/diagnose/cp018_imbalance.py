"""CP018: one class is so frequent that accuracy hides errors in the other classes.

Accuracy and balanced accuracy are those of the same predicted classes: the best ones for the primary metric, as in the
table of scores.
"""

from collections.abc import Iterable, Mapping
from typing import Any, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Finding, rounded
from counterpoint.diagnose.inputs import Primary
from counterpoint.measures.comparison_tables import Modalities, compared_contenders
from counterpoint.measures.held_out_rows import correct_shares
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.metrics.table import find_metric
from counterpoint.schema import Frame

MAJORITY_AT = 0.85
"""The share of the largest class in the pairs, without an interval.

At four to one, a fifth of the rows show the recall of the smaller class.  At nine to one, a tenth of them do, and a
model that always predicts the larger class is correct nine times in ten.
"""
GAP = 0.05
"""Accuracy minus balanced accuracy: five points due to the frequent class alone.  They hide an error only if
accuracy is the primary metric."""
SUBJECT = "classes"


@final
class Imbalance(Check):
    """Look at the shares of the classes, and compare accuracy with balanced accuracy for the compared contenders."""

    code = "CP018"
    title = "Imbalance hides errors"
    advice = "Judge by balanced accuracy (evaluate.primary), or collect more rows of the rare class."
    needs = ("pairs", "predictions", "primary", "modalities", "metric")

    def run(
        self, *, pairs: Frame, predictions: Frame, primary: Primary | None, modalities: Modalities, metric: str
    ) -> Finding:
        """Return the finding on the shares, or on the compared contender with the widest gap."""
        shares = pairs["label"].value_counts(name="n").sort("n", "label", descending=[True, False])
        if len(shares) < 2:
            return self.not_applicable(SUBJECT, "There is one class only.")
        largest, n_largest = shares.row(0)
        majority = n_largest / len(pairs)
        compared = compared_contenders(primary, modalities)
        tested = {name: rows for name in compared if len(rows := correct_shares(predictions, name, metric=metric))}
        gaps = {name: _gap(rows) for name, rows in tested.items()}
        table = rounded([_row(name, rows, gaps[name]) for name, rows in tested.items()])
        evidence = {"majority": round(majority, 4), "smallest_class": shares.row(-1)[1], "table": table[:12]}
        most = f"{numbers.share(majority)} of the pairs are of the class {largest}."
        if majority >= MAJORITY_AT:
            always = f"A model that always predicts it has that accuracy.{_smallest(tested.values())}"
            return self.finding("warn", SUBJECT, f"{most} {always} {_advice(metric)}", **evidence)
        severity, explanation = _hidden(gaps, metric)
        return self.finding(severity, SUBJECT, f"{most} {explanation}", **evidence)


def _advice(metric: str) -> str:
    if metric == "accuracy":
        return "Judge by balanced accuracy (evaluate.primary): then the predicted classes allow for the class shares."
    return f"Do not judge by accuracy, but by {find_metric(metric).name_within}, the primary metric."


def _hidden(gaps: Mapping[str, Estimate], metric: str) -> tuple[str, str]:
    """Return the severity and the explanation of *gaps* between accuracy and balanced accuracy."""
    hidden = [name for name, gap in gaps.items() if gap.low > GAP]
    if not hidden:
        return "info", "Accuracy hides no class."
    worst = max(hidden, key=lambda name: gaps[name].value)
    above = f"The accuracy of {worst} is {numbers.score(gaps[worst].value)} above its balanced accuracy."
    if metric == "accuracy":
        return "warn", f"{above} So accuracy hides errors in the smaller classes. {_advice(metric)}"
    return "info", f"{above} Report {find_metric(metric).name_within}, the primary metric, and not accuracy."


def _smallest(tested: Iterable[Frame]) -> str:
    """Return the sentence on the test rows of the smallest class, if there are test rows."""
    counts = [min(rows["label"].value_counts(name="n")["n"].to_list()) for rows in tested]
    return f" The smallest class has {numbers.count(min(counts))} test rows." if counts else ""


def _gap(rows: Frame) -> Estimate:
    """Return accuracy minus balanced accuracy, with its interval over draws of groups."""
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
        "accuracy minus balanced": gap.value,
        **{f"recall of {label}": value for label, value in recalls.head(6).iter_rows()},
    }
