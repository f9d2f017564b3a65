"""What two single-entity models could gain from each other, read from their hits on the same rows."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpoint.metrics.estimate import Estimate, Floats, estimated, estimates, resampling_units

Hits = NDArray[np.bool_]


def error_overlap(
    text: ArrayLike, image: ArrayLike, *, groups: Iterable[Any] | None = None, draws: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Return the share of rows that both, one or none of two models get right, and Yule's Q of their hits.

    Q is 1 where one model's hits are among the other's, 0 where they are independent, -1 where no row is both right
    or both wrong; and 0 where it is not defined, as of two models that are always right.

    Parameters
    ----------
    text, image
        *text* and *image* say of each row whether that model is right.
    groups
        *groups* are what is drawn together; by default, each row by itself.

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
    """Return how far the oracle of two models is above the better, beyond what independent errors would give.

    The oracle is right where either is.  Even two models that err by chance have one above them, so what it would
    reach with the errors of the second dealt anew within each class is subtracted: below 0, the two err on the same
    rows, and there is little that a fusion could choose between.

    Parameters
    ----------
    text, image
        *text* and *image* say of each row whether that model is right.
    labels, groups
        *labels* are the rows' classes, *groups* what is drawn together.

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
    # The mean over all ways to deal the errors within a class, without dealing them.
    rate = np.array([b[codes == code].mean() for code in range(codes.max() + 1)])[codes]
    expected = a + (1 - a) * rate
    return _mean(either - expected, groups, draws)


def conditional_utilisation(both: ArrayLike, alone: ArrayLike, *, groups: Any = None, draws: int = 1000) -> Estimate:
    """Return the share of a model's accuracy that is lost without one modality (Wu et al., ICML 2022, equation 1).

    Parameters
    ----------
    both, alone
        *both* says of each row whether the model is right, *alone* whether it is without that modality.

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
