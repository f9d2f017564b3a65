"""Pictures of five types: drawings turned on noisy grounds, photos, or textures where neither is installed.

It knows no class.  The type of a picture is one of `N_TYPES`, and of a photo one of two: with people, or without.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from counterpoint.data.sources.emoji import EmojiSource
from counterpoint.features.pixels import load_pixels
from counterpoint.formats.images import write_images
from counterpoint.schema import Frame
from injection.sources import FLICKR8K, OPENMOJI, is_there, real_pairs

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Pixels8 = NDArray[np.uint8]

TEXTURES = "textures"
KINDS = (OPENMOJI, FLICKR8K, TEXTURES)
"""The kinds of pictures.  Textures need no package and no data."""
GROUPS = {
    "0": ("Animals & Nature",), "1": ("Objects",), "2": ("Smileys & Emotion",), "3": ("Travel & Places",),
    "4": ("Food & Drink",),
}  # fmt: skip
"""The Unicode groups of the drawings of each type."""
N_TYPES = len(GROUPS)
SIDE_PX = 64
QUALITY = 85
SIZES = (0.7, 1.0)
"""The smallest and the largest side of a drawing, as a share of the picture."""
TURN = 25
"""The largest rotation in degrees."""


def kinds() -> list[str]:
    """Return the kinds of pictures that this machine has, textures only where it has no other.

    >>> kinds()[-1] in KINDS
    True
    """
    return [kind for kind in (OPENMOJI, FLICKR8K) if is_there(kind)] or [TEXTURES]


def n_types(kind: str) -> int:
    """Return the number of types of pictures of a *kind*.

    >>> n_types("flickr8k"), n_types("textures")
    (2, 5)
    """
    return 2 if kind == FLICKR8K else N_TYPES


def photos(part: str, rng: np.random.Generator) -> Frame:
    """Return ``state`` and ``image`` of half of the photos: those for studies, or those for fresh rows.

    Photos are not altered and not copied: a reference names the photo in its archive.
    """
    found = real_pairs(FLICKR8K).sort("id").select("image", state=pl.col("label").str.tail(1).cast(pl.Int64))
    # Photos without people are the rarer ones: they are type 1, which truths with a rare class show rarely.
    rare = found["state"].value_counts().sort("count")["state"][0]
    found = found.with_columns(state=(pl.col("state") == rare).cast(pl.Int64))
    is_fresh = pl.int_range(pl.len()) % 3 == 0
    chosen = found.filter(is_fresh if part == "fresh" else ~is_fresh)
    return chosen[rng.permutation(len(chosen))]


def painted(kind: str, types: Codes, path: Path, rng: np.random.Generator) -> Frame:
    """Return ``state`` and ``image`` of a new picture for each of *types*, written to the file at *path*."""
    drawn = _turned(types, path.parent, rng) if kind == OPENMOJI else (_texture(each, rng) for each in types)
    images = write_images(path, map(jpeg, drawn))
    return pl.DataFrame({"state": types, "image": list(images)})


def _turned(types: Codes, work: Path, rng: np.random.Generator) -> Iterator[Pixels8]:
    drawings = _drawings(work)
    for kind in types:
        own = drawings[int(kind)]
        yield placed(own[rng.integers(len(own))], ground(rng), rng)


@cache
def _drawings(work: Path) -> list[Pixels8]:
    """Return the drawings of each type on white, each of shape (n, SIDE_PX, SIDE_PX, 3)."""
    rows = pl.concat(EmojiSource(groups=GROUPS, size_px=SIDE_PX).rows(work))
    pixels = load_pixels(rows["image"].to_list(), side_px=SIDE_PX, mode="rgb")[np.arange(len(rows))]
    every, labels = pixels.transpose(0, 2, 3, 1), rows["label"].cast(pl.Int64).to_numpy()
    return [np.ascontiguousarray(every[labels == kind]) for kind in range(N_TYPES)]


def placed(drawing: Pixels8, below: Floats, rng: np.random.Generator) -> Pixels8:
    """Return a *drawing* on white, turned and scaled, multiplied into the ground *below*, whose shape is its own."""
    side = round(SIDE_PX * rng.uniform(*SIZES))
    turned = Image.fromarray(drawing).rotate(rng.uniform(-TURN, TURN), Image.Resampling.BILINEAR, fillcolor="white")
    small = np.asarray(turned.resize((side, side), Image.Resampling.BOX), dtype=float) / 255
    top, left = rng.integers(0, SIDE_PX - side + 1, 2)
    canvas = below.copy()
    canvas[top : top + side, left : left + side] *= small
    return canvas.clip(0, 255).astype(np.uint8)


def ground(rng: np.random.Generator) -> Floats:
    """Return a coloured ground with a slope of light and with noise, shape (SIDE_PX, SIDE_PX, 3).

    >>> ground(np.random.default_rng(0)).shape
    (64, 64, 3)
    """
    colour = rng.uniform(170, 255, 3)
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 60)
    y, x = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j]
    light = slope * (np.cos(angle) * x + np.sin(angle) * y)
    found: Floats = colour + light[..., None] + rng.normal(0, rng.uniform(2, 12), (SIDE_PX, SIDE_PX, 3))
    return found


def _texture(kind: int, rng: np.random.Generator) -> Pixels8:
    """Return stripes on a noisy ground, whose direction shows the type up to a random turn."""
    turn = np.pi * (kind / N_TYPES + rng.normal(0, 0.035))
    y, x = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j]
    stripes = np.sin(rng.uniform(14, 26) * (np.cos(turn) * x + np.sin(turn) * y) + rng.uniform(0, 2 * np.pi))
    return (ground(rng) * 0.7 + 45 * stripes[..., None]).clip(0, 255).astype(np.uint8)


def jpeg(pixels: Pixels8) -> bytes:
    """Return *pixels*, shape (height, width, 3), as JPEG.

    >>> jpeg(np.zeros((8, 8, 3), dtype=np.uint8))[:2].hex()
    'ffd8'
    """
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def reencoded(refs: Iterable[str], rng: np.random.Generator) -> Iterator[bytes]:
    """Yield each picture slightly lighter or darker, and compressed again, as in a near-duplicate."""
    listed = list(refs)
    pixels = load_pixels(listed, side_px=SIDE_PX, mode="rgb")[np.arange(len(listed))].transpose(0, 2, 3, 1)
    for picture in pixels:
        yield jpeg((picture * rng.uniform(0.93, 1.05)).clip(0, 255).astype(np.uint8))
