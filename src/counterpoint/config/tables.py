"""How a table of text is written: its separator, its quotation marks, its encoding.  Sources and lists share them."""

import codecs
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from counterpoint.settings import Section

Quoting = Literal["auto", "standard", "backslash", "none"]


def _known(encoding: str) -> str:
    try:
        codecs.lookup(encoding).incrementaldecoder().decode(b"", final=True)
        "".encode(encoding)  # codecs such as base64 are no encodings of text
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError("no encoding that Python reads; for example utf-8, utf-16, cp1252, gb18030") from error
    return encoding


class Delimited(BaseModel):
    """How tables of text are written; a file of another format, such as Parquet, has no such settings."""

    model_config = Section.model_config

    separator: Annotated[str, Field(pattern=r'^[^"\\\r\n]$')] | None = None
    """What stands between the fields of a CSV; null: found in the file, or else a comma, in a TSV a tab."""
    quoting: Quoting = "auto"
    """What a quotation mark does in a CSV: with ``standard`` a field may stand between two of them, and one of its own
    is doubled; with ``backslash`` it stands after a backslash; with ``none`` it is a character like any other.
    ``auto`` is ``standard``, or ``none`` between tabs, and refuses a file in which a mark may swallow rows."""
    encoding: Annotated[str, AfterValidator(_known)] | None = None
    """How the letters of a CSV or JSON file are stored, such as ``cp1252``; null: found in the file."""

    def reading(self) -> dict[str, Any]:
        """Return the three settings as arguments of `counterpoint.formats.tables.open_table`.

        >>> Delimited(separator=";").reading()
        {'separator': ';', 'quoting': 'auto', 'encoding': None}
        """
        return {name: getattr(self, name) for name in Delimited.model_fields}
