"""The numbers of a figure as a CSV that is safe to open in a spreadsheet."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from counterpoint.safe_text import spreadsheet_text
from counterpoint.schema import Frame


def csv_of(data: Frame) -> bytes:
    r"""Return *data* as CSV. A text that a spreadsheet would compute begins with an apostrophe.

    >>> csv_of(pl.DataFrame({"contender": ["=1+1", None], "accuracy": [0.5, -1.0]}))
    b"contender,accuracy\n'=1+1,0.5\n,-1.0\n"
    """
    texts = [name for name, kind in data.schema.items() if kind == pl.String]
    safe = data.with_columns(pl.col(texts).map_elements(spreadsheet_text, return_dtype=pl.String))
    return safe.write_csv().encode()


def table_of(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Frame:
    """Return the *columns* of *rows* as a table. A value that a row lacks is null.

    >>> table_of([{"a": "x", "low": 0.1, "seeds": [0, 1]}, {"a": "y"}], ["a", "low"]).rows()
    [('x', 0.1), ('y', None)]
    """
    chosen = [{name: row.get(name) for name in columns} for row in rows]
    return pl.DataFrame(chosen, schema=list(columns), infer_schema_length=None, strict=False)
