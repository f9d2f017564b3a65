"""Split pairs in the format of the 2023 study: tables of training and test rows with one column for each pixel."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import polars as pl

from counterpoint.artifacts import key_of
from counterpoint.errors import ImageError
from counterpoint.features.bilinear import SIDE_PX, Resize, gray_square
from counterpoint.features.chunks import OnCount, ignore_count
from counterpoint.features.decode import Pixels8
from counterpoint.formats.exports import Exported, export_once
from counterpoint.formats.images import ImageReader
from counterpoint.formats.study2023 import Named, class_numbers, write_pair_table
from counterpoint.formats.tars import IMAGE_EXTENSIONS
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

LISTEN_EVERY = 100
Folds = Mapping[str, Mapping[str, Frame]]
"""The rows of each part ("train", "validation", "test"), by test fold: "test" in a hold-out, "0" … in a k-fold."""


@dataclass(frozen=True)
class SplitExport:
    """Writes ``train_updated.csv``, ``validation_updated.csv`` and ``test_updated.csv``.

    The tables of each fold of a k-fold stand in a folder of their own.  Rows are in a seeded random order, as in the
    study.  Pairs without a text or a readable image are left out.

    Parameters
    ----------
    seed
        *seed* decides the order of the rows.
    classes
        *classes* names the classes in the order of their numbers, from 0.  By default they are alphabetical: an animal
        is 0 and a person 1, as published.
    resize, side_px
        *resize* is "bilinear" as published, or "area".  *side_px* is the width and the height of the gray images.
    on_count
        *on_count* receives the number of decoded pairs and the number of all pairs.
    """

    seed: int = 0
    classes: Sequence[str] | None = None
    resize: Resize = "bilinear"
    side_px: int = SIDE_PX
    on_count: OnCount = ignore_count

    def write(self, folds: Folds, where: Path, *, key: str) -> Exported:
        """Write the tables into a folder, all or none, and return their account.

        Parameters
        ----------
        folds
            *folds* are the rows of each part, by test fold.
        where
            *where* is the folder.
        key
            *key* is a hash of the pairs: equal tables are written only once.

        Raises
        ------
        RunFolderError
            When the tables cannot be written.
        """
        settings = [self.seed, self.classes, self.resize, self.side_px]
        return export_once(where, key_of("pairs", key, settings), lambda draft: self._write(folds, draft))

    def _write(self, folds: Folds, draft: Path) -> Exported:
        pairs = pl.concat(next(iter(folds.values())).values()).sort("row")
        numbers = class_numbers(pairs["label"], self.classes)
        account: Exported = {"layout": "study-2023 splits", "resize": self.resize, "side_px": self.side_px}
        account["classes"] = {str(number): name for name, number in numbers.items()}
        with TemporaryFile(dir=draft) as file:
            places, left_out = self._decode(pairs, file)
            pixels = _mapped(file, (len(places), self.side_px, self.side_px))
            for fold, parts in folds.items():
                folder = draft if len(folds) == 1 else draft / f"fold-{fold}"
                folder.mkdir(exist_ok=True)
                for part, rows in parts.items():
                    path = folder / f"{part}_updated.csv"
                    named = self._named(rows, places, pixels, numbers, f"{fold}/{part}")
                    n_rows = write_pair_table(path, named, side_px=self.side_px)
                    account.setdefault("rows", {})[path.relative_to(draft).as_posix()] = n_rows
        return account | {"left_out": dict(sorted(left_out.items()))}

    def _decode(self, pairs: Frame, file: IO[bytes]) -> tuple[dict[int, int], Counter[str]]:
        """Write the pixels of each pair to *file*, and return the index of each row and the reasons of the others."""
        places: dict[int, int] = {}
        left_out: Counter[str] = Counter()
        with ImageReader() as reader:
            for done, (row, text, image) in enumerate(pairs.select("row", "text", "image").iter_rows()):
                if done % LISTEN_EVERY == 0:
                    self.on_count(done, len(pairs))
                if text is None or image is None:
                    left_out["no_text" if text is None else "no_image"] += 1
                    continue
                try:
                    file.write(gray_square(reader.read(image), side_px=self.side_px, resize=self.resize).tobytes())
                except ImageError as error:
                    left_out[error.reason] += 1
                    continue
                places[row] = len(places)
        file.flush()
        return places, left_out

    def _named(
        self, rows: Frame, places: Mapping[int, int], pixels: Pixels8, numbers: Mapping[str, int], name: str
    ) -> Iterator[Named]:
        order = np.random.default_rng(child_seed(self.seed, f"export {name}")).permutation(len(rows))
        for row in rows.select("row", "id", "image", "text", "label")[order].iter_rows(named=True):
            if row["row"] in places:
                image = pixels[places[row["row"]]]
                yield Named(image_name(row["id"], row["image"]), row["text"], numbers[row["label"]], image)


def image_name(pair: str, ref: str) -> str:
    """Return the file name for the image of a pair: its id with a suffix, so that 007 is not read as a number.

    >>> image_name("1_7", "pos/1_7.png"), image_name("cat/7.jpg", "cat/7.jpg"), image_name("007", "x.parquet#3")
    ('1_7.png', 'cat/7.jpg', '007.jpg')
    """
    if Path(pair).suffix[1:].lower() in IMAGE_EXTENSIONS:
        return pair
    suffix = Path(ref).suffix
    return pair + (suffix if suffix[1:].lower() in IMAGE_EXTENSIONS else ".jpg")


def _mapped(file: IO[bytes], shape: tuple[int, int, int]) -> Pixels8:
    return np.memmap(file, dtype=np.uint8, mode="r", shape=shape) if shape[0] else np.zeros(shape, dtype=np.uint8)
