"""The map into the joint space, and the agreement of pairs: of pairs that belong together, and of pairs that do not."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

from counterpoint.measures import encoded_pairs as encoded
from counterpoint.measures import pair_agreement as agreement
from counterpoint.measures.encoded_pairs import FEW_PAIRS, JointSpace, encoded_pairs
from counterpoint.measures.joint_map import JointMap, JointMatcher, JointVectors
from counterpoint.measures.matched_pairs import MOST_ENCODED, jointly_matched
from counterpoint.measures.own_image_rate import own_image_rate
from counterpoint.measures.pair_agreement import QUEUED, least_agreeing, pair_agreement
from counterpoint.schema import AGREEMENT, check
from joint_material import encodings_of, made_encoded


def made_vectors(n, seed=0, width=6, n_features=40):
    rng = np.random.default_rng(seed)
    text, features = rng.normal(size=(n, width)), rng.normal(size=(n, n_features))
    features[:, :width] += text
    return JointVectors(text, rng.normal(size=(n, width)), features)


@pytest.mark.parametrize("n", [20, 200], ids=["fewer rows than features", "more"])
def test_both_systems_of_equations_give_the_ridge_regression(n):
    vectors = made_vectors(n)
    found = JointMap.fitted(vectors)
    centred = vectors.features - vectors.features.mean(0)
    alpha = 3.0 * (centred**2).sum() / n
    theirs = Ridge(alpha=alpha).fit(vectors.features, vectors.text)
    assert np.allclose(found.weights, theirs.coef_.T)


def test_a_map_finds_own_images_that_the_space_alone_does_not():
    vectors, groups = made_vectors(400), [str(row) for row in range(400)]
    learned = own_image_rate(JointMatcher(vectors), groups)
    nothing = JointVectors(vectors.text, vectors.image, np.zeros((400, 3)))
    alone = own_image_rate(JointMatcher(nothing), groups)
    assert learned.low > 0.6 > alone.high
    assert learned.p < 0.01 < alone.p


def test_the_map_of_a_pair_was_not_learned_from_it_nor_from_its_group():
    # The texts are noise that no image predicts, and each group has one text: only its own group gives it away.
    rng = np.random.default_rng(0)
    text, features = np.repeat(rng.normal(size=(40, 6)), 5, axis=0), np.repeat(rng.normal(size=(40, 30)), 5, axis=0)
    groups = [str(row // 5) for row in range(200)]
    matcher = JointMatcher(JointVectors(text, np.zeros((200, 6)), features + rng.normal(size=(200, 30)) / 9))
    apart, together = own_image_rate(matcher, [str(row) for row in range(200)]), own_image_rate(matcher, groups)
    assert together.rate < 0.6 < apart.rate


def test_each_pair_has_an_agreement_and_a_standing():
    pairs, _ = made_encoded(300)
    table = pair_agreement(pairs)
    check(table, AGREEMENT, table="agreement")
    assert table["id"].to_list() == pairs.rows["id"].to_list()
    assert table["agreement"].abs().max() <= 1
    assert table["standing"].is_between(0, 1).all()
    assert table["standing"].mean() > 0.8


def test_texts_of_other_rows_have_a_standing_of_a_half_and_stand_in_the_queue():
    pairs, is_moved = made_encoded(600, shared=2.0, permuted=0.1)
    table = pair_agreement(pairs)
    assert table.filter(pl.Series(is_moved))["standing"].mean() == pytest.approx(0.5, abs=0.12)
    queue = {row["id"] for row in least_agreeing(table)}
    assert len(queue) == round(QUEUED * 600)
    assert len(queue & set(table.filter(pl.Series(is_moved))["id"])) >= 45


def test_parts_and_samples_change_no_more_than_the_standing_of_a_sample(monkeypatch):
    pairs, _ = made_encoded(400)
    whole = pair_agreement(pairs)
    monkeypatch.setattr(agreement, "AT_ONCE", 7)
    assert np.allclose(pair_agreement(pairs)["standing"], whole["standing"])
    monkeypatch.setattr(agreement, "N_OTHERS", 60)
    sampled = pair_agreement(pairs)
    assert np.corrcoef(sampled["standing"], whole["standing"])[0, 1] > 0.95


def test_equal_pairs_stand_in_the_middle():
    pairs, _ = made_encoded(60)
    constant = encodings_of(np.ones((60, 4)))
    table = pair_agreement(pairs._replace(text=constant, features=constant))
    assert table["standing"].to_list() == [0.5] * 60


def encode(pairs, encoder, modality):
    assert encoder in ("MiniLM", "Lite0")
    return encodings_of(np.ones((len(pairs), 4)))


@pytest.fixture
def without_weights(monkeypatch):
    space = JointSpace("MiniLM", "Lite0", np.asarray)
    monkeypatch.setattr(encoded, "joint_space", lambda: space)


def pairs_of(n, **columns):
    return pl.DataFrame({"id": [str(row) for row in range(n)], "text": "a", "image": "a.png", "label": "a"} | columns)


def test_few_pairs_and_pairs_without_an_encoder_are_not_encoded(without_weights):
    assert encoded_pairs(pairs_of(FEW_PAIRS - 1), encode, "fast") is None
    assert encoded_pairs(pairs_of(FEW_PAIRS), None, "fast") is None
    assert encoded_pairs(pairs_of(FEW_PAIRS).drop("text"), encode, "fast") is None
    assert len(encoded_pairs(pairs_of(FEW_PAIRS), encode, "fast").rows) == FEW_PAIRS


@pytest.mark.parametrize(("depth", "n"), [("fast", 200), ("full", 1000)])
def test_of_many_pairs_a_sample_is_encoded_unless_the_depth_is_full(monkeypatch, without_weights, depth, n):
    monkeypatch.setattr(encoded, "MOST_PAIRS", 200)
    assert len(encoded_pairs(pairs_of(1000), encode, depth).rows) == n


def test_pairs_whose_image_cannot_be_read_are_left_out_with_their_text(without_weights):
    is_missing = np.arange(80) % 4 == 0

    def some(pairs, encoder, modality):
        vectors = np.arange(80, dtype=np.float32)[:, None]
        found = encodings_of(vectors)
        return type(found)(1, is_missing, lambda rows: vectors[rows]) if modality == "image" else found

    found = encoded_pairs(pairs_of(80), some, "fast")
    there = np.flatnonzero(~is_missing)
    assert found.rows["id"].to_list() == [str(row) for row in there]
    assert found.text[:].ravel().tolist() == found.features[:].ravel().tolist() == there.tolist()


def test_a_check_reads_at_most_some_of_the_encoded_pairs():
    pairs, _ = made_encoded(MOST_ENCODED + 250)
    matched = jointly_matched(pairs)
    assert len(matched.rows) == MOST_ENCODED
    assert np.allclose(matched.matcher.vectors.text, pairs.text[matched.rows["row"].to_numpy()])


def test_another_joint_encoder_may_stand_in_the_catalogue(monkeypatch):
    clip = SimpleNamespace(modalities=("text", "image"))
    monkeypatch.setattr(encoded, "shared_encoder", lambda _: clip)
    space = encoded.joint_space()
    assert space.texts is space.images is clip
    vectors = np.ones((2, 3), dtype=np.float32)
    assert space.in_space(vectors) is vectors
