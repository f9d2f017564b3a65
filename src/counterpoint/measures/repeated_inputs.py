"""Texts and images that several rows share, so that they describe none of these rows by itself.

Does not judge them.  Placeholder pictures, boilerplate and near-duplicates all look like this.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.config import Group
from counterpoint.data.group import first_of, sets_of_words
from counterpoint.data.near import Ints, merge_clusters, near_hashes, near_sets
from counterpoint.rules import words
from counterpoint.schema import Frame

MISSING = -1
"""The cluster of a row without a text, or without an image that shows anything."""


class RepeatedInputs(NamedTuple):
    """The clusters of equal or nearly equal texts, and of such images.

    Attributes
    ----------
    text, image
        *text* and *image* have the cluster of each row, shape (n,), or `MISSING`.  They are None where the pairs have
        no such column, or only nulls in it: an outside model may have read its own.
    """

    text: Ints | None
    image: Ints | None

    def units(self, groups: Ints) -> Ints:
        """Return the cluster of rows that share a text, an image or one of *groups*, shape (n,)."""
        alone = np.arange(len(groups))
        clusters = (np.where(each == MISSING, alone, each) for each in (self.text, self.image) if each is not None)
        return merge_clusters([groups, *clusters])


def repeated_inputs(pairs: Frame, rules: Group) -> RepeatedInputs:
    """Return the clusters of the texts and of the images of *pairs*.

    Parameters
    ----------
    pairs
        *pairs* may have ``text``, ``image``, ``sha256`` and ``phash``.  An image without a ``phash`` is blank, where
        others have one.
    rules
        *rules* gives the limits of likeness.  Texts of fewer words than ``min_words`` must be equal but for case and
        punctuation.

    Examples
    --------
    >>> pairs = pl.DataFrame({"text": ["No title.", "no title", "", "a fox"], "image": ["x", None, "y", "x"]})
    >>> found = repeated_inputs(pairs, Group())
    >>> found.text.tolist(), found.image.tolist()
    ([0, 0, -1, 3], [0, -1, 2, 0])
    """
    known = {name for name in ("text", "image", "sha256") if name in pairs.columns and pairs[name].count()}
    text = _texts(pairs["text"], rules) if "text" in known else None
    image = _images(pairs, "sha256" if "sha256" in known else "image", rules) if known - {"text"} else None
    return RepeatedInputs(text, image)


def sizes(clusters: Ints | None, n: int) -> Ints:
    """Return the number of rows in the cluster of each of *n* rows: 0 for a missing input, and 1 without such inputs.

    >>> sizes(np.array([0, 0, -1, 3]), 4).tolist(), sizes(None, 2).tolist()
    ([2, 2, 0, 1], [1, 1])
    """
    if clusters is None:
        return np.ones(n, dtype=np.int64)
    counts = np.bincount(clusters[clusters != MISSING], minlength=n)
    return np.where(clusters == MISSING, 0, counts[clusters])


def _texts(texts: pl.Series, rules: Group) -> Ints:
    table = texts.cast(pl.String).alias("text").to_frame()
    spelled = words(pl.col("text")).list.join(" ")
    written = pl.col("text").str.strip_chars()
    exact = table.select(pl.when(spelled != "").then(spelled).when(written != "").then(written).alias("key"))["key"]
    near = sets_of_words(table, rules.min_words)
    clusters = first_of(near, lambda each: near_sets(each.str.split(" "), rules.min_jaccard))
    joined = np.where(near.is_null().to_numpy(), first_of(exact), clusters)
    return np.where(exact.is_null().to_numpy(), MISSING, joined)


def _images(pairs: Frame, column: str, rules: Group) -> Ints:
    is_missing, links = pairs[column].is_null(), [first_of(pairs[column])]
    if "phash" in pairs.columns and pairs["phash"].count():
        links.append(first_of(pairs["phash"], lambda each: near_hashes(each.to_numpy(), rules.max_bits)))
        is_missing |= pairs["phash"].is_null()
    return np.where(is_missing.to_numpy(), MISSING, merge_clusters(links))
