"""Groups that a split keeps whole: given groups and near-duplicates, as connected components."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from counterpoint.config import Group
from counterpoint.data.near import Ints, merge_clusters, near_hashes, near_sets
from counterpoint.rules import words
from counterpoint.schema import Frame, finding

GIVEN, IDENTICAL = "the given group", "identical images"
NEAR_IMAGES, NEAR_TEXTS = "near-identical images", "near-identical texts"
EXACT = (GIVEN, IDENTICAL)
ALWAYS_WHOLE = 10
"""A component of at most so many rows is no chain, even if it is a large share of a small data set."""


def group(pairs: Frame, rules: Group) -> tuple[Frame, list[dict[str, str]]]:
    """Return *pairs* with ``group``, and a finding for each component that is too large to be a group.

    Rows are linked by a given ``group``, by ``sha256``, and by ``phash`` within ``max_bits`` of 64 bits.  Texts of at
    least ``min_words`` words are linked when the Jaccard index of their words is at least ``min_jaccard``.  A group is
    a connected component, named after its smallest ``row``.  A component of more than ``max_component_share`` of the
    rows (and more than 10 rows) keeps only its exact links: the given group, and identical images.

    Parameters
    ----------
    pairs
        *pairs* have ``row`` and ``text``, and optionally ``group``, ``sha256`` and ``phash``.
    rules
        *rules* is the section ``group`` of the study file.

    Examples
    --------
    >>> texts = ["a red fox in the deep snow", "one red fox in the deep snow", "a cat"]
    >>> grouped, found = group(pl.DataFrame({"row": [4, 5, 6], "text": texts}), Group(min_jaccard=0.7))
    >>> grouped["group"].to_list(), found
    (['g000004', 'g000004', 'g000006'], [])
    """
    if pairs.is_empty():
        return pairs.with_columns(group=pl.lit(None, pl.String)), []
    links = _links(pairs, rules)
    exact = merge_clusters([np.arange(pairs.height), *(links[kind] for kind in EXACT if kind in links)])
    whole = merge_clusters([exact, *links.values()])
    is_large = np.bincount(whole, minlength=pairs.height) > max(rules.max_component_share * pairs.height, ALWAYS_WHOLE)
    found = [_finding(np.flatnonzero(whole == root), links, exact, pairs) for root in np.flatnonzero(is_large)]
    kept = pl.Series("kept", np.where(is_large[whole], exact, whole))
    name = pl.format("g{}", pl.col("row").min().over(kept).cast(pl.String).str.zfill(6))
    return pairs.with_columns(name.alias("group")), found


def _links(pairs: Frame, rules: Group) -> dict[str, Ints]:
    """Return, for each kind of link, the position of the first row that each row is linked with."""
    links = {}
    if "group" in pairs.columns:
        links[GIVEN] = first_of(pairs["group"].cast(pl.String))
    if rules.exact and "sha256" in pairs.columns:
        links[IDENTICAL] = first_of(pairs["sha256"])
    if rules.near_images and "phash" in pairs.columns:
        links[NEAR_IMAGES] = first_of(pairs["phash"], lambda each: near_hashes(each.to_numpy(), rules.max_bits))
    if rules.near_texts:
        keys = sets_of_words(pairs, rules.min_words)
        links[NEAR_TEXTS] = first_of(keys, lambda each: near_sets(each.str.split(" "), rules.min_jaccard))
    return links


def sets_of_words(pairs: Frame, min_words: int) -> pl.Series:
    """Return the distinct words of each text, sorted, as one string, or null for a text that is too short.

    >>> sets_of_words(pl.DataFrame({"text": ["The fox, the snow", "a cat"]}), 3).to_list()
    ['fox snow the', None]
    """
    all_words = words(pl.col("text"))
    distinct = all_words.list.unique().list.sort().list.join(" ")
    return pairs.select(pl.when(all_words.list.len() >= min_words).then(distinct).alias("text"))["text"]


def first_of(values: pl.Series, cluster: Callable[[pl.Series], Ints] | None = None) -> Ints:
    """Return the position of the first row with the same value, or with one of the same cluster.  A null is alone.

    Parameters
    ----------
    values
        *values* has one value for each row.
    cluster
        *cluster* is a function from the distinct values to the numbers of their clusters (default: each is its own).

    Examples
    --------
    >>> first_of(pl.Series(["b", None, "a", "b", "a", None])).tolist()
    [0, 1, 2, 0, 2, 5]
    """
    distinct = values.drop_nulls().unique().sort()
    clusters = cluster(distinct) if cluster else np.arange(distinct.len())
    rows = values.replace_strict(distinct, clusters, default=None, return_dtype=pl.Int64).to_frame("cluster")
    shared = pl.when(pl.col("cluster").is_null()).then("position").otherwise(pl.col("position").min().over("cluster"))
    return rows.with_row_index("position").select(shared.cast(pl.Int64))["position"].to_numpy()


def _finding(members: Ints, links: Mapping[str, Ints], exact: Ints, pairs: Frame) -> dict[str, str]:
    """Return a finding on a large component: its size, and the kind of link that joins most of it."""
    reach = {kind: int(np.unique(first[members], return_counts=True)[1].max()) for kind, first in links.items()}
    cause = max(reach, key=lambda kind: reach[kind])
    share = members.size / pairs.height
    left = int(np.unique(exact[members], return_counts=True)[1].max())
    message = f"{members.size:,} rows ({share:.0%}) are linked to each other, most of them by {cause}."
    if left < members.size:
        message += f" Only their exact links are kept: the largest group left has {left:,} rows."
    severity = "info" if cause == GIVEN and left == members.size else "warn"
    ids = pairs["id"].gather(members[:3]).to_list()
    return finding(
        "CP002", severity, "group", message, rows=members.size, cause=cause, linked=reach, left=left, such_as=ids
    )
