"""The members of a combination that calibrates each of them on validation rows."""

from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.contenders.base import Rows
from counterpoint.contenders.calibrate import Scaling, fit_scaling
from counterpoint.contenders.kept.state import State

FLOOR = 1e-7
"""The smallest probability of a member: with 0, the others could not change the prediction."""


class CalibratedModel(NamedTuple):
    """A fitted contender, and the scaling that calibrates its log probabilities."""

    name: str
    model: Any
    scaling: Scaling

    def logits(self, pairs: pl.DataFrame) -> NDArray[np.float64]:
        """Return calibrated logits, shape (n_pairs, n_classes)."""
        return self.scaling.logits([_log_proba(self.model, pairs)])

    def state(self, name: str) -> State:
        """Return the fit and its scaling under *name*, as `of` reads them."""
        return State(arrays=self.scaling.arrays(name), fits={name: self.model})

    @classmethod
    def of(cls, state: State, name: str, *, member: str) -> Self:
        """Return a member from its state.

        Parameters
        ----------
        state, name
            *state* has its fit and its scaling under *name*.
        member
            *member* is the name of the contender.
        """
        return cls(member, state.fits[name], Scaling.of(state.arrays, name))


def calibrated(name: str, model: Any, rows: Rows, log_prior: NDArray[np.float64]) -> tuple[float, CalibratedModel]:
    """Return a member with its scaling, and its summed log loss on the rows on which the scaling is fitted.

    Parameters
    ----------
    name, model
        *name* is the member, and *model* its fit.
    rows
        *rows* are validation rows.
    log_prior
        *log_prior* are the logs of the class shares of the training rows, shape (n_classes,).
    """
    scores = _log_proba(model, rows.pairs)
    scaling = fit_scaling([scores], rows.codes, log_shares=log_prior, log_prior=log_prior)
    proba = scaling.proba([scores])
    loss = -float(np.log(proba[np.arange(len(proba)), rows.codes]).sum())
    return loss, CalibratedModel(name, model, scaling)


def having(rows: Rows, *modalities: str) -> Rows:
    """Return the rows in which none of *modalities* is missing.

    >>> rows = Rows(pl.DataFrame({"text": ["a", None], "image": ["a.png", "b.png"]}), np.array([0, 1]))
    >>> having(rows, "text", "image").codes.tolist()
    [0]
    """
    is_there = rows.pairs.select(pl.all_horizontal(pl.col(modalities).is_not_null())).to_series().to_numpy()
    return Rows(rows.pairs.filter(is_there), rows.codes[is_there])


def _log_proba(model: Any, pairs: pl.DataFrame) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(model.predict_proba(pairs), FLOOR)))
