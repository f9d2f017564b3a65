"""CP020: labels that text and image, each by itself, confidently contradict in the same way.

The check uses confident learning (Northcutt, Jiang and Chuang, JAIR 2021).  A model is confident of a class if its
probability is at least the mean over the rows of that label.  The threshold here is slightly higher (`STRICT`).

A model that contradicts a label may itself be wrong.  Two models of different modalities, neither fitted on the row,
make the same error only by chance.  The expected number of such rows is subtracted.  With one modality alone, wrong
labels and wrong predictions look the same.

Errors are not independent on rows without a text and an image of their own.  So these rows are left out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from counterpoint import number_formats as numbers
from counterpoint.config import Group
from counterpoint.data.group import first_of
from counterpoint.diagnose.check import Check, Finding
from counterpoint.diagnose.queues import queue_evidence
from counterpoint.measures import Estimate
from counterpoint.measures.prediction_arrays import Codes, PredictionArrays, prediction_arrays
from counterpoint.measures.repeated_inputs import repeated_inputs, sizes
from counterpoint.metrics.estimate import estimated
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame, class_names

NONE = -1
"""The code of a row on which a model is confident in no class."""
WARN_AT, FAIL_AT = 0.02, 0.20
"""Common test sets have about 3 % wrong labels (arXiv 2103.14749).  Beyond 20 % a score means little."""
STRICT = 0.5
"""The position of the threshold between the mean over the rows of a label (0), and the mean over the rows above it (1).

At 0, as published, the guesses of a weak model count as confident, and two models may guess on the same rows.
"""
FEW_AGREED = 20
MANY = 10
"""A text or an image that more rows share, of the whole study, is not their own."""
LIKENESS = Group(max_bits=0)
"""Images count as shared if their perceptual hashes are equal.  Nearly equal ones may form long chains."""
SUBJECT = "labels"
ADVICE = "Look at each row in doubt. Correct it with relabel: {id: label}, or leave it out with exclude: [id]."


class Doubts(NamedTuple):
    """The confident classes of two modalities in each row, and the share of labels that they contradict together.

    Attributes
    ----------
    text, image
        The class that each is confident of, shape (n,).  None is -1.
    share
        *share* is the share of rows with another label, of the rows on which both are confident of one class.  The
        number expected by chance is subtracted.
    """

    text: Codes
    image: Codes
    share: Estimate


@final
class WrongLabels(Check):
    """Look at the test rows with a label that both modalities confidently contradict."""

    code = "CP020"
    title = "Wrong labels"
    advice = (
        "Look at each row of the queue. Correct its label with the setting relabel, or leave the row out with exclude."
    )
    needs = ("pairs", "predictions", "best_contenders")

    def run(self, *, pairs: Frame, predictions: Frame, best_contenders: Mapping[str, str | None]) -> Finding:
        """Return the finding on the best contender of each modality."""
        text, image = best_contenders["text"], best_contenders["image"]
        if text is None or image is None:
            lacking = "Only one modality has a contender. Its errors cannot be distinguished from wrong labels."
            return self.not_applicable(SUBJECT, lacking)
        rows, n_left_out = _with_inputs_of_their_own(prediction_arrays(predictions, [text, image]), pairs)
        left_out = _left_out(n_left_out)
        if len(np.unique(rows.codes)) < 2:
            one = f"The test rows are of one class, or there are none.{left_out}"
            return self.not_applicable(SUBJECT, one, n_left_out=n_left_out)
        doubts = doubts_of(rows, text, image)
        agreed = _agree(doubts)
        n_agreed, n_units = int(agreed.sum()), len(set(np.array(rows.groups)[agreed]))
        if n_units < FEW_AGREED:
            few = f"Text and image are confident of the same class on {n_units} independent test rows."
            few = f"{few} {FEW_AGREED} are needed.{left_out}"
            return self.not_applicable(SUBJECT, few, n_left_out=n_left_out)
        return self._found(doubts, _queue(doubts, rows, class_names(predictions)), n_agreed, n_left_out)

    def _found(self, doubts: Doubts, queue: list[dict[str, Any]], n_agreed: int, n_left_out: int) -> Finding:
        wrong = f"An estimated {numbers.share_with_interval(*doubts.share)} of the labels are wrong."
        evidence = {"share": list(doubts.share), "n_agreed": n_agreed, "n_left_out": n_left_out}
        evidence |= queue_evidence(queue, "suggested")
        left_out = _left_out(n_left_out)
        if doubts.share.low > WARN_AT:
            explanation = (
                f"{wrong} Text and image are each confident of the same class on {numbers.count(n_agreed)} test rows. "
                f"{numbers.count(len(queue))} of them have another label, more than expected by chance.{left_out} "
                f"{ADVICE}"
            )
            severity = "fail" if doubts.share.low > FAIL_AT else "warn"
            return self.finding(severity, SUBJECT, explanation, **evidence)
        usual = f"{wrong} This is usual, or is not shown to be more than usual by so few rows.{left_out}"
        return self.finding("info", SUBJECT, f"{usual} {ADVICE}" if queue else usual, **evidence)


def _left_out(n: int) -> str:
    if not n:
        return ""
    return f" Not counted: {numbers.count(n)} test rows with no text or image of their own."


def _with_inputs_of_their_own(rows: PredictionArrays, pairs: Frame) -> tuple[PredictionArrays, int]:
    """Return the rows with a text and an image of their own, and the number of other rows.

    A text or an image of many rows, such as a placeholder, says nothing about the label of one of them.  The groups of
    the rows that are returned also join rows that share a text or an image.
    """
    if "id" not in pairs.columns or not rows.ids:
        return rows, 0
    inputs, n = repeated_inputs(pairs, LIKENESS), len(pairs)
    is_own = np.ones(n, dtype=np.bool_)
    for clusters in inputs:
        count = sizes(clusters, n)
        is_own &= (count > 0) & (count <= MANY)
    groups = first_of(pairs["group"].cast(pl.String)) if "group" in pairs.columns else np.arange(n)
    unit = dict(zip(pairs["id"], inputs.units(groups).tolist(), strict=True))
    own = dict(zip(pairs["id"], is_own.tolist(), strict=True))
    kept = np.array([row for row, name in enumerate(rows.ids) if own.get(name, True)], dtype=np.intp)
    found = rows.at(kept)
    return found._replace(groups=[f"{unit.get(name, name)}" for name in found.ids]), len(rows.ids) - len(kept)


def _queue(doubts: Doubts, rows: PredictionArrays, classes: list[str]) -> list[dict[str, Any]]:
    """Return the rows in doubt, ordered by the probability of their label, the lowest first."""
    text, image = rows.proba.values()
    wrong = np.flatnonzero(_agree(doubts) & (doubts.text != rows.codes))
    own = text[wrong, rows.codes[wrong]] * image[wrong, rows.codes[wrong]]
    return [
        {"id": rows.ids[row], "label": classes[rows.codes[row]], "suggested": classes[doubts.text[row]]}
        for row in wrong[np.argsort(own, kind="stable")]
    ]


def doubts_of(rows: PredictionArrays, text: str, image: str) -> Doubts:
    """Return the confident classes of two contenders in each row, and the share of labels in doubt.

    The number expected by chance is that of independent errors within each label and test fold: the models of one fold
    may both be worse than those of another.

    Parameters
    ----------
    rows
        *rows* are held-out predictions of both contenders.
    text, image
        *text* and *image* are the names of the contenders.
    """
    named = confident(rows.proba[text], rows.codes), confident(rows.proba[image], rows.codes)
    agree = (named[0] == named[1]) & (named[0] != NONE)
    against = agree & (named[0] != rows.codes)
    _, folds = np.unique(rows.folds, return_inverse=True)
    n_classes = rows.proba[text].shape[1]
    _, stratum = np.unique(folds * n_classes + rows.codes, return_inverse=True)
    contrary = [np.where((codes != NONE) & (codes != rows.codes), codes, NONE) for codes in named]
    cells, member = [_indicators(stratum, codes, n_classes) for codes in contrary], _indicators(stratum)

    def share(weights: Floats) -> Floats:
        n_rows = np.repeat(weights @ member, n_classes, axis=1)  # (draws, strata * classes)
        expected = (weights @ cells[0]) * (weights @ cells[1]) / np.maximum(n_rows, 1)
        excess = weights @ against - expected.sum(1)
        found: Floats = (excess / np.maximum(weights @ agree, 1)).clip(0, 1)
        return found

    return Doubts(*named, estimated(share, rows.groups))


def _indicators(stratum: Codes, codes: Codes | None = None, n_classes: int = 1) -> csr_array:
    """Return which rows are in each stratum, or in each stratum with a class, shape (n, n_strata * n_classes).

    A row without a class is in none.
    """
    known = np.flatnonzero(codes != NONE) if codes is not None else np.arange(len(stratum))
    places = stratum[known] * n_classes + (codes[known] if codes is not None else 0)
    shape = (len(stratum), (int(stratum.max()) + 1) * n_classes)
    return csr_array((np.ones(len(known)), (known, places)), shape=shape)


def confident(proba: Floats, codes: Codes, *, strict: float = STRICT) -> Codes:
    """Return the class that a model is confident of in each row, or -1.

    It is the most probable of the classes that reach their threshold (Northcutt, Jiang and Chuang, JAIR 2021).

    Parameters
    ----------
    proba
        *proba* are probabilities on held-out rows, shape (n, n_classes).
    codes
        *codes* are the labels, shape (n,).
    strict
        *strict* is the position of the threshold of a class.  At 0 it is the mean probability over the rows of that
        label, as published.  At 1 it is the mean over the rows that reach the former.

    Examples
    --------
    >>> proba = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1]])
    >>> confident(proba, np.array([0, 0, 1, 1])).tolist()
    [0, -1, 1, 0]
    """
    least = np.array([_least(proba[codes == code, code], strict) for code in range(proba.shape[1])])
    reached = np.where(proba >= least - 1e-6, proba, -1.0)  # cleanlab's tolerance, for constant models
    found: Codes = np.where(reached.max(1) >= 0, reached.argmax(1), NONE)
    return found


def _least(own: Floats, strict: float) -> float:
    if not len(own):
        return float("inf")
    mean = float(own.mean())
    return mean + strict * (float(own[own >= mean - 1e-6].mean()) - mean)


def _agree(doubts: Doubts) -> NDArray[np.bool_]:
    agree: NDArray[np.bool_] = (doubts.text == doubts.image) & (doubts.text != NONE)
    return agree
