"""The predictions of one contender in detail: its confusions, its confidence, its mistakes.

*rows* are its test rows, as in ``PredictedClasses.rows``.  With several seeds, shares are over all predictions.
Intervals count each pair once, because several fits of one pair are not independent evidence.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint import rules
from counterpoint.metrics.intervals import standard_errors, wilson
from counterpoint.schema import Frame, class_names, predicted_class

N_LENGTHS = 5


def confusion_shares(rows: Frame, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return the share of each true class (rows) that was predicted as each class (columns).

    A class without pairs has NaN.

    >>> rows = pl.DataFrame({"label": ["a", "a", "b"], "predicted": ["a", "b", "b"]})
    >>> confusion_shares(rows, ["a", "b"]).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    counts = np.zeros((len(classes), len(classes)))
    place = {name: position for position, name in enumerate(classes)}
    for label, predicted, n in rows.group_by("label", "predicted").len().iter_rows():
        if label in place:
            counts[place[label], place[predicted]] = n
    totals = counts.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.full_like(counts, np.nan)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return shares


def confusion_table(shares: NDArray[np.float64], classes: Sequence[str]) -> Frame:
    """Return the cells of a confusion matrix as rows, with the columns label, predicted and share.

    >>> confusion_table(np.array([[0.5, 0.5], [0.0, 1.0]]), ["a", "b"]).rows()[:2]
    [('a', 'a', 0.5), ('a', 'b', 0.5)]
    """
    n = len(classes)
    names = np.array(classes, dtype=object)
    columns = {"label": list(np.repeat(names, n)), "predicted": list(np.tile(names, n)), "share": shares.ravel()}
    return pl.DataFrame(columns, schema={"label": pl.String, "predicted": pl.String, "share": pl.Float64})


def group_accuracy(rows: Frame, by: str, *, confidence: float) -> Frame:
    """Return the accuracy of each group of *rows*, with its Wilson interval over pairs.

    Parameters
    ----------
    rows
        *rows* are test rows with ``is_correct``.
    by
        *by* is the column of the groups.
    confidence
        *confidence* is the level of the interval.

    Returns
    -------
    Frame
        Columns *by*, value (the accuracy), n (pairs), low and high.

    Examples
    --------
    >>> rows = pl.DataFrame({"id": ["1", "2"], "label": ["a", "a"], "is_correct": [True, False]})
    >>> group_accuracy(rows, "label", confidence=0.95).select("value", "n", pl.col("low").round(3)).row(0)
    (0.5, 2, 0.095)
    """
    found = rows.group_by(by).agg(pl.col("is_correct").mean().alias("value"), pl.col("id").n_unique().alias("n"))
    z = standard_errors(confidence)
    ends = [wilson(share * n, n, z=z) for share, n in found.select("value", "n").iter_rows()]
    low, high = ([end[place] for end in ends] for place in (0, 1))
    return found.with_columns(low=pl.Series(low, dtype=pl.Float64), high=pl.Series(high, dtype=pl.Float64)).sort(by)


def reliability_bins(rows: Frame, *, confidence: float) -> Frame:
    """Return the mean confidence in the likeliest class, and its accuracy, in each tenth of stated confidence."""
    stated, likeliest = pl.max_horizontal(pl.selectors.starts_with("p_")), predicted_class(class_names(rows))
    binned = rows.with_columns(
        stated.alias("stated"),
        (stated * 10).floor().clip(0, 9).cast(pl.Int64).alias("tenth"),
        is_correct=likeliest == pl.col("label"),
    )
    means = binned.group_by("tenth").agg(pl.col("stated").mean().alias("confidence"))
    return group_accuracy(binned, "tenth", confidence=confidence).join(means, on="tenth").sort("tenth")


def length_bins(pairs: Frame) -> Frame:
    """Return the bin of each pair's number of words: at most five bins of about equal size.

    >>> pairs = pl.DataFrame({"id": ["1", "2", "3"], "text": ["a dog", "the dog runs home", None]})
    >>> length_bins(pairs)["bin"].to_list()
    ['2', '4', 'no text']
    """
    counted = pairs.select("id", n_words=rules.words(pl.col("text")).list.len().cast(pl.Int64))
    known = counted["n_words"].drop_nulls().to_numpy()
    inner = np.quantile(known, np.arange(1, N_LENGTHS) / N_LENGTHS) if len(known) else []
    place = pl.col("n_words").map_batches(lambda n: pl.Series(np.searchsorted(inner, n.to_numpy())), pl.Int64)
    low, high = (getattr(pl.col("n_words"), name)().over("place") for name in ("min", "max"))
    words = pl.when(low == high).then(pl.format("{}", low)).otherwise(pl.format("{}–{}", low, high))
    counted = counted.with_columns(
        pl.when(pl.col("n_words").is_not_null()).then(place).otherwise(N_LENGTHS).alias("place")
    )
    return counted.with_columns(words.fill_null("no text").alias("bin")).select("id", "place", "bin")


def accuracy_by_length(rows: Frame, binned: Frame, *, confidence: float) -> Frame:
    """Return the accuracy on texts of each length.

    Parameters
    ----------
    rows
        *rows* are test rows with ``is_correct``.
    binned
        *binned* is the bin of each pair, from `length_bins`.
    confidence
        *confidence* is the level of the interval.
    """
    found = group_accuracy(rows.join(binned, on="id"), "place", confidence=confidence)
    return found.join(binned.select("place", "bin").unique(), on="place").sort("place")


def confident_mistakes(rows: Frame, classes: Sequence[str], *, most: int) -> Frame:
    """Return the wrong predictions with the highest confidence, one for each group.

    Probabilities are means over seeds, and the predicted class is that of most seeds.  A fit that gives every pair the
    same probabilities is left out.

    Parameters
    ----------
    rows
        *rows* are test rows with their probabilities and ``predicted``.
    classes
        *classes* are in the order of the probabilities.
    most
        *most* is the largest number of mistakes.

    Returns
    -------
    Frame
        Columns id, label, predicted and confidence.

    Examples
    --------
    >>> rows = pl.DataFrame({"id": ["1", "2"], "group": ["1", "2"], "label": ["a", "b"], "seed": [0, 0],
    ...                      "fold": "test", "predicted": "b", "p_a": [0.2, 0.4], "p_b": [0.8, 0.6]})
    >>> confident_mistakes(rows, ["a", "b"], most=3).rows()
    [('1', 'a', 'b', 0.8)]
    """
    columns = [f"p_{name}" for name in classes]
    varied = rows.filter(pl.any_horizontal(pl.col(columns).n_unique().over("seed", "fold") > 1))
    most_often = pl.col("predicted").mode().sort().first()
    by_row = varied.group_by("id", maintain_order=True)
    mean = by_row.agg(pl.first("label", "group"), most_often, pl.col(columns).mean())
    confidence = pl.coalesce(pl.when(predicted=name).then(f"p_{name}") for name in classes)
    wrong = mean.with_columns(confidence=confidence)
    wrong = wrong.filter(pl.col("predicted") != pl.col("label")).sort("confidence", "id", descending=[True, False])
    family = pl.coalesce("group", "id")
    return wrong.filter(family.is_first_distinct()).select("id", "label", "predicted", "confidence").head(most)
