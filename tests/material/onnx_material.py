"""Texts and pictures that are hard to read in the same way twice, and predictions of them without Counterpoint."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from PIL import Image

TEXTS = (
    "", "a", "é", "红", ".", " ", "A red FOX, don't!", "Žluťoučký kůň 红狐狸 ภาษาไทย", "ΟΔΟΣ Σ ΑΣ. ΑΣΑ",
    "İstanbul ı ſtraße K", "cafe\u0301 café O’Neill 'quoted'", "tab\tnew\nline\u00a0\u3000wide\x1c\x85",
    "🦊🇨🇿👩\u200d🚀 1st ½ Ⅷ ²", "word " * 300, "Tom &amp; Jerry <b>", "नमस्ते दुनिया", "שלום עולם مرحبا",
    "zero\u200bwidth soft\u00adhyphen", "_under_score-dash", "ᏣᎳᎩ Ꮳ ꭰ",
)  # fmt: skip
"""Accents, scripts without spaces, letters of several cases, white space of all kinds, and nothing."""
_WORDS = ("fox", "owl", "cat", "car", "bus", "ship", "red", "big", "old", "Fox", "DOG", "žába", "犬", "don't")
_SIDES_PX = (9, 40, 63, 64, 65, 130, 200, 300, 333, 450, 600, 901)
_ALONE = """
import importlib, json, sys
for line in sys.stdin:
    folder, rows = json.loads(line)
    sys.path.insert(0, folder)
    sys.modules.pop("reader", None)
    reader = importlib.import_module("reader")
    chances = [list(reader.predict(*row).values()) for row in rows]
    sys.path.remove(folder)
    loaded = {name.split(".")[0] for name in sys.modules}
    strange = loaded & {"counterpoint", "torch", "polars", "sklearn"}
    print(json.dumps([sorted(strange), chances]), flush=True)
"""


def hard_pairs(folder: Path, *, n: int, seed: int = 0, own: Sequence[tuple[str, Image.Image]] = ()) -> pl.DataFrame:
    """Return *n* pairs of texts and pictures, of which some are missing: columns text and image.

    The pairs *own* are used in turn for every second row, with the picture in another size and another form.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        text, picture = own[i // 2 % len(own)] if own and i % 2 else (_sentence(rng), _waves(rng))
        text = TEXTS[i // 2] if i % 2 == 0 and i < 2 * len(TEXTS) else text
        width, height = (int(rng.choice(_SIDES_PX)) for _ in range(2))
        image = str(_stored(folder / f"hard-pair-{i}", picture.resize((width, height)), rng, i // 2))
        rows.append((None if i % 23 == 5 else text, None if i % 17 == 3 else image))
    return pl.DataFrame(rows, schema={"text": pl.String, "image": pl.String}, orient="row")


def alone(folder: Path, pairs: pl.DataFrame) -> np.ndarray:
    """Return the predictions of the reader in *folder*, made in a process that imports no Counterpoint."""
    process, errors = _process()
    process.stdin.write(json.dumps([str(folder), pairs.select("text", "image").rows()]) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        _process.cache_clear()
        errors.seek(0)
        raise AssertionError(errors.read())
    strange, chances = json.loads(answer)
    assert strange == []
    return np.array(chances)


@cache
def _process() -> tuple[subprocess.Popen[str], IO[str]]:
    """Return the process that reads exports, one after the other, and the file of its errors."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _ALONE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, cwd="/", text=True,
    )  # fmt: skip
    atexit.register(process.kill)
    return process, errors


def _sentence(rng: np.random.Generator) -> str:
    words = rng.choice(_WORDS, rng.integers(1, 12))
    return str(rng.choice([" ", "  ", ", ", "-"])).join(words) + str(rng.choice(["", ".", "!"]))


def _waves(rng: np.random.Generator) -> Image.Image:
    across, down = (np.linspace(0, rng.uniform(1, 9), 300) for _ in range(2))
    waves = [127 + 100 * np.sin(across[None] * k + down[:, None] * (4 - k)) for k in (1, 2, 3)]
    pixels = np.stack(waves, axis=2) + rng.normal(0, 12, (300, 300, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _stored(stem: Path, image: Image.Image, rng: np.random.Generator, i: int) -> Path:
    """Write a picture and return its path: three of four are JPEGs, some gray, CMYK, progressive or turned."""
    exif = Image.Exif()
    exif[0x0112] = i % 9  # 0 is no orientation
    if i % 4 == 3:
        return _other(stem, image, exif, i // 4)
    mode = ("RGB", "RGB", "L", "CMYK")[i // 4 % 4]
    path = stem.with_suffix(".jpg")
    settings = {"quality": int(rng.integers(30, 96)), "progressive": i % 3 == 0, "exif": exif}
    image.convert(mode).save(path, **settings, **({"subsampling": i % 3} if mode == "RGB" else {}))
    return path


def _other(stem: Path, image: Image.Image, exif: Image.Exif, i: int) -> Path:
    kinds = ("RGBA", ".png"), ("P", ".png"), ("L", ".png"), ("P", ".gif"), ("RGB", ".webp"), ("1", ".png")
    mode, suffix = kinds[i % len(kinds)]
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    path = stem.with_suffix(suffix)
    image.convert(mode).save(path, **({} if suffix == ".gif" else {"exif": exif}))
    return path
