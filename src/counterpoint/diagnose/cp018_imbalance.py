"""CP018: one class is so frequent that accuracy says little of the others."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from counterpoint.diagnose.case import Case
from counterpoint.measures.held_out import hits, rounded, voices
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.schema import Frame, finding

TITLE = "Imbalance hides errors"
MAJORITY_AT = 0.85
"""Of the rows, counted and not estimated.  At four to one a fifth of the rows speak for the smaller class, enough to
see its recall; at nine to one a tenth do, and naming the larger class is right nine times in ten."""
GAP = 0.05
"""Accuracy less balanced accuracy: five points that come from the frequent class alone.  They hide something only where
accuracy is what decides."""
SUBJECT = "classes"


def look(case: Case) -> dict[str, str]:
    """Look at the shares of the classes, and at accuracy beside balanced accuracy of the contenders compared."""
    shares = case.pairs["label"].value_counts(name="n").sort("n", "label", descending=[True, False])
    if len(shares) < 2:
        return finding("CP018", "not_applicable", SUBJECT, "There is one class only.")
    largest, n_largest = shares.row(0)
    majority = n_largest / len(case.pairs)
    looked = {name: rows for name in voices(case) if len(rows := _test_rows(case.predictions, name))}
    gaps = {name: _gap(rows) for name, rows in looked.items()}
    table = rounded([_row(name, rows, gaps[name]) for name, rows in looked.items()])
    evidence = {"majority": round(majority, 4), "smallest_class": shares.row(-1)[1], "table": table[:12]}
    said = f"{majority:.0%} of the pairs are {largest}"
    if majority >= MAJORITY_AT:
        said += (
            f": always saying so is right that often{_few(looked.values())}. Judge by balanced accuracy, weigh classes."
        )
        return finding("CP018", "warn", SUBJECT, said, **evidence)
    hidden = [name for name, gap in gaps.items() if gap.low > GAP]
    if not hidden:
        return finding("CP018", "info", SUBJECT, f"{said}: accuracy hides no class.", **evidence)
    worst = max(hidden, key=lambda name: gaps[name].value)
    said += f", and the accuracy of {worst} is {gaps[worst].value:.3f} above its balanced accuracy: "
    if case.metric == "accuracy":
        said += "the smaller classes are read worse than it shows. Judge by balanced accuracy, and weigh classes."
        return finding("CP018", "warn", SUBJECT, said, **evidence)
    said += f"{case.metric.replace('_', ' ')}, which decides here, is the one to quote."
    return finding("CP018", "info", SUBJECT, said, **evidence)


def _few(looked: Iterable[Frame]) -> str:
    smallest = [min(rows["label"].value_counts(name="n")["n"].to_list()) for rows in looked]
    return f", and the smallest class has {min(smallest):,} test rows" if smallest else ""


def _test_rows(predictions: Frame, name: str) -> Frame:
    return hits(predictions.filter((pl.col("part") == "test") & (pl.col("contender") == name)), name)


def _gap(rows: Frame) -> Estimate:
    """Return accuracy less balanced accuracy, and its interval over draws of groups."""
    right = rows["hit"].to_numpy()
    balanced = mean_by_class(right, (rows["label"].rank("dense").to_numpy() - 1).astype(np.intp))
    groups = rows.select(pl.coalesce("group", "id")).to_series()
    return estimated(lambda weights: weights @ right / weights.sum(axis=1) - balanced(weights), groups, draws=500)


def _row(name: str, rows: Frame, gap: Estimate) -> dict[str, Any]:
    recalls = rows.group_by("label").agg(pl.col("hit").mean()).sort("label")
    return {
        "contender": name,
        "accuracy": rows["hit"].mean(),
        "balanced accuracy": recalls["hit"].mean(),
        "accuracy less balanced": gap.value,
        **{f"recall of {label}": value for label, value in recalls.head(6).iter_rows()},
    }
