"""The texts of the list of web.py, and the pictures that stand in for its images.  Some are broken on purpose."""

import os
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import cycle, product
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from counterpoint.data.sources import open_source
from counterpoint.formats.images import ImageReader
from counterpoint.schema import Frame

DATA = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[4] / "shared" / "data"))
TEXTS = {
    "alt-texts as in LAION": DATA / "web-urls" / "laion_like.parquet",
    "Conceptual Captions, validation": DATA / "web-urls" / "cc3m_validation.csv",
}
"""The files of texts.  Those of Conceptual Captions were cleaned by its authors, who wrote "person" for names."""
FLICKR8K, OPENMOJI = "Flickr8k", "OpenMoji"
PERSON, ANIMAL = "person", "animal"
MISSING_SHARE, N_SMALL, N_BROKEN = 0.05, 4, 1
SMALL_PX = 8
ANIMALS = r"^1F4[0-3]"
"""The code points of animals, from rat to chipmunk, in a Unicode group that has plants as well."""


def missing_texts() -> list[Path]:
    """Return the files of texts that are not on this machine."""
    return [path for path in TEXTS.values() if not path.is_file()]


def web_texts() -> dict[str, list[str]]:
    """Return the alt-texts of each file."""
    return {name: _texts(path) for name, path in TEXTS.items()}


def _texts(path: Path) -> list[str]:
    read = pl.read_csv if path.suffix == ".csv" else pl.read_parquet
    return read(path, columns=["TEXT"])["TEXT"].to_list()


def made_up_texts() -> dict[str, list[str]]:
    """Return few texts: some with a class, some that the rule or the filter of letters leaves out.

    >>> texts = made_up_texts()["made up"]
    >>> len(texts), texts[0]
    (104, 'A young man on a street.')
    """
    looks, places = ("young", "happy", "tired", "tall"), ("on a street.", "in snow.", "at home, alone.", "by a car.")
    persons, animals = ("man", "woman", "boy", "girl"), ("dog", "cat")
    rows = [f"A {look} {noun} {place}" for noun in (*persons, *animals) for look, place in product(looks, places)]
    return {"made up": [*rows, *("A chair.", "A man, a cat and a dog here.", "A boy 3 years old.", "Three dogs.") * 2]}


def pictures(counts: Mapping[str, int], work: Path, *, is_drawn: bool = False) -> tuple[str, dict[str, list[bytes]]]:
    """Return the name of a collection, and its pictures for each class.

    Parameters
    ----------
    counts
        *counts* are the numbers of pictures that each class needs.  A collection may have fewer.
    work
        *work* is the folder for drawings.
    is_drawn
        *is_drawn* is True for drawings of OpenMoji.  Otherwise photos of Flickr8k are read where they are present.
    """
    name = OPENMOJI if is_drawn or not (DATA / "flickr8k").is_dir() else FLICKR8K
    rows = _openmoji(work) if name == OPENMOJI else _flickr8k(work)
    with ImageReader() as reader:
        return name, {
            label: [reader.read(image) for image in rows.filter(label=label)["image"].head(n)]
            for label, n in counts.items()
        }


def _flickr8k(work: Path) -> Frame:
    source = open_source({"kind": "webdataset", "path": str(DATA / "flickr8k"), "label": PERSON})
    classes = pl.col("label").replace_strict({"1": PERSON, "0": ANIMAL}, default=None)
    return pl.concat(source.rows(work)).with_columns(classes).drop_nulls("label")


def _openmoji(work: Path) -> Frame:
    source = open_source({"kind": "emoji", "groups": {PERSON: ["People & Body"], ANIMAL: ["Animals & Nature"]}})
    return pl.concat(source.rows(work)).filter((pl.col("label") == PERSON) | pl.col("id").str.contains(ANIMALS))


def bodies(labels: Sequence[str], found: Mapping[str, Sequence[bytes]], *, seed: int = 0) -> list[bytes | None]:
    """Return the answer of the host for each row: a picture of its class, a broken or small one, or None for none.

    A class with fewer pictures than rows uses them again.  The rows with a fault are drawn, whatever their class.

    Parameters
    ----------
    labels
        *labels* are the classes of the rows.
    found
        *found* are the pictures of each class.
    seed
        *seed* draws the rows with a fault.
    """
    of_class = {label: cycle(each) for label, each in found.items()}
    answers: list[bytes | None] = [next(of_class[label]) for label in labels]
    for row, fault in zip(np.random.default_rng(seed).permutation(len(labels)), _faults(len(labels)), strict=False):
        answers[row] = _with_fault(answers[row], fault)
    return answers


def _faults(n_rows: int) -> Iterator[str]:
    yield from ["missing"] * round(MISSING_SHARE * n_rows)
    yield from ["small"] * N_SMALL
    yield from ["broken"] * N_BROKEN


def _with_fault(picture: bytes | None, fault: str) -> bytes | None:
    if picture is None or fault == "missing":
        return None
    if fault == "broken":
        return picture[: len(picture) // 2]
    with Image.open(BytesIO(picture)) as opened:
        small = BytesIO()
        opened.convert("RGB").resize((SMALL_PX, SMALL_PX)).save(small, "JPEG")
    return small.getvalue()
