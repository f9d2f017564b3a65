"""CP010: two modalities that say the same, or of which one says nothing, so that no fusion can gain.

What a fusion could gain is measured: the bits of information on the class that the best of all fusions at hand (the
sum of the two best single-entity contenders' log probabilities, or a multimodal contender) gives on test rows beyond
the better single one, and by how many points of balanced accuracy it is better.  All are calibrated on validation rows,
so that no difference of calibration passes for knowledge.  The oracle's headroom, the decomposition of the information
and the overlap of errors stand beside it: they describe, and do not decide, for two models whose errors are independent
have no headroom beyond chance and yet much to gain from each other.

Takes .5 s at 730 test rows.
"""

from typing import Any

import numpy as np

from counterpoint.diagnose import Case
from counterpoint.measures import Estimate, error_overlap, oracle_headroom, pid_of
from counterpoint.measures.information_gain import FEW_ROWS, SUM, named, of_own, said_by
from counterpoint.measures.prediction_arrays import Heard, best_of, heard, judged
from counterpoint.metrics.estimate import Floats
from counterpoint.schema import finding

TITLE = "Nothing to gain"
WORTH_BITS = 0.04
WORTH_POINTS = 0.02
"""Of two classes, telling 4 % more of the rows for sure gives both.  Weak voices give fewer bits for as many points, so
that nothing is to gain only where both intervals end below."""


def look(case: Case) -> dict[str, str]:
    """Look at what the best fusion of test rows knows beyond the better single-entity contender."""
    text, image = best_of(case, "text"), best_of(case, "image")
    if text is None or image is None:
        return _not_applicable("The study has no contender that reads the text alone, or none the image alone.")
    names = [text, image, *judged(case, "text", "image")]
    validation, test = heard(case, names, "validation"), heard(case, names)
    if min(len(validation.ids), len(test.ids)) < FEW_ROWS or len(np.unique(validation.codes)) < 2:
        return _not_applicable("There are too few validation or test rows, or of one class only.")
    guessed, tested = said_by(validation, test, {name: (name,) for name in names} | {SUM: (text, image)})
    single = max((text, image), key=lambda name: of_own(guessed[name], validation.codes).mean())
    fusion = max((SUM, *names[2:]), key=lambda name: of_own(guessed[name], validation.codes).mean())
    alone, both = (of_own(tested[name], test.codes) for name in (single, fusion))
    told, gain = test.mean(alone), test.mean(both - alone)
    if told.low <= 0:
        said = f"Neither {text} nor {image} is shown to know anything of the class: what both together hold stays open."
        return _not_applicable(said)
    hits, others = (named(tested[name], test.codes) for name in (fusion, single))
    points = test.balanced(hits - others)
    return _found(gain, points, {"single": single, "fusion": fusion} | _beside(test, text, image))


def _found(gain: Estimate, points: Estimate, evidence: dict[str, Any]) -> dict[str, str]:
    single, fusion = evidence["single"], evidence["fusion"]
    measured = f"{gain.value:+.3f} bits a row ({gain.low:+.3f} to {gain.high:+.3f})"
    evidence |= {"gain_bits": list(gain), "worth_bits": WORTH_BITS, "gain_points": list(points)}
    if gain.high < WORTH_BITS and points.high < WORTH_POINTS:
        said = (
            f"Nothing to gain is in sight: the best fusion ({fusion}) knows {measured} of the class more than {single} "
            f"alone, and its balanced accuracy is {points.value:+.3f} ({points.low:+.3f} to {points.high:+.3f}) "
            "higher. Read one modality, unless a model of another kind finds what none here has found."
        )
        return finding("CP010", "warn", "headroom", said, **evidence)
    if gain.low > 0:
        said = f"There is something to gain: {fusion} knows {measured} of the class more than {single} alone."
        return finding("CP010", "info", "headroom", said, **evidence)
    said = f"Whether there is something to gain stays open: {fusion} knows {measured} more than {single}."
    return finding("CP010", "info", "headroom", said, **evidence)


def _not_applicable(reason: str) -> dict[str, str]:
    return finding("CP010", "not_applicable", "headroom", reason)


def _beside(test: Heard, text: str, image: str) -> dict[str, Any]:
    """Return the oracle's headroom, the parts of the information and the overlap of errors of the two."""
    hits = test.hits(text), test.hits(image)
    headroom = oracle_headroom(*hits, test.codes, groups=test.groups)
    said = _said(test.proba[text]), _said(test.proba[image])
    parts = pid_of(*said, test.codes, groups=test.groups, draws=30, permutations=20)
    rows = [
        {"information": name, "bits": value, "low": low, "high": high, "by chance": null}
        for name, value, low, high, null in zip(
            parts.value._fields, parts.value, parts.low, parts.high, parts.null, strict=True
        )
    ]
    return {"oracle_headroom": list(headroom), "overlap": error_overlap(*hits, groups=test.groups), "table": rows}


def _said(proba: Floats) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return what a model says, as one of 2 × n_classes codes: its class, and whether it is surer than usual."""
    surest = proba.max(1)
    codes: np.ndarray[Any, np.dtype[np.intp]] = 2 * proba.argmax(1) + (surest > np.median(surest))
    return codes
