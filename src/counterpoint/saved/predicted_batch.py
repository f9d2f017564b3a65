"""Predictions of the rows of one batch, by a saved model that is open."""

import polars as pl

from counterpoint.encoders.encodings import made_apart
from counterpoint.saved.model import FLAGS, SavedModel
from counterpoint.schema import Frame


def predicted(saved: SavedModel, rows: Frame) -> Frame:
    """Return one row for each of *rows*: row, id, label, the probabilities, flags, and the reason of an unread row.

    Parameters
    ----------
    saved
        *saved* is the model.
    rows
        *rows* are those of a batch.
    """
    reason = pl.lit(None, pl.String).alias("reason") if "reason" not in rows.columns else pl.col("reason")
    whole = rows.with_columns(reason)
    read = whole.filter(pl.col("reason").is_null())
    with made_apart():
        found = saved.predict(read.drop("reason", "id"))
    numbered = pl.concat([read.select("row"), found], how="horizontal")
    joined = whole.select("row", "id", "reason").join(numbered, on="row", how="left", maintain_order="left")
    chances = [f"p_{name}" for name in saved.classes]
    return joined.select("row", "id", "label", *chances, *FLAGS, "reason")
