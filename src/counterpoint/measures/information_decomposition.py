"""Partial information decomposition: the information of text and image on the label, in four parts.

The definition is from Bertschinger et al. (Entropy 2014, "BROJA").  It is solved on a joint table of counts, as in
Liang et al. (NeurIPS 2023).  Continuous modalities are clustered first.  So the values depend on the number of clusters
and on the number of rows.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from counterpoint.metrics.estimate import resampling_units
from counterpoint.metrics.intervals import TAILS_95, percentiles
from counterpoint.metrics.permutations import permute_groups
from counterpoint.metrics.rows import Floats
from counterpoint.seeds import child_seed

Codes = NDArray[np.intp]
TINY = 1e-300
ROUNDS, SCALINGS, ENOUGH = 300, 20, 1e-9


class Information(NamedTuple):
    """Bits about the label in both modalities, in the text alone, in the image alone, and only in the pair."""

    redundant: float
    unique_text: float
    unique_image: float
    synergistic: float


class Decomposition(NamedTuple):
    """The decomposition of a sample, its mean under permuted labels, and the ends of its intervals."""

    value: Information
    null: Information
    """The mean under permuted labels: the bias of this sample size without any information."""
    low: Information
    high: Information


def pid(joint: ArrayLike) -> Information:
    """Return the decomposition of a joint distribution P(text, image, label), shape (n_texts, n_images, n_labels).

    Let I(T), I(V) and I(T, V) be the information of the text, the image and both on the label Y.  Let I* be the least
    I(T, V) of all distributions with the same P(T, Y) and P(V, Y).  Then (Bertschinger et al. 2014)::

        redundant = I(T) + I(V) − I*       synergistic = I(T, V) − I*
        unique text = I* − I(V)            unique image = I* − I(T)

    Examples
    --------
    >>> xor = np.zeros((2, 2, 2))
    >>> for a in (0, 1):
    ...     for b in (0, 1):
    ...         xor[a, b, a ^ b] = 0.25
    >>> [round(bits, 3) + 0.0 for bits in pid(xor)]
    [0.0, 0.0, 0.0, 1.0]
    """
    return Information(*map(float, _parts(np.asarray(joint, dtype=float)[None])[0]))


def pid_of(
    text: ArrayLike,
    image: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Iterable[Any] | None = None,
    draws: int = 100,
    permutations: int = 50,
    seed: int = 0,
) -> Decomposition:
    """Return the decomposition of discrete *text* and *image* codes, with a permutation null and a bootstrap.

    Both keep groups whole.  Otherwise near-duplicates make the intervals too narrow and the null too small.

    Parameters
    ----------
    text, image
        *text* and *image* are codes from 0 on, such as `clusters` or predicted classes.
    labels
        *labels* are the classes of the rows.
    groups
        *groups* are drawn and permuted as a whole.  By default, each row is a unit.
    draws
        *draws* is the number of bootstrap draws.
    permutations
        *permutations* is the number of permutations of the labels.
    seed
        *seed* fixes the draws and the permutations.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> text, image = rng.integers(0, 2, 400), rng.integers(0, 2, 400)
    >>> found = pid_of(text, image, text ^ image, draws=20, permutations=20)
    >>> found.value.synergistic > 0.9, found.null.synergistic < 0.1
    (True, True)
    """
    codes = [np.unique(np.asarray(values), return_inverse=True)[1] for values in (text, image, labels)]
    shape = tuple(int(values.max()) + 1 for values in codes)
    rng = np.random.default_rng(child_seed(seed, "pid"))
    _, members = np.unique(np.asarray(list(resampling_units(groups, len(codes[0])))), return_inverse=True)
    n = int(members.max()) + 1
    shuffled = [_counted([*codes[:2], permute_groups(codes[2], members, rng)], shape) for _ in range(permutations)]
    times = (np.bincount(taken, minlength=n)[members] for taken in rng.integers(0, n, (draws, n)))
    drawn = [_counted(codes, shape, weights) for weights in times]
    parts = _parts(np.stack([_counted(codes, shape), *shuffled, *drawn]))  # (1 + permutations + draws, 4)
    # A table of few rows has too much information, and a drawn one has it twice: only the spread of the draws counts.
    spread = parts[0] + parts[1 + permutations :] - parts[1 + permutations :].mean(axis=0)
    low, high = zip(*(percentiles(values, TAILS_95) for values in spread.clip(min=0).T), strict=True)
    rows = parts[0], parts[1 : 1 + permutations].mean(axis=0), low, high
    return Decomposition(*(Information(*map(float, bits)) for bits in rows))


def clusters(features: ArrayLike, n: int, *, seed: int = 0) -> Codes:
    """Return the k-means cluster of each row.

    Parameters
    ----------
    features
        *features* have shape (n_rows, n_features).
    n
        *n* is the number of clusters.
    seed
        *seed* fixes the first centres.

    Examples
    --------
    >>> sorted(set(clusters([[0.0], [0.1], [5.0], [5.1]], 2).tolist()))
    [0, 1]
    """
    from sklearn.cluster import KMeans  # noqa: PLC0415 - a second that the decomposition itself does not need

    model: Any = KMeans(n, n_init=4, random_state=child_seed(seed, "clusters") % 2**32)
    codes: Codes = model.fit_predict(np.asarray(features, dtype=float)).astype(np.intp)
    return codes


def _counted(codes: list[Codes], shape: tuple[int, ...], weights: Codes | None = None) -> Floats:
    counts = np.bincount(np.ravel_multi_index(codes, shape), weights, minlength=int(np.prod(shape)))
    return counts.reshape(shape).astype(float)


def _parts(joint: Floats) -> Floats:
    """Return the decompositions of *joint*, shape (tables, texts, images, labels), as shape (tables, 4)."""
    p = joint / joint.sum(axis=(1, 2, 3), keepdims=True)
    least, whole = _least(p), _information(p.reshape(len(p), -1, p.shape[3]))
    of_text, of_image = _information(p.sum(2)), _information(p.sum(1))
    parts = (of_text + of_image - least, least - of_image, least - of_text, whole - least)
    result: Floats = np.stack(parts, axis=1).clip(min=0)
    return result


def _least(p: Floats) -> Floats:
    """Return the least information on the label of all distributions with both marginals of P with the label.

    Two steps alternate.  Q is the table nearest to R in each slice of a label that has the marginals (Sinkhorn's
    scaling).  R is the mixture of the slices.  Both steps lower Σ_y P(y) KL(Q(·|y) ‖ R), which is this information.
    """
    rows, columns = p.sum(2), p.sum(1)  # (tables, texts, labels), (tables, images, labels)
    weight = rows.sum(1)[:, None, None, :]
    q = rows[:, :, None, :] * columns[:, None, :, :] / np.maximum(weight, TINY)
    now = np.full(len(p), np.inf)
    for _ in range(ROUNDS):
        q = _scaled(np.broadcast_to(q.sum(3, keepdims=True), q.shape), rows, columns)
        before, now = now, _information(q.reshape(len(q), -1, q.shape[3]))
        if (before - now).max() < ENOUGH:
            break
    return now


def _scaled(q: Floats, rows: Floats, columns: Floats) -> Floats:
    """Return *q* with each slice scaled to the marginals *rows* and *columns* (Sinkhorn)."""
    for _ in range(SCALINGS):
        q = q * (rows / np.maximum(q.sum(2), TINY))[:, :, None, :]
        q = q * (columns / np.maximum(q.sum(1), TINY))[:, None, :, :]
        if np.abs(q.sum(2) - rows).max() < ENOUGH:
            break
    return q


def _information(p: Floats) -> Floats:
    """Return the mutual information of rows and columns of each table, shape (tables, a, b), in bits."""
    independent = p.sum(2, keepdims=True) * p.sum(1, keepdims=True)
    ratio = np.where(p > 0, p / np.maximum(independent, TINY), 1)
    result: Floats = (p * np.log2(ratio)).sum(axis=(1, 2))
    return result
