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
from typing import Any, Literal

import numpy as np
import polars as pl

from counterpoint.contenders.encoded import Encoded, EncodedModality
from counterpoint.diagnose import Case
from counterpoint.measures import Estimate, perceptual_score
from counterpoint.measures.encoded_fits import Heads, heads_of
from counterpoint.measures.information_gain import SUM, Told, told
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.schema import finding
from counterpoint.seeds import child_seed

TITLE = "A branch is ignored"
SMALL = 0.02
"""A modality on which less than this share of the score hangs is not read."""
HALF = 0.5
"""A contender that reads a modality should hang on it by at least this share of what a plain sum does."""
SIDES: tuple[Literal["text", "image"], ...] = ("text", "image")
WORTH_BITS = 0.02
WORTH_POINTS = 0.01
"""Of two classes, telling 2 % of the rows for sure gives both.  Weak voices give fewer bits for as many points."""


def look(case: Case) -> dict[str, str]:
    """Look at how much of each multimodal contender's score hangs on each modality, and on how much could."""
    both, knowledge = heads_of(case), told(case)
    if not both:
        return _not_applicable("The study has no multimodal contender whose branches can be looked at.")
    if knowledge is None:
        return _not_applicable("Needs a contender of each modality alone, and 30 validation and test rows.")
    rows = [row for heads in both for row in _rows(heads, knowledge)]
    ignored = [row for row in rows if row["is unread"] and row["would help"]]
    evidence = {"table": rows, "ignored": [{"contender": r["contender"], "modality": r["modality"]} for r in ignored]}
    if ignored:
        return finding("CP008", "warn", ignored[0]["contender"], _ignored(ignored[0]), **evidence)
    return finding("CP008", "info", both[0].name, _read(rows, both[0].name), **evidence)


def _not_applicable(reason: str) -> dict[str, str]:
    return finding("CP008", "not_applicable", "branches", reason)


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
    said = []
    for row in rows:
        if row["contender"] != name:
            continue
        share = f"{row['perceptual']:.1%} of the score of {name} hangs on the {row['modality']}"
        if not row["would help"] and (row["low"] <= 0 or row["high"] < SMALL):
            share += ", which is not shown to be read, nor to add anything"
        elif row["low"] <= 0:
            share += ", which so few rows do not tell from none"
        said.append(share)
    return "; ".join(said) + "."


def _rows(heads: Heads, known: Told) -> list[dict[str, Any]]:
    """Return a row for the text and one for the image."""
    rows, plain = [_row(heads, modality, known) for modality in SIDES], _sum(heads, known)
    if not len(plain.pairs):
        return rows
    is_short = known.beyond(SUM, heads.name).low > 0
    for row in rows:
        summed = perceptual_score(
            plain, plain.pairs, plain.pairs["label"], row["modality"], seed=child_seed(0, "cp008")
        )
        half = HALF * summed.value
        is_none = row["low"] <= 0 and row["high"] < half
        is_little = is_short and row["perceptual"] < half and row["high"] < summed.low
        row |= {"in the sum": summed.value, "is unread": row["is unread"] or is_none or is_little}
    return rows


def _sum(heads: Heads, known: Told) -> Heads:
    """Return the plain sum of both single-entity contenders, on the rows of *heads*, as a contender like them."""
    place = {row: i for i, row in enumerate(known.rows.ids)}
    kept = heads.pairs.filter(pl.col("id").is_in(list(place)))
    rows = np.array([place[row] for row in kept["id"]], dtype=np.intp)
    text, image = (EncodedModality(terms[rows], terms[rows]) for terms in known.terms)
    encoded = Encoded(text, image, join=np.add)
    return replace(heads, name=SUM, pairs=kept, codes=known.rows.codes[rows], kept=encoded)


def _row(heads: Heads, modality: Literal["text", "image"], known: Told) -> dict[str, Any]:
    rows, seed = (heads.pairs, heads.pairs["label"]), child_seed(0, "cp008")
    score = perceptual_score(heads, *rows, modality, seed=seed)
    within = perceptual_score(heads, *rows, modality, is_within_class=True, seed=seed)
    other = SIDES[1 - SIDES.index(modality)]
    alone, adds, points = _alone(known, modality), known.beyond(SUM, other), known.points(SUM, other)
    is_worth = adds.value > WORTH_BITS or (points.low > 0 and points.value > WORTH_POINTS)
    return {
        "contender": heads.name, "modality": modality, "perceptual": score.value, "low": score.low, "high": score.high,
        "within class": within.value, "alone": alone.value, "probe": _probe(heads, modality),
        "adds bits": adds.value, "adds points": points.value,
        "is unread": bool(score.high < SMALL),
        "would help": bool(alone.low > 1 / len(heads.classes_) and adds.low > 0 and is_worth),
    }  # fmt: skip


def _alone(known: Told, modality: str) -> Estimate:
    """Return the balanced accuracy of the best contender of *modality* alone: the branch's twin, trained by itself."""
    return known.rows.balanced(known.rows.hits(known.single[modality]))


def _probe(heads: Heads, modality: str) -> float | None:
    """Return the balanced accuracy of a logistic regression on what the branch makes of training rows."""
    if heads.trained is None or heads.trained[0]["label"].n_unique() < 2:
        return None
    train, encoded = heads.trained
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - loads scikit-learn
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    probe.fit(getattr(encoded, modality).vectors, train["label"].to_numpy())
    said = probe.predict(getattr(heads.kept, modality).vectors)
    return balanced_mean(said == heads.pairs["label"].to_numpy(), heads.codes)
