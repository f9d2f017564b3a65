"""CP013: sizes, lengths or hosts tell the class, so that a model may score without reading or looking.

Fits trees to metadata alone, five times, each time to four fifths of the pairs (0.3 s at a thousand).
"""

from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.errors import SchemaError
from counterpoint.measures.comparison_tables import scores_on_test_rows
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import Estimate, estimated
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

CONFIDENCE = 0.99
"""Of the interval whose lower end must lie above chance."""
LEAST_SKILL = 0.12
"""Of the way from chance to perfect; less is no way to a score that a model of content is compared by, and at 1,000
rows chance may reach nearly as much, for the fits share rows."""
N_FOLDS, MOST_ROWS = 5, 20_000
ROUNDS, LEAVES = 30, 4
"""Trees that find a size or a length which tells, and have little room to learn a thousand rows by heart."""
CONTENDER = "metadata"


@final
class Shortcuts(Check):
    """Look at the balanced accuracy of a model of metadata alone, on rows that it was not trained on.

    Every row of the pairs is predicted by a fit to others: the test rows of a contender would be a fifth of them, and
    the interval twice as wide.
    """

    code = "CP013"
    title = "Shortcuts in sizes, lengths and hosts"
    cost = Cost("0.3 s: it fits trees")
    needs = ("pairs", "scores")

    def run(self, *, pairs: Frame, scores: Frame) -> Finding:
        """Return the finding on all pairs."""
        rows = _predicted(pairs)
        if rows is None:
            lacking = "The pairs tell no sizes, lengths or hosts to learn from, or are too few to test on."
            return self.not_applicable(CONTENDER, lacking)
        found, chance = _balanced_accuracy(rows), 1 / rows["label"].n_unique()
        measured = (
            f"Sizes, lengths and hosts alone reach a balanced accuracy of {found.value:.3f} "
            f"({found.low:.3f} to {found.high:.3f} with {CONFIDENCE:.0%} confidence; chance is {chance:.3f})"
        )
        evidence: dict[str, Any] = {**found._asdict(), "chance": chance, "n": len(rows), **_of_contender(scores)}
        evidence["table"] = _facts(pairs)
        if found.low > chance and (found.value - chance) / (1 - chance) >= LEAST_SKILL:
            advice = (
                "what a model scores up to there need not be read or seen. Balance the classes in them, or mask them."
            )
            return self.finding("warn", CONTENDER, f"{measured}: {advice}", **evidence)
        little = "they give little away." if found.low > chance else "they give nothing away that these rows can show."
        return self.finding("info", CONTENDER, f"{measured}: {little}", **evidence)


def _of_contender(scores: Frame) -> dict[str, float]:
    """Return what the contenders that read nothing score on test rows, of those that the study has."""
    scored = scores_on_test_rows(scores, "balanced_accuracy").drop_nulls("value")
    return {f"{name}_contender": value for name in (CONTENDER, "majority")
            for value in scored.filter(contender=name)["value"].head(1)}  # fmt: skip


def _predicted(pairs: Frame) -> Frame | None:
    """Return label, group and ``hit`` of every row that could be predicted by a fit to other groups."""
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
            model = Metadata(rounds=ROUNDS, leaves=LEAVES).fit(rest, rest["label"])
        except SchemaError:  # no facts, or one class
            return None
        found.append(out.with_columns(hit=_is_right(model, out, rest["label"])))
    predicted = pl.concat(found) if found else None
    return predicted if predicted is not None and predicted["label"].n_unique() > 1 else None


def _is_right(model: Any, rows: Frame, trained_on: pl.Series) -> NDArray[np.float64]:
    """Return whether each class is told from the others, were all as frequent."""
    shares = (trained_on.to_numpy()[:, None] == model.classes_).mean(axis=0)
    predicted = model.classes_[(model.predict_proba(rows) / shares).argmax(axis=1)]
    correct: NDArray[np.float64] = (predicted == rows["label"].to_numpy()).astype(float)
    return correct


def _balanced_accuracy(rows: Frame) -> Estimate:
    codes = (rows["label"].rank("dense").to_numpy() - 1).astype(np.intp)
    own = pl.format("row {}", pl.int_range(pl.len()))
    groups = rows.select(pl.coalesce("group", own) if "group" in rows.columns else own).to_series()
    return estimated(mean_by_class(rows["hit"].to_numpy(), codes), groups, confidence=CONFIDENCE)


def _facts(pairs: Frame) -> list[dict[str, Any]]:
    """Return the median of each fact in each class."""
    from counterpoint.contenders.metadata import FACTS  # noqa: PLC0415 - loads scikit-learn

    known = {name: fact for name, (needs, fact) in FACTS.items() if set(needs) <= set(pairs.columns)}
    facts = pairs.select("label", **{name: fact.cast(pl.Float64) for name, fact in known.items()})
    medians = facts.group_by("label").agg(pl.col(list(known)).median().round(3)).sort("label").head(6)
    heads = [f"of {label}" for label in medians["label"]]  # so that no class has the name of another column
    return [{"median": name, **dict(zip(heads, medians[name], strict=True))} for name in known if medians[name].count()]
