"""CP004: texts that belong to other images, in all rows, in some, or in one fold; and sets joined on class alone.

What can be seen, and from what:

- **No association**: a model of cheap features of both (`own_image_rate`), fitted on some rows, does not find the own
  image of others among images.  Where it then finds the image of a later or earlier row, the images are shifted.
- **In each class another way**: it finds none over all rows, but does where it is fitted and asked within a class: they
  belong together, and only the two together tell the class, as in an exclusive or.
- **Class alone**: it finds images of the class, and not the own one among them; nor do what text and image contenders
  say go together within a class.  So it is where two unrelated sets were joined on their classes.
- **One fold differs**: a single-entity contender is far better on validation rows than on test rows, or far worse.
- **Some rows**: texts have a lapse rate, however sure one is of a text, one is right no oftener (`lapse_rate`), and
  where they lapse the images go with the label (`label_support`): where labels are wrong they go with the text.  A text
  whose evidence is graded has no such rate, as far as the rows can tell.  Of pairs that are independent given the class
  nothing more can be said: dealing a share of the texts anew makes exactly what a text that tells less would make.  A
  share of *images* dealt anew is not told from images that are hard to read.

Takes 2 s at 1,000 rows, of which most is reading images.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.lapse_rate import LapseRate, lapse_rate
from counterpoint.measures.logit_association import logit_association_p
from counterpoint.measures.pair_features import FEW_ROWS, PairFeatures, pair_features
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.measures.text_image_association import OwnImageRate
from counterpoint.measures.text_readings import TextReading, label_support_of, least_log_loss, text_readings
from counterpoint.schema import Frame

LEVEL = 0.01
"""A permutation that does as well as often as this leaves the association open."""
WEAK = 0.54
"""Whoever prefers the own image this seldom is said to know nothing of it; aligned captions of photos reach .6."""
ENOUGH = 800
"""Of fewer pairs a model of cheap features learns too little for what it does not find to be absent."""
LAPSED, BLIND = 0.12, 0.95
"""So large must the lapse rate of texts be at least; beyond is no reading."""
SUPPORTED = 0.6
"""So far must images go with the label, and not with what the text names, where texts lapse."""
APART, SIGMAS = 0.15, 4.0
"""A fold differs when the accuracy on it does by this much and this many standard errors."""
SHIFTS = (1, -1, 2, -2)
SUBJECT = "pairs"


class Problem(NamedTuple):
    """A severity, its explanation, and the evidence for it."""

    severity: str
    explanation: str
    evidence: dict[str, Any]


@final
class MisalignedPairs(Check):
    """Look for what binds text and image beyond chance, beyond the class, in every fold, in every row."""

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
        """Return the first problem that is seen; without one, how text and image belong together."""
        whole = _with_both(pairs)
        if len(whole) < FEW_ROWS or whole["label"].n_unique() < 2:
            few = f"Of {len(whole)} pairs with both sides, fewer than {FEW_ROWS} or of one class, too little can be"
            return self.not_applicable(SUBJECT, f"{few} said.")
        image = best_contenders["image"]
        features = pair_features(whole, fit_of(image) if image else None)
        if features is None:
            return self.not_applicable(SUBJECT, "The images of the pairs cannot be read any more.")
        at_all = features.own_image_rate()
        evidence: dict[str, Any] = {"own_image": list(at_all), "n": len(features.rows)}
        problem = (
            _shifted(features, at_all)
            or _fold(predictions, modalities)
            or _lapsed(features.rows, predictions, modalities)
            or _association(features, at_all, predictions, best_contenders)
        )
        return self.finding(problem.severity, SUBJECT, problem.explanation, **evidence | problem.evidence)


def _with_both(pairs: Frame) -> Frame:
    is_there = {"text", "image"} <= set(pairs.columns)
    return pairs.filter(pl.all_horizontal(pl.col("text", "image").is_not_null()) if is_there else pl.lit(False))


def _association(
    features: PairFeatures, at_all: OwnImageRate, predictions: Frame, best_contenders: Mapping[str, str | None]
) -> Problem:
    """Return how text and image belong together: not at all, by the class alone, or beyond the class."""
    evidence: dict[str, Any] = {"p_logits": _p_logits(predictions, best_contenders, is_within_class=False)}
    if 2 * min(at_all.p, evidence["p_logits"]) > LEVEL:
        found = _bound_by_class(features, at_all) or _unbound(features, at_all)
        return found._replace(evidence=evidence | found.evidence)
    within = features.own_image_rate(is_within_class=True)
    p_logits = _p_logits(predictions, best_contenders, is_within_class=True)
    evidence |= {"own_image_in_class": list(within), "p_logits_in_class": p_logits}
    if 2 * min(within.p, p_logits) <= LEVEL:
        return Problem("info", _bound(at_all, within, p_logits), evidence)
    found = _class_alone(features, within)
    return found._replace(evidence=evidence | found.evidence)


def _p_logits(predictions: Frame, best_contenders: Mapping[str, str | None], *, is_within_class: bool) -> float:
    """Return how often images permuted, or within a class, let what two contenders predict go together as much."""
    text, image = best_contenders["text"], best_contenders["image"]
    rows = prediction_arrays(predictions, [text, image]) if text and image else None
    if rows is None or text is None or image is None or len(rows.ids) < FEW_ROWS // 3:
        return 1.0
    return logit_association_p(rows, text, image, is_within_class=is_within_class)


def _bound_by_class(features: PairFeatures, at_all: OwnImageRate) -> Problem | None:
    """Say when text and image go together within a class, though not over all."""
    found = features.own_image_rate_by_class()
    name, best = min(found.items(), key=lambda item: item[1].p, default=("", at_all))
    if best.p * len(found) > LEVEL or best.low <= at_all.high:
        return None
    explanation = (
        f"Text and image go together in each class in another way: among rows of {name} a text prefers its own image "
        f"in {_share(best)} of the cases, over all rows in {_share(at_all)}. Only both together tell the class so: a "
        "contender must read them together, and be trained for long enough to find it."
    )
    return Problem("info", explanation, {"bound_by_class": {label: list(each) for label, each in found.items()}})


def _unbound(features: PairFeatures, at_all: OwnImageRate) -> Problem:
    measured = f"a text prefers its own image to another's in {_share(at_all)} of the cases, p = {at_all.p:.3f}"
    if not _is_absent(features, at_all):
        explanation = f"Whether text and image belong together stays open: {measured}; {_more_rows(features)}."
        return Problem("info", explanation, {})
    explanation = (
        f"Text and image have nothing in common that cheap features show: {measured}. Either the pairs are misaligned, "
        "or one side says nothing of the other by its nature: look at a dozen pairs before anything else."
    )
    return Problem("warn", explanation, {})


def _class_alone(features: PairFeatures, within: OwnImageRate) -> Problem:
    measured = f"among images of its class a text prefers its own in {_share(within)} of the cases, p = {within.p:.3f}"
    if not _is_absent(features, within):
        together = "Text and image go together; whether beyond the class stays open"
        return Problem("info", f"{together}: {measured}; {_more_rows(features)}.", {})
    explanation = (
        f"Text and image have the class in common and nothing else that is seen: {measured}. So it is where two "
        "unrelated sets were joined on class alone; what a fusion gains there, it gains from two guesses at the class, "
        "and not from pairs. Look at a dozen pairs."
    )
    return Problem("warn", explanation, {"joined_on_class": True})


def _is_absent(features: PairFeatures, found: OwnImageRate) -> bool:
    """Say whether what was not found is not there: found it would be, of so many pairs, were it worth the name."""
    return len(features.rows) >= ENOUGH and found.high <= WEAK


def _more_rows(features: PairFeatures) -> str:
    return "more rows would tell" if len(features.rows) >= ENOUGH else f"at least {ENOUGH} pairs are needed to tell"


def _bound(at_all: OwnImageRate, within: OwnImageRate, p_logits: float) -> str:
    found = f"a text prefers its own image to another's in {_share(at_all)} of the cases"
    if within.p <= LEVEL / 2:
        return (
            f"Text and image belong together beyond the class: {found}, to another's of its class in {_share(within)}."
        )
    together = f"what a text and an image contender say goes together within a class (p = {p_logits:.3f})"
    return f"Text and image belong together beyond the class: {together}; by cheap features, {found}."


def _share(found: OwnImageRate | Estimate) -> str:
    return f"{found[0]:.1%} ({found.low:.1%} to {found.high:.1%})"


def _shifted(features: PairFeatures, at_all: OwnImageRate) -> Problem | None:
    """Say when texts find the image of a row a few places on, and better than their own."""
    if at_all.p <= LEVEL and at_all.low > WEAK:
        return None
    shifts = {by: rate for by in SHIFTS if (rate := features.shifted_image_rate(by)) is not None}
    if not shifts:
        return None
    by, (found, n_rows) = max(shifts.items(), key=lambda item: item[1][0].rate)
    if found.p > LEVEL / len(SHIFTS) or found.low <= at_all.high:
        return None
    explanation = (
        f"Images are shifted by {by} against texts: a text finds the image of the row {by:+d} on in "
        f"{_share(found)} of the cases, its own in {_share(at_all)}. Join them by an id, not by their place."
    )
    return Problem("fail", explanation, {"shifted_by": by, "shifted_image": list(found), "n_shifted": n_rows})


def _fold(predictions: Frame, modalities: Modalities) -> Problem | None:
    """Say when a fit of a single-entity contender is far better on validation rows than on test rows, or far worse."""
    worst: tuple[float, dict[str, Any]] = (0.0, {})
    for modality in ("text", "image"):
        for name in contenders_reading(modalities, modality):
            for fold, a, b, error in _by_fit(predictions, name):
                if abs(a - b) > max(APART, SIGMAS * error, worst[0]):
                    found = {"contender": name, "modality": modality, "fit": fold, "validation": a, "test": b}
                    worst = abs(a - b), found
    if not worst[1]:
        return None
    name, modality, fold, a, b = worst[1].values()
    bad = "validation" if a < b else "test"
    where = "" if fold == "test" else f" of the fit to test fold {fold}"
    explanation = (
        f"The {modality}s of {bad} rows{where} do not go with their labels as those of other rows do: {name} is right "
        f"on {a:.1%} of validation rows and on {b:.1%} of test rows. See how the {bad} part was put together."
    )
    return Problem("fail", explanation, {"fold": worst[1]})


def _by_fit(predictions: Frame, name: str) -> Iterator[tuple[str, float, float, float]]:
    """Yield of each test fold how often *name* is right on validation rows and on test rows, and the standard error.

    Fold by fold: over all fits of a k-fold the validation rows are the test rows.
    """
    validation, test = (prediction_arrays(predictions, [name], part) for part in ("validation", "test"))
    for fold in sorted({*validation.folds.tolist()} & {*test.folds.tolist()}):
        parts = (validation.of_fold(fold), test.of_fold(fold))
        (a, m), (b, n) = ((float(rows.is_correct(name).mean()), len(set(rows.groups))) for rows in parts)
        yield fold, a, b, (a * (1 - a) / m + b * (1 - b) / n) ** 0.5


def _lapsed(rows: Frame, predictions: Frame, modalities: Modalities) -> Problem | None:
    """Say when texts have a lapse rate, and images go with the labels where texts lapse."""
    image = least_log_loss(predictions, modalities, "image")
    tested = prediction_arrays(predictions, [image]) if image else None
    if image is None or tested is None or len(tested.ids) < FEW_ROWS // 2:
        return None
    for reading in text_readings(rows, predictions, modalities):
        found = lapse_rate(reading.proba, reading.codes)
        if found.rate.low > LAPSED and found.rate.high < BLIND:
            support = label_support_of(tested, image, reading, found)
            if support.low > SUPPORTED:
                return _some_rows(reading, found, support)
    return None


def _some_rows(reading: TextReading, found: LapseRate, support: Estimate) -> Problem:
    explanation = (
        f"However surely a text names the class, it is as often wrong as if {_share(found.rate)} of the texts belonged "
        f"to other rows (lapse rate of {reading.name}); and there the images go with the label and not with the text, "
        f"{_share(support)} of the way. Either texts were mixed up in part, or by their nature they name another class "
        "than their label: look at the rows."
    )
    wrong = np.flatnonzero(found.predicted != reading.codes)
    surest = wrong[np.argsort(-reading.proba[wrong].max(1), kind="stable")][:12].tolist()
    table = [{"id": reading.ids[row], "probability": round(float(reading.proba[row].max()), 4)} for row in surest]
    measured = {"model": reading.name, "rate": list(found.rate), "label_support": list(support)}
    return Problem("warn", explanation, {"lapse_rate": measured, "table": table})
