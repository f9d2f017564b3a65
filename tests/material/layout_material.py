"""Inputs of users: tables, folders and shards in many layouts."""

import io
import json
import random
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

N = 60
WORDS = (
    "lamp", "table", "stone", "river", "cloud", "paper", "glass", "wheel", "spoon", "chair", "brick", "tower", "field",
    "horse", "pencil", "mirror", "basket", "carpet", "button", "ladder", "hammer", "violin", "candle", "bottle",
)  # fmt: skip
FILES = [f"{n}.png" for n in range(N)]
TEXTS = [" ".join(random.Random(n).sample(WORDS, 6)) for n in range(N)]
LABELS = [("positive", "negative", "neutral")[n % 3] for n in range(N)]
TERMS = "Creative Commons Attribution Share Alike 4.0 International, see the file of terms"


def picture(n: int) -> bytes:
    pixels = np.random.default_rng(n).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    body = io.BytesIO()
    Image.fromarray(pixels).save(body, "PNG")
    return body.getvalue()


def pictures(folder: Path, name: str = "{n}.png", n: int = N) -> None:
    for number in range(n):
        file = folder / name.format(n=number, c="abc"[number % 3])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number))


def write_csv(file: Path, separator: str = ",", /, **columns: list) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [separator.join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    file.write_text("\n".join([separator.join(columns), *rows]) + "\n", encoding="utf-8")
    return file


def write_json_lines(file: Path, rows: list[dict]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def hugging_face(folder: Path, **parts: range) -> None:
    """Write Parquet files as the hub has them: ``train-00000-of-00001.parquet``."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in parts.items():
        images = [{"bytes": picture(n), "path": FILES[n]} for n in rows]
        columns = {"image": images, "caption": [TEXTS[n] for n in rows], "label": [n % 3 for n in rows]}
        pl.DataFrame(columns).write_parquet(folder / f"{part}-00000-of-00001.parquet")
