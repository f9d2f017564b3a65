"""The result of a sweep in sentences.  An effect is clear if its interval excludes 0."""

from collections.abc import Sequence

from counterpoint import number_formats as numbers
from counterpoint.report.sweep.points import Changes, Row, ScoreCurve, short_key
from counterpoint.safe_text import page_line


def sentences(changes: Sequence[Changes], curves: Sequence[ScoreCurve], metric: str) -> list[str]:
    """Return a sentence for each variant and contender, about its changes and about its curve.

    Parameters
    ----------
    changes
        *changes* are the single changes by variant and contender.
    curves
        *curves* are the scores along a key.
    metric
        *metric* is the name of the metric as it stands within a sentence.
    """
    return [*(_of_changes(each, metric) for each in changes), *(_of_curve(each, metric) for each in curves)]


def _of_changes(changes: Changes, metric: str) -> str:
    known, n_clear = changes.known, len(changes.gains) + len(changes.losses)
    start, scores = f"From {changes.variant}", f"in the {metric} of {changes.contender}"
    if not known:
        return f"{start}, no change has a difference {scores}."
    if n_clear:
        clear = f"{numbers.count(n_clear)} of {_changes(known)} {'has' if n_clear == 1 else 'have'} a clear effect"
        return f"{start}, {clear} {scores}. {_gain(changes)}. {_loss(changes)}."
    if len(known) == 1:
        return f"{start}, the one change has no clear effect {scores}: {_with_difference(known[0])}."
    ends = f"from {_with_difference(known[-1])} to {_with_difference(known[0])}"
    return f"{start}, none of {_changes(known)} has a clear effect {scores}. The differences range {ends}."


def _changes(known: Sequence[Row]) -> str:
    return f"{numbers.count(len(known))} change{'s' if len(known) != 1 else ''}"


def _gain(changes: Changes) -> str:
    if changes.gains:
        return f"{_named(changes.gains[0])} gains most, {_difference(changes.gains[0])}"
    return f"No change has a clear gain. The highest is {_with_difference(changes.known[0])}"


def _loss(changes: Changes) -> str:
    if changes.losses:
        return f"{_named(changes.losses[0])} loses most, {_difference(changes.losses[0])}"
    return f"No change has a clear loss. The lowest is {_with_difference(changes.known[-1])}"


def _of_curve(curve: ScoreCurve, metric: str) -> str:
    first, last = curve.rows[0], curve.rows[-1]
    start = f"On {curve.variant}, the {metric} of {curve.contender}"
    at_first = f"{_score(first)} at {short_key(curve.key)} {first['value']}"
    if first is last:
        return f"{start} is {at_first}."
    both = f"{at_first} and {_score(last)} at {last['value']}"
    if last["difference"] is None:
        return f"{start} is {both}."
    if not last["is_clear"]:
        return f"{start} is {both}. The interval of the difference includes 0: {_difference(last)}."
    direction = "rises" if last["difference"] > 0 else "falls"
    return f"{start} {direction} from {at_first} to {_score(last)} at {last['value']}: {_difference(last)}."


def _named(row: Row) -> str:
    return f"“{page_line(row['choice'], most=60)}”"


def _with_difference(row: Row) -> str:
    return f"{_named(row)}, {_difference(row)}"


def _difference(row: Row) -> str:
    return numbers.signed_with_interval(row["difference"], row["difference_low"], row["difference_high"])


def _score(row: Row) -> str:
    return numbers.score_with_interval(row["score"], row["low"], row["high"])


def by_chance(n: int, confidence: float) -> str:
    """Return how many of *n* intervals are expected to exclude 0 by chance, if no change has an effect.

    >>> by_chance(14, 0.95), by_chance(60, 0.95)
    ('0.7', '3')
    """
    expected = n * (1 - confidence)
    return f"{expected:.0f}" if expected >= 2 else f"{expected:.1f}"
