"""The state of one training, judged from its learning curves alone.

The first epoch decides.  Training accuracy and loss are means over its batches, each measured before the network has
learned them.  So they are values on unseen rows, and validation after the epoch should be at least as good.  If it is
clearly worse, the validation rows differ from the training rows.  Memorising cannot have this effect: it needs a second
look at a row (the prequential view; Dawid, JRSS A 1984).

Does not tell which of text, image and label is wrong: that needs the predictions of several models.
"""

from typing import Literal, NamedTuple, get_args

from counterpoint.measures.curve_reasons import LEAST_EPOCHS, REASONS
from counterpoint.measures.curve_signs import (
    GAP,
    Curves,
    Signs,
    ValidationRows,
    first_gap,
    share_of_other_rows,
    signs_of,
)
from counterpoint.metrics.rows import Floats

Answer = Literal["memorised", "not_trained", "evaluated_on_other_rows", "unfinished", "healthy", "cannot_tell"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
PERFECT = 0.95
"""From this training accuracy on, training is nearly perfect."""
WORSE_NATS = 0.08
"""Validation is worse than unseen training rows if its loss after the first epoch is higher by this much.

The largest difference of 320 trainings of development with sound validation rows was .04.
"""
ABOVE = 0.03
"""A training accuracy is above chance if it exceeds chance agreement and the largest class share by this much."""
RISE = 0.05
"""A loss has changed if it has changed by this many nats."""
STUCK = 0.98
"""A loss of at least this share of the entropy of the classes is that of guessing."""


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
    >>> import numpy as np
    >>> train, validation = np.array([0.97, 1.0, 1.0]), np.array([0.49, 0.50, 0.49])
    >>> curves = Curves(np.arange(3), np.array([0.12, 0.02, 0.01]), np.array([3.3, 4.0, 4.6]), train, validation)
    >>> judged(curves, ValidationRows(np.array([0.58, 0.42]), 2000)).answer
    'evaluated_on_other_rows'
    """
    signs = signs_of(curves, rows)
    answer = _answer(curves, signs)
    return Judgement(
        answer,
        REASONS[answer](curves, signs),
        signs.chance,
        share_of_other_rows(curves, signs) if answer == "evaluated_on_other_rows" else None,
    )


def _answer(curves: Curves, signs: Signs) -> Answer:
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


def _is_of_other_rows(curves: Curves, signs: Signs) -> bool:
    last, best = signs.last, curves.valid_accuracy.max()
    is_perfect = last.train_accuracy[0] >= PERFECT and last.train_accuracy[0] - best >= GAP
    is_costly = last.valid_loss[0] >= max(signs.even, curves.valid_loss[0])
    if not (signs.is_whole and is_perfect and is_costly):
        return False
    is_worse = first_gap(curves) >= WORSE_NATS or curves.train_accuracy[0] - best >= signs.worse
    return bool(is_worse or _is_at_chance_early(curves, signs))


def _is_at_chance_early(curves: Curves, signs: Signs) -> bool:
    """Return whether unseen training rows were above chance, training good in the second epoch, validation never."""
    highest, mean = curves.valid_accuracy.max(), curves.valid_accuracy.mean()
    is_at_chance = signs.chance[0] <= mean <= signs.chance[1] and highest <= signs.chance[1] + ABOVE
    is_above = curves.train_accuracy[0] >= signs.most_by_chance + ABOVE
    return bool(is_at_chance and is_above and curves.train_accuracy[1] - highest >= 2 * GAP)


def _with_gap(curves: Curves, signs: Signs) -> Answer:
    """Return the answer where training is clearly better than validation, and the first epoch shows no other rows."""
    if _is_falling(curves.valid_loss):
        return "unfinished"
    rose = signs.last.valid_loss[0] >= curves.valid_loss.min() + RISE
    learned = curves.valid_loss.min() < STUCK * signs.entropy or curves.valid_accuracy.max() > signs.most_by_chance
    is_clean = signs.is_whole and first_gap(curves) < WORSE_NATS
    is_fast = curves.train_accuracy[1] - curves.valid_accuracy.max() >= 2 * GAP
    return "memorised" if rose and learned and is_clean and not is_fast else "cannot_tell"


def _is_falling(loss: Floats) -> bool:
    """Return whether the loss is lowest in the last epochs, and lower than in the third before them."""
    n = max(1, len(loss) // 3)
    before = loss[-2 * n : -n] if len(loss) > n else loss[:1]
    return bool(loss.argmin() >= len(loss) - max(2, n // 2) and before.mean() - loss[-n:].mean() > RISE / 5)
