"""Measure how often a saved model flags texts and photos that are unlike its training: `flags.py [RUN] [CONTENDER…]`.

RUN is the folder of a finished `counterpoint demo`, such as ``runs/openmoji``, whose texts are English names of
drawings.  The fit of its first fold is saved.  It predicts the test pairs of that fold, which should have no flag,
names of drawings in other languages (from the package ``emoji``), and photos.  A name that is spelled as in English is
left out.  Nothing of this chose a threshold.  Without RUN it prints what it needs.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import emoji
import numpy as np
import polars as pl

from counterpoint import save
from counterpoint.saved.model import SavedModel, open_saved
from counterpoint.schema import Frame
from photos import write_photos

CONTENDERS = ("lstm-cnn", "pair-probe")
N_NAMES, N_PHOTOS = 400, 400
PHOTOS = Path(__file__).parents[1] / "runs" / ".photos"
SHORT = 12
"""The most characters of a short name."""


def names() -> Iterator[tuple[str, list[str]]]:
    """Yield each language of the package with *N_NAMES* names that differ from the English ones."""
    emoji.config.load_language()
    rows = [row for row in emoji.EMOJI_DATA.values() if row["status"] == emoji.STATUS["fully_qualified"]]
    rng = np.random.default_rng(0)
    for language in sorted({key for row in rows for key in row if len(key) == 2} - {"en"}):
        pairs = [(_plain(row[language]), _plain(row["en"])) for row in rows if {language, "en"} <= row.keys()]
        # One of five skin tones is enough.
        other = sorted({name for name, english in pairs if name != english and "skin tone" not in english})
        yield language, rng.choice(other, min(N_NAMES, len(other)), replace=False).tolist()


def _plain(name: str) -> str:
    return re.sub(r"[_:]+", " ", name).strip().lower()


def shares(saved: SavedModel, rows: Frame) -> dict[str, float]:
    """Return the shares of *rows* with a flag of the text, of the image, and with either."""
    found = saved.predict(rows).select(
        pl.col("is_text_unlike", "is_image_unlike").fill_null(value=False).mean(),
        either=(
            pl.col("is_text_unlike").fill_null(value=False) | pl.col("is_image_unlike").fill_null(value=False)
        ).mean(),
    )
    return found.row(0, named=True)


def report(saved: SavedModel, held_out: Frame, photos: Frame) -> Iterator[str]:
    """Yield a line for the held-out pairs, for each language, and for the photos."""
    own = shares(saved, held_out.select("text", "image"))
    yield f"  {len(held_out):,} held-out pairs: {own['either']:.3f} with a flag (bar: at most .05)"
    for language, texts in names():
        flagged = saved.predict(pl.DataFrame({"text": texts}))["is_text_unlike"]
        short = flagged.filter(pl.Series(texts).str.len_chars() <= SHORT)
        rate = f"{flagged.mean():.3f} of {len(texts)} (bar: .9)"
        yield f"  names in {language}: {rate}, {short.mean():.3f} of {len(short)} short ones"
    yield f"  {len(photos):,} photos: {shares(saved, photos)['is_image_unlike']:.3f} (bar: .9)"


def main() -> None:
    """Print the shares for each contender."""
    if len(sys.argv) < 2:
        print("Needs a finished demo: flags.py runs/openmoji")
        return
    run, contenders = Path(sys.argv[1]), sys.argv[2:] or list(CONTENDERS)
    write_photos(PHOTOS, 3000)
    photos = pl.DataFrame({"image": [str(path) for path in sorted(PHOTOS.glob("*.jpg"))[:N_PHOTOS]]})
    pairs = pl.read_parquet(run / "tables" / "pairs.parquet")
    for name in contenders:
        fit = min(path.name for path in (run / "fits").glob(f"{name}.*")).removeprefix(f"{name}.")
        with TemporaryDirectory(prefix="counterpoint-flags-") as folder:
            save(run, Path(folder) / name, contender=name, fit=fit)
            print(f"{name}, fit {fit}")
            held_out = pairs.filter(pl.col("fold") == fit.rpartition("fold-")[2])
            for line in report(open_saved(Path(folder) / name), held_out, photos):
                print(line, flush=True)


if __name__ == "__main__":
    main()
