"""The agreement of the text and the image of each pair, by a map into one space that was not learned from the pair."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from counterpoint.measures.encoded_pairs import EncodedPairs
from counterpoint.measures.joint_map import JointMap
from counterpoint.measures.own_image_rate import FOLDS, group_folds
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.metrics.rows import Floats
from counterpoint.schema import AGREEMENT, Frame, empty
from counterpoint.seeds import child_seed

MOST_KNOWN = 5000
"""The largest number of pairs that a map is learned from."""
N_OTHERS = 1000
"""The largest number of other pairs that a pair is compared with."""
AT_ONCE = 2000
QUEUED = 0.2
"""The share of pairs in the queue.  Of pairs with the text of another row, most are in it."""


def pair_agreement(encoded_pairs: EncodedPairs | None) -> Frame:
    """Return the agreement of each pair: schema.AGREEMENT, in the order of the pairs.

    The map is learned from three quarters of the groups, and applied to the rest.

    Parameters
    ----------
    encoded_pairs
        *encoded_pairs* are pairs with their vectors, or None.

    Returns
    -------
    Frame
        ``agreement`` is the product of the directions of text and image, from -1 to 1.  ``standing`` is the share of
        other texts that agree less with the image, and of other images that agree less with the text: the mean of
        both.  A text of another row has a standing of .5 on average.  Without encoded pairs there are no rows.

    Examples
    --------
    >>> pair_agreement(None).columns
    ['id', 'agreement', 'standing']
    """
    if encoded_pairs is None:
        return empty(AGREEMENT)
    rng = np.random.default_rng(child_seed(0, "agreement"))
    folds = group_folds(encoded_pairs.rows["group"].to_list(), FOLDS, rng)
    agreement, standing = np.zeros(len(folds)), np.zeros(len(folds))
    for fold in range(FOLDS):
        known, new = _sample(np.flatnonzero(folds != fold), MOST_KNOWN, rng), np.flatnonzero(folds == fold)
        learned = JointMap.fitted(encoded_pairs.vectors(known))
        others = _Directions.of(encoded_pairs, learned, _sample(new, N_OTHERS, rng))
        for rows in _parts(new):
            own = _Directions.of(encoded_pairs, learned, rows)
            agreement[rows], standing[rows] = (own.texts * own.images).sum(1), _standing(own, others)
    ids = encoded_pairs.rows["id"]
    return pl.DataFrame({"id": ids, "agreement": agreement, "standing": standing}, schema=dict(AGREEMENT))


def least_agreeing(agreement: Frame) -> list[dict[str, Any]]:
    """Return the fifth of the pairs whose text and image agree least, the least first.

    >>> rows = {"id": ["a", "b", "c", "d", "e"], "agreement": [0.4, 0.1, 0.5, 0.3, 0.2],
    ...         "standing": [0.9, 0.2, 1.0, 0.8, 0.6]}
    >>> least_agreeing(pl.DataFrame(rows))
    [{'id': 'b', 'agreement': 0.1, 'standing': 0.2}]
    """
    first = agreement.sort("standing", "agreement").head(round(QUEUED * len(agreement)))
    return first.with_columns(pl.col("agreement", "standing").round(4)).to_dicts()


class _Directions(NamedTuple):
    """The directions of the texts and images of *rows*, each of shape (n, width)."""

    rows: Codes
    texts: Floats
    images: Floats

    @classmethod
    def of(cls, pairs: EncodedPairs, learned: JointMap, rows: Codes) -> "_Directions":
        vectors = pairs.vectors(rows)
        return cls(rows, learned.texts(vectors.text), learned.images(vectors))


def _standing(own: _Directions, others: _Directions) -> Floats:
    """Return the share of *others* that agree less than the own text and image of each row, shape (n,)."""
    is_other = own.rows[:, None] != others.rows
    agreed = (own.texts * own.images).sum(1, keepdims=True)
    scores = own.images @ others.texts.T, own.texts @ others.images.T
    mean: Floats = np.mean([_share_below(each, agreed, is_other) for each in scores], axis=0)
    return mean


def _share_below(scores: Floats, agreed: Floats, is_other: Any) -> Floats:
    """Return the share of *scores* below *agreed* in each row.  Half of those that are equal count."""
    below = (scores < agreed) + 0.5 * (scores == agreed)
    share: Floats = (below * is_other).sum(1) / np.maximum(is_other.sum(1), 1)
    return share


def _sample(rows: Codes, most: int, rng: np.random.Generator) -> Codes:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _parts(rows: Codes) -> Iterator[Codes]:
    yield from (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
