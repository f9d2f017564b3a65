"""The inputs of a contender: any frame as pairs, any column as labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.config import Text
from counterpoint.errors import SchemaError
from counterpoint.features.in_memory import as_frame, kept_images
from counterpoint.rules import given, masked
from counterpoint.schema import Frame

MISSING = ("None", "nan", "<NA>", "NaT")
"""A missing label, as numpy, pandas and Arrow write it."""
HINTS = {
    "dict": "polars.DataFrame(X)",
    "list": "polars.DataFrame({'text': X})",
    "tuple": "polars.DataFrame({'text': X})",
    "Series": "X.to_frame()",
    "LazyFrame": "X.collect()",
    "Dataset": "X.to_pandas()",
    "ndarray": "polars.DataFrame({'text': X[:, 0], 'image': X[:, 1]})",
}
"""The expression that makes a frame of each other kind of table."""


def with_masks(pairs: Frame, rules: Text) -> Frame:
    """Return *pairs* with their texts as a study reads them: a blank text is missing, then words are taken out.

    A text of masked words alone becomes empty, and is not missing: in the study it was a text too.

    >>> pairs = pl.DataFrame({"text": ["a cat", "a  dog", "cat", " "]})
    >>> with_masks(pairs, Text(mask=["cat"]))["text"].to_list(), with_masks(pairs, Text())["text"].to_list()
    (['a', 'a dog', '', None], ['a cat', 'a  dog', 'cat', None])
    """
    text = given(pl.col("text"))
    if rules.mask:
        text = masked(text, rules.mask, match=rules.match, ignore_case=rules.ignore_case)
    return pairs.with_columns(text)


def as_pairs(X: Any, columns: Sequence[str] = (), *, n_labels: int | None = None, keep_images: bool = True) -> Frame:
    """Return *X* as a polars frame that has *columns*, with text and image of type String.

    Parameters
    ----------
    X
        *X* is a polars, pandas or Arrow frame.
    columns
        *columns* are the names that it must have.
    n_labels
        *n_labels* is the number of rows that it must have, or None for any number.
    keep_images
        *keep_images* writes images in memory to files that are deleted when the process ends.  Without it, their
        references point to no file.

    Raises
    ------
    SchemaError
        When *X* is no such frame, lacks a column, has another number of rows, or has texts of another type.

    Examples
    --------
    >>> as_pairs({"text": ["a dog"]}, ["text"])
    Traceback (most recent call last):
    counterpoint.errors.SchemaError: X should be a polars, pandas or Arrow frame; got dict. Try polars.DataFrame(X).
    """
    pairs = _frame_of(X)
    missing = [name for name in columns if name not in pairs.columns]
    if missing:
        raise SchemaError(f"X lacks {', '.join(missing)}; found {', '.join(pairs.columns)}.")
    if n_labels is not None and len(pairs) != n_labels:
        raise SchemaError(f"X has {len(pairs)} rows and y has {n_labels} labels.")
    if "text" in pairs.columns:
        pairs = pairs.with_columns(_texts(_nothing_as_null(pairs["text"])))
    if "image" in pairs.columns:
        pairs = pairs.with_columns(_images(_nothing_as_null(pairs["image"]), are_read=keep_images))
    return pairs


def _frame_of(X: Any) -> Frame:
    kind = type(X).__name__
    try:
        return as_frame(X)
    except TypeError as error:
        hint = f" Try {HINTS[kind]}." if kind in HINTS else ""
        raise SchemaError(f"X should be a polars, pandas or Arrow frame; got {kind}.{hint}") from error


def _nothing_as_null(column: pl.Series) -> pl.Series:
    """Return nulls for a column of NaN alone, which pandas makes where every value is missing."""
    is_nothing = column.dtype.is_float() and column.fill_nan(None).null_count() == len(column)
    return pl.repeat(None, len(column), dtype=pl.Null, eager=True).alias(column.name) if is_nothing else column


def _texts(texts: pl.Series) -> pl.Series:
    if not isinstance(texts.dtype, pl.String | pl.Null | pl.Categorical | pl.Enum):
        raise SchemaError(f"The column text should have type String. It has {texts.dtype}.")
    return texts.cast(pl.String)


def _images(images: pl.Series, *, are_read: bool) -> pl.Series:
    if are_read or not isinstance(images.dtype, pl.Binary | pl.Struct):
        return kept_images(images)
    is_there = pl.when(pl.col("image").is_not_null()).then(pl.lit("in memory"))
    return images.to_frame().select(is_there.alias("image"))["image"]


def as_labels(y: Any) -> NDArray[Any]:
    """Return labels as an array of text or of numbers.

    >>> as_labels(pl.Series(["cat", "dog"]))
    array(['cat', 'dog'], dtype='<U3')
    """
    labels = np.asarray(y)
    if labels.dtype.kind == "U":  # numpy writes a missing text of a list as "nan"
        labels = np.asarray(y, dtype=object)
    if labels.ndim != 1:
        raise SchemaError(f"y should be one column of labels. Its shape is {labels.shape}.")
    if labels.dtype == object:
        missing = sum(str(label) in MISSING for label in labels if not isinstance(label, str))
        if missing:
            raise SchemaError(f"y has {missing} missing labels. Leave those rows out.")
        return np.asarray(labels.tolist())
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise SchemaError(f"y has {np.isnan(labels).sum()} missing labels. Leave those rows out.")
    return labels
