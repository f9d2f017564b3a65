"""Measure how far exported contenders are from their originals: `onnx_parity.py [RUN] [--rows N]`.

Each kind of contender in the folder RUN of a finished study is exported once, from its first fit.  Both then predict
the same texts and picture files, half of them from the study: accents, scripts without spaces, empty texts, JPEGs in
gray and CMYK, turned by EXIF and progressive, PNG, GIF and WebP, and pairs without a text or an image.  The reader runs
in a process of its own, which imports no Counterpoint.
"""

import argparse
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "material"))

from counterpoint.contenders.kept.files import load
from counterpoint.errors import CounterpointError
from counterpoint.formats.images import ImageReader
from counterpoint.onnx_export import export_onnx
from onnx_material import alone, hard_pairs

OPENMOJI = Path(__file__).parents[1] / "runs" / "openmoji"


def main() -> None:
    """Print a row for each contender: the largest difference, the spread of probabilities, size and time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="?", default=OPENMOJI)
    parser.add_argument("--rows", type=int, default=100)
    given = parser.parse_args()
    folders = {folder.name.partition(".")[0]: folder for folder in sorted(given.run.glob("fits/*"), reverse=True)}
    if not folders:
        print(f"{given.run} holds no fits. counterpoint demo makes them.")
        return
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place) / "pictures"
        pictures.mkdir()
        pairs = hard_pairs(pictures, n=given.rows, own=_own(given.run, given.rows))
        for name, folder in sorted(folders.items()):
            print(_row(name, folder, Path(place) / name, pairs))


def _own(run: Path, n: int) -> list[tuple[str, Image.Image]]:
    """Return texts and pictures of the study, spread over its pairs."""
    pairs = pl.read_parquet(run / "tables" / "pairs.parquet", columns=["text", "image"]).drop_nulls()
    chosen = pairs.gather_every(max(1, len(pairs) // n))
    with ImageReader() as reader:
        return [(text, Image.open(BytesIO(reader.read(ref))).convert("RGB")) for text, ref in chosen.iter_rows()]


def _row(name: str, folder: Path, out: Path, pairs: pl.DataFrame) -> str:
    model = load(folder)
    try:
        account = export_onnx(model, out)
    except CounterpointError as error:
        return f"{name:15} {error}"
    expected = model.predict_proba(pairs)
    start = time.perf_counter()
    found = alone(out, pairs)
    per_row_ms = 1000 * (time.perf_counter() - start) / len(pairs)
    difference = np.abs(found - expected).max()
    n_changed = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
    return (
        f"{name:15} largest difference {difference:.1e}, {n_changed} of {len(pairs)} other classes, spread "
        f"{expected.std(axis=0).max():.2f}, {account['bytes'] / 1e6:.1f} MB, {per_row_ms:.1f} ms a row"
    )


if __name__ == "__main__":
    main()
