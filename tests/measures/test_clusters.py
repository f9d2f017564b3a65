"""Clusters come from the vectors that a contender reads, bear names of their own, and are facts of segments."""

import json

import numpy as np
import polars as pl

from counterpoint.contenders import make
from counterpoint.measures.clusters import LEAST_PAIRS, N_CLUSTERS, cluster_names, clustered, clusters_of, with_clusters
from counterpoint.measures.conditions import condition_of
from counterpoint.measures.row_facts import IMAGE_CLUSTER
from counterpoint.measures.segments import find_segments, segment_of_rows
from counterpoint.schema import CLUSTERS, check
from injection.segments import HOLD_OUT, NOTHING, Kind, drawn

RNG = np.random.default_rng(0)
WORDS = ("fox", "car", "sea", "tree", "moon", "loaf", "drum", "bell")


def pairs_of(n=400):
    """Return pairs whose images have vectors around one of eight places, and whose texts have the word of the place."""
    kinds = RNG.integers(0, N_CLUSTERS, n)
    places = np.eye(N_CLUSTERS)[kinds] + 0.05 * RNG.normal(size=(n, N_CLUSTERS))
    columns = {f"w_{place}": places[:, place] for place in range(N_CLUSTERS)}
    texts = [f"a {WORDS[kind]} here" for kind in kinds]
    ids = [f"r{row}" for row in range(n)]
    return pl.DataFrame({"id": ids, "text": texts, "image": ids, "label": "x", **columns}), kinds


def test_a_cluster_is_found_and_named_by_the_words_of_its_texts():
    pairs, kinds = pairs_of()
    found = clusters_of(pairs, {"probe": make("image-probe", encoder="columns:w_")})
    check(found, CLUSTERS, table="clusters")
    assert found["text_cluster"].null_count() == len(pairs)  # no contender reads texts by an encoder
    assert found["image_cluster"].to_list() == [f"“{WORDS[kind]}”" for kind in kinds]


def test_few_pairs_and_missing_images_have_no_cluster():
    pairs, _ = pairs_of()
    contenders = {"probe": make("image-probe", encoder="columns:w_")}
    assert clusters_of(pairs.head(LEAST_PAIRS - 1), contenders)["image_cluster"].null_count() == LEAST_PAIRS - 1
    lacking = pairs.with_columns(image=pl.when(pl.int_range(pl.len()) >= 10).then("image"))
    assert clusters_of(lacking, contenders)["image_cluster"].is_null().to_list()[:11] == [True] * 10 + [False]


def test_vectors_that_are_missing_or_all_alike_have_no_cluster():
    vectors = np.repeat(np.eye(N_CLUSTERS), 20, axis=0)
    vectors[3] = 0
    found = clustered(vectors, np.random.default_rng(0))
    assert found[3] == -1
    assert (np.delete(found, 3) >= 0).all()
    assert (clustered(np.ones((300, 4)), np.random.default_rng(0)) == -1).all()


def test_no_two_clusters_have_one_name():
    texts = pl.Series(["same words"] * 30 + [""] * 30)
    names = cluster_names(texts, np.repeat(np.arange(3), 20))
    assert len(set(names)) == 3


def test_a_cluster_with_more_gain_is_a_segment():
    study = drawn(Kind(HOLD_OUT, "one_word", 1, 0.2), 1500, 3)
    planted = study.pairs["text"].str.contains("planted")
    others = pl.Series(RNG.choice(["“hill”", "“moor”", "“lake”"], len(study.pairs)))
    clusters = study.pairs.select(
        "id", text_cluster=pl.lit(None, pl.String),
        image_cluster=pl.when(planted).then(pl.lit("“sea” and “sand”")).otherwise(others),
    )  # fmt: skip
    hidden = study.pairs.with_columns(text=pl.col("text").str.replace("planted ", ""))
    pairs = with_clusters(hidden, clusters)
    found = find_segments(pairs, study.predictions, study.primary, metric="accuracy", confidence=0.95).segments
    first = found.row(0, named=True)
    assert first["is_confirmed"]
    assert first["segment"] == "the image is like those of texts with “sea” and “sand”"
    own = segment_of_rows(found, pairs)
    assert own.filter(planted)["segment"].eq(first["segment"]).all()
    (condition,) = map(condition_of, json.loads(first["conditions"]))
    assert condition.fact.startswith(IMAGE_CLUSTER)
    assert "sea" not in condition.in_words(shows_words=False)


def test_clusters_that_have_no_gain_are_rarely_a_segment():
    study = drawn(Kind(HOLD_OUT, NOTHING, 1, 0.05), 1000, 4)
    names = [f"“{word}”" for word in WORDS]
    clusters = study.pairs.select("id").with_columns(
        text_cluster=pl.Series(RNG.choice(names, len(study.pairs))),
        image_cluster=pl.Series(RNG.choice(names, len(study.pairs))),
    )
    pairs = with_clusters(study.pairs, clusters)
    found = find_segments(pairs, study.predictions, study.primary, metric="accuracy", confidence=0.95)
    assert not found.segments["is_confirmed"].any()
    assert found.searches["n_facts"][0] > 20
