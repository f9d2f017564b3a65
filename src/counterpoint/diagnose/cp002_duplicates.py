"""CP002: test rows that are near-duplicates of training rows, so that the score rewards memory.

Takes about 0.1 s for a thousand rows, mostly to compare texts.
"""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.config import Group
from counterpoint.data.group import group
from counterpoint.diagnose.check import Check, Cost, Finding, rounded
from counterpoint.measures.held_out_rows import has_test_rows, parts_by_fold
from counterpoint.metrics import evaluate, read_part
from counterpoint.metrics.intervals import wilson
from counterpoint.schema import Frame

HARMLESS = 0.01
"""Without the duplicates, a score changes by less than their share.  A share of 1 % changes it by less than a point,
even if each were wrong without its twin.  A thousand test rows cannot show such a change."""
IDENTICAL, NEAR, TEXTS = "identical images", "near-identical images", "near-identical texts"
RULES: Mapping[str, Group] = {
    IDENTICAL: Group(near_images=False, near_texts=False),
    NEAR: Group(near_texts=False),
    TEXTS: Group(exact=False, near_images=False),
}
"""The grouping that finds each kind of duplicate, and no other kind."""


@final
class Duplicates(Check):
    """Count the test rows that have a near-duplicate among the training rows of their fit."""

    code = "CP002"
    title = "Duplicates across folds"
    advice = "Group the copies with group:, so that all of them are in one part of the split. Then run the study again."
    cost = Cost("0.1 s")
    needs = ("pairs", "predictions", "metric")

    def run(self, *, pairs: Frame, predictions: Frame, metric: str) -> Finding:
        """Return the finding on images if there are any, otherwise on texts."""
        kinds = _kinds(pairs)
        if not kinds:
            return self.not_applicable("folds", "There are no test rows with images or texts to compare.")
        duplicates = {kind: _duplicate_ids(pairs, RULES[kind]) for kind in kinds}
        # Captions of one template agree without being copies.  So images decide if there are any.
        decisive = duplicates.get(NEAR, duplicates.get(TEXTS, set()))
        n = sum(len(fold["test"]) for fold in parts_by_fold(pairs))
        share, (low, high) = len(decisive) / max(n, 1), wilson(len(decisive), n)
        kind = NEAR if NEAR in duplicates else TEXTS
        counts = f"{numbers.count(len(decisive))} of {numbers.count(n)} test rows ({numbers.share(share, decimals=1)})"
        measured = f"{counts} have {kind} among the training rows of their fit."
        evidence = {"share": share, "low": low, "high": high, "such_as": sorted(decisive)[:5]}
        evidence |= {kind.replace(" ", "_"): len(ids) for kind, ids in duplicates.items()}
        table = _with_and_without(predictions, metric, decisive) if decisive else []
        evidence["table"] = rounded(table)
        if low > HARMLESS:
            advice = "Group near-duplicates (group:), so that a group is never in two parts of a split."
            limit = "In a group above max_component_share, only exact links are kept."
            return self.finding("warn", "folds", f"{measured}{_effect(table)} {advice} {limit}", **evidence)
        return self.finding("info", "folds", f"{measured}{_texts_alone(duplicates)}", **evidence)


def _kinds(pairs: Frame) -> list[str]:
    known = set(pairs.columns)
    if not {"id", "row", "text"} <= known or not has_test_rows(pairs):
        return []
    has_images = {"sha256", "phash"} <= known and pairs["sha256"].count() > 0
    return [*([IDENTICAL, NEAR] if has_images else []), *([TEXTS] if pairs["text"].count() else [])]


def _duplicate_ids(pairs: Frame, rules: Group) -> set[str]:
    """Return the ids of test rows that *rules* group with a training row of their fit."""
    # Only likeness counts here.  So the groups that a source gives are left out.
    grouped, _ = group(pairs.drop("group", strict=False), rules)
    ids: set[str] = set()
    for fold in parts_by_fold(grouped):
        ids.update(fold["test"].filter(pl.col("group").is_in(fold["train"]["group"].implode()))["id"])
    return ids


def _texts_alone(duplicates: Mapping[str, set[str]]) -> str:
    if NEAR not in duplicates:
        return ""
    n = len(duplicates.get(TEXTS, set()) - duplicates[NEAR])
    if not n:
        return ""
    return f" Of {numbers.count(n)} more, only the text is near-identical. Texts of different images may well agree."


def _with_and_without(predictions: Frame, metric: str, duplicates: set[str]) -> list[dict[str, Any]]:
    """Return each contender's primary score on all test rows, and on the test rows without a near-duplicate."""
    rest = predictions.filter((pl.col("part") != "test") | ~pl.col("id").is_in(list(duplicates)))
    if rest.filter(part="test").is_empty():
        return []
    scores = []
    for rows in (predictions, rest):
        part = read_part(rows, "test", primary=metric)
        values = evaluate(part, [metric], np.ones((1, len(part.groups))))
        scores.append({name: float(value.mean()) for name, value in values.items()})
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
    whole, clean = (numbers.score(most[column]) for column in ("all test rows", "without near-duplicates"))
    return f" Without these rows, the score of {most['contender']} is {clean} instead of {whole}."
