"""Labels from folders: the class of ``cats/1.jpg`` is cats."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

import polars as pl

from counterpoint.data.sources.image_column import as_names
from counterpoint.data.sources.messages import no_column
from counterpoint.errors import SourceError
from counterpoint.formats.tables import BAD, Table
from counterpoint.schema import Frame


def folders_of(paths: pl.Series) -> pl.Series:
    r"""Return the name of the last folder of each path, or null for a path without a folder.

    >>> folders_of(pl.Series(["train/cats/1.jpg", "dogs\\2.jpg", "3.jpg", None])).to_list()
    ['cats', 'dogs', None, None]
    """
    return paths.str.strip_chars(" \"'").str.extract(r"([^/\\]+)[/\\]+[^/\\]+$")


def labelled_by_folder(table: Table, *, image: str, label: str) -> Table:
    """Return *table* with a column of labels: the folder of each image path.

    Parameters
    ----------
    table
        *table* is the table with the image paths.
    image
        *image* is the name of its column of image paths.
    label
        *label* is the name of the new column.

    Raises
    ------
    SourceError
        When the table has no column *image*, or already has a column *label*.
    """
    if image not in table.columns:
        raise SourceError(no_column(f"{table.path} has no column for source.image,", image, table.columns))
    if label in table.columns:
        raise SourceError(f"{table.path} has a column {label!r}: set source.label: {label}, or leave out label_from.")
    return replace(table, columns=(*table.columns, label), frames=partial(_frames, table, image, label))


def _frames(table: Table, image: str, label: str, wanted: Collection[str]) -> Iterator[Frame]:
    for frame in table.frames({name for name in wanted if name != label} | {image}):
        labels = folders_of(as_names(frame[image]).alias("")).alias(label)
        yield frame[[name for name in frame.columns if name in {*wanted, BAD}]].with_columns(labels)
