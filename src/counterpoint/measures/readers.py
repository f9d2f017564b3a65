"""The best contender of the text alone and of the image alone, chosen in each fold as the primary contrast is.

In a k-fold, validation rows are test rows of other folds.  So a choice on all of them would have seen the test rows,
and the score of the chosen contender would be too good (docs/decisions/0021-honest-selection.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from counterpoint.compare.primary import best_by_fit, shares_of
from counterpoint.compare.selected import rows_of_choices
from counterpoint.config import Evaluate
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.prediction_arrays import validated_contenders
from counterpoint.metrics import scores
from counterpoint.metrics.decision import BALANCED
from counterpoint.schema import Frame


class Reader(NamedTuple):
    """The best contender of one modality alone.

    Attributes
    ----------
    name
        *name* is the contender that is chosen most often.
    modality
        *modality* is the modality that it reads.
    choices
        *choices* have the contender of each fold and seed, under the name of the modality.
    """

    name: str
    modality: str
    choices: Sequence[Mapping[str, Any]]

    @property
    def is_unanimous(self) -> bool:
        """Whether the same contender is chosen in all folds and seeds."""
        return len({choice[self.modality] for choice in self.choices}) == 1


Readers = Mapping[str, Reader | None]
"""The best contender of the text alone and of the image alone, or None, by modality."""


def readers(predictions: Frame, modalities: Modalities) -> dict[str, Reader | None]:
    """Return the best contender of each modality by balanced accuracy on validation rows, or None.

    Examples
    --------
    >>> from counterpoint.schema import PREDICTIONS, empty
    >>> readers(empty(PREDICTIONS), {"majority": ()})
    {'text': None, 'image': None}
    """
    kinds = {name: validated_contenders(predictions, modalities, name) for name in ("text", "image")}
    choices = best_by_fit(predictions, kinds, BALANCED)
    found: dict[str, Reader | None] = dict.fromkeys(kinds)
    for modality in choices[0].keys() & kinds if choices else ():
        name = next(iter(shares_of(choices, modality, kinds[modality])))
        found[modality] = Reader(name, modality, choices)
    return found


def best_contenders(readers: Readers) -> dict[str, str | None]:
    """Return the name of the best contender of each modality, or None.

    Examples
    --------
    >>> best_contenders({"text": Reader("svm", "text", ()), "image": None})
    {'text': 'svm', 'image': None}
    """
    return {modality: reader and reader.name for modality, reader in readers.items()}


def reader_predictions(predictions: Frame, readers: Readers) -> Frame:
    """Return *predictions*, with the rows of the chosen contender of each fold and seed under the name of a reader.

    Examples
    --------
    >>> row = {"id": "1", "seed": 0, "part": "test", "group": "1", "label": "x"}
    >>> rows = [row | {"contender": name, "fold": fold} for name in ("svm", "lstm") for fold in "01"]
    >>> table = pl.DataFrame(rows).with_columns(p_x=pl.Series([0.1, 0.2, 0.3, 0.4]))
    >>> choices = [{"fold": "0", "seed": 0, "text": "svm"}, {"fold": "1", "seed": 0, "text": "lstm"}]
    >>> chosen = reader_predictions(table, {"text": Reader("svm", "text", choices), "image": None})
    >>> chosen.filter(contender="svm")["p_x"].to_list()
    [0.1, 0.4]
    """
    for reader in readers.values():
        if reader is not None and not reader.is_unanimous:
            others = predictions.filter(pl.col("contender") != reader.name)
            rows = rows_of_choices(predictions, reader.choices, {reader.modality: reader.name})
            predictions = pl.concat([rows, others])
    return predictions


def reader_scores(reader_predictions: Frame, readers: Readers, balanced_scores: Frame) -> Frame:
    """Return *balanced_scores*, with the score of the choices of all folds in place of that of a reader.

    Parameters
    ----------
    reader_predictions, readers
        *reader_predictions* is schema.PREDICTIONS with the choices under the names of the *readers*.
    balanced_scores
        *balanced_scores* are rows of schema.SCORES in balanced accuracy.
    """
    mixed = [reader.name for reader in readers.values() if reader is not None and not reader.is_unanimous]
    if not mixed:
        return balanced_scores
    is_mixed = pl.col("contender").is_in(mixed)
    rules = Evaluate(metrics=(BALANCED,), primary=BALANCED)
    return pl.concat([balanced_scores.filter(~is_mixed), scores(reader_predictions.filter(is_mixed), rules)])
