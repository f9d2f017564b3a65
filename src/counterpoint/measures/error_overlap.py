"""The possible gain from a combination of two models, computed from the rows on which each is correct."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from counterpoint.metrics.estimate import Estimate, estimated, estimates, resampling_units
from counterpoint.metrics.rows import Floats


def error_overlap(
    text: ArrayLike, image: ArrayLike, *, groups: Iterable[Any] | None = None, draws: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Return the shares of rows on which both, one or neither of two models are correct, and Yule's Q.

    Q = (ad − bc) / (ad + bc) for the shares a (both), b and c (one) and d (neither), after Yule (1900).  Kuncheva and
    Whitaker (Machine Learning 2003) use it for models.  Q is 1 if the correct rows of one model include the correct
    rows of the other.  Q is 0 if errors are independent.  Q is −1 if the models are never both correct, or never both
    wrong.  It is also 0 if it is not defined, for example if both are always correct.

    Parameters
    ----------
    text, image
        *text* and *image* are 1 or 0 for each row: whether that model is correct.
    groups
        *groups* are drawn as a whole.  By default, each row is drawn by itself.
    draws
        *draws* is the number of bootstrap draws.
    seed
        *seed* fixes the draws.

    Returns
    -------
    dict
        An Estimate each for ``both``, ``text_only``, ``image_only``, ``neither`` and ``q``.

    Examples
    --------
    >>> found = error_overlap([1, 1, 0, 0] * 25, [1, 0, 1, 0] * 25)
    >>> {name: share.value for name, share in found.items()}
    {'both': 0.25, 'text_only': 0.25, 'image_only': 0.25, 'neither': 0.25, 'q': 0.0}
    >>> found["q"].low < 0 < found["q"].high
    True
    """
    a, b = np.asarray(text, dtype=bool), np.asarray(image, dtype=bool)
    cells = np.stack([a & b, a & ~b, ~a & b, ~a & ~b], axis=1).astype(float)  # (n, 4)

    def measure(weights: Floats) -> Floats:
        shares = weights @ cells / weights.sum(1, keepdims=True)  # (draws, 4)
        both, one, other, none = shares.T
        agree, differ = both * none, one * other
        total = agree + differ
        return np.column_stack([shares, (agree - differ) / np.where(total > 0, total, 1)])

    found = estimates(measure, resampling_units(groups, len(a)), draws=draws, seed=seed)
    return dict(zip(("both", "text_only", "image_only", "neither", "q"), found, strict=True))


def oracle_headroom(
    text: ArrayLike,
    image: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Iterable[Any] | None = None,
    draws: int = 1000,
) -> Estimate:
    """Return the accuracy of the oracle of two models minus its accuracy under independent errors.

    The oracle is correct if one of the models is.  Even random errors put it above both models.  So its expected
    accuracy is subtracted, with the errors of the second model permuted within each class.  Below 0, the models err on
    the same rows, and a fusion has little to choose between.

    Parameters
    ----------
    text, image
        *text* and *image* are 1 or 0 for each row: whether that model is correct.
    labels
        *labels* are the classes of the rows.
    groups
        *groups* are drawn as a whole.  By default, each row is drawn by itself.
    draws
        *draws* is the number of bootstrap draws.

    Examples
    --------
    >>> right = np.array([1, 1, 0, 0] * 25)
    >>> found = oracle_headroom(right, 1 - right, ["a"] * 100)
    >>> round(found.value, 2), found.low > 0
    (0.25, True)
    """
    a, b = np.asarray(text, dtype=bool), np.asarray(image, dtype=bool)
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    either = (a | b).astype(float)
    # The mean over all permutations of the errors within a class, in closed form.
    rate = np.array([b[codes == code].mean() for code in range(codes.max() + 1)])[codes]
    expected = a + (1 - a) * rate
    return _mean(either - expected, groups, draws)


def conditional_utilisation(both: ArrayLike, alone: ArrayLike, *, groups: Any = None, draws: int = 1000) -> Estimate:
    """Return the share of a model's accuracy that is lost without one modality.

    u = (A(both) − A(alone)) / A(both), the conditional utilisation rate (Wu et al., ICML 2022, equation 1).

    Parameters
    ----------
    both, alone
        *both* and *alone* are 1 or 0 for each row: whether the model is correct with and without that modality.
    groups
        *groups* are drawn as a whole.  By default, each row is drawn by itself.
    draws
        *draws* is the number of bootstrap draws.

    Examples
    --------
    >>> conditional_utilisation([1, 1, 1, 1], [1, 1, 1, 0]).value
    0.25
    """
    a, b = np.asarray(both, dtype=float), np.asarray(alone, dtype=float)

    def measure(weights: Floats) -> Floats:
        found: Floats = (weights @ (a - b)) / np.maximum(weights @ a, 1e-12)
        return found

    return estimated(measure, resampling_units(groups, len(a)), draws=draws)


def _mean(values: Floats, groups: Any, draws: int) -> Estimate:
    def measure(weights: Floats) -> Floats:
        found: Floats = weights @ values / weights.sum(1)
        return found

    return estimated(measure, resampling_units(groups, len(values)), draws=draws)
