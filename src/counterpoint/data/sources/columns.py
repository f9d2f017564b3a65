"""The columns of a table by their roles, and its rows as records.  Does not open tables."""

from abc import ABC
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Self

import polars as pl
from pydantic import PrivateAttr, SerializerFunctionWrapHandler, model_serializer, model_validator

from counterpoint.data.sources.base import REASON, Source
from counterpoint.data.sources.image_column import as_names, check_paths
from counterpoint.data.sources.messages import no_column
from counterpoint.errors import SourceError
from counterpoint.formats.fold_names import FOLD_NAMES
from counterpoint.formats.image_paths import ImagePaths
from counterpoint.formats.tables import BAD, LINE, Table
from counterpoint.formats.urls import host_of
from counterpoint.formats.values import as_json, name_strings, number_columns
from counterpoint.schema import NOTE, PAIRS, RECORDS, Frame, finding

NEEDED = ("image", "text")
NAMES = ("label", "group", "text_id", "image_id")
ROLES = (*NEEDED, "id", *NAMES, "split", "url")
TAKEN = frozenset({*RECORDS, *PAIRS, *NAMES, "url", "host"})
"""Columns that pairs have already, or may have."""

NO_ID = "no_id"
"""The reason of a row that has nothing in the column of ids."""

Refs = Callable[[pl.Series, int], list[str | None]]
"""A function from image bytes, and the number of their first row, to their references."""


class TabularSource(Source, ABC):
    """A source whose rows are the rows of tables.

    Each of the settings below names a column, or null for no column.  A setting that is not given takes the column of
    the same name, if the table has one.  The image and the text need a column, unless they are null.

    A row leaves at once when it has more or fewer fields than the header (``bad_row``) or is no JSON object
    (``bad_json``).  It also leaves when it is not UTF-8 (``bad_text``) or has no id in a column of ids (``no_id``).
    The id of an unreadable row is its line in the file.

    In every column except the image and the text, NaN, nan, <NA> and an empty value are missing, and the number 1.0
    is 1.  In a CSV they are numbers when all values of the column are numbers.

    Parameters
    ----------
    image
        *image* is the column of image paths, of image bytes, or of ``{bytes, path}``, the form of Hugging Face.
    text
        *text* is the column of texts.
    id
        *id* is the column of ids (default: the row's number).
    label, group
        *label* is the column of classes, which may be numbers.  *group* is the column of groups: the rows of one group
        share a fold.
    split
        *split* is the column of train, validation (valid, val, dev) and test (testing, eval), or of fold numbers.
    url
        *url* is the column of the addresses that the images come from.
    text_id, image_id
        *text_id* and *image_id* are columns of keys.  Alignment refuses a pair whose two keys differ.
    numbers
        *numbers* are further columns of numbers that the pairs keep, such as own vectors: names, or starts of names, as
        in ``[x_*]``.  The encoder ``columns:x_`` and the setting *columns* of ``metadata`` read them.
    """

    image: str | None = "image"
    text: str | None = "text"
    id: str | None = "id"
    label: str | None = "label"
    group: str | None = "group"
    split: str | None = "split"
    url: str | None = "url"
    text_id: str | None = "text_id"
    image_id: str | None = "image_id"
    numbers: tuple[str, ...] = ()

    _image_notes: list[str] = PrivateAttr(default_factory=list)

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if self.image is None and self.text is None:
            raise ValueError("give a column of images, or of texts, or both")
        return self

    @model_serializer(mode="wrap")
    def _without_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A source without such columns keeps the fingerprint that it had before there were any.
        return {name: value for name, value in dump(self).items() if name != "numbers" or value}

    def records(self, table: Table, *, root: Path, start: int, refs: Refs) -> Iterator[Frame]:
        """Yield the rows of *table* as records.

        Parameters
        ----------
        table
            *table* is an open table.
        root
            *root* is the folder that image paths start from.
        start
            *start* is the number of the first row.
        refs
            *refs* turns image bytes into references.

        Raises
        ------
        SourceError
            When a column is missing, or holds values of a type that its role does not allow.
        """
        used, further = self.used(table), self.further(table)
        numbers = number_columns(table, {used[role] for role in ("id", "split", *NAMES) if role in used})
        image = used.get("image", "")
        paths = ImagePaths(root, lambda: (as_names(frame[image]).alias("") for frame in table.frames({image})))
        for n_frames, frame in enumerate(table.frames({*used.values(), *further, LINE})):
            if n_frames == 0 and "image" in used:
                check_paths(as_names(frame[used["image"]]), paths, table.path)
            columns = {role: _named(frame[name], role, numbers, table) for role, name in used.items()}
            records = _records(frame, columns, table=table, paths=paths, start=start, refs=refs)
            yield records.with_columns(_numbers(frame[name], table) for name in further)
            start += frame.height
        for line in paths.account():
            self._image_notes.append(line)

    def findings(self) -> list[dict[str, str]]:
        """Return a finding on image paths that were found in another way than as written."""
        notes = self._image_notes
        return [finding(NOTE, "info", "images", f"{'. '.join(notes[:3])}.", notes=notes[:20])] if notes else []

    def further(self, table: Table) -> list[str]:
        """Return the further columns of numbers, in the order of *table*.

        Raises
        ------
        SourceError
            When the table lacks one, or pairs have a column of this name already.
        """
        starts = tuple(name.removesuffix("*") for name in self.numbers if name.endswith("*"))
        found = [name for name in table.columns if name in self.numbers or (starts and name.startswith(starts))]
        for wanted in self.numbers:
            if not any(name == wanted or name.startswith(wanted.removesuffix("*")) for name in found):
                raise SourceError(no_column(f"{table.path} has no column for source.numbers,", wanted, table.columns))
        taken = next((name for name in found if name in TAKEN), None)
        if taken is not None:
            raise SourceError(f"{table.path}: source.numbers names {taken!r}, a column that pairs have already.")
        return found

    def used(self, table: Table) -> dict[str, str]:
        """Return the column of each role for which *table* has one.

        Raises
        ------
        SourceError
            When the table lacks a column that is needed, or that a setting names.
        """
        wanted = {role: name for role in ROLES if (name := getattr(self, role)) is not None}
        for role, name in wanted.items():
            if name not in table.columns and (role in NEEDED or role in self.model_fields_set):
                lacking = no_column(f"{table.path} has no column for source.{role},", name, table.columns)
                raise SourceError(" ".join([lacking, *table.notes]))
        return {role: name for role, name in wanted.items() if name in table.columns}


def _named(column: pl.Series, role: str, numbers: Collection[str], table: Table) -> pl.Series:
    """Return the column of *role*, as strings unless it is the image or the text."""
    if role in NEEDED:
        return column
    if role == "label" and column.dtype.is_nested():
        return as_json(column)
    return names(column, table, numbers)


def _records(
    frame: Frame, used: dict[str, pl.Series], *, table: Table, paths: ImagePaths, start: int, refs: Refs
) -> Frame:
    number = pl.int_range(start, start + frame.height, eager=True).cast(pl.String)
    line = pl.when(pl.col(BAD).is_not_null()).then(pl.lit("line ") + pl.col(LINE).cast(pl.String))
    ids = frame.select(pl.coalesce(line, used.get("id", number)).alias("id"))["id"]
    nothing = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    series = {
        "id": ids,
        "text": _texts(used["text"], table) if "text" in used else nothing,
        "image": _images(used["image"], table, paths, start, refs) if "image" in used else nothing,
        **{role: used[role] for role in (*NAMES, "url") if role in used},
        **({"fold": used["split"]} if "split" in used else {}),
        BAD: frame[BAD],
    }
    no_id = pl.when(pl.col("id").is_null()).then(pl.lit(NO_ID))
    made = pl.DataFrame(series).with_columns(
        pl.lit(table.path.name or "frame").alias("source"), pl.coalesce(BAD, no_id).alias(REASON)
    )
    if "url" in used:
        made = made.with_columns(host_of(pl.col("url")).alias("host"))
    if "split" in used:
        made = made.with_columns(pl.col("fold").str.strip_chars().str.to_lowercase().replace(dict(FOLD_NAMES)))
    return made.drop(BAD)


def names(column: pl.Series, table: Table, numbers: Collection[str] = ()) -> pl.Series:
    """Return a column of names or numbers as strings: see `counterpoint.formats.values.name_strings`.

    Parameters
    ----------
    column
        *column* is the column of the table.
    table
        *table* is the table, for messages.
    numbers
        *numbers* are the names of the columns whose strings are all numbers.

    Raises
    ------
    SourceError
        When the column holds lists, bytes or objects.

    Examples
    --------
    >>> names(pl.Series([1.0, None, 0.5]), Table(Path("a.parquet"), ("",), None)).to_list()
    ['1', None, '0.5']
    """
    kind = column.dtype
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        raise SourceError(f"{table.path}: column {column.name!r} is {kind}. Allowed: strings, numbers.")
    return name_strings(column, is_number=column.name in numbers)


def _numbers(column: pl.Series, table: Table) -> pl.Series:
    """Return a column of numbers as floats.  An empty value and NaN are null."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise SourceError(
            f"{table.path}: column {column.name!r} of source.numbers is {column.dtype}. Allowed: numbers."
        )
    name, column = column.name, column.alias("")
    given = column if column.dtype.is_numeric() else name_strings(column)
    found = given.cast(given.dtype if given.dtype.is_float() else pl.Float64, strict=False)
    wrong = column.filter(found.is_null() & given.is_not_null())
    if len(wrong):
        raise SourceError(
            f"{table.path}: column {name!r} of source.numbers must hold numbers: "
            f"{len(wrong):,} of {len(column):,} values are not, such as {wrong[0]!r}."
        )
    return found.fill_nan(None).alias(name)


def _is_string(kind: pl.DataType) -> bool:
    return kind in (pl.String, pl.Categorical, pl.Enum, pl.Null)


def _texts(column: pl.Series, table: Table) -> pl.Series:
    if not _is_string(column.dtype):
        raise SourceError(f"{table.path}: text column {column.name!r} is {column.dtype}. Allowed: strings.")
    return column.cast(pl.String)


def _images(column: pl.Series, table: Table, paths: ImagePaths, start: int, refs: Refs) -> pl.Series:
    kind, name, column = column.dtype, column.name, column.alias("")  # a name such as "^)$" would be read as a pattern
    if _is_string(kind) or kind.is_integer():
        return paths.find(column.cast(pl.String))
    if kind == pl.Binary:
        return pl.Series(refs(column, start), dtype=pl.String)
    fields = {field.name: field.dtype for field in kind.fields} if isinstance(kind, pl.Struct) else {}
    if fields.get("bytes") != pl.Binary:
        raise SourceError(
            f"{table.path}: image column {name!r} is {kind}. Allowed: paths (strings), bytes, {{bytes, path}}."
        )
    inside = pl.Series(refs(column.struct.field("bytes"), start), dtype=pl.String)
    if fields.get("path") != pl.String:
        return inside
    return inside.zip_with(inside.is_not_null(), paths.find(as_names(column)))
