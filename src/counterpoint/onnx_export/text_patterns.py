r"""The rules of texts as patterns of Python's ``re``, with the same classes of characters as in polars.

Polars and Python may have other versions of Unicode, and ``re`` lacks scripts.  So each class lists its characters.
"""

import re
import warnings
from collections.abc import Iterable
from functools import cache
from itertools import groupby

import polars as pl

from counterpoint.config import Text
from counterpoint.errors import ConfigError, first_line
from counterpoint.rules import LETTERS, UNSPACED

_SURROGATES = range(0xD800, 0xE000)
_SIGMA = "Σ"


def word_pattern() -> str:
    """Return the pattern of a word in a text of small letters, as `rules.words` finds it.

    >>> re.findall(word_pattern(), "a red fox, don't! 红狐狸")
    ['a', 'red', 'fox', "don't", '红', '狐', '狸']
    """
    letters, unspaced, marks = class_of(f"^{LETTERS}$"), class_of(f"[{UNSPACED}]"), class_of(r"\p{M}")
    return f"{unspaced}{marks}*|{letters}+(?:['’]{letters}+)*"


def small_letters() -> dict[str, str]:
    """Return the small letters of each letter that has others, without those of the capital sigma.

    The small sigma depends on its neighbours.

    >>> small_letters()["É"], "Σ" in small_letters()
    ('é', False)
    """
    characters = _characters()
    small = characters.str.to_lowercase()
    is_other = (small != characters) & (characters != _SIGMA)
    return dict(zip(characters.filter(is_other), small.filter(is_other), strict=True))


def space_pattern() -> str:
    r"""Return the pattern of a run of white space.

    >>> re.sub(space_pattern(), " ", "a\t\u3000b")
    'a b'
    """
    spaces = class_of(r"^\s$")
    return f"{spaces}+"


def mask_pattern(rules: Text) -> str | None:
    """Return the pattern of the words that *rules* take out of every text, or None where there are none.

    Raises
    ------
    ConfigError
        When a regular expression is none of Python's.

    Examples
    --------
    >>> re.sub(mask_pattern(Text(mask=("dog",))), " ", "A Dog, a hotdog")
    'A  , a hotdog'
    """
    if not rules.mask:
        return None
    if rules.match == "regex":
        return _read_by_python(("(?i)" if rules.ignore_case else "") + f"(?:{'|'.join(rules.mask)})")
    words = "|".join("".join(_letter(letter, rules.ignore_case) for letter in word) for word in rules.mask)
    shapes = {"word": f"{_boundary()}(?:{words}){_boundary()}", "space": f" (?:{words}) ", "substring": f"(?:{words})"}
    return shapes[rules.match]


@cache
def class_of(pattern: str) -> str:
    r"""Return the characters that a *pattern* of polars finds, as a class of Python's ``re``.

    >>> class_of("^[a-d]$"), class_of("^x$")
    ('[a-d]', '[x]')
    """
    characters = _characters()
    return f"[{''.join(_spans(map(ord, characters.filter(characters.str.contains(pattern)))))}]"


@cache
def _characters() -> pl.Series:
    return pl.Series("character", [chr(code) for code in range(0x110000) if code not in _SURROGATES])


def _spans(codes: Iterable[int]) -> list[str]:
    """Return the ranges of sorted code points, as in a class of characters.

    >>> _spans([97, 98, 99, 120])
    ['a-c', 'x']
    """
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda each: each[1] - each[0]))
    ends = ((_escaped(run[0][1]), _escaped(run[-1][1])) for run in runs)
    return [first if first == last else f"{first}-{last}" for first, last in ends]


def _escaped(code: int) -> str:
    letter = chr(code)
    return letter if letter.isascii() and letter.isalnum() else f"\\U{code:08x}"


def _letter(letter: str, ignore_case: bool) -> str:
    return class_of(f"(?i)^{re.escape(letter)}$") if ignore_case else re.escape(letter)


def _boundary() -> str:
    word = class_of(r"^\w$")
    return f"(?:(?<!{word})(?={word})|(?<={word})(?!{word}))"


def _read_by_python(pattern: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of classes inside classes, which Python reads otherwise
            re.compile(pattern)
    except (re.error, Warning) as error:
        raise ConfigError(f"The masked {pattern!r} is no expression of Python's re: {first_line(error)}.") from error
    return pattern
