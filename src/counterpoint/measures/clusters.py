"""Clusters of texts and of images by the vectors that a contender reads, named by the words that are frequent in each.

Labels and predictions play no part in it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from counterpoint.contenders.plan import stored_reading
from counterpoint.contenders.vectors import Vectors
from counterpoint.encoders.pooling import unit
from counterpoint.measures.row_facts import CLUSTERED, LONGEST_WORD, WORD
from counterpoint.schema import CLUSTERS, Frame
from counterpoint.seeds import child_seed

N_CLUSTERS, LEAST_PAIRS = 8, 200
"""The number of clusters of a modality, and the number of pairs that it needs."""
MOST_FITTED, CHUNK, STARTS = 5_000, 10_000, 4
"""Rows that find the centres, rows that are read at once, and starts of k-means, of which the best counts."""
N_WORDS, MOST_NAMED = 3, 20_000
"""The number of words that name a cluster, and the number of rows in which they are counted."""
LEAST_SHARE = 0.02
"""A word names a cluster only if at least this share of its texts has it."""


def clusters_of(pairs: Frame, contenders: Mapping[str, Any], *, encodings: Path | None = None) -> Frame:
    """Return the cluster of the text and of the image of each pair: schema.CLUSTERS.

    A modality has clusters if a contender reads it by an encoder, so that its vectors are stored already.  They are
    those of k-means, with vectors of length 1.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS.
    contenders
        *contenders* are the unfitted contenders by name.
    encodings
        *encodings* is the folder of the stored encodings.

    Examples
    --------
    >>> pairs = pl.DataFrame({"id": ["1", "2"], "text": ["a fox", "a car"], "image": [None, None]})
    >>> clusters_of(pairs, {}).row(0)
    ('1', None, None)
    """
    rows = pairs.unique("id", keep="first", maintain_order=True)
    found = [_named(rows, modality, contenders, encodings).alias(column) for modality, column in CLUSTERED.items()]
    return rows.select("id", *found).select(list(CLUSTERS))


def with_clusters(pairs: Frame, clusters: Frame) -> Frame:
    """Return *pairs* with the columns of *clusters*, as `counterpoint.measures.row_facts` reads them.

    They take the place of columns of the same names.

    Parameters
    ----------
    pairs, clusters
        *pairs* is schema.PAIRS, and *clusters* schema.CLUSTERS.
    """
    return pairs.drop(CLUSTERED.values(), strict=False).join(clusters, on="id", how="left", maintain_order="left")


def _named(rows: Frame, modality: str, contenders: Mapping[str, Any], encodings: Path | None) -> pl.Series:
    """Return the name of the cluster of each row, null where it has none."""
    reading = stored_reading(contenders, modality)
    there = np.flatnonzero(rows[modality].is_not_null().to_numpy())
    if reading is None or len(there) < LEAST_PAIRS:
        return pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    vectors = reading.vectors(rows[there], None if encodings is None else str(encodings))
    rng = np.random.default_rng(child_seed(0, "clusters", modality))
    codes = np.full(len(rows), -1)
    codes[there] = clustered(vectors, rng)
    named = np.sort(rng.choice(there, min(len(there), MOST_NAMED), replace=False))
    names = dict(enumerate(cluster_names(rows["text"][named], codes[named])))
    return pl.Series([names.get(code) for code in codes.tolist()], dtype=pl.String)


def clustered(vectors: Vectors | NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the number of the cluster of each row of *vectors*, −1 for a row without one, shape (n,).

    Parameters
    ----------
    vectors
        *vectors* have shape (n, width), and are read in parts.  A missing one is zero.
    rng
        *rng* draws the rows from which the centres are found, and their start.

    Examples
    --------
    >>> len(set(clustered(np.repeat(np.eye(8), 30, axis=0), np.random.default_rng(0)).tolist()))
    8
    """
    from sklearn.cluster import KMeans  # noqa: PLC0415 - slow to import

    n = len(vectors)
    sampled = np.sort(rng.choice(n, min(n, MOST_FITTED), replace=False))
    known = unit(vectors[sampled])
    known = known[_is_whole(known)]
    if len(np.unique(known, axis=0)) < N_CLUSTERS:
        return np.full(n, -1)
    model, found = KMeans(N_CLUSTERS, n_init=STARTS, random_state=int(rng.integers(1 << 31))), np.full(n, -1)
    with threadpool_limits(1):  # sums depend on the number of threads
        model.fit(known)
        for start in range(0, n, CHUNK):
            part = unit(vectors[np.arange(start, min(n, start + CHUNK))])
            whole = _is_whole(part)
            found[start : start + CHUNK][whole] = model.predict(part[whole]) if whole.any() else -1
    return found


def _is_whole(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)
    return found


def cluster_names(texts: pl.Series, codes: NDArray[np.int64]) -> list[str]:
    """Return a name for each cluster: the words that more of its texts have than others do, no two names the same.

    Parameters
    ----------
    texts
        *texts* are those of n pairs.  A missing one has no words.
    codes
        *codes* are the numbers of their clusters, shape (n,), −1 for none.

    Examples
    --------
    >>> cluster_names(pl.Series(["a red fox", "a fox", "a car", "a van"]), np.array([0, 0, 1, 1]))
    ['“fox” and “red”', '“car” and “van”']
    """
    words = texts.fill_null("").str.to_lowercase().str.extract_all(WORD).list.unique()
    table = pl.DataFrame({"code": codes, "word": words}).explode("word", empty_as_null=False)
    table = table.filter(pl.col("word").str.len_chars() <= LONGEST_WORD)
    names: list[str] = []
    for code in range(int(codes.max(initial=-1)) + 1):
        own, n_own = table.filter(code=code), max(1, int((codes == code).sum()))
        others = table.filter(pl.col("code") != code)["word"].value_counts(name="n_others")
        shares = own["word"].value_counts(name="n").join(others, on="word", how="left").with_columns(
            share=pl.col("n") / n_own, more=pl.col("n") / n_own
            - pl.col("n_others").fill_null(0) / max(1, int((codes != code).sum())),
        )  # fmt: skip
        best = shares.filter((pl.col("more") > 0) & (pl.col("share") >= LEAST_SHARE))
        ranked = best.sort("more", "word", descending=[True, False])["word"].to_list()
        names.append(_unlike(ranked, names))
    return names


def _unlike(ranked: Sequence[str], names: Sequence[str]) -> str:
    """Return a name of the first words of *ranked* that is not among *names*."""
    for n in range(N_WORDS, max(N_WORDS, len(ranked)) + 1):
        name = _listed([f"“{word}”" for word in ranked[:n]])
        if name and name not in names:
            return name
    return f"no words of their own, number {len(names) + 1}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
