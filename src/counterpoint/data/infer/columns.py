"""The columns of a sample that may be the text, the label, the split, the group or the id, the likeliest first."""

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from counterpoint.data.given_split import is_k_fold
from counterpoint.data.infer.names import (
    GROUPS,
    IDS,
    LABELS,
    SPLITS,
    TEXTS,
    is_named,
    is_neither,
    name_rank,
    plain_name,
)
from counterpoint.data.targets import check_classes
from counterpoint.errors import SchemaError
from counterpoint.formats.fold_names import FOLD_NAMES
from counterpoint.schema import Frame

MAX_UNNAMED, MAX_CLASSES = 200, 1000
"""The largest number of classes in a column with another name, and in one whose name means label."""
MAX_LABEL_CHARS = 60


class Choice(NamedTuple):
    """The candidate columns for a role, the likeliest first."""

    names: tuple[str, ...]

    @property
    def first(self) -> str | None:
        """The likeliest column, if there is any."""
        return self.names[0] if self.names else None

    @property
    def others(self) -> str:
        """The next candidates, as text for a comment."""
        return f"could also be {', '.join(self.names[1:4])}" if len(self.names) > 1 else ""


def text_columns(rows: Frame, taken: Collection[str] = (), *, least_values: int = 2) -> Choice:
    """Return the columns that may be the text: first by name, then by similarity to language.

    Parameters
    ----------
    rows, taken
        *rows* are a sample, and *taken* the columns that have another role.
    least_values
        *least_values* is the smallest number of distinct values of a text.

    Examples
    --------
    >>> rows = pl.DataFrame({"licence": ["see the file of terms"] * 3, "note": ["a cat", "a dog", "no"]})
    >>> text_columns(rows).names
    ('note',)
    """
    likeness = {name: _language(rows[name].alias(""), least_values) for name in _strings(rows, taken)}
    fit = [name for name, like in likeness.items() if like > 0]
    by_name = sorted(
        (name for name in fit if name_rank(name, TEXTS) < 2 * len(TEXTS)), key=lambda name: name_rank(name, TEXTS)
    )
    rest = [
        name for name in fit if name not in by_name and not is_neither(name) and name_rank(name, LABELS) >= len(LABELS)
    ]
    return Choice((*by_name, *sorted(rest, key=lambda name: -likeness[name])))


def text_column_to_predict(rows: Frame) -> str | None:
    """Return the column that is the text of new rows: by its name whatever its values, or else by `text_columns`.

    So new rows are read in the same way alone and together.  A single row is taken to be language.

    >>> text_column_to_predict(pl.DataFrame({"caption": ["7"], "shelf": ["next to the door"]}))
    'caption'
    >>> text_column_to_predict(pl.DataFrame({"shelf": ["next to the door"]}))
    'shelf'
    """
    flat = [name for name in rows.columns if not _is_nested(rows[name].alias(""))]
    first = min(flat, key=lambda name: name_rank(name, TEXTS), default="")
    if first and name_rank(first, TEXTS) < len(TEXTS):
        return first
    return text_columns(rows, least_values=1 if len(rows) == 1 else 2).first


def id_column_to_predict(rows: Frame) -> str | None:
    """Return the column that is the id of new rows, by its name alone: predictions need no unique ids.

    >>> id_column_to_predict(pl.DataFrame({"UUID": ["a", "a"], "ID": [1, 1]})), id_column_to_predict(pl.DataFrame())
    ('ID', None)
    """
    fit = [name for name in rows.columns if is_named(name, IDS) and not _is_nested(rows[name].alias(""))]
    return min(fit, key=lambda name: (name != "id", name_rank(name, IDS)), default=None)


def _language(values: pl.Series, least_values: int) -> float:
    """Return how similar *values* are to sentences: words per value, times the share of distinct values."""
    given = values.drop_nulls()
    if given.n_unique() < least_values or _is_list(given) or _numbers(given) is not None or _is_address(given):
        return 0.0
    n_words = given.str.count_matches(r"[^\W\d_]+").mean()
    return float(n_words) * given.n_unique() / len(given) if isinstance(n_words, float) else 0.0


def _is_list(values: pl.Series) -> bool:
    return 2 * int(values.str.contains(r"^\s*[\[{]").sum()) > len(values)


def _is_address(values: pl.Series) -> bool:
    is_one = values.str.contains(r"(?i)^[a-z]+://|^\S+[/\\]\S+\.\w{3,4}$|^\S+\.(?:jpe?g|png|gif|webp)$")
    return 2 * int(is_one.sum()) > len(values)


def label_columns(rows: Frame, taken: Collection[str] = ()) -> Choice:
    """Return the columns that may be the label: first by name, then words before numbers, few values before many.

    >>> columns = {"split": ["train", "test"] * 9, "lang": ["de", "en", "fr"] * 6, "mood": ["good", "bad", "so"] * 6}
    >>> label_columns(pl.DataFrame(columns)).names
    ('mood',)
    """
    plain_ones = [name for name in rows.columns if name not in taken and not _is_nested(rows[name].alias(""))]
    by_name = {name for name in plain_ones if name_rank(name, LABELS) < len(LABELS)}
    n_values = {name: _n_classes(rows[name].alias(""), has_label_name=name in by_name) for name in plain_ones}
    partly = {name for name in n_values if name_rank(name, LABELS) < 2 * len(LABELS) and not is_neither(name)}
    fit = [
        name for name, n in n_values.items()
        if 2 <= n <= _most_classes(len(rows), has_label_name=name in by_name)
        and (name in by_name or not (is_neither(name) or is_split(rows[name].alias(""))))
    ]  # fmt: skip

    def order(name: str) -> tuple[int, bool, int]:
        place = name_rank(name, LABELS) if name in by_name | partly else 2 * len(LABELS)
        return place, _numbers(rows[name].alias("").cast(pl.String).drop_nulls()) is not None, n_values[name]

    return Choice(tuple(sorted(fit, key=order)))


def _most_classes(n_rows: int, *, has_label_name: bool) -> int:
    return min(MAX_CLASSES, max(2, n_rows // 2)) if has_label_name else min(MAX_UNNAMED, max(2, n_rows // 5))


def _n_classes(values: pl.Series, *, has_label_name: bool) -> int:
    """Return the number of classes in *values*: 0 for lists, measurements and long texts."""
    given = _given(values)
    numbers = _numbers(given)
    if numbers is not None and not has_label_name and not (numbers == numbers.floor()).all():
        return 0
    is_long = (given.str.len_chars().max() or 0) > MAX_LABEL_CHARS  # type: ignore[operator]
    return 0 if is_long or _why_no_classes(given) else given.n_unique()


def _given(values: pl.Series) -> pl.Series:
    given = values.cast(pl.String).str.strip_chars().drop_nulls()
    return given.filter(given != "")


def _why_no_classes(given: pl.Series) -> str | None:
    try:
        check_classes(given)
    except SchemaError as error:
        return str(error)
    return None


def why_no_labels(rows: Frame) -> list[str]:
    """Return a line for each column that has the name of a label but holds no classes.

    >>> why_no_labels(pl.DataFrame({"target": [n / 8 for n in range(90)]}))[0][:65]
    "Column 'target' is not the label. Labels such as '0.125' are meas"
    """
    plain_ones = [name for name in rows.columns if not _is_nested(rows[name].alias(""))]
    by_name = [name for name in plain_ones if name_rank(name, LABELS) < len(LABELS)]
    why = {name: _why_no_classes(_given(rows[name].alias(""))) for name in by_name}
    return [f"Column {name!r} is not the label. {reason}" for name, reason in why.items() if reason]


def _numbers(values: pl.Series) -> pl.Series | None:
    """Return *values* as numbers, or None when some are not."""
    numbers = values.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    return numbers if len(numbers) and numbers.is_finite().fill_null(False).all() else None


def split_columns(rows: Frame) -> Choice:
    """Return the columns that may name the fold of each row: by their name, or by their values.

    >>> split_columns(pl.DataFrame({"usage": ["train", "valid"], "set": ["A", "B"], "fold": [0, 1]})).names
    ('usage',)
    """
    plain_ones = [name for name in rows.columns if not _is_nested(rows[name].alias(""))]
    fit = [
        name
        for name in plain_ones
        if is_split(rows[name].alias("")) or (is_named(name, SPLITS) and _is_k_fold(rows[name].alias("")))
    ]
    return Choice(tuple(sorted(fit, key=lambda name: (name_rank(name, SPLITS), name))))


def is_split(values: pl.Series) -> bool:
    """Return whether *values* are names of folds, with a training fold and another one.

    >>> is_split(pl.Series(["train", "Valid"])), is_split(pl.Series(["train", "bus"]))
    (True, False)
    """
    words = set(values.cast(pl.String).drop_nulls().str.strip_chars().str.to_lowercase().unique())
    return len(words) > 1 and words <= set(FOLD_NAMES) and "train" in {FOLD_NAMES[word] for word in words}


def _is_k_fold(values: pl.Series) -> bool:
    return is_k_fold(set(values.cast(pl.String).drop_nulls().unique()))


def group_column(rows: Frame, taken: Collection[str] = ()) -> str | None:
    """Return the column with the name of a group, if some of its values come more than once.

    >>> group_column(pl.DataFrame({"Group ID": ["a", "a", "b"], "user": ["x", "y", "z"]}))
    'Group ID'
    """
    fit = (name for name in rows.columns if name not in taken and plain_name(name) in GROUPS[:3])
    return next((name for name in fit if 1 < rows[name].alias("").drop_nulls().n_unique() < len(rows)), None)


def id_column(rows: Frame) -> str | None:
    """Return the column with the name of an id, if no two rows share a value.

    >>> id_column(pl.DataFrame({"id": [1, 1], "uuid": ["a", "b"]}))
    'uuid'
    """
    fit = (name for name in rows.columns if plain_name(name) in IDS)
    return next(
        (
            name
            for name in fit
            if rows[name].alias("").n_unique() == len(rows) and not rows[name].alias("").null_count()
        ),
        None,
    )


def _strings(rows: Frame, taken: Collection[str]) -> list[str]:
    return [name for name, kind in rows.schema.items() if kind == pl.String and name not in taken]


def _is_nested(values: pl.Series) -> bool:
    return values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object)
