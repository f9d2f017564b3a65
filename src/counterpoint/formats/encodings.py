"""The encoding of a text file, judged by its bytes.  Reads a sample of a large file."""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from counterpoint.errors import SourceError

UTF_8 = "utf-8-sig"
"""UTF-8, with or without its byte order mark."""
MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The byte order marks with their encodings, longer marks first."""
LIKELY = (
    "cp1252", "cp1250", "iso8859_2", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "mac_roman",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip
"""Encodings of saved tables, other than the encodings of Unicode."""
NO_TEXT = {b"PK\x03\x04": "a ZIP archive or a workbook", b"PAR1": "a Parquet file", b"\x1f\x8b": "compressed by gzip"}

WHOLE_BYTES = 16 << 20
"""A file up to this size is read whole.  A larger file is sampled in `N_PIECES` pieces of `PIECE_BYTES`."""
N_PIECES, PIECE_BYTES = 32, 128 << 10
LETTERS_BYTES = 16 << 10
"""Length of the sample of lines, none of them UTF-8, that shows the encoding."""
MAX_CHAOS, WESTERN_MARGIN = 0.2, 0.1
MIN_READABLE = 0.8

_BETWEEN_WORDS = frozenset("’‘“”„«»–—…·•€£°§©®™¿¡\u00a0、。，：；（）「」《》！？")


def encoding_of(path: Path) -> str:
    r"""Return the encoding of the text file at *path*, by its name in Python.

    A byte order mark decides first.  Without a mark, the encoding is UTF-8 if nearly all lines are UTF-8.  Otherwise it
    is the encoding of `LIKELY` in which the other lines are most readable, or UTF-8 if none is.

    Raises
    ------
    SourceError
        When the file is of another format, not text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.csv")
    ...     for encoding in ("utf-8", "utf-16", "cp1252"):
    ...         _ = path.write_bytes("datei;text\n1.png;ein schöner Hund läuft\n".encode(encoding))
    ...         print(encoding_of(path))
    utf-8-sig
    utf-16
    cp1252
    """
    with path.open("rb") as file:
        head = file.read(4096)
        other = next((kind for magic, kind in NO_TEXT.items() if head.startswith(magic)), None)
        if other is not None:
            raise SourceError(f"{path} is no text: it is {other}.")
        marked = next((name for mark, name in MARKS if head.startswith(mark)), None)
        return marked or _wide(head) or _by_letters(b"\n".join(_sample(file)))


def _wide(head: bytes) -> str | None:
    """Return the UTF-16 without a mark that fits, if any: in it, every second byte of commas and spaces is 0."""
    n = len(head) // 2
    low, high = head[: 2 * n : 2].count(0), head[1 : 2 * n : 2].count(0)
    if max(low, high) <= 0.3 * n or min(low, high) > 0.02 * n:
        return None
    return "utf-16-le" if high > low else "utf-16-be"


def _sample(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole file, or whole lines from evenly spaced pieces of it."""
    size = file.seek(0, 2)
    n_pieces, length = (1, size) if size <= WHOLE_BYTES else (N_PIECES, PIECE_BYTES)
    for piece in range(n_pieces):
        start = piece * (size - length) // max(1, n_pieces - 1)
        file.seek(start)
        data = file.read(length)
        is_first, is_last = piece == 0, piece == n_pieces - 1
        yield data[0 if is_first else data.find(b"\n") + 1 : len(data) if is_last else data.rfind(b"\n") + 1]


def _by_letters(sample: bytes) -> str:
    try:
        sample.decode()
    except UnicodeDecodeError:
        lines = [line for line in re.split(rb"[\r\n]", sample) if not line.isascii()]
        wrong = [line for line in lines if not _is_utf_8(line)]
        is_damaged = 10 * (len(lines) - len(wrong)) >= len(wrong)
        return UTF_8 if is_damaged else _most_readable(b"\n".join(wrong)[:LETTERS_BYTES]) or UTF_8
    return UTF_8


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _most_readable(sample: bytes) -> str | None:
    """Return the encoding in which *sample* is most readable.  The Western one is preferred where they are close."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to import, and few files need it

    # Encodings that give the same text are one match.
    matches = from_bytes(sample, cp_isolation=list(LIKELY), threshold=MAX_CHAOS)
    chaos = {name: match.chaos for match in reversed(matches) for name in match.could_be_from_charset}
    readable = [name for name in chaos if _is_readable(sample.decode(name, errors="ignore"))]
    if not readable:
        return None
    return min(readable, key=lambda name: (chaos[name] - WESTERN_MARGIN * (name == "cp1252"), LIKELY.index(name)))


def _is_readable(text: str) -> bool:
    """Return whether nearly all letters beyond ASCII are part of words, and few other characters occur.

    >>> _is_readable("schön"), _is_readable("sch÷n"), _is_readable("ÿ")
    (True, False, False)
    """
    beyond = [
        character in _BETWEEN_WORDS or (_is_letter(character) and (before.isalpha() or after.isalpha()))
        for before, character, after in zip(f" {text}", text, f"{text[1:]} ", strict=False)
        if not character.isascii() and unicodedata.category(character) != "Cc"
    ]
    return bool(beyond) and sum(beyond) >= MIN_READABLE * len(beyond)


def _is_letter(character: str) -> bool:
    # Half-width kana are no letters here, because bytes of other encodings look like them.
    return character.isalpha() and not "\uff61" <= character <= "\uff9f"


def marked(error: UnicodeError) -> tuple[str, int]:
    """Return half a character in place of undecodable bytes, so that their row is recognised as no text."""
    return "\udcff", getattr(error, "end", 0)


def open_lines(path: Path, encoding: str) -> Any:
    """Return the text of *path* with its line ends unchanged.  Undecodable bytes become half a character."""
    codecs.register_error("counterpoint.marked", marked)
    return path.open(encoding=encoding, errors="counterpoint.marked", newline="")
