"""Word numbers and padding as Keras' own documentation shows them."""

import pytest

from counterpoint.contenders.published.keras_tokens import KerasTokenizer, split_words

LETTERS = KerasTokenizer(tuple("abcdef"))
TEXTS = ["a", "b c", "d e f"]
"""Stand for [[1], [2, 3], [4, 5, 6]], the example of ``pad_sequences``."""


@pytest.mark.parametrize(
    ("length", "padding", "as_documented"),
    [
        (3, "pre", [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        (3, "post", [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
        (2, "pre", [[0, 1], [2, 3], [5, 6]]),
    ],
)
def test_texts_are_padded_and_cut_as_pad_sequences_does(length, padding, as_documented):
    assert LETTERS.encode(TEXTS, length=length, padding=padding).tolist() == as_documented


def test_zeros_stand_before_the_words_by_default_as_in_pad_sequences():
    assert LETTERS.encode(TEXTS, length=3).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]


def test_words_are_those_of_text_to_word_sequence():
    assert split_words("This is a sample sentence.") == ["this", "is", "a", "sample", "sentence"]
    assert split_words("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\nIt's") == ["it's"]


def test_numbers_go_by_frequency_then_by_first_appearance():
    tokenizer = KerasTokenizer.of(["the dog saw the cat", "a dog"], n_words=2000)
    assert tokenizer.words == ("the", "dog", "saw", "cat", "a")


def test_the_commonest_words_but_one_of_n_words_stay_and_others_are_left_out():
    tokenizer = KerasTokenizer.of(["b b b a a c"], n_words=3)
    assert tokenizer.words == ("b", "a")
    assert tokenizer.encode(["c a unheard b"], length=4).tolist() == [[0, 0, 2, 1]]


def test_a_missing_text_is_all_padding():
    assert LETTERS.encode([None, ""], length=2).tolist() == [[0, 0], [0, 0]]
