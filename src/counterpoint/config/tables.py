"""The format of a text table: separator, quotation marks, encoding.  Sources and lists share these settings."""

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
        raise ValueError("no encoding that Python reads, such as utf-8, utf-16, cp1252 or gb18030") from error
    return encoding


class Delimited(BaseModel):
    """The format of text tables.  Other formats, such as Parquet, have no such settings."""

    model_config = Section.model_config

    separator: Annotated[str, Field(pattern=r'^[^"\\\r\n]$')] | None = None
    """Character between the fields of a CSV.  Null: inferred from the file, or else a comma, and a tab in a TSV."""
    quoting: Quoting = "auto"
    """Quotation marks in a CSV.  With ``standard`` a field may stand between two of them, and a mark in it is doubled.
    With ``backslash`` a mark in a field stands after a backslash.  With ``none`` it is an ordinary character.
    ``auto`` is ``standard``, or ``none`` between tabs.  It refuses a file in which a mark may swallow rows."""
    encoding: Annotated[str, AfterValidator(_known)] | None = None
    """Encoding of a CSV or JSON file, such as ``cp1252``.  Null: inferred from the file."""

    def reading(self) -> dict[str, Any]:
        """Return the three settings as arguments of `counterpoint.formats.tables.open_table`.

        >>> Delimited(separator=";").reading()
        {'separator': ';', 'quoting': 'auto', 'encoding': None}
        """
        return {name: getattr(self, name) for name in Delimited.model_fields}
