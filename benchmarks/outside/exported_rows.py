"""The rows of a study in a folder, for a library in an environment of its own.  It needs no Counterpoint to read them.

``rows.json`` has the classes, and for each row its id, its text (with words masked), its image file and the number of
its class.  It also has the places of the training, validation and test rows of each test fold.  ``images`` has the
image files with their bytes as stored.  ``text.npy`` and ``image.npy`` are the vectors of the encoders, shape
(n_rows, width).
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from counterpoint import Study
from counterpoint.artifacts import key_of
from counterpoint.contenders.folds import folds_to_test, rows_by_part
from counterpoint.encoders import open_encoder
from counterpoint.encoders.encodings import load_encodings
from counterpoint.formats.exports import Exported, export_once
from counterpoint.formats.images import ImageReader
from counterpoint.formats.magic import image_format
from counterpoint.schema import Frame

ENCODERS = {"text": "minilm", "image": "lite0"}
"""The encoders that probes read by default, by modality."""


def export_rows(study: Study, where: Path, encoders: Mapping[str, str] = ENCODERS) -> str:
    """Write the rows of *study* into the folder *where*, unless they are there, and return the hash of their content.

    Parameters
    ----------
    study
        *study* is a study whose pairs all have a text and an image.
    where
        *where* is the folder.  Its parent has one folder for each content, so another content is another *where*.
    encoders
        *encoders* are the names of encoders by modality.
    """
    opened = {modality: open_encoder(name) for modality, name in encoders.items()}
    key = key_of("rows", study.key("pairs"), [encoder.fingerprint for encoder in opened.values()])

    def write(draft: Path) -> Exported:
        pairs = study.pairs()
        for modality, encoder in opened.items():
            vectors = load_encodings(pairs, encoder, modality, cache=study.encodings)
            np.save(draft / f"{modality}.npy", vectors[np.arange(len(pairs))])
        rows = table_of(pairs) | {"images": list(_written_images(pairs, draft / "images"))}
        (draft / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
        return {"rows": len(pairs)}

    export_once(where / key, key, write)
    return key


def table_of(pairs: Frame) -> dict[str, Any]:
    """Return classes, ids, texts, numbers of classes, and the places of the rows of each part by test fold.

    >>> import polars as pl
    >>> folds = ["train", "validation", "test"]
    >>> pairs = pl.DataFrame({"id": list("abc"), "text": "x", "label": ["no", "yes", "no"], "fold": folds})
    >>> table_of(pairs)["codes"], table_of(pairs)["folds"]
    ([0, 1, 0], {'test': {'train': [0], 'validation': [1], 'test': [2]}})
    """
    classes = sorted(pairs["label"].unique())
    placed = pairs.with_row_index("place")
    return {
        "classes": classes,
        "ids": pairs["id"].to_list(),
        "texts": pairs["text"].to_list(),
        "codes": [classes.index(label) for label in pairs["label"]],
        "folds": {
            fold: {part: rows["place"].to_list() for part, rows in rows_by_part(placed, fold).items()}
            for fold in folds_to_test(pairs)
        },
    }


def _written_images(pairs: Frame, folder: Path) -> Iterator[str]:
    folder.mkdir()
    with ImageReader() as reader:
        for place, ref in enumerate(pairs["image"]):
            content = reader.read(ref)
            name = f"{place:06}.{image_format(content)}"
            (folder / name).write_bytes(content)
            yield name
