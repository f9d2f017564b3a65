"""How well a text finds its own image among others, by cheap features and a model that was not fitted on the pair.

Not a contender: no label is predicted, and no model is compared.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from counterpoint.measures.prediction_arrays import Codes
from counterpoint.metrics.intervals import normal_interval
from counterpoint.metrics.rows import Floats
from counterpoint.seeds import child_seed

FOLDS = 4
TEXT_WIDTH, IMAGE_WIDTH = 100, 40
COMPONENTS = 12
RIDGE = 0.1
PERMUTATIONS = 499
CELLS, ANGLES = 4, 8


class OwnImageRate(NamedTuple):
    """How often the own image of a text scores above another image, over held-out rows: .5 by chance.

    Attributes
    ----------
    rate
        *rate* is the mean over texts.
    low, high
        *low* and *high* are the ends of its 95 % interval.
    p
        *p* is the share of permutations of the images among the rows that reach as much.
    """

    rate: float
    low: float
    high: float
    p: float


def own_image_rate(text: Floats, image: Floats, groups: Sequence[str], codes: Codes | None = None) -> OwnImageRate:
    """Estimate how often a text scores higher with its own image than with another image, of any class or of its class.

    Canonical correlations (ridge-regularised) are fitted on three quarters of the groups, and tested on the rest.

    Parameters
    ----------
    text, image
        *text* and *image* are features of the same n rows, shape (n, n_text_features) and (n, n_image_features).
    groups
        *groups* stay together in one fold.
    codes
        *codes* are classes, shape (n,).  With them, the mean of its class is subtracted from each feature, and images
        are permuted within their class.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(200, 2))
    >>> text, image = np.hstack([shared, rng.normal(size=(200, 2))]), shared + rng.normal(size=(200, 2))
    >>> found = own_image_rate(text, image, [str(i) for i in range(200)])
    >>> found.rate > 0.6, found.p < 0.01
    (True, True)
    """
    rng = np.random.default_rng(child_seed(0, "cp004", "association"))
    fold = group_folds(groups, FOLDS, rng)
    strata = np.zeros(len(text), dtype=np.intp) if codes is None else codes
    rates, permuted = [], np.zeros(PERMUTATIONS)
    for each in range(FOLDS):
        known, new = fold != each, fold == each
        scores = _scores(text, image, known, new, strata)
        for code in np.unique(strata[new]):
            rows = np.flatnonzero(strata[new] == code)
            if len(rows) > 2:
                found, by_chance = _shares_below_own(scores[np.ix_(rows, rows)], rng)
                rates.append(found)
                permuted += by_chance
    every = np.concatenate(rates) if rates else np.full(2, 0.5)
    p = (1 + int((permuted >= every.sum() - 1e-9).sum())) / (1 + PERMUTATIONS)
    return OwnImageRate(*normal_interval(every), p)


def _shares_below_own(scores: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the share of other images that score below the own image of each row, and its sum in each permutation."""
    n = len(scores)
    places = scores.argsort(1, kind="stable").argsort(1, kind="stable") / (n - 1)  # of each image in each row, 0 … 1
    permutations = rng.permuted(np.tile(np.arange(n), (PERMUTATIONS, 1)), axis=1)
    return np.diagonal(places).copy(), places[np.arange(n), permutations].sum(1)


def _scores(text: Floats, image: Floats, known: Any, new: Any, strata: Codes) -> Floats:
    """Return the score of every held-out text with every held-out image."""
    x, y = (_whitened(features, known, strata) for features in (text, image))
    left, strength, right = np.linalg.svd(x[known].T @ y[known] / known.sum(), full_matrices=False)
    u, v = x[new] @ left[:, :COMPONENTS], y[new] @ right[:COMPONENTS].T
    unit = [
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (u * strength[:COMPONENTS], v)
    ]
    scores: Floats = unit[0] @ unit[1].T
    return scores


def _whitened(features: Floats, known: Any, strata: Codes) -> Floats:
    """Return *features* less the mean of their stratum, whitened.  Mean and whitening come from the rows *known*."""
    centred = features.copy()
    for code in np.unique(strata):
        own = known & (strata == code)
        centred[strata == code] -= features[own if own.any() else known].mean(0)
    values, vectors = np.linalg.eigh(centred[known].T @ centred[known] / known.sum())
    white: Floats = centred @ (vectors / np.sqrt(values.clip(min=0) + RIDGE * values.mean() + 1e-12))
    return white


def group_folds(groups: Sequence[str], n_folds: int, rng: np.random.Generator) -> Codes:
    """Return the fold of each row, from 0 on, shape (n,).  Rows of one group have the same fold.

    Parameters
    ----------
    groups
        *groups* has the group of each row.
    n_folds
        *n_folds* is the number of folds.
    rng
        *rng* orders the groups.

    Examples
    --------
    >>> found = group_folds(["a", "b", "a", "c"], 2, np.random.default_rng(0))
    >>> bool(found[0] == found[2]), set(found.tolist())
    (True, {0, 1})
    """
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    folds: Codes = rng.permutation(numbers.max() + 1)[numbers] % n_folds
    return folds


def tfidf(least: int) -> Any:
    """Return an unfitted tf-idf of words, of any length and script, that at least *least* texts have."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - slow to import

    return TfidfVectorizer(sublinear_tf=True, min_df=least, token_pattern=r"(?u)\b\w+\b")


def text_features(texts: Sequence[str]) -> Floats:
    """Return features of texts, shape (n, at most 100): words and runs of characters, in their main directions.

    >>> text_features(["a red fox", "a red car", "two cars", "one fox"]).shape[0]
    4
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - slow to import
    from sklearn.pipeline import make_union  # noqa: PLC0415 - slow to import

    least = 2 if len(texts) > 50 else 1
    runs = TfidfVectorizer(sublinear_tf=True, min_df=least, analyzer="char_wb", ngram_range=(2, 4), max_features=5000)
    try:
        matrix = make_union(tfidf(least), runs).fit_transform(texts)
    except ValueError:  # no word at all, or none that is in two texts
        return np.zeros((len(texts), 1))
    return _main(matrix, TEXT_WIDTH)


def image_features(pixels: NDArray[np.uint8]) -> Floats:
    """Return features of images, shape (n, at most 40): colours, coarse pixels, directions of edges.

    Parameters
    ----------
    pixels
        *pixels* have shape (n, channels, side_px, side_px).

    Examples
    --------
    >>> image_features(np.zeros((5, 3, 32, 32), np.uint8)).shape[0]
    5
    """
    scaled = pixels.astype(np.float32) / 255
    n, channels, side_px, _ = scaled.shape
    cut = side_px - side_px % 8
    coarse = scaled[:, :, :cut, :cut].reshape(n, channels, 8, cut // 8, 8, cut // 8).mean((3, 5))
    moments = np.stack([scaled.mean((2, 3)), scaled.std((2, 3))], axis=2)
    parts = [coarse, moments, _edges(scaled.mean(1))]
    blocks = [part.reshape(n, -1) for part in parts]
    scale = [block / max(float(block.std(0).mean()) * block.shape[1] ** 0.5, 1e-6) for block in blocks]
    return _main(np.hstack(scale) - np.hstack(scale).mean(0), IMAGE_WIDTH)


def _edges(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strength of edges of each direction in each cell, as shares: shape (n, cells, cells, directions)."""
    down, right = np.gradient(gray, axis=(1, 2))
    strength, angle = np.hypot(down, right), np.arctan2(down, right) % np.pi
    bins = np.minimum((angle / np.pi * ANGLES).astype(int), ANGLES - 1)
    cut = gray.shape[1] - gray.shape[1] % CELLS
    cells = np.stack([(strength * (bins == k))[:, :cut, :cut] for k in range(ANGLES)], axis=3)
    found = cells.reshape(len(gray), CELLS, cut // CELLS, CELLS, cut // CELLS, ANGLES).sum((2, 4))
    shares: NDArray[np.float32] = np.sqrt(found / np.maximum(found.sum((1, 2, 3), keepdims=True), 1e-6))
    return shares


def _main(matrix: Any, width: int) -> Floats:
    """Return the rows of *matrix* in its main directions."""
    from sklearn.utils.extmath import randomized_svd  # noqa: PLC0415 - slow to import

    width = min(width, min(matrix.shape) - 1)
    if width < 1:
        return np.zeros((matrix.shape[0], 1))
    left, strength, _ = randomized_svd(matrix, width, random_state=child_seed(0, "cp004", "svd"))
    found: Floats = left * strength
    return found
