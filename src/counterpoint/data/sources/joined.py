"""A table joined with a second one by a column of names that both have."""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from counterpoint.data.sources.messages import no_column
from counterpoint.data.sources.paths import existing
from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, Table
from counterpoint.schema import Frame
from counterpoint.settings import Section

log = logging.getLogger(__name__)
_SUFFIX = r"\.(?:jpe?g|jfif|png|webp|gif|avif|bmp|tiff?|svg)$"


class Join(Section):
    """A second table that adds columns to the first, such as labels by the names of images."""

    path: Path
    """The second table."""
    key: str
    """Its column of names.  A name in several rows must have the same values in all of them."""
    matches: str
    """The column of the first table with the same names, apart from folders, suffix and letter case."""


def keys_of(column: pl.Series, *, is_path: bool = False) -> pl.Series:
    r"""Return the values that rows are joined by: in small letters, without suffix and folders.

    With *is_path* the folders stay, because one file name may stand in several folders.

    >>> names = pl.Series(["im\\1.JPG", "./im/1.jpg", "1", " 1.png ", None])
    >>> keys_of(names).to_list(), keys_of(names, is_path=True).to_list()
    (['1', '1', '1', '1', None], ['im/1', 'im/1', '1', '1', None])
    """
    strings = column.alias("").cast(pl.String)  # a name such as "^)$" would be read as a regular expression
    named = strings.str.normalize("NFC").str.to_lowercase().str.strip_chars().str.replace_all(r"\\", "/")
    path = named.str.replace(_SUFFIX, "").str.replace(r"^(?:\./)+", "")
    return path if is_path else path.str.replace(r"^.*/", "")


def is_by_path(keys: pl.Series) -> bool:
    """Return whether the names of *keys* are distinct only with their folders."""
    distinct = keys.alias("").drop_nulls().unique()
    return keys_of(distinct).n_unique() < keys_of(distinct, is_path=True).n_unique()


def join_tables(table: Table, join: Join, wanted: Collection[str], open_other: Callable[[Path], Table]) -> Table:
    """Return *table* with the *wanted* columns that only the second table has.  A row without a match has nulls.

    Parameters
    ----------
    table
        *table* is the first table.
    join
        *join* names the second table and the two columns of names.
    wanted
        *wanted* are the columns that the source reads.
    open_other
        *open_other* opens the second table.

    Raises
    ------
    SourceError
        When the second table or a column is missing, or when one key has two different values.
    """
    other = open_other(existing(join.path, what="table to join"))
    for where, name, columns in (("key", join.key, other.columns), ("matches", join.matches, table.columns)):
        if name not in columns:
            path = other.path if where == "key" else table.path
            raise SourceError(no_column(f"{path} has no column for source.join.{where},", name, columns))
    added = [name for name in other.columns if name in wanted and name not in table.columns]
    if not added:
        raise SourceError(f"{other.path} has none of the columns that source names. Found {', '.join(other.columns)}.")
    right, is_path = _by_key(other, join.key, added)
    frames = partial(_frames, table, join, right, is_path)
    return replace(table, columns=(*table.columns, *added), frames=frames)


def _by_key(other: Table, key: str, added: list[str]) -> tuple[Frame, bool]:
    """Return the rows of *other*, each key once, and whether the keys include folders."""
    rows = pl.concat(list(other.frames({key, *added}))).filter(pl.col(BAD).is_null())
    is_path = is_by_path(rows[key])
    keys = keys_of(rows[key], is_path=is_path).alias("_key")
    by_key = rows[added].with_columns(keys).drop_nulls("_key").unique(maintain_order=True)
    twice = by_key.filter(pl.col("_key").is_duplicated())
    if twice.height:
        values = " and ".join(
            repr(value) for value in twice.filter(pl.col("_key") == twice["_key"][0])[added[0]].head(2)
        )
        raise SourceError(f"{other.path}: {key} {twice['_key'][0]!r} comes twice, with {added[0]} {values}.")
    return by_key, is_path


def _frames(table: Table, join: Join, right: Frame, is_path: bool, wanted: Collection[str]) -> Iterator[Frame]:
    n_unmatched, used = 0, set[str]()
    for frame in table.frames({name for name in wanted if name not in right.columns} | {join.matches}):
        keys = keys_of(frame[join.matches], is_path=is_path).alias("_key")
        both = frame.with_columns(keys).join(right, on="_key", how="left", maintain_order="left")
        is_matched = keys.is_in(right["_key"].implode()).fill_null(False)
        n_unmatched += len(keys) - int(is_matched.sum())
        used.update(keys.filter(is_matched))
        yield both[[name for name in both.columns if name in wanted or name == BAD]]
    if n_unmatched or len(used) < right.height:
        left = f"{right.height - len(used):,} of its {right.height:,} rows are not used"
        log.warning("%s: %s rows have no match in %s. %s.", table.path, f"{n_unmatched:,}", join.path, left)
