"""Keyword rules give each text one outcome, in any script, and masking takes whole words only."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterpoint.config import Clean, StudyConfig
from counterpoint.errors import ConfigError
from counterpoint.rules import AMBIGUOUS, NONE, STUDY_2023, KeywordRules, cleaned, masked, preset, words

WORDS = st.sampled_from(["man", "woman", "cat", "dog", "mango", "the", "Dog", "catalog"])
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


def labels(rules, *texts):
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    return frame.select(rules.label(pl.col("t")).alias("label"))["label"].to_list()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a man walks", "person"),
        ("two women and a dog", "person"),
        ("a man , a cat and a dog here", NONE),  # both animals: not a person; a person: not an animal
        ("the dog sleeps", "animal"),
        ("Dog sleeps", NONE),
        ("dog sleeps", NONE),  # no space before it
        ("a mango on a table", NONE),
    ],
)
def test_the_rule_of_the_2023_study_is_as_published(text, label):
    assert labels(STUDY_2023, text) == [label]


@given(TEXTS, st.booleans())
def test_a_text_has_exactly_the_classes_whose_words_it_has(text, ignore_case):
    rules = KeywordRules(classes={"person": ["man", "woman"], "animal": ["cat", "dog"]}, ignore_case=ignore_case)
    found = set((text.lower() if ignore_case else text).split())
    fits = [name for name, rule in rules.classes.items() if found & set(rule.any)]
    expected = AMBIGUOUS if len(fits) > 1 else fits[0] if fits else NONE
    assert labels(rules, text) == [expected]


def test_scripts_without_spaces_are_matched_by_substring():
    rules = KeywordRules(classes={"cat": ["猫"], "dog": ["狗"]}, match="substring")
    assert labels(rules, "一只猫", "黑狗跑", "鸟") == ["cat", "dog", NONE]


@settings(max_examples=50)
@given(TEXTS)
def test_masking_takes_every_masked_word_and_no_other(text):
    left = pl.DataFrame({"t": [text]}).select(masked(pl.col("t"), ["dog", "man"]))["t"].item()
    assert left.split() == [word for word in text.split() if word.lower() not in ("dog", "man")]


def test_a_null_text_stays_null():
    frame = pl.DataFrame({"t": [None, ""]}, schema={"t": pl.String})
    assert frame.select(masked(pl.col("t"), ["dog"]))["t"].to_list() == [None, ""]


def test_words_of_many_scripts():
    texts = ["الولد يلعب بالكرة", "don't STOP", "红狐 ok", "naïve café", "…!?"]
    found = pl.DataFrame({"t": texts}).select(words(pl.col("t")))["t"].to_list()
    assert found == [["الولد", "يلعب", "بالكرة"], ["don't", "stop"], ["红", "狐", "ok"], ["naïve", "café"], []]


@pytest.mark.parametrize("name", [AMBIGUOUS, NONE])
def test_a_class_may_not_take_the_name_of_an_outcome(name):
    with pytest.raises(ValueError, match="no class may have the name"):
        KeywordRules(classes={name: ["a"], "other": ["b"]})


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'study-2023'"):
        preset("study2023")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"min_word": 1}, r"Unknown key 'clean.min_word'. Did you mean 'min_words'\?"),
        ({"max_dropped_share": 2}, r"clean.max_dropped_share: .*less than or equal to 1 \(got 2\)"),
        ({"min_side_px": "wide"}, r"clean.min_side_px: .*got 'wide'"),
    ],
)
def test_a_wrong_setting_says_where_what_and_the_nearest(values, says):
    with pytest.raises(ConfigError, match=says):
        Clean.read(values, where="clean")


def test_a_key_two_sections_deep_is_named_in_full():
    with pytest.raises(ConfigError, match=r"Unknown key 'label.keywords.clases'. Did you mean 'classes'\?"):
        StudyConfig.read({"study": "a", "source": {}, "label": {"keywords": {"clases": {}, "classes": {}}}})


def clean_texts(*texts):
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(cleaned(pl.col("t")))["t"].to_list()


def test_a_cleaned_text_reads_as_it_was_meant():
    raw = [
        "a &quot;cat&quot; &#38; dog",
        "tab\t and\r\n line\u2003",
        "e\x07\u0301",
        "\ufeffx\u202ey\x00",
        "👩‍🚀",
        "",
        None,
    ]
    assert clean_texts(*raw) == ['a "cat" & dog', "tab and line", "é", "xy", "👩‍🚀", "", None]


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_a_cleaned_text_has_no_control_no_double_space_and_one_form(texts):
    for raw, text in zip(texts, clean_texts(*texts), strict=True):
        assert (raw is None) == (text is None)
        if text is not None:
            assert not any(unicodedata.category(letter) == "Cc" for letter in text)
            assert unicodedata.is_normalized("NFC", text)
            assert text == " ".join(text.split())
