"""Numbers as text, the same on the page, in figures, in findings and on a terminal.

Every function takes a value and returns its text.  A value that is null, NaN or infinite becomes a dash.
"""

import math

NOTHING = "–"
"""The text of a number that is not known."""


def score(value: float | None) -> str:
    """Return a score with three decimals.

    >>> score(0.96749), score(-0.5), score(-0.0001), score(None)
    ('0.967', '−0.500', '0.000', '–')
    """
    return f"{round(value, 3) or 0.0:.3f}".replace("-", "−") if value is not None and is_known(value) else NOTHING


def signed(value: float | None) -> str:
    """Return a difference with its sign and three decimals.  The sign of a small one stays: an interval may end there.

    >>> signed(0.0214), signed(-0.004), signed(0.0001), signed(0.0)
    ('+0.021', '−0.004', '+0.000', '0.000')
    """
    if value is None or not is_known(value) or value == 0:
        return score(value)
    return f"{value:+.3f}".replace("-", "−")


def share(value: float | None, *, decimals: int = 0) -> str:
    """Return a share as a percentage. A share below 1 % has at least one decimal.

    >>> share(0.8712), share(0.8712, decimals=1), share(0.004)
    ('87%', '87.1%', '0.4%')
    """
    if value is None or not is_known(value):
        return NOTHING
    return f"{value:.{max(decimals, 1) if 0 < value < 0.01 else decimals}%}".replace("-", "−")


def probability(value: float) -> str:
    """Return a probability as a percentage, never as 0 or as certain.

    >>> probability(0.69), probability(0.9985), probability(1e-9)
    ('69%', 'more than 99%', 'less than 1%')
    """
    if value > 0.99:
        return "more than 99%"
    return "less than 1%" if value < 0.01 else share(value)


def p_value(value: float | None) -> str:
    """Return a p value, never as 0.

    >>> p_value(0.0123), p_value(1e-9), p_value(None)
    ('0.012', '< 0.001', '–')
    """
    return "< 0.001" if value is not None and value < 0.001 else score(value)


def p_equals(value: float | None) -> str:
    """Return a p value with its name, as it stands within a sentence.

    >>> p_equals(0.012), p_equals(1e-9)
    ('p = 0.012', 'p < 0.001')
    """
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def count(value: float | None) -> str:
    """Return a whole number, its thousands separated by commas.

    >>> count(12314), count(256.0), count(None)
    ('12,314', '256', '–')
    """
    return f"{value:,.0f}".replace("-", "−") if is_known(value) else NOTHING


def duration(took_s: float | None) -> str:
    """Return a time in seconds, minutes or hours.

    >>> duration(0.0421), duration(12.34), duration(372.0), duration(7300)
    ('0.04 s', '12.3 s', '6 min 12 s', '2 h 1 min')
    """
    if took_s is None or not is_known(took_s):
        return NOTHING
    if took_s < 60:
        return f"{took_s:.2f} s" if took_s < 1 else f"{took_s:.1f} s"
    minutes, rest_s = divmod(round(took_s), 60)
    return f"{minutes} min {rest_s} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def rough_duration(took_s: float) -> str:
    """Return a time in whole seconds, minutes or hours, for a time that is still changing.

    >>> rough_duration(42), rough_duration(250), rough_duration(9000)
    ('42 s', '4 min', '2 h 30 min')
    """
    if took_s < 90:
        return f"{took_s:.0f} s"
    minutes = round(took_s / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def number(value: float | None) -> str:
    """Return a number of unknown kind: a whole number as a count, a small one with two digits, others as a score.

    >>> number(12314), number(0.12345), number(2.5e-05), number(256.0), number(1234.5)
    ('12,314', '0.123', '2.5e-05', '256', '1,234')
    """
    if value is None or isinstance(value, int) or not is_known(value):
        return count(value)
    if abs(value) >= 1000 or (abs(value) > 1 and value == int(value)):
        return count(value)
    return f"{value:.2g}" if 0 < abs(value) < 0.0005 else score(value)


def level(confidence: float) -> str:
    """Return the level of an interval.

    >>> level(0.95), level(0.995)
    ('95%', '99.5%')
    """
    return f"{100 * confidence:g}%"


def interval(low: float | None, high: float | None, *, is_signed: bool = False) -> str:
    """Return an interval in words, which a screen reader reads well.

    Parameters
    ----------
    low
        *low* is the lower end.
    high
        *high* is the upper end.
    is_signed
        *is_signed* writes both ends with their sign, for an interval of a difference.

    Examples
    --------
    >>> interval(0.951, 0.981), interval(-0.004, 0.046, is_signed=True), interval(None, None)
    ('0.951 to 0.981', '−0.004 to +0.046', 'no interval')
    """
    write = signed if is_signed else score
    return f"{write(low)} to {write(high)}" if is_known(low) or is_known(high) else "no interval"


def score_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a score and its interval.

    Parameters
    ----------
    value
        *value* is the score.
    low
        *low* is the lower end of its interval.
    high
        *high* is the upper end.

    Examples
    --------
    >>> score_with_interval(0.967, 0.951, 0.981)
    '0.967 (0.951 to 0.981)'
    """
    return f"{score(value)} ({interval(low, high)})"


def signed_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a difference and its interval, each number with its sign.

    Parameters
    ----------
    value
        *value* is the difference.
    low
        *low* is the lower end of its interval.
    high
        *high* is the upper end.

    Examples
    --------
    >>> signed_with_interval(0.021, -0.004, 0.046)
    '+0.021 (−0.004 to +0.046)'
    """
    return f"{signed(value)} ({interval(low, high, is_signed=True)})"


def share_with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a share and its interval as percentages of one decimal.

    Parameters
    ----------
    value
        *value* is the share, from 0 to 1.
    low
        *low* is the lower end of its interval.
    high
        *high* is the upper end.

    Examples
    --------
    >>> share_with_interval(0.5123, 0.4, 0.6)
    '51.2% (40.0% to 60.0%)'
    """
    return f"{share(value, decimals=1)} ({share(low, decimals=1)} to {share(high, decimals=1)})"


def narrow_score(value: float | None, low: float | None, high: float | None) -> str:
    """Return a score and its interval for a cell of a terminal's table, where room is short.

    Parameters
    ----------
    value
        *value* is the score.
    low
        *low* is the lower end of its interval. An interval that is not known is left out.
    high
        *high* is the upper end.

    Examples
    --------
    >>> narrow_score(0.5, 0.4, 0.6), narrow_score(0.5, None, None), narrow_score(None, None, None)
    ('0.500 (0.400–0.600)', '0.500', '–')
    """
    return f"{score(value)} ({score(low)}–{score(high)})" if is_known(value) and is_known(low) else score(value)


def narrow_signed(value: float | None, low: float | None, high: float | None) -> str:
    """Return a difference and its interval for a cell of a terminal's table, where room is short.

    Parameters
    ----------
    value
        *value* is the difference.
    low
        *low* is the lower end of its interval. An interval that is not known is left out.
    high
        *high* is the upper end.

    Examples
    --------
    >>> narrow_signed(0.1, -0.05, 0.25), narrow_signed(None, None, None)
    ('+0.100 (−0.050, +0.250)', '–')
    """
    return f"{signed(value)} ({signed(low)}, {signed(high)})" if is_known(value) and is_known(low) else signed(value)


def is_known(value: float | None) -> bool:
    """Return whether *value* is a finite number.

    >>> is_known(0.5), is_known(None), is_known(math.nan)
    (True, False, False)
    """
    return value is not None and math.isfinite(value)
