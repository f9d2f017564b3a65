"""What each contender on text or metadata is for, shown on pairs where the right answer is known."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from counterpoint.contenders import make
from counterpoint.contenders.keyword_rule import KeywordRule
from counterpoint.contenders.text_svm import TextSVM
from counterpoint.errors import ConfigError, SchemaError


def captions(n: int, *, seed: int = 0, noise: float = 0.0) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.array(["animal", "person"])[rng.integers(0, 2, n)]
    shown = np.where(rng.random(n) < noise, labels[::-1], labels)
    words = {"animal": ["dog", "dogs", "puppy"], "person": ["man", "woman", "girl"]}
    rest = ["red", "grass", "running", "beach", "two", "old"]
    texts = [f"a {rng.choice(rest)} {rng.choice(words[name])} {rng.choice(rest)}" for name in shown]
    return pl.DataFrame({"text": texts}), labels


def test_a_rule_of_one_word_is_found():
    pairs = pl.DataFrame({"text": ["the dog runs", "a dog", "dog and man", "the man runs", "a man", "one man"] * 3})
    labels = ["dog", "dog", "dog", "other", "other", "other"] * 3
    model = KeywordRule().fit(pairs, labels)
    assert model.rule_ == [("dog", "dog", 9), ("otherwise", "other", 9)]
    assert model.shares_[0].tolist() == pytest.approx([11 / 13, 2 / 13])
    # The rule holds on held-out rows too, so that the scaling makes it more certain.
    assert model.predict_proba(pl.DataFrame({"text": ["my dog"]}))[0, 0] > 11 / 13


def test_a_rule_without_a_signal_predicts_the_class_shares():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 8)) for _ in range(300)]
    y = rng.choice(["x", "y", "z"], 300, p=[0.6, 0.3, 0.1])
    model = KeywordRule(min_count=1).fit(pl.DataFrame({"text": texts}), y)
    proba = model.predict_proba(pl.DataFrame({"text": texts}))
    apart, of_leaves = (np.abs(each - model.class_shares_).max() for each in (proba, model.shares_))
    assert apart < of_leaves / 2


def test_a_rule_has_at_most_n_words_and_reads_rare_classes():
    pairs, labels = captions(300)
    rare = labels == "animal"
    keep = np.flatnonzero(~rare | (np.cumsum(rare) <= 30))
    pairs, labels = pairs[keep], labels[keep]
    model = KeywordRule(n_words=3).fit(pairs, labels)
    assert 2 <= len(model.rule_) <= 4
    assert (model.predict(pairs) == labels)[labels == "animal"].mean() > 0.9


def test_a_rule_may_be_the_studys_own():
    pairs, labels = captions(200)
    model = make("keyword-rule", classes={"person": ["man", "woman", "girl"], "animal": ["dog", "dogs", "puppy"]})
    assert model.fit(pairs, labels).score(pairs, labels) == 1
    assert [leaf for leaf, _, _ in model.rule_] == ["person", "animal", "ambiguous", "none"]
    assert sum(n for _, _, n in model.rule_) == 200
    unknown = model.predict_proba(pl.DataFrame({"text": ["a tree", "a man and a dog"]}))
    shares = [(labels == name).mean() for name in model.classes_]
    np.testing.assert_allclose(unknown, [shares] * 2)  # no training row is decided by either


def test_metadata_hears_sizes_hosts_and_lengths_but_no_words():
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"])[rng.integers(0, 2, 200)]
    is_b = labels == "b"
    columns = {
        "text": pl.DataFrame({"text": np.where(is_b, "alpha", "gamma")}),
        "size": pl.DataFrame({"width_px": np.where(is_b, 200, 100), "height_px": 100}),
        "host": pl.DataFrame({"host": np.where(is_b, "b.org", "a.org")}),
        "length": pl.DataFrame({"text": np.where(is_b, "a long text", "short")}),
    }
    found = {name: make("metadata").fit(X, labels).score(X, labels) for name, X in columns.items()}
    assert found["text"] == pytest.approx(max(is_b.mean(), 1 - is_b.mean()))
    assert found["size"] == found["host"] == found["length"] == 1


def test_metadata_reads_further_columns_of_numbers():
    X = pl.DataFrame({"text": ["a"] * 60, "size_bytes": [10.0, 90.0] * 30})
    model = make("metadata", columns=("size_bytes",)).fit(X, ["x", "y"] * 30)
    assert model.score(X, ["x", "y"] * 30) == 1
    lacking = pl.DataFrame({"id": ["1", "2"]})
    assert model.predict_proba(lacking).shape == (2, 2)


def test_metadata_that_are_not_there_are_named():
    with pytest.raises(SchemaError, match=r"metadata reads any of .*image, text, width_px\. Found score"):
        make("metadata").fit(pl.DataFrame({"score": [1, 2]}), ["a", "b"])


def test_the_svm_reads_words_it_has_not_seen_by_their_letters():
    pairs, labels = captions(200)
    model = TextSVM().fit(pairs, labels)
    unseen = pl.DataFrame({"text": ["doglike", "puppies", "womanly", "girls"]})
    assert model.predict(unseen).tolist() == ["animal", "animal", "person", "person"]


def test_a_rule_is_smoothed_towards_the_class_shares_and_names_the_most_frequent_label_of_a_word():
    texts = ["the dog"] * 4 + ["a word here", "another one"] * 20
    model = KeywordRule(n_words=1).fit(pl.DataFrame({"text": texts}), ["rare"] * 4 + ["frequent"] * 40)
    assert model.rule_[0] == ("dog", "rare", 4)
    frequent, rare = model.shares_[0]
    assert rare == pytest.approx((4 + 4 / 11) / 8)
    assert frequent == pytest.approx((40 / 11) / 8)


def test_metadata_without_a_signal_predict_the_class_shares():
    rng = np.random.default_rng(0)
    X = pl.DataFrame({"text": ["a" * int(n) for n in rng.integers(1, 60, 300)]})
    y = rng.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1])
    proba = make("metadata").fit(X, y).predict_proba(X)
    shares = [(y == name).mean() for name in "abc"]
    assert np.abs(proba - shares).max() < 0.1  # the trees themselves are certain of some rows


def test_the_top_words_of_a_class_are_those_that_give_it_away():
    pairs, labels = captions(300)
    top = TextSVM().fit(pairs, labels).top_words(3)
    assert top.columns == ["class", "word", "weight"]
    assert set(top.filter(pl.col("class") == "person")["word"]) == {"man", "woman", "girl"}
    assert set(top.filter(pl.col("class") == "animal")["word"]) == {"dog", "dogs", "puppy"}
    assert (top["weight"] > 0).all()


def test_chances_of_the_svm_are_calibrated_where_labels_are_noisy():
    train, test = captions(600, noise=0.3), captions(600, noise=0.3, seed=1)
    model = TextSVM().fit(*train)
    assert log_loss(test[1], model.predict_proba(test[0])) < 0.62
    assert 0.7 < model.predict_proba(test[0]).max(axis=1).mean() < 0.88


def test_the_svm_leaves_validation_rows_untouched():
    pairs, labels = captions(80)
    alone = TextSVM().fit(pairs, labels).predict_proba(pairs)
    with_validation = TextSVM().fit(pairs, labels, validation=captions(40, seed=1)).predict_proba(pairs)
    assert alone.tobytes() == with_validation.tobytes()


@pytest.mark.parametrize("words", [("红狐狸", "黑猫咪", "汽车站", "火车头"), ("ثعلب", "قطة", "سيارة", "قطار")])
def test_the_svm_reads_chinese_and_arabic(words):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120)
    texts = [f"{words[2 * label + rng.integers(2)]} {words[0][0]}{words[3][0]}" for label in labels]
    X = pl.DataFrame({"text": texts})
    assert TextSVM().fit(X[:80], labels[:80]).score(X[80:], labels[80:]) == 1


@pytest.mark.parametrize("characters", [None, (3, 5)])
def test_the_svm_learns_from_texts_of_no_words(characters):
    X = pl.DataFrame({"text": ["", None, "...", "!"]})
    proba = TextSVM(characters=characters).fit(X, ["a", "b", "a", "b"]).predict_proba(X)
    np.testing.assert_allclose(proba, 0.5, atol=0.05)


def test_ngrams_that_no_text_can_have_are_one_clear_line():
    with pytest.raises(ConfigError, match=r"characters: the shortest n-gram, 5, should not be longer .*got \(5, 3\)"):
        make("text-svm", characters=(5, 3))


def test_the_svm_bears_words_that_are_all_too_rare():
    X = pl.DataFrame({"text": ["dog", "cat", "cow"]})
    assert TextSVM(min_count=9, characters=None).fit(X, ["d", "c", "w"]).predict_proba(X).shape == (3, 3)


def test_one_row_a_class_is_enough_for_the_svm():
    X = pl.DataFrame({"text": ["dog", "cat", "cow"]})
    assert TextSVM().fit(X, ["d", "c", "w"]).predict(X).tolist() == ["d", "c", "w"]


def test_a_word_that_overrules_another_stands_before_it():
    texts = ["a dog"] * 20 + ["a man and a dog"] * 10 + ["a man"] * 10
    model = KeywordRule().fit(pl.DataFrame({"text": texts}), ["animal"] * 20 + ["person"] * 20)
    assert model.predict(pl.DataFrame({"text": ["one dog", "dog with man"]})).tolist() == ["animal", "person"]


def test_a_given_rule_is_that_of_the_study():
    texts = ["the man ran", "the dog ran", "a man has a dog here", "nothing"]
    model = make("keyword-rule", preset="study-2023").fit(pl.DataFrame({"text": texts[:2]}), ["person", "animal"])
    assert model.predict(pl.DataFrame({"text": texts})).tolist()[:3] == ["person", "animal", "person"]
