"""Check inferred settings: open the source once, and correct them by the rows that it yields."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from counterpoint.data.infer.inferred_source import InferredSource
from counterpoint.data.sources import open_source
from counterpoint.schema import Frame


def probe(found: InferredSource) -> InferredSource:
    """Return *found*, corrected by the first rows of its source.

    Raises
    ------
    SourceError
        When the source cannot be read with these settings.
    """
    if not found.has_images:
        return found
    with TemporaryDirectory() as work:
        batches = islice(open_source(_plain(found.source)).read(Path(work)), None if found.is_whole else 1)
        records, dropped = (pl.concat(parts, how="diagonal") for parts in zip(*batches, strict=True))
    if found.is_labelled and "label" in records.columns:
        found.classes = _classes(records)
    if "fold" not in records.columns or records["fold"].null_count() == len(records):
        found.split = None
    if not found.is_labelled:
        found.texts = records["text"].drop_nulls().to_list()
    if len(records) and records["text"].null_count() == len(records):
        found.warnings.append("No row of the sample has a text.")
    if len(dropped) > len(records):
        worst = dropped["reason"].value_counts(sort=True).row(0)
        found.warnings.append(f"{worst[1]:,} of {len(records) + len(dropped):,} rows cannot be read: {worst[0]}.")
    return found


def _classes(records: Frame) -> dict[str, int]:
    """Return the number of rows of each class, or of images where these are fewer, by the source's class names."""
    labels = records.select(pl.col("label").cast(pl.String).str.strip_chars().replace("", None), "image")
    n_rows = pl.min_horizontal(pl.len(), pl.col("image").n_unique())
    counts = labels.drop_nulls("label").group_by("label").agg(n_rows.alias("n"))
    return dict(counts.sort("n", "label", descending=[True, False]).iter_rows())


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in settings.items()}
