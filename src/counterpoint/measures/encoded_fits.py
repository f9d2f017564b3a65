"""The multimodal contenders whose heads can be asked alone, with what their encoders say of test rows: read once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from counterpoint.contenders.encoded import Encoded
from counterpoint.diagnose.case import Case, Fitted
from counterpoint.measures import held_out
from counterpoint.measures.recombined_logits import codes_of, correct_recombined
from counterpoint.metrics.estimate import Floats
from counterpoint.schema import Frame
from counterpoint.seeds import child_seed

Codes = NDArray[np.intp]
MOST_ROWS = 2000
"""Test rows that are looked at; of more, a sample: the intervals are then narrow enough."""
MOST_TRAINED = 1000
"""Training rows from which something is learned of what the encoders say."""


@dataclass(frozen=True)
class Heads:
    """One fit of a multimodal contender and its test rows; stands for the model where a measure asks for one."""

    name: str
    fitted: Fitted
    pairs: Frame
    codes: Codes
    kept: Encoded

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The classes of the fit."""
        classes: NDArray[np.str_] = self.fitted.model.classes_
        return classes

    def encoded(self, pairs: Frame) -> Encoded:
        """Return what the encoders said of the test rows."""
        assert pairs is self.pairs, "only the test rows are kept"
        return self.kept

    @cached_property
    def trained(self) -> tuple[Frame, Encoded] | None:
        """A sample of the training rows, and what the encoders say of them; None of a model that does not tell."""
        train = self.fitted.train
        rows = np.random.default_rng(child_seed(0, "heads", "trained")).permutation(len(train))[:MOST_TRAINED]
        train = train[np.sort(rows)]
        encoded = self.fitted.model.encoded(train) if len(train) else None
        return None if encoded is None else (train, encoded)

    def hits(self) -> Floats:
        """Return whether this fit is right on each of its rows."""
        own = np.arange(len(self.pairs))
        return correct_recombined(self.kept, self.codes, own, own)

    def hits_of(self, case: Case, name: str) -> Floats:
        """Return the share of seeds with which contender *name* is right on each of these rows; NaN of no row.

        The share, and not whether their mean is right: this is one fit, and no rival of an ensemble.
        """
        rows = held_out.hits(case.predictions.filter(part="test"), name).unique("id", keep="first")
        found = self.pairs.select("id").join(rows, on="id", how="left", maintain_order="left")
        return found["hit"].fill_null(float("nan")).to_numpy()


def heads_of(case: Case) -> list[Heads]:
    """Return the heads of each multimodal contender that offers them, those of the primary contrast first.

    >>> import polars as pl
    >>> none = pl.DataFrame()
    >>> heads_of(Case(none, none, none, None, {"majority": ()}, (), 1, 1))
    []
    """
    if "heads" not in case.shared:
        first = case.primary["a"] if case.primary else None
        names = sorted(case.reading("text", "image"), key=lambda name: name != first)
        found = [_heads(name, case.fit_of(name)) for name in names]
        case.shared["heads"] = [heads for heads in found if heads is not None]
    kept: list[Heads] = case.shared["heads"]
    return kept


def _heads(name: str, fitted: Fitted | None) -> Heads | None:
    offers = getattr(fitted.model, "encoded", None) if fitted else None
    if fitted is None or offers is None or fitted.test.is_empty():
        return None
    rows = fitted.test
    if len(rows) > MOST_ROWS:
        drawn = np.random.default_rng(child_seed(0, "heads", name)).choice(len(rows), MOST_ROWS, replace=False)
        rows = rows[np.sort(drawn)]
    encoded = offers(rows)
    return None if encoded is None else Heads(name, fitted, rows, codes_of(fitted.model, rows["label"]), encoded)
