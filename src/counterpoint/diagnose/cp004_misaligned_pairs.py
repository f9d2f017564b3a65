"""CP004: texts that belong to other images, in all rows, in some, or in one part of a split.

The check looks for these cases in turn:

- **Shift**: a model of cheap features (`own_image_rate`) is fitted on some rows.  On others it does not find the own
  image of a text among all images, but the image of a row nearby.
- **One part differs**: a single-entity contender is far better on validation rows than on test rows, or far worse.
- **Some rows**: the texts have a lapse rate (`lapse_rate`): a share of rows on which the text is correct only by
  chance, at any confidence.  On these rows the images agree with the label (`label_support`).  If the labels were
  wrong, the images would agree with the text.
- **No association**: the model does not find the own image, among all images or within each class.
- **Class alone**: the model finds images of the class, but not the own image among them.  Nor are the predictions of a
  text and an image contender associated within a class.  Two unrelated sets that were joined on class alone have this
  pattern.

If the model finds the own image only within each class, the pairs are aligned, as in an exclusive or.  Then only text
and image together predict the class.

Some faults leave no trace.  If text and image are independent given the class, permuted texts look like texts with a
weaker signal.  Permuted images look like images that are hard to read.

Takes 2 s at 1,000 rows, mostly to read images.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.lapse_rate import LapseRate, lapse_rate
from counterpoint.measures.logit_association import logit_association_p
from counterpoint.measures.pair_features import FEW_ROWS, PairFeatures, pair_features
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.measures.text_image_association import OwnImageRate
from counterpoint.measures.text_predictions import TextPredictions, label_support_of, least_log_loss, text_predictions
from counterpoint.schema import Frame

LEVEL = 0.01
"""At a higher p by permutation, the association is not shown."""
WEAK = 0.54
"""No association is shown if the interval of the own-image rate ends below.  Aligned captions of photos reach .6."""
ENOUGH = 800
"""From fewer pairs, a model of cheap features learns too little to show that there is no association."""
LEAST_LAPSE_RATE, MOST_LAPSE_RATE = 0.12, 0.95
"""The interval of the lapse rate must lie between these.  Above them, the model does not read the texts."""
LEAST_SUPPORT = 0.6
"""Images must agree with the label, and not with the text, by at least this part of the possible amount."""
APART, SIGMAS = 0.15, 4.0
"""Accuracies on two parts differ if the difference is above this, and above this number of standard errors."""
SHIFTS = (1, -1, 2, -2)
SUBJECT = "pairs"
OWN = "text matches its own image better than another image"


class Problem(NamedTuple):
    """A severity, its explanation, and the evidence for it."""

    severity: str
    explanation: str
    evidence: dict[str, Any]


@final
class MisalignedPairs(Check):
    """Look for texts that belong to other images, in all rows, in some rows, or in one part of a split."""

    code = "CP004"
    title = "Misaligned pairs"
    cost = Cost("1 s, or 2 s where images are large: it reads them")
    needs = ("pairs", "predictions", "modalities", "best_contenders", "fit_of")

    def run(
        self,
        *,
        pairs: Frame,
        predictions: Frame,
        modalities: Modalities,
        best_contenders: Mapping[str, str | None],
        fit_of: FitOf,
    ) -> Finding:
        """Return the first problem that is found, or else how text and image are associated."""
        whole = _with_both(pairs)
        if len(whole) < FEW_ROWS or whole["label"].n_unique() < 2:
            needed = f"The check needs {FEW_ROWS} pairs that have a text and an image, of two classes."
            return self.not_applicable(SUBJECT, f"{needed} It got {numbers.count(len(whole))}.")
        image = best_contenders["image"]
        features = pair_features(whole, fit_of(image) if image else None)
        if features is None:
            return self.not_applicable(SUBJECT, "The images of the pairs can no longer be read.")
        at_all = features.own_image_rate()
        evidence: dict[str, Any] = {"own_image": list(at_all), "n": len(features.rows)}
        problem = (
            _shifted(features, at_all)
            or _different_part(predictions, modalities)
            or _lapsing(features.rows, predictions, modalities)
            or _association(features, at_all, predictions, best_contenders)
        )
        return self.finding(problem.severity, SUBJECT, problem.explanation, **evidence | problem.evidence)


def _with_both(pairs: Frame) -> Frame:
    is_there = {"text", "image"} <= set(pairs.columns)
    return pairs.filter(pl.all_horizontal(pl.col("text", "image").is_not_null()) if is_there else pl.lit(False))


def _association(
    features: PairFeatures, at_all: OwnImageRate, predictions: Frame, best_contenders: Mapping[str, str | None]
) -> Problem:
    """Return how text and image are associated: not at all, by the class alone, or beyond the class."""
    evidence: dict[str, Any] = {"p_logits": _p_logits(predictions, best_contenders, is_within_class=False)}
    if 2 * min(at_all.p, evidence["p_logits"]) > LEVEL:
        problem = _only_within_classes(features, at_all) or _no_association(features, at_all)
        return problem._replace(evidence=evidence | problem.evidence)
    within = features.own_image_rate(is_within_class=True)
    p_logits = _p_logits(predictions, best_contenders, is_within_class=True)
    evidence |= {"own_image_in_class": list(within), "p_logits_in_class": p_logits}
    if 2 * min(within.p, p_logits) <= LEVEL:
        return Problem("info", _beyond_class(at_all, within, p_logits), evidence)
    problem = _class_alone(features, within)
    return problem._replace(evidence=evidence | problem.evidence)


def _p_logits(predictions: Frame, best_contenders: Mapping[str, str | None], *, is_within_class: bool) -> float:
    """Return p, by permutation, of the association between the logits of a text and an image contender."""
    text, image = best_contenders["text"], best_contenders["image"]
    rows = prediction_arrays(predictions, [text, image]) if text and image else None
    if rows is None or text is None or image is None or len(rows.ids) < FEW_ROWS // 3:
        return 1.0
    return logit_association_p(rows, text, image, is_within_class=is_within_class)


def _only_within_classes(features: PairFeatures, at_all: OwnImageRate) -> Problem | None:
    """Return how text and image match within each class, if they do so there and not over all rows."""
    rates = features.own_image_rate_by_class()
    name, best = min(rates.items(), key=lambda item: item[1].p, default=("", at_all))
    if best.p * len(rates) > LEVEL or best.low <= at_all.high:
        return None
    explanation = (
        f"Text and image match within each class, but in another way in each. Among rows of {name}, a {OWN} in "
        f"{_percent(best)} of the cases. Over all rows it does in {_percent(at_all)}. So only both together predict "
        "the class. Use a contender that reads them together, and train it for enough epochs."
    )
    return Problem("info", explanation, {"own_image_by_class": {label: list(rate) for label, rate in rates.items()}})


def _no_association(features: PairFeatures, at_all: OwnImageRate) -> Problem:
    measured = f"A {OWN} in {_percent(at_all)} of the cases ({numbers.p_equals(at_all.p)})."
    if not _is_absent(features, at_all):
        explanation = f"It is unknown whether text and image belong together. {measured} {_more_rows(features)}"
        return Problem("info", explanation, {})
    explanation = (
        f"Cheap features show no association of text and image. {measured} Either the pairs are misaligned, or text "
        "and image describe different things by their nature. Look at a dozen pairs before all else."
    )
    return Problem("warn", explanation, {})


def _class_alone(features: PairFeatures, within: OwnImageRate) -> Problem:
    measured = f"A {OWN} of its class in {_percent(within)} of the cases ({numbers.p_equals(within.p)})."
    if not _is_absent(features, within):
        unknown = "Text and image match, but it is unknown whether they match beyond the class."
        return Problem("info", f"{unknown} {measured} {_more_rows(features)}", {})
    explanation = (
        f"Text and image have only the class in common. {measured} Two unrelated sets that were joined on class alone "
        "have this pattern. The gain of a fusion is then the gain of two independent guesses at the class. Look at a "
        "dozen pairs, and join them by an id."
    )
    return Problem("warn", explanation, {"joined_on_class": True})


def _is_absent(features: PairFeatures, rate: OwnImageRate) -> bool:
    """Return whether the pairs are enough to show an association, and *rate* shows none."""
    return len(features.rows) >= ENOUGH and rate.high <= WEAK


def _more_rows(features: PairFeatures) -> str:
    return "This needs more rows." if len(features.rows) >= ENOUGH else f"This needs at least {ENOUGH} pairs."


def _beyond_class(at_all: OwnImageRate, within: OwnImageRate, p_logits: float) -> str:
    together = "Text and image belong together beyond the class."
    rate = f"{OWN} in {_percent(at_all)} of the cases"
    if within.p <= LEVEL / 2:
        return f"{together} A {rate}, and better than another of its class in {_percent(within)}."
    logits = (
        f"Within a class, the logits of a text and an image contender are associated ({numbers.p_equals(p_logits)})."
    )
    return f"{together} {logits} By cheap features, a {rate}."


def _percent(estimate: OwnImageRate | Estimate) -> str:
    return numbers.share_with_interval(estimate[0], estimate.low, estimate.high)


def _shifted(features: PairFeatures, at_all: OwnImageRate) -> Problem | None:
    """Return a problem if texts match the image of a row nearby, and better than their own image."""
    if at_all.p <= LEVEL and at_all.low > WEAK:
        return None
    shifts = {by: shifted for by in SHIFTS if (shifted := features.shifted_image_rate(by)) is not None}
    if not shifts:
        return None
    by, (rate, n_rows) = max(shifts.items(), key=lambda item: item[1][0].rate)
    if rate.p > LEVEL / len(SHIFTS) or rate.low <= at_all.high:
        return None
    place = f"{abs(by)} {'row' if abs(by) == 1 else 'rows'} {'later' if by > 0 else 'earlier'}"
    explanation = (
        f"The images are shifted against the texts. A text matches the image {place} better than another image in "
        f"{_percent(rate)} of the cases, and its own in {_percent(at_all)}. Join them by an id, not by a position."
    )
    return Problem("fail", explanation, {"shifted_by": by, "shifted_image": list(rate), "n_shifted": n_rows})


def _different_part(predictions: Frame, modalities: Modalities) -> Problem | None:
    """Return a problem if the accuracies of a single-entity contender on validation and test rows are far apart."""
    fits = [fit for fit in _accuracies(predictions, modalities) if fit.apart > max(APART, SIGMAS * fit.error)]
    if not fits:
        return None
    worst = max(fits, key=lambda fit: fit.apart)
    bad = "validation" if worst.validation < worst.test else "test"
    where = "" if worst.fit == "test" else f" in the fit to test fold {worst.fit}"
    on_validation, on_test = (numbers.share(each, decimals=1) for each in (worst.validation, worst.test))
    explanation = (
        f"The {worst.modality}s of {bad} rows do not match their labels as other rows do. {worst.contender} is correct "
        f"on {on_validation} of validation rows and on {on_test} of test rows{where}. Check the origin of the {bad} "
        "rows."
    )
    evidence = {name: value for name, value in worst._asdict().items() if name != "error"}
    return Problem("fail", explanation, {"fold": evidence})


class _PartAccuracies(NamedTuple):
    """The accuracy of one fit of a single-entity contender on two parts, and the standard error of the difference."""

    contender: str
    modality: str
    fit: str
    validation: float
    test: float
    error: float

    @property
    def apart(self) -> float:
        return abs(self.validation - self.test)


def _accuracies(predictions: Frame, modalities: Modalities) -> Iterator[_PartAccuracies]:
    """Yield the accuracies of each single-entity contender for each test fold.

    They are compared by fold, because over all fits of a k-fold the validation rows are the test rows.
    """
    names = [(name, modality) for modality in ("text", "image") for name in contenders_reading(modalities, modality)]
    for name, modality in names:
        validation, test = (prediction_arrays(predictions, [name], part) for part in ("validation", "test"))
        for fold in sorted({*validation.folds.tolist()} & {*test.folds.tolist()}):
            parts = (validation.of_fold(fold), test.of_fold(fold))
            (a, m), (b, n) = ((float(rows.is_correct(name).mean()), len(set(rows.groups))) for rows in parts)
            yield _PartAccuracies(name, modality, fold, a, b, (a * (1 - a) / m + b * (1 - b) / n) ** 0.5)


def _lapsing(rows: Frame, predictions: Frame, modalities: Modalities) -> Problem | None:
    """Return a problem if texts have a lapse rate, and images agree with the label where texts lapse."""
    image = least_log_loss(predictions, modalities, "image")
    tested = prediction_arrays(predictions, [image]) if image else None
    if image is None or tested is None or len(tested.ids) < FEW_ROWS // 2:
        return None
    for by_text in text_predictions(rows, predictions, modalities):
        lapses = lapse_rate(by_text.proba, by_text.codes)
        if lapses.rate.low > LEAST_LAPSE_RATE and lapses.rate.high < MOST_LAPSE_RATE:
            support = label_support_of(tested, image, by_text, lapses)
            if support.low > LEAST_SUPPORT:
                return _some_rows(by_text, lapses, support)
    return None


def _some_rows(by_text: TextPredictions, lapses: LapseRate, support: Estimate) -> Problem:
    explanation = (
        f"The texts have a lapse rate of {_percent(lapses.rate)}, by {by_text.name}. On this share of rows a text is "
        "correct only by chance, at any confidence. There the images agree with the label and not with the text, by "
        f"{_percent(support)} of the possible amount. Either some texts belong to other rows, or they describe another "
        "class than their label. Look at the rows of the table."
    )
    wrong = np.flatnonzero(lapses.predicted != by_text.codes)
    surest = wrong[np.argsort(-by_text.proba[wrong].max(1), kind="stable")][:12].tolist()
    table = [{"id": by_text.ids[row], "probability": round(float(by_text.proba[row].max()), 4)} for row in surest]
    measured = {"model": by_text.name, "rate": list(lapses.rate), "label_support": list(support)}
    return Problem("warn", explanation, {"lapse_rate": measured, "table": table})
