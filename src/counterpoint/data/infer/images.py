"""The column of a table that names the images, and the folder that its paths start from."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from counterpoint.data.infer.columns import Choice
from counterpoint.data.infer.names import IDS, IMAGES, name_rank, plain_name
from counterpoint.data.infer.sample import SampledTable, bytes_columns
from counterpoint.errors import SourceError
from counterpoint.formats.image_paths import ImagePaths
from counterpoint.formats.image_roots import no_file, roots_of
from counterpoint.formats.images import split_ref
from counterpoint.formats.tables import Table
from counterpoint.formats.tars import IMAGE_EXTENSIONS

N_NAMES, N_TRIED = 200, 6
_SUFFIX = rf"(?i)\.(?:{'|'.join(map(re.escape, sorted(IMAGE_EXTENSIONS)))})$"
_URL = r"(?i)^\s*(?:https?:)?//"


class ImageColumn(NamedTuple):
    """The image column, the root of its paths, and comments on both."""

    column: str
    others: str = ""
    root: Path | None = None
    root_note: str = ""
    moved: str = ""
    """The place where an image was expected, and the place where it is, when a root is needed."""
    warning: str = ""
    """The place where an image was expected, when none is found."""


def image_column(table: Table, sample: SampledTable, home: Path) -> ImageColumn:
    """Return the image column of *table*.

    Parameters
    ----------
    table
        *table* is an open table.
    sample
        *sample* are some of its rows.
    home
        *home* is the folder that image paths start from, unless they only lead to files from another folder.

    Raises
    ------
    SourceError
        When no column holds images, paths or names of files, also when one holds addresses instead.
    """
    of_bytes = _likeliest(bytes_columns(table))
    paths = _likeliest([name for name in sample.rows.columns if _are_paths(sample.rows[name].alias(""))])
    if of_bytes:
        return ImageColumn(of_bytes[0], Choice((*of_bytes, *paths)).others)
    for name in paths:
        found = _rooted(name, sample.rows[name].alias(""), home)
        if not found.warning:
            return found._replace(others=Choice((name, *(other for other in paths if other != name))).others)
    ids = _of_ids(sample, home) if not paths else None
    if ids is not None:
        return ids
    if not paths:
        raise SourceError(_none(table, sample))
    found = _rooted(paths[0], sample.rows[paths[0]], home)
    return found._replace(others=Choice(tuple(paths)).others, warning=f"{table.path}: {found.warning}")


def _likeliest(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name_rank(name, IMAGES))


def _are_paths(values: pl.Series) -> bool:
    """Return whether most of *values* are paths of images, also inside a tar or a Parquet file."""
    given = values.drop_nulls() if values.dtype == pl.String else pl.Series([], dtype=pl.String)
    if given.is_empty() or _are_addresses(given):
        return False
    n_paths = int(given.str.strip_chars(" \"'").str.contains(_SUFFIX).sum())
    return 2 * n_paths > len(given) or all(split_ref(name)[1] for name in given.head(20))


def _are_addresses(values: pl.Series) -> bool:
    return values.dtype == pl.String and 2 * int(values.drop_nulls().str.contains(_URL).sum()) > values.count()


def _rooted(name: str, values: pl.Series, home: Path) -> ImageColumn:
    """Return column *name* with the root that its paths need, and a warning when they lead to no file."""
    tried = _some(values)
    paths = ImagePaths(home, lambda: [values.cast(pl.String)])
    paths.find(tried)
    if paths.n_found or paths.first_missing is None:
        return ImageColumn(name)
    roots = roots_of(tried.to_list(), home)
    message = no_file(f"image column {name!r}", *paths.first_missing, roots)
    if not roots and paths.find_anywhere(tried):
        return ImageColumn(name)
    if not roots:
        return ImageColumn(name, warning=message)
    note = "the folder that image paths start from" + "".join(f"; could also be {root}" for root in roots[1:3])
    first, tried_at = paths.first_missing
    moved = (
        f"image column {name!r}: {first!r} is not at {tried_at}. Its files are below {roots[0]}, so root is set to it."
    )
    return ImageColumn(name, root=roots[0], root_note=note, moved=moved)


def _some(values: pl.Series) -> pl.Series:
    distinct = values.drop_nulls().cast(pl.String).unique(maintain_order=True)
    return distinct.gather_every(max(1, len(distinct) // N_NAMES)).head(N_NAMES)


def _of_ids(sample: SampledTable, home: Path) -> ImageColumn | None:
    """Return the column whose values are names of image files without suffix, if there is one."""
    for name in _may_be_ids(sample)[:N_TRIED]:
        found = _rooted(name, sample.rows[name].alias(""), home)
        if not found.warning:
            return found
    return None


def _may_be_ids(sample: SampledTable) -> Sequence[str]:
    def order(name: str) -> tuple[int, bool]:
        return name_rank(name, IMAGES), not set(plain_name(name).split("_")) & set(IDS)

    fit = [name for name, kind in sample.rows.schema.items() if kind == pl.String or kind.is_integer()]
    named = [name for name in fit if order(name) < (2 * len(IMAGES), True)]
    unlike = [
        name for name in fit if name not in named and sample.rows[name].alias("").n_unique() > 0.9 * len(sample.rows)
    ]
    return [*sorted(named, key=order), *unlike]


def _none(table: Table, sample: SampledTable) -> str:
    addresses = [name for name in sample.rows.columns if _are_addresses(sample.rows[name].alias(""))]
    if addresses:
        return (
            f"{table.path} is a list of addresses (column {addresses[0]!r}), not of image files. Fetch them first: "
            f"counterpoint acquire new acquire.yaml --from {table.path}"
        )
    return (
        f"{table.path} has no column of image paths or bytes. Found {', '.join(table.columns[:20])}. "
        "Name the files in a column, such as image: photos/1.jpg."
    )
