"""Pairs whose signals are known by construction: one in the text, one in the image, one in both together."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.artifacts import key_of
from counterpoint.data.drawing import APPEARANCE_VALUES, NOTHING, Painter, spoil
from counterpoint.data.recipe import SIGNALS, Recipe
from counterpoint.data.words import WORDS, Words
from counterpoint.formats.images import write_images
from counterpoint.formats.png import rgb_png
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed
from counterpoint.settings import validated

CHUNK_ROWS = 10_000
DRAWN_AT_ONCE = 500

Codes = NDArray[np.int64]


def generate(folder: str | Path, **settings: Any) -> Frame:
    """Return generated pairs: Records without ``row`` and ``source``, and the facts known of each row.

    The columns of Records are id, text, image and label.  An image is a reference into a shard that is written to
    *folder*.  The facts are the label before flips (``true_label``) and the id of a row that is copied (``twin_of``).
    The signals of a row are ``has_text_signal``, ``has_image_signal`` and ``has_joint_signal``.

    Parameters
    ----------
    folder
        *folder* is the folder that image shards are written to.
    settings
        *settings* are the settings of `Recipe`.

    Raises
    ------
    ConfigError
        When there is no such setting, or a value is not allowed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pairs = generate(folder, n=4, text_signal=1, seed=3)
    >>> pairs.select("id", "label", "has_text_signal", "has_image_signal").row(0)
    ('000000', 'class_1', True, False)
    >>> "train" in pairs["text"][0]
    True
    """
    recipe = validated(Recipe, settings, where="generate")
    return pl.concat(chunks(recipe, Path(folder)))


@dataclass(frozen=True)
class _Rows:
    """The drawn values of the rows of a chunk, before texts and images are made.  A twin has its origin's values."""

    origin: Codes
    truth: Codes
    label: Codes
    has_signal: NDArray[np.bool_]  # (rows, 3): text, image, joint
    word: Codes
    half: Codes
    shape: Codes
    texture: Codes
    appearance: NDArray[np.float64]  # (rows, APPEARANCE_VALUES)


def chunks(recipe: Recipe, folder: Path) -> Iterator[Frame]:
    """Yield the pairs of *recipe* in frames of at most 10,000 rows, each with a shard of images in *folder*."""
    name = f"generated-{key_of(recipe.model_dump(mode='json'))}"
    for start in range(0, recipe.n, CHUNK_ROWS):
        rng = np.random.default_rng(child_seed(recipe.seed, "generate", start))
        rows = _decide(recipe, min(CHUNK_ROWS, recipe.n - start), rng)
        path = folder.absolute() / f"{name}-{start:09d}.parquet"
        texts = _texts(rows, WORDS[recipe.language], rng)
        refs = write_images(path, _images(recipe, rows, rng))
        yield _frame(recipe, rows, texts, refs, start=start, rng=rng)


def _decide(recipe: Recipe, n: int, rng: np.random.Generator) -> _Rows:
    classes = recipe.classes
    truth = rng.choice(classes, n, p=recipe.prior)
    others = (truth + rng.integers(1, classes, n)) % classes
    text, image, redundant, joint = (rng.random(n) < getattr(recipe, signal) for signal in SIGNALS)
    half = rng.integers(0, classes, n)
    rows = _Rows(
        origin=_origins(n, recipe.near_duplicates, rng),
        truth=truth,
        label=np.where(rng.random(n) < recipe.label_noise, others, truth),
        has_signal=np.stack([text | redundant, image | redundant, joint], axis=1),
        word=np.where(text | redundant, truth, NOTHING),
        half=np.where(joint, half, NOTHING),
        shape=np.where(image | redundant, truth, NOTHING),
        texture=np.where(joint, (truth - half) % classes, NOTHING),
        appearance=rng.random((n, APPEARANCE_VALUES)),
    )
    copied = {name: values[rows.origin] for name, values in vars(rows).items() if name != "origin"}
    return replace(rows, **copied)


def _origins(n: int, share: float, rng: np.random.Generator) -> Codes:
    """Return for each row the earlier row that it copies, else its own number.  No row copies a copy."""
    is_twin = rng.random(n) < share
    is_twin[0] = False
    originals = np.flatnonzero(~is_twin)
    n_before = np.cumsum(~is_twin)
    earlier = originals[(rng.random(n) * n_before).astype(np.int64)]
    return np.where(is_twin, earlier, np.arange(n))


def _texts(rows: _Rows, words: Words, rng: np.random.Generator) -> list[str]:
    """Return a text for each row: an opening, 8 to 13 fillers, and the words of its signals among them."""
    n = len(rows.origin)
    openings, n_words = rng.integers(len(words.openings), size=n), rng.integers(8, 14, n)
    fillers, places = rng.integers(len(words.fillers), size=(n, 14)), rng.integers(0, 9, (n, 2))
    texts: list[str] = []
    for row, origin in enumerate(rows.origin):
        if origin < row:
            texts.append(texts[origin] + words.joiner + words.fillers[fillers[row, 13]])
            continue
        chosen = [words.fillers[filler] for filler in fillers[row, : n_words[row]]]
        if rows.word[row] != NOTHING:
            chosen.insert(places[row, 0], words.class_words[rows.word[row]])
        if rows.half[row] != NOTHING:
            chosen.insert(places[row, 1], words.joint_words[rows.half[row]])
        texts.append(words.joiner.join([words.openings[openings[row]], *chosen]))
    return texts


def _images(recipe: Recipe, rows: _Rows, rng: np.random.Generator) -> Iterator[bytes]:
    painter = Painter(recipe.side_px)
    shade = np.where(rows.origin < np.arange(len(rows.origin)), 4, 0)
    spoilt = rng.random(len(shade)) < recipe.bad_images
    for start in range(0, len(shade), DRAWN_AT_ONCE):
        part = slice(start, start + DRAWN_AT_ONCE)
        pixels = painter.draw(rows.shape[part], rows.texture[part], rows.appearance[part], shade[part])
        for row, picture in enumerate(pixels, start):
            yield spoil(rgb_png(picture), row) if spoilt[row] else rgb_png(picture)


def _frame(
    recipe: Recipe, rows: _Rows, texts: list[str], refs: list[str], *, start: int, rng: np.random.Generator
) -> Frame:
    n = len(texts)
    ids = np.array([f"{row:06d}" for row in range(start, start + n)])
    no_text, no_image = rng.random(n) < recipe.missing_text, rng.random(n) < recipe.missing_image
    columns = {
        "id": ids,
        "text": [None if missing else text for text, missing in zip(texts, no_text, strict=True)],
        "image": [None if missing else ref for ref, missing in zip(refs, no_image, strict=True)],
        "label": [f"class_{code}" for code in rows.label],
        "true_label": [f"class_{code}" for code in rows.truth],
        **{f"has_{name}_signal": rows.has_signal[:, place] for place, name in enumerate(("text", "image", "joint"))},
        "twin_of": [str(ids[origin]) if origin < row else None for row, origin in enumerate(rows.origin)],
    }
    strings = dict.fromkeys(("id", "text", "image", "label", "true_label", "twin_of"), pl.String)
    return pl.DataFrame(columns, schema_overrides=strings)
