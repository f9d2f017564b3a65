"""CP013: sizes, lengths or hosts tell the class, so that a model may score without reading or looking.

Takes the contender metadata where the study has one; else fits its like on training rows (0.3 s a fold).
"""

from typing import Any

import numpy as np
import polars as pl

from counterpoint.contribution.estimate import Estimate, estimated, mean_by_class
from counterpoint.diagnose.case import Case
from counterpoint.diagnose.held_out import hits, largest_share, parts
from counterpoint.errors import SchemaError
from counterpoint.schema import Frame, finding

TITLE = "Shortcuts in sizes, lengths and hosts"
CONFIDENCE = 0.99
"""Of the interval whose lower end must lie above chance: one clean study in two hundred then warns."""
LEAST_SKILL = 0.10
"""Of the way from chance to perfect; less is no way to a score that a model of content is compared by."""
CONTENDER = "metadata"


def look(case: Case) -> dict[str, str]:
    """Look at the balanced accuracy of a model of metadata alone, on rows that it was not trained on."""
    rows = _of_contender(case.predictions)
    if rows is None:
        rows = _learned(case.pairs)
    if rows is None or rows["label"].n_unique() < 2:
        said = "The pairs tell no sizes, lengths or hosts to learn from, or have no rows to test on."
        return finding("CP013", "not_applicable", CONTENDER, said)
    found, chance = _balanced_accuracy(rows), 1 / rows["label"].n_unique()
    skill = (found.value - chance) / (1 - chance)
    said = (
        f"Sizes, lengths and hosts alone reach a balanced accuracy of {found.value:.3f} "
        f"({found.low:.3f} to {found.high:.3f} with {CONFIDENCE:.0%} confidence; chance is {chance:.3f})"
    )
    evidence = {
        "value": found.value, "low": found.low, "high": found.high, "chance": chance, "n": len(rows),
        "majority": largest_share(rows["label"]), "table": _facts(case.pairs),
    }  # fmt: skip
    if found.low > chance and skill >= LEAST_SKILL:
        said += ": what a model scores up to there need not be read or seen. Balance the classes in them, or mask them."
        return finding("CP013", "warn", CONTENDER, said, **evidence)
    said += ": they give little away." if found.low > chance else ": they give nothing away that these rows can show."
    return finding("CP013", "info", CONTENDER, said, **evidence)


def _of_contender(predictions: Frame) -> Frame | None:
    """Return what the contender metadata said of test rows, and of the validation rows of a hold-out.

    It neither stops nor chooses on validation rows, and twice as many rows make a narrower interval.
    """
    said = predictions.filter(pl.col("contender") == CONTENDER)
    held_out = said.filter((pl.col("part") == "test") | ((pl.col("part") == "validation") & (pl.col("fold") == "test")))
    return hits(held_out, CONTENDER) if len(held_out) else None


def _learned(pairs: Frame) -> Frame | None:
    from counterpoint.contenders.metadata import Metadata  # noqa: PLC0415 - loads scikit-learn

    found = []
    is_holdout = "test" in pairs["fold"].to_list() if "fold" in pairs.columns else False
    for fold in parts(pairs):
        held_out = pl.concat([fold["test"], fold["validation"]]) if is_holdout else fold["test"]
        try:
            model = Metadata().fit(fold["train"], fold["train"]["label"])
        except SchemaError:  # no facts, or one class
            return None
        is_right = pl.Series("hit", model.predict(held_out) == held_out["label"].to_numpy()).cast(pl.Float64)
        found.append(
            held_out.select(
                "label", pl.col("group") if "group" in pairs.columns else pl.col("id").alias("group"), is_right
            )
        )
    return pl.concat(found) if found else None


def _balanced_accuracy(rows: Frame) -> Estimate:
    codes = (rows["label"].rank("dense").to_numpy() - 1).astype(np.intp)
    groups = rows.select(pl.coalesce("group", pl.format("row {}", pl.int_range(pl.len())))).to_series()
    return estimated(mean_by_class(rows["hit"].to_numpy(), codes), groups, confidence=CONFIDENCE, draws=2000)


def _facts(pairs: Frame) -> list[dict[str, Any]]:
    """Return the median of each fact in each class."""
    from counterpoint.contenders.metadata import FACTS  # noqa: PLC0415 - loads scikit-learn

    known = {name: told for name, (needs, told) in FACTS.items() if set(needs) <= set(pairs.columns)}
    told = pairs.select("label", **{name: fact.cast(pl.Float64) for name, fact in known.items()})
    medians = told.group_by("label").agg(pl.col(list(known)).median()).sort("label").head(6)
    return [
        {"median": name, **dict(zip(medians["label"], medians[name].round(3), strict=True))}
        for name in known if medians[name].count()
    ]  # fmt: skip
