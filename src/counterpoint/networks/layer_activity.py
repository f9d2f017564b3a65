"""The outputs of one layer over a batch, in numbers.  Does not need torch."""

from typing import NamedTuple


class Activity(NamedTuple):
    """The outputs of one layer over a batch.

    Attributes
    ----------
    width
        *width* is the number of units or channels.
    spread
        *spread* is their standard deviation over rows, divided by their root mean square: 0 where all rows are equal.
    dead
        *dead* is the share of the units of a ReLU that are 0 in every row.
    saturated
        *saturated* is the share of the outputs of a squashing layer beyond ±.99.
    """

    layer: str
    kind: str
    width: int
    mean: float
    spread: float
    dead: float
    saturated: float
