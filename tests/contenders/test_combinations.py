"""The average of probes, the greedy ensemble, and zero-shot prompts, on members whose probabilities are known."""

from itertools import combinations_with_replacement

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from contender_material import make_pairs
from counterpoint.contenders import make
from counterpoint.contenders.encoded import MISSING
from counterpoint.contenders.ensemble import Ensemble
from counterpoint.contenders.greedy_selection import greedy_weights
from counterpoint.contenders.probe_average import ProbeAverage
from counterpoint.contenders.zero_shot import ZeroShot
from counterpoint.errors import ConfigError, SchemaError

JOINT = "tiny_encoders:Joint"


class Chances:
    """A fit with the probability of class "b" in one column of the pairs."""

    n_epochs_, n_parameters_, n_trials_ = 1, 10, 2
    classes_ = np.array(["a", "b"])

    def __init__(self, *modalities: str, column: str | None = None) -> None:
        self.modalities, self.column = modalities, column or modalities[0]

    def predict_proba(self, X: pl.DataFrame) -> np.ndarray:
        chance = X[self.column].cast(pl.Float64, strict=False).fill_null(0.5).to_numpy()
        return np.stack([1 - chance, chance], axis=1)

    def modalities_in(self, study):
        return self.modalities


def drawn(n: int, *, noise: dict[str, float], seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    """Return columns of calibrated chances of class "b", of which each has its own noise, and the labels."""
    rng = np.random.default_rng(seed)
    labels = np.array(["a", "b"])[rng.integers(0, 2, n)]
    flipped = {name: np.where(rng.random(n) < p, labels == "a", labels == "b") for name, p in noise.items()}
    columns = {name: np.where(flipped[name], 1 - p, p).astype(str) for name, p in noise.items()}
    return pl.DataFrame(columns), labels


# The average.


@pytest.fixture(scope="module")
def averaged() -> tuple[ProbeAverage, pl.DataFrame, np.ndarray]:
    X, labels = drawn(600, noise={"text": 0.15, "image": 0.25})
    fits = {"text-probe": Chances("text"), "image-probe": Chances("image")}
    model = ProbeAverage().fit(X[:2], ["a", "b"], validation=(X, labels), fits=fits)
    return model, X, labels


def test_the_average_of_two_members_is_better_than_either_and_no_less_sure(averaged):
    model, X, labels = averaged
    both = log_loss(labels, model.predict_proba(X))
    alone = [log_loss(labels, softmax(member.logits(X), axis=1)) for member in model.members_]
    assert both < min(alone)
    # Two independent, calibrated members: the true odds are the product of both.
    odds = [np.log(member.model.predict_proba(X)) for member in model.members_]
    truth = log_loss(labels, softmax(np.sum(odds, axis=0), axis=1))
    assert both == pytest.approx(truth, abs=0.02)


def test_all_members_count_alike(averaged):
    model, X, _ = averaged
    disagreeing = X.filter(pl.col("text").cast(float).ge(0.5) != pl.col("image").cast(float).ge(0.5))[:1]
    logits = np.mean([member.logits(disagreeing) for member in model.members_], axis=0)
    np.testing.assert_allclose(
        model.predict_proba(disagreeing), softmax(model.scaling_.logits([logits]), axis=1), atol=1e-12
    )


def test_the_other_member_decides_alone_where_one_modality_is_missing(averaged):
    model, X, _ = averaged
    for member, gone in zip(model.members_, ("image", "text"), strict=True):
        rows = X.with_columns(pl.lit(None, pl.String).alias(gone))
        np.testing.assert_allclose(model.predict_proba(rows), np.exp(log_softmax(member.logits(rows), axis=1)))
    nothing = X[:1].with_columns(text=pl.lit(None, pl.String), image=pl.lit(None, pl.String))
    np.testing.assert_allclose(model.predict_proba(nothing), [[0.5, 0.5]])


def test_the_logits_of_the_average_are_a_sum_over_modalities(averaged):
    model, X, _ = averaged
    encoded, own = model.encoded(X), np.arange(len(X))
    np.testing.assert_allclose(softmax(encoded.logits(own, own), axis=1), model.predict_proba(X), atol=1e-9)
    alone = model.predict_proba(X.with_columns(text=pl.lit(None, pl.String)))
    np.testing.assert_allclose(softmax(encoded.logits(np.full(600, MISSING), own), axis=1), alone, atol=1e-9)


def test_three_members_are_averaged_and_where_the_image_is_missing_the_two_of_the_text():
    X, labels = drawn(400, noise={"text": 0.2, "image": 0.2})
    fits = {"text-probe": Chances("text"), "text-ngrams": Chances("text"), "image-probe": Chances("image")}
    model = ProbeAverage(members=tuple(fits)).fit(X[:2], ["a", "b"], validation=(X, labels), fits=fits)
    rows = X[:5].with_columns(image=pl.lit(None, pl.String))
    two = np.mean([member.logits(rows) for member in model.members_[:2]], axis=0)
    np.testing.assert_allclose(model.predict_proba(rows), softmax(two, axis=1), atol=1e-12)


def test_an_average_of_text_members_reads_the_text_alone():
    model = ProbeAverage(members=("text-probe", "text-ngrams"))
    assert model.modalities == ("text",)
    assert model.modalities_in({"text-probe": make("image-probe")}) == ("text", "image")


def test_a_member_that_reads_both_modalities_is_refused():
    X, labels = drawn(20, noise={"text": 0.2, "image": 0.2})
    fits = {"text-probe": Chances("text"), "pair": Chances("text", "image")}
    with pytest.raises(ConfigError, match=r"of one modality each\. pair reads text and image"):
        ProbeAverage(members=tuple(fits)).fit(X[:2], ["a", "b"], validation=(X, labels), fits=fits)


def test_it_reads_the_vectors_of_members_that_it_trains_itself_and_no_others():
    model = ProbeAverage(branches={"text-probe": {"encoder": JOINT}})
    assert [reading.encoder for reading in model.encodings_read()] == [JOINT, "lite0"]
    assert [reading.encoder for reading in model.encodings_read(["text-probe"])] == ["lite0"]


# The greedy selection.


def brute_force(chances: np.ndarray, most: int) -> float:
    """Return the smallest loss of the mean of any selection of at most *most* models, with replacement."""
    sizes = range(1, most + 1)
    chosen = (each for size in sizes for each in combinations_with_replacement(range(len(chances)), size))
    return min(-np.log(chances[list(each)].mean(axis=0)).mean() for each in chosen)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_selection_is_no_worse_than_the_best_model_and_near_the_best_selection(seed):
    chances = np.random.default_rng(seed).uniform(0.05, 0.95, (4, 30))
    weights = greedy_weights(chances, steps=8)
    loss = -np.log(weights @ chances).mean()
    assert weights.sum() == pytest.approx(1)
    assert loss <= min(-np.log(each).mean() for each in chances) + 1e-12
    assert loss <= brute_force(chances, 4) + 0.01


def test_a_useless_model_is_left_out_and_a_copy_shares_its_weight():
    rng = np.random.default_rng(0)
    good = rng.uniform(0.6, 0.9, (2, 200))
    chances = np.vstack([good, np.full((1, 200), 0.01)])
    assert greedy_weights(chances, steps=20)[2] == 0


def test_equal_weights_are_equal():
    chances = np.random.default_rng(1).uniform(0.05, 0.95, (6, 40))
    weights = greedy_weights(chances, steps=20, are_equal=True)
    assert len(set(weights[weights > 0])) == 1
    assert weights.sum() == pytest.approx(1)


def test_without_steps_the_best_models_are_averaged_once_each():
    chances = np.array([[0.9, 0.2], [0.2, 0.9], [0.4, 0.4]])
    assert greedy_weights(chances, steps=0).tolist() == [0.5, 0.5, 0]


def test_bags_spread_the_weight_over_more_models_and_are_the_same_each_time():
    chances = np.random.default_rng(2).uniform(0.05, 0.95, (8, 30))
    whole, bagged, again = (greedy_weights(chances, steps=20, bags=bags) for bags in (1, 40, 40))
    assert np.count_nonzero(bagged) > np.count_nonzero(whole)
    assert bagged.tolist() == again.tolist()
    assert bagged.sum() == pytest.approx(1)


# The ensemble.


def test_an_ensemble_takes_all_fits_of_a_study_and_keeps_the_chosen_ones():
    X, labels = drawn(500, noise={"text": 0.1, "image": 0.2})
    X = X.with_columns(noise=pl.Series(np.random.default_rng(0).uniform(0, 1, 500).astype(str)))
    fits = {"t": Chances("text"), "i": Chances("image"), "n": Chances("text", column="noise")}
    model = Ensemble().fit(X[:2], ["a", "b"], validation=(X, labels), fits=fits)
    assert set(model.weights_) == {"t", "i"} == set(model.needs)
    assert sum(model.weights_.values()) == pytest.approx(1)
    assert model.modalities == ("text", "image")
    expected = sum(weight * fits[name].predict_proba(X) for name, weight in model.weights_.items())
    np.testing.assert_allclose(model.predict_proba(X), expected)
    assert log_loss(labels, model.predict_proba(X)) < log_loss(labels, fits["t"].predict_proba(X))
    assert model.n_trials_ == 6


def test_an_ensemble_of_a_study_needs_every_contender_that_reads_a_modality_and_is_no_ensemble():
    study = {"majority": make("majority"), "text-svm": make("text-svm"), "ensemble": Ensemble(), "other": Ensemble()}
    assert Ensemble().needs_in(study) == ("text-svm",)
    assert Ensemble(members=("text-svm", "image-cnn")).needs_in(study) == ("text-svm",)
    assert Ensemble().modalities_in(study) == ("text",)
    assert Ensemble(members=("majority",)).modalities_in(study) == ()


def test_an_ensemble_without_members_is_one_line():
    X = pl.DataFrame({"text": ["a", "b"], "image": ["a.png", "b.png"]})
    with pytest.raises(ConfigError, match=r"needs members, as in members: \[text-svm, image-cnn\]"):
        Ensemble().fit(X, ["a", "b"])


def test_an_ensemble_does_not_choose_on_rows_that_trained_its_members():
    X, labels = drawn(20, noise={"text": 0.1, "image": 0.2})
    with pytest.raises(ConfigError, match="validation rows"):
        Ensemble().fit(X, labels, fits={"t": Chances("text")})
    with pytest.raises(SchemaError, match=r"other classes than \['x', 'y'\]: \['t'\]"):
        Ensemble().fit(X[:2], ["x", "y"], validation=(X[:2], ["x", "y"]), fits={"t": Chances("text")})


# Zero-shot.


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    return make_pairs(tmp_path_factory.mktemp("images"), n=90, n_classes=3)


def test_the_nearest_prompt_is_the_class_of_the_image(pairs):
    model = ZeroShot(encoder=JOINT).fit(pairs[:30], pairs["label"][:30])
    there = pairs[30:].filter(pl.col("image").is_not_null())
    assert model.score(there, there["label"]) == 1
    assert model.prompts_ == ["a photo of a animal", "a photo of a machine", "a photo of a plant"]


def test_labels_that_are_no_words_get_names(pairs):
    numbers = pairs["label"].replace_strict({"animal": "n1", "machine": "n2", "plant": "n3"})
    names = {"n1": "animal", "n2": "machine", "n3": "plant"}
    named = ZeroShot(encoder=JOINT, names=names).fit(pairs, numbers)
    unnamed = ZeroShot(encoder=JOINT).fit(pairs, numbers)
    assert named.score(pairs, numbers) > 0.9 > unnamed.score(pairs, numbers)


def test_a_missing_image_gets_the_class_shares(pairs):
    rows = pairs.filter((pl.col("label") == "plant") | (pl.int_range(pl.len()) < 30))
    model = ZeroShot(encoder=JOINT).fit(rows, rows["label"])
    nothing = pl.DataFrame({"image": [None]}, schema={"image": pl.String})
    np.testing.assert_allclose(model.predict_proba(nothing), [model.class_shares_])


def test_a_prompt_without_a_place_for_the_class_is_one_line():
    with pytest.raises(ConfigError, match=r"a prompt should have \{\} once, in the place of the class"):
        make("zero-shot", prompt="a photo")


def test_an_encoder_of_images_alone_is_one_line(pairs):
    with pytest.raises(ConfigError, match=r"reads no texts\. It reads: image"):
        ZeroShot(encoder="tiny_encoders:Colours").check_installed()
