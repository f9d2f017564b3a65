"""The image column of a table before its rows are read: its kind of values, and the place of its files."""

import logging
from pathlib import Path

import polars as pl

from counterpoint.errors import SourceError
from counterpoint.formats.image_paths import ImagePaths
from counterpoint.formats.image_roots import TRIED_NAMES, no_file, roots_of

log = logging.getLogger(__name__)
N_TRIED = 1000


def as_names(column: pl.Series) -> pl.Series:
    """Return the paths of an image column, and null where a value is no path.

    In a column of ``{bytes, path}`` a path counts where there are no bytes.

    >>> as_names(pl.Series([1, None])).to_list(), as_names(pl.Series([b"..."])).to_list()
    (['1', None], [None])
    """
    kind, name, column = column.dtype, column.name, column.alias("")  # a name such as "^)$" would be read as a pattern
    nothing = pl.repeat(None, len(column), dtype=pl.String, eager=True).alias(name)
    if isinstance(kind, pl.Struct):
        kinds = {field.name: field.dtype for field in kind.fields}
        if kinds.get("path") != pl.String or "bytes" not in kinds:
            return nothing
        return column.struct.field("path").zip_with(column.struct.field("bytes").is_null(), nothing).alias(name)
    is_named = kind.is_integer() or kind in (pl.String, pl.Categorical, pl.Enum)
    return column.cast(pl.String).alias(name) if is_named else nothing


def check_paths(names: pl.Series, paths: ImagePaths, table: Path) -> None:
    """Check that some of *names* lead to files, and set up the search of *paths* where only file names match.

    Parameters
    ----------
    names
        *names* is the column of paths.
    paths
        *paths* finds the files.  Where no path is found, but most are by their file name alone, it is switched to
        search by file name.
    table
        *table* is the file of the column, for messages.

    Raises
    ------
    SourceError
        When no name leads to a file: the values are no paths, or their files are below another root.
    """
    distinct = names.alias("").drop_nulls().unique(maintain_order=True)
    tried = distinct.gather_every(max(1, len(distinct) // N_TRIED))
    missing = paths.first_missing_of(tried)
    if missing is None:
        return
    where = f"{table}: image column {names.name!r}"
    _check_kind(tried, where)
    roots = roots_of(tried.head(TRIED_NAMES).to_list(), Path(paths.root))
    if roots:
        raise SourceError(no_file(where, *missing, roots))
    if not paths.find_anywhere(tried):
        log.warning("%s", no_file(where, *missing, []))


def _check_kind(given: pl.Series, where: str) -> None:
    if given.cast(pl.Float64, strict=False).null_count() == 0:
        raise SourceError(f"{where} holds numbers, such as {given[0]!r}, not paths.")
    if given.str.contains("(?i)^https?://").sum() > len(given) / 2:
        raise SourceError(
            f"{where} holds addresses, such as {given[0]!r}. Download them first: counterpoint acquire new --from LIST."
        )
