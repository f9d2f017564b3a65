"""What a sweep shows, in plain sentences that say no more than their intervals carry."""

from collections.abc import Sequence

from counterpoint import number_formats as numbers
from counterpoint.report.sweep.material import Changes, Curve, Row, Swept, short
from counterpoint.safe_text import page_line


def sentences(swept: Swept) -> list[str]:
    """Return a sentence for each variant and contender: of its changes, and of its curve."""
    return [*(_of_changes(swept, each) for each in swept.changes), *(_of_curve(swept, each) for each in swept.curves)]


def _of_changes(swept: Swept, changes: Changes) -> str:
    known, n_clear = changes.known, len(changes.gains) + len(changes.losses)
    what = f"{swept.metric.name_within} of {changes.contender}"
    if not known:
        return f"From {changes.variant}, no change has a difference in the {what}."
    if n_clear:
        have = "has" if n_clear == 1 else "have"
        found = f"{numbers.count(n_clear)} of {_changes(known)} in the {what} {have} an interval clear of 0"
        return f"From {changes.variant}, {found}: {_gain(changes)}; {_loss(changes)}."
    if len(known) == 1:
        return f"From {changes.variant}, the one change in the {what} has an interval that holds 0: {_told(known[0])}."
    ends = f"from {_told(known[-1])} to {_told(known[0])}"
    return (
        f"From {changes.variant}, none of {_changes(known)} in the {what} has an interval clear of 0; they go {ends}."
    )


def _changes(known: Sequence[Row]) -> str:
    return f"{numbers.count(len(known))} change{'s' if len(known) != 1 else ''}"


def _gain(changes: Changes) -> str:
    if changes.gains:
        return f"{_named(changes.gains[0])} gains most, {_difference(changes.gains[0])}"
    return f"none is seen to gain, the highest being {_told(changes.known[0])}"


def _loss(changes: Changes) -> str:
    if changes.losses:
        return f"{_named(changes.losses[0])} loses most, {_difference(changes.losses[0])}"
    return f"none is seen to lose, the lowest being {_told(changes.known[-1])}"


def _of_curve(swept: Swept, curve: Curve) -> str:
    first, last = curve.rows[0], curve.rows[-1]
    start = f"On {curve.variant}, the {swept.metric.name_within} of {curve.contender}"
    at_first = f"{_score(first)} at {short(curve.key)} {first['value']}"
    if first is last:
        return f"{start} is {at_first}."
    both = f"{at_first} and {_score(last)} at {last['value']}"
    if last["difference"] is None:
        return f"{start} is {both}."
    if not last["is_clear"]:
        return f"{start} is {both}; the difference is not clear of 0: {_difference(last)}."
    direction = "rises" if last["difference"] > 0 else "falls"
    return f"{start} {direction} from {at_first} to {_score(last)} at {last['value']}: {_difference(last)}."


def _named(row: Row) -> str:
    return f"“{page_line(row['choice'], most=60)}”"


def _told(row: Row) -> str:
    return f"{_named(row)}, {_difference(row)}"


def _difference(row: Row) -> str:
    return numbers.signed_with_interval(row["difference"], row["difference_low"], row["difference_high"])


def _score(row: Row) -> str:
    return numbers.score_with_interval(row["score"], row["low"], row["high"])


def by_chance(n: int, confidence: float) -> str:
    """Return how many of *n* intervals lie clear of 0 by chance where no change does anything.

    >>> by_chance(14, 0.95), by_chance(60, 0.95)
    ('0.7', '3')
    """
    expected = n * (1 - confidence)
    return f"{expected:.0f}" if expected >= 2 else f"{expected:.1f}"
