"""Pairs with a model that matches their texts with their images: by cheap features, or in the joint space."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from counterpoint.measures.contender_fits import ContenderFit
from counterpoint.measures.encoded_pairs import EncodedPairs, in_source_order
from counterpoint.measures.joint_map import JointMatcher
from counterpoint.measures.own_image_rate import Matcher, OwnImageRate, own_image_rate
from counterpoint.measures.prediction_arrays import Codes
from counterpoint.measures.sampled_rows import sampled_blocks
from counterpoint.measures.text_image_association import Canonical, image_features, text_features
from counterpoint.schema import Frame

MOST_ROWS, FEW_ROWS = 1500, 300
MOST_ENCODED = 800
"""In the joint space, fewer rows are enough."""


@dataclass(frozen=True)
class MatchedPairs:
    """The n pairs that have both modalities, and a model that matches their texts with their images.

    Attributes
    ----------
    rows
        *rows* are the pairs, in the order of their source.
    matcher
        *matcher* is the model, with the features of the pairs.
    name
        *name* names the features.
    enough
        *enough* is the number of pairs from which the model shows that there is no association.
    weak
        *weak* is the rate below which the interval of an absent association ends.
    """

    rows: Frame
    matcher: Matcher
    name: str
    enough: int
    weak: float

    @property
    def groups(self) -> list[str]:
        """The group of each row."""
        return self.rows["group"].to_list()

    @property
    def codes(self) -> Codes:
        """The class of each row, shape (n,)."""
        codes: Codes = np.unique(self.rows["label"].to_numpy(), return_inverse=True)[1]
        return codes

    @cached_property
    def at_all(self) -> OwnImageRate:
        """How often a text scores higher with its own image than with another."""
        return own_image_rate(self.matcher, self.groups)

    @cached_property
    def in_class(self) -> OwnImageRate:
        """How often a text scores higher with its own image than with another image of its class."""
        return own_image_rate(self.matcher, self.groups, self.codes)

    @cached_property
    def contrast(self) -> OwnImageRate:
        """The same by the part of the association that differs by class, as in an exclusive or."""
        return own_image_rate(self.matcher.contrasted(), self.groups, self.codes)

    def by_class(self) -> dict[str, OwnImageRate]:
        """Return the rate of each class of enough rows, by a model fitted on the rows of that class alone."""
        found = {}
        for code in np.unique(self.codes):
            rows = np.flatnonzero(self.codes == code)
            if len(rows) >= FEW_ROWS // 3:
                found[str(self.rows["label"][int(rows[0])])] = self._rate(rows, rows)
        return found

    def shifted(self, by: int) -> tuple[OwnImageRate, int] | None:
        """Return the rate of each text with the image *by* rows further on, and the number of rows.  None if few."""
        numbers = self.rows["row"].to_numpy()
        _, here, there = np.intersect1d(numbers + by, numbers, return_indices=True)
        return None if len(here) < min(self.enough, FEW_ROWS // 2) else (self._rate(here, there), len(here))

    def is_absent(self, rate: OwnImageRate) -> bool:
        """Return whether the pairs are enough to show an association, and *rate* shows none."""
        return len(self.rows) >= self.enough and rate.high <= self.weak

    def _rate(self, texts: Codes, images: Codes) -> OwnImageRate:
        return own_image_rate(self.matcher.paired(texts, images), [self.groups[row] for row in texts])


def cheaply_matched(pairs: Frame, fit: ContenderFit | None) -> MatchedPairs | None:
    """Return at most 1,500 *pairs* with cheap features.  None where fewer than 300 have readable images.

    Images are read at the size that the model of *fit* reads, because images of this size are stored already.
    """
    from counterpoint.features.pixels import load_pixels  # noqa: PLC0415 - loads the decoder

    if len(pairs) < FEW_ROWS:
        return None
    rows = sampled_blocks(in_source_order(pairs), MOST_ROWS)
    settings = fit.model.pixel_settings() if fit and hasattr(fit.model, "pixel_settings") else None
    cache = fit.model.cache if fit and settings and getattr(fit.model, "cache", None) else None
    pixels = load_pixels(
        rows["image"].to_list(), **settings or {"side_px": 32, "mode": "rgb"}, cache=Path(cache) if cache else None
    )
    there = np.flatnonzero(~pixels.is_missing)
    if len(there) < FEW_ROWS:
        return None
    matcher = Canonical(text_features(rows["text"].gather(there).to_list()), image_features(pixels[there]))
    return MatchedPairs(rows[there], matcher, "Cheap features", enough=800, weak=0.54)


def jointly_matched(encoded: EncodedPairs) -> MatchedPairs:
    """Return at most 800 of the *encoded* pairs with their vectors in the joint space."""
    rows = sampled_blocks(encoded.rows.with_row_index("_place"), MOST_ENCODED)
    vectors = encoded.vectors(rows["_place"].to_numpy().astype(np.intp))
    return MatchedPairs(rows.drop("_place"), JointMatcher(vectors), "Pretrained encoders", enough=50, weak=0.68)
