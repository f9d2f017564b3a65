"""The units that a jackknife leaves out: groups of rows, or several groups of one class together."""

from typing import NamedTuple

import numpy as np

from counterpoint.metrics.rows import Ints

MOST_UNITS = 500
"""With more groups, several are one unit.  The standard error then has a standard error of its own of 3 %."""


class Units(NamedTuple):
    """The unit of each row, shape (n,), and the class of each unit, shape (n_units,): that of most of its rows."""

    places: Ints
    classes: Ints

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.classes)


def units_of(groups: Ints, codes: Ints, *, most: int = MOST_UNITS) -> Units:
    """Return the units of rows.

    Each group is a unit if *most* allows it.  Otherwise the groups of a large class are spread over units, by their
    size, while each group of a rare class stays a unit: the groups of the rarest class limit what is known.

    Parameters
    ----------
    groups, codes
        *groups* are the groups of the rows, 0 … n_groups − 1, and *codes* their classes, shape (n,).
    most
        *most* is the largest number of units, if there are fewer classes.

    Examples
    --------
    >>> units_of(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 0]))
    Units(places=array([2, 2, 0, 1]), classes=array([0, 0, 1]))
    """
    n_groups, n_classes = int(groups.max()) + 1, int(codes.max()) + 1
    counts = np.zeros((n_groups, n_classes), dtype=np.intp)
    np.add.at(counts, (groups, codes), 1)
    class_of, sizes = counts.argmax(axis=1), counts.sum(axis=1)
    unit_of, classes = np.empty(n_groups, dtype=np.intp), np.empty(0, dtype=np.intp)
    for code, n_units in _shares(np.bincount(class_of, minlength=n_classes), most).items():
        own = np.flatnonzero(class_of == code)
        largest_first = own[np.argsort(-sizes[own], kind="stable")]
        unit_of[largest_first] = len(classes) + _snaked(len(own), n_units)
        classes = np.append(classes, np.full(n_units, code))
    return Units(unit_of[groups], classes)


def _shares(n_groups: Ints, most: int) -> dict[int, int]:
    """Return the number of units of each class that has groups, from the rarest class on."""
    shares, left = {}, most
    waiting = [int(code) for code in np.argsort(n_groups, kind="stable") if n_groups[code]]
    while waiting:
        code = waiting[0]
        shares[code] = min(int(n_groups[code]), max(1, left // len(waiting)))
        left -= shares[code]
        waiting = waiting[1:]
    return dict(sorted(shares.items()))


def _snaked(n: int, n_units: int) -> Ints:
    """Return the unit of each of *n* groups, given out forwards and backwards in turn, so that units are of equal size.

    >>> _snaked(5, 2)
    array([0, 1, 1, 0, 0])
    """
    turns, places = np.divmod(np.arange(n), n_units)
    return np.where(turns % 2, n_units - 1 - places, places)
