"""The width of a text in places: a sign of Chinese, Japanese or Korean takes two."""

from itertools import accumulate
from unicodedata import east_asian_width

from counterpoint.safe_text import page_line


def places(text: str) -> int:
    """Return the number of places that *text* takes.

    >>> places("cat"), places("猫")
    (3, 2)
    """
    return sum(map(_places, text))


def line_of(text: object, *, most: int) -> str:
    """Return *text* on one line of at most *most* places, as `page_line` does.

    >>> line_of("a black cat", most=7), line_of("家用电器", most=7), line_of("猫", most=7)
    ('a blac…', '家用…', '猫')
    """
    line = page_line(text)
    fits = sum(end <= most for end in accumulate(map(_places, line)))
    return page_line(line, most=fits)


def _places(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1
