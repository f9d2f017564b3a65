"""Places on the map are the same each time, stay in their square, and are of test pairs only, at most 2,000."""

import numpy as np
import polars as pl
import pytest

import counterpoint as cp
from counterpoint.config import StudyConfig
from counterpoint.contenders import make
from counterpoint.measures.pair_map import MOST_PAIRS, pair_map, placed, sampled_test_pairs
from counterpoint.schema import MAP, check

WORDS = (["dog", "fur", "paw"], ["car", "wheel", "road"])


def pairs_of(n, *, folds=("test",), images=None):
    rng = np.random.default_rng(3)
    codes = np.arange(n) % 2
    texts = [" ".join([*rng.choice(WORDS[code], 2), f"w{i % 7}"]) for i, code in enumerate(codes)]
    columns = {
        "id": [f"p{i}" for i in range(n)],
        "text": texts,
        "image": images or [None] * n,
        "label": ["ab"[code] for code in codes],
        "fold": [folds[i % len(folds)] for i in range(n)],
    }
    return pl.DataFrame(columns, schema_overrides={"image": pl.String})


def test_places_are_the_same_each_time_and_in_the_square():
    pairs = pairs_of(120)
    found = pair_map(pairs, {})
    assert found.equals(pair_map(pairs, {}))
    assert check(found, MAP, table="map")["id"].to_list() == pairs["id"].to_list()
    assert found.select(pl.min_horizontal(pl.min("x", "y"))).item() >= 0
    assert found.select(pl.max_horizontal(pl.max("x", "y"))).item() <= 1


def test_neighbours_on_the_map_have_similar_texts():
    pairs = pairs_of(120)
    found = pair_map(pairs, {}).join(pairs, on="id")
    places, labels = found.select("x", "y").to_numpy(), found["label"].to_numpy()
    far = np.linalg.norm(places[:, None] - places, axis=2) + np.diag([np.inf] * len(places))
    assert (labels[far.argmin(axis=1)] == labels).mean() > 0.95


def test_only_test_pairs_are_placed_and_all_of_a_k_fold_are():
    held_out = pair_map(pairs_of(30, folds=("train", "validation", "test")), {})
    assert held_out["id"].to_list() == [f"p{i}" for i in range(2, 30, 3)]
    assert len(pair_map(pairs_of(30, folds=("0", "1", "2")), {})) == 30


def test_more_than_two_thousand_pairs_are_sampled_by_the_seed_in_their_order():
    pairs = pairs_of(MOST_PAIRS + 500)
    sample = sampled_test_pairs(pairs)
    assert len(sample) == MOST_PAIRS == sample["id"].n_unique()
    assert sample.equals(sampled_test_pairs(pairs))
    assert not sample.equals(sampled_test_pairs(pairs, seed=1))
    places = [int(name[1:]) for name in sample["id"]]
    assert places == sorted(places)


def test_stored_vectors_of_a_contender_are_used_where_it_has_them():
    rng = np.random.default_rng(0)
    pairs = pairs_of(40).with_columns(
        pl.Series(f"{letter}_{i}", rng.normal(size=40)) for letter in "vw" for i in range(3)
    )
    contender = make("pair-probe", text_encoder="columns:v_", image_encoder="columns:w_")
    basis = pair_map(pairs.with_columns(image=pl.lit("a.png")), {"pair-probe": contender})["basis"][0]
    assert basis == "t-SNE of texts by columns:v_ and images by columns:w_"


@pytest.mark.parametrize("n", [1, 2, 5, 11, 12, 13])
def test_few_pairs_have_a_place_each(n):
    found = pair_map(pairs_of(n), {})
    assert len(found) in (0, n)  # one pair alone has no direction
    assert found.select(pl.col("x", "y").is_finite().all()).row(0) == (True, True)


def test_pairs_that_are_all_the_same_or_have_nothing_have_no_map():
    same = pairs_of(40).with_columns(text=pl.lit("a dog"))
    nothing = same.with_columns(text=pl.lit(None, pl.String))
    assert pair_map(same, {}).is_empty()
    assert pair_map(nothing, {}).is_empty()
    assert pair_map(same.clear(), {}).is_empty()


def test_copies_of_one_pair_have_finite_places():
    vectors = np.repeat(np.random.default_rng(0).normal(size=(3, 4)), 20, axis=0)
    places, method = placed(vectors)
    assert method == "t-SNE"
    assert np.isfinite(places).all()


def test_images_alone_are_placed_by_colours_and_edges_and_an_unreadable_one_too(tmp_path):
    from PIL import Image  # noqa: PLC0415

    images = []
    for i in range(20):
        path = tmp_path / f"{i}.png"
        Image.new("RGB", (40, 40), (255, 0, 0) if i % 2 else (0, 0, 255)).save(path)
        images.append(str(path))
    pairs = pairs_of(20, images=[*images[:-1], str(tmp_path / "gone.png")]).with_columns(text=pl.lit(None, pl.String))
    found = pair_map(pairs, {})
    assert found["basis"][0] == "t-SNE of the colours and edges of images"
    assert len(found) == 20


def test_a_study_keeps_its_map(tmp_path):
    config = StudyConfig(study="tiny", source={"kind": "generated", "n": 60}, contenders=["majority", "text-svm"])
    study = cp.Study(config, runs=tmp_path)
    found = study.pair_map()
    assert (tmp_path / "tiny" / "tables" / "map.parquet").exists()
    assert set(found["id"]) == set(study.predictions().filter(part="test")["id"])
    assert cp.Study(config, runs=tmp_path).pair_map().equals(found)
