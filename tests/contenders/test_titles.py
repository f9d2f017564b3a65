"""Each kind of contender has a title in plain words, and no two contenders of a page have the same."""

import pytest

from counterpoint.contenders import MODELS
from counterpoint.contenders.titles import COMBINATIONS, SUMS, TITLES, reading_of, titles_of
from counterpoint.lookup import find


def test_every_kind_has_a_title_of_its_own():
    assert set(TITLES) == set(MODELS)
    assert len(set(TITLES.values())) == len(TITLES)
    assert {*SUMS, *COMBINATIONS} <= set(MODELS)


@pytest.mark.parametrize("kind", sorted(set(MODELS) - {"ensemble", "probe-average"}))
def test_a_title_begins_with_the_modalities_that_the_kind_reads(kind):
    read = find(kind, MODELS, what="contender").modalities
    assert TITLES[kind].startswith(f"{reading_of(read)}, ")


def test_no_title_has_the_name_of_a_kind():
    assert not [kind for kind in MODELS for title in TITLES.values() if kind in title]


def test_titles_of_one_kind_differ_and_a_model_from_outside_has_its_name():
    kinds = {"wide": "lstm-cnn", "lstm-cnn": "lstm-cnn", "mine": "my_lab.bayes:CharBayes", "all": "ensemble"}
    reads = {"wide": ("text", "image"), "lstm-cnn": ("text", "image"), "mine": ("image",), "all": ("text",)}
    assert titles_of(kinds, reads | {"oracle": None}) == {
        "lstm-cnn": "text and image, small network",
        "wide": "text and image, small network (wide)",
        "mine": "image, mine",
        "all": "text, several models averaged",
        "oracle": "not stated, oracle",
    }
