"""Clusters of near-duplicates among hashes, or among sets of words, without a comparison of all pairs.

Items that share a key in one of several tables are candidates.  Each candidate is verified: a bad table only costs
time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

N_PERMUTATIONS = 128
MAX_MISSED = 0.002
"""The largest share of pairs of sets at the least Jaccard index that MinHash may overlook."""
MAX_NEIGHBOURS = 100
"""An item is compared with at most so many others of its key, because larger sets share a template, not content."""
BLOCK = 50_000


def near_hashes(hashes: Hashes, max_bits: int) -> Ints:
    """Return the cluster of each 64-bit hash.  Hashes that differ in at most *max_bits* bits are in one cluster.

    The bits are divided into ``max_bits + 2`` bands.  Such a pair agrees in at least two of them, so that each two
    bands make a table.

    >>> near_hashes(np.array([0b0111, 0, 2**63, 2**62 + 2**40], dtype=np.uint64), 2).tolist()
    [0, 1, 1, 1]
    """
    edges = np.linspace(0, 64, max_bits + 3).astype(int).tolist()
    bands = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    tables = (hashes & np.uint64(one | other) for one, other in combinations(bands, 2))
    return _clusters(
        hashes.size, tables, lambda left, right: np.bitwise_count(hashes[left] ^ hashes[right]) <= max_bits
    )


def near_sets(sets: pl.Series, min_jaccard: float) -> Ints:
    """Return the cluster of each set of words.  Sets with a Jaccard index of *min_jaccard* or more are in one.

    Candidates come from MinHash with bands (Broder 1997).  Their index is then computed exactly, not estimated.

    Parameters
    ----------
    sets
        *sets* are lists of words, none of them empty, without a word twice in one list.
    min_jaccard
        *min_jaccard* is the least size of the intersection over the size of the union.

    Examples
    --------
    >>> near_sets(pl.Series([["a", "red", "fox"], ["cat"], ["red", "fox"]]), 0.6).tolist()
    [0, 1, 0]
    """
    members = _incidence(sets)
    sizes = np.diff(members.indptr)

    def is_near(left: Ints, right: Ints) -> NDArray[np.bool_]:
        common = members[left].multiply(members[right]).sum(axis=1)
        enough: NDArray[np.bool_] = common >= min_jaccard * (sizes[left] + sizes[right] - common) - 1e-9
        return enough

    return _clusters(len(sets), _band_keys(sets, min_jaccard), is_near)


def _incidence(sets: pl.Series) -> csr_array:
    """Return the incidence of words (columns) in sets (rows), shape (n_sets, n_words)."""
    ends = np.concatenate([[0], sets.list.len().cum_sum().to_numpy()])
    columns = sets.explode().rank("dense").to_numpy().astype(np.int64) - 1
    return csr_array((np.ones(columns.size, np.int32), columns, ends), shape=(len(sets), columns.max(initial=-1) + 1))


def _band_keys(sets: pl.Series, min_jaccard: float) -> Iterator[Hashes]:
    """Yield the keys of all sets, one band at a time.

    The bands are as wide as ``MAX_MISSED`` allows: wide bands give few candidates.
    """
    from datasketch import MinHash  # noqa: PLC0415 - loads half of scipy, which few commands need

    sketch = MinHash(num_perm=N_PERMUTATIONS)
    signatures = np.empty((len(sets), N_PERMUTATIONS), np.uint32)
    for signature, words in zip(signatures, sets.to_list(), strict=True):
        sketch.clear()
        sketch.update_batch([word.encode() for word in words])
        signature[:] = sketch.hashvalues
    width = _band_width(min_jaccard)
    weights = np.random.default_rng(0).integers(1 << 63, size=width, dtype=np.uint64) * 2 + 1
    for start in range(0, N_PERMUTATIONS - width + 1, width):
        yield signatures[:, start : start + width].astype(np.uint64) @ weights


def _band_width(min_jaccard: float) -> int:
    """Return the largest width of bands that overlooks at most ``MAX_MISSED`` of the pairs at *min_jaccard*."""
    widths = range(1, N_PERMUTATIONS + 1)
    return max([1, *(w for w in widths if (1 - min_jaccard**w) ** (N_PERMUTATIONS // w) <= MAX_MISSED)])


def _clusters(n: int, tables: Iterable[Hashes], is_near: Callable[[Ints, Ints], NDArray[np.bool_]]) -> Ints:
    """Return the cluster of each of *n* items: the smallest item that a chain of near candidates links to it."""
    cluster = np.arange(n)
    links = np.empty((2, 0), np.int64)
    for candidates in _candidates(n, tables):
        left, right = candidates[:, np.not_equal(*cluster[candidates])]
        links = np.hstack([links, np.stack([left, right])[:, is_near(left, right)]])
        # Merge early: later candidates within one cluster need no check, and memory stays proportional to n.
        if links.shape[1] > n // 16:
            cluster, links = merge_clusters([cluster], links), links[:, :0]
    return merge_clusters([cluster], links)


def _candidates(n: int, tables: Iterable[Hashes]) -> Iterator[Ints]:
    """Yield pairs of items that share a key, in blocks of shape (2, n_candidates).

    When many items share a key, each is compared only with the next ``MAX_NEIGHBOURS``.  The sort is stable, so that
    items with equal keys in earlier tables stay neighbours.
    """
    order = np.arange(n)
    for keys in tables:
        order = order[np.argsort(keys[order], kind="stable")]
        ordered = keys[order]
        left = np.arange(n)
        for distance in range(1, min(n, MAX_NEIGHBOURS + 1)):
            left = left[: np.searchsorted(left, n - distance)]
            left = left[ordered[left] == ordered[left + distance]]
            for start in range(0, left.size, BLOCK):
                block = left[start : start + BLOCK]
                yield np.stack([order[block], order[block + distance]])


def merge_clusters(clusterings: Sequence[Ints], links: NDArray[np.int64] | None = None) -> Ints:
    """Return the union of clusterings: the cluster of each item, numbered by its smallest item.

    Parameters
    ----------
    clusterings
        *clusterings* are arrays of shape (n_items,): the number of one item that stands for the cluster.
    links
        *links* are further pairs of items in one cluster, shape (2, n_links).

    Examples
    --------
    >>> merge_clusters([np.array([0, 0, 2, 3]), np.array([0, 2, 2, 3])]).tolist()
    [0, 0, 0, 3]
    """
    n = clusterings[0].size
    stars = [np.stack([np.arange(n), clustering]) for clustering in clusterings]
    left, right = np.hstack([*stars, *([] if links is None else [links])])
    graph = coo_array((np.ones(left.size, np.bool_), (left, right)), shape=(n, n))
    component = connected_components(graph, directed=False)[1]
    smallest: Ints = np.unique(component, return_index=True)[1][component]
    return smallest
