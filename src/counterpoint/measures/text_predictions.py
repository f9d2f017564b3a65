"""Held-out class probabilities of texts: by the best calibrated text contender, and by the words alone."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.lapse_rate import LapseRate, label_support, proba_from_words
from counterpoint.measures.matched_pairs import FEW_ROWS
from counterpoint.measures.prediction_arrays import Codes, PredictionArrays, prediction_arrays, validated_contenders
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.rows import Floats
from counterpoint.schema import Frame, class_names


class TextPredictions(NamedTuple):
    """Class probabilities of n texts that the model was not fitted on.

    Attributes
    ----------
    name
        *name* is a contender, or "the words".
    ids, codes
        *ids* and *codes* (classes) have one value a row.
    proba
        *proba* has shape (n, n_classes).
    """

    name: str
    ids: list[str]
    codes: Codes
    proba: Floats


def text_predictions(rows: Frame, predictions: Frame, modalities: Modalities) -> Iterator[TextPredictions]:
    """Yield predictions of test rows by the text contender of least log loss, and of *rows* by their words.

    Parameters
    ----------
    rows
        *rows* are pairs with texts.
    predictions
        *predictions* is schema.PREDICTIONS.
    modalities
        *modalities* are the modalities that each contender reads.
    """
    text = least_log_loss(predictions, modalities, "text")
    if text is not None:
        tested = prediction_arrays(predictions, [text])
        if len(tested.ids) >= FEW_ROWS // 2:
            yield TextPredictions(text, tested.ids, tested.codes, tested.proba[text])
    classes = class_names(predictions)
    known = rows.filter(pl.col("label").is_in(classes))
    if len(known) < FEW_ROWS // 2:
        return
    codes = np.searchsorted(classes, known["label"].to_numpy())
    proba = proba_from_words(known["text"].to_list(), codes, known["group"].to_list(), len(classes))
    if proba is not None:
        yield TextPredictions("the words", known["id"].to_list(), codes, proba)


def least_log_loss(predictions: Frame, modalities: Modalities, modality: str) -> str | None:
    """Return the contender of *modality* alone with the least log loss on validation rows: the best calibrated.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    modalities
        *modalities* are the modalities that each contender reads.
    modality
        *modality* is "text" or "image".
    """
    names = validated_contenders(predictions, modalities, modality)
    if not names:
        return None
    rows = prediction_arrays(predictions, names, "validation")
    own = np.arange(len(rows.codes))
    return max(names, key=lambda name: float(rows.log_proba(name)[own, rows.codes].sum()))


def label_support_of(rows: PredictionArrays, image: str, by_text: TextPredictions, lapses: LapseRate) -> Estimate:
    """Estimate how far contender *image* supports the labels where texts lapse, on the rows that both predict.

    Parameters
    ----------
    rows
        *rows* are test rows with predictions of *image*.
    image
        *image* is an image contender.
    by_text
        *by_text* are the predictions by text.
    lapses
        *lapses* is the lapse rate of *by_text*.
    """
    place = {name: row for row, name in enumerate(by_text.ids)}
    both = [(row, place[name]) for row, name in enumerate(rows.ids) if name in place]
    own, read = (np.array(each, dtype=np.intp) for each in zip(*both, strict=True)) if both else (np.zeros(0, int),) * 2
    groups = [rows.groups[row] for row in own]
    shared = LapseRate(lapses.rate, lapses.predicted[read], lapses.lapse_proba[read])
    return label_support(rows.proba[image][own], shared, rows.codes[own], groups)
