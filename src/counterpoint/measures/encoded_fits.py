"""Fits of multimodal contenders whose encoders and head are separate, with the encoded test rows: encoded once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from counterpoint.contenders.encoded import Encoded
from counterpoint.measures.comparison_tables import Modalities, contenders_reading
from counterpoint.measures.contender_fits import ContenderFit, FitOf
from counterpoint.measures.held_out_rows import correct_shares
from counterpoint.measures.recombined_logits import codes_of, correct_recombined, shares_of
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Codes = NDArray[np.intp]
MOST_ROWS = 2000
"""More test rows than this are sampled: the intervals of a sample are narrow enough."""
MOST_TRAINED = 1000
"""Training rows on which a model of the encoded rows is fitted."""


@dataclass(frozen=True)
class EncodedFit:
    """One fit of a multimodal contender with its encoded test rows.  Measures take it in place of the model.

    Attributes
    ----------
    name
        *name* is the contender.
    fit
        *fit* is its first fit.
    pairs, codes
        *pairs* are test rows of the fit.  *codes* are their classes, shape (n,), or -1 where the fit lacks the class.
    encoded_rows
        *encoded_rows* are the outputs of the encoders on these rows.
    """

    name: str
    fit: ContenderFit
    pairs: Frame
    codes: Codes
    encoded_rows: Encoded

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The classes of the fit."""
        classes: NDArray[np.str_] = self.fit.model.classes_
        return classes

    @property
    def class_shares_(self) -> Floats:
        """The class shares of the training rows of the fit."""
        return shares_of(self.fit.model)

    def encoded(self, pairs: Frame) -> Encoded:
        """Return the encoded test rows."""
        assert pairs is self.pairs, "only the test rows are kept"
        return self.encoded_rows

    @cached_property
    def trained(self) -> tuple[Frame, Encoded] | None:
        """A sample of the training rows, and the same rows encoded.  None where the model does not encode."""
        train = self.fit.train
        rows = np.random.default_rng(child_seed(0, "heads", "trained")).permutation(len(train))[:MOST_TRAINED]
        train = train[np.sort(rows)]
        encoded = self.fit.model.encoded(train) if len(train) else None
        return None if encoded is None else (train, encoded)

    def correctness(self) -> Floats:
        """Return 1 where this fit predicts the class of the row, else 0, shape (n,)."""
        own = np.arange(len(self.pairs))
        return correct_recombined(self.encoded_rows, self.codes, own, own, shares=self.class_shares_)

    def correct_shares_of(self, predictions: Frame, name: str) -> Floats:
        """Return the share of seeds with which contender *name* predicts the class of each row, shape (n,).

        NaN where the contender has not predicted the row.  The seeds are averaged after the prediction: one fit is not
        compared with an ensemble.
        """
        rows = correct_shares(predictions, name).unique("id", keep="first")
        found = self.pairs.select("id").join(rows, on="id", how="left", maintain_order="left")
        return found["hit"].fill_null(float("nan")).to_numpy()


def encoded_fits(modalities: Modalities, primary: Mapping[str, Any] | None, fit_of: FitOf) -> list[EncodedFit]:
    """Return the encoded fit of each contender that encodes text and image separately, the primary contrast's first.

    Parameters
    ----------
    modalities
        *modalities* are the modalities that each contender reads.
    primary
        *primary* is the primary contrast, or None.
    fit_of
        *fit_of* returns the first fit of a contender by name, or None.

    Examples
    --------
    >>> encoded_fits({"majority": ()}, None, {}.get)
    []
    """
    first = primary["a"] if primary else None
    names = sorted(contenders_reading(modalities, "text", "image"), key=lambda name: name != first)
    found = [_encoded_fit(name, fit_of(name)) for name in names]
    return [fit for fit in found if fit is not None]


def _encoded_fit(name: str, fit: ContenderFit | None) -> EncodedFit | None:
    encode = getattr(fit.model, "encoded", None) if fit else None
    if fit is None or encode is None or fit.test.is_empty():
        return None
    rows = fit.test
    if len(rows) > MOST_ROWS:
        drawn = np.random.default_rng(child_seed(0, "heads", name)).choice(len(rows), MOST_ROWS, replace=False)
        rows = rows[np.sort(drawn)]
    encoded = encode(rows)
    return None if encoded is None else EncodedFit(name, fit, rows, codes_of(fit.model, rows["label"]), encoded)
