"""A condition on one fact of a pair, in words and as a rule for rows."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from counterpoint.measures.row_facts import FACTS, NAMED, WORDLESS, is_presence
from counterpoint.number_formats import count
from counterpoint.schema import Frame

SPELLED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
Mask = NDArray[np.bool_]


class Condition(NamedTuple):
    """The rows whose fact is at least *low* and less than *high*.

    Attributes
    ----------
    fact
        *fact* is the name of the fact.
    low, high
        *low* and *high* are the limits.  An infinite one is no limit.
    has_known, has_unknown
        *has_known* is False if no row with the fact belongs to it, and *has_unknown* is True if rows without it do.

    Examples
    --------
    >>> import polars as pl
    >>> few = Condition("words", -math.inf, 4)
    >>> few.in_words(), few.holds(pl.DataFrame({"words": [3.0, 4.0, None]})).tolist()
    ('the text has fewer than four words', [True, False, False])
    >>> Condition("word:dog", 0.5, math.inf).in_words()
    'the text contains “dog”'
    """

    fact: str
    low: float = -math.inf
    high: float = math.inf
    has_known: bool = True
    has_unknown: bool = False

    @property
    def n_limits(self) -> int:
        """The number of limits, at least 1."""
        return max(1, math.isfinite(self.low) + math.isfinite(self.high))

    def holds(self, facts: Frame) -> Mask:
        """Return whether the condition holds for each row of *facts*, shape (n,)."""
        values = facts[self.fact].to_numpy().astype(float)
        is_known, is_within = ~np.isnan(values), (values >= self.low) & (values < self.high)
        found: Mask = (is_known & is_within & self.has_known) | (~is_known & self.has_unknown)
        return found

    def and_also(self, other: Self) -> "Condition":
        """Return the condition on the same fact that holds where both hold."""
        limits = max(self.low, other.low), min(self.high, other.high)
        known = self.has_known and other.has_known, self.has_unknown and other.has_unknown
        return Condition(self.fact, *limits, *known)

    def in_words(self, *, shows_words: bool = True) -> str:
        """Return the condition as a clause, without a word of any text if *shows_words* is False."""
        kind = self.fact.partition(":")[0]
        if not shows_words and kind in WORDLESS:
            return WORDLESS[kind][0 if self.low > 0 else 1]
        known, unknown = _clauses(self.fact)
        if not self.has_known:
            return unknown
        clause = _within(self) if math.isfinite(self.low) or math.isfinite(self.high) else known
        return f"{clause}, or {unknown}" if self.has_unknown else clause

    def as_json(self) -> dict[str, Any]:
        """Return the condition as values of JSON, without infinite ones."""
        limits = {"low": self.low, "high": self.high}
        known = {name: value for name, value in limits.items() if math.isfinite(value)}
        defaults = Condition(self.fact)
        flags = {name: getattr(self, name) for name in ("has_known", "has_unknown")}
        return {"fact": self.fact, **known} | {
            name: is_so for name, is_so in flags.items() if is_so != getattr(defaults, name)
        }


def condition_of(found: Mapping[str, Any]) -> Condition:
    """Return the condition of `Condition.as_json`.

    >>> condition_of({"fact": "words", "high": 4.0})
    Condition(fact='words', low=-inf, high=4.0, has_known=True, has_unknown=False)
    """
    return Condition(**found)


def _clauses(fact: str) -> tuple[str, str]:
    """Return the clause for rows of which *fact* is known, and for all others."""
    if not is_presence(fact):
        return FACTS[fact].known, FACTS[fact].unknown
    kind, _, _ = fact.partition(":")
    return f"the {kind} is known", f"the {kind} is not known"


def _within(condition: Condition) -> str:
    if is_presence(condition.fact):
        kind, _, value = condition.fact.partition(":")
        _, present, absent = NAMED[kind]
        return (present if condition.low > 0 else absent).format(value)
    fact = FACTS[condition.fact]
    clause = fact.phrase.format(_counted(condition) if fact.is_count else _measured(condition))
    return clause.replace("one words", "one word").replace("one characters", "one character")


def _counted(condition: Condition) -> str:
    """Return the limits of whole numbers, of which *high* is the first that is too large."""
    low, high = condition.low, condition.high
    if math.isinf(high):
        return f"at least {_spelled(low)}"
    if high <= 1:
        return SPELLED[0]
    if math.isinf(low):
        return f"fewer than {_spelled(high)}"
    return f"exactly {_spelled(low)}" if high - low <= 1 else f"{_spelled(low)} to {_spelled(high - 1)}"


def _measured(condition: Condition) -> str:
    low, high = condition.low, condition.high
    if math.isinf(high):
        return f"at least {low:g}"
    return f"below {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"


def _spelled(number: float) -> str:
    whole = round(number)
    return SPELLED[whole] if 0 <= whole < len(SPELLED) else count(whole)
