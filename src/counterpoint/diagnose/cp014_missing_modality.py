"""CP014: without one modality, a multimodal contender falls below the best contender of the other modality.

The check removes the image of the test rows, then the text, and fills it in four ways:

- "nothing": the contender receives a null.  A network replaces it by zeros and a mark.
- "the mean": the mean output of the encoder of that modality.
- "another row's": the output for another row.  The score is the mean over five permutations.
- "a prediction from the other": a ridge regression from the other modality, fitted on training rows.

The score is compared with a single-entity contender of the other modality on the same rows, the mean over its seeds.
That contender is one that the multimodal contender builds on, else the best on validation rows.  The check warns if at
least `FEW` of the rows of this study lack the modality and the fall is clear.  Otherwise it reports the fall.

Takes 0.2 s at 730 test rows, in addition to the encoding for CP008.
"""

from dataclasses import replace
from functools import partial
from typing import Any, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.contenders.encoded import MEAN, MISSING, Encoded
from counterpoint.diagnose.check import Check, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.encoded_fits import EncodedFit
from counterpoint.measures.prediction_arrays import best_on_validation, validated_contenders
from counterpoint.measures.recombined_logits import Places, correct_recombined
from counterpoint.metrics.class_means import mean_by_class
from counterpoint.metrics.estimate import estimated, groups_of
from counterpoint.metrics.rows import Floats
from counterpoint.schema import MODALITIES, Frame, other_modality
from counterpoint.seeds import child_seed

CLEAR = 0.03
"""The lower end of the interval of a fall that counts: three points."""
FEW = 0.01
"""If a smaller share of the rows lacks a modality, they hardly change a score."""
PERMUTATIONS = 5
RIDGE = 10.0
NO_ROWS = (MEAN, MISSING)
"""The terms of a modality end with these two, after the terms of its rows."""
SUBJECT = "missing modality"


@final
class MissingModality(Check):
    """Look at each multimodal contender without one modality, compared with the best contender of the other."""

    code = "CP014"
    title = "Missing modality"
    advice = "Hide modalities in training (hide), or use the contender of the other modality for such rows."
    needs = ("encoded_fits", "pairs", "predictions", "modalities")

    def run(
        self, *, encoded_fits: list[EncodedFit], pairs: Frame, predictions: Frame, modalities: Modalities
    ) -> Finding:
        """Return the finding on the largest fall for a modality that rows of the study lack."""
        if not encoded_fits or not all(contenders_reading(modalities, modality) for modality in MODALITIES):
            needed = (
                "This check needs a multimodal contender with separate encoders and head, "
                "and a contender of each modality alone."
            )
            return self.not_applicable(SUBJECT, needed)
        lacking: dict[str, float] = {modality: _lacking(pairs, modality) for modality in MODALITIES}
        rows = [
            row for fit in encoded_fits for without in MODALITIES
            for row in _rows(fit, without, predictions, _single(fit, other_modality(without), predictions, modalities))
        ]  # fmt: skip
        severity, subject, explanation = _result(rows, lacking, encoded_fits[0].name)
        return self.finding(severity, subject, explanation, table=rows[:12], lacking=lacking)


def _result(rows: list[dict[str, Any]], lacking: dict[str, float], first: str) -> tuple[str, str, str]:
    """Return severity, subject and explanation.  Without a fall, the subject is *first*."""
    falls = [row for row in rows if row["filled with"] == "nothing" and row["low"] > CLEAR]
    here = [row for row in falls if lacking[row["without"]] >= FEW]
    if here:
        worst = max(here, key=lambda row: row["fall"])
        return "warn", worst["contender"], _fallen(worst, lacking)
    if falls:
        missing = falls[0]["without"]
        later = (
            f"Less than {numbers.share(FEW)} of the rows have no {missing}. {_measured(falls[0])} "
            f"Use {falls[0]['single']} if the {missing} is missing later."
        )
        return "info", falls[0]["contender"], later
    return "info", first, f"Without one modality, {first} is as good as the best contender of the other, or nearly."


def _lacking(pairs: Frame, modality: str) -> float:
    missing = pairs[modality].null_count() if modality in pairs.columns else 0
    return missing / max(1, len(pairs))


def _fallen(row: dict[str, Any], lacking: dict[str, float]) -> str:
    share = lacking[row["without"]]
    return (
        f"{numbers.share(share)} of the rows have no {row['without']}. {_measured(row)} "
        f"Hide modalities in training (hide), or use {row['single']} for the rows without the {row['without']}."
    )


def _measured(row: dict[str, Any]) -> str:
    fall = numbers.score_with_interval(row["fall"], row["low"], row["high"])
    return (
        f"Without the {row['without']}, {row['contender']} has a balanced accuracy of {numbers.score(row['score'])}, "
        f"and {row['single']} has {numbers.score(row['score'] + row['fall'])}. The fall is {fall}."
    )


def _rows(fit: EncodedFit, without: str, predictions: Frame, single: str) -> list[dict[str, Any]]:
    """Return a row of evidence for each way to fill the removed modality."""
    reference = fit.correct_shares_of(predictions, single)
    is_there = fit.pairs[other_modality(without)].is_not_null().to_numpy() & np.isfinite(reference)
    rows = []
    for name, correct in _filled(fit, without).items():
        score = np.mean(correct, axis=0)
        fall = _fall(fit, (reference - score)[is_there], is_there)
        value = float(mean_by_class(score[is_there], fit.codes[is_there])(np.ones((1, is_there.sum())))[0])
        rows.append({"contender": fit.name, "without": without, "filled with": name, "single": single, "score": value}
                    | {"fall": fall.value, "low": fall.low, "high": fall.high})  # fmt: skip
    return rows


def _filled(fit: EncodedFit, without: str) -> dict[str, list[Floats]]:
    """Return which rows are predicted correctly with each way to fill the modality, once or for each permutation."""
    own = np.arange(len(fit.pairs))
    rng = np.random.default_rng(child_seed(0, "cp014", fit.name, without))
    fills: dict[str, list[Places]] = {
        "nothing": [np.full_like(own, MISSING)],
        "the mean": [np.full_like(own, MEAN)],
        "another row's": [rng.permutation(own) for _ in range(PERMUTATIONS)],
    }
    hits = partial(correct_recombined, shares=fit.class_shares_)
    correct = {
        name: [hits(fit.encoded_rows, fit.codes, *((p, own) if without == "text" else (own, p))) for p in places]
        for name, places in fills.items()
    }
    predicted = _predicted(fit, without)
    if predicted is not None:
        correct["a prediction from the other"] = [hits(predicted, fit.codes, own, own)]
    return correct


def _predicted(fit: EncodedFit, without: str) -> Encoded | None:
    """Return the test rows with the modality *without* predicted from the other one by a ridge regression."""
    train, encoded_train = fit.trained or (fit.fit.train.clear(), fit.encoded_rows)
    whole = train.select(pl.all_horizontal(pl.col(MODALITIES).is_not_null())).to_series().to_numpy()
    if not whole.any():
        return None
    from sklearn.linear_model import Ridge  # noqa: PLC0415 - loads scikit-learn
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    other = other_modality(without)
    vectors, terms = getattr(encoded_train, other).vectors, getattr(encoded_train, without).terms[: -len(NO_ROWS)]
    model = make_pipeline(StandardScaler(), Ridge(RIDGE)).fit(vectors[whole], terms[whole])
    encoded = getattr(fit.encoded_rows, without)
    predicted = model.predict(getattr(fit.encoded_rows, other).vectors)
    predicted = predicted.reshape(-1, terms.shape[1]).astype(encoded.terms.dtype)
    return replace(fit.encoded_rows, **{without: encoded._replace(terms=predicted)})


def _single(fit: EncodedFit, modality: str, predictions: Frame, modalities: Modalities) -> str:
    """Return the contender of *modality* alone that *fit* is compared with, if possible one that it builds on."""
    alone = validated_contenders(predictions, modalities, modality) or contenders_reading(modalities, modality)
    parts = [name for name in getattr(fit.fit.model, "needs", ()) if name in alone]
    return best_on_validation(predictions, parts or alone)


def _fall(fit: EncodedFit, values: Floats, is_there: Any) -> Estimate:
    groups = np.asarray(list(groups_of(fit.pairs)))[is_there]
    return estimated(mean_by_class(values, fit.codes[is_there]), groups)
