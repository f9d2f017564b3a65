"""Cheap features of texts and images of the same pairs, and how well texts find images by them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.measures.contender_fits import ContenderFit
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.measures.text_image_association import OwnImageRate, image_features, own_image_rate, text_features
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

MOST_ROWS, FEW_ROWS = 1500, 300
BLOCK = 100
"""More rows than `MOST_ROWS` are sampled in blocks of neighbours, because a shift shows among neighbours only."""


class PairFeatures(NamedTuple):
    """The features of n pairs that have both modalities.

    Attributes
    ----------
    rows
        *rows* are the pairs, in the order of their source.
    text, image
        *text* and *image* are features, shape (n, n_text_features) and (n, n_image_features).
    """

    rows: Frame
    text: Floats
    image: Floats

    @property
    def groups(self) -> list[str]:
        """The group of each row."""
        return self.rows["group"].to_list()

    @property
    def codes(self) -> Codes:
        """The class of each row, shape (n,)."""
        codes: Codes = np.unique(self.rows["label"].to_numpy(), return_inverse=True)[1]
        return codes

    def own_image_rate(self, *, is_within_class: bool = False) -> OwnImageRate:
        """Return how often a text scores higher with its own image than with another, of any class or of its class."""
        return own_image_rate(self.text, self.image, self.groups, self.codes if is_within_class else None)

    def own_image_rate_by_class(self) -> dict[str, OwnImageRate]:
        """Return the rate of each class of enough rows, by a model fitted on the rows of that class alone."""
        found = {}
        for code in np.unique(self.codes):
            rows = np.flatnonzero(self.codes == code)
            if len(rows) >= FEW_ROWS // 3:
                own = [self.groups[row] for row in rows]
                found[str(self.rows["label"][int(rows[0])])] = own_image_rate(self.text[rows], self.image[rows], own)
        return found

    def shifted_image_rate(self, by: int) -> tuple[OwnImageRate, int] | None:
        """Return the rate of each text with the image *by* rows further on, and the number of rows.  None if few."""
        numbers = self.rows["row"].to_numpy()
        _, here, there = np.intersect1d(numbers + by, numbers, return_indices=True)
        if len(here) < FEW_ROWS // 2:
            return None
        return own_image_rate(self.text[here], self.image[there], [self.groups[row] for row in here]), len(here)


def pair_features(pairs: Frame, fit: ContenderFit | None) -> PairFeatures | None:
    """Return features of at most 1,500 *pairs* with both modalities.  None where too few images are readable.

    Images are read at the size that the model of *fit* reads, because images of this size are stored already.
    """
    from counterpoint.features.pixels import load_pixels  # noqa: PLC0415 - loads the decoder

    rows = _sampled(pairs.sort("row") if "row" in pairs.columns else pairs.with_columns(row=pl.int_range(len(pairs))))
    settings = fit.model.pixel_settings() if fit and hasattr(fit.model, "pixel_settings") else None
    cache = fit.model.cache if fit and settings and getattr(fit.model, "cache", None) else None
    pixels = load_pixels(
        rows["image"].to_list(), **settings or {"side_px": 32, "mode": "rgb"}, cache=Path(cache) if cache else None
    )
    there = np.flatnonzero(~pixels.is_missing)
    if len(there) < FEW_ROWS:
        return None
    return PairFeatures(rows[there], text_features(rows["text"].gather(there).to_list()), image_features(pixels[there]))


def _sampled(rows: Frame) -> Frame:
    """Return at most 1,500 rows.  More are sampled in blocks from everywhere: sources may be sorted by class."""
    if len(rows) <= MOST_ROWS:
        return rows
    rng = np.random.default_rng(child_seed(0, "cp004", "rows"))
    first = np.sort(rng.choice(len(rows) // BLOCK, MOST_ROWS // BLOCK, replace=False)) * BLOCK
    return rows[(first[:, None] + np.arange(BLOCK)).ravel()]
