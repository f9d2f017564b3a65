"""CP008: a multimodal contender does not read one of its modalities, although that modality would help.

The measure is the perceptual score: the share of the balanced accuracy that depends on a modality.  It is compared with
the perceptual score of a plain sum of the best contender of each modality.  A modality is not read in these cases:

- The interval of the share ends below `SMALL`.
- The interval covers 0 and ends below half of the share in the sum.  On few rows an interval covers 0 by its width
  alone, which shows nothing.
- The share is less than half of the share in the sum, and the contender has less information than the sum, in bits.
  Both intervals must be clear.  This case is a branch at random weights, which still carries some information.

It is a fault only if there was something to gain.  So the modality must predict the class by itself, and clearly add to
the other modality: `WORTH_BITS` or `WORTH_POINTS`.  Norms of gradients or weights are not used, because a rescaling of
a branch changes them and not the function.

Takes about 1 s at 730 test rows of 64 px for each multimodal contender.  Encoders read the rows once, and heads predict
the permuted rows.
"""

from dataclasses import replace
from typing import Any, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.contenders.encoded import Encoded, EncodedModality
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate, perceptual_score
from counterpoint.measures.comparison_tables import Members
from counterpoint.measures.encoded_fits import EncodedFit
from counterpoint.measures.information_gain import SUM, InformationGain
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.metrics.decision import BALANCED, decide
from counterpoint.schema import MODALITIES, Frame, Modality, other_modality
from counterpoint.seeds import child_seed

SMALL = 0.02
"""A modality is not read if a smaller share of the score depends on it."""
HALF = 0.5
"""A contender that reads a modality depends on it by at least this part of the share in a plain sum."""
FEW_ROWS = 40
"""As 20 rows of each of two classes.  With fewer, an interval of balanced accuracy may be much too narrow."""
SUBJECT = "branches"
WORTH_BITS = 0.02
WORTH_POINTS = 0.01
"""With two classes, certainty about 2 % of the rows gives both.  Weak modalities give fewer bits for the same
points."""


@final
class BranchIgnored(Check):
    """Measure the share of each multimodal contender's score that depends on each modality."""

    code = "CP008"
    title = "A branch is ignored"
    advice = (
        "Train the branches apart and fuse late, or hide a modality in training (hide). "
        "Or give each branch its own loss (auxiliary)."
    )
    cost = Cost("1 s for each multimodal contender, for 20 predictions with each modality permuted")
    needs = ("encoded_fits", "information_gain", "members")

    def run(
        self, *, encoded_fits: list[EncodedFit], information_gain: InformationGain | None, members: Members
    ) -> Finding:
        """Return the finding on the first branch that is ignored, or on the first multimodal contender."""
        if not encoded_fits:
            return self.not_applicable(
                SUBJECT, "The study has no multimodal contender that encodes text and image apart."
            )
        if information_gain is None:
            needed = "The check needs a contender of each modality alone, 30 validation rows and 30 test rows."
            return self.not_applicable(SUBJECT, needed)
        rows = [row for fit in encoded_fits for row in _rows(fit, information_gain)]
        unread = [row for row in rows if row["is unread"] and row["would help"]]
        ignored = [row for row in unread if row["rows if equal"] >= FEW_ROWS]
        named = [{"contender": row["contender"], "modality": row["modality"]} for row in ignored]
        evidence = {"table": rows, "ignored": named}
        if ignored:
            name = ignored[0]["contender"]
            model = next(fit.fit.model for fit in encoded_fits if fit.name == name)
            advice = _advice(model, ignored[0]["modality"], is_combination=name in members)
            return self.finding("warn", name, f"{_ignored(ignored[0])} {advice}", **evidence)
        first = unread[0]["contender"] if unread else encoded_fits[0].name
        return self.finding("info", first, _read(rows, first), **evidence)


def _ignored(row: dict[str, Any]) -> str:
    modality = row["modality"]
    share = numbers.share_with_interval(row["perceptual"], row["low"], row["high"])
    in_sum = numbers.share(row.get("in the sum"), decimals=1)
    summed = f", and {in_sum} of the score of a plain sum" if "in the sum" in row else ""
    adds = f"{numbers.score(row['adds bits'])} bits a row, and {numbers.signed(row['adds points'])} in score"
    return (
        f"{row['contender']} ignores the {modality}: {share} of its score depends on it{summed}. The {modality} alone "
        f"reaches {numbers.score(row['alone'])}, and would add to the other modality: {adds}."
    )


def _advice(model: Any, modality: str, *, is_combination: bool) -> str:
    if is_combination:
        return "Its members are trained apart: look at the validation rows on which they are combined."
    apart = "Train the branches apart and fuse them late."
    if not hasattr(model, "hide"):
        return apart
    loss = f"give the {modality} branch a loss of its own (auxiliary)"
    return f"{apart} Or hide the other modality in training (hide), or {loss}."


def _read(rows: list[dict[str, Any]], name: str) -> str:
    return " ".join(_share_of(row) for row in rows if row["contender"] == name)


def _share_of(row: dict[str, Any]) -> str:
    share = f"{numbers.share(row['perceptual'], decimals=1)} of the score of {row['contender']} depends"
    if not row["would help"] and (row["low"] <= 0 or row["high"] < SMALL):
        return f"{share} on the {row['modality']}. It is not shown that the {row['modality']} is read, or would help."
    if row["is unread"] and row["rows if equal"] < FEW_ROWS:
        few = (
            f"The test rows are worth {row['rows if equal']} of equal classes, and {FEW_ROWS} are needed to judge this."
        )
        return f"{share} on the {row['modality']}. {few}"
    if row["low"] <= 0:
        return f"{share} on the {row['modality']}, but the rows are too few to exclude 0."
    return f"{share} on the {row['modality']}."


def _rows(fit: EncodedFit, information: InformationGain) -> list[dict[str, Any]]:
    """Return one row for the text and one for the image."""
    rows, plain = [_row(fit, modality, information) for modality in MODALITIES], _sum(fit, information)
    if not len(plain.pairs):
        return rows
    is_short = information.beyond(SUM, fit.name).low > 0
    for row in rows:
        summed = perceptual_score(
            plain, plain.pairs, plain.pairs["label"], row["modality"], seed=child_seed(0, "cp008")
        )
        half = HALF * summed.value
        is_none = row["low"] <= 0 and row["high"] < half
        is_little = is_short and row["perceptual"] < half and row["high"] < summed.low
        row |= {"in the sum": summed.value, "is unread": row["is unread"] or is_none or is_little}
    return rows


def _sum(fit: EncodedFit, information: InformationGain) -> EncodedFit:
    """Return the plain sum of the best contenders of text and image on the rows of *fit*, as a fit like it."""
    place = {row: i for i, row in enumerate(information.rows.ids)}
    kept = fit.pairs.filter(pl.col("id").is_in(list(place)))
    rows = np.array([place[row] for row in kept["id"]], dtype=np.intp)
    text, image = (EncodedModality(terms[rows], terms[rows]) for terms in information.terms)
    encoded = Encoded(text, image, join=np.add)
    return replace(fit, name=SUM, pairs=kept, codes=information.rows.codes[rows], encoded_rows=encoded)


def _row(fit: EncodedFit, modality: Modality, information: InformationGain) -> dict[str, Any]:
    rows, seed = (fit.pairs, fit.pairs["label"]), child_seed(0, "cp008")
    score = perceptual_score(fit, *rows, modality, seed=seed)
    within = perceptual_score(fit, *rows, modality, is_within_class=True, seed=seed)
    other = other_modality(modality)
    alone, adds, points = _alone(information, modality), information.beyond(SUM, other), information.points(SUM, other)
    is_worth = adds.value > WORTH_BITS or (points.low > 0 and points.value > WORTH_POINTS)
    return {
        "contender": fit.name, "modality": modality, "perceptual": score.value, "low": score.low, "high": score.high,
        "within class": within.value, "alone": alone.value, "probe": _probe(fit, modality),
        "adds bits": adds.value, "adds points": points.value,
        "is unread": bool(score.high < SMALL),
        "rows if equal": _rows_if_equal(fit.pairs),
        "would help": bool(alone.low > 1 / len(fit.classes_) and adds.low > 0 and is_worth),
    }  # fmt: skip


def _alone(information: InformationGain, modality: str) -> Estimate:
    """Return the balanced accuracy of the best contender of *modality* alone."""
    return information.rows.balanced(information.rows.is_correct(information.single[modality]))


def _rows_if_equal(pairs: Frame) -> int:
    """Return the number of rows of equal classes that give a balanced accuracy as exactly as the groups of *pairs*."""
    groups = pl.col("group") if "group" in pairs.columns else pl.int_range(pl.len())
    sizes = pairs.select("label", group=groups).group_by("label").agg(pl.n_unique("group"))["group"].to_numpy()
    return int(len(sizes) ** 2 / (1 / sizes).sum())


def _probe(fit: EncodedFit, modality: str) -> float | None:
    """Return the balanced accuracy of a logistic regression on the output of the branch, fitted on training rows."""
    if fit.trained is None or fit.trained[0]["label"].n_unique() < 2:
        return None
    train, encoded = fit.trained
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - loads scikit-learn
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    probe.fit(getattr(encoded, modality).vectors, train["label"].to_numpy())
    proba = probe.predict_proba(getattr(fit.encoded_rows, modality).vectors)
    shares = [train["label"].eq(name).sum() for name in probe.classes_]
    predicted = probe.classes_[decide(proba, metric=BALANCED, shares=shares)]
    return balanced_mean(predicted == fit.pairs["label"].to_numpy(), fit.codes)
