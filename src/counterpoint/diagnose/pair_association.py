"""How text and image are associated: not at all, by the class alone, or beyond the class.  A part of CP004."""

from collections.abc import Mapping, Sequence
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.diagnose.misaligned_rows import Problem
from counterpoint.measures.matched_pairs import MatchedPairs
from counterpoint.measures.own_image_rate import OwnImageRate
from counterpoint.measures.single_predictions import ByItself, SinglePredictions

LEVEL = 0.01
"""At a higher p by permutation, the association is not shown."""
CHANCE = 0.5
"""The rate by chance."""
ENOUGH = 800
"""From fewer pairs, no model shows that text and image have only the class in common."""
WEAK_BITS = 0.1
"""Where text and image both give fewer bits about the class than this, they may share the class without a visible
association."""
OWN = "text matches its own image better than another image"
MAY_BE_JOINED = "If each text should describe its own image, look at a dozen pairs, and join them by an id."


def association(models: Sequence[MatchedPairs], predicted: SinglePredictions, fewer: str) -> Problem:
    """Return how text and image are associated: not at all, by the class alone, or beyond the class.

    Parameters
    ----------
    models
        *models* match texts with images.  An association that one of them finds is one.
    predicted
        *predicted* are the predictions of a text and an image contender.
    fewer
        *fewer* is how the check applies to fewer pairs, to end a sentence on too few.
    """
    best = max(models, key=lambda each: each.at_all.low)
    evidence: dict[str, Any] = {"p_logits": predicted.p_logits(is_within_class=False)}
    if not _is_shown([each.at_all.p for each in models], evidence["p_logits"]):
        problem = _only_within_classes(models) or _no_association(models, predicted.by_itself(), fewer)
        return problem._replace(evidence=evidence | problem.evidence)
    within = max((each.in_class for each in models), key=lambda rate: rate.low)
    p_logits = predicted.p_logits(is_within_class=True)
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


def contrasts(models: Sequence[MatchedPairs]) -> dict[str, Any]:
    """Return the evidence on the part of the association that differs by class, and whether it is shown or absent.

    "unknown" is neither: the rows do not exclude that only text and image together tell the class.
    """
    is_shown = any(_is_contrast_shown(each, len(models)) for each in models)
    is_absent = any(each.is_absent(each.contrast) for each in models)
    found = "shown" if is_shown else "absent" if is_absent else "unknown"
    return {"own_image_by_contrast": {each.name: list(each.contrast) for each in models}, "contrast": found}


def _is_contrast_shown(model: MatchedPairs, n_models: int) -> bool:
    return model.contrast.p * n_models <= LEVEL and model.contrast.low > CHANCE


def _only_within_classes(models: Sequence[MatchedPairs]) -> Problem | None:
    """Return how text and image match in another way in each class, if they do."""
    for each in models:
        if not _is_contrast_shown(each, len(models)):
            continue
        explanation = (
            "Text and image match within each class, but in another way in each. By the part of their association that "
            f"differs by class, a {OWN} in {percent(each.contrast)} of the cases. By the part that all classes share, "
            f"it does in {percent(each.at_all)}. So both together may predict the class where neither does alone. Use "
            "a contender that reads them together, and train it for enough epochs."
        )
        by_class = {label: list(rate) for label, rate in each.by_class().items()}
        return Problem("info", explanation, {"own_image_by_class": by_class, "association": "within each class"})
    return None


def _no_association(models: Sequence[MatchedPairs], by_itself: Mapping[str, ByItself], fewer: str) -> Problem:
    """Return that there is no association, or that it is unknown.

    Parameters
    ----------
    models
        *models* match texts with images.
    by_itself
        *by_itself* is what text and image predict about the class, each by itself.
    fewer
        *fewer* is how the check applies to fewer pairs.
    """
    judge = next((each for each in models if each.is_absent(each.at_all)), None)
    if judge is None:
        measured = _measured(models[0].at_all)
        unknown = f"It is unknown whether text and image belong together. {measured}"
        return Problem("info", f"{unknown} {_more_rows(models[0], fewer)}", {"association": "unknown"})
    none = f"{judge.name} show no association of text and image. {_measured(judge.at_all)}"
    bits = {"bits": {name: list(each.bits) for name, each in by_itself.items()}}
    if by_itself and all(each.is_shown for each in by_itself.values()):
        explanation = (
            f"{none} But each of them predicts the class of its row by itself, which texts of other rows would not. So "
            f"they are two independent signs of the class, and nothing shows that the pairs are wrong. {MAY_BE_JOINED}"
        )
        return Problem("info", explanation, bits | {"association": "none"})
    if by_itself and all(each.bits.high < WEAK_BITS and not each.is_absent for each in by_itself.values()):
        weak = "Each of them gives little evidence of the class, or none, so it is unknown whether they belong together"
        return Problem("info", f"{none} {weak}. {MAY_BE_JOINED}", bits | {"association": "unknown"})
    explanation = (
        f"{none} Either the pairs are misaligned, or the texts are off-topic, or text and image describe different "
        "things by their nature. Look at a dozen pairs before all else."
    )
    return Problem("warn", explanation, bits | {"association": "none"})


def _measured(rate: OwnImageRate, among: str = "") -> str:
    return f"A {OWN}{among} in {percent(rate)} of the cases ({numbers.p_equals(rate.p)})."


def _class_alone(models: Sequence[MatchedPairs], within: OwnImageRate) -> Problem:
    measured, n = _measured(within, " of its class"), len(models[-1].rows)
    if n < ENOUGH or any(each.in_class.high > each.weak for each in models):
        unknown = f"Text and image match, but it is unknown whether they match beyond the class. {measured}"
        needed = "This needs more rows." if n >= ENOUGH else f"This needs at least {ENOUGH} pairs."
        return Problem("info", f"{unknown} {needed}", {"association": "at all"})
    explanation = (
        f"Nothing beyond the class links text and image. {measured} Two signs that are independent given the class "
        "have this pattern. So have two unrelated sets that were joined on class alone, and these rows cannot tell the "
        f"two apart. The gain of a fusion is the gain of two independent guesses at the class. {MAY_BE_JOINED}"
    )
    return Problem("info", explanation, {"association": "of the class alone"})


def _more_rows(model: MatchedPairs, fewer: str) -> str:
    is_enough = len(model.rows) >= model.enough
    return "This needs more rows." if is_enough else f"This needs at least {model.enough} pairs.{fewer}"


def _beyond_class(best: MatchedPairs, within: OwnImageRate, p_logits: float) -> str:
    together = "Text and image belong together beyond the class."
    rate = f"{OWN} in {percent(best.at_all)} of the cases"
    if within.p <= p_logits:
        return f"{together} A {rate}, and better than another of its class in {percent(within)}."
    logits = (
        f"Within a class, the logits of a text and an image contender are associated ({numbers.p_equals(p_logits)})."
    )
    return f"{together} {logits} By {best.name.lower()}, a {rate}."


def percent(rate: OwnImageRate) -> str:
    """Return a *rate* with its interval, in percent.

    >>> percent(OwnImageRate(0.75, 0.72, 0.78, 0.002))
    '75.0% (72.0% to 78.0%)'
    """
    return numbers.share_with_interval(rate.rate, rate.low, rate.high)
