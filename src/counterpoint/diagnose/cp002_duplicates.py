"""CP002: near-duplicates of training rows among the test rows, so that what is scored is memory.

Takes about 0.1 s a thousand rows, most of it to compare texts.
"""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import polars as pl

from counterpoint.config import Group
from counterpoint.data.group import group
from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.measures.held_out_rows import has_test_rows, parts_by_fold
from counterpoint.metrics import evaluate, read_part
from counterpoint.metrics.intervals import wilson
from counterpoint.schema import Frame

HARMLESS = 0.01
"""A score moves by less than the share of rows that are touched: of one in a hundred, by less than a point even if
each were wrong without its twin, which is below what a thousand test rows can show."""
IDENTICAL, NEAR, TEXTS = "identical images", "near-identical images", "near-identical texts"
RULES: Mapping[str, Group] = {
    IDENTICAL: Group(near_images=False, near_texts=False),
    NEAR: Group(near_texts=False),
    TEXTS: Group(exact=False, near_images=False),
}
"""Each kind of likeness, as a split that groups by it alone would see it."""


@final
class Duplicates(Check):
    """Look at which test rows have a near-duplicate among the training rows of the fit that predicts them."""

    code = "CP002"
    title = "Duplicates across folds"
    cost = Cost("0.1 s")
    needs = ("pairs", "predictions", "metric")

    def run(self, *, pairs: Frame, predictions: Frame, metric: str) -> Finding:
        """Return the finding on images where there are any, else on texts."""
        kinds = _kinds(pairs)
        if not kinds:
            return self.not_applicable("folds", "There are no images or texts on both sides of a split.")
        touched = {kind: _touched(pairs, RULES[kind]) for kind in kinds}
        # Captions of one template agree without being copies: where there are images, they decide.
        decisive = touched.get(NEAR, touched.get(TEXTS, set()))
        n = sum(len(fold["test"]) for fold in parts_by_fold(pairs))
        share, (low, high) = len(decisive) / max(n, 1), wilson(len(decisive), n)
        kind = NEAR if NEAR in touched else TEXTS
        measured = f"{len(decisive):,} of {n:,} test rows ({share:.1%}) have {kind} among the training rows"
        evidence = {"share": share, "low": low, "high": high, "such_as": sorted(decisive)[:5]}
        evidence |= {kind.replace(" ", "_"): len(ids) for kind, ids in touched.items()}
        table = _with_and_without(predictions, metric, decisive) if decisive else []
        evidence["table"] = rounded(table)
        if low > HARMLESS:
            advice = "Group them (group:; of a chain over max_component_share only exact links are kept)."
            return self.finding("warn", "folds", f"{measured}{_effect(table)}. {advice}", **evidence)
        return self.finding("info", "folds", f"{measured}{_texts_alone(touched)}.", **evidence)


def _kinds(pairs: Frame) -> list[str]:
    known = set(pairs.columns)
    if not {"id", "row", "text"} <= known or not has_test_rows(pairs):
        return []
    has_images = {"sha256", "phash"} <= known and pairs["sha256"].count() > 0
    return [*([IDENTICAL, NEAR] if has_images else []), *([TEXTS] if pairs["text"].count() else [])]


def _touched(pairs: Frame, rules: Group) -> set[str]:
    """Return the ids of test rows that *rules* group with a row which their fit was trained on."""
    # Likeness is counted, not what a source says to belong together.
    grouped, _ = group(pairs.drop("group", strict=False), rules)
    found: set[str] = set()
    for fold in parts_by_fold(grouped):
        found.update(fold["test"].filter(pl.col("group").is_in(fold["train"]["group"].implode()))["id"])
    return found


def _texts_alone(touched: Mapping[str, set[str]]) -> str:
    if NEAR not in touched:
        return ""
    n = len(touched.get(TEXTS, set()) - touched[NEAR])
    return f"; the texts alone of {n:,} more are near-identical to a training row's" if n else ""


def _with_and_without(predictions: Frame, metric: str, touched: set[str]) -> list[dict[str, Any]]:
    """Return each contender's primary score on all test rows, and on those without a near-duplicate."""
    test = predictions.filter(pl.col("part") == "test")
    rest = test.filter(~pl.col("id").is_in(list(touched)))
    if rest.is_empty():
        return []
    scores = []
    for rows in (test, rest):
        part = read_part(rows, "test")
        found = evaluate(part, [metric], np.ones((1, len(part.groups))))
        scores.append({name: float(value.mean()) for name, value in found.items()})
    whole, clean = scores
    return [
        {"contender": name, "all test rows": whole[name], "without near-duplicates": clean[name],
         "difference": whole[name] - clean[name]}
        for name in list(whole)[:12] if np.isfinite([whole[name], clean[name]]).all()
    ]  # fmt: skip


def _effect(table: list[dict[str, Any]]) -> str:
    if not table:
        return ""
    most = max(table, key=lambda row: abs(row["difference"]))
    return (
        f"; without them {most['contender']} scores {most['without near-duplicates']:.3f} in place of "
        f"{most['all test rows']:.3f}"
    )
