"""The test rows of a study with the class that each contender predicted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from counterpoint import schema
from counterpoint.metrics.decision import class_shares, with_predicted
from counterpoint.schema import Frame


@dataclass(frozen=True)
class PredictedClasses:
    """Predictions of test rows, their classes in the order of the probabilities, and a confidence level."""

    rows: Frame
    """One row for each row, contender and seed, with ``predicted`` and ``is_correct``."""
    classes: tuple[str, ...]
    confidence: float

    def by_contender(self, contenders: Iterable[str]) -> Iterator[tuple[str, Frame]]:
        """Yield each contender that has predictions, and its rows."""
        for contender in contenders:
            rows = self.rows.filter(contender=contender)
            if len(rows):
                yield contender, rows


def predicted_classes(predictions: Frame, *, primary: str, confidence: float = 0.95) -> PredictedClasses:
    """Return the test rows of *predictions* with their predicted class.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    primary
        *primary* is the metric for which the predicted class is the best.
    confidence
        *confidence* is the level of intervals.

    Examples
    --------
    >>> columns = {"contender": "m", "seed": 0, "fold": "test", "part": ["train", "test"], "label": "a"}
    >>> predictions = pl.DataFrame({**columns, "p_a": [0.9, 0.2], "p_b": [0.1, 0.8]})
    >>> predicted_classes(predictions, primary="accuracy").rows.select("predicted", "is_correct").rows()
    [('b', False)]
    """
    test = with_predicted(predictions.filter(part="test"), primary, class_shares(predictions))
    rows = test.with_columns(is_correct=pl.col("predicted") == pl.col("label"))
    return PredictedClasses(rows, tuple(schema.class_names(predictions)), confidence)
