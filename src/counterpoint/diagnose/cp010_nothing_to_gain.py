"""CP010: both modalities have the same information, or one has none, so that no fusion can gain.

The check measures the information gain of the best fusion over the better single-entity contender on test rows, in bits
a row.  Each is chosen in each fold, on its validation rows.  The difference in balanced accuracy is measured too.  The
fusions are the multimodal contenders, and the sum of the log probabilities of the best text and the best image
contender.  All are calibrated on validation rows, so that no difference in calibration counts as information.

A claim about a modality is one about its best reader.  Where no pretrained model has read a modality, the finding
states so.

The oracle headroom, the information decomposition and the error overlap are reported and do not decide.  Two models
with independent errors have no headroom beyond chance, but may gain much from each other.

Takes 0.5 s at 730 test rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

import numpy as np

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.untried_readers import untried_readers
from counterpoint.measures import Estimate, error_overlap, oracle_headroom, pid_of
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.information_gain import FEW_ROWS, SUM, Calibrated, calibrated_by_fold, of_label
from counterpoint.measures.prediction_arrays import Codes, PredictionArrays, prediction_arrays, validated_contenders
from counterpoint.schema import Frame

WORTH_BITS = 0.04
WORTH_POINTS = 0.02
"""With two classes, 4 % more rows predicted with certainty give both.  Weak contenders give fewer bits for the same
points.  So the check warns only if both intervals end below."""
SUBJECT = "headroom"


@final
class NothingToGain(Check):
    """Look at the information gain of the best fusion over the better single-entity contender on test rows."""

    code = "CP010"
    title = "Nothing to gain"
    advice = "Try a pretrained reader of each modality. If it finds no more, read one modality alone."
    cost = Cost("0.5 s")
    needs = ("reader_predictions", "modalities", "best_contenders", "pretrained")

    def run(
        self,
        *,
        reader_predictions: Frame,
        modalities: Modalities,
        best_contenders: Mapping[str, str | None],
        pretrained: frozenset[str],
    ) -> Finding:
        """Return the finding on the fusion and the single-entity contender that are best on validation rows."""
        text, image = best_contenders["text"], best_contenders["image"]
        if text is None or image is None:
            lacking = "The study lacks a contender that reads the text alone, or one that reads the image alone."
            return self.not_applicable(SUBJECT, lacking)
        names = [text, image, *validated_contenders(reader_predictions, modalities, "text", "image")]
        validation, test = (prediction_arrays(reader_predictions, names, part) for part in ("validation", "test"))
        if min(len(validation.ids), len(test.ids)) < FEW_ROWS or len(np.unique(validation.codes)) < 2:
            return self.not_applicable(SUBJECT, "There are too few validation or test rows, or all are of one class.")
        single, fusion = _chosen(validation, test, names)
        alone, both = (each.bits_of(test.codes) for each in (single.tested, fusion.tested))
        if test.mean(alone).low <= 0:
            unknown = f"Neither {text} nor {image} has clear information about the class."
            return self.not_applicable(SUBJECT, f"{unknown} The gain from reading both stays open.")
        correct, others = (each.is_correct(test.codes) for each in (fusion.tested, single.tested))
        gain, points = test.mean(both - alone), test.balanced(correct - others)
        evidence = {"single": single.name, "fusion": fusion.name} | _descriptions(test, text, image)
        evidence |= {"gain_bits": list(gain), "worth_bits": WORTH_BITS, "gain_points": list(points)}
        severity, explanation = _explained(
            single.name, fusion.name, gain, points, untried_readers(modalities, pretrained)
        )
        return self.finding(severity, SUBJECT, explanation, **evidence)


class Chosen(NamedTuple):
    """The choice of each fold: the most frequent name, and the calibrated predictions of the test rows."""

    name: str
    tested: Calibrated


def _chosen(validation: PredictionArrays, test: PredictionArrays, names: list[str]) -> tuple[Chosen, Chosen]:
    """Return the best single-entity contender and the best fusion."""
    text, image, *both = names
    predictors = {name: (name,) for name in names} | {SUM: (text, image)}
    on_validation, on_test = calibrated_by_fold(validation, test, predictors)
    bits = {name: each.bits_of(validation.codes) for name, each in on_validation.items()}
    by_fold = {
        fold: {name: of_row[validation.folds == fold].sum() for name, of_row in bits.items()}
        for fold in np.unique(test.folds)
    }
    return _best((text, image), by_fold, on_test, test), _best((SUM, *both), by_fold, on_test, test)


def _best(
    candidates: Sequence[str],
    bits: Mapping[str, Mapping[str, float]],
    on_test: Mapping[str, Calibrated],
    test: PredictionArrays,
) -> Chosen:
    """Return the candidates that have the most *bits* on the validation rows of each fold."""
    best = {fold: max(candidates, key=of_fold.__getitem__) for fold, of_fold in bits.items()}
    choice = np.array([candidates.index(best[fold]) for fold in test.folds])
    rows = np.arange(len(choice))
    tested = Calibrated(
        np.stack([on_test[name].bits for name in candidates])[choice, rows],
        np.stack([on_test[name].predicted for name in candidates])[choice, rows],
    )
    return Chosen(Counter(best.values()).most_common(1)[0][0], tested)


def _explained(single: str, fusion: str, gain: Estimate, points: Estimate, untried: str | None) -> tuple[str, str]:
    """Return the severity and the explanation."""
    measured = (
        f"The best fusion ({fusion}) adds {numbers.signed_with_interval(*gain)} bits of information about the class "
        f"per row to {single} alone."
    )
    if gain.high < WORTH_BITS and points.high < WORTH_POINTS:
        shown = "only a small gain" if gain.low > 0 or points.low > 0 else "no gain"
        return "warn", (
            f"These rows show {shown} from reading both modalities. {measured} "
            f"Its balanced accuracy differs by {numbers.signed_with_interval(*points)}. "
            f"Read one modality, unless a model of another kind finds a gain.{f' {untried}' if untried else ''}"
        )
    if gain.low > 0:
        return "info", f"A fusion gains from reading both modalities. {measured}"
    return "info", f"The gain from reading both modalities is not clear. {measured}"


def _descriptions(test: PredictionArrays, text: str, image: str) -> dict[str, Any]:
    """Return the oracle headroom, the information decomposition and the error overlap of the two contenders."""
    correct = test.is_correct(text), test.is_correct(image)
    headroom = oracle_headroom(*correct, test.codes, groups=test.groups)
    outputs = _output_codes(test, text), _output_codes(test, image)
    parts = pid_of(*outputs, test.codes, groups=test.groups, draws=30, permutations=20)
    rows = [
        {"information": name, "bits": value, "low": low, "high": high, "by chance": null}
        for name, value, low, high, null in zip(
            parts.value._fields, parts.value, parts.low, parts.high, parts.null, strict=True
        )
    ]
    overlap = error_overlap(*correct, groups=test.groups)
    return {"oracle_headroom": list(headroom), "overlap": overlap, "table": rows}


def _output_codes(rows: PredictionArrays, name: str) -> Codes:
    """Return a code for each row, of 2 × n_classes: the class, and whether its probability is above the median."""
    predicted = rows.predicted(name)
    confidence = of_label(rows.proba[name], predicted)
    return 2 * predicted + (confidence > np.median(confidence))
