"""Acquired shards: the columns of a plan's lists and of the shards made from them, and where each file is.

``plan/00000.parquet`` is the list of a shard, ``shards/00000.parquet`` the shard itself: slot i owns row i, failures
among them.  ``shards/00000.r1.parquet`` is a retry generation: some of those slots again; the newest counts.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

LISTED: Mapping[str, Any] = {
    "slot": pl.Int64,
    "id": pl.String,
    "url": pl.String,
    "text": pl.String,
    "label": pl.String,
    "host": pl.String,
    "sha256_expected": pl.String,
    "width_listed": pl.Int64,
    "height_listed": pl.Int64,
    "similarity": pl.Float64,
    "nsfw": pl.String,
    "punsafe": pl.Float64,
    "pwatermark": pl.Float64,
    "license": pl.String,
}
"""A planned row.  ``slot`` counts over the whole plan, from 0; what the list does not have is null."""

SHARD: Mapping[str, Any] = {
    **LISTED,
    "text_clean": pl.String,
    "status": pl.String,
    "http_code": pl.Int64,
    "sha256": pl.String,
    "phash": pl.UInt64,
    "format": pl.String,
    "width_px": pl.Int64,
    "height_px": pl.Int64,
    "n_bytes": pl.Int64,
    "image": pl.Binary,
}
"""A slot that ended.  Of the fetched body: sha256, format, size as shown, bytes; ``image`` is what was kept of it."""
