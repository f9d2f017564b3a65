"""Texts are lowered, masked and divided into words as polars does it, for each character of Unicode."""

import re
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint import rules
from counterpoint.config import Text
from counterpoint.errors import ConfigError
from counterpoint.onnx_export import text_patterns as patterns
from onnx_material import TEXTS

NO_SURROGATES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LETTERS = st.text(st.sampled_from("aAΣσςiİıſsKk'’. -_\t\u0301\u00a0\x1c红ไ犬é"), max_size=12)


@cache
def made() -> tuple[re.Pattern[str], dict[int, str], re.Pattern[str]]:
    return (
        re.compile(patterns.word_pattern()),
        str.maketrans(patterns.small_letters()),
        re.compile(patterns.space_pattern()),
    )


def words(text: str) -> list[str]:
    word, small_letters, _ = made()
    small = text.translate(small_letters)
    return word.findall(small.lower() if "Σ" in small else small)


def masked(text: str, found: str) -> str:
    return made()[2].sub(" ", re.sub(found, " ", text)).strip(" ")


def of_polars(expression: pl.Expr, texts: list[str]) -> list:
    return pl.DataFrame({"t": texts}).select(expression)["t"].to_list()


@pytest.mark.slow
def test_each_character_alone_and_between_letters_gives_the_same_words():
    for start in range(0, 0x110000, 4096):
        characters = [chr(code) for code in range(start, start + 4096) if not 0xD800 <= code < 0xE000]
        texts = [f"{character} A{character}红b" for character in characters]
        if texts:
            assert [words(text) for text in texts] == of_polars(rules.words(pl.col("t")), texts)


@settings(deadline=None)  # the first text makes the patterns
@given(LETTERS | NO_SURROGATES)
def test_a_text_gives_the_same_words(text):
    assert [words(text)] == of_polars(rules.words(pl.col("t")), [text])


@pytest.mark.parametrize("match", ["word", "space", "substring"])
@pytest.mark.parametrize("ignore_case", [True, False])
@settings(deadline=None)  # the first text makes the patterns
@given(text=LETTERS | NO_SURROGATES)
def test_the_same_words_are_masked(match, ignore_case, text):
    mask = ("k", "Kí", "is", "犬", "ſ.", "σ", "a-")
    found = patterns.mask_pattern(Text(mask=mask, match=match, ignore_case=ignore_case))
    assert [masked(text, found)] == of_polars(
        rules.masked(pl.col("t"), mask, match=match, ignore_case=ignore_case), [text]
    )


def test_a_regular_expression_is_masked():
    mask = (r"\d+", "fox|owl")
    found = patterns.mask_pattern(Text(mask=mask, match="regex"))
    texts = [*TEXTS, "The FOX 12 owls"]
    assert [masked(text, found) for text in texts] == of_polars(rules.masked(pl.col("t"), mask, match="regex"), texts)


@pytest.mark.parametrize("mask", [r"\p{Han}", "[[a-z]--[b]]", "(?<n>a)", "("])
def test_an_expression_that_python_lacks_is_refused_in_one_line(mask):
    with pytest.raises(ConfigError, match=r"is no expression of Python's re: [^\n]*$"):
        patterns.mask_pattern(Text(mask=(mask,), match="regex"))


def test_without_masked_words_there_is_no_pattern():
    assert patterns.mask_pattern(Text()) is None
