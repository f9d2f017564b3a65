"""Scores and their doubt as counts of pairs, for readers who know no statistics."""

import math

from counterpoint import number_formats as numbers


def rights(*shares: float) -> tuple[list[str], str]:
    """Return the number of right answers of each share, and of how many: 100, or 1,000 where 100 is too coarse.

    >>> rights(0.9602, 0.9388), rights(0.9602, 0.9571), rights(0.5)
    ((['96', '94'], '100'), (['960', '957'], '1,000'), (['50'], '100'))
    """
    of = 100 if _is_fine(shares, 100) else 1000
    return [numbers.count(_rounded(share, of)) for share in shares], numbers.count(of)


def _is_fine(shares: tuple[float, ...], of: int) -> bool:
    """Report whether counts of *of* pairs show the distance of *shares*, and none of them as perfect that is not."""
    if any(share < 1 and _rounded(share, of) == of for share in shares):
        return False
    spread = max(shares) - min(shares)
    counts = [_rounded(share, of) for share in shares]
    return abs((max(counts) - min(counts)) / of - spread) <= spread / 4


def _rounded(share: float, of: int) -> int:
    return math.floor(share * of + 0.5)


def more_right(low: float, high: float) -> str:
    """Return the interval of a difference between two shares as right answers of every 100.

    >>> more_right(0.0086, 0.0407), more_right(-0.012, 0.034), more_right(-0.03, -0.01)
    ('from 0.9 to 4.1 more right of every 100', 'from 1.2 fewer to 3.4 more right of every 100', 'from 1.0 to 3.0 fewer right of every 100')
    """  # noqa: E501 - one value a line
    if low >= 0:
        return f"from {_of_hundred(low)} to {_of_hundred(high)} more right of every 100"
    if high <= 0:
        return f"from {_of_hundred(-high)} to {_of_hundred(-low)} fewer right of every 100"
    return f"from {_of_hundred(-low)} fewer to {_of_hundred(high)} more right of every 100"


def _of_hundred(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.1f}"


def of_many(confidence: float) -> str:
    """Return a level as a number of repetitions.

    >>> of_many(0.95), of_many(0.995), of_many(0.9999)
    ('95 of 100', '995 of 1,000', '9,999 of 10,000')
    """
    sizes = (100, 1000, 10_000, 100_000)
    of = next((size for size in sizes if math.isclose(size * confidence, round(size * confidence))), sizes[-1])
    return f"{round(confidence * of):,} of {of:,}"


def milliseconds(took_s: float) -> str:
    """Return a short time in milliseconds, or a longer one in seconds.

    >>> milliseconds(0.000031), milliseconds(0.0042), milliseconds(0.31), milliseconds(2.5)
    ('0.03 ms', '4.2 ms', '310 ms', '2.5 s')
    """
    if took_s >= 1:
        return f"{took_s:.1f} s"
    took_ms = 1000 * took_s
    if took_ms < 0.01:
        return "less than 0.01 ms"
    return f"{took_ms:.2f} ms" if took_ms < 1 else f"{took_ms:.1f} ms" if took_ms < 10 else f"{took_ms:.0f} ms"


def about(count: float) -> str:
    """Return a whole number of which two digits are kept, rounded up.

    >>> about(2913), about(87), about(5)
    ('3,000', '87', '5')
    """
    step = 10 ** max(0, math.floor(math.log10(max(count, 1))) - 1)
    return numbers.count(math.ceil(count / step) * step)
