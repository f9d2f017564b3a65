"""The test rows of a study with the class that each contender predicted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from counterpoint import schema
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


def predicted_classes(predictions: Frame, *, confidence: float = 0.95) -> PredictedClasses:
    """Return the test rows of *predictions* with the class of the largest probability.

    >>> predictions = pl.DataFrame({"part": ["train", "test"], "label": "a", "p_a": [0.9, 0.2], "p_b": [0.1, 0.8]})
    >>> predicted_classes(predictions).rows.select("predicted", "is_correct").rows()
    [('b', False)]
    """
    test = predictions.filter(pl.col("part") == "test")
    classes = schema.class_names(predictions)
    if not classes:
        unknown = test.with_columns(predicted=pl.lit(None, pl.String), is_correct=pl.lit(None, pl.Boolean))
        return PredictedClasses(unknown, (), confidence)
    predicted = schema.predicted_class(classes)
    rows = test.with_columns(predicted.alias("predicted"), (predicted == pl.col("label")).alias("is_correct"))
    return PredictedClasses(rows, tuple(classes), confidence)
