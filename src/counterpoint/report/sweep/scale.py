"""The horizontal axis of a curve: numbers by size or by logarithm, words in their order."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from counterpoint.safe_text import page_line

WIDE_RANGE = 8
"""The axis is logarithmic if the largest value is at least this many times the smallest."""
_APART_PX = 38


class Scale:
    """The places of *values* on an axis.

    >>> Scale(["16", "32", "128"]).places, Scale(["gray", "rgb"]).places
    ({'16': 4.0, '32': 5.0, '128': 7.0}, {'gray': 0.0, 'rgb': 1.0})
    """

    def __init__(self, values: Sequence[str]) -> None:
        names = list(dict.fromkeys(values))
        numbers = [_number(name) for name in names]
        self.is_numeric = bool(numbers) and all(map(math.isfinite, numbers))
        self.is_log = self.is_numeric and 0 < min(numbers) * WIDE_RANGE <= max(numbers)
        if self.is_log:
            numbers = [math.log2(number) for number in numbers]
        places = numbers if self.is_numeric else [float(place) for place in range(len(names))]
        self.places = dict(sorted(zip(names, places, strict=True), key=lambda item: item[1]))

    def dress(self, axes: Axes, inner_px: float) -> None:
        """Write below *axes*, which are *inner_px* wide, as many values as have room."""
        low, high = min(self.places.values()), max(self.places.values())
        margin = 0.04 * (high - low) if self.is_numeric else 0.5
        margin = margin or 0.5
        axes.set_xlim(low - margin, high + margin)
        px = inner_px / (high - low + 2 * margin)
        written: list[str] = []
        for name in reversed(self.places):  # the last value is always written
            if not written or (self.places[written[-1]] - self.places[name]) * px >= _APART_PX:
                written.append(name)
        axes.set_xticks([self.places[name] for name in written], [page_line(name, most=12) for name in written])


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan
