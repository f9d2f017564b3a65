"""How often each check was right on generated studies with its fault and without it, at the size next to a study's.

The rates are those of docs/pitfalls.md: the shares of warnings and failures, with Wilson's 95 % interval.
``make tables`` writes error_rates.json from benchmarks/results, and CI compares it.
"""

import json
from functools import cache
from math import log
from pathlib import Path
from typing import Any, NamedTuple

RATES = Path(__file__).with_name("error_rates.json")


class Rate(NamedTuple):
    """The share *k* / *n* of draws, and its interval."""

    k: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself."""
        return self.k / self.n


class ErrorRates(NamedTuple):
    """The rates of one check at one size.  A rate that was not measured is None."""

    fault: str
    """The fault that was planted."""
    clean: str
    """The state of the studies without it."""
    n_pairs: int
    ratio: int
    """The pairs of the larger class for each pair of the smaller one."""
    detected: Rate | None
    alarms: Rate | None
    since: str = ""
    """A change of the check after it was measured."""


def error_rates(code: str, n_pairs: int, *, ratio: float = 1.0) -> ErrorRates | None:
    """Return the rates of a check at the measured size that is nearest to a study's, or None without any.

    Parameters
    ----------
    code
        *code* is the code of the check.
    n_pairs
        *n_pairs* is the number of pairs of the study.
    ratio
        *ratio* is its number of pairs in the largest class, divided by that in the smallest.

    Examples
    --------
    >>> found = error_rates("CP002", 3652)
    >>> found.n_pairs, found.ratio, found.detected.n, found.alarms.k
    (3000, 1, 40, 0)
    >>> error_rates("CP099", 3652) is None
    True
    """
    found = _rates().get(code)
    if found is None:
        return None
    near = min(found["sizes"], key=lambda size: _distance(size, n_pairs, ratio))
    detected, alarms = (None if near[name] is None else Rate(**near[name]) for name in ("detected", "alarms"))
    return ErrorRates(
        found["fault"], found["clean"], near["n"], near["ratio"], detected, alarms, found.get("since", "")
    )


def _distance(size: dict[str, Any], n_pairs: int, ratio: float) -> tuple[float, float]:
    """Return the distance in factors: of the number of pairs first, then of the ratio of the classes."""
    return abs(log(max(1, n_pairs) / size["n"])), abs(log(max(1.0, ratio) / size["ratio"]))


@cache
def _rates() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RATES.read_text(encoding="utf-8"))
    return found
