r"""Text of strangers made safe for the place where it appears: a page, a terminal, a log or an error.

Labels, captions, names and URLs come from strangers.  An escape sequence in one could clear a terminal.  A mark of
direction could turn a line around.  A long one could fill a page.

==================  ===============  ==========================  ===================  ===========
function            place            control characters          marks of direction   length
==================  ===============  ==========================  ===================  ===========
`page_line`         page, figure     replaced by ``\ufffd``      removed              cut
`terminal_text`     terminal         spelled out                 spelled out          kept
`log_line`          log, header      spelled out, and all that   spelled out          cut
                                     is not ASCII
`error_value`       error            spelled out                 spelled out          cut
`spreadsheet_text`  cell of a CSV    replaced by ``\ufffd``      removed              cut
==================  ===============  ==========================  ===================  ===========

`log_line` and `error_value` hide secrets as well, by ``counterpoint.redaction``.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from counterpoint.redaction import redacted_text

_JOINERS = "\u200c\u200d"
"""Format characters that shape Arabic, Indic scripts and emoji. The others can turn a line around."""

_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""A place where a spreadsheet would begin a formula: the start of a cell, also where ``;`` separates cells."""


def page_line(text: object, *, most: int = 200) -> str:
    r"""Return *text* on one line, without control characters, and of at most *most* characters.

    >>> page_line("a\x1b[2J\ncat"), page_line("abcdef", most=4)
    ('a�[2J cat', 'abc…')
    """
    return _cut(" ".join("".join(map(_drawn, str(text))).split()), most)


def spreadsheet_text(text: object, *, most: int = 1000) -> str:
    """Return *text* as `page_line` does, with an apostrophe before all that a spreadsheet would compute.

    >>> spreadsheet_text("=HYPERLINK(A1)"), spreadsheet_text("a dog; @cmd"), spreadsheet_text("4-6")
    ("'=HYPERLINK(A1)", "a dog; '@cmd", '4-6')
    """
    return _FORMULA.sub(r"\1\2'", page_line(text, most=most))


def _drawn(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" and character not in _JOINERS:
        return ""
    return "�" if category in ("Cc", "Cs", "Cn") and not character.isspace() else character


def terminal_text(text: str, *, keep: str = "") -> str:
    r"""Return *text* with each character spelled out that could move the cursor, set a colour or turn the line.

    Parameters
    ----------
    text
        *text* is from a stranger.
    keep
        *keep* are characters that stay, such as the newlines of a whole page.

    Examples
    --------
    >>> print(terminal_text("evil\x1b[2J.example\u202e"))
    evil\x1b[2J.example\u202e
    """
    if text.isprintable():
        return text
    return "".join(each if each in keep or _is_harmless(each) else _spelled(each) for each in text)


def _is_harmless(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def log_line(text: str | bytes, *, most: int = 200) -> str:
    r"""Return *text* as printable ASCII without secrets, cut after *most* characters.

    >>> log_line("http://x/\x1b[2J\n"), log_line(b"abcdef", most=3)
    ('http://x/\\x1b[2J\\n', 'abc...')
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    text = redacted_text(text)
    spelled = _spelled(text[:most])
    return spelled if len(text) <= most else f"{spelled}..."  # an ellipsis of one character is not ASCII


def error_value(value: Any, *, most: int = 80) -> str:
    """Return *value* for an error, cut and without secrets. A collection is named by its keys or its length.

    >>> error_value("a" * 100, most=9), error_value({"kind": "table", "path": "a"}), error_value(["a"])
    ("'aaaaaaa…", 'keys kind, path', 'a list of 1')
    >>> error_value((5, 3)), error_value(10**400)
    ('(5, 3)', 'a number of 1329 bits')
    """
    if isinstance(value, Mapping):
        names = ", ".join(str(key)[:most] for key in list(value)[:8])
        return f"keys {names}" if names else "no keys"
    if isinstance(value, list | tuple):
        are_numbers = len(value) <= 4 and all(isinstance(each, int | float) and abs(each) < 1e9 for each in value)
        return repr(value) if are_numbers else f"a list of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 100:
        return f"a number of {value.bit_length()} bits"
    return _cut(repr(redacted_text(value[: 10 * most]) if isinstance(value, str) else value), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
