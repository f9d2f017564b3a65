"""Half groups: to each class, half a group of rows that are right and half a group of wrong ones are added.

Without them, a class of which all rows are right would seem to be known without error.  Half a success and half a
failure are Jeffreys' prior of a share (Brown, Cai and DasGupta, Statistical Science 2001).  A group counts as one
trial, so where groups have several rows, a half group has half as many.
"""

from itertools import pairwise

import numpy as np

from counterpoint.metrics.rows import Floats, Ints, PredictedRows

HALF = 0.5
"""The share of a group that each addition to a class is, in a metric of predicted classes."""
IN_RANKINGS = 0.02
"""The same in a metric of ranks, in each fold of a group: there, a row at the wrong end counts far more."""


class HalfGroups:
    """The additions, a row each, which all contenders on the same rows share.

    Parameters
    ----------
    rows
        *rows* are those of any contender: only its classes and folds count.
    groups
        *groups* are the groups of the rows, shape (n,).

    Examples
    --------
    >>> rows = PredictedRows(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> half = HalfGroups(rows, np.array([0, 1]))
    >>> half.added_to(rows).predicted, half.shares(is_ranking=False)
    (array([0, 0, 0, 1, 1, 0]), array([0.5, 0.5, 0.5, 0.5]))
    """

    def __init__(self, rows: PredictedRows, groups: Ints) -> None:
        stretches = [range(len(rows.codes))[fold] for fold in rows.folds]
        added = [np.repeat(np.unique(rows.codes[fold]), 2) for fold in rows.folds]  # a right and a wrong row each
        self.codes: Ints = np.concatenate(added)
        """The classes of the added rows, shape (n_added,)."""
        self._n_classes = rows.n_classes
        self._answers = np.where(np.arange(len(self.codes)) % 2, (self.codes + 1) % rows.n_classes, self.codes)
        self._before = np.repeat([stretch.stop for stretch in stretches], [len(own) for own in added])
        ends = np.cumsum([0, *(len(stretch) + len(own) for stretch, own in zip(stretches, added, strict=True))])
        self._folds = tuple(slice(start, stop) for start, stop in pairwise(ends.tolist()))
        most = int(groups.max()) + 1
        once = np.unique(rows.codes * most + groups) // most  # each class of each group once
        counts, n_groups = (np.bincount(codes, minlength=rows.n_classes) for codes in (rows.codes, once))
        self.sizes: Floats = (counts / np.maximum(n_groups, 1))[self.codes]
        """The mean number of rows of a group in the class of each added row."""
        in_folds = np.unique(most * np.repeat(np.arange(len(stretches)), list(map(len, stretches))) + groups)
        self._folds_a_group = len(in_folds) / len(np.unique(groups))  # 1, but for the rows of several repeats

    @property
    def places(self) -> Ints:
        """The places of the added rows in `added_to`, shape (n_added,)."""
        return self._before + np.arange(len(self._before))

    def added_to(self, rows: PredictedRows) -> PredictedRows:
        """Return *rows* with the added rows at the end of each fold."""
        return PredictedRows(
            np.insert(rows.codes, self._before, self.codes),
            np.insert(rows.proba, self._before, np.eye(self._n_classes)[self._answers], axis=0),
            self._folds if len(rows.folds) > 1 else rows.folds,
            predicted=np.insert(rows.predicted, self._before, self._answers),
        )

    def shares(self, *, is_ranking: bool) -> Floats:
        """Return the share of a group that each added row is.  A metric that pools the folds has one pair a class."""
        if is_ranking:
            return np.full(len(self.codes), IN_RANKINGS / self._folds_a_group)
        return 2 * HALF / np.bincount(self.codes)[self.codes]
