"""Pairs for tests of contenders: texts and pictures from which two or three classes can be read."""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

WORDS = (("fox", "owl", "cat"), ("car", "bus", "ship"), ("oak", "fern", "moss"))
NAMES = ("animal", "machine", "plant")


def make_pairs(folder: Path, *, n: int, n_classes: int, seed: int = 0) -> pl.DataFrame:
    """Return *n* pairs whose text and image both show the class, a few of them with one missing or empty."""
    rng = np.random.default_rng(seed)
    rows = [_row(folder, rng, i, i % n_classes) for i in range(n)]
    pairs = pl.DataFrame(rows, schema_overrides={"text": pl.String, "image": pl.String})
    missing = {"text": (pl.col("text"), (3, 4)), "image": (pl.col("image"), (5, 6))}
    position = pl.int_range(pl.len())
    nulls = {name: pl.when(~position.is_in(rows)).then(column) for name, (column, rows) in missing.items()}
    return pairs.with_columns(**nulls).with_columns(
        text=pl.when(position.is_in([7, 8])).then(pl.lit("")).otherwise("text")
    )


def _row(folder: Path, rng: np.random.Generator, i: int, code: int) -> dict[str, str]:
    pixels = rng.integers(0, 60, (10, 12, 3), dtype=np.uint8)
    pixels[..., code] += 180
    path = folder / f"{i}.png"
    Image.fromarray(pixels).save(path)
    text = f"a {rng.choice(['red', 'big', 'old'])} {rng.choice(WORDS[code])} here"
    return {"id": str(i), "text": text, "image": str(path), "group": f"g{i // 2}", "label": NAMES[code]}
