"""Pairs with their vectors in the joint space of the encoders that work offline (`counterpoint.encoders.joint`)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.encoders import shared_encoder
from counterpoint.encoders.base import Encoder
from counterpoint.encoders.catalogue import CATALOGUE
from counterpoint.encoders.encodings import Encodings
from counterpoint.encoders.joint import Joint
from counterpoint.measures.joint_map import JointVectors
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.measures.sampled_rows import sampled_blocks
from counterpoint.schema import Frame

JOINT = "joint"
FEW_PAIRS = 50
"""From fewer pairs, a map of images to texts learns nothing, and few others are there to compare with."""
MOST_PAIRS = 10_000
"""Of more pairs a sample is encoded, unless all are wanted."""

Vectors = NDArray[np.float32]
Encode = Callable[[Frame, Encoder, str], Encodings]
"""Returns the vectors of pairs by an encoder, for "text" or "image"."""


class JointSpace(NamedTuple):
    """A space of texts and images.

    Attributes
    ----------
    texts, images
        *texts* and *images* are the encoders of each modality.
    in_space
        *in_space* puts vectors by *images* into the space of *texts*.
    """

    texts: Encoder
    images: Encoder
    in_space: Callable[[Vectors], Vectors]


class EncodedPairs(NamedTuple):
    """Pairs that have a text and a readable image, in the order of their source.

    Attributes
    ----------
    rows
        *rows* are the n pairs.
    text, features
        *text* and *features* are the vectors of their texts and images by the two encoders.
    in_space
        *in_space* puts the vectors of images into the space of those of texts.
    """

    rows: Frame
    text: Encodings
    features: Encodings
    in_space: Callable[[Vectors], Vectors]

    def vectors(self, rows: Codes) -> JointVectors:
        """Return the vectors of *rows*, in that order."""
        features = self.features[rows]
        found = self.text[rows], self.in_space(features), features
        return JointVectors(*(vectors.astype(np.float64) for vectors in found))


def installed_files() -> dict[str, str] | None:
    """Return the sha256 of each file of the joint space, or None where a package of it is not installed."""
    entry = CATALOGUE[JOINT]
    return None if entry.missing() else entry.digests()


def encoded_pairs(pairs: Frame, encode: Encode | None, depth: str) -> EncodedPairs | None:
    """Return *pairs* with their vectors, or None without an encoder, or where fewer than 50 have both modalities.

    Parameters
    ----------
    pairs
        *pairs* are the rows of a study.
    encode
        *encode* returns the vectors of pairs.
    depth
        *depth* is "fast" for at most 10,000 pairs, and "full" for all.

    Raises
    ------
    ConfigError
        When a file of an encoder has another content than the one that is allowed.
    """
    whole = with_both(pairs)
    if encode is None or len(whole) < FEW_PAIRS:
        return None
    rows = in_source_order(whole)
    rows = rows if depth == "full" else sampled_blocks(rows, MOST_PAIRS)
    space = joint_space()
    features = encode(rows, space.images, "image")
    there = np.flatnonzero(~features.is_missing).tolist()
    if len(there) < FEW_PAIRS:
        return None
    return EncodedPairs(
        rows[there], encode(rows, space.texts, "text").take(there), features.take(there), space.in_space
    )


def joint_space() -> JointSpace:
    """Return the joint space of the catalogue.

    Raises
    ------
    ConfigError
        When a package of it is not installed.
    """
    encoder = shared_encoder(JOINT)
    if isinstance(encoder, Joint):  # the features of its images are richer than its classes
        return JointSpace(encoder.texts, encoder.images, encoder.of_features)
    return JointSpace(encoder, encoder, lambda vectors: vectors)


def with_both(pairs: Frame) -> Frame:
    """Return the *pairs* that have a text and an image.

    >>> with_both(pl.DataFrame({"text": ["a", None], "image": ["a.png", "b.png"]}))["image"].to_list()
    ['a.png']
    """
    is_there = {"text", "image"} <= set(pairs.columns)
    return pairs.filter(pl.all_horizontal(pl.col("text", "image").is_not_null()) if is_there else pl.lit(False))


def in_source_order(pairs: Frame) -> Frame:
    """Return *pairs* in the order of their source, with the column ``row``."""
    return pairs.sort("row") if "row" in pairs.columns else pairs.with_columns(row=pl.int_range(len(pairs)))
