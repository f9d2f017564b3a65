"""Word numbers: frozen by the training texts, the same whatever else is encoded beside them."""

import pickle

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from counterpoint.features.tokens import PAD, UNKNOWN, Vocabulary, tokenize

texts = st.lists(st.none() | st.text(max_size=20), max_size=8)


@given(texts, texts)
def test_one_id_a_word_and_never_that_of_padding(training, others):
    vocabulary = Vocabulary.of(training)
    tokens = tokenize(others).to_list()
    ids = vocabulary.encode(others)
    assert [len(row) for row in ids] == [len(words) for words in tokens]
    for row, words in zip(ids, tokens, strict=True):
        assert row.dtype == np.int32
        assert all(UNKNOWN <= i < len(vocabulary) for i in row)
        assert [vocabulary.words[i - 2] if i > UNKNOWN else None for i in row] == [
            word if word in vocabulary.words else None for word in words
        ]
    assert PAD not in {i for row in ids for i in row}


@given(texts)
def test_training_texts_have_no_unknown_word(training):
    assert all((ids != UNKNOWN).all() for ids in Vocabulary.of(training).encode(training))


@given(texts)
def test_the_order_of_training_texts_changes_nothing(training):
    assert Vocabulary.of(training) == Vocabulary.of(training[::-1])


def test_the_most_frequent_words_stay_when_there_are_too_many():
    vocabulary = Vocabulary.of(["b a", "b c", "b a", "d"], max_words=2)
    assert vocabulary.words == ("b", "a")
    assert vocabulary.encode(["a b c d"])[0].tolist() == [3, 2, UNKNOWN, UNKNOWN]


def test_rare_words_are_left_out():
    assert Vocabulary.of(["b a", "b c", "b a", "d"], min_count=2).words == ("b", "a")


def test_a_series_of_any_name_reads_as_a_list_of_texts():
    texts = ["a dog", None, ""]
    assert tokenize(pl.Series("caption", texts)).to_list() == tokenize(texts).to_list() == [["a", "dog"], [], []]
    assert tokenize(pl.Series([None, None])).to_list() == [[], []]


def test_scripts_without_spaces_are_read_by_character():
    vocabulary = Vocabulary.of(["红狐狸", "قطة صغيرة"])
    assert set(vocabulary.words) == {"红", "狐", "狸", "قطة", "صغيرة"}


def test_pickling_keeps_the_ids():
    vocabulary = Vocabulary.of(["a dog", "a cat"])
    ids = vocabulary.encode(["cat a"])[0].tolist()
    again = pickle.loads(pickle.dumps(vocabulary))
    assert again == vocabulary
    assert again.encode(["cat a"])[0].tolist() == ids
