"""CP010: two modalities that say the same, or of which one says nothing, so that no fusion can gain.

What a fusion could gain is measured: the bits of information on the class that the best of all fusions at hand (the
sum of the two best single-entity contenders' log probabilities, or a multimodal contender) gives on test rows beyond
the better single one, and by how many points of balanced accuracy it is better.  All are calibrated on validation rows,
so that no difference of calibration passes for knowledge.  The oracle's headroom, the decomposition of the information
and the overlap of errors stand beside it: they describe, and do not decide, for two models whose errors are independent
have no headroom beyond chance and yet much to gain from each other.

Takes .5 s at 730 test rows.
"""

from collections.abc import Mapping
from typing import Any, final

import numpy as np

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.measures import Estimate, error_overlap, oracle_headroom, pid_of
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.information_gain import FEW_ROWS, SUM, bits_by_class, is_label_largest, of_label
from counterpoint.measures.prediction_arrays import PredictionArrays, prediction_arrays, validated_contenders
from counterpoint.metrics.estimate import Floats
from counterpoint.schema import Frame

WORTH_BITS = 0.04
WORTH_POINTS = 0.02
"""Of two classes, telling 4 % more of the rows for sure gives both.  Weak voices give fewer bits for as many points, so
that nothing is to gain only where both intervals end below."""
SUBJECT = "headroom"


@final
class NothingToGain(Check):
    """Look at what the best fusion of test rows knows beyond the better single-entity contender."""

    code = "CP010"
    title = "Nothing to gain"
    cost = Cost("0.5 s")
    needs = ("predictions", "modalities", "best_contenders")

    def run(self, *, predictions: Frame, modalities: Modalities, best_contenders: Mapping[str, str | None]) -> Finding:
        """Return the finding on the fusion and the single-entity contender that are best on validation rows."""
        text, image = best_contenders["text"], best_contenders["image"]
        if text is None or image is None:
            lacking = "The study has no contender that reads the text alone, or none the image alone."
            return self.not_applicable(SUBJECT, lacking)
        names = [text, image, *validated_contenders(predictions, modalities, "text", "image")]
        validation, test = (prediction_arrays(predictions, names, part) for part in ("validation", "test"))
        if min(len(validation.ids), len(test.ids)) < FEW_ROWS or len(np.unique(validation.codes)) < 2:
            return self.not_applicable(SUBJECT, "There are too few validation or test rows, or of one class only.")
        single, fusion, tested = _chosen(validation, test, names)
        alone, both = (of_label(tested[name], test.codes) for name in (single, fusion))
        if test.mean(alone).low <= 0:
            unknown = f"Neither {text} nor {image} is shown to know anything of the class: what both together hold"
            return self.not_applicable(SUBJECT, f"{unknown} stays open.")
        correct, others = (is_label_largest(tested[name], test.codes) for name in (fusion, single))
        gain, points = test.mean(both - alone), test.balanced(correct - others)
        evidence = {"single": single, "fusion": fusion} | _descriptions(test, text, image)
        evidence |= {"gain_bits": list(gain), "worth_bits": WORTH_BITS, "gain_points": list(points)}
        severity, explanation = _explained(single, fusion, gain, points)
        return self.finding(severity, SUBJECT, explanation, **evidence)


def _chosen(
    validation: PredictionArrays, test: PredictionArrays, names: list[str]
) -> tuple[str, str, Mapping[str, Floats]]:
    """Return the best single-entity contender, the best fusion, and the bits of all on test rows."""
    text, image, *both = names
    predictors = {name: (name,) for name in names} | {SUM: (text, image)}
    on_validation, on_test = bits_by_class(validation, test, predictors)
    bits = {name: of_label(values, validation.codes).mean() for name, values in on_validation.items()}
    return max((text, image), key=bits.__getitem__), max((SUM, *both), key=bits.__getitem__), on_test


def _explained(single: str, fusion: str, gain: Estimate, points: Estimate) -> tuple[str, str]:
    """Return the severity and the explanation."""
    measured = f"{gain.value:+.3f} bits a row ({gain.low:+.3f} to {gain.high:+.3f})"
    if gain.high < WORTH_BITS and points.high < WORTH_POINTS:
        return "warn", (
            f"Nothing to gain is in sight: the best fusion ({fusion}) knows {measured} of the class more than {single} "
            f"alone, and its balanced accuracy is {points.value:+.3f} ({points.low:+.3f} to {points.high:+.3f}) "
            "higher. Read one modality, unless a model of another kind finds what none here has found."
        )
    if gain.low > 0:
        return "info", f"There is something to gain: {fusion} knows {measured} of the class more than {single} alone."
    return "info", f"Whether there is something to gain stays open: {fusion} knows {measured} more than {single}."


def _descriptions(test: PredictionArrays, text: str, image: str) -> dict[str, Any]:
    """Return the oracle's headroom, the parts of the information and the overlap of errors of the two."""
    correct = test.is_correct(text), test.is_correct(image)
    headroom = oracle_headroom(*correct, test.codes, groups=test.groups)
    outputs = _output_codes(test.proba[text]), _output_codes(test.proba[image])
    parts = pid_of(*outputs, test.codes, groups=test.groups, draws=30, permutations=20)
    rows = [
        {"information": name, "bits": value, "low": low, "high": high, "by chance": null}
        for name, value, low, high, null in zip(
            parts.value._fields, parts.value, parts.low, parts.high, parts.null, strict=True
        )
    ]
    overlap = error_overlap(*correct, groups=test.groups)
    return {"oracle_headroom": list(headroom), "overlap": overlap, "table": rows}


def _output_codes(proba: Floats) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the output of a model as one of 2 × n_classes codes: its class, and whether it is surer than usual."""
    surest = proba.max(1)
    codes: np.ndarray[Any, np.dtype[np.intp]] = 2 * proba.argmax(1) + (surest > np.median(surest))
    return codes
