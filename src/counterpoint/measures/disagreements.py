"""The test rows by the answers of three readers: of the text alone, of the image alone, and of both together.

Each row falls into one cell of text right or wrong and image right or wrong, and reading both has one outcome on it.
Does not explain why a reader is wrong.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import polars as pl

from counterpoint.compare.primary import best_by_fit, shares_of
from counterpoint.compare.selected import rows_of_choices
from counterpoint.measures.comparison_tables import contenders_reading
from counterpoint.metrics.decision import class_shares, with_predicted
from counterpoint.metrics.intervals import standard_errors, wilson
from counterpoint.schema import Frame, class_names

MODALITIES_OF: Mapping[str, tuple[str, ...]] = {"text": ("text",), "image": ("image",), "multimodal": ("text", "image")}
"""The modalities of each reader."""
CELLS = ("both", "text_only", "image_only", "neither")
"""The readers of one modality that are right on a row, as `error_overlap` names them."""
OUTCOMES = ("lost", "rescued", "missed", "kept")
"""The outcome of reading both: wrong although one was right, right although one was wrong, all wrong, all right."""
KEYS = ("id", "fold", "group", "label")


class ChosenReaders(NamedTuple):
    """The contenders that answer for the text alone, for the image alone and for both, by fold and seed.

    Attributes
    ----------
    names
        *names* has the contender that is chosen most often, by reader.
    choices
        *choices* have the contender of each reader, of each fold and seed.
    """

    names: Mapping[str, str]
    choices: Sequence[Mapping[str, Any]]

    @property
    def n_seeds(self) -> int:
        """The number of seeds with a choice."""
        return len({choice["seed"] for choice in self.choices})


def chosen_readers(
    predictions: Frame, modalities: Mapping[str, Sequence[str]], metric: str, primary: Mapping[str, Any] | None = None
) -> ChosenReaders | None:
    """Return the best contender of each reader on validation rows, chosen as the primary contrast is.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    modalities
        *modalities* are the modalities that each contender reads.
    metric
        *metric* is the metric by which the best is chosen.
    primary
        *primary* is the primary contrast. Its multimodal choices replace those that would be made here.

    Returns
    -------
    ChosenReaders or None
        None where a reader has no contender with a score on validation rows.

    Examples
    --------
    >>> columns = {"id": list("12" * 3), "contender": ["image-cnn"] * 2 + ["text-svm"] * 2 + ["lstm-cnn"] * 2}
    >>> columns |= {"seed": [0] * 6, "fold": "test", "part": "validation", "group": list("12" * 3)}
    >>> table = pl.DataFrame({**columns, "label": list("xy" * 3), "p_x": [0.6, 0.6, 0.9, 0.1, 0.8, 0.2]})
    >>> table = table.with_columns(p_y=1 - pl.col("p_x"))
    >>> reads = {"image-cnn": ["image"], "text-svm": ["text"], "lstm-cnn": ["text", "image"]}
    >>> chosen_readers(table, reads, "accuracy").names
    {'text': 'text-svm', 'image': 'image-cnn', 'multimodal': 'lstm-cnn'}
    """
    known = {name: tuple(reads) for name, reads in modalities.items()}
    kinds = {reader: contenders_reading(known, *reads) for reader, reads in MODALITIES_OF.items()}
    choices = best_by_fit(predictions, kinds, metric)
    if not choices or not kinds.keys() <= choices[0].keys():
        return None
    fixed = {(choice["fold"], choice["seed"]): choice["a"] for choice in (primary or {}).get("choices", ())}
    choices = [
        choice | {"multimodal": fixed.get((choice["fold"], choice["seed"]), choice["multimodal"])} for choice in choices
    ]
    names = {reader: next(iter(shares_of(choices, reader, [*modalities]))) for reader in kinds}
    return ChosenReaders(names, choices)


class ReadRows(NamedTuple):
    """The test rows as three readers answer them, with these readers.

    Attributes
    ----------
    chosen
        *chosen* are the readers.
    rows
        *rows* is the result of `disagreements`, with at least one row.
    """

    chosen: ChosenReaders
    rows: Frame


def read_rows(
    predictions: Frame, modalities: Mapping[str, Sequence[str]], metric: str, primary: Mapping[str, Any] | None = None
) -> ReadRows | None:
    """Return the test rows as the readers of `chosen_readers` answer them, or None without readers or rows.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    modalities
        *modalities* are the modalities that each contender reads.
    metric
        *metric* is the metric by which the best is chosen, and for which the predicted class is the best.
    primary
        *primary* is the primary contrast.
    """
    chosen = chosen_readers(predictions, modalities, metric, primary)
    rows = None if chosen is None else disagreements(predictions, chosen, metric)
    return None if chosen is None or rows is None or rows.is_empty() else ReadRows(chosen, rows)


def disagreements(predictions: Frame, chosen: ChosenReaders, metric: str) -> Frame:
    """Return each test row once, with the class that each reader predicts, its cell and its outcome.

    With several seeds, the mean of the probabilities over seeds decides.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.
    chosen
        *chosen* are the contenders that answer, from `chosen_readers`.
    metric
        *metric* is the metric for which the predicted class is the best.

    Returns
    -------
    Frame
        The columns of `KEYS`, cell, outcome, and for each reader ``_predicted``, ``_confidence`` (the probability of
        that class) and ``_right`` after its name. Rows that a reader has not predicted are left out.

    Examples
    --------
    >>> row = {"id": "1", "seed": 0, "fold": "test", "part": "test", "group": "1", "label": "x"}
    >>> rows = [row | {"contender": name} for name in ("svm", "cnn", "lstm-cnn")]
    >>> table = pl.DataFrame(rows).with_columns(p_x=pl.Series([0.9, 0.2, 0.6])).with_columns(p_y=1 - pl.col("p_x"))
    >>> names = {"text": "svm", "image": "cnn", "multimodal": "lstm-cnn"}
    >>> found = disagreements(table, ChosenReaders(names, [{"fold": "test", "seed": 0, **names}]), "accuracy")
    >>> found.select("cell", "outcome", "image_predicted", "image_confidence").row(0)
    ('text_only', 'rescued', 'y', 0.8)
    """
    tested = rows_of_choices(
        predictions.filter(part="test"), chosen.choices, {reader: reader for reader in MODALITIES_OF}
    )
    decided = _decided(tested.drop_nulls("id"), predictions, metric)
    by_reader = [_of_reader(decided, reader) for reader in MODALITIES_OF]
    first, *others = by_reader
    rows = reduce(lambda left, right: left.join(right.drop("group", "label"), on=["id", "fold"]), others, first)
    text, image, both = (pl.col(f"{reader}_right") for reader in MODALITIES_OF)
    return rows.with_columns(
        cell=pl.when(text & image).then(pl.lit(CELLS[0])).when(text).then(pl.lit(CELLS[1]))
        .when(image).then(pl.lit(CELLS[2])).otherwise(pl.lit(CELLS[3])),
        outcome=pl.when(both & text & image).then(pl.lit("kept")).when(both).then(pl.lit("rescued"))
        .when(text | image).then(pl.lit("lost")).otherwise(pl.lit("missed")),
    ).sort("id", "fold")  # fmt: skip


def _decided(tested: Frame, predictions: Frame, metric: str) -> Frame:
    """Return the predicted class of each row by the mean probabilities over seeds, and the probability of it."""
    classes = class_names(predictions)
    by_row = tested.group_by("contender", "id", "fold", maintain_order=True)
    mean = by_row.agg(pl.first("group", "label"), pl.col([f"p_{name}" for name in classes]).mean())
    decided = with_predicted(mean, metric, class_shares(predictions))
    confidence = pl.coalesce(pl.when(predicted=name).then(f"p_{name}") for name in classes)
    return decided.with_columns(confidence=confidence, right=pl.col("predicted") == pl.col("label"))


def _of_reader(decided: Frame, reader: str) -> Frame:
    own = [pl.col(name).alias(f"{reader}_{name}") for name in ("predicted", "confidence", "right")]
    return decided.filter(contender=reader).select(*KEYS, *own)


def cell_counts(rows: Frame, *, confidence: float) -> Frame:
    """Return the number of rows in each cell, its share of all rows with Wilson's interval, and the outcomes in it.

    Parameters
    ----------
    rows
        *rows* are the result of `disagreements`.
    confidence
        *confidence* is the level of the interval.

    Returns
    -------
    Frame
        One row a cell, in the order of `CELLS`: cell, n, share, low, high, and the number of each of `OUTCOMES`.

    Examples
    --------
    >>> rows = pl.DataFrame({"cell": ["both", "both", "neither"], "outcome": ["kept", "lost", "missed"]})
    >>> cell_counts(rows, confidence=0.95).select("cell", "n", "kept", "lost", pl.col("low").round(2)).rows()[0]
    ('both', 2, 1, 1, 0.21)
    """
    of_outcome = [pl.col("outcome").eq(outcome).sum().cast(pl.Int64).alias(outcome) for outcome in OUTCOMES]
    counted = rows.group_by("cell").agg(pl.len().cast(pl.Int64).alias("n"), *of_outcome)
    table = pl.DataFrame({"cell": CELLS}).join(counted, on="cell", how="left", maintain_order="left").fill_null(0)
    z, total = standard_errors(confidence), max(1, len(rows))
    low, high = zip(*(wilson(n, total, z=z) for n in table["n"]), strict=True)
    return table.with_columns(
        pl.Series("low", low, pl.Float64), pl.Series("high", high, pl.Float64), share=pl.col("n") / total
    )


def changes_against(rows: Frame, reader: str) -> dict[str, int]:
    """Return the number of rows that reading both gets right and *reader* wrong, and the reverse.

    >>> rows = pl.DataFrame({"text_right": [True, False, False], "multimodal_right": [False, True, True]})
    >>> changes_against(rows, "text")
    {'gained': 2, 'lost': 1}
    """
    both, alone = rows["multimodal_right"], rows[f"{reader}_right"]
    return {"gained": int((both & ~alone).sum()), "lost": int((~both & alone).sum())}
