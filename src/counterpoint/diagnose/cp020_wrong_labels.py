"""CP020: labels that text and image, each by itself, confidently contradict in the same way.

Confident learning (Northcutt, Jiang and Chuang, JAIR 2021): a model is confident in a class when it gives it at least
the mean probability that it gives to rows of that label (here: a little more, see `STRICT`).  A model that contradicts
a label may itself be wrong; two models of different modalities, neither fitted on the row, are wrong alike as often as
their errors meet by chance, and that is counted and subtracted.  With one modality alone, wrong labels and wrong models
look the same.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from counterpoint.diagnose.check import Check, Finding
from counterpoint.measures import Estimate
from counterpoint.measures.prediction_arrays import Codes, PredictionArrays, prediction_arrays
from counterpoint.metrics.estimate import Floats, estimated
from counterpoint.schema import Frame, class_names

NONE = -1
"""The code of a row on which a model is confident in no class."""
WARN_AT, FAIL_AT = 0.02, 0.20
"""Test sets in use carry about 3 % wrong labels (arXiv 2103.14749); beyond 20 % a score says little."""
STRICT = 0.5
"""How far the least probability goes from the mean of a label's rows to the mean of those above that mean.

At the mean itself, rows on which a weak model guesses count as confident, and two that guess on the same rows meet.
"""
FEW_AGREED = 20
SHOWN = 12
SUBJECT = "labels"
HOW_BACK = "Look at each; then set the right ones under relabel: {id: label}, or leave rows out with exclude: [id]."


class Doubts(NamedTuple):
    """What two modalities confidently say of each row, and the share of labels that they contradict together."""

    text: Codes
    image: Codes
    share: Estimate
    """Of the rows on which both are confident of one class, those labelled otherwise, less what chance makes."""


@final
class WrongLabels(Check):
    """Look at the test rows whose label both modalities confidently contradict."""

    code = "CP020"
    title = "Wrong labels"
    needs = ("predictions", "best_contenders")

    def run(self, *, predictions: Frame, best_contenders: Mapping[str, str | None]) -> Finding:
        """Return the finding on the best contender of each modality."""
        text, image = best_contenders["text"], best_contenders["image"]
        if text is None or image is None:
            lacking = "Only one modality has a contender: its errors and wrong labels cannot be told apart."
            return self.not_applicable(SUBJECT, lacking)
        rows = prediction_arrays(predictions, [text, image])
        if len(np.unique(rows.codes)) < 2:
            return self.not_applicable(SUBJECT, "The test rows are of one class, or there are none.")
        doubts = doubts_of(rows, text, image)
        n_agreed = int(_agree(doubts).sum())
        if n_agreed < FEW_AGREED:
            few = f"Text and image are confident of the same class on {n_agreed} test rows only: too few to judge"
            return self.not_applicable(SUBJECT, f"{few} labels by.")
        return self._found(doubts, _queue(doubts, rows, class_names(predictions)), n_agreed)

    def _found(self, doubts: Doubts, queue: list[dict[str, Any]], n_agreed: int) -> Finding:
        value, low, high = doubts.share
        wrong = f"An estimated {value:.1%} ({low:.1%} to {high:.1%}) of the labels are wrong"
        ids = {row["id"]: row["suggested"] for row in queue}
        evidence = {
            "share": list(doubts.share),
            "n_agreed": n_agreed,
            "n_queue": len(ids),
            "queue": ids,
            "table": queue[:SHOWN],
        }
        if low > WARN_AT:
            explanation = (
                f"{wrong}: of {n_agreed} test rows on which text and image are each confident of the same class, "
                f"{len(queue)} are labelled otherwise, more than errors meet by chance. {HOW_BACK}"
            )
            return self.finding("fail" if low > FAIL_AT else "warn", SUBJECT, explanation, **evidence)
        usual = f"{wrong}: no more than is usual, or than these rows can show."
        return self.finding("info", SUBJECT, f"{usual} {HOW_BACK}" if queue else usual, **evidence)


def _queue(doubts: Doubts, rows: PredictionArrays, classes: list[str]) -> list[dict[str, Any]]:
    """Return the rows to look at, those of least probability of their label first."""
    text, image = rows.proba.values()
    wrong = np.flatnonzero(_agree(doubts) & (doubts.text != rows.codes))
    own = text[wrong, rows.codes[wrong]] * image[wrong, rows.codes[wrong]]
    return [
        {"id": rows.ids[row], "label": classes[rows.codes[row]], "suggested": classes[doubts.text[row]]}
        for row in wrong[np.argsort(own, kind="stable")]
    ]


def doubts_of(rows: PredictionArrays, text: str, image: str) -> Doubts:
    """Return what contenders *text* and *image* confidently say of *rows*, and the share of labels in doubt."""
    named = confident(rows.proba[text], rows.codes), confident(rows.proba[image], rows.codes)
    agree = (named[0] == named[1]) & (named[0] != NONE)
    against = agree & (named[0] != rows.codes)
    member = (rows.codes[:, None] == np.unique(rows.codes)).astype(float)  # (n, labels)
    n_classes = rows.proba[text].shape[1]
    indicators = [(codes[:, None] == np.arange(n_classes)).astype(float) for codes in named]  # each (n, classes)
    other = np.unique(rows.codes)[:, None] != np.arange(n_classes)  # (labels, classes)

    def share(weights: Floats) -> Floats:
        sizes = weights @ member  # (draws, labels)
        counts = [np.einsum("dn,nl,nc->dlc", weights, member, each, optimize=True) for each in indicators]
        by_chance = counts[0] * counts[1] / np.maximum(sizes, 1)[:, :, None]  # within each label, errors meet so often
        excess = weights @ against - (by_chance * other).sum((1, 2))
        found: Floats = (excess / np.maximum(weights @ agree, 1)).clip(0, 1)
        return found

    return Doubts(*named, estimated(share, rows.groups))


def confident(proba: Floats, codes: Codes, *, strict: float = STRICT) -> Codes:
    """Return the class that a model is confident of in each row, or -1.

    The likeliest of the classes that reach their least probability: with *strict* 0 the mean of that class's over the
    rows labelled so, as published; with 1 the mean of those that reach this.

    Parameters
    ----------
    proba
        *proba* are probabilities on rows that the model was not fitted on, shape (n, n_classes).
    codes
        *codes* are the labels given.

    Examples
    --------
    >>> proba = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.9, 0.1]])
    >>> confident(proba, np.array([0, 0, 1, 1])).tolist()
    [0, -1, 1, 0]
    """
    least = np.array([_least(proba[codes == code, code], strict) for code in range(proba.shape[1])])
    reached = np.where(proba >= least - 1e-6, proba, -1.0)  # cleanlab's tolerance, for models that say one thing
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
