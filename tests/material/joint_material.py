"""Made pairs with vectors in a joint space, without an encoder."""

import numpy as np
import polars as pl

from counterpoint.encoders.encodings import Encodings
from counterpoint.measures.encoded_pairs import EncodedPairs

WIDTH = 8


def encodings_of(vectors):
    """Return *vectors* as encodings without a missing row."""
    vectors = vectors.astype(np.float32)
    return Encodings(vectors.shape[1], np.zeros(len(vectors), dtype=bool), lambda rows: vectors[rows])


def made_encoded(n, *, shared=1.0, permuted=0.0, seed=0, classes=2):
    """Return *n* encoded pairs, and which of them have the text of another.

    Parameters
    ----------
    shared
        *shared* is the size of the part that text and image have in common.  The part of each has size 1.
    permuted
        *permuted* is the share of the pairs that exchange their texts.
    """
    rng = np.random.default_rng(seed)
    common = shared * rng.normal(size=(n, WIDTH))
    text, image = (common + rng.normal(size=(n, WIDTH)) for _ in range(2))
    moved = rng.choice(n, round(permuted * n), replace=False)
    text[moved] = text[np.roll(moved, 1)]
    ids = [f"{row:04d}" for row in range(n)]
    labels = [f"class_{code}" for code in rng.integers(0, classes, n)]
    rows = pl.DataFrame({"id": ids, "row": range(n), "text": "a text", "image": "a.png", "label": labels, "group": ids})
    return EncodedPairs(rows, encodings_of(text), encodings_of(image), np.asarray), np.isin(np.arange(n), moved)


def shown_class(lite0, name):
    """Return features of an image, shape (1, 1280), for which the class *name* is far more probable than others."""
    weight = lite0._head[0][lite0.class_names().index(name)]
    return 20 * weight[None] / (weight**2).sum()
