"""Generated pairs with soft evidence: words and drawings that are more frequent in one class, and prove none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import softmax

from counterpoint.artifacts import key_of
from counterpoint.data.drawing import APPEARANCE_VALUES, NOTHING, Painter
from counterpoint.data.recipe import Chance
from counterpoint.data.sources.base import REASON, Source
from counterpoint.data.words import ENGLISH
from counterpoint.formats.images import write_images
from counterpoint.formats.png import rgb_png
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed
from counterpoint.settings import Positive, Seed

N_WORDS = (8, 12)
"""The smallest and the largest number of words of a text."""
N_DRAWN = 2
"""The drawings of an image: a shape and a texture."""
PRESENT = 2 / 3
"""The chance that a drawing is present.  So the strength of the evidence varies from row to row."""

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


class Soft(Source):
    """Pairs whose text and image make a class more likely.

    Each class has its own frequency of each word.  A shape and a texture of the image are each of the row's class with
    chance *image_clarity*, and else of any class.  Given the class, all words and drawings are independent.

    Parameters
    ----------
    n, side_px
        *n* is the number of pairs, and *side_px* the width and height of their images.
    shares
        *shares* are the weights of the classes.
    text_strength
        *text_strength* is the standard deviation, over words, of the logarithm of a word's frequency in a class.
    image_clarity
        *image_clarity* is the chance that a drawing is that of the class and not any.
    """

    kind: Literal["soft"] = "soft"
    n: Positive = 1800
    shares: tuple[Annotated[float, Field(gt=0)], ...] = (0.6, 0.3, 0.1)
    text_strength: Annotated[float, Field(ge=0)] = 0.35
    image_clarity: Chance = 0.4
    side_px: Positive = 16
    seed: Seed = 0

    def rows(self, work: Path) -> Iterator[Frame]:
        """Yield the pairs, with the exact chances of their classes given all words and drawings."""
        rng = np.random.default_rng(child_seed(self.seed, "soft"))
        shares = np.array(self.shares) / sum(self.shares)
        codes = rng.choice(len(shares), self.n, p=shares)
        words, of_text = self._words(codes, rng)
        drawn, of_image = self._drawn(codes, rng)
        chances = softmax(np.log(shares) + of_text + of_image, axis=1)
        path = work.absolute() / f"soft-{self.fingerprint()}.parquet"
        yield pl.DataFrame({
            "id": [f"{row:06d}" for row in range(self.n)],
            "text": words,
            "image": list(write_images(path, self._images(drawn, rng))),
            "label": [f"class_{code}" for code in codes],
            "source": self.kind,
            **{f"chance_{code}": chances[:, code] for code in range(len(shares))},
        }).with_columns(pl.lit(None, pl.String).alias(REASON))  # fmt: skip

    def fingerprint(self) -> str:
        """Return a hash of the settings."""
        return key_of(self.model_dump(mode="json"))

    def _words(self, codes: Codes, rng: np.random.Generator) -> tuple[list[str], Floats]:
        """Return the texts, and the log likelihood of each class given them, shape (n, n_classes)."""
        vocabulary = np.array(ENGLISH.fillers)
        affinity = rng.normal(0, self.text_strength, (len(vocabulary), len(self.shares)))
        frequency = softmax(affinity, axis=0)  # (words, classes)
        texts, evidence = [], np.zeros((len(codes), len(self.shares)))
        for row, code in enumerate(codes):
            chosen = rng.choice(len(vocabulary), rng.integers(N_WORDS[0], N_WORDS[1] + 1), p=frequency[:, code])
            texts.append(" ".join(vocabulary[chosen]))
            evidence[row] = np.log(frequency[chosen]).sum(0)
        return texts, evidence

    def _drawn(self, codes: Codes, rng: np.random.Generator) -> tuple[Codes, Floats]:
        """Return the shape and texture of each row, and the log likelihood of each class given them."""
        size, n_classes = (len(codes), N_DRAWN), len(self.shares)
        shown = np.where(rng.random(size) < self.image_clarity, codes[:, None], rng.integers(0, n_classes, size))
        drawn = np.where(rng.random(size) < PRESENT, shown, NOTHING)
        by_chance = (1 - self.image_clarity) / n_classes
        is_own = drawn[..., None] == np.arange(n_classes)  # (n, drawings, classes)
        evidence = np.log(np.where(is_own, self.image_clarity + by_chance, by_chance))
        return drawn, np.where(drawn[..., None] == NOTHING, 0, evidence).sum(axis=1)

    def _images(self, drawn: Codes, rng: np.random.Generator) -> Iterator[bytes]:
        appearance = rng.random((len(drawn), APPEARANCE_VALUES))
        no_shade = np.zeros(len(drawn), dtype=np.int64)
        yield from map(rgb_png, Painter(self.side_px).draw(drawn[:, 0], drawn[:, 1], appearance, no_shade))
