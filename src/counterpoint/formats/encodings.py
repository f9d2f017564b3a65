"""Which encoding the letters of a text file are stored in, judged by its bytes.  Reads a sample of a large file."""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from counterpoint.errors import SourceError

UTF_8 = "utf-8-sig"
"""UTF-8, with or without its mark."""
MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What a file begins with whose encoding marks itself; the longer ones stand first."""
LIKELY = (
    "cp1252", "cp1250", "iso8859_2", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "mac_roman",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip
"""Encodings that tables are saved in, beside those of Unicode."""
NO_TEXT = {b"PK\x03\x04": "a ZIP archive or a workbook", b"PAR1": "a Parquet file", b"\x1f\x8b": "compressed by gzip"}

WHOLE_BYTES = 16 << 20
"""A file up to this size is looked at as a whole, of a larger one `N_PIECES` of `PIECE_BYTES`."""
N_PIECES, PIECE_BYTES = 32, 128 << 10
LETTERS_BYTES = 16 << 10
"""So much of the lines that are not UTF-8 is enough to tell the encoding."""
MAX_CHAOS, WESTERN_MARGIN = 0.2, 0.1
MIN_READABLE = 0.8

_BETWEEN_WORDS = frozenset("’‘“”„«»–—…·•€£°§©®™¿¡\u00a0、。，：；（）「」《》！？")


def encoding_of(path: Path) -> str:
    r"""Return the encoding of the text file at *path*, as Python calls it; UTF-8 where nothing speaks for another.

    A mark at its beginning decides; then whether its lines are UTF-8, but for a few that are damaged; then how well
    what is not UTF-8 reads in one of `LIKELY`.

    Raises
    ------
    SourceError
        When it is no text, but a file of another format.

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
        other = next((what for magic, what in NO_TEXT.items() if head.startswith(magic)), None)
        if other is not None:
            raise SourceError(f"{path} is no text: it is {other}.")
        marked = next((name for mark, name in MARKS if head.startswith(mark)), None)
        return marked or _wide(head) or _by_letters(b"\n".join(_sample(file)))


def _wide(head: bytes) -> str | None:
    """Return which UTF-16 without a mark it is, if any: each second byte of most scripts' commas and spaces is 0."""
    n = len(head) // 2
    low, high = head[: 2 * n : 2].count(0), head[1 : 2 * n : 2].count(0)
    if max(low, high) <= 0.3 * n or min(low, high) > 0.02 * n:
        return None
    return "utf-16-le" if high > low else "utf-16-be"


def _sample(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole file, or whole lines from all over it."""
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
    """Return the encoding in which *sample* reads best; the Western one is often as good as its neighbours."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only who has such a file pays for it

    # Encodings in which it reads alike are one match.
    matches = from_bytes(sample, cp_isolation=list(LIKELY), threshold=MAX_CHAOS)
    chaos = {name: match.chaos for match in reversed(matches) for name in match.could_be_from_charset}
    readable = [name for name in chaos if _is_readable(sample.decode(name, errors="ignore"))]
    if not readable:
        return None
    return min(readable, key=lambda name: (chaos[name] - WESTERN_MARGIN * (name == "cp1252"), LIKELY.index(name)))


def _is_readable(text: str) -> bool:
    """Say whether nearly all letters beyond ASCII stand in words, and few other signs come.

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
    return character.isalpha() and not "\uff61" <= character <= "\uff9f"  # half-width kana: what other bytes look like


def marked(error: UnicodeError) -> tuple[str, int]:
    """Return half a character in place of bytes that cannot be decoded, so that their row is found to be no text."""
    return "\udcff", getattr(error, "end", 0)


def open_lines(path: Path, encoding: str) -> Any:
    """Return the text of *path*, its line ends as they are; what cannot be decoded is half a character."""
    codecs.register_error("counterpoint.marked", marked)
    return path.open(encoding=encoding, errors="counterpoint.marked", newline="")
