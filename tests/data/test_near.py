import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.data import near
from counterpoint.data.near import merge_clusters, near_hashes, near_sets
from data_material import SOME

WORDS = [f"w{number}" for number in range(12)]


def clusters(n, is_near):
    """Return the clusters of all n items by a comparison of all pairs, the reference for the fast way."""
    left, right = np.array([(i, j) for i in range(n) for j in range(i) if is_near(i, j)], dtype=int).reshape(-1, 2).T
    return merge_clusters([np.arange(n)], np.stack([left, right])).tolist()


@st.composite
def hash_families(draw):
    """Return hashes, many of them different from another in few bits."""
    origins = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))
    flips = draw(st.lists(st.tuples(st.sampled_from(origins), st.sets(st.integers(0, 63), max_size=7)), max_size=12))
    return list(dict.fromkeys([*origins, *(value ^ sum(1 << bit for bit in bits) for value, bits in flips)]))


@SOME
@given(hash_families(), st.integers(0, 8))
def test_hashes_within_the_bits_are_one_cluster_and_no_others(hashes, max_bits):
    found = near_hashes(np.array(hashes, dtype=np.uint64), max_bits).tolist()
    assert found == clusters(len(hashes), lambda i, j: (hashes[i] ^ hashes[j]).bit_count() <= max_bits)


@SOME
@given(st.sets(st.frozensets(st.sampled_from(WORDS), min_size=1), max_size=12), st.sampled_from([0.5, 0.75, 0.8, 1]))
def test_sets_are_one_cluster_only_when_a_chain_of_near_ones_joins_them(family, min_jaccard):
    sets = sorted(sorted(words) for words in family)

    def is_near(i, j):
        return len({*sets[i]} & {*sets[j]}) >= min_jaccard * len({*sets[i]} | {*sets[j]}) - 1e-9

    found = near_sets(pl.Series(sets, dtype=pl.List(pl.String)), min_jaccard)
    exact = clusters(len(sets), is_near)
    assert merge_clusters([np.array(exact, dtype=int), found]).tolist() == exact


def test_few_near_sets_are_overlooked():
    rng = np.random.default_rng(0)
    sets = []
    for pair in range(400):
        shared = [f"{pair}-{word}" for word in range(8)]
        sets += [[*shared, f"{pair}-a"], [*shared, f"{pair}-b"]]  # 8 of 10 words: just at the index
    order = rng.permutation(len(sets))
    found = near_sets(pl.Series([sets[place] for place in order]), 0.8)
    assert len(np.unique(found)) - 400 <= 4


@pytest.mark.parametrize("min_jaccard", [0.3, 0.5, 0.8, 0.95])
def test_bands_overlook_no_more_than_they_may(min_jaccard):
    width = near._band_width(min_jaccard)
    assert (1 - min_jaccard**width) ** (near.N_PERMUTATIONS // width) <= near.MAX_MISSED


def test_a_key_that_all_share_costs_time_in_proportion_to_the_items(monkeypatch):
    monkeypatch.setattr(near, "MAX_NEIGHBOURS", 5)
    blocks = list(near._candidates(100, [np.zeros(100, dtype=np.uint64)]))
    assert sum(block.shape[1] for block in blocks) < 5 * 100


def test_items_of_one_key_are_held_first_against_those_that_share_keys_before():
    before = np.array([1, 2, 1, 2], dtype=np.uint64)
    blocks = list(near._candidates(4, [before, np.zeros(4, dtype=np.uint64)]))
    assert blocks[1].T.tolist() == [[0, 2], [2, 1], [1, 3]]


@SOME
@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=3))
def test_joined_clusters_are_named_after_their_smallest_and_hold_all_that_any_clustering_joins(clusterings):
    found = merge_clusters([np.array(each) for each in clusterings])
    assert (found <= np.arange(6)).all()
    assert (found[found] == found).all()
    assert all(found[item] == found[shared] for each in clusterings for item, shared in enumerate(each))
