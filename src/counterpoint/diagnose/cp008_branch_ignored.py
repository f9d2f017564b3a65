"""CP008: a multimodal contender does not read one of its modalities, although that would have helped.

What counts is the perceptual score, the share of the balanced accuracy that hangs on a modality, beside what it is in
the plain sum of the best contender of each.  A modality is unread where the interval of that share ends below `SMALL`,
or covers 0 and ends below half of the share in the sum: an interval that covers 0 because rows are few shows nothing.
It is all but unread where the share is less than half of that in the sum, and the contender tells less than the sum,
in bits, both clear of doubt: a branch at random weights still says a little.

Neither is a fault where there was nothing to gain: only a modality that predicts the class by itself, and that clearly
adds to the other, `WORTH_BITS` or `WORTH_POINTS`, can be ignored wrongly.  What gradients or norms of weights say is
not looked at: rescaling a branch changes them, not the function.

Takes about 1 s at 730 test rows of 64 px for each multimodal contender: encoders read them once, heads do the rest.
"""

from dataclasses import replace
from typing import Any, Literal, final

import numpy as np
import polars as pl

from counterpoint.contenders.encoded import Encoded, EncodedModality
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate, perceptual_score
from counterpoint.measures.encoded_fits import EncodedFit
from counterpoint.measures.information_gain import SUM, InformationGain
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.seeds import child_seed

SMALL = 0.02
"""A modality on which less than this share of the score hangs is not read."""
HALF = 0.5
"""A contender that reads a modality should hang on it by at least this share of what a plain sum does."""
MODALITIES: tuple[Literal["text", "image"], ...] = ("text", "image")
SUBJECT = "branches"
WORTH_BITS = 0.02
WORTH_POINTS = 0.01
"""Of two classes, telling 2 % of the rows for sure gives both.  Weak voices give fewer bits for as many points."""


@final
class BranchIgnored(Check):
    """Look at how much of each multimodal contender's score hangs on each modality, and on how much could."""

    code = "CP008"
    title = "A branch is ignored"
    cost = Cost("1 s for each multimodal contender: it predicts anew, 20 times for each modality")
    needs = ("encoded_fits", "information_gain")

    def run(self, *, encoded_fits: list[EncodedFit], information_gain: InformationGain | None) -> Finding:
        """Return the finding on the first branch that is ignored, or else on the first multimodal contender."""
        if not encoded_fits:
            return self.not_applicable(
                SUBJECT, "The study has no multimodal contender whose branches can be looked at."
            )
        if information_gain is None:
            needed = "Needs a contender of each modality alone, and 30 validation and test rows."
            return self.not_applicable(SUBJECT, needed)
        rows = [row for fit in encoded_fits for row in _rows(fit, information_gain)]
        ignored = [row for row in rows if row["is unread"] and row["would help"]]
        named = [{"contender": row["contender"], "modality": row["modality"]} for row in ignored]
        evidence = {"table": rows, "ignored": named}
        if ignored:
            return self.finding("warn", ignored[0]["contender"], _ignored(ignored[0]), **evidence)
        return self.finding("info", encoded_fits[0].name, _read(rows, encoded_fits[0].name), **evidence)


def _ignored(row: dict[str, Any]) -> str:
    modality = row["modality"]
    summed = f", of that of a plain sum {row['in the sum']:.1%}" if "in the sum" in row else ""
    return (
        f"{row['contender']} ignores the {modality}: {row['perceptual']:.1%} of its score hangs on it "
        f"({row['low']:.1%} to {row['high']:.1%}){summed}, although the {modality} alone reaches {row['alone']:.3f} "
        f"and would add {row['adds bits']:.3f} bits a row to the other ({row['adds points']:+.3f} in score). Train the "
        "branches apart and fuse them late, hide the other modality in training (hide), or give the "
        f"{modality} branch a loss of its own (auxiliary)."
    )


def _read(rows: list[dict[str, Any]], name: str) -> str:
    shares = []
    for row in rows:
        if row["contender"] != name:
            continue
        share = f"{row['perceptual']:.1%} of the score of {name} hangs on the {row['modality']}"
        if not row["would help"] and (row["low"] <= 0 or row["high"] < SMALL):
            share += ", which is not shown to be read, nor to add anything"
        elif row["low"] <= 0:
            share += ", which so few rows do not tell from none"
        shares.append(share)
    return "; ".join(shares) + "."


def _rows(fit: EncodedFit, known: InformationGain) -> list[dict[str, Any]]:
    """Return a row for the text and one for the image."""
    rows, plain = [_row(fit, modality, known) for modality in MODALITIES], _sum(fit, known)
    if not len(plain.pairs):
        return rows
    is_short = known.beyond(SUM, fit.name).low > 0
    for row in rows:
        summed = perceptual_score(
            plain, plain.pairs, plain.pairs["label"], row["modality"], seed=child_seed(0, "cp008")
        )
        half = HALF * summed.value
        is_none = row["low"] <= 0 and row["high"] < half
        is_little = is_short and row["perceptual"] < half and row["high"] < summed.low
        row |= {"in the sum": summed.value, "is unread": row["is unread"] or is_none or is_little}
    return rows


def _sum(fit: EncodedFit, known: InformationGain) -> EncodedFit:
    """Return the plain sum of both single-entity contenders, on the rows of *fit*, as a contender like them."""
    place = {row: i for i, row in enumerate(known.rows.ids)}
    kept = fit.pairs.filter(pl.col("id").is_in(list(place)))
    rows = np.array([place[row] for row in kept["id"]], dtype=np.intp)
    text, image = (EncodedModality(terms[rows], terms[rows]) for terms in known.terms)
    encoded = Encoded(text, image, join=np.add)
    return replace(fit, name=SUM, pairs=kept, codes=known.rows.codes[rows], encoded_rows=encoded)


def _row(fit: EncodedFit, modality: Literal["text", "image"], known: InformationGain) -> dict[str, Any]:
    rows, seed = (fit.pairs, fit.pairs["label"]), child_seed(0, "cp008")
    score = perceptual_score(fit, *rows, modality, seed=seed)
    within = perceptual_score(fit, *rows, modality, is_within_class=True, seed=seed)
    other = MODALITIES[1 - MODALITIES.index(modality)]
    alone, adds, points = _alone(known, modality), known.beyond(SUM, other), known.points(SUM, other)
    is_worth = adds.value > WORTH_BITS or (points.low > 0 and points.value > WORTH_POINTS)
    return {
        "contender": fit.name, "modality": modality, "perceptual": score.value, "low": score.low, "high": score.high,
        "within class": within.value, "alone": alone.value, "probe": _probe(fit, modality),
        "adds bits": adds.value, "adds points": points.value,
        "is unread": bool(score.high < SMALL),
        "would help": bool(alone.low > 1 / len(fit.classes_) and adds.low > 0 and is_worth),
    }  # fmt: skip


def _alone(known: InformationGain, modality: str) -> Estimate:
    """Return the balanced accuracy of the best contender of *modality* alone: the branch's twin, trained by itself."""
    return known.rows.balanced(known.rows.is_correct(known.single[modality]))


def _probe(fit: EncodedFit, modality: str) -> float | None:
    """Return the balanced accuracy of a logistic regression on what the branch makes of training rows."""
    if fit.trained is None or fit.trained[0]["label"].n_unique() < 2:
        return None
    train, encoded = fit.trained
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - loads scikit-learn
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    probe.fit(getattr(encoded, modality).vectors, train["label"].to_numpy())
    predicted = probe.predict(getattr(fit.encoded_rows, modality).vectors)
    return balanced_mean(predicted == fit.pairs["label"].to_numpy(), fit.codes)
