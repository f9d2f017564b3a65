"""The state of one training, judged from its learning curves alone.

The first epoch decides.  Training accuracy and loss are means over its batches, each measured before the network has
learned them.  So they are values on unseen rows, and validation after the epoch should be at least as good.  If it is
clearly worse, the validation rows differ from the training rows.  Memorising cannot have this effect: it needs a second
look at a row (the prequential view; Dawid, JRSS A 1984).

Does not tell which of text, image and label is wrong: that needs the predictions of several models.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from counterpoint.metrics.intervals import standard_errors
from counterpoint.metrics.rows import Floats

Answer = Literal["memorised", "not_trained", "evaluated_on_other_rows", "unfinished", "healthy", "cannot_tell"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
ASSUMED_ROWS = 1000
"""The number of validation rows in the interval of chance agreement, where it is not known."""
CONFIDENCE = 0.99
"""One permutation moves the accuracy of all epochs alike, so that an interval of 95 % would miss one in twenty."""
PERFECT = 0.95
"""From this training accuracy on, training is nearly perfect."""
WORSE_NATS = 0.08
"""Validation is worse than unseen training rows if its loss after the first epoch is higher by this much.

The largest difference of 400 trainings of development with sound validation rows was .04.
"""
GAP = 0.08
"""Training and validation accuracy differ by at least this much if a network has memorised."""
ABOVE = 0.03
"""A training accuracy is above chance if it exceeds chance agreement and the largest class share by this much."""
RISE = 0.05
"""A loss has changed if it has changed by this many nats."""
STUCK = 0.98
"""A loss of at least this share of the entropy of the classes is that of guessing."""
LEAST_EPOCHS = 3


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


class Judgement(NamedTuple):
    """The state of a training.

    Attributes
    ----------
    answer
        *answer* is one of `ANSWERS`.
    reason
        *reason* is one line with the numbers.
    chance
        *chance* is the interval of the accuracy by chance agreement.
    other_rows
        *other_rows* estimates the share of validation rows that are not their own, where the answer is that some are.
    """

    answer: Answer
    reason: str
    chance: tuple[float, float]
    other_rows: float | None = None


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

    If the predicted shares are not known, it reaches from that of even answers to that of answers with the class shares.

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


def judged(curves: Curves, rows: ValidationRows) -> Judgement:
    """Return the state of a training.

    Parameters
    ----------
    curves
        *curves* are finite values of one epoch or more.
    rows
        *rows* are the validation rows.  Training rows are taken to have the same class shares.

    Examples
    --------
    >>> train, validation = np.array([0.97, 1.0, 1.0]), np.array([0.49, 0.50, 0.49])
    >>> curves = Curves(np.arange(3), np.array([0.12, 0.02, 0.01]), np.array([3.3, 4.0, 4.6]), train, validation)
    >>> judged(curves, ValidationRows(np.array([0.58, 0.42]), 2000)).answer
    'evaluated_on_other_rows'
    """
    signs = _signs(curves, rows)
    answer = _answer(curves, signs)
    return Judgement(
        answer,
        REASONS[answer](curves, signs),
        signs.chance,
        _other_rows(curves, signs) if answer == "evaluated_on_other_rows" else None,
    )


class _Signs(NamedTuple):
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


def _signs(curves: Curves, rows: ValidationRows) -> _Signs:
    known = rows.shares[rows.shares > 0]
    spread = float(curves.valid_accuracy.max())
    is_whole = bool(curves.epochs[0] in (0, 1) and (np.diff(curves.epochs) == 1).all())
    return _Signs(
        chance_interval(rows), float(known.max()), float(-(known * np.log(known)).sum()), float(np.log(len(rows.shares))),
        max(GAP / 2, 3 * (spread * (1 - spread) / (rows.n or ASSUMED_ROWS)) ** 0.5), curves.last, is_whole,
    )  # fmt: skip


def _answer(curves: Curves, signs: _Signs) -> Answer:
    last = signs.last
    if last.train_loss[0] >= STUCK * signs.entropy and last.train_accuracy[0] <= signs.guessed + ABOVE:
        return "not_trained"
    if len(curves.epochs) < LEAST_EPOCHS:
        return "cannot_tell"
    if _is_of_other_rows(curves, signs):
        return "evaluated_on_other_rows"
    if last.train_accuracy[0] - last.valid_accuracy[0] >= GAP:
        return _with_gap(curves, signs)
    if _is_falling(curves.valid_loss) and last.train_accuracy[0] < PERFECT:
        return "unfinished"
    has_learned = last.valid_accuracy[0] > signs.most_by_chance or last.valid_loss[0] < STUCK * signs.entropy
    return "healthy" if has_learned else "cannot_tell"


def _is_of_other_rows(curves: Curves, signs: _Signs) -> bool:
    last, best = signs.last, curves.valid_accuracy.max()
    is_perfect = last.train_accuracy[0] >= PERFECT and last.train_accuracy[0] - best >= GAP
    is_costly = last.valid_loss[0] >= max(signs.even, curves.valid_loss[0])
    if not (signs.is_whole and is_perfect and is_costly):
        return False
    is_worse = _first_gap(curves) >= WORSE_NATS or curves.train_accuracy[0] - best >= signs.worse
    return bool(is_worse or _is_at_chance_early(curves, signs))


def _first_gap(curves: Curves) -> float:
    """Return how much higher the loss of validation rows is than of unseen training rows, in the first epoch."""
    return float(curves.valid_loss[0] - curves.train_loss[0])


def _is_at_chance_early(curves: Curves, signs: _Signs) -> bool:
    """Return whether unseen training rows were above chance, training good in the second epoch, validation never."""
    highest, mean = curves.valid_accuracy.max(), curves.valid_accuracy.mean()
    is_at_chance = signs.chance[0] <= mean <= signs.chance[1] and highest <= signs.chance[1] + ABOVE
    is_above = curves.train_accuracy[0] >= signs.most_by_chance + ABOVE
    return bool(is_at_chance and is_above and curves.train_accuracy[1] - highest >= 2 * GAP)


def _with_gap(curves: Curves, signs: _Signs) -> Answer:
    """Return the answer where training is clearly better than validation, and the first epoch shows no other rows."""
    if _is_falling(curves.valid_loss):
        return "unfinished"
    rose = signs.last.valid_loss[0] >= curves.valid_loss.min() + RISE
    learned = curves.valid_loss.min() < STUCK * signs.entropy or curves.valid_accuracy.max() > signs.most_by_chance
    is_clean = signs.is_whole and _first_gap(curves) < WORSE_NATS
    is_fast = curves.train_accuracy[1] - curves.valid_accuracy.max() >= 2 * GAP
    return "memorised" if rose and learned and is_clean and not is_fast else "cannot_tell"


def _is_falling(loss: Floats) -> bool:
    """Return whether the loss is lowest in the last epochs, and lower than in the third before them."""
    n = max(1, len(loss) // 3)
    before = loss[-2 * n : -n] if len(loss) > n else loss[:1]
    return bool(loss.argmin() >= len(loss) - max(2, n // 2) and before.mean() - loss[-n:].mean() > RISE / 5)


def _other_rows(curves: Curves, signs: _Signs) -> float:
    train, validation = signs.last.train_accuracy[0], curves.valid_accuracy.mean()
    return float(np.clip((train - validation) / max(train - sum(signs.chance) / 2, GAP), 0, 1))


def _range(values: Floats) -> str:
    return f"{values.min():.3f} to {values.max():.3f}"


def _from_to(values: Floats) -> str:
    return f"from {values[0]:.2f} to {values[-1]:.2f}"


def _chance(signs: _Signs) -> str:
    return f"chance agreement is {signs.chance[0]:.3f} to {signs.chance[1]:.3f}"


def _of_other_rows(curves: Curves, signs: _Signs) -> str:
    share = _other_rows(curves, signs)
    return (
        f"In the first epoch the network was right on {curves.train_accuracy[0]:.3f} of training rows that it had not "
        f"seen. Validation accuracy stayed at {_range(curves.valid_accuracy)} ({_chance(signs)}), and its loss went "
        f"{_from_to(curves.valid_loss)} (guessing: {signs.entropy:.2f}). So labels, texts or images of about "
        f"{100 * share:.0f} % of the validation rows are not their own, or are read differently."
    )


def _memorised(curves: Curves, signs: _Signs) -> str:
    lowest = int(curves.valid_loss.argmin())
    return (
        f"Training accuracy reached {curves.train_accuracy.max():.3f}, and validation accuracy is "
        f"{signs.last.valid_accuracy[0]:.3f} at the end. The validation loss was lowest in epoch "
        f"{curves.epochs[lowest]:.0f} ({curves.valid_loss[lowest]:.2f}) and is {curves.valid_loss[-1]:.2f} now."
    )


def _not_trained(curves: Curves, signs: _Signs) -> str:
    return (
        f"The training loss is {signs.last.train_loss[0]:.3f} at the end, and that of guessing the class shares is "
        f"{signs.entropy:.3f}. Training accuracy is {signs.last.train_accuracy[0]:.3f}, and the largest class has "
        f"{signs.guessed:.3f} of the rows."
    )


def _unfinished(curves: Curves, signs: _Signs) -> str:
    return (
        f"The validation loss still falls: it went {_from_to(curves.valid_loss)} in {len(curves.epochs)} epochs, and "
        f"validation accuracy {_from_to(curves.valid_accuracy)}. Train longer."
    )


def _healthy(curves: Curves, signs: _Signs) -> str:
    return (
        f"Validation accuracy is {signs.last.valid_accuracy[0]:.3f} at the end, training accuracy "
        f"{signs.last.train_accuracy[0]:.3f} ({_chance(signs)}; the largest class has {signs.guessed:.3f})."
    )


def _open(curves: Curves, signs: _Signs) -> str:
    if len(curves.epochs) < LEAST_EPOCHS:
        return f"The history has {len(curves.epochs)} epochs. At least {LEAST_EPOCHS} are needed."
    found = (
        f"Training accuracy went {_from_to(curves.train_accuracy)}, and validation accuracy was "
        f"{_range(curves.valid_accuracy)} ({_chance(signs)}), at a loss that went {_from_to(curves.valid_loss)}."
    )
    if not signs.is_whole:
        return f"{found} The history lacks the first epoch or others, and the first one decides."
    if signs.last.train_accuracy[0] - signs.last.valid_accuracy[0] < GAP:
        return f"{found} Neither learning nor memorising is shown."
    return (
        f"{found} Either the inputs do not predict the label and the network memorised, or validation rows are not their "
        "own. Hold out some training rows: if the network is right on them, the validation rows are at fault."
    )


REASONS = {
    "evaluated_on_other_rows": _of_other_rows,
    "memorised": _memorised,
    "not_trained": _not_trained,
    "unfinished": _unfinished,
    "healthy": _healthy,
    "cannot_tell": _open,
}
