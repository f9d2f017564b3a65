"""Look-ups in the tables of a finished comparison: contenders by modality, test scores, one difference."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from counterpoint.config import Evaluate
from counterpoint.metrics import scores as scores_of
from counterpoint.metrics.decision import BALANCED
from counterpoint.metrics.estimate import Estimate
from counterpoint.metrics.spread import UNKNOWN, Spread
from counterpoint.schema import TEST_PARTS, Frame

Modalities = Mapping[str, tuple[str, ...]]
"""The modalities that each contender reads, by its name."""
Members = Mapping[str, tuple[str, ...]]
"""The contenders that each combination combines, by its name.  Each of them is trained apart."""


def contenders_reading(modalities: Modalities, *exactly: str) -> list[str]:
    """Return the contenders that read these modalities and no other.

    >>> reads = {"majority": (), "text-svm": ("text",), "lstm-cnn": ("text", "image")}
    >>> contenders_reading(reads, "text"), contenders_reading(reads, "text", "image")
    (['text-svm'], ['lstm-cnn'])
    """
    return [name for name, reads in modalities.items() if set(reads) == set(exactly)]


def joint_members(name: str, members: Members, modalities: Modalities) -> list[str]:
    """Return the members of a combination that read text and image, and are no combinations themselves.

    Parameters
    ----------
    name, members
        *name* is the combination, and *members* are those of each combination.
    modalities
        *modalities* are those that each contender reads.

    Examples
    --------
    >>> reads = {"text-svm": ("text",), "lstm-cnn": ("text", "image"), "late-fusion": ("text", "image")}
    >>> members = {"late-fusion": ("text-svm", "image-cnn"), "ensemble": tuple(reads)}
    >>> joint_members("ensemble", members, reads), joint_members("late-fusion", members, reads)
    (['lstm-cnn'], [])
    """
    return [each for each in members.get(name, ()) if len(modalities.get(each, ())) > 1 and each not in members]


def compared_contenders(primary: Mapping[str, Any] | None, modalities: Modalities) -> list[str]:
    """Return the two contenders of the primary contrast, or all that read something where there is none.

    >>> compared_contenders(None, {"majority": (), "text-svm": ("text",)})
    ['text-svm']
    """
    if primary is not None:
        return [primary["a"], primary["b"]]
    return [name for name, reads in modalities.items() if reads]


def scores_on_test_rows(scores: Frame, metric: str) -> Frame:
    """Return the rows of schema.SCORES in *metric* on test rows: of a hold-out, or of all folds together."""
    return scores.filter(pl.col("part").is_in(TEST_PARTS), metric=metric)


def balanced_scores(predictions: Frame, scores: Frame, metric: str) -> Frame:
    """Return the rows of schema.SCORES in balanced accuracy, with the predicted classes that are the best for it.

    Parameters
    ----------
    predictions, scores
        *predictions* and *scores* are tables of a study.
    metric
        *metric* is the primary metric.  If it is balanced accuracy, the rows are those of *scores*.
    """
    if metric == BALANCED:
        return scores.filter(metric=BALANCED)
    return scores_of(predictions, Evaluate(metrics=(BALANCED,), primary=BALANCED))


def difference_between(differences: Frame, a: str, b: str, metric: str) -> Estimate | None:
    """Return the score of *a* minus the score of *b*, in whichever order the table has them.

    Where the table also has the contrast of two selection procedures under these names, it is left out.

    Parameters
    ----------
    differences
        *differences* is schema.DIFFERENCES.
    a, b
        *a* and *b* are names of contenders.
    metric
        *metric* is the name of the metric.

    Returns
    -------
    Estimate | None
        None where the table has neither order, or no interval.

    Examples
    --------
    >>> row = {"a": "svm", "b": "cnn", "metric": "accuracy", "difference": 0.2, "low": 0.1, "high": 0.3}
    >>> difference_between(pl.DataFrame([row]), "cnn", "svm", "accuracy")
    Estimate(value=-0.2, low=-0.3, high=-0.1)
    """
    for first, second, sign in ((a, b, 1), (b, a, -1)):
        found = _between(differences, first, second, metric)
        if found["low"].count():
            low, high = sorted(sign * found[end].item() for end in ("low", "high"))
            return Estimate(sign * found["difference"].item(), low, high)
    return None


def spread_between(differences: Frame, a: str, b: str, metric: str) -> Spread:
    """Return the standard error of the difference between *a* and *b*, with its degrees of freedom, NaN if unknown.

    Parameters
    ----------
    differences
        *differences* is schema.DIFFERENCES.
    a, b
        *a* and *b* are names of contenders, in any order.
    metric
        *metric* is the name of the metric.

    Examples
    --------
    >>> row = {"a": "svm", "b": "cnn", "metric": "accuracy", "error": 0.02, "df": 80.0}
    >>> spread_between(pl.DataFrame([row]), "cnn", "svm", "accuracy")
    Spread(error=0.02, df=80.0)
    """
    for first, second in ((a, b), (b, a)):
        found = _between(differences, first, second, metric)
        if found["error"].count() and found["df"].count():
            return Spread(found["error"].item(), found["df"].item())
    return UNKNOWN


def _between(differences: Frame, a: str, b: str, metric: str) -> Frame:
    """Return the row of *a* minus *b*, or no row.  The contrast of two selection procedures is left out."""
    found = differences.filter(a=a, b=b, metric=metric)
    return found if len(found) < 2 else found.filter(~pl.col("is_primary"))
