"""How the page writes numbers and names: the same everywhere, and safe to draw."""

import math
import unicodedata

NOTHING = "–"


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def score(value: float | None) -> str:
    """Return a score with three decimals.

    >>> score(0.96749), score(None)
    ('0.967', '–')
    """
    return f"{value:.3f}".replace("-", "−") if _is_number(value) else NOTHING


def signed(value: float | None) -> str:
    """Return a difference with its sign.

    >>> signed(0.0214), signed(-0.004), signed(0.0)
    ('+0.021', '−0.004', '0.000')
    """
    text = score(value)
    return f"+{text}" if _is_number(value) and value and value > 0 else text


def interval(low: float | None, high: float | None, *, is_signed: bool = False) -> str:
    """Return an interval in words that a screen reader reads well.

    >>> interval(0.951, 0.981), interval(-0.004, 0.046, is_signed=True)
    ('0.951 to 0.981', '−0.004 to +0.046')
    """
    write = signed if is_signed else score
    return f"{write(low)} to {write(high)}" if _is_number(low) or _is_number(high) else "no interval"


def p_value(value: float | None) -> str:
    """Return a p-value, never as 0.

    >>> p_value(0.0123), p_value(1e-9), p_value(None)
    ('0.012', '< 0.001', '–')
    """
    return "< 0.001" if value is not None and value < 0.001 else score(value)


def count(value: float | None) -> str:
    """Return a whole number with its thousands apart.

    >>> count(12314)
    '12,314'
    """
    return f"{value:,.0f}" if value is not None and math.isfinite(value) else NOTHING


def percent(value: float | None) -> str:
    """Return a share as a percentage.

    >>> percent(0.8712), percent(0.004)
    ('87%', '0.4%')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:.1%}" if 0 < value < 0.01 else f"{value:.0%}"


def duration(took_s: float | None) -> str:
    """Return a time that a person can feel.

    >>> duration(0.0421), duration(12.34), duration(372.0), duration(7300)
    ('0.04 s', '12.3 s', '6 min 12 s', '2 h 1 min')
    """
    if took_s is None or not math.isfinite(took_s):
        return NOTHING
    if took_s < 60:
        return f"{took_s:.2f} s" if took_s < 1 else f"{took_s:.1f} s"
    minutes, rest_s = divmod(round(took_s), 60)
    return f"{minutes} min {rest_s} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def shown(text: object, *, most: int = 200) -> str:
    r"""Return *text* on one line, without control characters, and of at most *most* characters.

    >>> shown("a\x1b[2J\ncat"), shown("abcdef", most=4)
    ('a�[2J cat', 'abc…')
    """
    line = " ".join("".join(map(_safe, str(text))).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def cell(value: object, *, most: int = 80) -> str:
    """Return what a table of evidence holds, whatever it is: a score, a count, a name, a list of names.

    >>> cell(0.12345), cell(12314), cell(None), cell(["a", 2]), cell({"text": 0.5}), cell(2.5e-05), cell(256.0)
    ('0.123', '12,314', '–', 'a, 2', 'text 0.500', '2.5e-05', '256')
    """
    if value is None or value == []:
        return NOTHING
    if isinstance(value, list):
        return shown(", ".join(cell(item) for item in value), most=most)
    if isinstance(value, dict):
        return shown(", ".join(f"{name} {cell(item)}" for name, item in value.items()), most=most)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return shown(value, most=most)


def _number(value: float) -> str:
    if isinstance(value, int) or not _is_number(value):
        return count(value)
    if abs(value) >= 1000 or (abs(value) > 1 and value == int(value)):
        return count(value)
    return f"{value:.2g}" if 0 < abs(value) < 0.0005 else score(value)


def _safe(letter: str) -> str:
    category = unicodedata.category(letter)
    # Joiners (Cf) shape Arabic, Indic scripts and emoji; the other format characters can turn a line around.
    if category == "Cf" and letter not in "\u200c\u200d":
        return ""
    return "�" if category in ("Cc", "Cs", "Cn") and not letter.isspace() else letter
