"""The texts and images that a model was trained on, in small: to flag new ones that are unlike them.

A text is unlike training where its characters are more surprising than those of almost all held-out training texts
(`saved.character_model`), or its vector is further from its nearest training vectors.  An image is compared by its
vector, or by a small copy where the model reads no encoder.  Each threshold is a quantile of training rows that were
held out in turn, whole groups at a time.  A flag is no proof of a wrong prediction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.errors import SavedModelError
from counterpoint.saved.character_model import BINS, CharacterModel

Floats = NDArray[np.floating]
Arrays = Mapping[str, NDArray[Any]]

FALSE_ALARMS, OF_ONE = 0.045, 0.02
"""The share of held-out training rows that all measures of a model together flag at most, and that one measure does."""
NEIGHBOURS = 5
MOST_ROWS, MOST_TEXTS = 2_000, 50_000
"""The largest number of training vectors that are kept, and of training texts whose characters are counted."""
FOLDS = 5
LEAST_ROWS = 50
"""From fewer training rows, no threshold is known and nothing is flagged."""
SIDE_PX, CELLS = 32, 8
"""Small copies of images: the side of the copy that is read, and the cells of its mean colours."""


@dataclass(frozen=True)
class CharacterReference:
    """The characters of the training texts.

    Parameters
    ----------
    model
        *model* has the counts of characters.
    mean
        *mean* is the mean surprise of held-out texts.
    threshold
        *threshold* is the largest excess over this mean that is not flagged, times the root of the number of
        characters: the mean over few characters varies more.
    """

    model: CharacterModel
    mean: float
    threshold: float

    @classmethod
    def of(cls, texts: list[str], folds: NDArray[np.int64], *, share: float) -> "CharacterReference | None":
        """Return the reference of *texts*, which are held out by their *folds*, or None where they are few.

        Parameters
        ----------
        texts, folds
            *texts* are n texts, and *folds* have shape (n,).
        share
            *share* is the share of the texts that it flags, held out.
        """
        if len(texts) < LEAST_ROWS:
            return None
        chosen = np.array(texts, dtype=object)
        held_out, n = np.zeros(len(texts)), np.zeros(len(texts), dtype=np.int64)
        for fold in np.unique(folds):
            own = folds == fold
            held_out[own], n[own] = CharacterModel.of(chosen[~own].tolist()).surprises(chosen[own].tolist())
        mean = float(held_out.mean())
        threshold = np.quantile((held_out - mean) * np.sqrt(n), 1 - share)
        return cls(CharacterModel.of(texts), mean, float(threshold))

    def are_unlike(self, texts: list[str]) -> NDArray[np.bool_]:
        """Return whether each text is unlike the training texts."""
        surprises, n = self.model.surprises(texts)
        found: NDArray[np.bool_] = (surprises - self.mean) * np.sqrt(n) > self.threshold
        return found


@dataclass(frozen=True)
class VectorReference:
    """Vectors of training rows.  *threshold* is the largest distance to the nearest ones that is not flagged.

    Parameters
    ----------
    vectors
        *vectors* are those of training rows, shape (n, width): of length 1 by an encoder, or `small_copies`.
    threshold
        *threshold* is a mean Euclidean distance to the nearest `NEIGHBOURS`.
    """

    vectors: NDArray[np.float32]
    threshold: float

    @classmethod
    def of(cls, vectors: Floats, folds: NDArray[np.int64], *, share: float) -> "VectorReference | None":
        """Return the reference of *vectors*, which are held out by their *folds*, or None where they are few.

        Parameters
        ----------
        vectors, folds
            *vectors* have shape (n, width), and *folds* shape (n,).
        share
            *share* is the share of the vectors that it flags, held out.
        """
        if len(vectors) < LEAST_ROWS:
            return None
        single = np.asarray(vectors, dtype=np.float32)
        held_out = np.zeros(len(vectors))
        for fold in np.unique(folds):
            own = folds == fold
            held_out[own] = _distances(single[own], single[~own])
        return cls(single, float(np.quantile(held_out, 1 - share)))

    def are_unlike(self, vectors: Floats) -> NDArray[np.bool_]:
        """Return whether each vector is unlike the training vectors.

        Raises
        ------
        SavedModelError
            When the training vectors are of another width, as only a stranger writes them.
        """
        if vectors.shape[1] != self.vectors.shape[1]:
            raise SavedModelError("The training vectors of the model are of another encoder. Save the model again.")
        return _distances(np.asarray(vectors, dtype=np.float32), self.vectors) > self.threshold


def _distances(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> Floats:
    n = min(NEIGHBOURS, len(others))
    found = np.empty(len(vectors))
    for start in range(0, len(vectors), 1024):
        part = vectors[start : start + 1024]
        squared = (part**2).sum(1)[:, None] + (others**2).sum(1) - 2 * part @ others.T
        found[start : start + 1024] = np.sqrt(np.partition(squared, n - 1, axis=1)[:, :n].clip(0)).mean(axis=1)
    return found


def small_copies(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean colours of cells, and of the differences within them, of images as vectors.

    Parameters
    ----------
    pixels
        *pixels* are images, uint8 of shape (n, channels, side_px, side_px).

    Examples
    --------
    >>> small_copies(np.zeros((2, 3, 32, 32), np.uint8)).shape
    (2, 384)
    """
    n, channels, side = pixels.shape[:3]
    cell = side // CELLS
    used = pixels[:, :, : cell * CELLS, : cell * CELLS].astype(np.float32) / 255
    cells = used.reshape(n, channels, CELLS, cell, CELLS, cell)
    found: NDArray[np.float32] = np.concatenate([cells.mean((3, 5)), cells.std((3, 5))], axis=1).reshape(
        n, 2 * channels * CELLS**2
    )
    return found


@dataclass(frozen=True)
class TrainingReference:
    """The references of one model.  Any of them may be unknown."""

    characters: CharacterReference | None = None
    text: VectorReference | None = None
    image: VectorReference | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays, which `restored` reads."""
        found: dict[str, NDArray[Any]] = {}
        if self.characters is not None:
            found |= {f"characters.{length}": counts for length, counts in self.characters.model.counts.items()}
            found["characters.threshold"] = np.array([self.characters.threshold])
            found["characters.mean"] = np.array([self.characters.mean])
        for name in ("text", "image"):
            reference = getattr(self, name)
            if reference is not None:
                found[f"{name}.vectors"] = reference.vectors.astype(np.float16)
                found[f"{name}.threshold"] = np.array([reference.threshold])
        return found


def restored(arrays: Arrays) -> TrainingReference:
    """Return the references in *arrays*.

    Raises
    ------
    ValueError
        When an array has another form.
    """
    characters = None
    if "characters.threshold" in arrays:
        counts = {length: arrays[f"characters.{length}"] for length in BINS}
        measured = (_number(arrays[f"characters.{name}"]) for name in ("mean", "threshold"))
        characters = CharacterReference(CharacterModel(counts), *measured)
    return TrainingReference(characters, _vectors(arrays, "text"), _vectors(arrays, "image"))


def _vectors(arrays: Arrays, name: str) -> VectorReference | None:
    if f"{name}.vectors" not in arrays:
        return None
    vectors = arrays[f"{name}.vectors"].astype(np.float32)
    if vectors.ndim != 2 or not len(vectors):
        raise ValueError(f"vectors of the training {name}s have another form")
    return VectorReference(vectors, _number(arrays[f"{name}.threshold"]))


def _number(array: NDArray[Any]) -> float:
    if array.shape != (1,) or not np.isfinite(array).all():
        raise ValueError("a threshold is no number")
    return float(array[0])
