"""How the page writes names and values of evidence: safe to draw."""

import unicodedata

from counterpoint import number_formats as numbers


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
        return numbers.NOTHING
    if isinstance(value, list):
        return shown(", ".join(cell(item) for item in value), most=most)
    if isinstance(value, dict):
        return shown(", ".join(f"{name} {cell(item)}" for name, item in value.items()), most=most)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return numbers.number(value)
    return shown(value, most=most)


def _safe(letter: str) -> str:
    category = unicodedata.category(letter)
    # Joiners (Cf) shape Arabic, Indic scripts and emoji; the other format characters can turn a line around.
    if category == "Cf" and letter not in "\u200c\u200d":
        return ""
    return "�" if category in ("Cc", "Cs", "Cn") and not letter.isspace() else letter
