"""Whether a network was evaluated on rows that are not its own, by its curves and by the predictions of all contenders.

Agreement beyond chance is Cohen's kappa: (accuracy − chance agreement) / (1 − chance agreement).  It is 0 for answers
that do not depend on the labels, whichever classes they favour, and falls in proportion to the share of permuted rows.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.curve_signs import Curves, ValidationRows, chance_agreement
from counterpoint.measures.learning_curves import judged
from counterpoint.measures.prediction_arrays import prediction_arrays
from counterpoint.schema import PARTS, Frame

SURE = 3.5
"""Two kappas differ if their difference exceeds so many standard errors: one false alarm in 4,000 comparisons."""
CLEARLY = 2.5
"""A modality is unharmed if its kappa exceeds that of a harmed one by so many standard errors."""
LEAST_SHARE = 0.25
"""The smallest share of other rows that is reported."""
LABEL = "label"


class Agreement(NamedTuple):
    """The agreement of a contender with the labels of a part beyond chance.

    Attributes
    ----------
    kappa, error
        *kappa* is Cohen's kappa, and *error* its standard error.
    accuracy, chance
        *accuracy* is that of the predicted classes, and *chance* the chance agreement.
    """

    kappa: float
    error: float
    accuracy: float
    chance: float


class OtherRows(NamedTuple):
    """The parts of the rows that are not their own.

    Attributes
    ----------
    contender
        *contender* is the model that shows it.
    parts
        *parts* is ("validation",) or ("validation", "test").
    share
        *share* estimates the share of such rows.
    validation, reference
        *validation* is the agreement on validation rows, and *reference* that on test rows, or on training rows if test
        rows are affected too.
    reason
        *reason* is the line on the learning curves, empty if predictions alone show it.
    """

    contender: str
    parts: tuple[str, ...]
    share: float
    validation: Agreement
    reference: Agreement
    reason: str = ""


def agreement(predictions: Frame, name: str, part: str) -> Agreement | None:
    """Return the agreement of contender *name* with the labels of *part* beyond chance.  None without rows.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    name
        *name* is a contender.
    part
        *part* is "train", "validation" or "test".

    Examples
    --------
    >>> row = {"contender": "x", "seed": 0, "fold": "test", "part": "test", "group": "a"}
    >>> guesses = [("a", "cat", 0.9), ("b", "cat", 0.8), ("c", "dog", 0.2), ("d", "dog", 0.7)]
    >>> rows = [{**row, "id": i, "label": label, "p_cat": p, "p_dog": 1 - p} for i, label, p in guesses]
    >>> agreement(pl.DataFrame(rows), "x", "test").kappa
    0.5
    """
    rows = prediction_arrays(predictions, [name], part)
    if not rows.ids:
        return None
    n_classes = rows.shares.shape[1]
    predicted, n = rows.predicted(name), len(rows.ids)
    shares, guesses = (np.bincount(codes, minlength=n_classes) / n for codes in (rows.codes, predicted))
    chance, accuracy = chance_agreement(shares, guesses), float((predicted == rows.codes).mean())
    if chance == 1:
        return None
    spread = max(accuracy * (1 - accuracy), 1 / n)
    return Agreement((accuracy - chance) / (1 - chance), (spread / n) ** 0.5 / (1 - chance), accuracy, chance)


def evaluated_on_other_rows(history: Frame, predictions: Frame, modalities: Modalities) -> dict[str, OtherRows]:
    """Return the finding on each network that was evaluated on rows that are not its own.

    A network that reads several modalities may hide permuted texts behind the images.  So a model of the texts alone,
    network or not, counts for each network that reads texts.

    Parameters
    ----------
    history, predictions
        *history* is schema.HISTORY, and *predictions* is schema.PREDICTIONS.
    modalities
        *modalities* has the modalities of each contender.
    """
    shown = {
        name: other
        for name, reads in modalities.items()
        if reads and (other := other_rows(history, predictions, name)) is not None
    }
    found = {}
    for network in history["contender"].unique(maintain_order=True):
        reads = set(modalities.get(network, ()))
        others = [other for name, other in shown.items() if set(modalities[name]) <= reads]
        if others:
            found[network] = max(others, key=lambda other: other.share)
    return found


def other_rows(history: Frame, predictions: Frame, name: str) -> OtherRows | None:
    """Return the parts of the rows that are not their own for contender *name*, or None.

    Parameters
    ----------
    history, predictions
        *history* is schema.HISTORY, and *predictions* is schema.PREDICTIONS.
    name
        *name* is a contender.
    """
    train, validation, test = (agreement(predictions, name, part) for part in PARTS)
    if train is None or validation is None or test is None:
        return None
    share = 1 - validation.kappa / test.kappa if test.kappa > 0 else 0.0
    if _is_lower(validation, test) and share >= LEAST_SHARE:
        return OtherRows(name, ("validation",), min(1.0, share), validation, test)
    reason, share = _by_curves(history, predictions, name)
    if not reason or not _is_lower(validation, train):
        return None
    return OtherRows(name, ("validation", "test"), share, validation, train, reason) if _is_lower(test, train) else None


def _is_lower(one: Agreement, other: Agreement) -> bool:
    error: float = (one.error**2 + other.error**2) ** 0.5
    return other.kappa - one.kappa >= SURE * error


def _by_curves(history: Frame, predictions: Frame, name: str) -> tuple[str, float]:
    """Return the reason and the share of other rows if the curves of most fits show them, else no reason."""
    labels = predictions.filter(contender=name, part="validation")
    shares = labels["label"].value_counts(normalize=True)["proportion"].to_numpy()
    found, n_fits = [], 0
    for (_, fold), fit in history.filter(contender=name).group_by("seed", "fold", maintain_order=True):
        curves = curves_of(fit)
        if curves is None:
            continue
        n_fits += 1
        n = labels.filter(fold=fold)["id"].n_unique() or None
        judgement = judged(curves, ValidationRows(shares, n))
        if judgement.other_rows is not None:
            found.append((judgement.reason, judgement.other_rows))
    if not found or 2 * len(found) <= n_fits:
        return "", 0.0
    return found[0][0], float(np.mean([share for _, share in found]))


def curves_of(fit: Frame) -> Curves | None:
    """Return the curves of one fit, of the joint branch if there is one.  None if a value is missing.

    Parameters
    ----------
    fit
        *fit* are rows of schema.HISTORY of one contender, seed and fold.
    """
    joint = fit.filter(branch="joint")
    rows = (joint if len(joint) else fit).sort("epoch")
    columns = ("epoch", "train_loss", "valid_loss", "train_score", "valid_score")
    values = rows.select(pl.col(name).cast(pl.Float64) for name in columns).to_numpy()
    is_known = len(values) and np.isfinite(values).all() and rows["epoch"].n_unique() == len(rows)
    return Curves(*values.T) if is_known else None


def wrong_modality(predictions: Frame, modalities: Modalities, found: Sequence[OtherRows]) -> tuple[str, ...]:
    """Return the candidates for the cause: one of text, image and label if it can be told, else several.

    If only texts are permuted, models of the images are still right on the same rows.  If labels are permuted, or whole
    rows, no model is.

    Parameters
    ----------
    predictions, modalities
        *predictions* is schema.PREDICTIONS, and *modalities* has the modalities of each contender.
    found
        *found* are the findings on the networks.
    """
    part = "test" if any("test" in each.parts for each in found) else "validation"
    reference = "train" if part == "test" else "test"
    harm = {
        modality: _harm(predictions, contenders_reading(modalities, modality), reference, found)
        for modality in ("text", "image")
    }
    return CAUSES[harm["text"], harm["image"]]


CAUSES: Mapping[tuple[bool | None, bool | None], tuple[str, ...]] = {
    (True, True): (LABEL,),
    (True, False): ("text",),
    (False, True): ("image",),
    (True, None): ("text", LABEL),
    (None, True): ("image", LABEL),
    (None, False): ("text",),
    (False, None): ("image",),
    (False, False): (),
    (None, None): ("text", "image", LABEL),
}
"""The candidates by whether models of the text, and of the image, are harmed.  None if that is open.

If one is not harmed, labels are right.  If neither is, the network alone reads these rows differently.
"""


def _harm(predictions: Frame, names: Sequence[str], reference: str, found: Sequence[OtherRows]) -> bool | None:
    """Return whether the best of contenders *names* loses its agreement on validation rows, or None if it is open."""
    pairs = [
        (own, other)
        for name in names
        if (own := agreement(predictions, name, "validation")) and (other := agreement(predictions, name, reference))
    ]
    if not pairs:
        return None
    validation, other = max(pairs, key=lambda pair: pair[1].kappa)
    share = max(each.share for each in found)
    if reference == "test" and _is_lower(validation, other):
        return True
    expected = (1 - share) * other.kappa
    error = (validation.error**2 + ((1 - share) * other.error) ** 2) ** 0.5
    if reference == "test":
        return False if validation.kappa - expected >= CLEARLY * error else None
    # Training rows are memorised, so a fall below them is no harm.  Only clear agreement shows that there is none.
    return False if validation.kappa >= SURE * validation.error else None
