"""The signs in the learning curves of one training: chance agreement, the loss of guessing, the first epoch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from counterpoint.metrics.intervals import standard_errors
from counterpoint.metrics.rows import Floats

ASSUMED_ROWS = 1000
"""The number of validation rows in the interval of chance agreement, where it is not known."""
CONFIDENCE = 0.99
"""One permutation moves the accuracy of all epochs alike, so that an interval of 95 % would miss one in twenty."""
GAP = 0.08
"""Training and validation accuracy differ by at least this much if a network has memorised."""


class Curves(NamedTuple):
    """The curves of one training, one value for each epoch.

    Attributes
    ----------
    epochs
        *epochs* are consecutive numbers.  The first one of a training is 0 or 1.
    train_loss, valid_loss
        *train_loss* and *valid_loss* are log losses in nats.
    train_accuracy, valid_accuracy
        *train_accuracy* and *valid_accuracy* are shares.  Those of training are means over the batches of an epoch.
    """

    epochs: Floats
    train_loss: Floats
    valid_loss: Floats
    train_accuracy: Floats
    valid_accuracy: Floats

    @property
    def last(self) -> "Curves":
        """The mean of the last third of the epochs, as curves of one epoch."""
        n = max(1, len(self.epochs) // 3)
        return Curves(*(values[-n:].mean(keepdims=True) for values in self))


class ValidationRows(NamedTuple):
    """The rows of a validation.

    Attributes
    ----------
    shares
        *shares* are the class shares, shape (n_classes,).
    n
        *n* is the number of rows, or None.
    predicted
        *predicted* are the shares of the predicted classes, shape (n_classes,), or None.
    """

    shares: Floats
    n: int | None = None
    predicted: Floats | None = None


def chance_agreement(shares: Sequence[float] | Floats, predicted: Sequence[float] | Floats) -> float:
    """Return the accuracy of answers that do not depend on the class: the sum of p q over the classes.

    Parameters
    ----------
    shares
        *shares* are the class shares p, shape (n_classes,).
    predicted
        *predicted* are the shares q of the predicted classes, shape (n_classes,).

    Examples
    --------
    >>> round(chance_agreement([0.58, 0.42], [0.58, 0.42]), 3), chance_agreement([0.58, 0.42], [0.5, 0.5])
    (0.513, 0.5)
    """
    return float(np.dot(shares, predicted))


def chance_interval(rows: ValidationRows) -> tuple[float, float]:
    """Return the binomial interval of the accuracy by chance agreement.

    If the predicted shares are not known, it reaches from even answers to answers with the class shares.

    >>> low, high = chance_interval(ValidationRows(np.array([0.58, 0.42]), 2000))
    >>> round(low, 3), round(high, 3)
    (0.471, 0.542)
    """
    even = np.full(len(rows.shares), 1 / len(rows.shares))
    guesses = (even, rows.shares) if rows.predicted is None else (rows.predicted,)
    means = [chance_agreement(rows.shares, guess) for guess in guesses]
    z = standard_errors(CONFIDENCE)
    half = [z * (mean * (1 - mean) / (rows.n or ASSUMED_ROWS)) ** 0.5 for mean in means]
    low = min(mean - each for mean, each in zip(means, half, strict=True))
    high = max(mean + each for mean, each in zip(means, half, strict=True))
    return max(0.0, low), min(1.0, high)


class Signs(NamedTuple):
    """The signs in the curves.

    Attributes
    ----------
    chance, guessed
        *chance* is the interval of chance agreement, and *guessed* the share of the most frequent class.
    entropy, even
        *entropy* is the loss of guessing the class shares, and *even* that of even guesses.
    worse
        *worse* is how much lower than on unseen training rows the validation accuracy must be, to be worse.
    last, is_whole
        *last* are the last epochs.  *is_whole* is whether the first epoch is there, and none is missing.
    """

    chance: tuple[float, float]
    guessed: float
    entropy: float
    even: float
    worse: float
    last: Curves
    is_whole: bool

    @property
    def most_by_chance(self) -> float:
        """The highest accuracy that needs no learning: that of chance agreement, or of the most frequent class."""
        return max(self.chance[1], self.guessed)


def signs_of(curves: Curves, rows: ValidationRows) -> Signs:
    """Return the signs in *curves*, with validation rows *rows*."""
    known = rows.shares[rows.shares > 0]
    best = float(curves.valid_accuracy.max())
    is_whole = bool(curves.epochs[0] in (0, 1) and (np.diff(curves.epochs) == 1).all())
    return Signs(
        chance=chance_interval(rows),
        guessed=float(known.max()),
        entropy=float(-(known * np.log(known)).sum()),
        even=float(np.log(len(rows.shares))),
        worse=max(GAP / 2, 3 * (best * (1 - best) / (rows.n or ASSUMED_ROWS)) ** 0.5),
        last=curves.last,
        is_whole=is_whole,
    )


def first_gap(curves: Curves) -> float:
    """Return how much higher the loss of validation rows is than of unseen training rows, in the first epoch."""
    return float(curves.valid_loss[0] - curves.train_loss[0])


def share_of_other_rows(curves: Curves, signs: Signs) -> float:
    """Return the share of validation rows that would have to be permuted for this fall of the accuracy."""
    train, validation = signs.last.train_accuracy[0], curves.valid_accuracy.mean()
    return float(np.clip((train - validation) / max(train - sum(signs.chance) / 2, GAP), 0, 1))
