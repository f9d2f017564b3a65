"""How many bits about the class each voice gives on test rows, beyond the class shares, and how often it is right.

A voice is a contender, or several whose log probabilities are added.  Each is calibrated on validation rows, so that no
difference of calibration passes for knowledge.  Bits find a difference with far fewer rows than accuracy does; what
it is worth in points of accuracy depends on how sure the voices are, so that points are counted as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from counterpoint.diagnose.case import Case
from counterpoint.measures import Estimate
from counterpoint.measures.prediction_arrays import Codes, Heard, best_of, heard, judged
from counterpoint.metrics.estimate import Floats
from counterpoint.metrics.permutations import permute_within
from counterpoint.seeds import child_seed

FEW_ROWS = 30
SUM = "the sum of both"
APART = "the sum, were errors independent"
"""The sum with what the image says dealt anew among the rows of one class: two voices that share the class only."""
DEALS = 5
Voices = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Told:
    """What each voice tells of each test row; *single* names the contender that stands for each modality."""

    rows: Heard
    bits: Mapping[str, Floats]
    right: Mapping[str, Floats]
    """By voice, whether the class of which it gives most bits is the row's."""
    single: Mapping[str, str]
    terms: tuple[Floats, Floats]
    """What the text and what the image adds to the logits of their sum, each of shape (n, n_classes)."""

    def bits_of(self, voice: str) -> Estimate:
        """Return the bits a row that *voice* gives."""
        return self.rows.mean(self.bits[voice])

    def beyond(self, voice: str, other: str) -> Estimate:
        """Return the bits a row that *voice* gives more than *other*."""
        return self.rows.mean(self.bits[voice] - self.bits[other])

    def points(self, voice: str, other: str) -> Estimate:
        """Return the balanced accuracy of *voice* less that of *other*, both calibrated."""
        return self.rows.balanced(self.right[voice] - self.right[other])


def told(case: Case) -> Told | None:
    """Return what the best contender of each modality, their sum and each multimodal contender tell.

    The voices are called "text", "image", `SUM`, `APART`, and by the names of the multimodal contenders.  None where a
    modality has no contender, or there are too few rows.

    >>> import polars as pl
    >>> none = pl.DataFrame()
    >>> told(Case(none, none, none, None, {"majority": ()}, (), 1, 1)) is None
    True
    """
    if "told" not in case.shared:
        case.shared["told"] = _told(case)
    found: Told | None = case.shared["told"]
    return found


def _told(case: Case) -> Told | None:
    text, image = best_of(case, "text"), best_of(case, "image")
    if text is None or image is None:
        return None
    both = judged(case, "text", "image")
    validation, test = (heard(case, [text, image, *both], part) for part in ("validation", "test"))
    if min(len(validation.ids), len(test.ids)) < FEW_ROWS or len(np.unique(validation.codes)) < 2:
        return None
    voices = {"text": (text,), "image": (image,), SUM: (text, image)} | {name: (name,) for name in both}
    _, said = said_by(validation, test, voices)
    deals = [said_by(_dealt(validation, image, i), _dealt(test, image, i), {SUM: (text, image)}) for i in range(DEALS)]
    apart: Floats = np.mean([tested[SUM] for _, tested in deals], axis=0)
    bits = {voice: of_own(values, test.codes) for voice, values in (said | {APART: apart}).items()}
    right = {voice: named(values, test.codes) for voice, values in said.items()}
    return Told(test, bits, right, {"text": text, "image": image}, _terms(validation, test, text, image))


def _terms(validation: Heard, test: Heard, text: str, image: str) -> tuple[Floats, Floats]:
    from counterpoint.contenders.calibrate import fit_scaling  # noqa: PLC0415 - loads scikit-learn

    terms = np.stack([test.log(text), test.log(image)])
    for fold in np.unique(test.folds):
        known = validation.of(fold)
        if len(known.codes):
            scaling = fit_scaling([known.log(text), known.log(image)], known.codes)
            rows = test.folds == fold
            terms[:, rows] = terms[:, rows] * scaling.weights[:, None, None] + scaling.bias / 2
    return terms[0], terms[1]


def _dealt(rows: Heard, name: str, deal: int) -> Heard:
    """Return *rows* in which contender *name* says what it said of another row of the same fold and class."""
    folds = np.unique(rows.folds, return_inverse=True)[1]
    strata = folds * rows.proba[name].shape[1] + rows.codes
    order = permute_within(strata, np.random.default_rng(child_seed(0, "told", deal)))
    return rows._replace(proba=rows.proba | {name: rows.proba[name][order]})


def said_by(validation: Heard, test: Heard, voices: Voices) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return, by voice, the bits that it gives of each class on each validation row, and on each test row."""
    n_classes = next(iter(test.proba.values())).shape[1]
    guessed, tested = ({name: np.zeros((len(rows.codes), n_classes)) for name in voices} for rows in (validation, test))
    for fold in np.unique(test.folds):
        known, new = validation.of(fold), test.of(fold)
        for name, contenders in voices.items():
            on_known, on_new = calibrated_bits(known, contenders, known, new)
            guessed[name][validation.folds == fold] = on_known
            tested[name][test.folds == fold] = on_new
    return guessed, tested


def calibrated_bits(known: Heard, contenders: Sequence[str], *asked: Heard) -> list[Floats]:
    """Return, for each set of rows *asked* about, the bits that the sum of *contenders* gives of each class.

    They are those beyond the class shares, shape (n, n_classes): the class of most bits is the one to name where all
    classes count the same.  The sum is scaled, and the shares are counted, on *known* rows; where there are none,
    nothing is told.
    """
    from counterpoint.contenders.calibrate import fit_scaling  # noqa: PLC0415 - loads scikit-learn

    if not len(known.codes):
        return [np.zeros_like(rows.proba[contenders[0]]) for rows in asked]
    n_classes = known.proba[contenders[0]].shape[1]
    prior = (np.bincount(known.codes, minlength=n_classes) + 1) / (len(known.codes) + n_classes)
    scaling = fit_scaling([known.log(name) for name in contenders], known.codes)
    return [np.log2(scaling.proba([rows.log(name) for name in contenders]) / prior) for rows in asked]


def of_own(values: Floats, codes: Codes) -> Floats:
    """Return of *values*, shape (n, n_classes), each row's own: that of the class that it has.

    >>> of_own(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([1, 0])).tolist()
    [0.2, 0.3]
    """
    own: Floats = values[np.arange(len(codes)), codes]
    return own


def named(values: Floats, codes: Codes) -> Floats:
    """Return whether the largest of *values*, shape (n, n_classes), is each row's own: 1 or 0.

    >>> named(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([1, 0])).tolist()
    [1.0, 0.0]
    """
    right: Floats = (values.argmax(1) == codes).astype(float)
    return right
