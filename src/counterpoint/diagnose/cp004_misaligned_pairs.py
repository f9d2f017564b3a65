"""CP004: texts that belong to other images, in all rows, in some, or in one part of a split.

The check looks for these cases in turn:

- **Shift**: a model of texts and images (`measures.own_image_rate`) is fitted on some rows.  On others it does not find
  the own image of a text among all images, but the image of a row nearby.
- **One part differs**: a single-entity contender is far better on validation rows than on test rows, or far worse.
- **Some rows**: the texts have a lapse rate (`lapse_rate`): a share of rows on which the text is correct only by
  chance, at any confidence.  On these rows the images agree with the label (`label_support`).  If the labels were
  wrong, the images would agree with the text.  Off-topic texts leave the same trace, so the finding names both.  Texts
  must be clear where they do not lapse: weak evidence may flatten the curve of a model without a lapse.
- **No association**: the model does not find the own image, among all images or within each class.
- **Class alone**: the model finds images of the class, but not the own image among them.  Nor are the predictions of a
  text and an image contender associated within a class.  Two unrelated sets that were joined on class alone have this
  pattern.

If the model finds the own image only within each class, the pairs are aligned, as in an exclusive or.  Then text and
image together may predict the class where neither does alone.  The test is of the part of the association that differs
by class (`Contrast`).  Its evidence is given in every finding, because no claim that both together carry nothing can
be made where it is not absent.

There are two such models.  One reads cheap features, and needs 800 pairs to show that there is no association.  The
other is the joint space of the encoders that work offline (`measures.joint_map`), where they are installed.  It needs
50 pairs.  An association that either finds is one.

In the joint space each pair has an agreement score (`measures.pair_agreement`).  The least agreeing pairs form the
queue of this finding, whether or not it warns.

Some faults leave no trace.  If text and image are independent given the class, permuted texts look like texts with a
weaker signal.  Permuted images look like images that are hard to read.

Takes 2 s at 1,000 rows, mostly to read images.  Pairs that were not encoded yet are encoded, which takes longer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, final

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.misaligned_rows import Problem, different_part, lapsing_texts
from counterpoint.diagnose.queues import queue_evidence
from counterpoint.encoders.catalogue import INSTALL
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.encoded_pairs import FEW_PAIRS, Encode, EncodedPairs, with_both
from counterpoint.measures.logit_association import logit_association_p
from counterpoint.measures.matched_pairs import FEW_ROWS, MatchedPairs, cheaply_matched, jointly_matched
from counterpoint.measures.own_image_rate import OwnImageRate
from counterpoint.measures.pair_agreement import least_agreeing
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.schema import Frame

LEVEL = 0.01
"""At a higher p by permutation, the association is not shown."""
CHANCE, WEAK = 0.5, 0.54
"""The rate by chance, and the rate above which an interval is no sign of a shift."""
ENOUGH = 800
"""From fewer pairs, no model shows that text and image have only the class in common."""
SHIFTS = (1, -1, 2, -2)
SUBJECT = "pairs"
ADVICE = (
    "The queue has the fifth of the pairs whose text and image agree least, the least first. Look at them, and leave "
    "out those that do not belong together with exclude: [id]."
)
OWN = "text matches its own image better than another image"


@final
class MisalignedPairs(Check):
    """Look for texts that belong to other images, in all rows, in some rows, or in one part of a split."""

    code = "CP004"
    title = "Misaligned pairs"
    cost = Cost(
        "2 s, and longer where pairs are first encoded",
        "Encode all pairs, where more than 10,000 have a text and an image.",
    )
    needs = (
        "pairs", "predictions", "modalities", "best_contenders", "fit_of", "encode", "encoded_pairs", "agreement",
    )  # fmt: skip

    def run(
        self,
        *,
        pairs: Frame,
        predictions: Frame,
        modalities: Modalities,
        best_contenders: Mapping[str, str | None],
        fit_of: FitOf,
        encode: Encode | None,
        encoded_pairs: EncodedPairs | None,
        agreement: Frame,
    ) -> Finding:
        """Return the first problem that is found, or else how text and image are associated."""
        whole, image = with_both(pairs), best_contenders["image"]
        least = FEW_PAIRS if encode else FEW_ROWS
        if len(whole) < least or whole["label"].n_unique() < 2:
            needed = f"The check needs {least} pairs that have a text and an image, of two classes."
            return self.not_applicable(SUBJECT, f"{needed} It got {numbers.count(len(whole))}.{_fewer(encode)}")
        found = (
            jointly_matched(encoded_pairs) if encoded_pairs else None,
            cheaply_matched(whole, fit_of(image) if image else None),
        )
        models = [each for each in found if each is not None]
        if not models:
            return self.not_applicable(SUBJECT, "The images of the pairs can no longer be read.")
        problem = (
            _shifted(models)
            or different_part(predictions, modalities)
            or lapsing_texts(models[-1].rows, predictions, modalities)
            or _association(models, predictions, best_contenders, _fewer(encode))
        )
        rates = {each.name: list(each.at_all) for each in models}
        evidence = {"own_image": rates, "n": len(models[-1].rows)} | _contrasts(models) | problem.evidence
        queue = queue_evidence(least_agreeing(agreement), "standing") if len(agreement) else {}
        explanation = f"{problem.explanation}{f' {ADVICE}' if queue else ''}"
        return self.finding(problem.severity, SUBJECT, explanation, **queue | evidence)


def _fewer(encode: Encode | None) -> str:
    """Return how the check applies to fewer pairs, where the encoders are not installed."""
    return "" if encode else f" With `{INSTALL}`, {FEW_PAIRS} pairs are enough."


def _association(
    models: Sequence[MatchedPairs], predictions: Frame, best_contenders: Mapping[str, str | None], fewer: str
) -> Problem:
    """Return how text and image are associated: not at all, by the class alone, or beyond the class."""
    best = max(models, key=lambda each: each.at_all.low)
    evidence: dict[str, Any] = {"p_logits": _p_logits(predictions, best_contenders, is_within_class=False)}
    if not _is_shown([each.at_all.p for each in models], evidence["p_logits"]):
        problem = _only_within_classes(models) or _no_association(models, fewer)
        return problem._replace(evidence=evidence | problem.evidence)
    within = max((each.in_class for each in models), key=lambda rate: rate.low)
    p_logits = _p_logits(predictions, best_contenders, is_within_class=True)
    evidence |= {"own_image_in_class": {each.name: list(each.in_class) for each in models}}
    evidence |= {"p_logits_in_class": p_logits}
    if _is_shown([each.in_class.p for each in models], p_logits):
        return Problem("info", _beyond_class(best, within, p_logits), evidence | {"association": "beyond the class"})
    problem = _only_within_classes(models) or _class_alone(models, within)
    return problem._replace(evidence=evidence | problem.evidence)


def _is_shown(by_permutation: Sequence[float], p_logits: float) -> bool:
    """Return whether the smallest p shows an association, corrected for the number of tests (Bonferroni)."""
    each = [*by_permutation, p_logits]
    return len(each) * min(each) <= LEVEL


def _p_logits(predictions: Frame, best_contenders: Mapping[str, str | None], *, is_within_class: bool) -> float:
    """Return p, by permutation, of the association between the logits of a text and an image contender."""
    text, image = best_contenders["text"], best_contenders["image"]
    rows = prediction_arrays(predictions, [text, image]) if text and image else None
    if rows is None or text is None or image is None or len(rows.ids) < FEW_ROWS // 3:
        return 1.0
    return logit_association_p(rows, text, image, is_within_class=is_within_class)


def _contrasts(models: Sequence[MatchedPairs]) -> dict[str, Any]:
    """Return the evidence on the part of the association that differs by class, and whether it is shown or absent.

    "unknown" is neither: the rows do not exclude that only text and image together tell the class.
    """
    is_shown = any(_is_contrast_shown(each, len(models)) for each in models)
    is_absent = any(each.is_absent(each.contrast) for each in models)
    found = "shown" if is_shown else "absent" if is_absent else "unknown"
    return {"own_image_by_contrast": {each.name: list(each.contrast) for each in models}, "contrast": found}


def _is_contrast_shown(model: MatchedPairs, n_models: int) -> bool:
    # Half of the level: its folds share rows, and on 130 draws without a contrast 4 had p of .01 or less.
    return model.contrast.p * n_models <= LEVEL / 2 and model.contrast.low > CHANCE


def _only_within_classes(models: Sequence[MatchedPairs]) -> Problem | None:
    """Return how text and image match in another way in each class, if they do."""
    for each in models:
        if not _is_contrast_shown(each, len(models)):
            continue
        explanation = (
            "Text and image match within each class, but in another way in each. By the part of their association that "
            f"differs by class, a {OWN} in {_percent(each.contrast)} of the cases. By the part that all classes share, "
            f"it does in {_percent(each.at_all)}. So both together may predict the class where neither does alone. Use "
            "a contender that reads them together, and train it for enough epochs."
        )
        by_class = {label: list(rate) for label, rate in each.by_class().items()}
        return Problem("info", explanation, {"own_image_by_class": by_class, "association": "within each class"})
    return None


def _no_association(models: Sequence[MatchedPairs], fewer: str) -> Problem:
    judge = next((each for each in models if each.is_absent(each.at_all)), None)
    if judge is None:
        measured = _measured(models[0].at_all)
        unknown = f"It is unknown whether text and image belong together. {measured}"
        return Problem("info", f"{unknown} {_more_rows(models[0], fewer)}", {"association": "unknown"})
    explanation = (
        f"{judge.name} show no association of text and image. {_measured(judge.at_all)} Either the pairs are "
        "misaligned, or the texts are off-topic, or text and image describe different things by their nature. Look at "
        "a dozen pairs before all else."
    )
    return Problem("warn", explanation, {"association": "none"})


def _measured(rate: OwnImageRate, among: str = "") -> str:
    return f"A {OWN}{among} in {_percent(rate)} of the cases ({numbers.p_equals(rate.p)})."


def _class_alone(models: Sequence[MatchedPairs], within: OwnImageRate) -> Problem:
    measured, n = _measured(within, " of its class"), len(models[-1].rows)
    if n < ENOUGH or any(each.in_class.high > each.weak for each in models):
        unknown = f"Text and image match, but it is unknown whether they match beyond the class. {measured}"
        needed = "This needs more rows." if n >= ENOUGH else f"This needs at least {ENOUGH} pairs."
        return Problem("info", f"{unknown} {needed}", {"association": "at all"})
    explanation = (
        f"Text and image have only the class in common. {measured} Two unrelated sets that were joined on class alone "
        "have this pattern. So have right pairs whose text and image show the class independently. The gain of a "
        "fusion is then the gain of two independent guesses at the class. Look at a dozen pairs. If they do not belong "
        "together, join them by an id."
    )
    return Problem("warn", explanation, {"association": "of the class alone", "joined_on_class": True})


def _more_rows(model: MatchedPairs, fewer: str) -> str:
    is_enough = len(model.rows) >= model.enough
    return "This needs more rows." if is_enough else f"This needs at least {model.enough} pairs.{fewer}"


def _beyond_class(best: MatchedPairs, within: OwnImageRate, p_logits: float) -> str:
    together = "Text and image belong together beyond the class."
    rate = f"{OWN} in {_percent(best.at_all)} of the cases"
    if within.p <= p_logits:
        return f"{together} A {rate}, and better than another of its class in {_percent(within)}."
    logits = (
        f"Within a class, the logits of a text and an image contender are associated ({numbers.p_equals(p_logits)})."
    )
    return f"{together} {logits} By {best.name.lower()}, a {rate}."


def _percent(rate: OwnImageRate) -> str:
    return numbers.share_with_interval(rate.rate, rate.low, rate.high)


def _shifted(models: Sequence[MatchedPairs]) -> Problem | None:
    """Return a problem if texts match the image of a row nearby, and better than their own image."""
    if any(each.at_all.p <= LEVEL and each.at_all.low > WEAK for each in models):
        return None
    for model in models:
        shifts = {by: shifted for by in SHIFTS if (shifted := model.shifted(by)) is not None}
        if not shifts:
            continue
        by, (rate, n_rows) = max(shifts.items(), key=lambda item: item[1][0].rate)
        if rate.p <= LEVEL / len(SHIFTS) and rate.low > model.at_all.high:
            return _shift(by, rate, n_rows, model.at_all)
    return None


def _shift(by: int, rate: OwnImageRate, n_rows: int, at_all: OwnImageRate) -> Problem:
    place = f"{abs(by)} {'row' if abs(by) == 1 else 'rows'} {'later' if by > 0 else 'earlier'}"
    explanation = (
        f"The images are shifted against the texts. A text matches the image {place} better than another image in "
        f"{_percent(rate)} of the cases, and its own in {_percent(at_all)}. Join them by an id, not by a position."
    )
    return Problem("fail", explanation, {"shifted_by": by, "shifted_image": list(rate), "n_shifted": n_rows})
