"""Facts of a pair that need no model: its text, its image file, the look of the image, its words and its source.

Every fact is a number.  A fact that is there or not, such as a word, is 1 or 0.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from counterpoint.measures.image_properties import APPEARANCE
from counterpoint.schema import Frame

MOST_WORDS, MOST_VALUES = 40, 8
"""The most frequent words, and the most frequent values of each column of `NAMED`, that are facts."""
LEAST_SHARE = 0.05
"""A word or a value that fewer rows have, or that fewer rows lack, is no fact."""
LONGEST_WORD = 30
WORD = r"[\p{L}\p{N}_]+"
"""The pattern of a word."""


class Fact(NamedTuple):
    """A number of each row.

    Attributes
    ----------
    phrase
        *phrase* is a sentence with a place for the number, such as "the text has {} words".
    needs
        *needs* are the columns of pairs that it is computed from.
    value
        *value* is the number as an expression over pairs.
    is_count
        *is_count* is True for whole numbers that a reader counts, such as words.
    known, unknown
        *known* and *unknown* are clauses for a row that has the number, and for one that lacks it.
    """

    phrase: str
    needs: tuple[str, ...]
    value: pl.Expr
    is_count: bool = False
    known: str = "the pair has an image"
    unknown: str = "the pair has no image"


_TEXT = pl.col("text").fill_null("")


def _look(name: str) -> pl.Expr:
    return APPEARANCE[name]


FACTS: Mapping[str, Fact] = {
    "words": Fact("the text has {} words", ("text",), _TEXT.str.count_matches(WORD), is_count=True),
    "characters": Fact("the text has {} characters", ("text",), _TEXT.str.len_chars(), is_count=True),
    "width": Fact("the image is {} pixels wide", ("width_px",), pl.col("width_px"), is_count=True),
    "height": Fact("the image is {} pixels high", ("height_px",), pl.col("height_px"), is_count=True),
    "shape": Fact(
        "the width of the image divided by its height is {}", ("width_px", "height_px"),
        pl.col("width_px") / pl.col("height_px"),
    ),
    "quality": Fact(
        "the JPEG quality of the image is {}", ("image_quality",), pl.col("image_quality"), is_count=True,
        known="the image is a JPEG file", unknown="the image is no JPEG file",
    ),
    "size": Fact(
        "the number of bytes per pixel of the image file is {}", ("image_bytes", "width_px", "height_px"),
        _look("bytes per pixel"),
    ),
    "brightness": Fact("the brightness of the image is {}", ("image_brightness",), _look("brightness")),
    "contrast": Fact("the contrast of the image is {}", ("image_contrast",), _look("contrast")),
    "sharpness": Fact("the sharpness of the image is {}", ("image_sharpness",), _look("sharpness")),
    "saturation": Fact("the colour saturation of the image is {}", ("image_saturation",), _look("saturation")),
    "red": Fact(
        "the red of the image minus its blue is {}", ("image_red", "image_blue"), _look("red against blue")
    ),
    "green": Fact(
        "the green of the image minus its other colours is {}", ("image_red", "image_green", "image_blue"),
        _look("green against red and blue"),
    ),
    "border": Fact(
        "the spread of colours at the border of the image is {}", ("image_border_spread",),
        pl.col("image_border_spread"),
    ),
}  # fmt: skip
"""The facts that are numbers.  Shares of white are 0 to 1."""
HAS_WORD, TEXT_CLUSTER, IMAGE_CLUSTER = "word", "text cluster", "image cluster"
CLUSTERED: Mapping[str, str] = {"text": "text_cluster", "image": "image_cluster"}
"""The column of the clusters of each modality (`counterpoint.measures.clusters`)."""
NAMED: Mapping[str, tuple[str, str, str]] = {
    HAS_WORD: ("text", "the text contains “{}”", "the text lacks “{}”"),
    "format": ("image_format", "the format of the image is {}", "the format of the image is not {}"),
    "source": ("source", "the source is {}", "the source is not {}"),
    "host": ("host", "the host is {}", "the host is not {}"),
    TEXT_CLUSTER: (CLUSTERED["text"], "the text is like those with {}", "the text is unlike those with {}"),
    IMAGE_CLUSTER: (
        CLUSTERED["image"], "the image is like those of texts with {}", "the image is unlike those of texts with {}",
    ),
}  # fmt: skip
"""Facts that are there or not, by the first part of their name: their column, and a sentence for each."""
WORDLESS: Mapping[str, tuple[str, str]] = {
    HAS_WORD: ("the text contains a certain word", "the text lacks a certain word"),
    TEXT_CLUSTER: ("the text is of a certain cluster", "the text is not of a certain cluster"),
    IMAGE_CLUSTER: ("the image is of a certain cluster", "the image is not of a certain cluster"),
}
"""Sentences on the facts whose names have words of texts, without these."""
_SEPARATOR, _WORDS = ":", " words of the text"


def fact_columns(pairs: Frame) -> list[str]:
    """Return the columns of *pairs* from which facts are computed.

    >>> fact_columns(pl.DataFrame(schema=["id", "text", "label", "width_px"]))
    ['text', 'width_px']
    """
    needed = {column for fact in FACTS.values() for column in fact.needs} | {column for column, *_ in NAMED.values()}
    return [column for column in pairs.columns if column in needed]


def is_presence(name: str) -> bool:
    """Return whether a fact is there or not, such as a word.

    >>> is_presence("word:dog"), is_presence("words")
    (True, False)
    """
    return _SEPARATOR in name


def fact_names(pairs: Frame) -> list[str]:
    """Return the names of the facts that differ between these *pairs*, with their frequent words and sources.

    Neither labels nor predictions are read.

    Examples
    --------
    >>> texts = ["a red dog", "a cat"] * 20
    >>> fact_names(pl.DataFrame({"text": texts, "width_px": 64, "source": "photos"}))
    ['words', 'characters', 'word:cat', 'word:dog', 'word:red']
    """
    numbers = [name for name, fact in FACTS.items() if set(fact.needs) <= set(pairs.columns)]
    values = facts_of(pairs, numbers)
    differing = [name for name in numbers if values[name].drop_nulls().n_unique() > 1]
    return [*differing, *(fact for kind in NAMED for fact in _frequent(pairs, kind))]


def _frequent(pairs: Frame, kind: str) -> list[str]:
    column, *_ = NAMED[kind]
    if column not in pairs.columns or pairs[column].dtype != pl.String:
        return []
    own = pairs[column].drop_nulls()
    if kind == HAS_WORD:
        own = own.str.to_lowercase().str.extract_all(WORD).list.unique().explode(empty_as_null=False)
        own = own.filter(own.str.len_chars() <= LONGEST_WORD)
    counts = own.value_counts(name="n").sort("n", own.name, descending=[True, False])
    share = counts["n"] / max(1, len(pairs))
    known = counts.filter((share >= LEAST_SHARE) & (share <= 1 - LEAST_SHARE))
    most = MOST_WORDS if kind == HAS_WORD else MOST_VALUES
    return [f"{kind}{_SEPARATOR}{value}" for value in known[own.name].head(most).sort()]


def facts_of(pairs: Frame, names: Sequence[str]) -> Frame:
    """Return these facts of each pair, a column of numbers each.  Null is a fact that is not known of a pair.

    Parameters
    ----------
    pairs
        *pairs* is schema.PAIRS with the columns that describe images.  A missing column makes its facts null.
    names
        *names* are names of facts, such as "words" or "word:dog".

    Examples
    --------
    >>> facts_of(pl.DataFrame({"text": ["A red dog", None]}), ["words", "word:dog", "width"]).rows()
    [(3.0, 1.0, None), (0.0, 0.0, None)]
    """
    is_with_words = any(name.startswith(f"{HAS_WORD}{_SEPARATOR}") for name in names) and "text" in pairs.columns
    rows = pairs.with_columns(_TEXT.str.to_lowercase().str.extract_all(WORD).alias(_WORDS)) if is_with_words else pairs
    values = rows.select(_value(name, rows.columns).cast(pl.Float64).alias(name) for name in names)
    return values.with_columns(pl.when(pl.all().is_finite()).then(pl.all()).name.keep()) if names else values


def _value(name: str, columns: Sequence[str]) -> pl.Expr:
    if not is_presence(name):
        fact = FACTS[name]
        return fact.value if set(fact.needs) <= set(columns) else pl.lit(None)
    kind, _, value = name.partition(_SEPARATOR)
    column, *_ = NAMED[kind]
    if column not in columns:
        return pl.lit(None)
    if kind == HAS_WORD:
        return pl.col(_WORDS).list.contains(pl.lit(value))
    return pl.col(column) == pl.lit(value)
