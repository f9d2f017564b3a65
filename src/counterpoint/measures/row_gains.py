"""The gain of reading both modalities in each row: the score of one side of the primary contrast minus the other.

The two sides are the selection procedures of the primary contrast (`counterpoint.compare.selected`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpoint.compare.selected import PROCEDURES, rows_of_choices
from counterpoint.metrics.decision import class_shares, with_predicted
from counterpoint.metrics.rows import Floats
from counterpoint.metrics.spread import Spread, spread_of
from counterpoint.metrics.table import find_metric
from counterpoint.schema import Frame

HALF = 0.5
Mask = NDArray[np.bool_]


def row_gains(predictions: Frame, primary: Mapping[str, Any], metric: str, part: str) -> Frame:
    """Return the gain of each row of *part*: the mean over seeds.

    The gain is 1 where only reading both is right, −1 where only reading one is right, and else 0.

    Parameters
    ----------
    predictions
        *predictions* is schema.PREDICTIONS.  Of other parts, only the class shares of training rows are used.
    primary
        *primary* is the primary contrast, with its choices.
    metric
        *metric* is the primary metric, which has the rule of the predicted class.
    part
        *part* is "validation" or "test".

    Returns
    -------
    Frame
        Columns id, group, label and gain, sorted by id.  Rows that one side has not predicted are left out.
    """
    own = predictions.filter(part=part)
    known = set(own["contender"])  # an outside model may have predicted test rows only
    choices = [choice for choice in primary["choices"] if {choice["a"], choice["b"]} <= known]
    rows = rows_of_choices(own, choices, PROCEDURES).drop_nulls("id")
    rows = with_predicted(rows, metric, class_shares(predictions))
    scored = rows.with_columns(row_score=(pl.col("predicted") == pl.col("label")).cast(pl.Float64))
    means = scored.group_by("contender", "id").agg(pl.first("group", "label"), pl.mean("row_score"))
    a, b = (means.filter(contender=PROCEDURES[side]) for side in ("a", "b"))
    both = a.join(b.select("id", other="row_score"), on="id", validate="1:1")
    gain = pl.col("row_score") - pl.col("other")
    return both.select("id", group=pl.coalesce("group", "id"), label="label", gain=gain).sort("id")


def gain_name(metric: str) -> str:
    """Return the name of the measure of gains: that of the primary metric if it has a score of each row.

    >>> gain_name("balanced_accuracy"), gain_name("roc_auc")
    ('balanced accuracy', 'accuracy')
    """
    found = find_metric(metric)
    return found.name_within if found.share_power == 1 else "accuracy"


class Gains(NamedTuple):
    """The gains of n rows.

    Attributes
    ----------
    gain, weight
        *gain* and *weight* are the gain and the weight of each row, shape (n,).
    groups, classes
        *groups* and *classes* are the codes of the rows' groups and classes, shape (n,).
    """

    gain: Floats
    weight: Floats
    groups: NDArray[np.intp]
    classes: NDArray[np.intp]

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return len(np.unique(self.groups))

    def at(self, mask: Mask) -> "Gains":
        """Return the rows of *mask*, shape (n,)."""
        groups = np.unique(self.groups[mask], return_inverse=True)[1].astype(np.intp)
        return Gains(self.gain[mask], self.weight[mask], groups, self.classes[mask])


def gains_of(rows: Frame, metric: str) -> Gains:
    """Return the gains as arrays.  In balanced accuracy, all classes weigh the same: a row of a rare class weighs more.

    >>> rows = pl.DataFrame({"id": list("abc"), "group": list("xxy"), "label": list("ppq"), "gain": [1.0, 0.0, -1.0]})
    >>> gains_of(rows, "balanced_accuracy").weight.tolist()
    [0.75, 0.75, 1.5]
    """
    labels, codes, counts = np.unique(rows["label"].to_numpy(), return_inverse=True, return_counts=True)
    is_balanced = find_metric(metric).share_power == 1
    weights = len(codes) / (len(labels) * counts) if is_balanced else np.ones(len(labels))
    groups = np.unique(rows["group"].to_numpy(), return_inverse=True)[1].astype(np.intp)
    weight: Floats = weights[codes].astype(float)
    return Gains(rows["gain"].to_numpy(), weight, groups, codes.astype(np.intp))


class Contrast(NamedTuple):
    """The gain in a segment, and its difference from the gain in all other rows.

    Attributes
    ----------
    gain, rest
        *gain* and *rest* are the mean gains in the segment and in all other rows.
    own, spread
        *own* and *spread* are the standard errors of *gain* and of the difference, by groups.
    n, n_groups
        *n* and *n_groups* are the rows and the groups of the segment.
    """

    gain: float
    rest: float
    own: Spread
    spread: Spread
    n: int
    n_groups: int

    @property
    def difference(self) -> float:
        """The gain in the segment minus the gain elsewhere."""
        return self.gain - self.rest

    @property
    def t(self) -> float:
        """The difference in standard errors, or 0 without any error."""
        return self.difference / self.spread.error if self.spread.error > 0 else 0.0


def contrast(gains: Gains, inside: Mask) -> Contrast:
    """Return the gain of the rows *inside* a segment, compared with all others, with errors over groups.

    To the segment and to the other rows, half a group with a gain of 1 and half a group with a gain of −1 are added in
    the standard errors.  Without them, rows on which both sides are always equal would have no error.

    Examples
    --------
    >>> gain = np.array([1.0, 0.0] * 50 + [0.0] * 100)
    >>> rows = Gains(gain, np.ones(200), np.arange(200), np.zeros(200, dtype=np.intp))
    >>> found = contrast(rows, np.arange(200) < 100)
    >>> found.gain, found.rest, round(found.t, 1)
    (0.5, 0.0, 9.6)
    """
    (gain, changes, half), (rest, others, other_half) = (_mean(gains, mask) for mask in (inside, ~inside))
    n_groups, n_classes = len(changes), int(gains.classes.max()) + 1
    n_inside = np.bincount(gains.groups[inside], minlength=n_groups)
    class_of = np.zeros(n_groups, dtype=np.intp)
    class_of[gains.groups] = gains.classes
    is_own = 2 * n_inside >= np.bincount(gains.groups, minlength=n_groups)
    stratum, of_halves = np.where(is_own, class_of, n_classes + class_of), np.repeat([0, n_classes], 2)
    one, has_rows = np.ones(1), n_inside > 0
    both = spread_of(changes - others, np.append(half, other_half), (stratum, of_halves), one)
    own = spread_of(changes[has_rows], half, (class_of[has_rows], of_halves[:2]), one)
    return Contrast(gain, rest, own, both, int(inside.sum()), int(has_rows.sum()))


def _mean(gains: Gains, mask: Mask) -> tuple[float, Floats, Floats]:
    """Return the mean gain, its changes by group, shape (n_groups,), and the changes by the two half groups."""
    weight = gains.weight * mask
    total = weight.sum()
    mean = float(weight @ gains.gain / total)
    changes = np.bincount(gains.groups, weights=weight * (gains.gain - mean) / total).astype(float)
    size = total / len(np.unique(gains.groups[mask]))  # the mean weight of a group
    half = np.sqrt(HALF) * size / total * (np.array([1.0, -1.0]) - mean)
    return mean, changes, half


def halves(groups: Sequence[str], rng: np.random.Generator) -> list[frozenset[str]]:
    """Return two halves of the groups at random.

    >>> first, second = halves(list("abcb"), np.random.default_rng(0))
    >>> sorted(first | second), first & second, len(second)
    (['a', 'b', 'c'], frozenset(), 2)
    """
    names = np.array(sorted(set(groups)))
    order = rng.permutation(len(names))
    middle = len(names) // 2
    return [frozenset(names[order[:middle]].tolist()), frozenset(names[order[middle:]].tolist())]
