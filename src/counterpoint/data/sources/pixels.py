"""Tables with one column for each pixel: the splits of the 2023 study, and of `counterpoint export-pairs`."""

import re
from collections.abc import Iterator
from math import isqrt
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from counterpoint.artifacts import read_json
from counterpoint.data.sources.base import REASON, Source, spill, stamp
from counterpoint.data.sources.messages import some
from counterpoint.data.sources.paths import existing
from counterpoint.errors import SourceError, first_line
from counterpoint.formats.exports import MARK
from counterpoint.formats.fold_names import FOLD_NAMES
from counterpoint.formats.png import gray_png
from counterpoint.formats.study2023 import Named, pixel_names, write_pair_table
from counterpoint.schema import Frame

NAMED = ("Image_name", "Image_desc", "label")
ENDING = "_updated.csv"
BLOCK_BYTES = 16 << 20


class PixelsSource(Source):
    """Rows of gray images as numbers: ``Image_name``, ``Image_desc``, ``label``, and ``1x1`` to the last pixel.

    In a folder, ``train_updated.csv``, ``validation_updated.csv`` and ``test_updated.csv`` are the folds.  In folders
    ``fold-0``, ``fold-1`` …, each table ``test_updated.csv`` holds the rows of its fold.  ``export.json`` gives the
    names of the labels.

    Parameters
    ----------
    path
        *path* is the folder, or one such table.
    """

    kind: Literal["pixels"] = "pixels"
    path: Path

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the rows of each table, and write the images to shards in *work*."""
        names = _class_names(self.path)
        for number, (file, fold) in enumerate(self._files().items()):
            for start, batch in enumerate(_batches(file)):
                yield _records(batch, file, fold, names, work.absolute() / f"pixels-{number:03d}-{start:06d}.parquet")

    def fingerprint(self) -> str:
        """Return a hash of the settings, and of the sizes and times of the tables."""
        return stamp(self, self._files())

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Write a table of one image of 16 by 16 pixels."""
        row = Named("1.png", "a cat", 1, np.zeros((16, 16), np.uint8))
        write_pair_table(folder / f"train{ENDING}", [row], side_px=16)
        return cls(path=folder)

    def _files(self) -> dict[Path, str | None]:
        """Return the tables, and the fold of the rows of each."""
        path = existing(self.path, what="table or folder of pixels")
        if path.is_file():
            return {path: None}
        folds = {file: file.parent.name[5:] for file in sorted(path.glob(f"fold-*/test{ENDING}"))}
        parts = {file: FOLD_NAMES.get(file.name.removesuffix(ENDING)) for file in sorted(path.glob(f"*{ENDING}"))}
        if not folds and not parts:
            found = some(sorted(entry.name for entry in path.iterdir()))
            raise SourceError(f"{path} has no train{ENDING}, and no fold-0/test{ENDING}. Found {found}.")
        return dict(folds or parts)


def is_pixels(columns: tuple[str, ...]) -> bool:
    """Return whether a table with these columns is a table of pixels.

    >>> is_pixels(("Image_name", "Image_desc", "label", "1x1")), is_pixels(("image", "text"))
    (True, False)
    """
    return columns[:3] == NAMED and len(columns) > 3 and re.fullmatch(r"1x1", columns[3]) is not None


def _class_names(path: Path) -> dict[str, str]:
    """Return the names of the classes by their numbers, from the file of an export, if there is one."""
    account: Any = read_json((path if path.is_dir() else path.parent) / MARK)
    classes = account.get("classes") if isinstance(account, dict) else None
    return {str(number): str(name) for number, name in classes.items()} if isinstance(classes, dict) else {}


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table, some hundred at a time, because a row has thousands of columns."""
    try:
        header = pa_csv.open_csv(file, read_options=_reading(), parse_options=_parsing()).schema.names
        pixels = header[3:]
        if not is_pixels(tuple(header)) or pixels != pixel_names(isqrt(len(pixels))):
            raise SourceError(f"{file} should have the columns {', '.join(NAMED)}, 1x1 …. Found {some(header)}.")
        kinds = dict.fromkeys(NAMED, pa.string()) | dict.fromkeys(pixels, pa.uint8())
        options = pa_csv.ConvertOptions(column_types=kinds, null_values=[], strings_can_be_null=False)
        yield from pa_csv.open_csv(
            file, read_options=_reading(), parse_options=_parsing(), convert_options=options
        )  # fmt: skip
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file} is no table of pixels from 0 to 255: {first_line(error)}.") from error


def _reading() -> pa_csv.ReadOptions:
    return pa_csv.ReadOptions(block_size=BLOCK_BYTES)


def _parsing() -> pa_csv.ParseOptions:
    return pa_csv.ParseOptions(newlines_in_values=True)


def _records(batch: pa.RecordBatch, file: Path, fold: str | None, names: dict[str, str], shard: Path) -> Frame:
    pixels = np.stack([batch.column(place).to_numpy() for place in range(3, batch.num_columns)], axis=1)
    images = spill((gray_png(row.tobytes()) for row in pixels), shard)
    name, text, label = (pl.Series(batch.column(place).to_pylist(), dtype=pl.String) for place in range(3))
    return pl.DataFrame(
        {"id": name, "text": text, "image": pl.Series(images, dtype=pl.String), "label": label.replace(names)}
    ).with_columns(
        pl.col("text").replace("", None), pl.col("label").replace("", None),
        pl.lit(file.name).alias("source"), pl.lit(fold, pl.String).alias("fold"), pl.lit(None, pl.String).alias(REASON),
    )  # fmt: skip
