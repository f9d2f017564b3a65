"""Pairs of which it is known what they tell and what is wrong with them, and studies of them that take seconds.

Faults are planted in what a source yields, so that all stages of a study see them as they would see a user's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.config import StudyConfig
from counterpoint.data.drawing import png
from counterpoint.data.sources.base import REASON
from counterpoint.data.sources.emoji import EmojiSource
from counterpoint.data.sources.generated import GeneratedSource
from counterpoint.data.words import ENGLISH
from counterpoint.features.pixels import load
from counterpoint.formats.images import write_images
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

SIGNALS = {"text_signal": 0.5, "image_signal": 0.5, "joint_signal": 0.6}
"""What clean pairs tell: each modality the class of half the rows, and the two together, by exclusive or, most."""
LOST = 0.1
"""The share of rows that is lost at random in clean studies: lost rows are no fault, unequally lost ones are."""
FOLDS = {"train": 0.64, "validation": 0.16, "test": 0.2}
UNGROUPED = {"exact": False, "near_images": False, "near_texts": False}
SIDE_PX = 16
LONG_WORDS = 10
HOLDOUT = {"kind": "holdout", "test_share": 1 / 3, "validation_share": 0.16}
"""For a fault that sits in one network: its check looks at one fit, and at a third of the rows, as of three folds."""
EPOCHS: Mapping[int, tuple[int, int, int]] = {300: (8, 5, 5), 1000: (5, 3, 3), 3000: (4, 2, 2)}
"""Epochs of the image, text and joint networks by number of rows: an epoch has some 33 steps from 1,000 rows on."""

Fault = Literal["none", "copied", "lost", "long", "blank", "light", "unknown_words"]
Plant = Callable[[Frame, float, np.random.Generator, Path], Frame]


class Place(NamedTuple):
    """The size of a study, how many rows its larger class has for one of the smaller, and the seed of all its draws."""

    n: int
    ratio: int
    seed: int


def study(place: Place, source: Mapping[str, Any], contenders: list[Any], **sections: Any) -> StudyConfig:
    """Return a study on generated pairs that is small in all that does not matter to a check.

    Of three folds each row is a test row once, and each network is fitted three times, which a comparison needs.
    """
    settings = {
        "study": "draw",
        "source": {
            "kind": "injection.data:Planted", "n": place.n, "side_px": SIDE_PX, "seed": place.seed,
            "balance": (float(place.ratio), 1.0), **source,
        },
        "split": {"kind": "kfold", "folds": 3, "seed": place.seed},
        "contenders": contenders,
        "fit": {"engine": "inline", "workers": 1},
        "evaluate": {"metrics": ["accuracy", "balanced_accuracy"], "bootstrap": 400},
    }  # fmt: skip
    return StudyConfig.read(settings | sections)


def contenders(place: Place, *names: str, **settings: Mapping[str, Any]) -> list[Any]:
    """Return entries of these contenders, all if none is named, small; *settings* stand above, by name with _ for -."""
    image, text, joint = EPOCHS[min(EPOCHS, key=lambda n: abs(n - place.n))]
    small: dict[str, dict[str, Any]] = {
        "majority": {},
        "keyword-rule": {},
        "metadata": {},
        "text-svm": {},
        "text-lstm": {"embed": 16, "hidden": 8, "epochs": text, "batch": 64, "lr": 0.02},
        "image-cnn": {"side_px": SIDE_PX, "width": 8, "augment": 0.0, "epochs": image, "batch": 64, "lr": 0.02},
        "lstm-cnn": {"hidden": 32, "encoder_rate": 0.5, "epochs": joint, "batch": 64, "lr": 0.01},
        "late-fusion": {} if not names or "text-lstm" in names else {"text": ["text-svm"]},
    }
    above = {name.replace("_", "-"): values for name, values in settings.items()}
    return [{"kind": name, "name": name, **small[name], **above.get(name, {})} for name in names or small]


class Ungrouped(EmojiSource):
    """OpenMoji drawings without what the source knows of variants that belong together.

    Parameters
    ----------
    is_joined
        *is_joined* gives each drawing the name of another of its class: two sets that were joined on the class alone.
    """

    kind: Literal["ungrouped"] = "ungrouped"  # type: ignore[assignment]
    is_joined: bool = False

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the drawings without their groups."""
        rng = np.random.default_rng(child_seed(0, "joined"))
        for rows in super().rows(work):
            yield (joined(rows, rng) if self.is_joined else rows).drop("group")


def joined(rows: Frame, rng: np.random.Generator) -> Frame:
    """Return *rows* with their texts dealt anew within each label."""
    labels, origin = rows["label"].to_numpy(), np.arange(len(rows))
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        origin[of_class] = rng.permutation(of_class)
    return rows.with_columns(rows["text"].gather(origin))


class Planted(GeneratedSource):
    """Generated pairs with a fault.

    Parameters
    ----------
    fault, strength
        *fault* is what is wrong with the pairs, and *strength* how much of it there is, from 0 on; see `FAULTS`.
    are_folds_random
        *are_folds_random* deals each row a fold of a hold-out by itself, as a split that groups nothing.
    """

    kind: Literal["planted"] = "planted"  # type: ignore[assignment]
    fault: Fault = "none"
    strength: float = 0.0
    are_folds_random: bool = False

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs with their fault."""
        rng = np.random.default_rng(child_seed(self.seed, "fault"))
        for rows in super().rows(work):
            folds = pl.Series("fold", rng.choice(list(FOLDS), len(rows), p=list(FOLDS.values())))
            placed = rows.with_columns(folds) if self.are_folds_random else rows
            yield FAULTS[self.fault](placed, self.strength, rng, work) if self.fault != "none" else placed


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
    """Make a *share* of the texts of class 1 long, and as many of the others short: lengths tell so many classes."""
    is_long = rng.random(len(rows)) < np.where(rows["label"] == "class_1", share, 1 - share)
    tails = rng.choice(ENGLISH.fillers, (len(rows), LONG_WORDS))
    texts = [
        f"{text} {' '.join(tail)}" if long else text
        for text, tail, long in zip(rows["text"], tails, is_long, strict=True)
    ]
    return rows.with_columns(text=pl.Series(texts))


def _blank(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:
    """Paint over a *share* of the images with one colour each."""
    blank = np.flatnonzero(rng.random(len(rows)) < share)
    colours = rng.integers(0, 256, (len(blank), 3), dtype=np.uint8)
    pictures = (png(np.broadcast_to(colour, (SIDE_PX, SIDE_PX, 3))) for colour in colours)
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
    pixels = load(rows["image"].gather(there).to_list(), side_px=SIDE_PX, mode="rgb")[np.arange(len(there))]
    lightened = (255 * lowest + (1 - lowest) * pixels).astype(np.uint8).transpose(0, 2, 3, 1)
    return _repainted(rows, there, map(png, lightened), work)


def _unknown_words(rows: Frame, share: float, rng: np.random.Generator, work: Path) -> Frame:  # noqa: ARG001
    """Put a word that no other text has in place of a *share* of the words."""
    texts = []
    for text in rows["text"]:
        words = text.split()
        new = rng.random(len(words)) < share
        texts.append(
            " ".join(f"q{rng.integers(10**9):x}" if is_new else word for word, is_new in zip(words, new, strict=True))
        )
    return rows.with_columns(text=pl.Series(texts))


FAULTS: Mapping[str, Plant] = {
    "copied": _copied,
    "lost": _lost,
    "long": _long,
    "blank": _blank,
    "light": _light,
    "unknown_words": _unknown_words,
}
"""What makes each fault: of rows, how much of it, the draws, and a folder for images."""
