"""CP013: sizes, lengths or hosts predict the class, so that a model may score without the content of text or image.

Fits trees on metadata alone, five times, each time on four fifths of the pairs.  Takes 0.3 s at 1,000 pairs.
"""

from typing import Any, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.errors import SchemaError
from counterpoint.measures.comparison_tables import scores_on_test_rows
from counterpoint.measures.held_out_rows import correctness
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.decision import BALANCED
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

CONFIDENCE = 0.99
"""The level of the interval whose lower end must lie above chance."""
LEAST_SKILL, SURE_SKILL = 0.12, 0.04
"""The share of the way from chance to a perfect score, of the value and of the lower end of its interval.  A smaller
skill does not explain the score of a model of the content.  The interval is too narrow where rows are few, because the
fits share rows.  On 55 clean studies of 300 pairs, three ends were above chance: at .010, .031 and .032."""
N_FOLDS, MOST_ROWS = 5, 20_000
ROUNDS, LEAVES = 30, 4
"""Enough trees to find a size or a length that predicts the class, and too few to memorize 1,000 rows."""
CONTENDER = "metadata"


@final
class Shortcuts(Check):
    """Look at the balanced accuracy of a model of metadata alone, on held-out rows.

    Every row of the pairs is predicted by a fit on other rows.  With the test rows of a contender alone, a fifth of the
    pairs, the interval would be twice as wide.
    """

    code = "CP013"
    title = "Shortcuts in sizes, lengths and hosts"
    advice = "Balance the classes in the named property, or hide it: cut texts, pad images, leave hosts out."
    cost = Cost("0.3 s: it fits trees")
    needs = ("pairs", "balanced_scores")

    def run(self, *, pairs: Frame, balanced_scores: Frame) -> Finding:
        """Return the finding on all pairs."""
        rows = _predicted(pairs)
        if rows is None:
            lacking = "The pairs have no sizes, lengths or hosts, or there are too few pairs for a test."
            return self.not_applicable(CONTENDER, lacking)
        found, chance = _balanced_accuracy(rows), 1 / rows["label"].n_unique()
        measured = (
            f"A model of sizes, lengths and hosts alone has a balanced accuracy of {numbers.score(found.value)} "
            f"({numbers.interval(found.low, found.high)} at {numbers.level(CONFIDENCE)} confidence). "
            f"Chance is {numbers.score(chance)}."
        )
        evidence: dict[str, Any] = {
            **found._asdict(),
            "chance": chance,
            "n": len(rows),
            **_of_contender(balanced_scores),
        }
        evidence["table"] = _facts(pairs)
        skill, sure = ((end - chance) / (1 - chance) for end in (found.value, found.low))
        if skill >= LEAST_SKILL and sure >= SURE_SKILL:
            advice = (
                "A contender may reach that score without the content of text or image. "
                "Balance the classes in these facts, or mask them."
            )
            return self.finding("warn", CONTENDER, f"{measured} {advice}", **evidence)
        little = "This is little." if found.low > chance else "These rows show no such shortcut."
        return self.finding("info", CONTENDER, f"{measured} {little}", **evidence)


def _of_contender(scores: Frame) -> dict[str, float]:
    """Return the test scores of the contenders of the study that read neither text nor image."""
    scored = scores_on_test_rows(scores, BALANCED).drop_nulls("value")
    return {f"{name}_contender": value for name in (CONTENDER, "majority")
            for value in scored.filter(contender=name)["value"].head(1)}  # fmt: skip


def _predicted(pairs: Frame) -> Frame | None:
    """Return the rows that a fit on other groups predicts, with ``is_correct``, or None if there are too few."""
    from counterpoint.contenders.base import Rows  # noqa: PLC0415 - loads scikit-learn
    from counterpoint.contenders.inner_split import cross_folds  # noqa: PLC0415
    from counterpoint.contenders.metadata import Metadata  # noqa: PLC0415

    rng = np.random.default_rng(child_seed(0, "cp013"))
    rows = pairs[np.sort(rng.permutation(len(pairs))[:MOST_ROWS])]
    names, codes = np.unique(rows["label"].to_numpy(), return_inverse=True)
    folds = cross_folds(Rows(rows, codes.astype(np.int64)), N_FOLDS)
    found = []
    for fold in range(N_FOLDS):
        out, rest = rows.filter(folds == fold), rows.filter(folds != fold)
        if out.is_empty() or rest["label"].n_unique() < len(names):
            continue
        try:
            model = Metadata(rounds=ROUNDS, leaves=LEAVES, is_scaled=False).fit(rest, rest["label"])
        except SchemaError:  # no facts, or one class
            return None
        found.append(out.with_columns(is_correct=correctness(model, out)["hit"]))
    predicted = pl.concat(found) if found else None
    return predicted if predicted is not None and predicted["label"].n_unique() > 1 else None


def _balanced_accuracy(rows: Frame) -> Estimate:
    codes = (rows["label"].rank("dense").to_numpy() - 1).astype(np.intp)
    own = pl.format("row {}", pl.int_range(pl.len()))
    groups = rows.select(pl.coalesce("group", own) if "group" in rows.columns else own).to_series()
    return estimated(mean_by_class(rows["is_correct"].to_numpy(), codes), groups, confidence=CONFIDENCE)


def _facts(pairs: Frame) -> list[dict[str, Any]]:
    """Return the median of each fact in each class."""
    from counterpoint.contenders.metadata import FACTS  # noqa: PLC0415 - loads scikit-learn

    known = {name: fact for name, (needs, fact) in FACTS.items() if set(needs) <= set(pairs.columns)}
    facts = pairs.select("label", **{name: fact.cast(pl.Float64) for name, fact in known.items()})
    medians = facts.group_by("label").agg(pl.col(list(known)).median().round(3)).sort("label").head(6)
    heads = [f"of {label}" for label in medians["label"]]  # so that no class has the name of another column
    return [{"median": name, **dict(zip(heads, medians[name], strict=True))} for name in known if medians[name].count()]
