"""Small records and pairs for the tests of the data stages, by hand and by hypothesis."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from counterpoint.schema import Frame

SOME = settings(deadline=None, max_examples=40)
"""Enough examples of tiny frames; the first may take long on a busy machine."""
STATUSES = ("ok", "missing", "decode_error", "truncated_image", "too_small", "aspect")
INSPECTED = {
    "id": pl.String,
    "row": pl.Int64,
    "text": pl.String,
    "image": pl.String,
    "source": pl.String,
    "label": pl.String,
    "host": pl.String,
    "text_id": pl.String,
    "image_id": pl.String,
    "image_status": pl.String,
    "sha256": pl.String,
    "phash": pl.UInt64,
}


def records(n: int, **columns: Sequence[Any]) -> Frame:
    """Return *n* sound records, with some of their columns replaced."""
    rows = range(n)
    sound: Mapping[str, Sequence[Any]] = {
        "id": [f"id{row}" for row in rows],
        "row": list(rows),
        "text": [f"text number {row}" for row in rows],
        "image": [f"{row}.jpg" for row in rows],
        "source": ["s"] * n,
        "label": [("cat", "dog")[row % 2] for row in rows],
        "image_status": ["ok"] * n,
    }
    values = {**sound, **columns}
    return pl.DataFrame(values, schema={name: INSPECTED[name] for name in values})


def pairs(labels: Sequence[str], groups: Sequence[str], **columns: Sequence[Any]) -> Frame:
    """Return pairs with these labels and groups."""
    rows = [str(row) for row in range(len(labels))]
    return pl.DataFrame(
        {
            "id": rows,
            "row": range(len(rows)),
            "text": rows,
            "image": rows,
            "label": labels,
            "label_source": ["column"] * len(rows),
            "group": groups,
            **columns,
        },
        schema_overrides={"row": pl.Int64},
    )


def inspected_records(max_rows: int = 12) -> st.SearchStrategy[Frame]:
    """Return records of every kind of damage: ids, texts, images, labels and keys each present, absent or wrong."""
    few = st.sampled_from(["a", "b", "c", "d", None])
    row = st.fixed_dictionaries(
        {
            "id": few,
            "text": st.sampled_from(["a cat", "a dog", "a cat and a dog", "Ünïcode 🦊", "", " \n", None]),
            "image": st.sampled_from(["1.jpg", "2.jpg", None]),
            "source": st.just("s"),
            "label": st.sampled_from(["x", "y", " ", None]),
            "host": few,
            "text_id": few,
            "image_id": few,
            "image_status": st.sampled_from(STATUSES),
            "sha256": few,
            "phash": st.sampled_from([0, 1, 2**63, None]),
        }
    )
    made = st.lists(row, max_size=max_rows).map(lambda rows: [{**each, "row": 3 * n} for n, each in enumerate(rows)])
    return made.map(lambda rows: pl.DataFrame(rows, schema=INSPECTED))


def is_partition(before: Frame, kept: Frame, dropped: Frame) -> bool:
    """Return whether *kept* and *dropped* together have each row of *before* once."""
    return sorted([*kept["row"], *dropped["row"]]) == sorted(before["row"])


def reasons(dropped: Frame) -> list[str]:
    """Return why each row left, in the order of the rows."""
    return dropped.sort("row")["reason"].to_list()
