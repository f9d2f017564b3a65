"""A model of the characters of texts: how unusual a text is, by its sequences of three characters.

Each character is predicted from the two before it, with counts that are smoothed by those of shorter sequences
(Witten and Bell 1991 have such a mixture; the constants are ours).  Texts of another language or script have unusual
sequences, and it needs no word to be known.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BINS = {1: 1 << 12, 2: 1 << 15, 3: 1 << 17}
"""The number of bins of the counts of sequences of each length.  Sequences are hashed to them."""
PRIOR = 5.0
"""The weight of the shorter sequences, in occurrences."""
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
MOST_CHARACTERS = 2_000
"""The beginning of a text that is read."""


class CharacterModel:
    """Counts of the sequences of up to three characters in texts.

    Parameters
    ----------
    counts
        *counts* are the counts by the length of the sequence, each of shape (`BINS`,).

    Examples
    --------
    >>> model = CharacterModel.of(["a brown fox", "the fox", "a fox in the box"])
    >>> surprises, n = model.surprises(["the brown box", "ein Fuchs", ""])
    >>> bool(surprises[0] < surprises[1]), float(surprises[2]), n.tolist()
    (True, 0.0, [15, 11, 0])
    """

    def __init__(self, counts: Mapping[int, Ints]) -> None:
        self.counts = {length: np.asarray(counts[length], dtype=np.int64) for length in BINS}
        if any(self.counts[length].shape != (n,) or (self.counts[length] < 0).any() for length, n in BINS.items()):
            raise ValueError("counts of characters have another form")

    @classmethod
    def of(cls, texts: Sequence[str]) -> "CharacterModel":
        """Return the model of *texts*."""
        counts = {length: np.zeros(n, dtype=np.int64) for length, n in BINS.items()}
        for text in texts:
            codes = _codes(text)
            for length in BINS:
                np.add.at(counts[length], _bins(codes, length), 1)
        return cls(counts)

    def surprises(self, texts: Sequence[str]) -> tuple[Floats, Ints]:
        """Return the surprise of each text, and its number of characters.

        The surprise is the mean negative log probability a character, and 0 for a blank text.
        """
        codes = [_codes(text) for text in texts]
        surprises = np.array([self._surprise(each) for each in codes], dtype=np.float64)
        return surprises, np.array([len(each) for each in codes], dtype=np.int64)

    def _surprise(self, codes: NDArray[np.uint64]) -> float:
        if not len(codes):
            return 0.0
        one, two, three = (self.counts[length] for length in BINS)
        pairs, characters = _bins(codes, 2), _bins(codes, 1)[2:]
        by_one = (one[characters] + 0.5) / (one.sum() + 0.5 * BINS[1])
        by_two = (two[pairs[1:]] + PRIOR * by_one) / (one[_bins(codes, 1)[1:-1]] + PRIOR)
        by_three = (three[_bins(codes, 3)] + PRIOR * by_two) / (two[pairs[:-1]] + PRIOR)
        return float(-np.log(by_three).mean())


def _codes(text: str) -> NDArray[np.uint64]:
    """Return the code points of a text in lower case, between spaces.  A blank text has none."""
    content = text[:MOST_CHARACTERS].strip().lower()
    return np.array([ord(each) for each in f" {content} "] if content else [], dtype=np.uint64)


def _bins(codes: NDArray[np.uint64], length: int) -> Ints:
    """Return the bin of each sequence of this *length* in *codes*."""
    n = max(len(codes) - length + 1, 0)
    mixed = np.zeros(n, dtype=np.uint64)
    for place in range(length):
        mixed = (mixed ^ (codes[place : place + n] * _FACTORS[place])) * _FACTORS[(place + 1) % len(_FACTORS)]
    found: Ints = ((mixed >> np.uint64(40)) % np.uint64(BINS[length])).astype(np.int64)
    return found
